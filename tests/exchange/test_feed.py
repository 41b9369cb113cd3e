# SPDX-License-Identifier: MIT
"""What the exchange publishes, read by others: itch-book keeps the books, itchfeed decodes, tshark reads packets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from itch.messages import messages as itchfeed_messages
from itch_book._core import Session

from generators.captures import write_pcap
from generators.exchange.config import PS_PER_MS, ExchangeConfig, Scripted
from generators.exchange.exchange import Exchange
from generators.exchange.matching import MatchingEngine
from generators.exchange.orders import Accepted, Canceled, Event, Replaced, Rested, Traded
from generators.exchange.publisher import FeedConfig, Injected, Publisher
from generators.framing import Group
from generators.tables import decode

DEPTH = 60                             # levels a side; the deepest book of a test has fewer
SIDES = ("bid", "ask")


def run_alone(exchange: Exchange) -> list[Injected]:
    """Without a client, to the end: all frames."""
    step, frames = exchange.start(), []
    while not step.finished:
        step = exchange.advance(step.next_ps + exchange.config.latency_ps, [])
        frames += step.frames
    return frames


class WatchedEngine(MatchingEngine):
    """Keeps, with every event, what the book looked like right after it."""

    def __init__(self, books: int) -> None:
        super().__init__(books)
        self.looks: list[list[list[tuple[int, int, int]]]] = []

    def _emit(self, event: Event) -> None:
        super()._emit(event)
        match event:
            case Accepted(order) | Rested(order) | Canceled(order) | Replaced(order) | Traded(order):
                book = self.books[order.book]
                self.looks.append([book.bids.displayed(), book.asks.displayed()])
            case _:
                raise AssertionError(f"not in these runs: {event}")


class Watched(Exchange):
    """Gives every message to itch-book as it is published, and compares its books with the engine's each time."""

    def __init__(self, config: ExchangeConfig) -> None:
        super().__init__(config)
        self.watched = self.engine = self.flow._engine = WatchedEngine(config.symbols)
        self.oracle = Session(tables=["bbo"], depth=DEPTH, symbols=[])
        self.compared = 0
        self._theirs: dict[int, list[list[tuple[int, ...]]]] = {}

    def _follow(self) -> None:
        events, looks = self.watched.take_events(), self.watched.looks
        self.watched.looks = []
        for event, look in zip(events, looks, strict=True):
            self._show(self.itch.messages([event]), look)
        self.ledger.follow(events)

    def _show(self, new: list[bytes], look: list[list[tuple[int, int, int]]]) -> None:
        self._messages += new
        self.oracle.feed(b"".join(len(message).to_bytes(2, "big") + message for message in new))
        table = self.oracle.take_depth()       # rows of the books that look different now
        for row, locate in enumerate(table["locate"]):
            self._theirs[int(locate)] = [
                [level for n in range(DEPTH) if (level := tuple(
                    int(table[f"{side}_{column}_{n:02}"][row]) for column in ("px", "sz", "ct")))[2]]
                for side in SIDES]
        for message in new[-1:]:               # a replace that changes what is displayed is a D and an A
            assert self._theirs.get(int.from_bytes(message[1:3], "big"), [[], []]) == look
            self.compared += 1


@pytest.mark.parametrize("seed", [1, 2])
def test_the_feed_makes_the_books_of_the_matching_engine(seed: int) -> None:
    exchange = Watched(ExchangeConfig(seed=seed, messages=2_000, symbols=3))
    run_alone(exchange)
    assert exchange.compared > 1_500
    counts = Counter(chr(message[0]) for message in exchange.publisher.messages)
    assert all(counts[kind] for kind in "SRHAFECXDUP"), counts
    statistics = exchange.oracle.stats()
    assert (statistics["missing_ref"], statistics["dup_ref"], statistics["clamped"]) == (0, 0, 0)
    assert statistics["live_orders"] == 0, "the day ends with empty books"


@pytest.mark.parametrize("symbols", [1, 4, 8_000])
def test_itchfeed_reads_every_message(symbols: int) -> None:
    exchange = Exchange(ExchangeConfig(messages=2 * symbols + 2_000, symbols=symbols))
    run_alone(exchange)
    published, timestamp = exchange.publisher.messages, 0
    listed: dict[int, bytes] = {}
    for raw in published:
        message = itchfeed_messages[raw[:1]](raw)
        assert message.timestamp >= timestamp
        timestamp = message.timestamp
        if raw[:1] == b"R":
            listed[message.stock_locate] = message.stock
        elif raw[:1] != b"S":
            assert message.stock_locate in listed
            assert getattr(message, "stock", None) in (None, listed[message.stock_locate])
    assert len(listed) == symbols
    events = [raw[-1:] for raw in published if raw[:1] == b"S"]
    assert b"".join(events) == b"OSQMEC"


def test_match_and_reference_numbers_rise_and_are_used_once() -> None:
    exchange = Exchange(ExchangeConfig(messages=4_000))
    run_alone(exchange)
    decoded = [decode(message) for message in exchange.publisher.messages]
    matches = [fields["match_number"] for fields in decoded if fields["message_type"] in "ECP"]
    entered = [fields.get("new_order_reference_number", fields.get("order_reference_number")) for fields in decoded
               if fields["message_type"] in "AFU"]
    assert len(matches) > 100
    assert matches == sorted(set(matches))
    assert len(set(entered)) == len(entered)


