# SPDX-License-Identifier: MIT
"""A UDP payload as a packet of messages: MoldUDP64, or the seed prototype's format of one message a packet.

Only whole messages come out; what the payload cuts off is told as ``truncated``, what lies behind as ``extra_data``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from generators import prototype
from generators.tables import ITCH50, MOLD_BLOCK, MOLD_END_OF_SESSION, MOLD_HEADER, MOLD_HEARTBEAT

PacketFormat = Literal["mold", "prototype"]
Kind = Literal["data", "heartbeat", "end_of_session"]
Status = Literal["ok", "unknown_type", "zero_length", "too_short", "too_long"]
Verdict = Literal["good", "bad"]

STATUSES: tuple[Status, ...] = ("ok", "unknown_type", "zero_length", "too_short", "too_long")
SESSION_BYTES = MOLD_HEADER.field("session").length or 0
HEADER_BYTES: dict[PacketFormat, int] = {"mold": MOLD_HEADER.length, "prototype": prototype.HEADER.size}


@dataclass(slots=True)
class Packet:
    """``sequence`` is that of the first block; None where the format has none and the receiver counts."""

    session: bytes
    sequence: int | None
    count: int
    kind: Kind
    blocks: list[bytes]
    truncated: bool
    extra_data: bool


def parse(payload: bytes, packet_format: PacketFormat) -> Packet:
    """The packet of a payload in which its header is complete."""
    return _mold(payload) if packet_format == "mold" else _prototype(payload)


def _mold(payload: bytes) -> Packet:
    session, sequence, count = MOLD_HEADER.struct.unpack_from(payload)
    if count in (MOLD_HEARTBEAT, MOLD_END_OF_SESSION):
        kind: Kind = "heartbeat" if count == MOLD_HEARTBEAT else "end_of_session"
        return Packet(session, sequence, count, kind, [], False, len(payload) > MOLD_HEADER.length)
    blocks: list[bytes] = []
    position = MOLD_HEADER.length
    while len(blocks) < count:
        start = position + MOLD_BLOCK.length
        if start > len(payload):
            break
        end = start + int.from_bytes(payload[position:start], "big")
        if end > len(payload):
            break
        blocks.append(payload[start:end])
        position = end
    whole = len(blocks) == count
    return Packet(session, sequence, count, "data", blocks, not whole, whole and position < len(payload))


def _prototype(payload: bytes) -> Packet:
    session, length = prototype.HEADER.unpack_from(payload)
    start = prototype.HEADER.size
    end = start + length
    blocks = [payload[start:end]] if end <= len(payload) else []
    return Packet(session.ljust(SESSION_BYTES), None, 1, "data", blocks, not blocks, end < len(payload))


@dataclass(slots=True)
class MessageResult:
    """One message. ``fields`` are decoded whenever they are asked for: those of a whole run would fill gigabytes.

    ``verdict`` is that of its frame in cut-through; verified delivery has none, since it delivers only good frames.
    """

    sequence: int
    type: str | None
    length: int
    status: Status
    raw: bytes
    verdict: Verdict | None = "good"
    format: PacketFormat = "mold"

    @property
    def fields(self) -> dict[str, Any] | None:
        """The fields of the known prefix; None unless the status is ok or too_long."""
        if self.type is None or self.status not in ("ok", "too_long"):
            return None
        return prototype.decode(self.raw) if self.format == "prototype" else ITCH50[self.type].decode(self.raw)

    @property
    def stock_locate(self) -> int:
        """As in the record, which the filter looks at: 0 where the message is not decoded."""
        fields = self.fields
        return int(fields["stock_locate"]) if fields is not None else 0

    def as_line(self, frame: int, line: str = "A") -> dict[str, Any]:
        """The message's line of messages.jsonl, but for its hardware timestamp, which only the NIC's clock knows."""
        record: dict[str, Any] = {
            "frame": frame, "line": line, "sequence": self.sequence, "type": self.type, "length": self.length,
            "status": self.status,
        }
        fields = self.fields
        if fields is None:
            record["raw"] = self.raw.hex()
        else:
            record["fields"] = fields
        if self.verdict is not None:
            record["verdict"] = self.verdict
        return record


def message(sequence: int, raw: bytes, verdict: Verdict | None, packet_format: PacketFormat) -> MessageResult:
    """One block as a message."""
    if not raw:
        return MessageResult(sequence, None, 0, "zero_length", raw, verdict, packet_format)
    message_type = chr(raw[0])
    if packet_format == "prototype":
        known: int | None = prototype.MESSAGE.size  # whatever the type
    else:
        known = ITCH50[message_type].length if message_type in ITCH50 else None
    status: Status
    if known is None:
        status = "unknown_type"
    elif len(raw) < known:
        status = "too_short"
    elif len(raw) > known:
        status = "too_long"
    else:
        status = "ok"
    return MessageResult(sequence, message_type, len(raw), status, raw, verdict, packet_format)
