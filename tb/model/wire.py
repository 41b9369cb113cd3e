# SPDX-License-Identifier: MIT
"""When frames reach the receive ports: each line carries one frame after the other at 10 Gbit/s (0.8 ns a byte).

A frame starts at its capture time or, while the line is busy, right after the frame before it with preamble, FCS and
minimum gap between them (IEEE 802.3: 8, 4 and 12 bytes). The port is 8 bytes wide, so it first sees a frame at the
next clock edge; where both lines start in one clock, line A comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LINES = ("A", "B")
BYTE_PS = 800
OVERHEAD_BYTES = 8 + 4 + 12
CLOCK_PS = 8 * BYTE_PS


class Arrival(NamedTuple):
    """A frame, without its FCS, and when its first byte enters."""

    line: str
    start_ps: int
    data: bytes
    bad_fcs: bool = False


def on_line(line: str, captured: Iterable[tuple[int, bytes] | tuple[int, bytes, bool]],
            byte_ps: int = BYTE_PS) -> Iterator[Arrival]:
    """Arrivals of one line's (capture time in ns, frame[, bad FCS]), times from the first frame of the run."""
    free_ps = 0
    for time_ns, data, *bad_fcs in captured:
        start_ps = max(time_ns * 1000, free_ps)
        free_ps = start_ps + (len(data) + OVERHEAD_BYTES) * byte_ps
        yield Arrival(line, start_ps, data, any(bad_fcs))


def first_clock(start_ps: int, clock_ps: int = CLOCK_PS) -> int:
    """The clock at which the port sees the first byte."""
    return -(-start_ps // clock_ps)


def in_wire_order(arrivals: Iterable[Arrival], clock_ps: int = CLOCK_PS) -> list[Arrival]:
    """Both lines' frames in the order of their first bytes at the ports; frames of one line keep their order."""
    return sorted(arrivals, key=lambda arrival: (first_clock(arrival.start_ps, clock_ps), arrival.line))
