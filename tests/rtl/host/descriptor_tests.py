# SPDX-License-Identifier: MIT
"""Descriptor mode, both ways: nothing is marked done before it is whole, hostile descriptors cost what they hold and
no more, the prototype's ring of 16 at 0x00100000 works."""

from __future__ import annotations

import struct
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from bridge import layout
from tb.host.memory import ALL_BYTES, Write
from tests.rtl.host.bench import (
    CLOCK_PS,
    ERROR,
    LINE_BYTES,
    WINDOW_BASE,
    Bench,
    Message,
    message,
    publish_word,
)
from tests.rtl.host.orders import Session, enter_orders, ouch, slot
from tests.rtl.host.random_traffic import RandomTraffic

SLOTS = 16
RING = layout.RESERVED_BASE
BUFFERS = WINDOW_BASE
DESCRIPTOR = layout.DESCRIPTOR_BYTES
DONE, END = layout.DESCRIPTOR_DONE, layout.DESCRIPTOR_END
STATUS = layout.DESCRIPTOR.fields["status"][1]
COUNTERS = ("RX_RING_FULL_DROPPED", "RX_TOO_LARGE_DROPPED", "DMA_REFUSED_COUNT")
EPOCH = 0x7FFF_FFF0


class Descriptors:
    """A descriptor ring in host memory, and the host's hand on it."""

    def __init__(self, bench: Bench, slots: int = SLOTS, base: int = RING, buffers: int = BUFFERS) -> None:
        self.memory = bench.memory
        self.slots = slots
        self.base = base
        self.buffers = buffers
        for index in range(slots):
            self.put(index, self.buffer(index))

    def buffer(self, index: int) -> int:
        """Buffers lie apart and not in the ring's order: nothing but the descriptor says where."""
        return self.buffers + (index * 7 + 3) % self.slots * 2 * LINE_BYTES

    def place(self, index: int) -> tuple[int, int]:
        address = self.base + index % self.slots * DESCRIPTOR
        return address & -LINE_BYTES, address % LINE_BYTES

    def put(self, index: int, address: int, length: int = layout.BUFFER_BYTES, status: int = 0) -> None:
        line, offset = self.place(index)
        old = self.memory.lines.get(line, bytes(LINE_BYTES))
        new = struct.pack("<QHHBBH", address, length, 0, status, 0, 0)
        self.memory.lines[line] = old[:offset] + new + old[offset + DESCRIPTOR:]

    def get(self, index: int) -> tuple[int, int, int]:
        """Address, length and status."""
        line, offset = self.place(index)
        address, length, checksum, status, errors, special = struct.unpack_from(
            "<QHHBBH", self.memory.lines[line], offset)
        assert (checksum, errors, special) == (0, 0, 0)
        return address, length, status

    def clear(self, index: int) -> None:
        address, length, _ = self.get(index)
        self.put(index, address, length)


class Consumer:
    """The kernel's side of an RX ring: takes what is marked done, in order."""

    def __init__(self, bench: Bench, ring: Descriptors) -> None:
        self.bench = bench
        self.ring = ring
        self.index = 0
        self.received: list[Message] = []
        self.empty: list[int] = []

    def poll(self, counts: dict[int, int]) -> bool:
        """The next message, or an unused descriptor, if it is done."""
        ring, lines = self.ring, self.bench.memory.lines
        address, length, status = ring.get(self.index)
        if not status & DONE:
            return False
        if length == 0:
            self.empty.append(self.index)
            ring.clear(self.index)
            self.index += 1
            return True
        first = lines[address]
        number = int.from_bytes(first[:8], "little")
        assert first[60:] == publish_word(EPOCH, self.index).to_bytes(4, "little")
        rest = []
        for k in range(counts[number]):
            at, length, status = ring.get(self.index + 1 + k)
            assert status & DONE, f"message {number}: line {k} is not done"
            assert length == layout.BUFFER_BYTES
            assert bool(status & END) == (k + 1 == counts[number])
            rest.append(lines[at][:60])
        assert bool(ring.get(self.index)[2] & END) == (not rest)
        self.received.append(Message(tuple(rest), first[:60]))
        for _ in range(1 + len(rest)):
            ring.clear(self.index)
            self.index += 1
        return True

    async def give_back(self) -> None:
        await self.bench.write("RX_TAIL", self.index % (1 << 32))


