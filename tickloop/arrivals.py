# SPDX-License-Identifier: MIT
"""Frames of one line or two through the reference model in one pass, piece by piece, whatever their number."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from generators.captures import TimedFrame
from tb.model.receive import ReceiveModel
from tb.model.results import FrameResult
from tb.model.wire import LINES, Arrival, first_clock, on_line

FRAMES_AT_ONCE = 4096


def in_wire_order(lines: Sequence[Iterable[TimedFrame]]) -> Iterator[Arrival]:
    """Frames of line A and, if given, line B as they enter a port of 10 Gbit/s; the first of all is at time 0."""
    heads = []
    whole = []
    for frames in map(iter, lines):
        head = next(frames, None)
        heads += [] if head is None else [head.time_ns]
        whole.append(chain([] if head is None else [head], frames))
    start = min(heads, default=0)
    timed = [on_line(line, _since(start, frames)) for line, frames in zip(LINES, whole, strict=False)]
    return heapq.merge(*timed, key=lambda arrival: (first_clock(arrival.start_ps), arrival.line))


def _since(start: int, frames: Iterable[TimedFrame]) -> Iterator[tuple[int, bytes, bool]]:
    for time_ns, data, bad_fcs in frames:
        yield time_ns - start, data, bad_fcs


def received(arrivals: Iterable[Arrival], model: ReceiveModel) -> Iterator[tuple[Arrival, FrameResult]]:
    """What a receiver without hold makes of each: frames take effect in wire order, so pieces do as the whole would."""
    arrivals = iter(arrivals)
    while piece := list(islice(arrivals, FRAMES_AT_ONCE)):
        yield from zip(piece, model.run(piece), strict=True)
