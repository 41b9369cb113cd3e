# SPDX-License-Identifier: MIT
"""The kernel booted in QEMU against a mailbox peer in Python: set-up, trading, the result, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge import layout
from bridge.layout import MailboxOp
from generators.profiles import generate
from generators.tables import encode
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import MessageResult
from tests.firmware.peer import REGISTER, TIMEOUT_S, Peer, Run, exit_code
from tests.firmware.records import config_module, message_status, parse_export, record_lines
from tests.firmware.streams import MODEL, hostile_stream, predict

Boot = Callable[..., Run]


@pytest.fixture
def boot(kernel: Path, tmp_path: Path) -> Boot:
    """Boot with a configuration module (None: without one) and a peer."""

    def run(peer: Peer, module: bytes | None = b"", image: Path = kernel) -> Run:
        config = None
        if module is not None:
            config = tmp_path / "config.bin"
            config.write_bytes(module or config_module())
        return peer.boot(image, config, tmp_path / "console.log")

    return run


def lines_of(messages: list[bytes]) -> list[list[bytearray]]:
    return [record_lines(message, sequence) for sequence, message in enumerate(messages, 1)]


def assert_traded(run: Run, messages: list[bytes], **config: Any) -> None:
    """Exit, books, orders and counters are those the model predicts."""
    model = predict(messages, **config)
    assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    export = parse_export(run.export)
    assert export.statistics["records"] == len(messages) > 0
    assert export.books == model.books.levels()
    assert run.orders == [order.message for order in model.orders]
    assert {name: export.statistics[name] for name in model.statistics} == model.statistics


def test_set_up(boot: Boot) -> None:
    """The requests up to the first poll: attach, identification, set-up while disabled, enable last."""
    run = boot(Peer(epoch=0x12345678), config_module(rx_log2=6, tx_log2=5, tcp_sequence=77, tcp_acknowledge=88))
    assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    ops = [op for op, _, _ in run.operations]
    assert run.operations[0] == (MailboxOp.ATTACH, 0, layout.LAYOUT_HASH)
    assert ops[-3:] == [MailboxOp.POLL, MailboxOp.EXPORT, MailboxOp.EXIT]
    assert run.operations[-1][2] == 0

    reads = [address for op, address, _ in run.operations if op == MailboxOp.REGISTER_READ]
    assert reads == [REGISTER[name] for name in ("ID", "VERSION", "LAYOUT_HASH", "CAPABILITIES", "ERRORS")]
    writes = [(address, value) for op, address, value in run.operations if op == MailboxOp.REGISTER_WRITE]
    assert writes[0] == (REGISTER["CONTROL"], 0)
    bits = layout.REGISTER_FIELDS["CONTROL"]
    assert writes[-1] == (REGISTER["CONTROL"], bits["RX_ENABLE"] | bits["TX_ENABLE"] | bits["RAW_ENABLE"])
    values = {name: run.writes(name) for name in REGISTER}
    assert values["RX_LOG2"] == [6]
    assert values["TX_LOG2"] == [5]
    assert values["RX_EPOCH"] == values["TX_EPOCH"] == [0x12345678]
    assert values["GROUP_ADDRESS"] == [0xE9360C6F]
    assert values["GROUP_PORT"] == [26477]
    assert (values["SESSION_SOURCE_MAC_HI"], values["SESSION_SOURCE_MAC_LO"]) == ([0x0200], [0x10])
    assert (values["SESSION_DESTINATION_MAC_HI"], values["SESSION_DESTINATION_MAC_LO"]) == ([0x0200], [0x20])
    assert values["SESSION_SOURCE_ADDRESS"] == [0xC000020A]
    assert values["SESSION_DESTINATION_ADDRESS"] == [0xC0000214]
    assert values["SESSION_PORTS"] == [49152 << 16 | 26400]
    assert (values["SESSION_SEQUENCE"], values["SESSION_ACKNOWLEDGE"]) == ([77], [88])

    # The window covers the rings, the frames behind them and little more; it lies above the image, not in the
    # reserved area. Without descriptors there is no second window.
    (base,), (size,), (rx,), (tx,), (raw,) = (values[f"{name}_LO"] for name in
                                              ("WINDOW_BASE", "WINDOW_SIZE", "RX_BASE", "TX_BASE", "RAW_BASE"))
    assert base <= rx
    assert rx + 64 * layout.LINE_BYTES <= tx
    assert tx + 32 * layout.LINE_BYTES <= raw
    frames = raw + 256 * layout.LINE_BYTES
    assert frames <= base + size <= frames + 8 * 1536 + 4096
    assert values["WINDOW2_SIZE_LO"] == [0]
    assert base > layout.KERNEL_BASE > layout.RESERVED_BASE + layout.RESERVED_SIZE


def test_trades_the_opening_profile(boot: Boot) -> None:
    messages = [message for _, message in generate("opening", seed=5, messages=4000)]
    run = boot(Peer(lines_of(messages), burst=40))
    assert_traded(run, messages)
    assert run.orders


def test_trades_the_real_opening(boot: Boot, real_messages: list[bytes]) -> None:
    run = boot(Peer(lines_of(real_messages)))
    assert_traded(run, real_messages)
    assert len(run.orders) == 118  # of books that no unknown reference has touched


def test_hostile_stream(boot: Boot) -> None:
    messages = hostile_stream(21, 3000)
    assert_traded(boot(Peer(lines_of(messages), burst=3)), messages)


@pytest.mark.parametrize("burst", [1, 1000])
def test_smallest_rings_with_long_messages(boot: Boot, burst: int) -> None:
    """16 slots: rings wrap all the time, and messages of up to 16 lines fill one from end to end."""
    random = Random(burst)
    fits = layout.RAW_FIRST_BYTES + 15 * layout.CONTINUATION_BYTES
    messages = []
    for message in (m for _, m in generate("opening", seed=6, messages=600)):
        messages.append(message)
        if random.random() < 0.2:
            messages.append(b"?" + random.randbytes(random.randrange(fits)))
    records = lines_of(messages)
    assert max(map(len, records)) == 16
    run = boot(Peer(records, burst=burst), config_module(rx_log2=4, tx_log2=4))
    assert_traded(run, messages)


def test_lines_go_back_in_batches(boot: Boot) -> None:
    messages = [message for _, message in generate("quiet", seed=7, messages=1000)]
    run = boot(Peer(lines_of(messages), burst=1), config_module(rx_log2=8))
    assert_traded(run, messages)
    tails = run.writes("RX_TAIL")
    assert tails
    assert all(late - early >= 64 for early, late in zip([0, *tails], tails, strict=False))
    polls = [value for op, _, value in run.operations if op == MailboxOp.POLL]
    assert polls == list(range(len(messages) + 1)), "one poll a message, numbered by what is consumed"


def test_largest_ring_never_outruns_the_trace(boot: Boot) -> None:
    """A burst of more records than the trace ring has entries: the peer fails if one is overwritten unread."""
    messages = [encode("S", {"stock_locate": 0, "tracking_number": 0, "timestamp": n, "event_code": "Q"})
                for n in range(20_000)]
    run = boot(Peer(lines_of(messages), burst=20_000), config_module(rx_log2=16))
    assert_traded(run, messages)
    assert [int(entry["sequence"]) for entry in run.trace] == list(range(1, 20_001))


def test_full_tx_ring_refuses_and_overwrites_nothing(boot: Boot) -> None:
    """A NIC that takes no orders: the ring's 16 slots are used, every further order is counted as refused."""
    messages = [
        encode("A", {"stock_locate": 1, "tracking_number": 0, "timestamp": n, "order_reference_number": n,
                     "buy_sell_indicator": "B", "shares": 100, "stock": "SYM1", "price": 100 + n})
        for n in range(1, 51)
    ]
    run = boot(Peer(lines_of(messages), take_orders=False), config_module(tx_log2=4))
    statistics = parse_export(run.export).statistics
    assert (statistics["orders_sent"], statistics["orders_refused_ring"]) == (16, 34)
    assert run.writes("TX_TAIL") == list(range(1, 17))
    assert "statistics: orders refused, ring full 34" in run.console


