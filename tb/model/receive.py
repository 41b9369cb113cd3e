# SPDX-License-Identifier: MIT
"""What the receiver must make of each frame: verdict, delivered messages, events and counters, in cut-through delivery.

A frame is judged in the stages in which its bytes arrive. Header stages drop it before it delivers anything; what only
the end of the frame shows (oversize, FCS, lengths, UDP checksum) comes after its messages went out, so it can merely
call them bad and restore the stream to what it was before the frame.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Literal, NamedTuple

from generators.tables import ITCH50, MOLD_BLOCK, MOLD_END_OF_SESSION, MOLD_HEADER, MOLD_HEARTBEAT

Disposition = Literal["accept", "drop"]
Kind = Literal["data", "heartbeat", "end_of_session"]
Status = Literal["ok", "unknown_type", "zero_length", "too_short", "too_long"]
Verdict = Literal["good", "bad"]

# In the order in which they apply to a frame that is judged whole; udp_length applies at two places.
DROP_REASONS = (
    "oversize", "bad_fcs", "vlan_depth", "not_ipv4", "truncated_ip", "bad_ip_version", "bad_ihl", "bad_ip_checksum",
    "ip_length", "ip_fragment", "not_udp", "other_destination", "udp_length", "other_port", "bad_udp_checksum",
    "short_mold_header",
)
STATUSES: tuple[Status, ...] = ("ok", "unknown_type", "zero_length", "too_short", "too_long")

MAX_FRAME_BYTES = 9216  # without FCS; nothing beyond is ever delivered, though only the frame's end tells oversize
MAX_TAGS = 2
ADDRESSES_BYTES = 12  # destination and source MAC address
ETHERTYPE_IPV4 = 0x0800
ETHERTYPES_VLAN = (0x8100, 0x88A8)  # IEEE 802.1Q C-tag and S-tag
TAG_BYTES = 4
IP_HEADER_BYTES = 20  # without options, RFC 791
IP_MORE_FRAGMENTS_AND_OFFSET = 0x3FFF
PROTOCOL_UDP = 17
UDP_HEADER_BYTES = 8
SEQUENCES = 1 << 64
SEQUENCE_AHEAD = 1 << 63

_U16 = struct.Struct(">H")
# RFC 791: version and IHL, DSCP, total length, identification, flags and offset, TTL, protocol, checksum, addresses.
_IP = struct.Struct(">BxH2xHxB2xII")
# RFC 768: source port, destination port, length, checksum.
_UDP = struct.Struct(">2xHHH")


def ones_complement_sum(data: bytes, start: int = 0) -> int:
    """The folded 16-bit one's complement sum of RFC 1071; an odd last byte is filled with zero on the right."""
    if len(data) % 2:
        data += b"\0"
    total: int = start + sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ahead(sequence: int, of: int) -> int:
    """How far ``sequence`` lies ahead of ``of`` modulo 2^64, 0 included; negative where it lies behind."""
    distance = (sequence - of) % SEQUENCES
    return distance if distance < SEQUENCE_AHEAD else distance - SEQUENCES


class Flags(NamedTuple):
    """What a frame's report says beside its disposition; all false for a dropped frame."""

    truncated: bool = False
    extra_data: bool = False
    gap: bool = False
    session_change: bool = False
    end_of_session: bool = False  # the first of its session


NO_FLAGS = Flags()


