# SPDX-License-Identifier: MIT
"""In which order the frames of two lines take effect on the one stream.

Without hold: in the order of their first bytes. A frame is atomic: everything it does to the stream comes before
everything the next one does. The rescue of a bad first copy follows from that: the bad frame leaves the stream as it
was, so the other line's copy behind it is new.

With hold, in terms of frames (times are those of first bytes, on the NIC's clock):

- It is a frame's turn when it is the first of its line and no frame of the other line with an earlier first byte is
  left, except parked ones and what waits behind them. A packet of the current session that is ahead at its turn is
  parked, and everything behind it on its line waits. In cut-through that is so for any frame whose packet header
  arrived, since its verdict is not known yet; in verified delivery for good frames only.
- Frames of the other line pass it. As soon as it is no longer ahead it goes, before anything else.
- Its time is over at its first byte + hold. Then it goes as if its first byte had come at that moment: frames of the
  other line that started before go first, unless they are parked as well.
- Both parked, and the time of one over: the lower sequence number goes; of equal ones that whose time is over.
- A frame of another session never passes: when its turn comes, the parked frame goes first.

The hardware sees a deadline pass on its clock, in whole nanoseconds, and a frame's header some clocks after its first
byte (verified: after its last). So where a frame of the other line starts near a deadline, or between a deadline and
the moment at which the parked frame's turn came, the two may differ. ``Arbitration.margin_ps`` is the distance of the
closest such call; a test that holds packets keeps it at HOLD_MARGIN_PS or more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tb.model.packet import Packet
from tb.model.stream import Stream
from tb.model.wire import CLOCK_PS

HOLD_MARGIN_PS = 64 * CLOCK_PS


@dataclass(slots=True)
class Candidate:
    """A frame on its way to the stream. ``packet``: None where the arbiter sees nothing of it but its end.

    ``seen_ps`` and ``end_ps`` are when its header can be judged and when its last byte is there; ``entries`` bounds
    how many clocks it takes to drain if it waited.
    """

    number: int
    line: str
    start_ps: int
    seen_ps: int
    end_ps: int
    entries: int
    packet: Packet | None


class Seniority(NamedTuple):
    """What decides between two frames: when, then line A first."""

    time_ps: int
    line: str


class Arbitration:
    """Puts frames in order while the stream, which its caller moves, decides who is ahead."""

    def __init__(self, hold_ps: int, clock_ps: int = CLOCK_PS) -> None:
        self._hold_ps = hold_ps
        self._clock_ps = clock_ps
        self.margin_ps: int | None = None

    def order(self, frames: Sequence[Candidate], stream: Stream) -> Iterator[Candidate]:
        """Frames in wire order, in the order in which they take effect; the caller moves the stream by each."""
        if self._hold_ps == 0:
            yield from frames
            return
        lines: dict[str, deque[Candidate]] = {}
        for frame in frames:
            lines.setdefault(frame.line, deque()).append(frame)
        parked: dict[int, int] = {}  # frame number -> when its turn came, as far as frames tell
        now_ps = 0
        while heads := sorted((line[0] for line in lines.values() if line), key=_start):
            self._park(heads, stream, parked, now_ps)
            frame = self._next(heads, stream, parked)
            begin_ps = max(now_ps, frame.seen_ps)
            if frame.number in parked:
                begin_ps = max(begin_ps, min(self._deadline(frame).time_ps, parked.pop(frame.number)))
            now_ps = max(begin_ps + frame.entries * self._clock_ps, frame.end_ps)
            lines[frame.line].popleft()
            yield frame

    def _deadline(self, frame: Candidate) -> Seniority:
        return Seniority(frame.start_ps + self._hold_ps, frame.line)

    def _park(self, heads: list[Candidate], stream: Stream, parked: dict[int, int], now_ps: int) -> None:
        """Parks the heads whose turn it is and that are ahead; the second's turn comes when the first is parked."""
        for head in heads:
            if head.number in parked:
                continue
            if any(other.number not in parked and _start(other) < _start(head) for other in heads):
                continue
            if _is_ahead(head, stream):
                for other in heads:
                    if other is not head:
                        self._call(other, head, parked)
                parked[head.number] = max(now_ps, head.seen_ps)

    def _next(self, heads: list[Candidate], stream: Stream, parked: dict[int, int]) -> Candidate:
        released = [head for head in heads if head.number in parked and not _is_ahead(head, stream)]
        if released:
            return released[0]
        held = [head for head in heads if head.number in parked]
        free = [head for head in heads if head.number not in parked]
        if not held:
            return free[0]
        if not free:
            return min(held, key=lambda head: (head.packet and stream.distance(head.packet), self._deadline(head)))
        waiting, passing = held[0], free[0]
        if passing.packet is not None and passing.packet.session != stream.session:
            return waiting
        self._call(waiting, passing, parked)
        return waiting if self._deadline(waiting) < _start(passing) else passing

    def _call(self, waiting: Candidate, passing: Candidate, parked: dict[int, int]) -> None:
        """Notes how close it was whether ``passing`` came before the time of ``waiting`` was over."""
        if waiting.number not in parked:
            return
        deadline_ps = self._deadline(waiting).time_ps
        if passing.start_ps < deadline_ps:
            margin_ps = deadline_ps - passing.start_ps
        else:
            margin_ps = passing.start_ps - max(deadline_ps, parked[waiting.number])
        if self.margin_ps is None or margin_ps < self.margin_ps:
            self.margin_ps = margin_ps


def _start(frame: Candidate) -> Seniority:
    return Seniority(frame.start_ps, frame.line)


def _is_ahead(frame: Candidate, stream: Stream) -> bool:
    return frame.packet is not None and stream.distance(frame.packet) > 0
