# SPDX-License-Identifier: MIT
"""Lines of frames.jsonl and events.jsonl, both from the NIC's own frame reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.layout import DropReason, FrameKind

LINES = ("A", "B")  # frame_log.line
# frame_log.flags, bit by bit as records.toml lists them.
TRUNCATED, EXTRA_DATA, GAP, SESSION_CHANGE, END_OF_SESSION = 1, 2, 4, 8, 16


def frame_lines(frames: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """One line a received frame, in wire order as the log is."""
    lines = []
    for index, entry in enumerate(_entries(frames)):
        line: dict[str, Any] = {"frame": index, "line": LINES[entry["line"]]}
        if entry["reason"] != DropReason.ACCEPT:
            line |= {"disposition": "drop", "reason": enum_name(DropReason, entry["reason"])}
        else:
            line |= {
                "disposition": "accept", "kind": enum_name(FrameKind, entry["kind"]), "session": entry["session"],
                "sequence": entry["sequence"], "count": entry["count"],
            }
            if entry["flags"] & TRUNCATED:
                line["flag"] = "truncated"
            elif entry["flags"] & EXTRA_DATA:
                line["flag"] = "extra_data"
        lines.append(line)
    return lines


def event_lines(frames: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """The events in wire order; inside a frame, what its header says comes before what its end shows."""
    events: list[dict[str, Any]] = []
    for index, entry in enumerate(_entries(frames)):
        flags = entry["flags"]
        if entry["reason"] != DropReason.ACCEPT:
            events.append({"event": "drop", "frame": index, "reason": enum_name(DropReason, entry["reason"])})
        if flags & SESSION_CHANGE:
            events.append({"event": "session_change", "frame": index, "session": entry["session"]})
        if flags & GAP:
            events.append({"event": "gap", "from": entry["gap_from"], "to": entry["sequence"]})
        if flags & END_OF_SESSION:
            events.append({"event": "end_of_session", "sequence": entry["sequence"]})
        if flags & TRUNCATED:
            events.append({"event": "truncated", "frame": index})
    return events


def _entries(frames: npt.NDArray[Any]) -> list[dict[str, Any]]:
    names = ("line", "reason", "kind", "flags", "sequence", "count", "gap_from")
    columns = {name: frames[name].tolist() for name in names}
    sessions = np.ascontiguousarray(frames["session"])
    columns["session"] = [row.tobytes().decode("latin-1") for row in sessions]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def enum_name(enum: type[DropReason] | type[FrameKind], value: int) -> str:
    """As the run directory writes it; a number that the layout does not know stays a number."""
    try:
        return enum(value).name.lower()
    except ValueError:
        return str(value)
