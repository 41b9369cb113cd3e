# SPDX-License-Identifier: MIT
"""Ethernet, IPv4 and UDP of one frame: where its packet lies, and every reason that could drop it.

Reasons come from two places: the headers, as their bytes pass, and the end of the frame. Which of two wins depends on
the delivery. Cut-through has let the messages of a frame with sound headers go before its end shows anything, and has
decided on a header's reason by then: a header's reason stands. Verified delivery judges the frame whole: the first in
the order of DROP_REASONS.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

Delivery = Literal["verified", "cut-through"]

# The order in which they apply to a frame that is judged whole. udp_length applies at two places: below 8 where it
# stands here, beyond the IP payload after other_port.
DROP_REASONS = (
    "oversize", "bad_fcs", "vlan_depth", "not_ipv4", "truncated_ip", "bad_ip_version", "bad_ihl", "bad_ip_checksum",
    "ip_length", "ip_fragment", "not_udp", "other_destination", "udp_length", "other_port", "bad_udp_checksum",
    "short_mold_header",
)

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
HEADERS_BYTES = ADDRESSES_BYTES + MAX_TAGS * TAG_BYTES + 2 + 4 * 15 + UDP_HEADER_BYTES  # at most, IP options included

_U16 = struct.Struct(">H")
# RFC 791: version and IHL, DSCP, total length, identification, flags and offset, TTL, protocol, checksum, addresses.
_IP = struct.Struct(">BxH2xHxB2xII")
# RFC 768: source port, destination port, length, checksum.
_UDP = struct.Struct(">2xHHH")


def ones_complement_sum(data: bytes) -> int:
    """The folded 16-bit one's complement sum of RFC 1071; an odd last byte is filled with zero on the right.

    Folding a carry in keeps the remainder by 0xFFFF, and never makes 0 of another number: so the sum is that remainder
    of the whole number, of whose two zeros 0 is only for nothing but zeros.
    """
    number = int.from_bytes(data, "big") << 8 * (len(data) % 2)
    return number % 0xFFFF or (0xFFFF if number else 0)


@dataclass(slots=True)
class Inspection:
    """What a frame's headers and its end show.

    ``payload`` is what arrived of the UDP payload, where the headers passed and the packet's own header arrived;
    ``payload_start`` its place in the frame.
    """

    header_reason: str | None = None
    end_reason: str | None = None
    payload: bytes | None = None
    payload_start: int = 0

    def reason(self, delivery: Delivery) -> str | None:
        """Why the frame is dropped; None if it is accepted."""
        if self.header_reason is None or self.end_reason is None:
            return self.header_reason or self.end_reason
        if delivery == "cut-through":
            return self.header_reason
        return min(self.header_reason, self.end_reason, key=DROP_REASONS.index)

    def at_end(self, reason: str) -> None:
        """The end of the frame shows ``reason``; what comes first in the order stays."""
        if self.end_reason is None or DROP_REASONS.index(reason) < DROP_REASONS.index(self.end_reason):
            self.end_reason = reason


def inspect(data: bytes, bad_fcs: bool, group_address: int, group_port: int, packet_header_bytes: int) -> Inspection:
    """Reads a frame, given without its FCS, as far as its headers let it be read."""
    found = Inspection()
    if len(data) > MAX_FRAME_BYTES:
        found.at_end("oversize")
    if bad_fcs:
        found.at_end("bad_fcs")
    ip_start = _ethertype(data, found)
    if ip_start is not None:
        _ip(data, ip_start, group_address, group_port, packet_header_bytes, found)
    return found


def destination(data: bytes) -> tuple[int, int] | None:
    """Address and UDP port that a frame with sound headers is for, whatever the group; None if it is no such frame."""
    ip_start = _ethertype(data, Inspection())
    if ip_start is None or len(data) < ip_start + IP_HEADER_BYTES:
        return None
    version_ihl, _, _, protocol, _, address = _IP.unpack_from(data, ip_start)
    udp_start = ip_start + 4 * (version_ihl & 15)
    if protocol != PROTOCOL_UDP or len(data) < udp_start + UDP_HEADER_BYTES:
        return None
    return address, _UDP.unpack_from(data, udp_start)[0]


def _ethertype(data: bytes, found: Inspection) -> int | None:
    """Where the IPv4 header begins, after at most two VLAN tags; None if there is none."""
    position = ADDRESSES_BYTES
    for tags in range(MAX_TAGS + 1):
        if len(data) < position + _U16.size:
            found.at_end("not_ipv4")
            return None
        ethertype = _U16.unpack_from(data, position)[0]
        if ethertype == ETHERTYPE_IPV4:
            return position + _U16.size
        if ethertype not in ETHERTYPES_VLAN:
            found.header_reason = "not_ipv4"
            return None
        if tags == MAX_TAGS:
            found.header_reason = "vlan_depth"
            return None
        position += TAG_BYTES
    raise AssertionError("every path through the tags returns")


def _ip(data: bytes, ip_start: int, group_address: int, group_port: int, packet_header_bytes: int,
        found: Inspection) -> None:
    if len(data) < ip_start + IP_HEADER_BYTES:
        # Also where the IHL byte is there and asks for more: the header cannot be complete either way.
        found.at_end("truncated_ip")
        return
    version_ihl, total, fragment, protocol, source, destination = _IP.unpack_from(data, ip_start)
    header_bytes = 4 * (version_ihl & 15)
    udp_start = ip_start + header_bytes
    if len(data) < udp_start:
        found.at_end("truncated_ip")
        return
    if len(data) < ip_start + total:
        found.at_end("ip_length")
    if version_ihl >> 4 != 4:
        found.header_reason = "bad_ip_version"
    elif header_bytes < IP_HEADER_BYTES:
        found.header_reason = "bad_ihl"
    elif ones_complement_sum(data[ip_start:udp_start]) != 0xFFFF:
        found.header_reason = "bad_ip_checksum"
    elif total < header_bytes:
        found.header_reason = "ip_length"
    elif fragment & IP_MORE_FRAGMENTS_AND_OFFSET:
        found.header_reason = "ip_fragment"
    elif protocol != PROTOCOL_UDP:
        found.header_reason = "not_udp"
    elif destination != group_address:
        found.header_reason = "other_destination"
    elif total - header_bytes < UDP_HEADER_BYTES:
        found.header_reason = "udp_length"
    elif len(data) >= udp_start + UDP_HEADER_BYTES:  # if not, the end showed ip_length
        _udp(data, udp_start, total - header_bytes, (source, destination), group_port, packet_header_bytes, found)


def _udp(data: bytes, udp_start: int, room: int, addresses: tuple[int, int], group_port: int,
         packet_header_bytes: int, found: Inspection) -> None:
    """``room``: bytes of the IP payload."""
    port, length, checksum = _UDP.unpack_from(data, udp_start)
    if length < UDP_HEADER_BYTES:
        found.header_reason = "udp_length"
        return
    if port != group_port:
        found.header_reason = "other_port"
        return
    if length > room:
        found.header_reason = "udp_length"
        return
    end = udp_start + length
    # RFC 768: 0 means that the sender computed none. A frame that ends inside the datagram is ip_length anyway.
    if checksum != 0 and end <= len(data):
        pseudo_header = struct.pack(">IIHH", *addresses, PROTOCOL_UDP, length)
        if ones_complement_sum(pseudo_header + data[udp_start:end]) != 0xFFFF:
            found.at_end("bad_udp_checksum")
    if length - UDP_HEADER_BYTES < packet_header_bytes:
        found.header_reason = "short_mold_header"
        return
    start = udp_start + UDP_HEADER_BYTES
    payload = data[start:min(end, MAX_FRAME_BYTES)]
    if len(payload) >= packet_header_bytes:
        found.payload, found.payload_start = payload, start
