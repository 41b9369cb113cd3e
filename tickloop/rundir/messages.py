# SPDX-License-Identifier: MIT
"""Lines of messages.jsonl: ring records as messages with their fields, in wire order.

Decoded types come field by field from where ``itch_body`` put them, column-wise per type; the other types arrived raw
and are decoded here from the protocol table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.layout import CONTINUATION_BYTES, ITCH_BODY, RAW_FIRST_BYTES, STATUS_RAW, DropReason, MessageStatus
from generators.tables import ITCH50
from tickloop.rundir.lines import Lines, Records

RAW_OFFSET = 32  # rx_record.body: raw bytes start at offset 32 of the line
DECODED_STATUS = (MessageStatus.OK, MessageStatus.TOO_LONG)
_PREFIX = ("stock_locate", "tracking_number", "timestamp")


def message_lines(records: Records, frames: npt.NDArray[Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages of ``records``, whose frames are found in the frame log by their timestamps; and what is wrong."""
    problems = list(records.problems)
    sequence = records.column("sequence").tolist()
    length = records.column("length").tolist()
    code = records.column("type").tolist()
    status_byte = records.column("status")
    raw = (status_byte & np.uint64(STATUS_RAW)) != 0
    status = (status_byte & np.uint64(STATUS_RAW - 1)).astype(np.int64)
    timestamp = records.column("hw_timestamp_ns")

    starts = frames["hw_timestamp_ns"].astype(np.uint64)
    position = np.searchsorted(starts, timestamp)
    known = position < len(starts)
    known[known] = starts[position[known]] == timestamp[known]
    if not known.all():
        at = int(np.argmin(known))
        problems.append(f"record {at}: its hardware timestamp {timestamp[at]} is that of no frame")
    frame = np.where(known, position, -1).tolist()
    good = frames["reason"] == DropReason.ACCEPT
    bad = set(np.flatnonzero(~good).tolist())
    origin = int(starts[0]) if len(starts) else 0

    fields = _decoded_fields(records, raw, np.asarray(code))
    lines: list[dict[str, Any]] = []
    raw_flags = raw.tolist()
    times = timestamp.tolist()
    names = {member.value: member.name.lower() for member in MessageStatus}
    for i, number in enumerate(status.tolist()):
        if number not in names:
            problems.append(f"record {i}: impossible status {number}")
        line: dict[str, Any] = {
            "frame": frame[i], "line": "A", "sequence": sequence[i],
            "type": None if number == MessageStatus.ZERO_LENGTH else chr(code[i]),
            "length": length[i], "status": names.get(number, str(number)),
        }
        if raw_flags[i]:
            data = (records.first[i, RAW_OFFSET:RAW_OFFSET + RAW_FIRST_BYTES].tobytes()
                    + records.continuations.get(i, b""))[:length[i]]
            table = ITCH50.get(chr(code[i])) if number in DECODED_STATUS else None
            if table is not None and len(data) >= table.length:
                line["fields"] = table.decode(data)
            else:
                line["raw"] = data.hex()
        else:
            line["fields"] = fields.get(i)
        line["hw_timestamp_ns"] = times[i] - origin
        line["verdict"] = "bad" if frame[i] in bad else "good"
        lines.append(line)
    problems += _prefix_problems(records, raw, lines)
    return lines, problems


def _decoded_fields(records: Records, raw: npt.NDArray[Any], code: npt.NDArray[Any]) -> dict[int, dict[str, Any]]:
    """Fields by record, of the types that the NIC decodes, in the order of the protocol table."""
    fields: dict[int, dict[str, Any]] = {}
    for message_type, body in ITCH_BODY.items():
        rows = np.flatnonzero(~raw & (code == ord(message_type)))
        if not len(rows):
            continue
        lines = np.ascontiguousarray(records.first[rows])
        continuation = None
        columns: dict[str, list[Any]] = {"message_type": [message_type] * len(rows)}
        for name in _PREFIX:
            columns[name] = records.column(name)[rows].tolist()
        for name, line, offset, size, integer in body:
            if line and continuation is None:
                continuation = _continuation_lines(records, rows.tolist())
            source = continuation if line and continuation is not None else lines
            columns[name] = _column(source, offset, size, integer)
        names = ITCH50[message_type].names
        for row, values in zip(rows.tolist(), zip(*(columns[name] for name in names), strict=True), strict=True):
            fields[row] = dict(zip(names, values, strict=True))
    return fields


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


def _prefix_problems(records: Records, raw: npt.NDArray[Any], lines: list[dict[str, Any]]) -> list[str]:
    """A raw message's stock locate, tracking number and timestamp stand in its record too, and must agree."""
    columns = {name: records.column(name).tolist() for name in _PREFIX}
    problems = []
    for i in np.flatnonzero(raw).tolist():
        fields = lines[i].get("fields")
        for name in _PREFIX:
            expected = fields[name] if fields else 0
            if columns[name][i] != expected:
                problems.append(f"record {i}: {name} is {columns[name][i]}, its raw bytes say {expected}")
    return problems
