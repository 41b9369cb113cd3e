# SPDX-License-Identifier: MIT
"""Lines of messages.jsonl: ring records as messages with their fields, in the order in which the host got them.

Fields come from where ``itch_body`` put them, column-wise per type; what the NIC does not decode (unknown, short and
empty messages) arrived raw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.layout import (
    CONTINUATION_BYTES,
    ITCH_BODY,
    RAW_FIRST_BYTES,
    STATUS_LINE_B,
    STATUS_RAW,
    DropReason,
    MessageStatus,
)
from generators.prototype import FIELDS as PROTOTYPE_FIELDS
from generators.tables import ITCH50
from tickloop.rundir.frames import LINES
from tickloop.rundir.lines import Lines, Records

RAW_OFFSET = 32  # rx_record.body: raw bytes start at offset 32 of the line
_PREFIX = ("stock_locate", "tracking_number", "timestamp")
Body = tuple[tuple[str, int, int, int, bool], ...]  # as ITCH_BODY
# The seed prototype's price and shares lie where an Add Order has them.
_PROTOTYPE_BODY = tuple(entry for entry in ITCH_BODY["A"] if entry[0] in PROTOTYPE_FIELDS)


def message_lines(records: Records, frames: npt.NDArray[Any],
                  verified: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages of ``records``, and what is wrong with them. Verified delivery knows no bad frame's messages, so
    its lines carry no verdict."""
    problems: list[str] = []
    sequence = records.column("sequence").tolist()
    length = records.column("length").tolist()
    code = records.column("type").tolist()
    status_byte = records.column("status")
    raw = (status_byte & np.uint64(STATUS_RAW)) != 0
    status = (status_byte & np.uint64(0xFF & ~(STATUS_RAW | STATUS_LINE_B))).astype(np.int64)
    frame = frames_of(records, frames, problems)
    bad = set(np.flatnonzero(frames["reason"] != DropReason.ACCEPT).tolist())
    origin = int(_timestamps(frames)[0]) if len(frames) else 0

    fields = _decoded_fields(records, raw, np.asarray(code))
    lines: list[dict[str, Any]] = []
    raw_flags = raw.tolist()
    on_line = line_index(records).tolist()
    times = records.column("hw_timestamp_ns").tolist()
    names = {member.value: member.name.lower() for member in MessageStatus}
    for i, number in enumerate(status.tolist()):
        if number not in names:
            problems.append(f"record {i}: impossible status {number}")
        line: dict[str, Any] = {
            "frame": frame[i], "line": LINES[on_line[i]], "sequence": sequence[i],
            "type": None if number == MessageStatus.ZERO_LENGTH else chr(code[i]),
            "length": length[i], "status": names.get(number, str(number)),
        }
        if raw_flags[i]:
            data = (records.first[i, RAW_OFFSET:RAW_OFFSET + RAW_FIRST_BYTES].tobytes()
                    + records.continuations.get(i, b""))[:length[i]]
            line["raw"] = data.hex()
        else:
            line["fields"] = fields.get(i)
        line["hw_timestamp_ns"] = times[i] - origin
        if not verified:
            line["verdict"] = "bad" if frame[i] in bad else "good"
        lines.append(line)
    return lines, problems + _prefix_problems(records, raw)


def line_index(records: Records) -> npt.NDArray[Any]:
    """The line on which each record's copy came: 0 A, 1 B."""
    on_b: npt.NDArray[Any] = (records.column("status") & np.uint64(STATUS_LINE_B)) != 0
    return on_b.astype(np.int64)


def frames_of(records: Records, frames: npt.NDArray[Any], problems: list[str]) -> list[int]:
    """Each record's frame, found by line and timestamp of the first byte; -1 where there is none."""
    starts = 2 * _timestamps(frames) + frames["line"]
    wanted = 2 * records.column("hw_timestamp_ns").astype(np.int64) + line_index(records)
    position = np.searchsorted(starts, wanted)
    known = position < len(starts)
    known[known] = starts[position[known]] == wanted[known]
    if not known.all():
        at = int(np.argmin(known))
        problems.append(f"record {at}: its hardware timestamp {wanted[at] >> 1} is that of no frame on its line")
    return [int(frame) for frame in np.where(known, position, -1)]


def _timestamps(frames: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(frames["hw_timestamp_ns"].astype(np.int64))


def _decoded_fields(records: Records, raw: npt.NDArray[Any], code: npt.NDArray[Any]) -> dict[int, dict[str, Any]]:
    """Fields by record, in the order of the protocol table."""
    if records.format == "prototype":
        return _columns(records, np.flatnonzero(~raw), _PROTOTYPE_BODY, {}, PROTOTYPE_FIELDS)
    fields: dict[int, dict[str, Any]] = {}
    for message_type, body in ITCH_BODY.items():
        rows = np.flatnonzero(~raw & (code == ord(message_type)))
        if len(rows):
            constant = {"message_type": [message_type] * len(rows)}
            fields |= _columns(records, rows, body, constant, ITCH50[message_type].names)
    return fields


def _columns(records: Records, rows: npt.NDArray[Any], body: Body, columns: dict[str, list[Any]],
             names: tuple[str, ...]) -> dict[int, dict[str, Any]]:
    """The named fields of ``rows``: ``columns``, those of the record's prefix, and those of its body."""
    lines = np.ascontiguousarray(records.first[rows])
    continuation = _continuation_lines(records, rows.tolist()) if any(line for _, line, *_ in body) else lines
    for name in _PREFIX:
        columns[name] = records.column(name)[rows].tolist()
    for name, line, offset, size, integer in body:
        columns[name] = _column(continuation if line else lines, offset, size, integer)
    values = zip(*(columns[name] for name in names), strict=True)
    return {row: dict(zip(names, entry, strict=True)) for row, entry in zip(rows.tolist(), values, strict=True)}


def _continuation_lines(records: Records, rows: list[int]) -> Lines:
    """First continuation lines; a missing one reads as zeros, and is already among the problems."""
    data = b"".join(records.continuations.get(row, b"")[:CONTINUATION_BYTES].ljust(CONTINUATION_BYTES, b"\0")
                    for row in rows)
    return np.frombuffer(data, np.uint8).reshape(len(rows), CONTINUATION_BYTES)


def _column(lines: Lines, offset: int, size: int, integer: bool) -> list[Any]:
    part = np.ascontiguousarray(lines[:, offset:offset + size])
    if integer:
        return list(part.view(f"<u{size}")[:, 0].tolist())
    return [value.decode("latin-1") for value in part.view(f"V{size}")[:, 0].tolist()]


def _prefix_problems(records: Records, raw: npt.NDArray[Any]) -> list[str]:
    """Of a message that is not decoded, stock locate, tracking number and timestamp must be 0."""
    problems = []
    for name in _PREFIX:
        column = records.column(name)
        problems += [f"record {i}: {name} is {column[i]} though the message is not decoded"
                     for i in np.flatnonzero(raw & (column != 0)).tolist()]
    return problems
