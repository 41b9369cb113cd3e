# SPDX-License-Identifier: MIT
"""Frames with every header field under the test's control."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

GROUP = "233.54.12.111"
PORT = 26477


def internet_checksum(data: bytes) -> int:
    """RFC 1071 by the remainder modulo 0xFFFF; another way than the model's on purpose."""
    return 0xFFFF - int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF


@dataclass(frozen=True)
class FrameSpec:
    """One frame. What is None is computed so that it is right."""

    payload: bytes = b""
    tags: Sequence[int] = ()
    ethertype: int = 0x0800
    version: int = 4
    ihl: int | None = None
    options: bytes = b""
    total: int | None = None
    fragment: int = 0x4000
    protocol: int = 17
    destination: str = GROUP
    port: int = PORT
    udp_length: int | None = None
    udp_checksum: int | None = None
    ip_checksum_error: int = 0
    udp_checksum_error: int = 0
    ip_padding: bytes = b""
    trailer: bytes = b""
    cut: int | None = None

    def build(self) -> bytes:
        ihl = 5 + len(self.options) // 4 if self.ihl is None else self.ihl
        udp_length = 8 + len(self.payload) if self.udp_length is None else self.udp_length
        source, destination = IPv4Address("206.200.127.138").packed, IPv4Address(self.destination).packed
        ports = struct.pack(">HH", 26477, self.port)

        covered = (ports + struct.pack(">HH", udp_length, 0) + self.payload + self.ip_padding)[:max(udp_length, 8)]
        computed = internet_checksum(source + destination + struct.pack(">HH", 17, udp_length) + covered) or 0xFFFF
        checksum = computed if self.udp_checksum is None else self.udp_checksum
        checksum ^= self.udp_checksum_error
        udp = ports + struct.pack(">HH", udp_length, checksum) + self.payload + self.ip_padding

        total = 20 + len(self.options) + len(udp) if self.total is None else self.total
        header = struct.pack(">BBHHHBBH4s4s", self.version << 4 | ihl, 0, total, 0, self.fragment, 21, self.protocol,
                             0, source, destination) + self.options
        ip_checksum = internet_checksum((header + udp)[:4 * max(ihl, 5)]) ^ self.ip_checksum_error
        header = header[:10] + struct.pack(">H", ip_checksum) + header[12:]

        tags = b"".join(struct.pack(">HH", tag, 141) for tag in self.tags)
        addresses = bytes.fromhex("01005e360c6f020000000001")
        frame = addresses + tags + struct.pack(">H", self.ethertype) + header + udp + self.trailer
        return frame[:self.cut]


def mold(sequence: int, blocks: Sequence[bytes], session: bytes = b"SESSION001", count: int | None = None) -> bytes:
    """A MoldUDP64 packet with these message blocks."""
    announced = len(blocks) if count is None else count
    return session + struct.pack(">QH", sequence, announced) + b"".join(
        struct.pack(">H", len(block)) + block for block in blocks
    )
