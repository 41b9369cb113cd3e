# SPDX-License-Identifier: MIT
"""In which order the frames of two lines take effect on the one stream.

Without hold: in the order of their first bytes. A frame is atomic: everything it does to the stream comes before
everything the next one does. The rescue of a bad first copy follows from that: the bad frame leaves the stream as it
was, so the other line's copy behind it is new.

With hold, in terms of frames (times are those of first bytes, on the NIC's clock):

- It is a frame's turn when it is the first of its line and no frame of the other line with an earlier first byte is
  left, except parked ones and what waits behind them. A packet of the current session that is ahead at its turn is
  parked, and everything behind it on its line waits. In cut-through that is so for any frame whose packet header
  arrived, since its verdict is not known yet; in verified delivery for good frames only. A frame that is dropped by
  its headers is never parked and ends no wait, and nobody waits for its end.
- Frames of the other line pass it. As soon as it is no longer ahead it goes, before anything else.
- Its time is over at its first byte + hold. Then it goes as if its first byte had come at that moment: frames of the
  other line that started before go first, unless they are parked as well. Where its time is over before its turn
  comes it is not parked.
- Both parked, and the time of one over: the lower sequence number goes; of equal ones that whose time is over.
- A frame of another session never passes: when its turn comes, the parked frame goes first.

The hardware sees a deadline pass on its clock, in whole nanoseconds, and a frame's header some clocks after its first
byte (verified: after its last). So where a frame of the other line starts near a deadline, or between a deadline and
the moment at which the parked frame's turn came, the two may differ. ``Arbitration.margin_ps`` is the distance of the
closest such call; a test that holds packets keeps it at HOLD_MARGIN_PS or more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tb.model.packet import Packet
from tb.model.stream import Stream
from tb.model.wire import CLOCK_PS

HOLD_MARGIN_PS = 64 * CLOCK_PS
SAME_DEADLINE_CLOCKS = 2  # deadlines so close, but not equal, may fall into one nanosecond or one decision


@dataclass(slots=True)
class Candidate:
    """A frame on its way to the stream. ``packet``: None where the arbiter sees nothing of it but its end.

    ``seen_ps`` and ``end_ps`` are when its header can be judged and when its verdict is known: when its last byte is
    there, or all headers of a frame that they drop. ``entries`` bounds how many clocks it takes to drain if it waited.
    ``reason``: of its drop.
    """

    number: int
    line: str
    start_ps: int
    seen_ps: int
    end_ps: int
    entries: int
    packet: Packet | None
    reason: str | None = None


class Seniority(NamedTuple):
    """What decides between two frames: when, then line A first."""

    time_ps: int
    line: str


class Span(NamedTuple):
    """A moment that frames alone do not fix: it lies between these."""

    early_ps: int
    late_ps: int


class Arbitration:
    """Puts frames in order while the stream, which its caller moves, decides who is ahead."""

    def __init__(self, hold_ps: int, clock_ps: int = CLOCK_PS) -> None:
        self._hold_ps = hold_ps
        self._clock_ps = clock_ps
        self._free = Span(0, 0)  # when the frames that took effect were done
        self._parked: dict[int, Span] = {}  # by frame number: when its turn came
        self.margin_ps: int | None = None

    def order(self, frames: Iterable[Candidate], stream: Stream) -> Iterator[Candidate]:
        """Frames in wire order, in the order in which they take effect; the caller moves the stream by each."""
        if self._hold_ps == 0:
            yield from frames
            return
        self._free = Span(0, 0)
        lines: dict[str, deque[Candidate]] = {}
        for frame in frames:
            lines.setdefault(frame.line, deque()).append(frame)
        while heads := sorted((line[0] for line in lines.values() if line), key=_start):
            for head in heads:
                self._turn(head, [other for other in heads if other is not head], stream)
            frame = self._next(heads, stream)
            self._done(frame, stream)
            lines[frame.line].popleft()
            yield frame

    def _deadline(self, frame: Candidate) -> Seniority:
        return Seniority(frame.start_ps + self._hold_ps, frame.line)

    def _turn(self, head: Candidate, others: list[Candidate], stream: Stream) -> None:
        """Parks ``head`` if its turn has come and it is ahead. Oldest heads first: a parked one lets the other in."""
        if head.number in self._parked or not _is_ahead(head, stream):
            return
        for other in others:
            if other.number not in self._parked:
                if _start(other) < _start(head):
                    return
            elif not _is_ahead(other, stream):
                return  # it goes now, and what is behind it on its line may be older than the head
            else:
                self._call(other, head)
                if self._deadline(other) < _start(head):
                    return
        turn = Span(max(self._free.early_ps, head.seen_ps), max(self._free.late_ps, head.seen_ps))
        deadline_ps = self._deadline(head).time_ps
        in_time = deadline_ps > turn.early_ps
        if any(other.number in self._parked for other in others):
            self._note(deadline_ps - turn.late_ps)
            in_time = True
        elif any(other.start_ps < deadline_ps for other in others):
            self._note(deadline_ps - turn.late_ps if in_time else turn.early_ps - deadline_ps)
        if in_time:
            self._parked[head.number] = turn

    def _next(self, heads: list[Candidate], stream: Stream) -> Candidate:
        held = [head for head in heads if head.number in self._parked]
        for head in held:
            if not _is_ahead(head, stream):
                return head
        free = [head for head in heads if head.number not in self._parked]
        if not held:
            return free[0]
        if not free:
            return self._of_both(held, stream)
        waiting, passing = held[0], free[0]
        if passing.packet is not None and passing.packet.session != stream.session:
            return waiting
        self._call(waiting, passing)
        return waiting if self._deadline(waiting) < _start(passing) else passing

    def _of_both(self, held: list[Candidate], stream: Stream) -> Candidate:
        if len(held) == 1:
            return held[0]
        apart = abs(held[0].start_ps - held[1].start_ps)
        if 0 < apart <= SAME_DEADLINE_CLOCKS * self._clock_ps:
            self._note(0)
        return min(held, key=lambda head: (head.packet and stream.distance(head.packet), self._deadline(head)))

    def _done(self, frame: Candidate, stream: Stream) -> None:
        """Reckons when ``frame`` is done. One that cannot change the stream is not waited for."""
        early_ps, late_ps = self._free
        turn = self._parked.pop(frame.number, None)
        if turn is not None and _is_ahead(frame, stream):
            early_ps = max(early_ps, turn.early_ps)
            late_ps = max(late_ps, turn.late_ps, self._deadline(frame).time_ps)
        if frame.packet is None or not stream.is_harmless(frame.packet):
            early_ps = max(early_ps, frame.end_ps)
        late_ps = max(max(late_ps, frame.seen_ps) + frame.entries * self._clock_ps, frame.end_ps)
        self._free = Span(early_ps, late_ps)

    def _call(self, waiting: Candidate, passing: Candidate) -> None:
        """Notes how close it was whether ``passing`` came before the time of the parked ``waiting`` was over."""
        deadline_ps = self._deadline(waiting).time_ps
        if passing.start_ps < deadline_ps:
            self._note(deadline_ps - passing.start_ps)
        else:
            self._note(passing.start_ps - max(deadline_ps, self._parked[waiting.number].late_ps))

    def _note(self, margin_ps: int) -> None:
        if self.margin_ps is None or margin_ps < self.margin_ps:
            self.margin_ps = margin_ps


def _start(frame: Candidate) -> Seniority:
    return Seniority(frame.start_ps, frame.line)


def _is_ahead(frame: Candidate, stream: Stream) -> bool:
    return frame.packet is not None and stream.distance(frame.packet) > 0
