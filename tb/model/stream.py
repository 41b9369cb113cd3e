# SPDX-License-Identifier: MIT
"""The stream of messages that both lines carry: one session at a time, each sequence number at most once, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tb.model.packet import Packet

SEQUENCES = 1 << 64
SEQUENCE_AHEAD = 1 << 63
FIRST_COUNTED = 1  # sequence number of a session's first packet where the receiver counts


def ahead(sequence: int, of: int) -> int:
    """How far ``sequence`` lies ahead of ``of`` modulo 2^64, 0 included; negative where it lies behind."""
    distance = (sequence - of) % SEQUENCES
    return distance if distance < SEQUENCE_AHEAD else distance - SEQUENCES


class Flags(NamedTuple):
    """What a frame's report says beside its disposition; all false for a dropped frame."""

    truncated: bool = False
    extra_data: bool = False
    gap: bool = False
    session_change: bool = False
    end_of_session: bool = False  # the first of its session


NO_FLAGS = Flags()


@dataclass(slots=True)
class Taken:
    """What the stream made of a packet: its sequence number, what it told, the blocks that were new, how many not."""

    sequence: int
    flags: Flags
    gap_from: int | None = None
    new: list[tuple[int, bytes]] = field(default_factory=list)
    duplicates: int = 0


@dataclass(slots=True)
class Stream:
    """As of the last accepted packet. A frame that turns out bad is taken back by ``restore``."""

    session: bytes | None = None
    next_expected: int = 0
    ended: bool = False

    def state(self) -> tuple[bytes | None, int, bool]:
        return self.session, self.next_expected, self.ended

    def restore(self, state: tuple[bytes | None, int, bool]) -> None:
        self.session, self.next_expected, self.ended = state

    def distance(self, packet: Packet) -> int:
        """How far the packet is ahead within the current session; 0 for one of another session, or that is counted."""
        if packet.session != self.session or packet.sequence is None:
            return 0
        return ahead(packet.sequence, self.next_expected)

    def is_harmless(self, packet: Packet) -> bool:
        """It cannot change the stream, whatever its verdict: all its announced numbers are old."""
        if packet.session != self.session or packet.sequence is None:
            return False
        announced = packet.count if packet.kind == "data" else 0
        first_end = packet.kind == "end_of_session" and not self.ended
        return self.distance(packet) <= -announced and not first_end

    def take(self, packet: Packet) -> Taken:
        """Moves the stream on by one packet."""
        session_change = gap = first_end = False
        gap_from = None
        if packet.session != self.session:
            session_change = self.session is not None
            self.session, self.ended = packet.session, False
            self.next_expected = FIRST_COUNTED if packet.sequence is None else packet.sequence
        elif self.distance(packet) > 0:
            gap, gap_from = True, self.next_expected
            assert packet.sequence is not None
            self.next_expected = packet.sequence
        sequence = self.next_expected if packet.sequence is None else packet.sequence

        new: list[tuple[int, bytes]] = []
        for i, block in enumerate(packet.blocks):
            number = (sequence + i) % SEQUENCES
            if ahead(number, self.next_expected) >= 0:
                self.next_expected = (number + 1) % SEQUENCES
                new.append((number, block))
        if packet.kind == "end_of_session" and not self.ended:
            self.ended = first_end = True
        flags = Flags(packet.truncated, packet.extra_data, gap, session_change, first_end)
        # One object for the most frequent of them: a run keeps those of every frame.
        return Taken(sequence, flags if any(flags) else NO_FLAGS, gap_from, new, len(packet.blocks) - len(new))