def test_packets_are_packed_as_on_a_real_feed(tmp_path: Path, tshark) -> None:
    exchange = Exchange(ExchangeConfig(messages=4_000, loss_b_ppm=100_000))
    frames = [frame for frame in run_alone(exchange) if frame.frame[:3] == b"\x01\x00\x5e"]
    line_a = [frame for frame in frames if frame.line == 0]
    sent = {frame.frame for frame in line_a}
    assert all(frame.frame in sent for frame in frames)
    path = tmp_path / "a.pcap"
    write_pcap(path, [(frame.time_ps // 1_000, frame.frame) for frame in line_a])
    rows = tshark(path, "ip.checksum.status", "udp.checksum.status", "moldudp64.session", "moldudp64.msgseq",
                  "moldudp64.msgdata", "moldudp64.count", "_ws.expert")
    assert {(*row[:3],) for row in rows} == {("1", "1", "TICKLOOP01")}
    seen = [bytes.fromhex(data) for row in rows if row[4] for data in row[4].split(",")]
    assert seen == exchange.publisher.messages
    sizes = [int(row[5]) for row in rows]
    assert sizes[-3:] == [65_535] * 3
    assert max(sizes[:-3]) > 20
    assert 1 < sum(sizes[:-3]) / len(sizes[:-3]) < 3
    for frame in line_a:
        stamps = {bytes(message[5:11]) for message in messages_of(frame.frame[42:])}
        assert len(stamps) <= 1, "one moment a packet"


def messages_of(payload: bytes) -> list[bytes]:
    found, at = [], 20
    while at < len(payload):
        end = at + 2 + int.from_bytes(payload[at:at + 2], "big")
        found.append(payload[at + 2:end])
        at = end
    return found


def test_lines_lose_packets_independently_and_the_same_ones_for_a_seed() -> None:
    def lost(seed: int) -> tuple[set[bytes], set[bytes]]:
        exchange = Exchange(ExchangeConfig(seed=seed, messages=3_000, loss_a_ppm=100_000, loss_b_ppm=200_000))
        frames = [frame for frame in run_alone(exchange) if frame.frame[:3] == b"\x01\x00\x5e"]
        a, b = ({frame.frame for frame in frames if frame.line == line} for line in (0, 1))
        assert exchange.publisher.lost[0] == pytest.approx(0.1 * exchange.publisher.packets, rel=0.25)
        assert exchange.publisher.lost[1] == pytest.approx(0.2 * exchange.publisher.packets, rel=0.25)
        return a, b

    a, b = lost(1)
    assert a - b
    assert b - a
    assert lost(1) == (a, b)
    assert lost(2) != (a, b)


def test_line_b_is_late_by_its_delay() -> None:
    frames = run_alone(Exchange(ExchangeConfig(messages=300, line_b_delay_ps=777_000)))
    a, b = ([(frame.time_ps, frame.frame) for frame in frames if frame.line == line and frame.frame[:1] == b"\x01"]
            for line in (0, 1))
    assert [(time_ps + 777_000, frame) for time_ps, frame in a] == b


def test_a_silent_line_gets_heartbeats() -> None:
    publisher = Publisher(FeedConfig(Group("239.1.1.1", 5_000), "10.0.0.9", "S", heartbeat_ps=1_000), 1)
    assert publisher.tick(999) == []
    heartbeat, _ = publisher.tick(1_000)
    assert heartbeat.frame[42:] == b"S         " + (1).to_bytes(8, "big") + bytes(2)
    publisher.publish(1_500, [b"x" * 20] * 3)
    assert publisher.tick(2_000) == []
    assert publisher.next_tick_ps == 2_500
    heartbeat, _ = publisher.tick(2_500)
    assert heartbeat.frame[52:60] == (4).to_bytes(8, "big")


def test_a_packet_never_exceeds_1472_bytes() -> None:
    publisher = Publisher(FeedConfig(Group("239.1.1.1", 5_000), "10.0.0.9", "S"), 1)
    frames = publisher.publish(0, [bytes([n]) * 36 for n in range(100)])
    assert [len(messages_of(frame.frame[42:])) for frame in frames if frame.line == 0] == [38, 38, 24]
    assert max(len(frame.frame) - 42 for frame in frames) == 20 + 38 * 38


def test_loss_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="million"):
        Publisher(FeedConfig(Group("239.1.1.1", 5_000), "10.0.0.9", "S", (0, 1_000_001)), 1)


def test_halt_and_resume_show_in_the_feed() -> None:
    exchange = Exchange(ExchangeConfig(messages=2_000, symbols=2, script=(
        Scripted(2 * PS_PER_MS, "halt", "TKAA"), Scripted(4 * PS_PER_MS, "resume", "TKAA"))))
    run_alone(exchange)
    decoded = [decode(message) for message in exchange.publisher.messages]
    states = [(n, fields["trading_state"]) for n, fields in enumerate(decoded)
              if fields["message_type"] == "H" and fields["stock"] == "TKAA    "]
    assert [state for _, state in states] == ["T", "H", "T"]
    halted = [fields["message_type"] for fields in decoded[states[1][0] + 1:states[2][0]]
              if fields["stock_locate"] == decoded[states[0][0]]["stock_locate"]]
    assert halted
    assert set(halted) == {"D"}, "only withdrawals while it is halted"