@dataclass(slots=True)
class MessageResult:
    """One delivered message. ``fields`` are decoded when first asked for: most comparisons of a run need them once."""

    sequence: int
    type: str | None
    length: int
    status: Status
    raw: bytes
    verdict: Verdict = "good"
    _fields: dict[str, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def fields(self) -> dict[str, Any] | None:
        """The fields of the known prefix; None unless the status is ok or too_long."""
        if self._fields is None and self.type is not None and self.status in ("ok", "too_long"):
            self._fields = ITCH50[self.type].decode(self.raw)
        return self._fields

    def as_line(self, frame: int, line: str = "A") -> dict[str, Any]:
        """The message's line of messages.jsonl, but for its hardware timestamp, which only the NIC's clock knows."""
        body: dict[str, Any] = {"raw": self.raw.hex()} if self.fields is None else {"fields": self.fields}
        return {
            "frame": frame, "line": line, "sequence": self.sequence, "type": self.type, "length": self.length,
            "status": self.status, **body, "verdict": self.verdict,
        }


@dataclass(slots=True)
class FrameResult:
    """One received frame. ``messages`` holds what was delivered: in cut-through also those of a frame that is bad."""

    frame: int
    disposition: Disposition
    reason: str | None = None
    kind: Kind | None = None
    session: str | None = None
    sequence: int | None = None
    count: int | None = None
    flags: Flags = NO_FLAGS
    gap_from: int | None = None
    messages: list[MessageResult] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def as_line(self, line: str = "A") -> dict[str, Any]:
        """The frame's line of frames.jsonl."""
        record: dict[str, Any] = {"frame": self.frame, "line": line, "disposition": self.disposition}
        if self.disposition == "drop":
            return record | {"reason": self.reason}
        record |= {"kind": self.kind, "session": self.session, "sequence": self.sequence, "count": self.count}
        if self.flags.truncated:
            record["flag"] = "truncated"
        elif self.flags.extra_data:
            record["flag"] = "extra_data"
        return record


@dataclass(frozen=True, slots=True)
class _Datagram:
    """A frame whose headers passed: where its UDP payload lies, and what the end of the frame has yet to show."""

    ip_end: int
    udp_start: int
    udp_end: int
    udp_checksum: int
    pseudo_header_sum: int


class _Drop(Exception):
    """A header stage found a reason to drop the frame."""


class _FrameEnded(Exception):
    """The frame ended inside a header; the argument is the reason, if nothing at the frame's end comes before it."""


@dataclass(slots=True)
class _Stream:
    """The MoldUDP64 stream as of the last accepted packet; copied, so that a bad frame leaves it as it was."""

    session: bytes | None = None
    next_expected: int = 0
    ended: bool = False

    def copy(self) -> _Stream:
        return _Stream(self.session, self.next_expected, self.ended)


class ReceiveModel:
    """One receive line from reset on. Frames are given in the order in which they arrive."""

    def __init__(self, group_address: str, group_port: int) -> None:
        self._group_address = int(IPv4Address(group_address))
        self._group_port = group_port
        self._stream = _Stream()
        self._frames = 0
        self._accepted = 0
        self._dropped = dict.fromkeys(DROP_REASONS, 0)
        self._messages: dict[str, int] = dict.fromkeys(STATUSES, 0)
        self._bad_messages = 0
        self._duplicates = 0
        self._gaps = 0

    @property
    def counters(self) -> dict[str, Any]:
        """The counters of summary.json; ``messages`` are those of accepted frames, the others are ``bad_messages``."""
        return {
            "frames": self._frames,
            "accepted": self._accepted,
            "dropped": dict(self._dropped),
            "messages": dict(self._messages),
            "bad_messages": self._bad_messages,
            "duplicates": self._duplicates,
            "gaps": self._gaps,
            "next_expected": None if self._stream.session is None else self._stream.next_expected,
        }

    def frame(self, data: bytes, bad_fcs: bool = False) -> FrameResult:
        """Receives one frame, given without its FCS."""
        number = self._frames
        self._frames += 1
        try:
            datagram = self._headers(data)
        except _Drop as drop:
            return self._drop(FrameResult(number, "drop", str(drop)))
        except _FrameEnded as ended:
            return self._drop(FrameResult(number, "drop", "bad_fcs" if bad_fcs else str(ended)))

        before = self._stream.copy()
        result = FrameResult(number, "accept")
        payload = data[datagram.udp_start + UDP_HEADER_BYTES:min(datagram.udp_end, MAX_FRAME_BYTES)]
        duplicates = self._packet(payload, result) if len(payload) >= MOLD_HEADER.length else 0

        reason = self._reason_at_end(data, datagram, bad_fcs)
        if reason is not None:
            self._stream = before
            for message in result.messages:
                message.verdict = "bad"
            self._bad_messages += len(result.messages)
            return self._drop(FrameResult(number, "drop", reason, messages=result.messages))

        self._accepted += 1
        self._duplicates += duplicates
        self._gaps += result.flags.gap
        for message in result.messages:
            self._messages[message.status] += 1
        return result

    def _drop(self, result: FrameResult) -> FrameResult:
        assert result.reason is not None
        self._dropped[result.reason] += 1
        result.events.append({"event": "drop", "frame": result.frame, "reason": result.reason})
        return result

    def _headers(self, data: bytes) -> _Datagram:
        """The stages up to the UDP header, each as soon as its bytes are there.

        Raises:
            _Drop: a stage found its reason.
            _FrameEnded: the frame ended before the stage was complete.
        """
        ip_start = _after_ethertype(data)
        if len(data) < ip_start + IP_HEADER_BYTES:
            # Also where the IHL byte is there and asks for more: the header cannot be complete either way.
            raise _FrameEnded("truncated_ip")
        version_ihl, total, fragment, protocol, source, destination = _IP.unpack_from(data, ip_start)
        header_bytes = 4 * (version_ihl & 15)
        if len(data) < ip_start + header_bytes:
            raise _FrameEnded("truncated_ip")
        if version_ihl >> 4 != 4:
            raise _Drop("bad_ip_version")
        if header_bytes < IP_HEADER_BYTES:
            raise _Drop("bad_ihl")
        udp_start = ip_start + header_bytes
        if ones_complement_sum(data[ip_start:udp_start]) != 0xFFFF:
            raise _Drop("bad_ip_checksum")
        if total < header_bytes:
            raise _Drop("ip_length")
        if fragment & IP_MORE_FRAGMENTS_AND_OFFSET:
            raise _Drop("ip_fragment")
        if protocol != PROTOCOL_UDP:
            raise _Drop("not_udp")
        if destination != self._group_address:
            raise _Drop("other_destination")
        if total - header_bytes < UDP_HEADER_BYTES:
            raise _Drop("udp_length")

        if len(data) < udp_start + UDP_HEADER_BYTES:
            raise _FrameEnded("ip_length")
        port, udp_length, checksum = _UDP.unpack_from(data, udp_start)
        if udp_length < UDP_HEADER_BYTES:
            raise _Drop("udp_length")
        if port != self._group_port:
            raise _Drop("other_port")
        if udp_length > total - header_bytes:
            raise _Drop("udp_length")
        if udp_length - UDP_HEADER_BYTES < MOLD_HEADER.length:
            raise _Drop("short_mold_header")
        pseudo_header = struct.pack(">IIHH", source, destination, PROTOCOL_UDP, udp_length)
        return _Datagram(ip_start + total, udp_start, udp_start + udp_length, checksum,
                         ones_complement_sum(pseudo_header))

    @staticmethod
    def _reason_at_end(data: bytes, datagram: _Datagram, bad_fcs: bool) -> str | None:
        if len(data) > MAX_FRAME_BYTES:
            return "oversize"
        if bad_fcs:
            return "bad_fcs"
        if len(data) < datagram.ip_end:
            return "ip_length"
        if datagram.udp_checksum != 0:  # RFC 768: 0 means that the sender computed none
            udp = data[datagram.udp_start:datagram.udp_end]
            if ones_complement_sum(udp, datagram.pseudo_header_sum) != 0xFFFF:
                return "bad_udp_checksum"
        return None

    def _packet(self, payload: bytes, result: FrameResult) -> int:
        """Takes one MoldUDP64 packet into the stream and fills in ``result``; returns the messages that were old."""
        stream = self._stream
        session, sequence, count = MOLD_HEADER.struct.unpack_from(payload)
        result.session = session.decode("latin-1")
        result.sequence = sequence
        result.count = count
        gap = session_change = first_end = False

        if session != stream.session:
            session_change = stream.session is not None
            if session_change:
                result.events.append({"event": "session_change", "frame": result.frame, "session": result.session})
            stream.session, stream.next_expected, stream.ended = session, sequence, False
        elif ahead(sequence, stream.next_expected) > 0:
            gap = True
            result.gap_from = stream.next_expected
            result.events.append({"event": "gap", "from": stream.next_expected, "to": sequence})
            stream.next_expected = sequence

        duplicates = 0
        if count in (MOLD_HEARTBEAT, MOLD_END_OF_SESSION):
            result.kind = "heartbeat" if count == MOLD_HEARTBEAT else "end_of_session"
            truncated, extra_data = False, len(payload) > MOLD_HEADER.length
            if count == MOLD_END_OF_SESSION and not stream.ended:
                stream.ended = first_end = True
                result.events.append({"event": "end_of_session", "sequence": sequence})
        else:
            result.kind = "data"
            blocks, rest = _blocks(payload, count)
            truncated, extra_data = len(blocks) < count, len(blocks) == count and rest > 0
            for i, raw in enumerate(blocks):
                number = (sequence + i) % SEQUENCES
                if ahead(number, stream.next_expected) < 0:
                    duplicates += 1
                    continue
                stream.next_expected = (number + 1) % SEQUENCES
                result.messages.append(_message(number, raw))
            if truncated:
                result.events.append({"event": "truncated", "frame": result.frame})
        result.flags = Flags(truncated, extra_data, gap, session_change, first_end)
        return duplicates


def _after_ethertype(data: bytes) -> int:
    """Where the IPv4 header begins, after at most two VLAN tags."""
    position = ADDRESSES_BYTES
    for tags in range(MAX_TAGS + 1):
        if len(data) < position + _U16.size:
            raise _FrameEnded("not_ipv4")
        ethertype = _U16.unpack_from(data, position)[0]
        if ethertype == ETHERTYPE_IPV4:
            return position + _U16.size
        if ethertype not in ETHERTYPES_VLAN:
            raise _Drop("not_ipv4")
        if tags == MAX_TAGS:
            raise _Drop("vlan_depth")
        position += TAG_BYTES
    raise AssertionError("every path through the tags returns or raises")


def _blocks(payload: bytes, count: int) -> tuple[list[bytes], int]:
    """The complete ones among the ``count`` announced blocks, and the number of bytes after the last of them."""
    blocks: list[bytes] = []
    position = MOLD_HEADER.length
    while len(blocks) < count:
        start = position + MOLD_BLOCK.length
        if start > len(payload):
            break
        end = start + _U16.unpack_from(payload, position)[0]
        if end > len(payload):
            break
        blocks.append(payload[start:end])
        position = end
    return blocks, len(payload) - position


def _message(sequence: int, raw: bytes) -> MessageResult:
    if not raw:
        return MessageResult(sequence, None, 0, "zero_length", raw)
    message_type = chr(raw[0])
    known = ITCH50.get(message_type)
    status: Status
    if known is None:
        status = "unknown_type"
    elif len(raw) < known.length:
        status = "too_short"
    elif len(raw) > known.length:
        status = "too_long"
    else:
        status = "ok"
    return MessageResult(sequence, message_type, len(raw), status, raw)
