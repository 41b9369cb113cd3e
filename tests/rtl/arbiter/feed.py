# SPDX-License-Identifier: MIT
"""Two lines that carry the same packets: each line late by its own amount, each with its own faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from bridge import layout
from tb.model.packet import Kind
from tests.rtl.arbiter.frames import GAP_CLOCKS, Frame, Message

SEQUENCES = 1 << 64
STATUSES = tuple(layout.MessageStatus)
BAD_REASONS = (layout.DropReason.BAD_FCS, layout.DropReason.BAD_UDP_CHECKSUM, layout.DropReason.IP_LENGTH)
HEADER_REASONS = (layout.DropReason.NOT_UDP, layout.DropReason.OTHER_PORT, layout.DropReason.OTHER_DESTINATION)


@dataclass(frozen=True)
class Rates:
    """Chances of what happens to a packet, or to a line's copy of it."""

    loss: float = 0.1
    bad: float = 0.1
    overflow: float = 0.02
    alien: float = 0.05           # a frame of no interest before it
    repeat: float = 0.05          # a copy comes again later, whole or in part
    heartbeat: float = 0.1
    truncated: float = 0.05
    session: float = 0.03         # a new session begins
    end: float = 0.03             # the session ends


class Feed:
    """Makes packets and puts them on both lines."""

    def __init__(self, random: Random, rates: Rates, sequence: int = 1, verified: bool = False,
                 messages: int = 8, pause: int = 60) -> None:
        self._random = random
        self._rates = rates
        self._verified = verified
        self._messages = messages
        self._pause = pause
        self._tag = 0
        self._sequence = sequence
        self._session = 1

    def frames(self, packets: int, skew: int, jitter: int = 0) -> list[Frame]:
        """``packets`` on both lines, line B ``skew`` clocks later (earlier where negative)."""
        random, free = self._random, {"A": 0, "B": 0}
        late = {"A": max(0, -skew), "B": max(0, skew)}
        frames: list[Frame] = []
        clock = 1
        sent: list[Frame] = []
        for _ in range(packets):
            packet = self._packet()
            sent.append(packet)
            clock += random.randint(1, self._pause)
            for line in "AB":
                for copy in self._copies(packet, sent):
                    start = max(clock + late[line] + random.randint(0, jitter), free[line])
                    frame = replace(copy, line=line, start=start)
                    free[line] = frame.last_beat + GAP_CLOCKS
                    frames.append(frame)
        return frames

    def _copies(self, packet: Frame, sent: Sequence[Frame]) -> Iterator[Frame]:
        random, rates = self._random, self._rates
        if random.random() < rates.alien:
            yield Frame("A", 0, reason=random.choice(HEADER_REASONS), has_header=False,
                        void=random.random() < 0.8, silent_clocks=random.randint(0, 2 * self._pause))
        if random.random() < rates.repeat:
            yield self._verdict(self._part(random.choice(sent[-5:])))
        if random.random() < rates.repeat and len(sent) > 1:
            yield self._verdict(self._overlap(sent[-2], packet))
        if random.random() >= rates.loss:
            yield self._verdict(packet)

    def _verdict(self, packet: Frame) -> Frame:
        random, rates = self._random, self._rates
        frame = replace(packet, verified=self._verified)
        if random.random() < rates.bad:
            frame.reason = random.choice(BAD_REASONS)
        if random.random() < rates.overflow:
            keep = random.randint(0, len(packet.messages))
            frame.overflow = True
            frame.cut_lines = random.randint(0, 2) if keep < len(packet.messages) else 0
            frame.count = packet.announced
            frame.messages = packet.messages[:keep]
        if self._verified and (frame.overflow or frame.reason):
            frame = replace(frame, has_header=False, messages=(), cut_lines=0)
        return frame

    def _part(self, packet: Frame) -> Frame:
        """The packet, or a packet of its last messages."""
        if packet.kind != "data" or packet.truncated or not packet.messages:
            return packet
        skip = self._random.randint(0, len(packet.messages) - 1)
        return replace(packet, sequence=(packet.sequence + skip) % SEQUENCES, messages=packet.messages[skip:])

    def _overlap(self, before: Frame, packet: Frame) -> Frame:
        """One packet of the last messages of the one before and of this one's."""
        head = self._part(before)
        follows = (head.sequence + len(head.messages)) % SEQUENCES == packet.sequence and head.session == packet.session
        if not (follows and head.messages and packet.messages) or head.truncated or packet.truncated:
            return packet
        return replace(head, messages=(*head.messages, *packet.messages))

    def _packet(self) -> Frame:
        random, rates = self._random, self._rates
        if random.random() < rates.session:
            self._session += 1
            self._sequence = random.choice((1, self._sequence, SEQUENCES - 2))
        chance = random.random()
        kind: Kind = "data"
        if chance < rates.end:
            kind = "end_of_session"
        elif chance < rates.end + rates.heartbeat:
            kind = "heartbeat"
        messages = tuple(self._message() for _ in range(random.randint(1, self._messages))) if kind == "data" else ()
        frame = Frame("A", 0, session=b"SESSION%03d" % (self._session % 1000), sequence=self._sequence, kind=kind,
                      messages=messages, extra_data=random.random() < 0.1)
        if kind == "data" and random.random() < rates.truncated:
            frame.truncated, frame.extra_data = True, False
            frame.count = len(messages) + random.randint(1, 3)
            frame.cut_lines = random.randint(0, 2)
        self._sequence = (self._sequence + len(messages)) % SEQUENCES
        return frame

    def _message(self) -> Message:
        self._tag += 1
        random = self._random
        continuations = random.choice((0, 0, 0, 0, 1, 1, 3))
        return Message(self._tag, locate=random.choice((0, 1, 2, 31, 32, 0x8000, 0xFFFF, random.getrandbits(16))),
                       status=random.choice(STATUSES), continuations=continuations, clocks=random.randint(1, 5))
