# SPDX-License-Identifier: MIT
"""The lines that a delivered message must leave, byte for byte, by the shared layout and the ITCH tables."""

from __future__ import annotations

import struct

from bridge import layout
from bridge.layout import MessageStatus
from generators import prototype
from tb.model.receive import MessageResult

RECORD_BYTES = layout.RX_RECORD.fields["publish"][1]  # of a line, without the publish word
BODY = layout.RX_RECORD.fields["continuations"][1]
RAW = -(-layout.RX_RECORD.fields["body"][1] // 4) * 4  # raw bytes begin at the body's first multiple of 4
# price and shares lie where an Add Order has them
PROTOTYPE_BODY = {name: (offset, size) for name, _, offset, size, _ in layout.ITCH_BODY["A"]}
# sequence, hw_timestamp_ns, stock_locate, timestamp, tracking_number, length, type, status
_PREFIX = struct.Struct("<Q6sH6sHHBB")


def expected_lines(message: MessageResult, frame_time: int, line_b: bool = False) -> tuple[tuple[bytes, ...], bytes]:
    """Continuation lines and record."""
    fields = message.fields or {}
    status = int(MessageStatus[message.status.upper()]) | (layout.STATUS_LINE_B if line_b else 0)
    body = bytearray(RECORD_BYTES - BODY)
    continuations: list[bytes] = []

    if message.fields is not None and message.format == "prototype":
        for name in prototype.FIELDS[1:]:
            at, size = PROTOTYPE_BODY[name]
            body[at - BODY:at - BODY + size] = fields[name].to_bytes(size, "little")
    elif message.fields is not None and message.type in layout.ITCH_BODY:
        lines = [body, bytearray(RECORD_BYTES)]
        used = 0
        for name, line, offset, size, is_integer in layout.ITCH_BODY[message.type]:
            value = fields[name].to_bytes(size, "little") if is_integer else fields[name].encode("latin-1")
            at = offset if line else offset - BODY
            lines[line][at:at + size] = value
            used = max(used, line)
        continuations = [bytes(line) for line in lines[1:used + 1]]
    else:
        status |= layout.STATUS_RAW
        head, rest = message.raw[:layout.RAW_FIRST_BYTES], message.raw[layout.RAW_FIRST_BYTES:]
        body[RAW - BODY:RAW - BODY + len(head)] = head
        size = layout.CONTINUATION_BYTES
        continuations = [rest[at:at + size].ljust(RECORD_BYTES, b"\0") for at in range(0, len(rest), size)]

    body[0] = len(continuations)
    prefix = _PREFIX.pack(
        message.sequence, frame_time.to_bytes(6, "little"), fields.get("stock_locate", 0),
        fields.get("timestamp", 0).to_bytes(6, "little"), fields.get("tracking_number", 0), message.length,
        message.raw[0] if message.raw else 0, status,
    )
    return tuple(continuations), prefix + bytes(body)
