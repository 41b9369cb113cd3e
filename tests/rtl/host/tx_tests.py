# SPDX-License-Identifier: MIT
"""TX ring and order entry: every published order leaves once, in order, in exactly the frame scapy builds for it."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cocotb
from scapy.utils import wrpcap

from bridge import layout
from tests.rtl.host.bench import (
    CLOCK_PS,
    CONTROL,
    ERROR,
    LINE_BYTES,
    TX_BASE,
    Bench,
    publish_word,
)
from tests.rtl.host.orders import MESSAGE_BYTES, Session, enter_orders, ouch, slot

READ_TO_FIRST_BEAT_CLOCKS = 2  # from the clock RDATA is taken to the clock a ready MAC takes the first beat
COUNTERS = ("TX_ORDERS", "TX_REFUSED", "DMA_REFUSED_COUNT")
SLOTS = 16
EPOCH = 0x7FFF_FFF8  # publish words wrap inside the first lap


class Host:
    """The kernel's side: fills slots, rings the doorbell, waits for room."""

    def __init__(self, bench: Bench, session: Session) -> None:
        self.bench = bench
        self.session = session
        self.tail = 0
        self.expected: list[bytes] = []

    def put(self, message: bytes, packet_type: int = layout.SoupPacket.UNSEQUENCED) -> None:
        """A slot with an order, or another packet, that must be sent."""
        self.place(slot(message, publish_word(EPOCH, self.tail), packet_type=packet_type))
        self.expected.append(self.session.segment(message, packet_type))

    def place(self, line: bytes) -> None:
        """Whatever the next slot is to hold."""
        self.bench.memory.lines[self.address(self.tail)] = line
        self.tail += 1

    def address(self, index: int) -> int:
        return TX_BASE + index % SLOTS * LINE_BYTES

    async def doorbell(self) -> None:
        await self.bench.write("TX_TAIL", self.tail)

    async def room(self) -> int:
        return SLOTS - (self.tail - await self.bench.read("TX_HEAD"))

    def check(self) -> None:
        """What left is what was due, byte for byte."""
        assert self.expected, "no order was due"
        sent = [frame.data for frame in self.bench.sink.frames]
        for number, (got, want) in enumerate(zip(sent, self.expected, strict=False)):
            assert got == want, f"segment {number}:\n got {got.hex()}\nwant {want.hex()}"
        assert len(sent) == len(self.expected)


