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
from tickloop.rundir.frames import LINES, text_column
from tickloop.rundir.json_lines import JsonLines, Line
from tickloop.rundir.lines import Lines, Records

RAW_OFFSET = 32  # rx_record.body: raw bytes start at offset 32 of the line
_PREFIX = ("stock_locate", "tracking_number", "timestamp")
_STATUSES = {member.value: member.name.lower() for member in MessageStatus}
Body = tuple[tuple[str, int, int, int, bool], ...]  # as ITCH_BODY
# The seed prototype's price and shares lie where an Add Order has them.
_PROTOTYPE_BODY = tuple(entry for entry in ITCH_BODY["A"] if entry[0] in PROTOTYPE_FIELDS)


def message_lines(records: Records, frame: npt.NDArray[np.int64], frames: npt.NDArray[Any],
                  verified: bool) -> tuple[JsonLines, list[str]]:
    """The messages of ``records``, and what is wrong with them; ``frame`` as ``frames_of`` gives it. Verified delivery
    knows no bad frame's messages, so its lines carry no verdict."""
    bad = frames["reason"] != DropReason.ACCEPT
    origin = int(_timestamps(frames)[0]) if len(frames) else 0

    def make(rows: range) -> list[Line]:
        index = np.arange(rows.start, rows.stop, rows.step)
        lines = _lines(records.take(index), frame[index].tolist(), origin)
        if not verified:
            for line in lines:
                line["verdict"] = "bad" if line["frame"] >= 0 and bad[line["frame"]] else "good"
        return lines

    return JsonLines(len(records), make), _status_problems(records) + _prefix_problems(records)


def _lines(records: Records, frame: list[int], origin: int) -> list[Line]:
    """Lines without a verdict."""
    status = _status(records).tolist()
    codes, lengths = records.column("type").tolist(), records.column("length").tolist()
    known = zip(
        frame, [LINES[number] for number in line_index(records).tolist()], records.column("sequence").tolist(),
        [None if number == MessageStatus.ZERO_LENGTH else chr(code)
         for number, code in zip(status, codes, strict=True)],
        lengths, [_STATUSES.get(number, str(number)) for number in status], _bodies(records, lengths),
        (records.column("hw_timestamp_ns").astype(np.int64) - origin).tolist(), strict=True,
    )
    return [{"frame": frame, "line": line, "sequence": sequence, "type": message_type, "length": length,
             "status": status, key: body, "hw_timestamp_ns": time}
            for frame, line, sequence, message_type, length, status, (key, body), time in known]


def _bodies(records: Records, lengths: list[int]) -> list[tuple[str, Any]]:
    """Of each record ``fields``, or ``raw`` where the NIC does not decode it."""
    raw = _is_raw(records)
    fields = _decoded_fields(records, raw)
    bodies: list[tuple[str, Any]] = [("fields", fields.get(row)) for row in range(len(records))]
    for row in np.flatnonzero(raw).tolist():
        data = (records.first[row, RAW_OFFSET:RAW_OFFSET + RAW_FIRST_BYTES].tobytes()
                + records.continuations.get(row, b""))[:lengths[row]]
        bodies[row] = "raw", data.hex()
    return bodies


def _is_raw(records: Records) -> npt.NDArray[np.bool_]:
    raw: npt.NDArray[np.bool_] = (records.column("status") & np.uint64(STATUS_RAW)) != 0
    return raw


def _status(records: Records) -> npt.NDArray[np.uint64]:
    return records.column("status") & np.uint64(0xFF & ~(STATUS_RAW | STATUS_LINE_B))


def line_index(records: Records) -> npt.NDArray[Any]:
    """The line on which each record's copy came: 0 A, 1 B."""
    on_b: npt.NDArray[Any] = (records.column("status") & np.uint64(STATUS_LINE_B)) != 0
    return on_b.astype(np.int64)


def frames_of(records: Records, frames: npt.NDArray[Any], problems: list[str]) -> npt.NDArray[np.int64]:
    """Each record's frame, found by line and timestamp of the first byte; -1 where there is none."""
    starts = 2 * _timestamps(frames) + frames["line"]
    wanted = 2 * records.column("hw_timestamp_ns").astype(np.int64) + line_index(records)
    position = np.searchsorted(starts, wanted)
    known = position < len(starts)
    known[known] = starts[position[known]] == wanted[known]
    if not known.all():
        at = int(np.argmin(known))
        problems.append(f"record {at}: its hardware timestamp {wanted[at] >> 1} is that of no frame on its line")
    return np.where(known, position, -1)


def _timestamps(frames: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(frames["hw_timestamp_ns"].astype(np.int64))


def _decoded_fields(records: Records, raw: npt.NDArray[np.bool_]) -> dict[int, dict[str, Any]]:
    """Fields by record, in the order of the protocol table."""
    if records.format == "prototype":
        return _columns(records, np.flatnonzero(~raw), _PROTOTYPE_BODY, {}, PROTOTYPE_FIELDS)
    fields: dict[int, dict[str, Any]] = {}
    code = records.column("type")
    for message_type in map(chr, sorted(set(code[~raw].tolist()))):
        if message_type in ITCH_BODY:
            rows = np.flatnonzero(~raw & (code == ord(message_type)))
            constant = {"message_type": [message_type] * len(rows)}
            fields |= _columns(records, rows, ITCH_BODY[message_type], constant, ITCH50[message_type].names)
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
    return [value.decode("latin-1") for value in text_column(part)]


def _status_problems(records: Records) -> list[str]:
    status = _status(records)
    unknown = ~np.isin(status, list(_STATUSES))
    return [f"record {i}: impossible status {status[i]}" for i in np.flatnonzero(unknown).tolist()]


def _prefix_problems(records: Records) -> list[str]:
    """Of a message that is not decoded, stock locate, tracking number and timestamp must be 0."""
    raw = _is_raw(records)
    problems = []
    for name in _PREFIX:
        column = records.column(name)
        problems += [f"record {i}: {name} is {column[i]} though the message is not decoded"
                     for i in np.flatnonzero(raw & (column != 0)).tolist()]
    return problems
