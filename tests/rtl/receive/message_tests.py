# SPDX-License-Identifier: MIT
"""Messages: every type at every alignment, every length, runs of tiny blocks; and how long decoding takes."""

from __future__ import annotations

from collections.abc import Iterator

import pyuvm

from tb.receive.items import BEAT_BYTES, FrameItem
from tests.rtl.effort import one_or_more, scaled, some
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import TYPES, frame, message, mold, unknown

# The first block's data begin at lane 0, with 4 bytes of IPv4 options at lane 4.
OPTIONS = (b"", bytes(4))


class MessageTest(ReceiveTest):  # type: ignore[misc]
    """Packets in sequence, at once one behind the other."""

    def build_phase(self) -> None:
        super().build_phase()
        self.sequence = 1

    def packet(self, blocks: list[bytes], options: bytes = b"", trailer: bytes = b"", **timing: object) -> FrameItem:
        data = frame(mold(self.sequence, blocks), options=options, trailer=trailer)
        self.sequence += len(blocks)
        return FrameItem(data, **timing)  # type: ignore[arg-type]


@pyuvm.test()
class EveryTypeAtEveryAlignment(MessageTest):
    """Each of the 23 types at each of the 8 start lanes: last in its packet, where the frame ends with it or goes on
    behind the datagram, and with another message behind it; beats without a break and with pauses.

    The latency is 2 clocks for every one of them, without exception.
    """

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        for message_type in TYPES:
            for options in OPTIONS:
                for lane in one_or_more(range(BEAT_BYTES), self.random):
                    yield from self.case(message_type, options, lane)

    def case(self, message_type: str, options: bytes, lane: int) -> Iterator[FrameItem]:
        # 14 bytes and their length field leave the lane as it is.
        filler = unknown(14 + lane, self.random)
        subject = message(message_type, self.random)
        follower = message(self.random.choice("SXDAUP"), self.random)
        yield self.packet([filler, subject], options)
        yield self.packet([filler, subject], options, trailer=self.random.randbytes(1 + lane))
        yield self.packet([filler, subject, follower, subject], options)
        pauses = {self.random.randrange(1, 12): self.random.randrange(1, 4) for _ in range(4)}
        yield self.packet([filler, subject, follower], options, pauses=pauses, gap=self.random.randrange(3))

    def check_phase(self) -> None:
        seen = {message_type for message_type, _ in self.judge.latencies}
        assert set(TYPES) <= seen
        self.judge.check_latencies()


@pyuvm.test()
class EveryPairOfTypes(MessageTest):
    """Each type right behind each other one: nothing of a message may be left in the next."""

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        for first in TYPES:
            blocks = [message(kind, self.random) for second in TYPES for kind in (first, second)]
            for start in range(0, len(blocks), 23):
                yield self.packet([unknown(self.random.randrange(9, 24), self.random), *blocks[start:start + 23]])


@pyuvm.test()
class LengthsAroundEveryType(MessageTest):
    """Each type too short by one byte and down to its first, too long by little and by more than a line."""

    def frames(self) -> Iterator[FrameItem]:
        for message_type, length in TYPES.items():
            lengths = [1, 2, 8, 9, length - 1, length + 1, length + 8, 80, 81, 100, 136, 137, 200]
            for options in OPTIONS:
                blocks = [message(message_type, self.random, n) for n in lengths]
                self.random.shuffle(blocks)
                yield self.packet(blocks, options)


@pyuvm.test()
class UnknownTypesOfEveryLength(MessageTest):
    """Raw messages of 1 to 210 bytes at the alignments these lead to, then thousands, up to the largest frame."""

    def frames(self) -> Iterator[FrameItem]:
        for start in some(range(1, 211, 7), self.random):
            for options in OPTIONS:
                yield self.packet([unknown(length, self.random) for length in range(start, start + 7)], options)
        # 24 bytes in the record, 56 in a continuation line
        for lines in (1, 2, 17, 100, 163):
            for around in (-1, 0, 1):
                for lane in some(range(0, BEAT_BYTES, 3), self.random):
                    yield self.packet([unknown(16 + lane, self.random), unknown(24 + 56 * lines + around, self.random),
                                       message("D", self.random)])
        largest = 9216 - len(frame(mold(1, [b""])))
        yield self.packet([unknown(largest, self.random)])
        yield self.packet([message("A", self.random)])


@pyuvm.test()
class RunsOfTinyBlocks(MessageTest):
    """Blocks of 0 to 5 bytes, up to four in a beat: more than one a clock, so they pile up and must all come out.

    The pauses between the packets let the queue run dry at last; a line's minimum gap would do so for real packets.
    """

    def frames(self) -> Iterator[FrameItem]:
        for options in OPTIONS:
            for length in range(7):
                for count in some((1, 2, 3, 4, 5, 8, 9, 40), self.random):
                    tiny = [unknown(length, self.random) for _ in range(count)]
                    yield self.packet(tiny, options, gap=count)
                    yield self.packet([message("S", self.random), *tiny, message("P", self.random)], options)
        yield self.packet([b""] * 720, gap=100)
        yield self.packet([message("A", self.random)], gap=720)
        for _ in range(scaled(60)):
            blocks = [unknown(self.random.randrange(7), self.random) for _ in range(self.random.randrange(1, 60))]
            for _ in range(3):
                blocks.insert(self.random.randrange(len(blocks)), message(self.random.choice("PQSW"), self.random))
            yield self.packet(blocks, self.random.choice(OPTIONS), gap=self.random.randrange(len(blocks)))
