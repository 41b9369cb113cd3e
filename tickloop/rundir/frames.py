# SPDX-License-Identifier: MIT
"""Lines of frames.jsonl and events.jsonl, both from the NIC's own frame reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.layout import DropReason, FrameKind
from tickloop.rundir.json_lines import JsonLines, Line

LINES = ("A", "B")  # frame_log.line
# frame_log.flags, bit by bit as records.toml lists them.
TRUNCATED, EXTRA_DATA, GAP, SESSION_CHANGE, END_OF_SESSION = 1, 2, 4, 8, 16
_NAMES = {enum: {member.value: member.name.lower() for member in enum} for enum in (DropReason, FrameKind)}


def frame_lines(frames: npt.NDArray[Any]) -> JsonLines:
    """One line a received frame, in wire order as the log is."""

    def make(rows: range) -> list[Line]:
        entries = _entries(frames[rows.start:rows.stop:rows.step])
        return [_frame_line(row, *entry) for row, entry in zip(rows, entries, strict=True)]

    return JsonLines(len(frames), make)


def _frame_line(frame: int, line: int, reason: int, kind: int, flags: int, sequence: int, count: int, _: int,
                session: str) -> Line:
    if reason != DropReason.ACCEPT:
        return {"frame": frame, "line": LINES[line], "disposition": "drop", "reason": enum_name(DropReason, reason)}
    made: Line = {
        "frame": frame, "line": LINES[line], "disposition": "accept", "kind": enum_name(FrameKind, kind),
        "session": session, "sequence": sequence, "count": count,
    }
    if flags & TRUNCATED:
        made["flag"] = "truncated"
    elif flags & EXTRA_DATA:
        made["flag"] = "extra_data"
    return made


def event_lines(frames: npt.NDArray[Any]) -> list[Line]:
    """The events in wire order; inside a frame, what its header says comes before what its end shows."""
    telling = (frames["flags"] & (TRUNCATED | GAP | SESSION_CHANGE | END_OF_SESSION)) != 0
    rows = np.flatnonzero(telling | (frames["reason"] != DropReason.ACCEPT))
    events: list[Line] = []
    for frame, entry in zip(rows.tolist(), _entries(frames[rows]), strict=True):
        _, reason, _, flags, sequence, _, gap_from, session = entry
        if reason != DropReason.ACCEPT:
            events.append({"event": "drop", "frame": frame, "reason": enum_name(DropReason, reason)})
        if flags & SESSION_CHANGE:
            events.append({"event": "session_change", "frame": frame, "session": session})
        if flags & GAP:
            events.append({"event": "gap", "from": gap_from, "to": sequence})
        if flags & END_OF_SESSION:
            events.append({"event": "end_of_session", "sequence": sequence})
        if flags & TRUNCATED:
            events.append({"event": "truncated", "frame": frame})
    return events


def _entries(frames: npt.NDArray[Any]) -> Iterator[tuple[int, int, int, int, int, int, int, str]]:
    """Line, reason, kind, flags, sequence, count, gap_from and session of each frame."""
    columns = [frames[name].tolist() for name in ("line", "reason", "kind", "flags", "sequence", "count", "gap_from")]
    sessions = [session.decode("latin-1") for session in text_column(frames["session"])]
    return zip(*columns, sessions, strict=True)


def text_column(column: npt.NDArray[np.uint8]) -> list[bytes]:
    """Rows of bytes, each as one string; NumPy's own strings would lose trailing zero bytes."""
    return np.ascontiguousarray(column).view(f"V{column.shape[1]}")[:, 0].tolist()  # type: ignore[no-any-return]


def enum_name(enum: type[DropReason] | type[FrameKind], value: int) -> str:
    """As the run directory writes it; a number that the layout does not know stays a number."""
    return _NAMES[enum].get(value) or str(value)
