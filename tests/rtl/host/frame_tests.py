# SPDX-License-Identifier: MIT
"""Frames past the market data: to this host into the raw ring, of this host out of TX slots of kind frame."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from bridge import layout
from tests.rtl.host.bench import (
    ERROR,
    LINE_BYTES,
    RAW_BASE,
    RX_BASE,
    TX_BASE,
    WINDOW_BASE,
    WINDOW_SIZE,
    Bench,
    message,
    publish_word,
)
from tests.rtl.host.orders import Session, enter_orders, ouch, slot

BEAT_BYTES = 8
STORE_BYTES = 8 << 11
PAYLOAD = layout.CONTINUATION_BYTES
REASON = layout.DropReason
MAC = 0x02_AA_BB_CC_DD_EE
OURS, BROADCAST, OTHER = MAC.to_bytes(6, "big"), bytes([0xFF] * 6), bytes.fromhex("01005e36 0c6f")
RAW_REASONS = range(REASON.VLAN_DEPTH, REASON.OTHER_PORT + 1)
EPOCH = 0x7FFF_FFF0
COUNTERS = ("RAW_FRAMES", "RAW_DROPPED", "DMA_REFUSED_COUNT")


@dataclass(frozen=True)
class Raw:
    """A frame as the raw ring tells it."""

    line: int
    reason: int
    time_ns: int
    data: bytes


class Ports:
    """Both receive ports, and the receive side that reports every frame some time after its end."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.reports: deque[tuple[int, int, int]] = deque()
        self.delay = 4
        self.busy = 0
        cocotb.start_soon(self._report())

    async def send(self, port: str, data: bytes, reason: int, bad_fcs: bool = False, gap: int = 3) -> int:
        """One frame; returns its time. The clocks after its end let the other frames of this port follow at once."""
        dut, rng = self.bench.dut, self.bench.random
        self.busy += 1
        names = {name: getattr(dut, f"rx_{port}_{name}") for name in ("tdata", "tkeep", "tvalid", "tlast", "tuser")}
        time_ns = rng.randrange(1 << 48)
        for offset in range(0, len(data), BEAT_BYTES):
            beat = data[offset:offset + BEAT_BYTES]
            noise = rng.randbytes(BEAT_BYTES - len(beat))  # lanes without tkeep hold anything
            names["tdata"].value = int.from_bytes(beat + noise, "little")
            names["tkeep"].value = (1 << len(beat)) - 1
            names["tvalid"].value = 1
            last = offset + BEAT_BYTES >= len(data)
            names["tlast"].value = int(last)
            names["tuser"].value = int(last and bad_fcs)
            await RisingEdge(dut.clk)
            names["tvalid"].value = 0
            while not last and rng.random() < 0.05:
                await RisingEdge(dut.clk)
        names["tlast"].value = 0
        self.reports.append(("ab".index(port), reason, time_ns))
        self.busy -= 1
        await self.bench.clocks(gap)
        return time_ns

    async def settle(self) -> None:
        while self.busy or self.reports:
            await RisingEdge(self.bench.clk)
        await self.bench.clocks(3)  # the last report is on its way
        await self.bench.settle()

    async def _report(self) -> None:
        dut = self.bench.dut
        while True:
            await RisingEdge(dut.clk)
            dut.report_valid.value = 0
            if self.reports:
                for _ in range(self.bench.random.randint(0, self.delay)):
                    await RisingEdge(dut.clk)
                line, reason, time_ns = self.reports.popleft()
                dut.report_line.value, dut.report_reason.value = line, reason
                dut.report_timestamp.value, dut.report_valid.value = time_ns, 1


