# SPDX-License-Identifier: MIT
"""Packets by their shape, each bin of the plan on purpose: alignments and tails, statuses, tags and options, states."""

from __future__ import annotations

from itertools import product

import pyuvm

from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tests.rtl.effort import scaled
from tests.rtl.env.feed import MINIMUM_GAP, Schedule, idle_beats, packet
from tests.rtl.receive.frames import C_TAG, S_TAG, TYPES, frame, message, mold, unknown

BEAT_BYTES = 8
FIRST_BLOCK = 64   # where the data of a plain frame's first block begin
SEQUENCES = 1 << 64


@pyuvm.test()
class AlignmentsAndTails(NicTest):
    """Every type in every byte lane, last of a frame that ends with every number of bytes; lines take turns."""

    async def runs(self) -> None:
        for delivery in ("cut-through", "verified"):
            async with self.run(NicSetup(delivery=delivery)) as env:
                await self._schedule().send(env)

    def _schedule(self) -> Schedule:
        random, schedule = self.random, Schedule()
        cases = list(product(TYPES, range(BEAT_BYTES), range(1, BEAT_BYTES + 1)))
        random.shuffle(cases)
        for index, (kind, alignment, tail) in enumerate(cases[:scaled(len(cases))]):
            blocks = [message(kind, random)]
            shift = (alignment - FIRST_BLOCK) % BEAT_BYTES
            if shift:
                # A block in front shifts the one of interest by its length and its two length bytes.
                blocks.insert(0, unknown((shift - 2) % BEAT_BYTES + BEAT_BYTES, random))
            sequence = 2 * index + 1
            data = packet(sequence, blocks)
            data += random.randbytes((tail - len(data)) % BEAT_BYTES)
            line = "AB"[index % 2]
            schedule.add(line, schedule.end, data, pauses=idle_beats(random, -(-len(data) // BEAT_BYTES)))
        return schedule


@pyuvm.test()
class TypesAndStatuses(NicTest):
    """Every type right, short, and long; types there are none of; no byte at all; some in frames that are bad."""

    async def runs(self) -> None:
        for delivery in ("cut-through", "verified"):
            async with self.run(NicSetup(delivery=delivery)) as env:
                random, schedule = self.random, Schedule()
                blocks = [b""] + [unknown(length, random) for length in (1, 2, 24, 25, 80, 81, 300)]
                for kind, length in TYPES.items():
                    blocks += [message(kind, random, size) for size in
                               (1, random.randint(2, length - 1), length - 1, length, length + 1, length + 60)]
                random.shuffle(blocks)
                sequence = 1
                while blocks:
                    some = [blocks.pop() for _ in range(min(len(blocks), random.randint(1, 5)))]
                    line = random.choice("AB")
                    data = packet(sequence, some)
                    pauses = idle_beats(random, -(-len(data) // BEAT_BYTES))
                    if random.random() < 0.2:
                        schedule.add(line, schedule.end, data, True, pauses)
                    schedule.add(line, schedule.end, data, False, pauses)
                    sequence += len(some)
                await schedule.send(env)


@pyuvm.test()
class TagsAndOptions(NicTest):
    """0 to 2 tags of both kinds over every length of the IPv4 options, on both lines."""

    async def runs(self) -> None:
        async with self.run(NicSetup()) as env:
            schedule = Schedule()
            sequence = 1
            tags = ((), (C_TAG,), (S_TAG,), (C_TAG, C_TAG), (S_TAG, C_TAG))
            for stack, words, line in product(tags, range(11), "AB"):
                options = self.random.randbytes(4 * words)
                data = packet(sequence, [message("A", self.random)], tags=stack, options=options)
                schedule.add(line, schedule.end, data, pauses=idle_beats(self.random, -(-len(data) // BEAT_BYTES)))
                sequence += 1
            await schedule.send(env)


@pyuvm.test()
class Paces(NicTest):
    """Every gap in front of a frame with and without idle beats inside, on both lines."""

    async def runs(self) -> None:
        async with self.run(NicSetup()) as env:
            schedule = Schedule()
            sequence = 1
            for _, line, gap, idle in product(range(6), "AB", (0, MINIMUM_GAP, 20), (False, True)):
                data = packet(sequence, [message(kind, self.random) for kind in self.random.sample("AFECXDUPIO", 3)])
                pauses = {self.random.randint(1, 10): self.random.randint(1, 9)} if idle else {}
                schedule.add(line, 0, data, pauses=pauses, gap=gap)
                sequence += 3
            await schedule.send(env)


class _Stream:
    """Packets of every kind against the stream's state, one after the other on one line."""

    def __init__(self, test: NicTest) -> None:
        self.random = test.random
        self.schedule = Schedule()
        self.sequence = test.random.choice((1, SEQUENCES - 40, (1 << 32) - 10))
        self.sessions = 0

    @property
    def session(self) -> bytes:
        return b"STREAM%04d" % self.sessions

    def send(self, kind: str, offset: int = 0, extra: bytes = b"", cut: int = 0) -> None:
        """A packet of this kind, ``offset`` from the next number."""
        start = (self.sequence + offset) % SEQUENCES
        blocks = [message(self.random.choice("DXE"), self.random) for _ in range(3)] if kind == "data" else []
        count = {"data": None, "heartbeat": 0, "end_of_session": 0xFFFF}[kind]
        payload = mold(start, blocks, count, self.session)
        data = frame(payload[:len(payload) - cut] + extra)
        line = self.random.choice("AB")
        self.schedule.add(line, self.schedule.end + 30, data,
                          pauses=idle_beats(self.random, -(-len(data) // BEAT_BYTES)))
        delivered = len(blocks) - (1 if cut else 0)
        if offset >= 0:
            self.sequence = (start + delivered) % SEQUENCES
        elif offset + delivered > 0:
            self.sequence = (self.sequence + offset + delivered) % SEQUENCES

    def new_session(self) -> None:
        self.sessions += 1
        self.sequence = self.random.randrange(1, 1000)


KINDS = ("data", "heartbeat", "end_of_session")


@pyuvm.test()
class KindsAndStates(NicTest):
    """Data, heartbeat and end of session as the first packet, in order, ahead, old, after an end, in a new session;
    and with less or more in them than they announce."""

    async def runs(self) -> None:
        for delivery, first in product(("cut-through", "verified"), KINDS):
            async with self.run(NicSetup(delivery=delivery)) as env:
                stream = _Stream(self)
                stream.send(first)
                for kind in KINDS:
                    stream.new_session()
                    stream.send(kind)
                    stream.new_session()
                    stream.send("data")
                    stream.send(kind)
                    stream.new_session()
                    stream.send("data")
                    stream.send(kind, offset=7)
                    stream.new_session()
                    stream.send("data")
                    stream.send(kind, offset=-3)
                    stream.new_session()
                    stream.send("end_of_session")
                    stream.send(kind)
                    stream.send(kind, offset=2)
                    stream.new_session()
                    stream.send("data")
                    stream.send(kind, extra=self.random.randbytes(9))
                    stream.send(kind, offset=4, extra=b"\0")
                stream.new_session()
                stream.send("data")
                stream.send("data", offset=-2)
                stream.send("data", cut=5)
                stream.send("data", offset=1, cut=1)
                stream.send("data")
                await stream.schedule.send(env)


@pyuvm.test()
class SequenceNumbers(NicTest):
    """Numbers anywhere in 64 bits, over the carry out of 32 bits, and over their end inside a packet."""

    async def runs(self) -> None:
        async with self.run(NicSetup()) as env:
            schedule = Schedule()
            starts = (1, (1 << 32) - 2, 1 << 40, (1 << 63) - 2, 1 << 63, SEQUENCES - 40, SEQUENCES - 2)
            for index, (start, line) in enumerate(product(starts, "AB")):
                sequence = start
                for _ in range(3):
                    blocks = [message("A", self.random) for _ in range(4)]
                    data = packet(sequence, blocks, b"NUMBERS%03d" % index)
                    schedule.add(line, schedule.end, data, pauses=idle_beats(self.random, -(-len(data) // BEAT_BYTES)))
                    other = "B" if line == "A" else "A"
                    schedule.add(other, schedule.end + 2, data)
                    sequence = (sequence + 4) % SEQUENCES
            await schedule.send(env)
