# SPDX-License-Identifier: MIT
"""Profiles: the same bytes everywhere, references that resolve, books that make sense, and a real feed's statistics.

The checker below keeps its own books and reads messages through itchfeed, not through the tables the generator packs
with. Expected figures are those measured on real feeds (a Nasdaq opening and a whole day), not the profile's.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from itch.messages import messages as itchfeed_messages

from generators.captures import read_capture
from generators.framing import MAX_PAYLOAD, Group
from generators.profiles import (
    DEFAULT_SCENARIO,
    MARKET_OPEN_NS,
    MAX_SYMBOLS,
    OPENING,
    PROFILES,
    find_profile,
    generate,
    packets,
    write_profile,
)
from generators.tables import decode

Traffic = list[tuple[int, bytes]]

# SHA-256 over (time, message) of the first 2,000 messages with seed 1: these bytes are promised to be the same on any
# machine and Python, so they change only together with a profile.
FINGERPRINTS = {
    "quiet": "c6b5d13aa44a264d0dfd6b957b5531c8ccb01057f71efdb20c5c8f8a20321d1e",
    "mass_quote": "7e7d517f8f1788ebbd0fbb1028b5db39a1e133b7213d2ff51cb22184e6ddd85d",
    "opening": "e79e46825855638aa3dfdcf83ef665effab1c33c2c07caf09a9f90278245cb06",
}
FINGERPRINT_PROGRAM = """
import hashlib, sys
from generators.profiles import generate
digest = hashlib.sha256()
for time_ns, message in generate(sys.argv[1], 1, 2_000):
    digest.update(time_ns.to_bytes(8, "big") + message)