class Reader:
    """The kernel's side of the raw ring."""

    def __init__(self, bench: Bench, log2: int) -> None:
        self.bench = bench
        self.slots = 1 << log2
        self.index = 0
        self.frames: list[Raw] = []

    def _line(self, index: int) -> bytes:
        return self.bench.memory.lines.get(RAW_BASE + index % self.slots * LINE_BYTES, bytes(LINE_BYTES))

    def poll(self) -> bool:
        first = self._line(self.index)
        if int.from_bytes(first[60:], "little") != publish_word(EPOCH, self.index):
            return False
        fields = layout.RAW_FRAME.fields
        length = int.from_bytes(first[24:26], "little")
        continuations = first[fields["continuations"][1]]
        assert first[fields["status"][1]] == layout.STATUS_FRAME
        assert first[fields["type"][1]] == 0
        assert continuations == -(-length // PAYLOAD)
        data = b""
        for k in range(continuations):
            line = self._line(self.index + 1 + k)
            assert line[PAYLOAD:] == bytes(8)
            data += line[:PAYLOAD]
        assert data[length:] == bytes(len(data) - length)
        self.frames.append(Raw(first[14], first[15], int.from_bytes(first[8:14], "little"), data[:length]))
        self.index += 1 + continuations
        return True

    async def drain(self) -> None:
        while self.poll():
            pass
        await self.bench.write("RAW_TAIL", self.index)


async def begin(dut: Any, log2: int = 10) -> tuple[Bench, Ports, Reader]:
    bench = await Bench.start(dut)
    await bench.set_window()
    await bench.write64("SESSION_SOURCE_MAC", MAC)
    await bench.start_ring("RAW", RAW_BASE, log2, EPOCH)
    await bench.start_ring("RX", RX_BASE, 8, EPOCH)
    return bench, Ports(bench), Reader(bench, log2)


def frame(length: int, destination: bytes = OURS, seed: int = 0) -> bytes:
    return (destination + Random(seed << 16 | length).randbytes(length))[:length]


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_length_on_both_ports(dut: Any) -> None:
    """Lengths around every beat and line boundary, to this host and to all, from both ports at once."""
    bench, ports, reader = await begin(dut)
    lengths = [*range(14, 14 + 2 * PAYLOAD), 1514, 9215, 9216]
    expected: dict[int, list[Raw]] = {0: [], 1: []}

    async def one_port(port: str) -> None:
        line = "ab".index(port)
        for number, length in enumerate(lengths):
            data = frame(length, (OURS, BROADCAST)[number % 2], line)
            reason = bench.random.choice(RAW_REASONS)
            time_ns = await ports.send(port, data, reason, gap=bench.random.choice((3, 60)) + length // 8)
            expected[line].append(Raw(line, reason, time_ns, data))

    tasks = [cocotb.start_soon(one_port(port)) for port in "ab"]
    while not all(task.done() for task in tasks):
        await reader.drain()
    await ports.settle()
    await reader.drain()
    for line in (0, 1):
        assert [raw for raw in reader.frames if raw.line == line] == expected[line]
    assert await bench.counters(*COUNTERS) == {**dict.fromkeys(COUNTERS, 0), "RAW_FRAMES": 2 * len(lengths)}
    assert await bench.read("ERRORS") == 0
    assert await bench.read("RX_LINES") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def only_frames_to_this_host_that_are_not_market_data(dut: Any) -> None:
    """By destination and verdict; damaged and overlong ones are no frames, market data go their own way."""
    bench, ports, reader = await begin(dut)
    expected = []
    near = (MAC ^ 1).to_bytes(6, "big"), (MAC ^ 1 << 47).to_bytes(6, "big"), bytes([0xFF] * 5 + [0xFE])
    for destination in (OURS, BROADCAST, OTHER, *near):
        for reason in REASON:
            data = frame(70, destination, reason)
            time_ns = await ports.send("a", data, reason)
            if destination in (OURS, BROADCAST) and reason in RAW_REASONS:
                expected.append(Raw(0, reason, time_ns, data))
    await ports.send("b", frame(90), REASON.NOT_IPV4, bad_fcs=True)
    await ports.send("b", frame(9217), REASON.NOT_IPV4)
    await ports.send("b", frame(9300), REASON.OVERSIZE)
    last = frame(80)
    expected.append(Raw(1, REASON.NOT_UDP, await ports.send("b", last, REASON.NOT_UDP), last))
    await ports.settle()
    await reader.drain()
    assert reader.frames == expected
    assert len(expected) == 2 * len(RAW_REASONS) + 1
    assert await bench.counters(*COUNTERS) == {**dict.fromkeys(COUNTERS, 0), "RAW_FRAMES": len(expected)}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full_ring_drops_whole_frames(dut: Any) -> None:
    bench, ports, reader = await begin(dut, log2=4)
    fits, too_long, small, none = frame(13 * PAYLOAD), frame(2 * PAYLOAD, seed=1), frame(PAYLOAD, seed=2), frame(20)
    for data in (fits, too_long, small, none):
        await ports.send("a", data, REASON.NOT_IPV4)
    await ports.settle()
    assert await bench.read("ERRORS") == ERROR["RAW_DROPPED"]
    assert await bench.counters(*COUNTERS) == {"RAW_FRAMES": 2, "RAW_DROPPED": 2, "DMA_REFUSED_COUNT": 0}
    await reader.drain()
    await ports.send("b", none, REASON.NOT_IPV4)
    await ports.send("b", frame(15 * PAYLOAD + 1), REASON.NOT_IPV4)  # 17 lines: never
    await ports.settle()
    await reader.drain()
    assert [raw.data for raw in reader.frames] == [fits, small, none]


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def slow_host_costs_whole_frames(dut: Any) -> None:
    """The host takes nothing: the store of a port fills, further frames drop, on the other port none has to."""
    bench, ports, reader = await begin(dut)
    bench.memory.pace.ready = 0.0
    sent = [frame(1500, seed=n) for n in range(20)]
    for data in sent:
        await ports.send("a", data, REASON.NOT_IPV4)
    await ports.send("b", sent[0], REASON.NOT_UDP)
    bench.memory.pace.ready = 1.0
    await ports.settle()
    await reader.drain()
    kept = [raw.data for raw in reader.frames if raw.line == 0]
    assert kept == sent[:len(kept)]
    assert STORE_BYTES // 1504 - 1 <= len(kept) <= STORE_BYTES // 1504 + 1
    assert [raw.data for raw in reader.frames if raw.line == 1] == [sent[0]]
    assert await bench.counters(*COUNTERS) == {
        "RAW_FRAMES": len(kept) + 1, "RAW_DROPPED": len(sent) - len(kept), "DMA_REFUSED_COUNT": 0}
    more = frame(700, seed=99)
    await ports.send("a", more, REASON.NOT_IPV4)
    await ports.settle()
    await reader.drain()
    assert reader.frames[-1].data == more


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def many_small_frames(dut: Any) -> None:
    """More frames than can be kept, their verdicts late: what has no place is counted."""
    bench, ports, reader = await begin(dut)
    ports.delay = 2000
    for number in range(30):
        await ports.send("a", frame(20, seed=number), REASON.NOT_IPV4)
    ports.delay = 0
    await ports.settle()
    await reader.drain()
    drops = (await bench.counters("RAW_DROPPED"))["RAW_DROPPED"]
    assert len(reader.frames) + drops == 30
    assert 14 <= len(reader.frames) <= 16


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def switched_off_and_on_in_a_frame(dut: Any) -> None:
    """Neither the rest of a frame nor its verdict is taken for another's."""
    bench, ports, reader = await begin(dut)
    sending = cocotb.start_soon(ports.send("a", frame(2000), REASON.NOT_IPV4))
    await bench.clocks(40)
    await bench.stop_ring("RAW")
    await bench.start_ring("RAW", RAW_BASE, 10, EPOCH)
    await sending
    data = frame(300, seed=5)
    await ports.send("a", data, REASON.NOT_UDP)
    await ports.settle()
    await reader.drain()
    assert [raw.data for raw in reader.frames] == [data]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def raw_ring_outside_the_windows(dut: Any) -> None:
    bench, ports, reader = await begin(dut)
    await bench.set_window(WINDOW_BASE, RAW_BASE - WINDOW_BASE)
    await ports.send("a", frame(200), REASON.NOT_IPV4)
    await ports.settle()
    assert bench.memory.writes == []
    assert await bench.read("ERRORS") == ERROR["DMA_REFUSED"]
    await bench.set_window()
    data = frame(100)
    await ports.send("a", data, REASON.NOT_IPV4)
    await ports.settle()
    await reader.drain()
    assert [raw.data for raw in reader.frames] == [data]
    assert await bench.counters(*COUNTERS) == {"RAW_FRAMES": 1, "RAW_DROPPED": 0, "DMA_REFUSED_COUNT": 1}


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def raw_frames_beside_messages(dut: Any) -> None:
    """Messages a line every other clock and frames on both ports, to a host of any pace: both rings are whole."""
    bench, ports, reader = await begin(dut)
    sent: list[bytes] = []
    over = False

    async def messages() -> None:
        number = 0
        while not over:
            await bench.send(message(number, number % 2))
            await bench.clocks(bench.random.choice((2, 3, 9)))
            number += 1
            if number % 16 == 0:
                await bench.write("RX_TAIL", await bench.read("RX_HEAD"))

    async def pace() -> None:
        while not over:
            bench.memory.pace.ready = bench.random.choice((1.0, 0.8))
            bench.memory.pace.response_clocks = bench.random.choice((0, 10))
            await bench.clocks(100)

    tasks = [cocotb.start_soon(messages()), cocotb.start_soon(pace())]
    for number in range(40):
        sent.append(frame(bench.random.choice((60, 64, 333, 1000)), seed=number))
        await ports.send("ab"[number % 2], sent[-1], REASON.NOT_IPV4, gap=150)
    over = True
    for task in tasks:
        await task
    await ports.settle()
    await reader.drain()
    assert sorted(raw.data for raw in reader.frames) == sorted(sent)
    assert await bench.counters("RX_RING_FULL_DROPPED", *COUNTERS) == {
        "RX_RING_FULL_DROPPED": 0, "RAW_FRAMES": 40, "RAW_DROPPED": 0, "DMA_REFUSED_COUNT": 0}
    in_rx = [w for w in bench.memory.writes if w.address < RAW_BASE]
    in_raw = [w for w in bench.memory.writes if w.address >= RAW_BASE]
    assert len(in_rx) == await bench.read("RX_LINES") > 100
    assert len(in_raw) == sum(1 + -(-len(data) // PAYLOAD) for data in sent) == await bench.read("RAW_HEAD")


# ---- TX slots of kind frame

SLOTS = 16
FRAMES = WINDOW_BASE + 0x10_0000
TX_COUNTERS = ("TX_ORDERS", "TX_FRAMES", "TX_REFUSED", "DMA_REFUSED_COUNT")


class Sender:
    """The kernel's side: orders and frames into the TX ring, the frames' bytes into memory."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.session = Session()
        self.tail = 0
        self.orders: list[bytes] = []
        self.frames: list[bytes] = []

    def order(self, text: bytes) -> None:
        self._place(slot(text, publish_word(EPOCH, self.tail)))
        self.orders.append(self.session.segment(text))

    def frame(self, data: bytes, address: int | None = None, length: int | None = None, sent: bool = True) -> None:
        if address is None:
            address = FRAMES + self.tail % SLOTS * 0x800
        padded = data + b"\xA5" * (-len(data) % LINE_BYTES)
        for offset in range(0, len(padded), LINE_BYTES):
            self.bench.memory.lines[address + offset] = padded[offset:offset + LINE_BYTES]
        length = len(data) if length is None else length
        line = struct.pack("<Q48xBBHI", address % (1 << 64), layout.TxKind.FRAME, 0, length,
                           publish_word(EPOCH, self.tail))
        self._place(line)
        if sent:
            self.frames.append(data)

    def _place(self, line: bytes) -> None:
        self.bench.memory.lines[TX_BASE + self.tail % SLOTS * LINE_BYTES] = line
        self.tail += 1

    async def doorbell(self) -> None:
        await self.bench.write("TX_TAIL", self.tail)

    async def room(self) -> None:
        while self.tail - await self.bench.read("TX_HEAD") == SLOTS:
            pass

    def check(self) -> None:
        """Orders in their order, frames in theirs; which goes between which is the port's business."""
        sent = [sent.data for sent in self.bench.sink.frames]
        assert [data for data in sent if data in set(self.orders)] == self.orders
        assert [data for data in sent if data not in set(self.orders)] == self.frames


async def begin_tx(dut: Any) -> Sender:
    bench = await Bench.start(dut)
    await bench.set_window()
    sender = Sender(bench)
    for name, value in sender.session.registers().items():
        await bench.write(name, value)
    await bench.start_ring("TX", TX_BASE, 4, EPOCH)
    return sender


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def frames_of_every_length(dut: Any) -> None:
    sender = await begin_tx(dut)
    bench, rng = sender.bench, sender.bench.random
    lengths = [*range(14, 150), 1513, 1514]
    for number, length in enumerate(lengths):
        await sender.room()
        bench.sink.ready = rng.choice((1.0, 1.0, 0.5, 0.2))
        bench.memory.pace.ready = rng.choice((1.0, 0.5, 0.2))
        bench.memory.pace.response_clocks = rng.choice((0, 5, 40))
        sender.frame(rng.randbytes(length))
        if rng.random() < 0.3:
            await sender.room()
            sender.order(ouch(enter_orders(number, 1)[0]))
        await sender.doorbell()
    bench.sink.ready = bench.memory.pace.ready = 1.0
    await bench.settle()
    sender.check()
    assert await bench.counters(*TX_COUNTERS) == {
        "TX_ORDERS": len(sender.orders), "TX_FRAMES": len(lengths), "TX_REFUSED": 0, "DMA_REFUSED_COUNT": 0}
    assert await bench.read("ERRORS") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def orders_go_first(dut: Any) -> None:
    """A frame that is ready waits for the orders that are, and then leaves in one piece."""
    sender = await begin_tx(dut)
    bench = sender.bench
    texts = [ouch(fields) for fields in enter_orders(5, 4)]
    bench.sink.ready = 0.0
    sender.order(texts[0])
    sender.frame(bytes(range(100)))
    for text in texts[1:]:
        sender.order(text)
    await sender.doorbell()
    await bench.clocks(100)  # an order on the port, the frame and another order ready
    bench.sink.ready = 1.0
    await bench.settle()
    sender.check()
    kinds = [sent.data in sender.orders for sent in bench.sink.frames]
    assert kinds[:2] == [True, True]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def slot_is_taken_when_its_frame_is_read(dut: Any) -> None:
    """TX_HEAD passes a frame's slot only when the host may write its memory again."""
    sender = await begin_tx(dut)
    bench = sender.bench
    data = bytes(range(256)) * 5
    bench.memory.pace.responds = False
    sender.frame(data)
    await sender.doorbell()
    await bench.clocks(100)
    assert await bench.read("TX_HEAD") == 0
    bench.memory.pace.responds = True
    while await bench.read("TX_HEAD") == 0:
        pass
    for offset in range(0, len(data), LINE_BYTES):
        bench.memory.lines[FRAMES + offset] = b"\xEE" * LINE_BYTES
    await bench.settle()
    sender.check()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def hostile_frames_are_skipped(dut: Any) -> None:
    """Bad lengths and addresses between good frames: none is read outside the windows, the good ones leave."""
    sender = await begin_tx(dut)
    bench = sender.bench
    end = WINDOW_BASE + WINDOW_SIZE
    good = bytes(range(200))
    bad: tuple[tuple[int, dict[str, int]], ...] = (
        (ERROR["TX_BAD_SLOT"], {"length": 13}), (ERROR["TX_BAD_SLOT"], {"length": 1515}),
        (ERROR["TX_BAD_SLOT"], {"length": 0}), (ERROR["TX_BAD_SLOT"], {"length": 0xFFFF}),
        (ERROR["TX_BAD_SLOT"], {"address": FRAMES + 8}),
        (ERROR["DMA_REFUSED"], {"address": end - 3 * LINE_BYTES}), (ERROR["DMA_REFUSED"], {"address": 0}),
        (ERROR["DMA_REFUSED"], {"address": WINDOW_BASE - LINE_BYTES}),
        (ERROR["DMA_REFUSED"], {"address": (1 << 64) - LINE_BYTES}),
    )
    for number, (error, fields) in enumerate(bad):
        reads = len(bench.memory.reads)
        sender.frame(good, sent=False, **fields)
        sender.frame(bytes([number]) * 60)
        await sender.doorbell()
        await bench.settle()
        assert await bench.read("ERRORS") == error, f"bad frame {number}"
        await bench.write("ERRORS", error)
        assert len(bench.memory.reads) == reads + 3  # two slots and a line
    sender.frame(good, address=end - 4 * LINE_BYTES)  # up to the last byte of the window
    bench.memory.fail.add(FRAMES + 0x1_0000 + LINE_BYTES)
    sender.frame(good, address=FRAMES + 0x1_0000, sent=False)
    sender.frame(good)
    await sender.doorbell()
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DMA_ERROR"]
    sender.check()
    assert await bench.counters(*TX_COUNTERS) == {
        "TX_ORDERS": 0, "TX_FRAMES": len(bad) + 2, "TX_REFUSED": len(bad) + 1, "DMA_REFUSED_COUNT": 4}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def window_taken_away_while_a_frame_is_read(dut: Any) -> None:
    """What is not asked for yet is refused; the frame is not sent, the slots behind it are."""
    sender = await begin_tx(dut)
    bench = sender.bench
    bench.memory.pace.ready = 0.05
    await bench.set_window(TX_BASE, SLOTS * LINE_BYTES, second=True)
    sender.frame(bytes(1400), sent=False)
    await sender.doorbell()
    while len(bench.memory.reads) < 4:
        await RisingEdge(bench.clk)
    await bench.set_window(0, 0)
    bench.memory.pace.ready = 1.0
    text = ouch(enter_orders(6, 1)[0])
    sender.order(text)
    await sender.doorbell()
    await bench.settle()
    sender.check()
    assert len(bench.memory.reads) < 22
    assert await bench.counters(*TX_COUNTERS) == {
        "TX_ORDERS": 1, "TX_FRAMES": 0, "TX_REFUSED": 1, "DMA_REFUSED_COUNT": 1}
