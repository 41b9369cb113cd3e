# SPDX-License-Identifier: MIT
"""The frame in which an order must leave: its OUCH message as SoupBinTCP Unsequenced Data in one TCP segment of an open
session; packets of other types likewise.

One segment a packet, never coalesced, so the TCP sequence number advances by the SoupBinTCP packet's length each time.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from generators.tables import SOUPBINTCP, encode
from tb.model.config import KernelConfig
from tb.model.headers import ETHERTYPE_IPV4, ones_complement_sum

IP_VERSION_IHL = 0x45
IP_DONT_FRAGMENT = 0x4000
IP_TTL = 64
PROTOCOL_TCP = 6
SOUP_TYPE_OFFSET = 2  # behind the packet's length
TCP_DATA_OFFSET = 5
TCP_PSH_ACK = 0x18  # RFC 9293 section 3.1: PSH 0x08, ACK 0x10

_ETHERNET = struct.Struct(">6s6sH")
_IP = struct.Struct(">BBHHHBBH4s4s")
_TCP = struct.Struct(">HHIIBBHHH")
_PSEUDO_HEADER = struct.Struct(">4s4sBBH")  # RFC 9293 section 3.1


class SegmentModel:
    """The sending side of the order-entry session, one ``segment`` call an order."""

    def __init__(self, config: KernelConfig) -> None:
        self._destination_mac = bytes.fromhex(config.destination_mac.replace(":", ""))
        self._source_mac = bytes.fromhex(config.source_mac.replace(":", ""))
        self._source = IPv4Address(config.source_address).packed
        self._destination = IPv4Address(config.destination_address).packed
        self._ports = (config.source_port, config.destination_port)
        self._acknowledge = config.tcp_acknowledge
        self._window = config.tcp_window
        self._sequence = config.tcp_sequence
        self._identification = 0

    def begin(self, sequence: int, window: int) -> None:
        """A connection whose next byte has this number, and which announces this window."""
        self._sequence = sequence
        self._window = window

    def acknowledge(self, number: int) -> None:
        """What segments acknowledge from here on."""
        self._acknowledge = number

    def segment(self, message: bytes, packet_type: str = "U") -> bytes:
        """The Ethernet frame, without FCS, that carries this OUCH message, or another payload; the session moves on."""
        soup = bytearray(encode("U", {"message": message}, SOUPBINTCP))
        soup[SOUP_TYPE_OFFSET] = ord(packet_type)
        tcp = self._tcp(bytes(soup))
        frame = (_ETHERNET.pack(self._destination_mac, self._source_mac, ETHERTYPE_IPV4)
                 + self._ip_header(len(tcp)) + tcp)
        self._sequence = (self._sequence + len(soup)) % (1 << 32)
        self._identification = (self._identification + 1) % (1 << 16)
        return frame

    def _tcp(self, payload: bytes) -> bytes:
        pseudo_header = _PSEUDO_HEADER.pack(self._source, self._destination, 0, PROTOCOL_TCP,
                                            _TCP.size + len(payload))

        def header(checksum: int) -> bytes:
            return _TCP.pack(*self._ports, self._sequence, self._acknowledge, TCP_DATA_OFFSET << 4, TCP_PSH_ACK,
                             self._window, checksum, 0)

        checksum = 0xFFFF - ones_complement_sum(pseudo_header + header(0) + payload)
        return header(checksum) + payload

    def _ip_header(self, payload_bytes: int) -> bytes:
        def header(checksum: int) -> bytes:
            return _IP.pack(IP_VERSION_IHL, 0, _IP.size + payload_bytes, self._identification, IP_DONT_FRAGMENT,
                            IP_TTL, PROTOCOL_TCP, checksum, self._source, self._destination)

        return header(0xFFFF - ones_complement_sum(header(0)))
