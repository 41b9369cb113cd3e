# SPDX-License-Identifier: MIT
"""RX ring: whole messages at the right slots with the right publish words, or counted drops; latency; window."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from tb.host.registers import OKAY
from tests.rtl.host.bench import (
    CLOCK_PS,
    CONTROL,
    ERROR,
    LINE_BYTES,
    REG,
    RX_BASE,
    WINDOW_BASE,
    WINDOW_SIZE,
    Bench,
    Message,
    message,
    publish_word,
    ring_contents,
)
from tests.rtl.host.random_traffic import RandomTraffic

FIFO_LINES = 64
OUTSTANDING_WRITES = 255
PIPELINE_LINES = 2  # the FIFO's output register and the line on AW/W
LINE_TO_HOST_CLOCKS = 2  # from the clock a line is sampled to the clock a ready host takes its address
DROPS = ("RX_RING_FULL_DROPPED", "RX_TOO_LARGE_DROPPED", "DMA_REFUSED_COUNT")


class Consumer:
    """The kernel's side of the ring: finds published records in memory and gives the lines back."""

    def __init__(self, bench: Bench, base: int, log2: int) -> None:
        self._bench = bench
        self._base = base
        self._slots = 1 << log2
        self.index = 0  # absolute line the next record must be at
        self.received: list[Message] = []

    def poll(self, continuations: dict[int, int]) -> bool:
        """Takes the next record if it is published; its number of lines is known by message number."""
        lines = self._bench.memory.lines
        first, publish = ring_contents(lines, self._base, self.index, self._slots)
        if publish != publish_word(self._bench.epoch, self.index):
            return False
        number = int.from_bytes(first[:8], "little")
        rest = []
        for k in range(continuations[number]):
            line, zero = ring_contents(lines, self._base, self.index + 1 + k, self._slots)
            assert zero == 0, f"message {number}: continuation {k} looks published"
            rest.append(line)
        self.received.append(Message(tuple(rest), first))
        self.index += 1 + len(rest)
        return True

    async def give_back(self) -> None:
        await self._bench.write("RX_TAIL", self.index % (1 << 32))


def drain(bench: Bench, base: int, log2: int, sent: list[Message]) -> Consumer:
    """Everything that is published, without giving anything back."""
    consumer = Consumer(bench, base, log2)
    counts = {int.from_bytes(m.first[:8], "little"): len(m.continuations) for m in sent}
    while consumer.index < 1 << log2 and consumer.poll(counts):
        pass
    return consumer


