# SPDX-License-Identifier: MIT
"""What must come of frames at the arbiter: the reference model's stream and arbitration over the test's frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bridge import layout
from tb.model.arbitration import HOLD_MARGIN_PS, Arbitration, Candidate
from tb.model.stream import NO_FLAGS, Flags, Stream
from tb.model.wire import CLOCK_PS
from tests.rtl.arbiter.frames import GOOD, KINDS, Frame

STREAM, BAD, DROP = (layout.REGISTER_FIELDS["EVENT_ENABLE"][name] for name in ("STREAM", "BAD", "DROP"))


@dataclass
class Outcome:
    """One frame's: ``lines`` go to the ring, a message's together; ``filtered`` counts those that do not."""

    frame: Frame
    flags: Flags = NO_FLAGS
    gap_from: int = 0
    sequence: int = 0
    messages: list[list[bytes]] = field(default_factory=list)
    filtered: int = 0
    duplicates: int = 0

    @property
    def good(self) -> bool:
        return self.frame.final_reason == GOOD

    def flag_bits(self) -> int:
        return sum(1 << bit for bit, flag in enumerate(self.flags) if flag)

    def report(self) -> tuple[int, ...]:
        """line, reason, kind, flags, gap_from, session, sequence, count, timestamp"""
        frame = self.frame
        head = int(frame.line == "B"), int(frame.final_reason)
        if not self.good:
            return (*head, 0, 0, 0, 0, 0, 0, frame.start)
        return (*head, KINDS[frame.kind], self.flag_bits(), self.gap_from,
                int.from_bytes(frame.session, "little"), self.sequence, frame.announced, frame.start)

    def event(self, enabled: int) -> bytes | None:
        """The rx_event line, if one is due."""
        frame, flags = self.frame, self.flags
        told = any((flags.gap, flags.session_change, flags.end_of_session, flags.truncated)) if self.good else True
        due = STREAM if self.good else DROP | (BAD if self.messages else 0)
        if not told or not enabled & due:
            return None
        line = bytearray(60)
        seen = frame.has_header and (self.good or bool(self.messages))
        for name, value, size in (
            ("sequence", self.sequence if seen else 0, 8), ("hw_timestamp_ns", frame.start, 6),
            ("count", frame.announced if seen else 0, 2), ("gap_from", self.gap_from, 8),
            ("delivered", len(self.messages), 2),
            ("status", layout.STATUS_EVENT | (layout.STATUS_LINE_B if frame.line == "B" else 0), 1),
            ("reason", frame.final_reason, 1), ("kind", KINDS[frame.kind] if self.good else 0, 1),
            ("flags", self.flag_bits(), 1), ("session", int.from_bytes(frame.session, "little") if seen else 0, 10),
        ):
            offset = layout.RX_EVENT.fields[name][1]
            line[offset:offset + size] = value.to_bytes(size, "little")
        return bytes(line)


class Oracle:
    """Runs the frames of a test; ``outcomes`` are in the order in which they took effect."""

    def __init__(self, frames: Sequence[Frame], hold: int = 0, blocked: Collection[int] = ()) -> None:
        self.stream = Stream()
        arbitration = Arbitration(hold * CLOCK_PS)
        self.outcomes: list[Outcome] = []
        for candidate in arbitration.order([_candidate(frame) for frame in frames], self.stream):
            self.outcomes.append(self._take(frames[candidate.number], candidate, blocked))
        margin = arbitration.margin_ps
        self.clear = margin is None or margin >= HOLD_MARGIN_PS

    def _take(self, frame: Frame, candidate: Candidate, blocked: Collection[int]) -> Outcome:
        outcome = Outcome(frame)
        if candidate.packet is None:
            return outcome
        before = self.stream.state()
        taken = self.stream.take(candidate.packet)
        outcome.sequence = taken.sequence
        new = {number for number, _ in taken.new}
        for index, message in enumerate(frame.messages):
            number = (taken.sequence + index) % (1 << 64)
            if number not in new:
                continue
            if message.locate and message.locate in blocked:
                outcome.filtered += 1
            else:
                outcome.messages.append([line for line, _ in message.lines(frame.line, number)])
        if not outcome.good:
            self.stream.restore(before)
            return outcome
        outcome.flags, outcome.gap_from, outcome.duplicates = taken.flags, taken.gap_from or 0, taken.duplicates
        return outcome

    def statistics(self) -> dict[str, int]:
        """The counters that are not 0."""
        count: Counter[str] = Counter()
        for outcome in self.outcomes:
            line_b = outcome.frame.line == "B"
            count["FRAMES"] += 1
            count["FRAMES_B"] += line_b
            count["FILTERED"] += outcome.filtered
            if not outcome.good:
                count[f"DROPPED_{layout.DropReason(outcome.frame.final_reason).name}"] += 1
                count["MESSAGES_BAD"] += len(outcome.messages)
                continue
            count["ACCEPTED"] += 1
            count["ACCEPTED_B"] += line_b
            count["DUPLICATES"] += outcome.duplicates
            count["GAPS"] += outcome.flags.gap
            count["MESSAGES_B"] += line_b * len(outcome.messages)
            for message in outcome.messages:
                status = message[-1][layout.RX_RECORD.fields["status"][1]] & 7
                count[f"MESSAGES_{layout.MessageStatus(status).name}"] += 1
        return {name: number for name, number in count.items() if number}


def _candidate(frame: Frame) -> Candidate:
    packet = frame.packet
    seen = frame.verdict_clock if frame.verified or packet is None else frame.header_clock
    return Candidate(frame.index, frame.line, frame.start * CLOCK_PS, seen * CLOCK_PS, frame.verdict_clock * CLOCK_PS,
                     len(frame.entries(0)), packet)