print(digest.hexdigest())
"""


@dataclass
class Order:
    locate: int
    side: bytes
    shares: int
    price: int


@dataclass
class Checker:
    """Books by order reference; any reference that does not resolve is an error."""

    orders: dict[int, Order] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    symbols: dict[int, bytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    previous_timestamp: int = 0

    def take(self, data: bytes) -> None:
        message = itchfeed_messages[data[:1]](data)
        kind = data[:1].decode()
        self.counts[kind] += 1
        assert message.timestamp >= self.previous_timestamp
        self.previous_timestamp = message.timestamp
        if kind == "R":
            self.symbols[message.stock_locate] = message.stock
        elif kind != "S":
            assert message.stock_locate in self.symbols
        stock = getattr(message, "stock", None)
        assert stock in (None, self.symbols.get(message.stock_locate))
        if kind in "AF":
            assert message.buy_sell_indicator in (b"B", b"S")
            self.add(message.order_reference_number, message.stock_locate, message.buy_sell_indicator,
                     message.shares, message.price)
        elif kind in "ECX":
            order = self.find(message)
            order.shares -= message.cancelled_shares if kind == "X" else message.executed_shares
            assert order.shares >= (1 if kind == "X" else 0)
            if not order.shares:
                del self.orders[message.order_reference_number]
        elif kind in "DU":
            order = self.find(message)
            del self.orders[message.order_reference_number]
            if kind == "U":
                self.add(message.new_order_reference_number, order.locate, order.side, message.shares, message.price)

    def find(self, message: object) -> Order:
        order = self.orders[message.order_reference_number]  # type: ignore[attr-defined]
        assert order.locate == message.stock_locate  # type: ignore[attr-defined]
        return order

    def add(self, reference: int, locate: int, side: bytes, shares: int, price: int) -> None:
        assert reference not in self.used, "a reference is used once"
        assert 0 < shares < 1_000_000
        assert 0 < price < 200_000_0000
        self.used.add(reference)
        self.orders[reference] = Order(locate, side, shares, price)

    def best(self, locate: int, side: bytes) -> int | None:
        prices = [order.price for order in self.orders.values() if (order.locate, order.side) == (locate, side)]
        return (max if side == b"B" else min)(prices, default=None)


def timed_phase(traffic: Traffic) -> Traffic:
    """From the start of market hours on."""
    start = next(n for n, (_, message) in enumerate(traffic) if message[:1] == b"S" and message[11:] == b"Q")
    return traffic[start + 1:]


def shares_of_types(messages: Iterable[tuple[int, bytes]]) -> dict[str, float]:
    counts = Counter(chr(message[0]) for _, message in messages)
    return {kind: 100 * count / counts.total() for kind, count in counts.items()}


def bursts(traffic: Traffic) -> list[Traffic]:
    return [group for _, members in groupby(traffic, lambda item: item[0]) if len(group := list(members)) > 1]


def quantile(values: list[int], share: float) -> int:
    return sorted(values)[int(share * len(values))]


def test_registry() -> None:
    assert set(PROFILES) >= {"quiet", "opening", "mass_quote"}
    assert all(profile.name == name and profile.description for name, profile in PROFILES.items())
    assert (DEFAULT_SCENARIO.profile.name, DEFAULT_SCENARIO.seed, DEFAULT_SCENARIO.messages) == ("opening", 1, 2_000)
    with pytest.raises(ValueError, match=r"nothing: no such profile \(.*opening"):
        find_profile("nothing")


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_same_bytes_in_every_process(name: str) -> None:
    digests = []
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        result = subprocess.run([sys.executable, "-c", FINGERPRINT_PROGRAM, name], env=environment, check=True,
                                capture_output=True, text=True)
        digests.append(result.stdout.strip())
    assert digests == [FINGERPRINTS[name]] * 2


def test_seed_changes_the_traffic() -> None:
    assert list(generate("opening", 1)) == list(generate(OPENING, 1)) != list(generate("opening", 2))


def test_a_shorter_run_is_a_prefix() -> None:
    long = list(generate("opening", 3, 3_000, warm_up=200))
    assert list(generate("opening", 3, 1_000, warm_up=200)) == long[:1_000]
    assert len(list(generate("quiet", 1, 5))) == 5


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("symbols", [1, 8, 64])
def test_references_resolve(name: str, symbols: int) -> None:
    seeds = range(1, 4)
    for seed in seeds:
        checker = Checker()
        for _, message in generate(name, seed, 6_000, symbols=symbols):
            checker.take(message)
        assert len(checker.symbols) == checker.counts["R"] == checker.counts["H"] == symbols
        assert all(checker.counts[kind] > 5 for kind in "AFEXDU"), f"seed {seed}: {checker.counts}"
        assert len(checker.orders) > 0


@pytest.mark.parametrize("name", PROFILES)
def test_as_many_symbols_as_a_market_has(name: str) -> None:
    checker = Checker()
    for _, message in generate(name, 1, 40_000, symbols=MAX_SYMBOLS):
        checker.take(message)
    assert len(checker.symbols) == len(set(checker.symbols.values())) == MAX_SYMBOLS
    assert max(checker.symbols) < 1 << 16
    assert all(checker.counts[kind] > 5 for kind in "AFEXDU"), checker.counts
    assert len({order.locate for order in checker.orders.values()}) > MAX_SYMBOLS // 2


@pytest.mark.parametrize("name", PROFILES)
def test_start_of_day_and_warm_up(name: str) -> None:
    traffic = list(generate(name, 1, 500, symbols=3, warm_up=50))
    kinds = [chr(message[0]) for _, message in traffic]
    assert "".join(kinds[:8]) == "SSRRRHHH"
    assert set(kinds[8:58]) == {"A", "F"}
    assert (kinds[58], traffic[58][1][11:]) == ("S", b"Q")
    assert itchfeed_messages[b"S"](traffic[58][1]).timestamp >= MARKET_OPEN_NS
    gaps = [after - before for (before, _), (after, _) in pairwise(traffic[:58])]
    assert min(gaps) >= 20_000
    assert max(gaps) <= 46_000
    assert traffic[0][0] == 0
    assert {message[1:3] for _, message in traffic[8:58]} == {message[1:3] for _, message in traffic[2:5]}
    start = itchfeed_messages[b"S"](traffic[0][1]).timestamp
    assert all(itchfeed_messages[message[:1]](message).timestamp == start + time_ns for time_ns, message in traffic)


def test_no_warm_up() -> None:
    traffic = list(generate("opening", 1, 50, symbols=2, warm_up=0))
    assert (traffic[6][1][:1], traffic[6][1][11:]) == (b"S", b"Q")


@pytest.mark.parametrize("name", PROFILES)
def test_bids_stay_below_asks_and_best_bids_improve(name: str) -> None:
    for seed in (1, 2, 3):
        checker, improved, compared = Checker(), 0, 0
        last: dict[int, int] = {}
        for _, message in generate(name, seed, 2_000, symbols=4):
            checker.take(message)
            locate = int.from_bytes(message[1:3], "big")
            bid, ask = checker.best(locate, b"B"), checker.best(locate, b"S")
            if bid is None:
                continue
            compared += ask is not None
            assert ask is None or bid < ask
            improved += bid > last.get(locate, bid)
            last[locate] = bid
        assert compared > 1_000
        assert improved > 10, f"seed {seed}: {improved} improvements"


def test_opening_has_the_mix_of_a_real_opening() -> None:
    measured = {"A": 36.7, "U": 22.5, "F": 19.3, "D": 16.7, "E": 2.8, "X": 0.6, "I": 0.4, "P": 0.4, "Q": 0.4, "C": 0.1}
    timed = timed_phase(list(generate("opening", 1, 100_000)))
    ours = shares_of_types(timed)
    assert set(ours) == set(measured)
    for kind, share in measured.items():
        assert ours[kind] == pytest.approx(share, abs=max(0.1, 0.05 * share)), kind


def test_opening_has_the_bursts_of_a_real_opening() -> None:
    timed = timed_phase(list(generate("opening", 1, 100_000)))
    groups = bursts(timed[:-40])            # the end of the run may cut a burst
    sizes = [len(group) for group in groups]
    assert min(sizes) == 12
    assert max(sizes) == 39
    assert sum(sizes) / len(timed) == pytest.approx(0.125, abs=0.01)
    for group in groups:
        assert len({message[1:3] for _, message in group}) == 1, "one symbol"
        assert {chr(message[0]) for _, message in group[1:]} <= {"A", "F"}
    together = [len(packet) for _, packet in packets(timed) if packet[18:20] != b"\0\1"]
    assert len(groups) < len(together) < 2 * len(groups), "only a burst beyond a full packet takes two"
    assert MAX_PAYLOAD - 42 < max(together) <= MAX_PAYLOAD


def test_opening_has_the_gaps_of_a_real_opening() -> None:
    times = [time_ns for time_ns, _ in timed_phase(list(generate("opening", 1, 100_000)))]
    gaps = [after - before for before, after in pairwise(times)]
    assert quantile(gaps, 0.10) == 0
    assert quantile(gaps, 0.50) == pytest.approx(1_460, rel=0.1)
    assert quantile(gaps, 0.90) == pytest.approx(5_400, rel=0.1)
    assert quantile(gaps, 0.99) == pytest.approx(16_700, rel=0.1)
    assert len(gaps) / ((times[-1] - times[0]) / 1e6) == pytest.approx(423, rel=0.05)


def test_quiet_has_one_message_a_packet_and_the_mix_of_a_day() -> None:
    measured = {"A": 43.27, "D": 41.94, "U": 8.68, "E": 2.49, "I": 1.27, "X": 1.21, "P": 0.52, "F": 0.48}
    traffic = list(generate("quiet", 1, 50_000))
    assert len(list(packets(traffic))) == len(traffic) == 50_000
    timed = timed_phase(traffic)
    ours = shares_of_types(timed)
    for kind, share in measured.items():
        assert ours[kind] == pytest.approx(share, abs=max(0.15, 0.05 * share)), kind
    assert len(timed) / ((timed[-1][0] - timed[0][0]) / 1e9) == pytest.approx(12_600, rel=0.05)


def test_mass_quote_has_38_messages_a_packet() -> None:
    traffic = timed_phase(list(generate("mass_quote", 1, 20_000)))
    while traffic[-1][0] == traffic[-2][0]:
        traffic.pop()                       # the end of the run may cut a packet
    traffic.pop()
    sizes = Counter(int.from_bytes(packet[18:20], "big") for _, packet in packets(traffic))
    assert set(sizes) == {1, 38}
    assert 38 * sizes[38] / len(traffic) == pytest.approx(0.95, abs=0.02)
    ours = shares_of_types(traffic)
    assert all(ours[kind] > 15 for kind in "ADU"), ours
    assert {len({message[1:3] for _, message in burst}) for burst in bursts(traffic)} == {1}, "one symbol a packet"


@pytest.mark.parametrize("rate", [1_000.0, 5_000_000.0])
def test_rate(rate: float) -> None:
    timed = timed_phase(list(generate("opening", 1, 50_000, rate=rate)))
    assert len(timed) / ((timed[-1][0] - timed[0][0]) / 1e9) == pytest.approx(rate, rel=0.05)


def test_one_message_a_packet_at_any_rate() -> None:
    traffic = list(generate("quiet", 1, 2_000, rate=1e9))
    assert len(list(packets(traffic))) == len(traffic) == 2_000


def test_jitter_delays_packets_and_nothing_else() -> None:
    traffic = list(generate("opening", 1, 5_000))
    plain = list(packets(traffic))
    late = list(packets(traffic, seed=7, jitter_ns=2_000))
    assert [packet for _, packet in late] == [packet for _, packet in plain]
    delays = [after - before for (before, _), (after, _) in zip(plain, late, strict=True)]
    assert min(delays) >= 0
    assert 1_500 < max(delays) <= 2_000
    assert all(before <= after for (before, _), (after, _) in pairwise(late))
    assert late == list(packets(traffic, seed=7, jitter_ns=2_000)) != list(packets(traffic, seed=8, jitter_ns=2_000))


@pytest.mark.parametrize("arguments", [
    {"symbols": 0}, {"symbols": MAX_SYMBOLS + 1}, {"messages": 0}, {"warm_up": -1}, {"rate": 0.0},
    {"rate": float("inf")}, {"rate": float("nan")},
])
def test_wrong_arguments_are_refused_at_once(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"symbols|positive"):
        generate("opening", 1, **arguments)  # type: ignore[arg-type]


def test_negative_jitter_is_refused() -> None:
    with pytest.raises(ValueError, match="jitter"):
        list(packets([(0, b"")], jitter_ns=-1))


def test_written_capture_and_what_a_receiver_must_see(tmp_path: Path) -> None:
    path = tmp_path / "opening.pcap"
    group = Group("239.1.1.1", 5000)
    count = write_profile(path, "opening", 5, 2_000, symbols=2, jitter_ns=100, group=group)
    capture = read_capture(path)
    frames = list(capture)
    assert len(frames) == count
    assert capture.warnings == []
    lines = [json.loads(line) for line in Path(f"{path}.expect.jsonl").read_text().splitlines()]
    messages = [message for _, message in generate("opening", 5, 2_000, symbols=2)]
    assert lines == [{"sequence": n, "type": chr(message[0]), "fields": decode(message)}
                     for n, message in enumerate(messages, 1)]
    received = b"".join(frame.data[62:] for frame in frames)
    assert received == b"".join(len(message).to_bytes(2, "big") + message for message in messages)
    assert {frame.data[30:34] for frame in frames} == {bytes([239, 1, 1, 1])}
    again = tmp_path / "again.pcap"
    write_profile(again, "opening", 5, 2_000, symbols=2, jitter_ns=100, group=group)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()


def test_tshark_sees_every_message(tmp_path: Path, tshark: Callable[..., list[list[str]]]) -> None:
    path = tmp_path / "default.pcap"
    count = write_profile(path, "opening", 1, 2_000)
    rows = tshark(path, "ip.checksum.status", "udp.checksum.status", "moldudp64.session", "moldudp64.msgseq",
                  "moldudp64.msgdata", "_ws.expert")
    assert len(rows) == count
    assert {(*row[:3], row[5]) for row in rows} == {("1", "1", "TICKLOOP01", "")}
    assert [int(number) for row in rows for number in row[3].split(",")] == list(range(1, 2_001))
    seen = [bytes.fromhex(data) for row in rows for data in row[4].split(",")]
    assert seen == [message for _, message in generate("opening", 1, 2_000)]