async def begin(dut: Any, log2: int = 4, epoch: int = 0x1234_5678, base: int = RX_BASE) -> Bench:
    bench = await Bench.start(dut)
    await bench.set_window()
    await bench.start_ring("RX", base, log2, epoch)
    return bench


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def line_reaches_a_ready_host_in_two_clocks(dut: Any) -> None:
    bench = await begin(dut)
    await bench.send(message(1))
    sampled_ps = int(get_sim_time("ps"))  # send returns at the edge that samples its last line
    await bench.settle()
    (write,) = bench.memory.writes
    assert (write.address_ps - sampled_ps, write.data_ps - sampled_ps) == (LINE_TO_HOST_CLOCKS * CLOCK_PS,) * 2
    assert write.address == RX_BASE
    assert write.line == message(1).first + publish_word(bench.epoch, 0).to_bytes(4, "little")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def one_line_a_clock(dut: Any) -> None:
    bench = await begin(dut, log2=8)
    sent = [message(n, n % 3) for n in range(100)]
    await bench.send(*sent)
    await bench.settle()
    times = [w.address_ps for w in bench.memory.writes]
    assert len(times) == sum(m.lines for m in sent)
    assert [b - a for a, b in pairwise(times)] == [CLOCK_PS] * (len(times) - 1)
    assert drain(bench, RX_BASE, 8, sent).received == sent
    assert await bench.counters(*DROPS) == dict.fromkeys(DROPS, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def first_line_is_written_last(dut: Any) -> None:
    bench = await begin(dut)
    await bench.send(message(1, 2))
    await bench.settle()
    assert [(w.address - RX_BASE) // LINE_BYTES for w in bench.memory.writes] == [1, 2, 0]
    assert [int.from_bytes(w.line[60:], "little") for w in bench.memory.writes] == [
        0, 0, publish_word(bench.epoch, 0)]
    assert await bench.read("RX_HEAD") == 3


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full_ring_drops_whole_messages(dut: Any) -> None:
    """16 slots, nothing given back: a message with no room for all its lines drops, a smaller one after it does not."""
    bench = await begin(dut)
    fits = [message(1, 13), message(3)]
    sent = [fits[0], message(2, 2), fits[1], message(4, 1), message(5, 3)]
    await bench.send(*sent, message(6), message(7))
    await bench.settle()
    assert drain(bench, RX_BASE, 4, [*sent, message(6)]).received == [*fits, message(6)]
    assert await bench.counters(*DROPS) == {**dict.fromkeys(DROPS, 0), "RX_RING_FULL_DROPPED": 4}
    assert await bench.read("ERRORS") == ERROR["RX_RING_FULL"]
    assert await bench.read("RX_HEAD") == 16
    await bench.write("RX_TAIL", 1)
    await bench.clocks(1)  # room is known 2 clocks after the register
    await bench.send(message(8))
    await bench.settle()
    assert bench.memory.writes[-1].address == RX_BASE
    assert bench.memory.writes[-1].line[60:] == publish_word(bench.epoch, 16).to_bytes(4, "little")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def larger_than_the_ring_is_dropped_and_counted(dut: Any) -> None:
    """One line too many for 16 slots, then one that fills them, and a message no record could announce."""
    bench = await begin(dut)
    exact = message(2, 15)
    await bench.send(message(1, 16), exact, message(3, 40))
    await bench.settle()
    assert drain(bench, RX_BASE, 4, [exact]).received == [exact]
    assert await bench.read("RX_TOO_LARGE_DROPPED") == 2
    await bench.stop_ring("RX")
    await bench.start_ring("RX", RX_BASE, 10, 77)
    longest = message(5, 255)
    await bench.send(message(4, 256), longest, message(6))
    await bench.settle()
    assert drain(bench, RX_BASE, 10, [longest, message(6)]).received == [longest, message(6)]
    assert await bench.counters(*DROPS) == {**dict.fromkeys(DROPS, 0), "RX_TOO_LARGE_DROPPED": 3}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def aborted_message_leaves_nothing_behind(dut: Any) -> None:
    bench = await begin(dut)
    for line in message(1, 3).continuations:
        await bench.send_line(line, first=False)
    await bench.abort()
    sent = [message(2, 1), message(3)]
    await bench.send(*sent)
    await bench.settle()
    assert drain(bench, RX_BASE, 4, sent).received == sent
    assert await bench.read("RX_HEAD") == 3
    assert await bench.read("RX_LINES") == len(bench.memory.writes) == 6
    assert await bench.counters(*DROPS) == dict.fromkeys(DROPS, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def abort_ends_the_loss_of_a_message(dut: Any) -> None:
    """A message that lost a line and is then aborted was not a drop, and the next one has all its lines."""
    bench = await begin(dut, log2=8)
    bench.memory.pace.ready = 0.0
    await bench.send(*(message(n) for n in range(FIFO_LINES + PIPELINE_LINES)))
    await bench.send_line(message(1000, 1).continuations[0], first=False)
    await bench.abort()
    bench.memory.pace.ready = 1.0
    await bench.settle()
    await bench.send(message(1001, 2))
    await bench.settle()
    assert await bench.read("RX_RING_FULL_DROPPED") == 0
    assert await bench.read("RX_HEAD") == FIFO_LINES + PIPELINE_LINES + 3


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stalled_host_costs_whole_messages(dut: Any) -> None:
    """The host takes nothing: what fits waits, the message that straddles the FIFO's end and all behind it drop."""
    bench = await begin(dut, log2=8)
    bench.memory.pace.ready = 0.0
    waiting = FIFO_LINES + PIPELINE_LINES
    kept = [message(n) for n in range(waiting - 2)]
    await bench.send(*kept)
    await bench.clocks(4)
    await bench.send(message(500, 4), message(501), message(502, 1))
    bench.memory.pace.ready = 1.0
    await bench.clocks(waiting + 8)
    after = [message(503, 2), message(504)]
    await bench.send(*after)
    await bench.settle()
    assert drain(bench, RX_BASE, 8, kept + after).received == kept + after
    assert await bench.counters(*DROPS) == {**dict.fromkeys(DROPS, 0), "RX_RING_FULL_DROPPED": 3}
    assert await bench.read("ERRORS") == ERROR["RX_RING_FULL"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def writes_stay_inside_the_windows(dut: Any) -> None:
    """Windows change while the ring runs: as long as it lies wholly in one of them it is written, otherwise every
    message is refused and counted, one by one, and nothing reaches the bus."""
    bench = await begin(dut)
    size = 16 * LINE_BYTES
    sent = 0
    refused = 0

    async def one(inside: bool) -> None:
        nonlocal sent, refused
        before = len(bench.memory.writes)
        await bench.send(message(sent, 1))
        await bench.settle()
        assert len(bench.memory.writes) == before + (2 if inside else 0)
        sent += 1
        refused += not inside
        await bench.write("RX_TAIL", await bench.read("RX_HEAD"))

    await one(inside=True)
    for base, length in ((RX_BASE, size - 1), (RX_BASE + 1, size), (RX_BASE + LINE_BYTES, size), (RX_BASE, 0),
                         (1 << 40, 1 << 40), (0, RX_BASE + size - 1), (RX_BASE - 1, size)):
        await bench.set_window(base, length)
        await one(inside=False)
        await bench.set_window(base, length, second=True)  # the same again does not make it better
        await one(inside=False)
        await bench.set_window(RX_BASE, size, second=True)
        await one(inside=True)
        await bench.set_window(0, 0, second=True)
        await bench.set_window(RX_BASE, size)
        await one(inside=True)
    assert await bench.counters(*DROPS) == {**dict.fromkeys(DROPS, 0), "DMA_REFUSED_COUNT": refused}
    assert await bench.read("ERRORS") == ERROR["DMA_REFUSED"]
    assert refused == 14
    assert all(RX_BASE <= w.address < RX_BASE + size for w in bench.memory.writes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def window_taken_away_inside_a_message(dut: Any) -> None:
    """Its first line finds the ring granted again, but the message lost a line in between and stays lost."""
    bench = await begin(dut)
    torn = message(1, 2)
    await bench.send_line(torn.continuations[0], first=False)
    await bench.set_window(0, 0)
    await bench.send_line(torn.continuations[1], first=False)
    await bench.clocks(4)
    await bench.set_window()
    await bench.send_line(torn.first, first=True)
    await bench.send(message(2, 1))
    await bench.settle()
    assert drain(bench, RX_BASE, 4, [message(2, 1)]).received == [message(2, 1)]
    assert await bench.counters(*DROPS) == {**dict.fromkeys(DROPS, 0), "DMA_REFUSED_COUNT": 1}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def refused_messages_give_their_slots_back(dut: Any) -> None:
    """More of them than the ring has slots: afterwards the whole ring is there."""
    bench = await begin(dut)
    await bench.set_window(0, 0)
    for number in range(20):
        await bench.send(message(number, 2))
        await bench.clocks(3)
    await bench.settle()
    await bench.set_window()
    sent = [message(100, 7), message(101, 7)]
    await bench.send(*sent)
    await bench.settle()
    assert drain(bench, RX_BASE, 4, sent).received == sent
    assert await bench.counters(*DROPS) == {**dict.fromkeys(DROPS, 0), "DMA_REFUSED_COUNT": 20}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def top_of_the_address_space(dut: Any) -> None:
    """A ring may end at 2^64 exactly; one line more would wrap to 0 and cannot be started."""
    bench = await Bench.start(dut)
    top = 1 << 64
    await bench.set_window(top - 4096, 4096 + 64)
    await bench.write64("RX_BASE", top - 15 * LINE_BYTES)
    await bench.write("RX_LOG2", 4)
    await bench.refuse("CONTROL", CONTROL["RX_ENABLE"])
    await bench.start_ring("RX", top - 16 * LINE_BYTES, 4, 0)
    sent = [message(n) for n in range(16)]
    await bench.send(*sent)
    await bench.settle()
    assert drain(bench, top - 16 * LINE_BYTES, 4, sent).received == sent
    assert max(w.address for w in bench.memory.writes) == top - LINE_BYTES


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def tail_claims_are_checked(dut: Any) -> None:
    bench = await begin(dut)
    await bench.send(*(message(n) for n in range(5)))
    await bench.settle()
    await bench.refuse("RX_TAIL", 6)
    await bench.refuse("RX_TAIL", 0xFFFF_FFFF)
    await bench.write("RX_TAIL", 3)
    await bench.refuse("RX_TAIL", 2)
    await bench.write("RX_TAIL", 3)
    await bench.write("RX_TAIL", 5)
    assert await bench.read("RX_TAIL") == 5


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def publish_word_wraps_below_its_valid_bit(dut: Any) -> None:
    bench = await begin(dut, epoch=0xFFFF_FFFC)
    sent = [message(n) for n in range(8)]
    await bench.send(*sent)
    await bench.settle()
    words = [int.from_bytes(w.line[60:], "little") for w in bench.memory.writes]
    assert words == [0x8000_0000 | (0x7FFF_FFFC + n) % (1 << 31) for n in range(8)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def error_answers_are_reported(dut: Any) -> None:
    bench = await begin(dut)
    bench.memory.fail.add(RX_BASE + LINE_BYTES)
    await bench.send(message(1))
    await bench.settle()
    assert await bench.read("ERRORS") == 0
    await bench.send(message(2))
    await bench.settle()
    assert await bench.read("ERRORS") == ERROR["DMA_ERROR"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def restart_begins_at_slot_0_without_torn_messages(dut: Any) -> None:
    """The ring is stopped inside a message and started elsewhere: nothing of it enters the new run."""
    bench = await begin(dut)
    await bench.send(message(1))
    torn = message(2, 2)
    await bench.send_line(torn.continuations[0], first=False)
    await bench.settle()
    await bench.write("RX_TAIL", 1)
    await bench.stop_ring("RX")
    await bench.send(message(3))  # while off: ignored
    await bench.send_line(torn.continuations[0], first=False)
    base = WINDOW_BASE + WINDOW_SIZE - 16 * LINE_BYTES
    await bench.start_ring("RX", base, 4, 9)
    before = len(bench.memory.writes)
    await bench.send_line(torn.continuations[1], first=False)
    await bench.send_line(torn.first, first=True)
    await bench.send(message(4, 1))
    await bench.settle()
    assert drain(bench, base, 4, [message(4, 1)]).received == [message(4, 1)]
    assert len(bench.memory.writes) == before + 2
    assert (await bench.read("RX_HEAD"), await bench.read("RX_TAIL")) == (2, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def message_cut_by_a_quick_restart_is_dropped(dut: Any) -> None:
    """As above, but no line comes while the ring is off: its first half is forgotten with the FIFO all the same."""
    bench = await begin(dut)
    torn = message(1, 2)
    await bench.send_line(torn.continuations[0], first=False)
    await bench.settle()
    await bench.stop_ring("RX")
    await bench.write("CONTROL", CONTROL["RX_ENABLE"])
    await bench.send_line(torn.continuations[1], first=False)
    await bench.send_line(torn.first, first=True)
    await bench.send(message(2))
    await bench.settle()
    assert drain(bench, RX_BASE, 4, [message(2)]).received == [message(2)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def restart_waits_for_the_last_run(dut: Any) -> None:
    """The host is stuck when the ring stops: the write on the bus is finished, the lines behind it are forgotten."""
    bench = await begin(dut)
    bench.memory.pace.ready = 0.0
    await bench.send(*(message(n) for n in range(FIFO_LINES)))
    await bench.clocks(8)
    await bench.stop_ring("RX")
    await bench.refuse("CONTROL", CONTROL["RX_ENABLE"])
    bench.memory.pace.ready = 1.0
    attempts = 0
    while await bench.registers.write(REG["CONTROL"], CONTROL["RX_ENABLE"]) != OKAY:
        attempts += 1
        assert attempts < 5, "refused although the host has answered"
    await bench.send(message(1000))
    await bench.settle()
    assert [w.line[:60] for w in bench.memory.writes] == [message(0).first, message(1000).first]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def unanswered_writes_are_bounded(dut: Any) -> None:
    """A host that takes writes and answers none gets as many as can be counted; the rest wait and lose nothing."""
    bench = await begin(dut, log2=9)
    bench.memory.pace.responds = False
    sent = [message(n) for n in range(OUTSTANDING_WRITES + 40)]
    await bench.send(*sent)
    await bench.clocks(20)
    assert len(bench.memory.writes) == OUTSTANDING_WRITES
    bench.memory.pace.responds = True
    await bench.settle()
    assert drain(bench, RX_BASE, 9, sent).received == sent


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def absolute_counts_wrap(dut: Any) -> None:
    """A ring that has run for 2^32 lines: counts, slots and publish words go on over the wrap."""
    bench = await begin(dut, epoch=5)
    count = (1 << 32) - 8
    ring, queue = dut.u_rx_ring.u_ring_lines, dut.u_rx_ring.u_rx_queue
    ring.head.value, ring.publish.value = count, (5 + count) % (1 << 31)
    ring.head_slot.value, ring.second_slot.value = count % 16, count % 16 + 1
    for name, offset in (("promised", 0), ("promised_1", 1), ("promised_2", 2), ("begun", 0), ("begun_1", 1),
                         ("begun_2", 2)):
        getattr(queue, name).value = (count + offset) % (1 << 17)
    dut.u_csr.rx_tail.value = count
    await bench.clocks(1)
    for number in range(3):
        await bench.send(*(message(7 * number + n) for n in range(7)))
        await bench.settle()
        await bench.write("RX_TAIL", (count + 7 * (number + 1)) % (1 << 32))
    for index, write in enumerate(bench.memory.writes):
        assert write.address == RX_BASE + (count + index) % 16 * LINE_BYTES
        assert write.line == message(index).first + publish_word(5, count + index).to_bytes(4, "little")
    assert len(bench.memory.writes) == 21
    assert await bench.read("RX_HEAD") == 13


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic_and_host(dut: Any) -> None:
    """Messages of 1 to 18 lines with aborts, a host between quick and dead, a consumer that lags: what arrives is whole
    and in order at consecutive slots, and with what was counted as dropped it is all that was sent."""
    bench = await begin(dut, epoch=0x7FFF_FFF0)
    rng = bench.random
    traffic = RandomTraffic(bench)
    sent, counts = traffic.sent, traffic.continuations
    consumer = Consumer(bench, RX_BASE, 4)

    async def consume() -> None:
        while True:
            taken = False
            while consumer.poll(counts):
                taken = True
            if taken:
                await consumer.give_back()
            await bench.clocks(rng.choice((1, 1, 4, 30)))

    consuming = cocotb.start_soon(consume())
    await traffic.run(1200, gaps=(0, 0, 1, 3, 8))
    await bench.settle()
    await bench.clocks(40)
    consuming.cancel()
    while consumer.poll(counts):
        pass

    received = [int.from_bytes(m.first[:8], "little") for m in consumer.received]
    assert received == sorted(set(received)), "out of order or twice"
    assert consumer.received == [sent[n] for n in received]
    drops = await bench.counters(*DROPS)
    too_large = {n for n, m in sent.items() if m.lines > 16}
    assert len(received) > 100
    assert drops["RX_RING_FULL_DROPPED"] > 10
    assert not too_large & set(received)
    assert drops["DMA_REFUSED_COUNT"] == 0
    assert len(received) + drops["RX_RING_FULL_DROPPED"] + drops["RX_TOO_LARGE_DROPPED"] == len(sent)
    assert 0 < drops["RX_TOO_LARGE_DROPPED"] <= len(too_large)
    assert await bench.read("RX_HEAD") == consumer.index
    assert await bench.read("RX_LINES") == len(bench.memory.writes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def idle_falls_with_the_line(dut: Any) -> None:
    """Idle is 0 in the very clock a line is offered and until its write is answered."""
    bench = await begin(dut)
    await bench.settle()
    bench.memory.pace.response_clocks = 0
    dut.line_first.value = 1
    dut.line_valid.value = 1
    await RisingEdge(bench.clk)
    assert not dut.idle.value
    dut.line_valid.value = 0
    busy = 0
    while True:
        await RisingEdge(bench.clk)
        if dut.idle.value:
            break
        busy += 1
    assert busy >= LINE_TO_HOST_CLOCKS
    assert len(bench.memory.writes) == 1
