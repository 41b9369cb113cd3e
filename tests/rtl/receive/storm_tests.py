# SPDX-License-Identifier: MIT
"""Jumbo frames of the shortest blocks: more messages than clocks, and nothing of them or behind them is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pyuvm

from tb.receive.items import FrameItem
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import TYPES, frame, message, mold, unknown
from tests.rtl.receive.traffic import LINE_GAP

MAX_FRAME_BYTES = 9216
ROOM = MAX_FRAME_BYTES - len(frame(mold(1, [])))
BEHIND = 36   # they arrive while the storm is still walked


class Storm(ReceiveTest):  # type: ignore[misc]
    """The largest frame full of blocks of ``length`` bytes, then full frames at the minimum gap of a line."""

    length = 0

    def frames(self) -> Iterator[FrameItem]:
        self.count = ROOM // (self.length + 2)
        yield FrameItem(frame(mold(1, [unknown(self.length, self.random)] * self.count)))
        sequence = 1 + self.count
        for _ in range(BEHIND):
            blocks = [message(self.random.choice(list(TYPES)), self.random) for _ in range(35)]
            yield FrameItem(frame(mold(sequence, blocks)), gap=LINE_GAP)
            sequence += len(blocks)

    def check_phase(self) -> None:
        assert self.count >= 9000 // (self.length + 2)
        assert self.environment.monitor.overflows == 0
        assert self.judge.messages == self.count + BEHIND * 35
        assert self.judge.model.counters["gaps"] == 0


@pyuvm.test()
class StormOfEmptyBlocks(Storm):
    """4,577 zero-length blocks."""


@pyuvm.test()
class StormOfEmptyBlocksVerified(Storm):
    """... all of which wait for the verdict."""

    delivery = "verified"


@pyuvm.test()
class StormOfBytes(Storm):
    """3,051 blocks of one byte."""

    length = 1


@pyuvm.test()
class StormOfBytesVerified(Storm):
    """... verified."""

    length = 1
    delivery = "verified"
