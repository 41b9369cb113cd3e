# SPDX-License-Identifier: MIT
"""TCP segments in IPv4 in Ethernet II, to and from bytes. A frame that fails any check is no segment at all.

Only what an order-entry session uses: no IP options when building (any when parsing), no fragments, and of the TCP
options the maximum segment size.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MIN_FRAME_BYTES = 60          # of Ethernet, without FCS: shorter ones are padded
ETHERTYPE_IPV4 = 0x0800
PROTOCOL_TCP = 6
DONT_FRAGMENT = 0x4000
OPTION_END, OPTION_NOTHING, OPTION_MSS = 0, 1, 2

_ETHERNET = struct.Struct(">6s6sH")
_IPV4 = struct.Struct(">BBHHHBBHII")
_TCP = struct.Struct(">HHIIBBHHH")
_PSEUDO = struct.Struct(">IIBBH")
TCP_HEADER = _TCP.size


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment with the addresses around it; addresses as integers, first octet highest."""

    source_mac: bytes
    destination_mac: bytes
    source: int
    destination: int
    source_port: int
    destination_port: int
    sequence: int
    acknowledge: int
    flags: int
    window: int
    payload: bytes = b""
    mss: int | None = None

    @property
    def span(self) -> int:
        """Sequence numbers it takes up (RFC 9293, 3.4)."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)


def checksum(data: bytes) -> int:
    """RFC 1071; 0 over data that hold their own good checksum."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def build(segment: Segment, identification: int) -> bytes:
    """The frame of a segment, padded to Ethernet's minimum."""
    options = b"" if segment.mss is None else struct.pack(">BBH", OPTION_MSS, 4, segment.mss)
    length = TCP_HEADER + len(options) + len(segment.payload)
    pseudo = _PSEUDO.pack(segment.source, segment.destination, 0, PROTOCOL_TCP, length)

    def tcp(check: int) -> bytes:
        header = _TCP.pack(segment.source_port, segment.destination_port, segment.sequence, segment.acknowledge,
                           (TCP_HEADER + len(options)) // 4 << 4, segment.flags, segment.window, check, 0)
        return header + options + segment.payload

    def ipv4(check: int) -> bytes:
        return _IPV4.pack(0x45, 0, _IPV4.size + length, identification & 0xFFFF, DONT_FRAGMENT, 64, PROTOCOL_TCP,
                          check, segment.source, segment.destination)

    frame = (_ETHERNET.pack(segment.destination_mac, segment.source_mac, ETHERTYPE_IPV4) + ipv4(checksum(ipv4(0)))
             + tcp(checksum(pseudo + tcp(0))))
    return frame.ljust(MIN_FRAME_BYTES, b"\0")


def _mss(options: bytes) -> int | None:
    """The maximum segment size option (RFC 9293, 3.7.1); what is malformed ends the list."""
    at = 0
    while at < len(options) and options[at] != OPTION_END:
        if options[at] == OPTION_NOTHING:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            return None
        if options[at] == OPTION_MSS and size == 4:
            return int.from_bytes(options[at + 2:at + 4], "big")
        at += size
    return None


def parse(frame: bytes) -> Segment | None:
    """The segment in a frame, or None: not TCP over IPv4, a fragment, a wrong length or a bad checksum."""
    if len(frame) < _ETHERNET.size + _IPV4.size:
        return None
    destination_mac, source_mac, ethertype = _ETHERNET.unpack_from(frame)
    if ethertype != ETHERTYPE_IPV4:
        return None
    packet = frame[_ETHERNET.size:]
    version, _, total, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    header = (version & 15) * 4
    if version >> 4 != 4 or header < _IPV4.size or protocol != PROTOCOL_TCP or fragment & 0x3FFF:
        return None
    if not header + TCP_HEADER <= total <= len(packet) or checksum(packet[:header]) != 0:
        return None
    tcp = packet[header:total]
    if checksum(_PSEUDO.pack(source, destination, 0, PROTOCOL_TCP, len(tcp)) + tcp) != 0:
        return None
    source_port, destination_port, sequence, acknowledge, offset, flags, window, _, _ = _TCP.unpack_from(tcp)
    data = (offset >> 4) * 4
    if not TCP_HEADER <= data <= len(tcp):
        return None
    return Segment(source_mac, destination_mac, source, destination, source_port, destination_port, sequence,
                   acknowledge, flags, window, tcp[data:], _mss(tcp[TCP_HEADER:data]))
