# SPDX-License-Identifier: MIT
"""The frame player's input: when each frame is due, its line and its bytes. The player keeps each line's minimum
gap."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bridge import layout
from bridge.interface import BridgeError

HEADER = struct.Struct("<QII")  # stimulus_frame
LIMIT_NS = (1 << 48) - 10**9  # the NIC counts 48 bits of nanoseconds, and does so for a while before the first frame
DAY_NS = 86_400 * 10**9
LINE_A, LINE_B = 0, 1

Frame = tuple[int, bytes, bool] | tuple[int, bytes, bool, int]


def write_stimulus(path: Path, frames: Iterable[Frame]) -> int:
    """Write ``(time_ns, frame, bad_fcs)`` or ``(time_ns, frame, bad_fcs, line)`` entries; returns their number.

    Times count from the first frame of the run and do not decrease on a line. ``line``: LINE_A (default) or LINE_B.

    Raises:
        BridgeError: status 2, a frame lies beyond the range of the NIC's time.
        OSError: the file cannot be written.
    """
    count = 0
    with path.open("wb") as file:
        for time_ns, data, bad_fcs, *line in frames:
            if time_ns >= LIMIT_NS:
                raise BridgeError(
                    2,
                    f"frame {count} comes {time_ns / DAY_NS:.1f} days after the first; "
                    f"a run spans at most {LIMIT_NS / DAY_NS:.1f}",
                )
            flags = (layout.STIMULUS_BAD_FCS if bad_fcs else 0) | (layout.STIMULUS_LINE_B if any(line) else 0)
            file.write(HEADER.pack(time_ns * 1000, len(data), flags) + data + bytes(-len(data) % 8))
            count += 1
    return count


class StimulusFrame(NamedTuple):
    """An entry."""

    time_ns: int
    data: bytes
    bad_fcs: bool
    line: int


def read_stimulus(path: Path) -> Iterator[StimulusFrame]:
    """The whole entries of a stimulus, in their order, which is that of their times on each line only."""
    data, at = path.read_bytes(), 0
    while at + HEADER.size <= len(data):
        time_ps, length, flags = HEADER.unpack_from(data, at)
        start = at + HEADER.size
        at = start + length + -length % 8
        if at > len(data):
            return
        bad_fcs, line_b = bool(flags & layout.STIMULUS_BAD_FCS), bool(flags & layout.STIMULUS_LINE_B)
        yield StimulusFrame(time_ps // 1000, data[start : start + length], bad_fcs, LINE_B if line_b else LINE_A)