def test_trace(boot: Boot, real_messages: list[bytes]) -> None:
    """Every record leaves one entry; its taps are in order and stand still where nothing was decided or sent."""
    run = boot(Peer(lines_of(real_messages), burst=50))
    assert [int(entry["sequence"]) for entry in run.trace] == list(range(1, len(real_messages) + 1))
    assert sum(int(entry["orders"]) for entry in run.trace) == len(run.orders) > 0
    kinds = set()
    for entry, message in zip(run.trace, real_messages, strict=True):
        start = int(entry["dequeue"])
        applied, decision, doorbell, done = (
            (int(entry[tap]) - start) % (1 << 32) for tap in ("applied", "decision", "doorbell", "done")
        )
        assert chr(entry["type"]) == chr(message[0])
        assert 0 < done < 10_000
        if entry["orders"]:
            assert 0 < applied < decision < doorbell < done
            assert 0 < entry["bid"] < layout.PRICE_LIMIT
        else:
            assert doorbell == 0
            assert decision < done
        if decision:
            assert 0 < applied < decision
        kinds.add((bool(entry["orders"]), decision > 0))
    assert kinds == {(False, False), (False, True), (True, True)}


def test_the_trace_has_the_top_of_every_changed_book(boot: Boot) -> None:
    """Best bid and ask behind each message that changed a book, whatever locate it names, are the model's, those that
    the entry does not tell being as they were; 0 and all ones stand for none."""
    messages = hostile_stream(7, 3000)
    run = boot(Peer(lines_of(messages), burst=50))
    model = KernelModel(KernelConfig(**MODEL))
    changes, told = 0, 0
    tops: dict[int, dict[str, int]] = {}
    locates: dict[int, int] = {}
    for entry, raw in zip(run.trace, messages, strict=True):
        status: Any = message_status(raw).name.lower()
        kind = chr(raw[0]) if raw else None
        model.message(MessageResult(int(entry["sequence"]), kind, len(raw), status, raw))
        changed = model.statistics["book_messages"] > changes
        changes += changed
        assert (entry["applied"] != entry["dequeue"]) == changed
        assert (entry["book"] != 0) == changed
        if changed:
            if kind in ("A", "F"):
                locates[int(entry["book"])] = int(entry["stock_locate"])
            top = tops.setdefault(int(entry["book"]), {"bid": 0, "ask": 0xFFFFFFFF})
            new = {tells.name.lower() for tells in layout.Tells if entry["tells"] & tells}
            top |= {name: int(entry[name]) for name in new}
            told += len(new)
            book = model.books[locates[int(entry["book"])]]
            assert top == {"bid": book.best_bid(), "ask": book.best_ask() or 0xFFFFFFFF}
    assert changes > 500
    assert 0 < told < changes


