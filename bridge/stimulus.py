# SPDX-License-Identifier: MIT
"""Writes the frame player's input: when each frame is due, and its bytes. The player keeps the line's minimum gap."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

HEADER = struct.Struct("<QII")  # stimulus_frame


def write_stimulus(path: Path, frames: Iterable[tuple[int, bytes, bool]]) -> int:
    """Write ``(time_ns, frame, bad_fcs)`` entries, times from the first frame on; returns their number.

    Raises:
        OSError: the file cannot be written.
    """
    count = 0
    with path.open("wb") as file:
        for time_ns, data, bad_fcs in frames:
            file.write(HEADER.pack(time_ns * 1000, len(data), int(bad_fcs)) + data + bytes(-len(data) % 8))
            count += 1
    return count
