# SPDX-License-Identifier: MIT
"""Writes the frame player's input: when each frame is due, and its bytes. The player keeps the line's minimum gap."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from bridge.interface import BridgeError

HEADER = struct.Struct("<QII")  # stimulus_frame
LIMIT_NS = (1 << 48) - 10**9  # the NIC counts 48 bits of nanoseconds, and does so for a while before the first frame
DAY_NS = 86_400 * 10**9


def write_stimulus(path: Path, frames: Iterable[tuple[int, bytes, bool]]) -> int:
    """Write ``(time_ns, frame, bad_fcs)`` entries, times from the first frame on; returns their number.

    Raises:
        BridgeError: status 2, a frame lies beyond the range of the NIC's time.
        OSError: the file cannot be written.
    """
    count = 0
    with path.open("wb") as file:
        for time_ns, data, bad_fcs in frames:
            if time_ns >= LIMIT_NS:
                raise BridgeError(
                    2,
                    f"frame {count} comes {time_ns / DAY_NS:.1f} days after the first; "
                    f"a run spans at most {LIMIT_NS / DAY_NS:.1f}",
                )
            file.write(HEADER.pack(time_ns * 1000, len(data), int(bad_fcs)) + data + bytes(-len(data) % 8))
            count += 1
    return count
