# SPDX-License-Identifier: MIT
"""The entries of line B by themselves, taken now and then: small queues fill up, frames are lost whole and told, the
rest is right, in both deliveries.
"""

from __future__ import annotations

from collections.abc import Iterator

import cocotb
import pyuvm
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from tb.model.headers import Delivery
from tb.receive.items import FrameItem
from tests.rtl.effort import scaled
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import C_TAG, frame, message, mold, unknown
from tests.rtl.receive.traffic import Traffic

LINES = 1 << 7          # of the build (LINES_LOG2)
RESERVE = 48            # kept for ENDs
LEAST_FRAMES = 60       # of random traffic, that queues fill up


class QueueTest(ReceiveTest):  # type: ignore[misc]
    """``share`` of the clocks takes an entry; 0: none until ``release``."""

    has_arbiter = False
    line_b = True
    may_overflow = True
    share = 1.0

    async def reset(self) -> None:
        await super().reset()
        self._released = False
        cocotb.start_soon(self._take())

    async def _take(self) -> None:
        ready = self.dut.ready
        while True:
            await RisingEdge(self.dut.clk)  # the monitor looks at the falling edge
            ready.value = int(self._released or self.random.random() < self.share)

    async def wait(self, clocks: int) -> None:
        await ClockCycles(self.dut.clk, clocks)
        await FallingEdge(self.dut.clk)

    def release(self) -> None:
        self._released = True

    async def settle(self) -> None:
        self.release()
        await super().settle()

    def good(self, sequence: int = 1, count: int = 1, gap: int = 0) -> FrameItem:
        item = FrameItem(frame(mold(sequence, [message("D", self.random) for _ in range(count)])), gap=gap)
        item.others = self.random.randrange(1 << 16)
        return item

    def check_phase(self) -> None:
        assert self.judge.entry_messages > 0


@pyuvm.test()
class SlowTaker(QueueTest):
    """One clock in three takes an entry: what piles up in the queue comes out in order."""

    share = 0.35
    may_overflow = False

    def frames(self) -> Iterator[FrameItem]:
        for _ in range(60):
            yield self.good(count=self.random.randrange(1, 6), gap=self.random.randrange(30))

    def check_phase(self) -> None:
        assert self.judge.reasons["accept"] == 60


@pyuvm.test()
class SlowTakerVerified(SlowTaker):
    """A good END makes a frame's entries visible at once; whether the queue has run empty or not."""

    delivery = "verified"


FOREIGN = ({"protocol": 6}, {"port": 26476}, {"ethertype": 0x0806}, {"fragment": 1}, {"tags": (C_TAG,), "protocol": 6})


@pyuvm.test()
class ForeignFrames(QueueTest):
    """Frames that their headers drop, behind good ones that still wait: a void HEADER each, whether theirs had gone
    through, was queued or had not come; now and then the queue is empty."""

    share = 0.3
    may_overflow = False
    rounds = 60

    def frames(self) -> Iterator[FrameItem]:
        for _ in range(self.rounds):
            yield self.good(count=self.random.randrange(1, 4), gap=self.random.randrange(60))
            blocks = [message("A", self.random) for _ in range(4)]
            yield FrameItem(frame(mold(1, blocks), **self.random.choice(FOREIGN)), gap=self.random.randrange(3))

    def check_phase(self) -> None:
        assert self.judge.voids == self.judge.reasons["accept"] == self.rounds


@pyuvm.test()
class ForeignFramesVerified(ForeignFrames):
    """Nor does their void HEADER wait for their END."""

    delivery = "verified"


class FullQueue(QueueTest):
    """Nothing is taken while frames arrive, long ones and single beats, until only ENDs find room, and then none."""

    share = 0.0
    recovers = 20

    async def stimulus(self) -> None:
        for round_number in range(6):
            self._released = False
            await self.send([self.good(count=self.random.randrange(1, 14)) for _ in range(20)])
            assert self.environment.monitor.level_was_high
            single = [FrameItem(self.random.randbytes(1 + round_number)) for _ in range(3 * LINES)]
            await self.send([*single, self.good()])
            self.release()
            await self.wait(20 * LINES)
            before = self.judge.reasons["accept"]
            await self.send([self.good(gap=30) for _ in range(self.recovers)])
            await self.wait(10 * LINES)
            assert self.judge.reasons["accept"] == before + self.recovers

    def check_phase(self) -> None:
        super().check_phase()
        assert self.judge.reasons["overflow"] > 0
        assert self.environment.monitor.overflows > 0
        assert int(self.dut.frames_started.value) == self.environment.entries.compared


@pyuvm.test()
class FullQueueCutThrough(FullQueue):
    """A frame may have been delivered in part: its END says overflow."""


@pyuvm.test()
class FullQueueVerified(FullQueue):
    """A frame that does not fit is taken back whole."""

    delivery = "verified"


@pyuvm.test()
class FrameLargerThanTheQueue(QueueTest):
    """A frame with more entries than the queue has places never waits for itself: lost if it must be held, delivered if
    it need not; the next one is intact."""

    async def stimulus(self) -> None:
        modes: tuple[Delivery, ...] = ("verified", "cut-through", "verified")
        for delivery in modes:
            self.judge.delivery = delivery
            self.dut.verified.value = int(delivery == "verified")
            for count in (LINES - RESERVE - 8, LINES, 3 * LINES):
                storm = FrameItem(frame(mold(1, [unknown(9, self.random)] * count)))
                self.release()
                await self.send([storm, self.good(gap=400)])
                await self.settle()
                lost = delivery == "verified" and count >= LINES
                assert self.judge.verdicts[-2:] == ["overflow" if lost else "accept", "accept"]


@pyuvm.test()
class ChangeOfDelivery(QueueTest):
    """The delivery is changed between frames; each frame is delivered in the one it began in."""

    may_overflow = False

    async def stimulus(self) -> None:
        modes: tuple[Delivery, ...] = ("verified", "cut-through", "verified", "verified", "cut-through", "cut-through")
        self.environment.monitor.watch_decoded = False
        for delivery in modes:
            self.judge.delivery = delivery
            self.dut.verified.value = int(delivery == "verified")
            bad = FrameItem(frame(mold(9, [message("P", self.random)] * 3)), bad_fcs=True)
            await self.send([self.good(count=2), bad, self.good(), FrameItem(bad.data, bad_fcs=True)])
            await self.settle()



class FullUnderTraffic(QueueTest):
    """Random traffic of any shape, an entry taken in every second clock, then in few, then in hardly any."""

    def frames(self) -> Iterator[FrameItem]:
        for self.share in (0.5, 0.1, 0.03):
            for item in Traffic(self.random, gap=0).frames(max(LEAST_FRAMES, scaled(150))):
                item.others = self.random.randrange(1 << 16)
                yield item

    def check_phase(self) -> None:
        super().check_phase()
        assert self.judge.reasons["overflow"] > 0
        assert self.judge.reasons["accept"] > 0
        assert int(self.dut.frames_started.value) == self.environment.entries.compared


@pyuvm.test()
class FullUnderTrafficCutThrough(FullUnderTraffic):
    """Whatever is lost is told, whatever is not is right."""


@pyuvm.test()
class FullUnderTrafficVerified(FullUnderTraffic):
    """The same, verified."""

    delivery = "verified"
