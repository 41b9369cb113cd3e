# SPDX-License-Identifier: MIT
"""Unicast UDP and ARP to and from bytes, for the exchange's own address. A frame that fails any check is none."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from generators.framing import DONT_FRAGMENT, ETHERTYPE_IPV4, PROTOCOL_UDP, internet_sum

ETHERTYPE_ARP = 0x0806
MIN_FRAME_BYTES = 60                   # of Ethernet, without FCS: shorter ones are padded
BROADCAST = b"\xff" * 6
TTL = 64
ARP_REQUEST, ARP_REPLY = 1, 2

_ETHERNET = struct.Struct(">6s6sH")
_IPV4 = struct.Struct(">BBHHHBBHII")
_UDP = struct.Struct(">HHHH")
_ARP = struct.Struct(">HHBBH6sI6sI")   # RFC 826, for IPv4 over Ethernet
_ARP_FIXED = (1, ETHERTYPE_IPV4, 6, 4)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram with the addresses around it."""

    source_mac: bytes
    destination_mac: bytes
    source: int
    destination: int
    source_port: int
    destination_port: int
    payload: bytes

    def answer(self, payload: bytes) -> Datagram:
        """From where this one went back to where it came from."""
        return Datagram(self.destination_mac, self.source_mac, self.destination, self.source, self.destination_port,
                        self.source_port, payload)


def build_datagram(datagram: Datagram) -> bytes:
    """The frame, padded to Ethernet's minimum."""
    length = _UDP.size + len(datagram.payload)
    addresses = struct.pack(">II", datagram.source, datagram.destination)

    def ipv4(checksum: int) -> bytes:
        return _IPV4.pack(0x45, 0, _IPV4.size + length, 0, DONT_FRAGMENT, TTL, PROTOCOL_UDP, checksum,
                          datagram.source, datagram.destination)

    udp = _UDP.pack(datagram.source_port, datagram.destination_port, length, 0) + datagram.payload
    # A computed zero is sent as 0xFFFF (RFC 768); zero would say that there is no checksum.
    checksum = 0xFFFF - (internet_sum(addresses + udp) + PROTOCOL_UDP + length) % 0xFFFF
    header = ipv4(0xFFFF - internet_sum(ipv4(0)))
    frame = (_ETHERNET.pack(datagram.destination_mac, datagram.source_mac, ETHERTYPE_IPV4) + header + udp[:6]
             + checksum.to_bytes(2, "big") + udp[8:])
    return frame.ljust(MIN_FRAME_BYTES, b"\0")


def parse_datagram(frame: bytes) -> Datagram | None:
    """None: not UDP over IPv4, a fragment, a wrong length or a bad checksum."""
    if len(frame) < _ETHERNET.size + _IPV4.size:
        return None
    destination_mac, source_mac, ethertype = _ETHERNET.unpack_from(frame)
    packet = frame[_ETHERNET.size:]
    version, _, total, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    header = (version & 15) * 4
    if ethertype != ETHERTYPE_IPV4 or version >> 4 != 4 or header < _IPV4.size or protocol != PROTOCOL_UDP:
        return None
    if fragment & 0x3FFF or not header + _UDP.size <= total <= len(packet) or internet_sum(packet[:header]):
        return None
    udp = packet[header:total]
    source_port, destination_port, length, checksum = _UDP.unpack_from(udp)
    if not _UDP.size <= length <= len(udp):
        return None
    if checksum and (internet_sum(packet[12:20] + udp[:length]) + PROTOCOL_UDP + length) % 0xFFFF:
        return None
    return Datagram(source_mac, destination_mac, source, destination, source_port, destination_port,
                    udp[_UDP.size:length])


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP packet; addresses as integers."""

    operation: int
    sender_mac: bytes
    sender: int
    target_mac: bytes
    target: int


def build_arp(arp: Arp) -> bytes:
    """The frame: a request to everybody, a reply to its target."""
    destination = BROADCAST if arp.operation == ARP_REQUEST else arp.target_mac
    packet = _ARP.pack(*_ARP_FIXED, arp.operation, arp.sender_mac, arp.sender, arp.target_mac, arp.target)
    return (_ETHERNET.pack(destination, arp.sender_mac, ETHERTYPE_ARP) + packet).ljust(MIN_FRAME_BYTES, b"\0")


def parse_arp(frame: bytes) -> Arp | None:
    if len(frame) < _ETHERNET.size + _ARP.size or _ETHERNET.unpack_from(frame)[2] != ETHERTYPE_ARP:
        return None
    *fixed, operation, sender_mac, sender, target_mac, target = _ARP.unpack_from(frame, _ETHERNET.size)
    return Arp(operation, sender_mac, sender, target_mac, target) if tuple(fixed) == _ARP_FIXED else None