def test_instruction_counts_are_exact(boot: Boot) -> None:
    """The work at every request, and every tap, is the same in two runs, whatever the host does in between."""
    messages = [message for _, message in generate("opening", seed=8, messages=1500)]

    def slow() -> None:
        if random.random() < 0.02:
            time.sleep(random.random() * 0.002)

    random = Random(1)
    runs = [boot(Peer(lines_of(messages), delay=delay)) for delay in (None, slow)]
    assert len(runs[0].work) > 200
    assert runs[0].work == runs[1].work
    assert runs[0].operations == runs[1].operations
    assert [entry.tobytes() for entry in runs[0].trace] == [entry.tobytes() for entry in runs[1].trace]
    assert runs[0].export == runs[1].export
    assert runs[0].console == runs[1].console


def test_cost_of_the_opening_mix(boot: Boot) -> None:
    """A loose gate on the mean of instructions from dequeue to done; the exact figure depends on the compiler."""
    messages = [message for _, message in generate("opening", seed=9, messages=8000)]
    run = boot(Peer(lines_of(messages), burst=100))
    costs = [(int(entry["done"]) - int(entry["dequeue"])) % (1 << 32) for entry in run.trace[5000:]]
    assert len(costs) == len(messages) - 5000
    assert 50 < sum(costs) / len(costs) < 200


