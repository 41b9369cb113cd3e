# SPDX-License-Identifier: MIT
"""The whole matrix: 8 start lanes x 23 types x 8 tails, back to back, with idle beats, and cut: no message is lost.

The start lane is that of the message's first byte; the tail is the number of bytes in the frame's last beat. With
less than full effort a share of the cells is left out, but each type still meets each lane and each tail, and each
lane each tail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

import pyuvm

from tb.receive.items import BEAT_BYTES, FrameItem
from tests.rtl.effort import scaled
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import TYPES, frame, message, mold, unknown
from tests.rtl.receive.traffic import LINE_GAP

FIRST_BYTE = len(frame(mold(1, []))) + 2   # of the first block
SHORTEST = 12                              # bytes of the shortest ITCH message
SHARE = scaled(BEAT_BYTES)                 # of every BEAT_BYTES cells


class MatrixTest(ReceiveTest):  # type: ignore[misc]
    """Every cell once, as ``variants`` of one frame."""

    exact_latency = True

    def build_phase(self) -> None:
        super().build_phase()
        self.sequence = 1
        self.shift = self.random.randrange(BEAT_BYTES)
        self.cells: Counter[tuple[str, int, int]] = Counter()

    def frames(self) -> Iterator[FrameItem]:
        for (number, message_type), lane, tail in product(enumerate(TYPES), range(BEAT_BYTES), range(BEAT_BYTES)):
            if (number + lane + tail + self.shift) % BEAT_BYTES < SHARE:
                yield from self.cell(message_type, lane, tail + 1)

    def blocks(self, message_type: str, lane: int, tail: int) -> list[bytes]:
        """A message that puts the subject into ``lane``, the subject, one that puts the end into the tail."""
        first = FIRST_BYTE + SHORTEST + 2
        filler = unknown(SHORTEST + (lane - first) % BEAT_BYTES, self.random)
        subject = message(message_type, self.random)
        size = FIRST_BYTE + len(filler) + 2 + len(subject) + 2 + SHORTEST
        last = unknown(SHORTEST + (tail - size) % BEAT_BYTES, self.random)
        return [filler, subject, last]

    def cell(self, message_type: str, lane: int, tail: int) -> Iterator[FrameItem]:
        raise NotImplementedError

    def item(self, message_type: str, lane: int, tail: int, **timing: object) -> FrameItem:
        blocks = self.blocks(message_type, lane, tail)
        data = frame(mold(self.sequence, blocks))
        start = FIRST_BYTE + len(blocks[0]) + 2
        assert start % BEAT_BYTES == lane
        assert data[start:start + 1] == message_type.encode()
        assert len(data) % BEAT_BYTES == tail % BEAT_BYTES
        self.sequence += len(blocks)
        self.cells[message_type, lane, tail] += 1
        return FrameItem(data, **timing)  # type: ignore[arg-type]

    def check_phase(self) -> None:
        assert len(self.cells) == len(TYPES) * BEAT_BYTES * SHARE
        self.judge.check_latencies()
        assert self.judge.model.counters["next_expected"] == self.sequence
        assert self.judge.messages == self.sequence - 1


@pyuvm.test()
class MatrixBackToBack(MatrixTest):
    """Without a clock between the frames."""

    def cell(self, message_type: str, lane: int, tail: int) -> Iterator[FrameItem]:
        yield self.item(message_type, lane, tail)


@pyuvm.test()
class MatrixWithIdleBeats(MatrixTest):
    """Idle beats at random places in the frame, the minimum gap of a line between frames."""

    def cell(self, message_type: str, lane: int, tail: int) -> Iterator[FrameItem]:
        beats = self.random.sample(range(1, 14), self.random.randrange(1, 6))
        pauses = {beat: self.random.randrange(1, 4) for beat in beats}
        yield self.item(message_type, lane, tail, pauses=pauses, gap=self.random.choice((0, LINE_GAP)))


@pyuvm.test()
class MatrixTruncated(MatrixTest):
    """The packet is cut inside the subject, the frame around it is right; then it comes whole. The messages before the
    cut are delivered once, those behind it from the second copy."""

    def cell(self, message_type: str, lane: int, tail: int) -> Iterator[FrameItem]:
        blocks = self.blocks(message_type, lane, tail)
        whole = mold(self.sequence, blocks)
        subject_end = len(mold(1, blocks[:2]))
        cut = self.random.randrange(subject_end - len(blocks[1]) - 1, subject_end)
        yield FrameItem(frame(whole[:cut]))
        yield FrameItem(frame(whole))
        self.sequence += len(blocks)
        self.cells[message_type, lane, tail] += 1

    def check_phase(self) -> None:
        super().check_phase()
        assert self.judge.model.counters["duplicates"] == len(self.cells)
        assert self.judge.model.counters["gaps"] == 0
