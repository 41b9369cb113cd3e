# SPDX-License-Identifier: MIT
"""Faults measured in other MoldUDP64 and ITCH parsers, one test each: this line must not have them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pyuvm
from itch import messages as itchfeed

from generators.tables import ITCH50
from tb.receive.items import BEAT_BYTES, FrameEntries, FrameItem
from tests.model.test_record_oracle import in_record
from tests.rtl.effort import one_or_more, some
from tests.rtl.receive.frames import TYPES, frame, message, mold, unknown
from tests.rtl.receive.message_tests import OPTIONS, MessageTest


@pyuvm.test()
class LastMessageFillsTheLastBeat(MessageTest):
    """A packet whose last message ends with 7 or 8 bytes in its last beat lost the packets behind it: every tail, by
    every length a message can have, three good packets at once behind each."""

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        self.lengths = one_or_more(range(9, 60), self.random)
        for options, length in product(OPTIONS, self.lengths):
            yield self.packet([unknown(length, self.random)], options)
            for _ in range(3):
                yield self.packet([message("D", self.random)], options)

    def check_phase(self) -> None:
        assert self.judge.messages == self.judge.model.counters["accepted"] == 2 * len(self.lengths) * 4


@pyuvm.test()
class OneIdleBeatAnywhere(MessageTest):
    """State that moved on without a valid beat lost everything at the first idle one: one to three idle clocks before
    each single beat of a frame. That each message comes out exactly once is judged for every frame."""

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        for options in OPTIONS:
            beats = self.packet([message("A", self.random), message("S", self.random)], options).beats
            self.sequence -= 2
            for beat, clocks in product(range(1, beats), (1, 2, 3)):
                blocks = [unknown(9, self.random), message("A", self.random), message("S", self.random)]
                yield self.packet(blocks, options, pauses={beat: clocks}, gap=clocks - 1)


@pyuvm.test()
class SixtyOfEachType(MessageTest):
    """A type without a term in the valid signal never came out: 60 of each in one packet all do."""

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        self.types = one_or_more(TYPES, self.random)
        for message_type in self.types:
            yield self.packet([unknown(20, self.random), *(message(message_type, self.random) for _ in range(60))])

    def check_phase(self) -> None:
        for message_type in self.types:
            assert sum(count for (kind, _), count in self.judge.latencies.items() if kind == message_type) == 60


@pyuvm.test()
class TheNextTypeInTheSameWord(MessageTest):
    """With a message's last byte in the first lane of a word the next message's type was shown for it: all pairs of
    types, the first one ending in every lane."""

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        for first, lane in some(product(TYPES, range(BEAT_BYTES)), self.random):
            blocks = [unknown(14 + lane, self.random)]
            for second in TYPES:
                blocks += [message(first, self.random), message(second, self.random)]
                # Filled up to a multiple of the beat, so that the lane stays.
                size = 8 + len(blocks[-2]) + len(blocks[-1])
                blocks.append(unknown(16 + -(size + 14) % BEAT_BYTES, self.random))
            yield self.packet(blocks[:31])
            yield self.packet([blocks[0], *blocks[31:]])


@pyuvm.test()
class PacketCutInAMessage(MessageTest):
    """A packet that ended inside a message stopped a decoder for ever: cut after each byte of each type, and the whole
    stream behind it is delivered."""

    def frames(self) -> Iterator[FrameItem]:
        for message_type, length in TYPES.items():
            for cut in some(range(0, length, 3 if length > 20 else 1), self.random):
                packet = mold(self.sequence, [message("X", self.random), message(message_type, self.random)])
                yield FrameItem(frame(packet[:20 + 2 + TYPES["X"] + cut]))
                self.sequence += 1
                yield self.packet([message("E", self.random), message("U", self.random)])

    def check_phase(self) -> None:
        assert self.judge.model.counters["next_expected"] == self.sequence
        assert self.judge.model.counters["gaps"] == 0


@pyuvm.test()
class FieldsAsItchfeedReadsThem(MessageTest):
    """A parser and its reference model shared a wrong layout: every field of every type against a third reading."""

    def build_phase(self) -> None:
        super().build_phase()
        self.fields_compared = 0
        self.types: set[str] = set()
        judge = self.judge.entries

        def entries(item: FrameItem, found: FrameEntries) -> None:
            judge(item, found)
            self.compare(found)

        self.judge.entries = entries

    def frames(self) -> Iterator[FrameItem]:
        self.sent: list[bytes] = []
        for message_type, _ in product(TYPES, range(12)):
            self.sent.append(message(message_type, self.random))
            yield self.packet([self.sent[-1]])

    def compare(self, entries: FrameEntries) -> None:
        (found,) = entries.messages
        raw = self.sent[len(self.judge.verdicts) - 1]
        message_type = chr(raw[0])
        ours = in_record((found.record, *found.continuations), message_type)
        theirs = vars(itchfeed.messages[raw[:1]](raw))
        assert ours.pop("timestamp") == theirs.pop("timestamp")
        assert [ours[name] for name in ITCH50[message_type].names if name in ours] \
            == [value.decode("latin-1") if isinstance(value, bytes) else value for value in theirs.values()]
        self.fields_compared += len(ours)
        self.types.add(message_type)

    def check_phase(self) -> None:
        assert self.types == set(TYPES)
        assert self.fields_compared > 12 * len(TYPES)