def test_console_tells_gaps_and_facts(boot: Boot) -> None:
    message = encode("S", {"stock_locate": 0, "tracking_number": 0, "timestamp": 0, "event_code": "Q"})
    sequences = [1, 2, 5, 6, 10, 20, 30, 40, 50]
    run = boot(Peer([record_lines(message, sequence) for sequence in sequences]))
    lines = run.console.splitlines()
    assert [line for line in lines if line.startswith("gap:")] == [
        f"gap: sequence {expected} expected, {received} received" for expected, received in
        ((3, 5), (7, 10), (11, 20), (21, 30))
    ]
    assert "statistics: sequence gaps 6" in lines
    assert lines[0].startswith("tickloop kernel, layout version")
    assert any(line.startswith("pool: RX ring at 0x") for line in lines)
    assert "config: group 233.54.12.111:26477" in lines


@pytest.mark.parametrize(("peer", "text"), [
    (lambda: Peer(layout_hash=layout.LAYOUT_HASH ^ 1), "mailbox layout hash"),
    (lambda: Peer(registers={"LAYOUT_HASH": 1}), "NIC layout hash"),
    (lambda: Peer(registers={"ID": 1}), "NIC identification"),
    (lambda: Peer(registers={"VERSION": 0x20000}), "NIC register map is version 2"),
])
def test_foreign_layouts_are_refused(boot: Boot, peer: Callable[[], Peer], text: str) -> None:
    run = boot(peer())
    assert run.exit_code == exit_code(layout.EXIT_STATUS_LAYOUT)
    assert run.console.splitlines()[-1].startswith(f"layout: {text}")


def test_configuration_of_another_layout_is_refused(boot: Boot) -> None:
    run = boot(Peer(), config_module(layout_hash=1))
    assert run.exit_code == exit_code(layout.EXIT_STATUS_LAYOUT)
    assert "layout: module 0 is no configuration" in run.console


@pytest.mark.parametrize(("module", "text"), [
    (None, "panic: no configuration module: pass it with -initrd"),
    (config_module(rx_log2=3), "panic: configuration: rx_log2 is not in 4..16"),
    (config_module([("AAPL", 1, 1)] * 2), "panic: configuration: a symbol is listed twice"),
    (config_module(max_orders=1 << 24), "panic: no room for orders"),
])
def test_panics_in_one_line(boot: Boot, module: bytes | None, text: str) -> None:
    run = boot(Peer(), module)
    assert run.exit_code == exit_code(layout.EXIT_STATUS_PANIC)
    assert run.console.splitlines()[-1].startswith(text)


def test_a_mailbox_out_of_reach_is_a_panic(boot: Boot) -> None:
    """A BAR too large for the 32-bit hole: the firmware puts it above 4 GiB, which the kernel does not map."""
    run = boot(Peer(mailbox_bytes=4 << 30))
    assert run.exit_code == exit_code(layout.EXIT_STATUS_PANIC)
    assert run.console.splitlines()[-1] == "panic: the NIC's BAR2 at 0x100000000 is above 4 GiB"


@pytest.mark.parametrize(("registers", "text"), [
    ({"ERRORS": 2}, "panic: the NIC refused its set-up: ERRORS is 0x2"),
    ({"CAPABILITIES": 0x21 & ~0x20}, "panic: the NIC lacks"),
])
def test_a_refusing_nic_is_a_panic(boot: Boot, registers: dict[str, int], text: str) -> None:
    run = boot(Peer(registers=registers))
    assert run.exit_code == exit_code(layout.EXIT_STATUS_PANIC)
    assert run.console.splitlines()[-1].startswith(text)


def test_peer_notices_a_dead_kernel(boot: Boot, tmp_path: Path) -> None:
    """The peer is part of the evidence: an image that never asks for anything is an error, not a pass."""
    image = tmp_path / "not-a-kernel.elf"
    image.write_bytes(b"\x7fELF")
    started = time.monotonic()
    run = boot(Peer(), image=image)
    assert run.exit_code == 1
    assert not run.operations
    assert time.monotonic() - started < TIMEOUT_S
