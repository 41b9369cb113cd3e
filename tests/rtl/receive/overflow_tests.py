# SPDX-License-Identifier: MIT
"""A small queue that overflows: frames are lost whole and counted, every frame is reported, good ones are intact."""

from __future__ import annotations

from collections.abc import Iterator

import pyuvm

from tb.receive.items import FrameItem
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import frame, message, mold, unknown
from tests.rtl.receive.traffic import Traffic


class OverflowTest(ReceiveTest):  # type: ignore[misc]
    """Some frames must be lost, and each loss must be told."""

    may_overflow = True

    def check_phase(self) -> None:
        assert self.judge.overflows > 0
        assert self.environment.monitor.overflows > 0


@pyuvm.test()
class OverflowAndRecovery(OverflowTest):
    """Runs of zero-length blocks that the queue cannot hold, then a good frame behind 0 to 40 clocks.

    Once the queue has run dry the good frame must come through; the model decides about all that is not lost.
    """

    def frames(self) -> Iterator[FrameItem]:
        sequence = 1
        for gap in range(40):
            yield FrameItem(frame(mold(sequence, [unknown(gap % 3, self.random) for _ in range(60 + gap)])))
            for _ in range(3):
                yield FrameItem(frame(mold(sequence, [message("A", self.random)])), gap=gap)
            yield FrameItem(frame(mold(sequence + 1, [message("D", self.random)])), gap=200)
            sequence += 2


@pyuvm.test()
class OverflowUnderSmallFrames(OverflowTest):
    """Frames of one or two beats while the queue is full: more lost frames than there is room to tell them at once."""

    def frames(self) -> Iterator[FrameItem]:
        sequence = 1
        for length in (1, 8, 9, 16, 17, 60):
            yield FrameItem(frame(mold(sequence, [b""] * 200)))
            for _ in range(120):
                yield FrameItem(self.random.randbytes(length))
            yield FrameItem(frame(mold(sequence, [message("P", self.random)])), gap=300)
            sequence += 1


@pyuvm.test()
class OverflowUnderRandomTraffic(OverflowTest):
    """Random traffic without gaps: whatever is lost is counted, whatever is not is right."""

    def frames(self) -> Iterator[FrameItem]:
        for _ in range(12):
            yield from Traffic(self.random, gap=0, pauses=False).frames(40)
            yield FrameItem(frame(mold(1, [message("U", self.random)])), gap=300)