async def begin(dut: Any, log2: int = 4) -> tuple[Bench, Descriptors, Consumer]:
    bench = await Bench.start(dut)
    await bench.set_window()
    await bench.set_window(layout.RESERVED_BASE, layout.RESERVED_SIZE, second=True)
    ring = Descriptors(bench, 1 << log2)
    await bench.start_ring("RX", RING, log2, EPOCH, "RX_DESCRIPTOR")
    return bench, ring, Consumer(bench, ring)


def counts_of(*messages: Message) -> dict[int, int]:
    return {int.from_bytes(m.first[:8], "little"): len(m.continuations) for m in messages}


def is_mark(write: Write) -> bool:
    return write.strobe != ALL_BYTES


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_line_then_its_mark(dut: Any) -> None:
    """The buffer is written before the descriptor, whose address stays the host's."""
    bench, ring, consumer = await begin(dut)
    await bench.settle()
    sent = message(1)
    await bench.send(sent)
    sampled_ps = int(get_sim_time("ps"))
    await bench.settle()
    line, mark = bench.memory.writes
    assert (line.address, line.strobe) == (ring.buffer(0), ALL_BYTES)
    assert line.line == sent.first + publish_word(EPOCH, 0).to_bytes(4, "little")
    assert (mark.address, mark.strobe) == (RING, 0xFF00)
    assert (line.address_ps - sampled_ps, mark.address_ps - sampled_ps) == (4 * CLOCK_PS, 5 * CLOCK_PS)
    assert ring.get(0) == (ring.buffer(0), 64, DONE | END)
    assert ring.get(1) == (ring.buffer(1), 64, 0)
    assert consumer.poll(counts_of(sent))
    assert await bench.read("RX_HEAD") == 1
    assert await bench.read("RX_LINES") == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def first_descriptor_is_marked_last(dut: Any) -> None:
    """A message over lines of the ring: its lines, the marks of its continuation lines four at a time, then its own."""
    bench, _ring, consumer = await begin(dut)
    sent = message(1, 9)
    await bench.send(sent)
    await bench.settle()
    kinds = [is_mark(w) for w in bench.memory.writes]
    assert kinds == [False] * 10 + [True] * 4  # descriptors 1-3, 4-7, 8-9, and 0
    assert [(w.address - RING, w.strobe) for w in bench.memory.writes if is_mark(w)] == [
        (0, 0xFF00_FF00_FF00_0000), (64, 0xFF00_FF00_FF00_FF00), (128, 0xFF00_FF00), (0, 0xFF00)]
    assert consumer.poll(counts_of(sent))
    assert consumer.received == [sent]
    assert await bench.read("RX_HEAD") == 10


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def messages_wrap_and_the_ring_is_given_back(dut: Any) -> None:
    """Several laps of messages of every length up to the whole ring."""
    bench, _ring, consumer = await begin(dut)
    sent = [message(n, k) for n, k in enumerate([0, 1, 2, 15, 0, 3, 4, 5, 14, 7, 8, 9, 0, 0, 13, 11])]
    for item in sent:
        await bench.send(item)
        await bench.settle()
        assert consumer.poll(counts_of(*sent))
        await consumer.give_back()
    assert consumer.received == sent
    assert await bench.counters(*COUNTERS) == dict.fromkeys(COUNTERS, 0)
    assert await bench.read("ERRORS") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_descriptor_drops_whole_messages(dut: Any) -> None:
    """16 given away, none returned: what does not fit drops whole, a smaller one goes in; the loss is told."""
    bench, ring, consumer = await begin(dut)
    await bench.write("EVENT_ENABLE", 1 << 3)
    fits = [message(1, 12), message(3, 1), message(5)]
    await bench.send(fits[0], message(2, 3), fits[1], message(4, 1), fits[2], message(6), message(7, 2))
    await bench.settle()
    counts = counts_of(*fits)
    while consumer.index < SLOTS and consumer.poll(counts):
        pass
    assert consumer.received == fits
    assert await bench.counters(*COUNTERS) == {**dict.fromkeys(COUNTERS, 0), "RX_RING_FULL_DROPPED": 4}
    assert await bench.read("ERRORS") == ERROR["RX_RING_FULL"]
    await consumer.give_back()
    await bench.settle()
    told = []
    for index in range(16, 16 + await bench.read("RX_EVENTS")):
        lost = bench.memory.lines[ring.buffer(index)]
        assert (ring.get(index)[2], lost[27]) == (DONE | END, layout.STATUS_LOST)
        told.append((int.from_bytes(lost[:8], "little"), int.from_bytes(lost[8:12], "little")))
    assert told[0][0] == 2
    assert sum(count for _, count in told) == 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def larger_than_the_ring(dut: Any) -> None:
    bench, _ring, consumer = await begin(dut)
    exact = message(2, 15)
    await bench.send(message(1, 16), exact)
    await bench.settle()
    assert consumer.poll(counts_of(exact))
    assert consumer.received == [exact]
    await consumer.give_back()
    await bench.send(message(3, 255), message(4, 300), message(5))
    await bench.settle()
    assert consumer.poll({5: 0})
    assert await bench.counters(*COUNTERS) == {**dict.fromkeys(COUNTERS, 0), "RX_TOO_LARGE_DROPPED": 3}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def aborted_message_leaves_no_mark(dut: Any) -> None:
    bench, _ring, consumer = await begin(dut)
    for rounds in range(3):
        for line in message(1, 3 + rounds).continuations:
            await bench.send_line(line, first=False)
        await bench.abort()
    sent = [message(2, 1), message(3), message(4, 5)]
    await bench.send(*sent)
    await bench.settle()
    while consumer.poll(counts_of(*sent)):
        pass
    assert consumer.received == sent
    assert await bench.read("RX_HEAD") == 9
    assert await bench.counters(*COUNTERS) == dict.fromkeys(COUNTERS, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def buffers_outside_the_windows(dut: Any) -> None:
    """A message that needs such a buffer is refused; the descriptor comes back empty and the ring goes on behind it."""
    bench, ring, consumer = await begin(dut)
    bad = (0, ring.buffer(1) + 1, ring.buffer(1) + 32, WINDOW_BASE - 64, 1 << 63, (1 << 64) - 64, RING - 64,
           RING + layout.RESERVED_SIZE)
    expected: list[Message] = []
    everything: dict[int, int] = {}
    for number, address in enumerate(bad):
        for before, lines in ((0, 0), (1, 2), (2, 3)):  # good descriptors before the bad one, lines of the message
            index = consumer.index
            await bench.settle()
            ring.put(index + before, address)
            # What has been fetched already stays as it was: begin at a ring that has nothing fetched.
            await bench.stop_ring("RX")
            bench.memory.writes.clear()
            await bench.settle()
            await bench.start_ring("RX", RING, 4, EPOCH)
            consumer.index = 0
            for k in range(SLOTS):
                ring.put(k, address if k == before else ring.buffer(k))
            lost, kept = message(100 * number + before, lines), message(100 * number + 50 + before, 1)
            everything |= counts_of(lost, kept)
            await bench.send(lost, kept)
            await bench.settle()
            while consumer.poll(everything):
                pass
            expected.append(kept)
            assert consumer.received == expected
            assert consumer.index == before + 1 + 2
            assert all(RING <= w.address < RING + SLOTS * DESCRIPTOR or w.address >= WINDOW_BASE
                       for w in bench.memory.writes)
            assert await bench.read("ERRORS") == ERROR["DMA_REFUSED"]
            await bench.write("ERRORS", ERROR["DMA_REFUSED"])
    assert await bench.read("DMA_REFUSED_COUNT") == 3 * len(bad)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def done_descriptor_is_not_ready(dut: Any) -> None:
    """DD still set in a descriptor given away: the messages that meet it drop, until the host has cleared it."""
    bench, ring, consumer = await begin(dut)
    sent = [message(n) for n in range(SLOTS)]
    await bench.send(*sent)
    await bench.settle()
    while consumer.index < SLOTS and consumer.poll(counts_of(*sent)):
        pass
    ring.put(18, ring.buffer(18), status=DONE)
    await consumer.give_back()
    more = [message(20), message(21)]
    await bench.send(*more, message(22), message(23))
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DESCRIPTOR_NOT_READY"]
    assert await bench.read("RX_RING_FULL_DROPPED") == 2
    ring.put(18, ring.buffer(18))
    await bench.send(message(24))  # meets what was read when the last one dropped
    await bench.settle()
    last = message(25, 1)
    await bench.send(last)
    await bench.settle()
    while consumer.poll(counts_of(*sent, *more, last)):
        pass
    assert consumer.received == [*sent, *more, last]
    assert await bench.read("RX_RING_FULL_DROPPED") == 3


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def descriptors_that_cannot_be_read(dut: Any) -> None:
    bench, _ring, consumer = await begin(dut)
    await bench.settle()
    await bench.stop_ring("RX")
    bench.memory.fail.add(RING)
    await bench.start_ring("RX", RING, 4, EPOCH)
    await bench.send(message(1))
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DMA_ERROR"] | ERROR["DESCRIPTOR_NOT_READY"]
    bench.memory.fail.clear()
    await bench.send(message(2))
    await bench.settle()
    await bench.send(message(3))
    await bench.settle()
    assert consumer.poll({3: 0})
    assert await bench.read("RX_RING_FULL_DROPPED") == 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stopped_inside_a_message(dut: Any) -> None:
    bench, _ring, consumer = await begin(dut)
    torn = message(1, 3)
    for line in torn.continuations[:2]:
        await bench.send_line(line, first=False)
    await bench.stop_ring("RX")
    await bench.settle()
    await bench.start_ring("RX", RING, 4, EPOCH)
    await bench.send_line(torn.continuations[2], first=False)
    await bench.send_line(torn.first, first=True)
    await bench.send(message(2, 2))
    await bench.settle()
    assert consumer.poll({2: 2})
    assert not consumer.poll({})
    assert consumer.received == [message(2, 2)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def windows_change_while_descriptors_wait(dut: Any) -> None:
    """Buffers that were granted when their descriptors were fetched are looked at again."""
    bench, _ring, consumer = await begin(dut)
    await bench.settle()
    await bench.set_window(0, 0)
    await bench.send(message(1))
    await bench.settle()
    assert [w.address for w in bench.memory.writes if not is_mark(w)] == []
    assert consumer.poll({})
    assert consumer.empty == [0]
    await bench.set_window()
    await bench.set_window(0, 0, second=True)  # the ring itself
    before = len(bench.memory.writes)
    await bench.send(message(2, 1))
    await bench.settle()
    assert len(bench.memory.writes) == before
    await bench.set_window(layout.RESERVED_BASE, layout.RESERVED_SIZE, second=True)
    await bench.send(message(3, 1))
    await bench.settle()
    assert consumer.poll({3: 1})
    assert consumer.received == [message(3, 1)]
    assert await bench.read("DMA_REFUSED_COUNT") == 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_window_goes_while_messages_come(dut: Any) -> None:
    """When the register port takes the next write, the NIC is done with the window that the write before took away:
    nothing is written into it any more, whatever the clocks and whatever was fetched while it stood."""
    bench, ring, consumer = await begin(dut)
    numbers = iter(range(1, 1000))
    cut = 0
    for delay in range(24):
        sent = [message(next(numbers), lines) for lines in (0, 0, 1, 0, 2, 0, 0)]
        sending = cocotb.start_soon(bench.send(*sent))
        await bench.clocks(delay)
        bench.memory.pace.ready = (1.0, 0.3, 0.1)[delay % 3]
        await bench.write("WINDOW_SIZE_LO", 0)
        await bench.write("WINDOW_SIZE_HI", 0)
        answered_ps = int(get_sim_time("ps"))
        await sending
        await bench.settle()
        lines = [w for w in bench.memory.writes if not is_mark(w)]
        assert [w for w in lines if w.address_ps > answered_ps] == []
        cut += 0 < len(lines) < sum(m.lines for m in sent)
        await bench.stop_ring("RX")
        bench.memory.writes.clear()
        for index in range(SLOTS):
            ring.put(index, ring.buffer(index))
        await bench.set_window()
        await bench.start_ring("RX", RING, 4, EPOCH)
        consumer.index = 0
    assert cut > 5


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def random_traffic_and_host(dut: Any) -> None:
    """Messages of 1 to 18 lines with aborts, a host between quick and dead, a consumer that lags and now and then
    gives a bad descriptor: what arrives is whole and in order, and with what was counted it is all that was sent."""
    bench, ring, consumer = await begin(dut)
    rng = bench.random
    traffic = RandomTraffic(bench)
    sent, counts = traffic.sent, traffic.continuations

    async def consume() -> None:
        while True:
            begun = consumer.index
            while consumer.index < begun + SLOTS and consumer.poll(counts):
                pass
            if consumer.index != begun:
                for index in range(begun, consumer.index):
                    good = rng.random() < 0.98
                    ring.put(index, ring.buffer(index) if good else rng.choice((0, ring.buffer(index) + 8, 1 << 40)))
                await consumer.give_back()
            await bench.clocks(rng.choice((1, 1, 4, 30)))

    consuming = cocotb.start_soon(consume())
    await traffic.run(800, gaps=(0, 1, 3, 8, 20))
    await bench.settle()
    await bench.clocks(100)
    consuming.cancel()
    while consumer.poll(counts):
        pass

    received = [int.from_bytes(m.first[:8], "little") for m in consumer.received]
    assert received == sorted(set(received)), "out of order or twice"
    assert consumer.received == [sent[n] for n in received]
    drops = await bench.counters(*COUNTERS)
    too_large = {n for n, m in sent.items() if m.lines > 16}
    assert len(received) > 100
    assert min(drops.values()) > 0
    assert not too_large & set(received)
    assert len(received) + sum(drops.values()) == len(sent)
    assert drops["RX_TOO_LARGE_DROPPED"] <= len(too_large)
    assert await bench.read("RX_HEAD") == consumer.index
    assert await bench.read("RX_LINES") == sum(not is_mark(w) for w in bench.memory.writes)


# ---- TX


class Sender:
    """The kernel's side of a TX ring of descriptors: fills buffers, rings the doorbell, takes back what is done."""

    def __init__(self, bench: Bench, ring: Descriptors) -> None:
        self.bench = bench
        self.ring = ring
        self.tail = 0
        self.taken = 0
        self.session = Session()
        self.expected: list[bytes] = []

    def put(self, text: bytes) -> None:
        """A good order; its publish word is nobody's business."""
        self.place(slot(text, 0xDEAD_BEEF))
        self.expected.append(self.session.segment(text))

    def place(self, line: bytes, address: int | None = None, **fields: int) -> None:
        self.bench.memory.lines[self.ring.buffer(self.tail)] = line
        self.ring.put(self.tail, self.ring.buffer(self.tail) if address is None else address, **fields)
        self.tail += 1

    def reclaim(self) -> int:
        """How many are done from the oldest on."""
        while self.taken < self.tail and self.ring.get(self.taken)[2] & DONE:
            self.ring.clear(self.taken)
            self.taken += 1
        return self.taken

    async def doorbell(self) -> None:
        await self.bench.write("TX_TAIL", self.tail)


async def begin_tx(dut: Any) -> Sender:
    bench = await Bench.start(dut)
    await bench.set_window()
    await bench.set_window(layout.RESERVED_BASE, layout.RESERVED_SIZE, second=True)
    sender = Sender(bench, Descriptors(bench))
    for name, value in sender.session.registers().items():
        await bench.write(name, value)
    await bench.start_ring("TX", RING, 4, EPOCH, "TX_DESCRIPTOR")
    return sender


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def orders_leave_and_their_descriptors_come_back(dut: Any) -> None:
    """Several laps, with a host and a port of any pace."""
    sender = await begin_tx(dut)
    bench, rng = sender.bench, sender.bench.random
    for fields in enter_orders(21, 60):
        while sender.tail - sender.reclaim() == SLOTS:
            await RisingEdge(bench.clk)
        bench.sink.ready = rng.choice((1.0, 1.0, 0.5))
        bench.memory.pace.ready = rng.choice((1.0, 0.5, 0.1))
        bench.memory.pace.response_clocks = rng.choice((0, 5, 40))
        sender.put(ouch(fields))
        if rng.random() < 0.6:
            await sender.doorbell()
    await sender.doorbell()
    bench.sink.ready = bench.memory.pace.ready = 1.0
    await bench.settle()
    assert [frame.data for frame in bench.sink.frames] == sender.expected
    assert sender.reclaim() == 60
    assert await bench.read("TX_HEAD") == 60
    assert await bench.read("ERRORS") == 0
    assert all(w.strobe in (1 << STATUS + DESCRIPTOR * k for k in range(4)) for w in bench.memory.writes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def hostile_descriptors_are_skipped_and_come_back(dut: Any) -> None:
    sender = await begin_tx(dut)
    bench = sender.bench
    good = [ouch(fields) for fields in enter_orders(22, 10)]
    buffer = WINDOW_BASE + 0x1000
    bad: tuple[tuple[int, dict[str, int], int], ...] = (
        (ERROR["DMA_REFUSED"], {"address": 0}, 0),
        (ERROR["DMA_REFUSED"], {"address": buffer + 1}, 0),
        (ERROR["DMA_REFUSED"], {"address": 1 << 63}, 0),
        (ERROR["DESCRIPTOR_NOT_READY"], {"status": DONE}, 0),
        (ERROR["TX_BAD_SLOT"], {"length": 63}, 0),
        (ERROR["TX_BAD_SLOT"], {"length": 0}, 0),
        (ERROR["TX_BAD_SLOT"], {}, 3),
    )
    for number, (error, fields, kind) in enumerate(bad):
        sender.put(good[number])
        sender.place(slot(good[0], 1, kind=kind or layout.TxKind.ORDER), **fields)
        await sender.doorbell()
        await bench.settle()
        assert await bench.read("ERRORS") == error, f"bad descriptor {number}"
        await bench.write("ERRORS", error)
        assert sender.reclaim() == sender.tail
    bench.memory.fail.add(sender.ring.buffer(sender.tail))
    sender.place(slot(good[0], 1))
    sender.put(good[8])
    await sender.doorbell()
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DMA_ERROR"]
    assert [frame.data for frame in bench.sink.frames] == sender.expected
    assert await bench.counters("TX_ORDERS", "TX_REFUSED", "TX_HEAD") == {
        "TX_ORDERS": 8, "TX_REFUSED": 8, "TX_HEAD": 16}
    assert sender.reclaim() == 16


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stopped_and_started_anew(dut: Any) -> None:
    sender = await begin_tx(dut)
    bench = sender.bench
    orders = [ouch(fields) for fields in enter_orders(23, 6)]
    bench.sink.ready = 0.0
    sender.put(orders[0])
    sender.put(orders[1])
    for number in (2, 3):
        sender.place(slot(orders[number], 0))
    await sender.doorbell()
    await bench.clocks(60)
    await bench.stop_ring("TX")
    bench.sink.ready = 1.0
    await bench.settle()
    await bench.start_ring("TX", RING, 4, EPOCH)
    sender.tail = sender.taken = 0
    sender.put(orders[5])
    await sender.doorbell()
    await bench.settle()
    assert [frame.data for frame in bench.sink.frames] == sender.expected
    assert sender.reclaim() == 1
