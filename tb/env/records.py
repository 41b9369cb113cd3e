# SPDX-License-Identifier: MIT
"""The lines that messages, events and raw frames must leave in a ring, byte for byte, by the shared layout.

Lines are given without the publish word, which is the ring's.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from bridge import layout
from bridge.layout import DropReason, FrameKind, MessageStatus
from tb.agents.fields import offset
from tb.model.receive import HostEvent, MessageResult

RECORD_BYTES = offset(layout.RX_RECORD, "publish")
STATUS = offset(layout.RX_RECORD, "status")
_BODY = offset(layout.RX_RECORD, "continuations")
_RAW = -(-offset(layout.RX_RECORD, "body") // 4) * 4   # raw bytes begin at the body's first multiple of 4
# sequence, hw_timestamp_ns, stock_locate, timestamp, tracking_number, length, type, status
_PREFIX = struct.Struct("<Q6sH6sHHBB")
# The prototype's price and shares lie where those of an Add Order do.
_PROTOTYPE = {name: (place, size) for name, _, place, size, _ in layout.ITCH_BODY["A"] if name in ("price", "shares")}

Lines = tuple[tuple[bytes, ...], bytes]   # continuation lines, first line


class Lost(NamedTuple):
    """What an rx_lost line says."""

    sequence: int
    messages: int


def is_message(record: bytes) -> bool:
    return not record[STATUS] & layout.STATUS_EVENT


def is_event(record: bytes) -> bool:
    return record[STATUS] & ~layout.STATUS_LINE_B == layout.STATUS_EVENT


def entry_line(record: bytes) -> str:
    """The line of a message or an event."""
    return "B" if record[STATUS] & layout.STATUS_LINE_B else "A"


def raw_line(record: bytes) -> str:
    """The line of a raw frame."""
    return "B" if record[offset(layout.RAW_FRAME, "line")] else "A"


def line_status(line: str) -> int:
    """The bit of a record's status that tells the line."""
    return layout.STATUS_LINE_B if line == "B" else 0


def lost(record: bytes) -> Lost:
    """Reads an rx_lost line."""
    found = np.frombuffer(record.ljust(layout.LINE_BYTES, b"\0"), layout.RX_LOST)[0]
    assert found["status"] == layout.STATUS_LOST, f"status {record[STATUS]:#x} is none of a first line"
    return Lost(int(found["sequence"]), int(found["count"]))


def message_lines(message: MessageResult, line: str, frame_time: int) -> Lines:
    """A delivered message."""
    fields = message.fields or {}
    status = int(MessageStatus[message.status.upper()]) | line_status(line)
    body = bytearray(RECORD_BYTES - _BODY)
    continuations: list[bytes] = []

    if message.fields is None:
        status |= layout.STATUS_RAW
        head, rest = message.raw[:layout.RAW_FIRST_BYTES], message.raw[layout.RAW_FIRST_BYTES:]
        body[_RAW - _BODY:_RAW - _BODY + len(head)] = head
        size = layout.CONTINUATION_BYTES
        continuations = [rest[at:at + size].ljust(RECORD_BYTES, b"\0") for at in range(0, len(rest), size)]
    elif message.format == "prototype":
        for name, (place, size) in _PROTOTYPE.items():
            body[place - _BODY:place - _BODY + size] = fields[name].to_bytes(size, "little")
    else:
        lines = [body, bytearray(RECORD_BYTES)]
        used = 0
        for name, at_line, place, size, is_integer in layout.ITCH_BODY[message.type or ""]:
            value = fields[name].to_bytes(size, "little") if is_integer else fields[name].encode("latin-1")
            at = place if at_line else place - _BODY
            lines[at_line][at:at + size] = value
            used = max(used, at_line)
        continuations = [bytes(further) for further in lines[1:used + 1]]

    body[0] = len(continuations)
    prefix = _PREFIX.pack(
        message.sequence, frame_time.to_bytes(6, "little"), fields.get("stock_locate", 0),
        fields.get("timestamp", 0).to_bytes(6, "little"), fields.get("tracking_number", 0), message.length,
        message.raw[0] if message.raw else 0, status,
    )
    return tuple(continuations), prefix + bytes(body)


def event_line(event: HostEvent, frame_time: int) -> bytes:
    """An event."""
    record = np.zeros(1, layout.RX_EVENT)[0]
    record["sequence"], record["count"] = event.sequence, event.count
    record["gap_from"], record["delivered"] = event.gap_from, event.delivered
    record["hw_timestamp_ns"] = list(frame_time.to_bytes(6, "little"))
    record["status"] = layout.STATUS_EVENT | line_status(event.line)
    record["reason"] = int(DropReason[(event.reason or "accept").upper()])
    record["kind"] = int(FrameKind[event.kind.upper()])
    record["flags"] = sum(flag << bit for bit, flag in enumerate(event.flags))
    record["session"] = list(event.session)
    return bytes(record.tobytes()[:RECORD_BYTES])


def raw_frame_lines(data: bytes, line: str, reason: str, frame_time: int) -> Lines:
    """A frame in the raw ring."""
    size = layout.CONTINUATION_BYTES
    continuations = tuple(data[at:at + size].ljust(RECORD_BYTES, b"\0") for at in range(0, len(data), size))
    record = np.zeros(1, layout.RAW_FRAME)[0]
    record["hw_timestamp_ns"] = list(frame_time.to_bytes(6, "little"))
    record["line"], record["reason"] = int(line == "B"), int(DropReason[reason.upper()])
    record["length"], record["status"] = len(data), layout.STATUS_FRAME
    record["continuations"] = len(continuations)
    return continuations, bytes(record.tobytes()[:RECORD_BYTES])
