# SPDX-License-Identifier: MIT
"""Event lines of the RX ring: what the NIC told the host beside messages. rx_event is of a frame, rx_lost of messages
for which there was no room."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.layout import REGISTER_FIELDS, RX_EVENT, RX_LOST, STATUS_LINE_B, STATUS_LOST, DropReason, FrameKind
from tickloop.rundir.frames import LINES, enum_name
from tickloop.rundir.lines import Records
from tickloop.rundir.messages import frames_of, line_index


def enabled_events(registers: dict[str, int]) -> set[str]:
    """The bits of EVENT_ENABLE that are set."""
    return {name for name, bit in REGISTER_FIELDS["EVENT_ENABLE"].items() if registers["EVENT_ENABLE"] & bit}


def believed(line: dict[str, Any]) -> dict[str, Any]:
    """The line without the packet header of a frame that was dropped and delivered nothing: whether the NIC had seen
    that header before it found the reason is a matter of clocks, and nothing follows from what it says."""
    if line["reason"] is None or line["delivered"]:
        return line
    return {key: value for key, value in line.items() if key not in ("sequence", "count", "session")}


def host_events(records: Records, frames: npt.NDArray[Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What each rx_event of ``records`` says, line A's before line B's, and the problems that the lines tell of.

    Each line's frames end in order; between the lines, the end of a frame that changes nothing waits for no other.
    """
    problems: list[str] = []
    status = records.column("status") & np.uint64(0xFF & ~STATUS_LINE_B)
    lost = records.select(status == STATUS_LOST)
    if len(lost):
        entries = lost.first.view(RX_LOST)[:, 0]
        problems.append(f"the NIC told of {int(entries['count'].sum())} message(s) lost for want of room, the first "
                        f"with sequence number {int(entries['sequence'][0])}")
    told = records.select(status != STATUS_LOST)
    frame = frames_of(told, frames, problems).tolist()
    on_line = line_index(told).tolist()
    lines = []
    for i, entry in enumerate(told.first.view(RX_EVENT)[:, 0] if len(told) else ()):
        reason = int(entry["reason"])
        lines.append(believed({
            "frame": frame[i], "line": LINES[on_line[i]], "sequence": int(entry["sequence"]),
            "count": int(entry["count"]), "gap_from": int(entry["gap_from"]), "delivered": int(entry["delivered"]),
            "reason": None if reason == DropReason.ACCEPT else enum_name(DropReason, reason),
            "kind": enum_name(FrameKind, int(entry["kind"])), "flags": int(entry["flags"]),
            "session": entry["session"].tobytes().decode("latin-1"),
        }))
    return sorted(lines, key=lambda line: str(line["line"])), problems