async def begin(dut: Any, session: Session | None = None) -> Host:
    bench = await Bench.start(dut)
    host = Host(bench, session or Session())
    await bench.set_window()
    for name, value in host.session.registers().items():
        await bench.write(name, value)
    await bench.start_ring("TX", TX_BASE, 4, EPOCH)
    return host


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def last_order_is_sent_and_in_time(dut: Any) -> None:
    """One order, one doorbell, nothing behind it."""
    host = await begin(dut)
    host.put(ouch(enter_orders(1, 1)[0]))
    await host.doorbell()
    await host.bench.settle()
    host.check()
    first = host.bench.sink.frames[0].first_ps
    assert first - host.bench.memory.answers_ps[0] == READ_TO_FIRST_BEAT_CLOCKS * CLOCK_PS
    beats = -(-len(host.expected[0]) // 8)
    assert host.bench.sink.frames[0].last_ps - first == (beats - 1) * CLOCK_PS, "a beat waited"
    assert await host.bench.counters(*COUNTERS) == {**dict.fromkeys(COUNTERS, 0), "TX_ORDERS": 1}
    assert await host.bench.read("SESSION_SEQUENCE") == host.session.sequence
    assert await host.bench.read("TX_HEAD") == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_length_and_any_tready(dut: Any) -> None:
    """Each length from 0 to 56, any packet type; transmit port between always and rarely ready, the host too."""
    host = await begin(dut)
    rng = host.bench.random
    lengths = [*range(MESSAGE_BYTES + 1)] * 4
    rng.shuffle(lengths)
    for number, length in enumerate(lengths):
        while not await host.room():
            pass
        if number % 8 == 0:
            host.bench.sink.ready = rng.choice((1.0, 1.0, 0.7, 0.3, 0.1))
            host.bench.memory.pace.ready = rng.choice((1.0, 0.5, 0.1))
            host.bench.memory.pace.response_clocks = rng.choice((0, 5, 40))
        host.put(rng.choice((rng.randbytes(length), bytes(length), b"\xFF" * length)),
                 rng.choice((*layout.SoupPacket, rng.randrange(256))))
        if rng.random() < 0.5 or number == len(lengths) - 1:
            await host.doorbell()
    host.bench.sink.ready = 1.0
    await host.bench.settle()
    host.check()
    assert await host.bench.read("TX_ORDERS") == len(lengths)
    assert await host.bench.read("SESSION_SEQUENCE") == host.session.sequence
    assert await host.bench.read("ERRORS") == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def segments_follow_without_a_bubble(dut: Any) -> None:
    """The next slot is fetched while an order is sent: 16 orders leave as one run of beats."""
    host = await begin(dut)
    for fields in enter_orders(2, SLOTS):
        host.put(ouch(fields))
    await host.doorbell()
    await host.bench.settle()
    host.check()
    frames = host.bench.sink.frames
    assert [b.first_ps - a.last_ps for a, b in pairwise(frames)] == [CLOCK_PS] * (SLOTS - 1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def bad_slots_are_skipped_and_counted(dut: Any) -> None:
    """Every kind of bad slot between good ones: the good ones leave, the sequence numbers have no hole."""
    host = await begin(dut)
    bench = host.bench
    good = [ouch(fields) for fields in enter_orders(3, 9)]
    bad = (
        (0, ERROR["TX_NOT_PUBLISHED"], {}),
        (publish_word(EPOCH, 100), ERROR["TX_NOT_PUBLISHED"], {}),
        (publish_word(EPOCH, 5) & 0x7FFF_FFFF, ERROR["TX_NOT_PUBLISHED"], {}),
        (None, ERROR["TX_BAD_SLOT"], {"kind": 0}),
        (None, ERROR["TX_BAD_SLOT"], {"kind": 3}),
        (None, ERROR["TX_BAD_SLOT"], {"length": 0xFF00}),
        (None, ERROR["TX_BAD_SLOT"], {"length": MESSAGE_BYTES + 1}),
        (None, ERROR["TX_BAD_SLOT"], {"length": 0x0131}),
    )
    for number, (publish, error, fields) in enumerate(bad):
        host.put(good[number])
        host.place(slot(good[0], publish_word(EPOCH, host.tail) if publish is None else publish, **fields))
        await host.doorbell()
        await bench.settle()
        assert await bench.read("ERRORS") == error, f"bad slot {number}"
        await bench.write("ERRORS", error)
    host.put(good[8])
    await host.doorbell()
    await bench.settle()
    host.check()
    assert await bench.counters(*COUNTERS) == {"TX_ORDERS": 9, "TX_REFUSED": 8, "DMA_REFUSED_COUNT": 0}
    assert await bench.read("TX_HEAD") == host.tail == 17


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stale_slot_of_the_last_lap_is_not_sent_again(dut: Any) -> None:
    host = await begin(dut)
    for fields in enter_orders(4, SLOTS):
        host.put(ouch(fields))
    await host.doorbell()
    await host.bench.settle()
    host.tail += 1  # a doorbell without a new order: slot 0 still holds the first one
    await host.doorbell()
    await host.bench.settle()
    host.check()
    assert await host.bench.read("ERRORS") == ERROR["TX_NOT_PUBLISHED"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def failed_and_refused_reads_skip_their_slot(dut: Any) -> None:
    host = await begin(dut)
    bench = host.bench
    orders = [ouch(fields) for fields in enter_orders(5, 8)]
    host.put(orders[0])
    bench.memory.fail.add(host.address(host.tail))
    host.place(slot(orders[1], publish_word(EPOCH, host.tail)))
    host.put(orders[2])
    await host.doorbell()
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DMA_ERROR"]
    await bench.write("ERRORS", ERROR["DMA_ERROR"])

    host.put(orders[3])
    await host.doorbell()
    await bench.settle()
    await bench.set_window(TX_BASE, SLOTS * LINE_BYTES - 1)  # a ring is granted whole or not at all
    for number in (4, 5):
        host.place(slot(orders[number], publish_word(EPOCH, host.tail)))
    await host.doorbell()
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DMA_REFUSED"]
    assert bench.memory.reads == [host.address(n) for n in range(4)], "read outside the window"
    await bench.set_window()
    host.put(orders[6])
    await host.doorbell()
    await bench.settle()
    host.check()
    assert await bench.counters(*COUNTERS) == {"TX_ORDERS": 4, "TX_REFUSED": 3, "DMA_REFUSED_COUNT": 2}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def idle_waits_for_the_last_slot(dut: Any) -> None:
    """Slots refused one a clock: idle comes when the last one is through, not between two."""
    host = await begin(dut)
    bench = host.bench
    await bench.set_window(TX_BASE, 0)
    host.tail = SLOTS
    await host.doorbell()
    await bench.settle()
    assert int(dut.u_tx_ring.head.value) == SLOTS
    assert await bench.counters(*COUNTERS) == {"TX_ORDERS": 0, "TX_REFUSED": SLOTS, "DMA_REFUSED_COUNT": SLOTS}
    assert bench.memory.reads == []


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def absolute_counts_wrap(dut: Any) -> None:
    """A ring that has run for 2^32 slots goes on over the wrap."""
    host = await begin(dut)
    bench = host.bench
    host.tail = (1 << 32) - 5
    dut.u_tx_ring.head.value = host.tail
    dut.u_csr.tx_tail.value = host.tail
    await bench.clocks(1)
    for fields in enter_orders(12, 10):
        host.put(ouch(fields))
    await bench.write("TX_TAIL", host.tail % (1 << 32))
    await bench.settle()
    host.check()
    assert await bench.read("TX_HEAD") == 5


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def doorbell_claims_are_checked(dut: Any) -> None:
    host = await begin(dut)
    bench = host.bench
    bench.sink.ready = 0.0
    await bench.refuse("TX_TAIL", SLOTS + 1)
    await bench.refuse("TX_TAIL", 0xFFFF_FFFF)
    for fields in enter_orders(6, SLOTS):
        host.put(ouch(fields))
    await host.doorbell()
    await bench.clocks(40)
    taken = await bench.read("TX_HEAD")  # one is on the port, one waits behind it
    assert taken == 2
    await bench.refuse("TX_TAIL", SLOTS + taken + 1)
    await bench.refuse("TX_TAIL", SLOTS - 1)
    host.put(ouch(enter_orders(7, 1)[0]))
    await host.doorbell()
    bench.sink.ready = 1.0
    await bench.settle()
    host.check()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def session_registers_may_change_under_a_segment(dut: Any) -> None:
    """A segment keeps the session it was taken with, checksum included; the next one has the new values."""
    host = await begin(dut)
    bench = host.bench
    bench.sink.ready = 0.0
    host.put(ouch(enter_orders(8, 1)[0]))
    await host.doorbell()
    await bench.clocks(20)
    changed = Session(source_mac=1, destination_mac=0xFFFF_FFFF_FFFF, source_address=0xFFFF_FFFF,
                      destination_address=0xFFFF_FFFE, source_port=0xFFFF, destination_port=0xFFFE,
                      sequence=0xFFFF_FFE0, acknowledge=0xFFFF_FFFF, window=1, identification=1)
    for name, value in changed.registers().items():
        await bench.write(name, value)
    host.session = changed
    for fields in enter_orders(9, 3):  # the sequence number wraps
        host.put(ouch(fields))
    await host.doorbell()
    bench.sink.ready = 1.0
    await bench.settle()
    host.check()
    assert await bench.read("SESSION_SEQUENCE") == changed.sequence < 0x100


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def checksum_at_its_edges(dut: Any) -> None:
    """Acknowledge numbers chosen so that the TCP checksum comes out as 0 (sent as it is, unlike UDP's) and near it."""
    host = await begin(dut)
    text = ouch(enter_orders(10, 1)[0])
    for wanted in (0x0000, 0x0001, 0xFFFE, 0x8000, 0x00FF):
        plain = int.from_bytes(replace(host.session, acknowledge=0).segment(text)[50:52], "big")
        host.session.acknowledge = (plain - wanted) % 0xFFFF
        await host.bench.write("SESSION_ACKNOWLEDGE", host.session.acknowledge)
        host.put(text)
        assert int.from_bytes(host.expected[-1][50:52], "big") == wanted
        await host.doorbell()
        await host.bench.settle()
    host.check()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def restart_begins_at_slot_0(dut: Any) -> None:
    """Slots behind the doorbell when the ring stops are not sent; one already taken is; then a new run."""
    host = await begin(dut)
    bench = host.bench
    bench.sink.ready = 0.0
    orders = [ouch(fields) for fields in enter_orders(11, 4)]
    host.put(orders[0])
    host.put(orders[1])
    host.place(slot(orders[2], publish_word(EPOCH, host.tail)))
    await host.doorbell()
    await bench.clocks(40)
    await bench.stop_ring("TX")
    await bench.refuse("CONTROL", CONTROL["TX_ENABLE"])  # the second order still waits
    bench.sink.ready = 1.0
    await bench.settle()
    await bench.write("CONTROL", CONTROL["TX_ENABLE"])
    assert (await bench.read("TX_HEAD"), await bench.read("TX_TAIL")) == (0, 0)
    host.tail = 0
    host.put(orders[3])
    await host.doorbell()
    await bench.settle()
    host.check()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def orders_for_the_dissector(dut: Any) -> None:
    """Enter Orders over several laps with random ready; the frames go to a capture that tshark judges outside."""
    host = await begin(dut)
    rng = host.bench.random
    for fields in enter_orders(int(os.environ["ORDERS_SEED"]), int(os.environ["ORDERS_COUNT"])):
        while not await host.room():
            pass
        host.put(ouch(fields))
        host.bench.sink.ready = rng.choice((1.0, 0.5))
        await host.doorbell()
    host.bench.sink.ready = 1.0
    await host.bench.settle()
    host.check()
    wrpcap(os.environ["ORDERS_CAPTURE"], [frame.data for frame in host.bench.sink.frames], linktype=1)
