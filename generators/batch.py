# SPDX-License-Identifier: MIT
"""Encodes many frames of the feed at once with numpy: messages into MoldUDP64 packets, packets into UDP/IPv4/Ethernet
frames with up to three VLAN tags and IP options, checksums included.

A batch is one matrix of bytes, a row a frame, zero behind its end. Frames of one shape (tags, options) are written
together, so no loop runs over frames. The bytes are those of framing.py and of the scapy layers, which are the
reference in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import numpy.typing as npt

from generators.framing import (
    DEFAULT_GROUP,
    DEFAULT_SOURCE,
    DONT_FRAGMENT,
    ETHERTYPE_IPV4,
    PROTOCOL_UDP,
    SOURCE_MAC,
    TTL,
    Group,
)
from generators.tables import ITCH50, MOLD_BLOCK, MOLD_HEADER

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

ETHERNET_BYTES = 14  # without tags
TAG_BYTES = 4
IP_BYTES = 20  # without options
UDP_BYTES = 8
SESSION_BYTES = MOLD_HEADER.fields[0].length or 0

# Offsets inside the IPv4 header (RFC 791, 3.1) and the UDP header (RFC 768).
IP_TOTAL, IP_FRAGMENT, IP_TTL, IP_PROTOCOL, IP_CHECKSUM, IP_SOURCE, IP_DESTINATION = 2, 6, 8, 9, 10, 12, 16
UDP_PORT, UDP_LENGTH, UDP_CHECKSUM = 2, 4, 6

TYPES = np.array([ord(message_type) for message_type in ITCH50], np.uint8)
TYPE_LENGTHS = np.array([ITCH50[message_type].length for message_type in ITCH50], np.int64)


@dataclass
class Blocks:
    """Messages, a row each, zero behind their end."""

    data: Bytes
    length: Numbers


@dataclass
class Frames:
    """Frames, a row each, zero behind their end, and where their headers are; the mutations change both."""

    data: Bytes
    length: Numbers
    tags: Numbers  # VLAN tags
    ip_start: Numbers
    udp_start: Numbers

    def __len__(self) -> int:
        return len(self.length)

    def frame(self, row: int) -> bytes:
        return self.data[row, : self.length[row]].tobytes()

    def take(self, rows: Any) -> Frames:
        """A copy of some frames."""
        return Frames(self.data[rows], self.length[rows], self.tags[rows], self.ip_start[rows], self.udp_start[rows])

    @property
    def payload_start(self) -> Numbers:
        return self.udp_start + UDP_BYTES


def columns(width: int) -> Numbers:
    return np.arange(width)


def get16(data: Bytes, rows: Any, at: Numbers) -> Numbers:
    """The big-endian 16-bit numbers at ``at`` of each row."""
    value: Numbers = data[rows, at].astype(np.int64) << 8 | data[rows, at + 1]
    return value


def put16(data: Bytes, rows: Any, at: Numbers, value: Any) -> None:
    value = np.asarray(value, np.int64)
    data[rows, at] = value >> 8 & 0xFF
    data[rows, at + 1] = value & 0xFF


def word_sum(data: Bytes, begin: Numbers, end: Numbers) -> Numbers:
    """Of each row the sum of its big-endian 16-bit words from ``begin`` (even) to ``end``, folded (RFC 1071)."""
    column = columns(data.shape[1])
    inside = (column >= begin[:, None]) & (column < end[:, None])
    counted = np.where(inside, data, 0)
    return fold(256 * counted[:, 0::2].sum(1, np.int64) + counted[:, 1::2].sum(1, np.int64))


def fold(total: Numbers) -> Numbers:
    """The one's complement sum as 16 bits."""
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


def random_blocks(random: np.random.Generator, count: int, odd: float = 0.05, longest: int = 300) -> Blocks:
    """Messages with random fields: types of the table with their lengths, and a share of ``odd`` ones, which have
    another length (zero too) or another type."""
    kind = random.integers(len(TYPES), size=count)
    length = TYPE_LENGTHS[kind]
    is_odd = random.random(count) < odd
    other = np.where(random.random(count) < 0.7, random.integers(0, 64, count), random.integers(0, longest, count))
    length = np.where(is_odd & (random.random(count) < 0.7), other, length)
    data = random.integers(0, 256, (count, int(length.max(initial=1))), np.uint8)
    unknown = is_odd & (random.random(count) < 0.5)
    data[:, 0] = np.where(unknown, data[:, 0], TYPES[kind])
    data[columns(data.shape[1]) >= length[:, None]] = 0
    return Blocks(data, length)


def mold_payloads(blocks: Blocks, count: Numbers, session: Bytes, sequence: npt.NDArray[np.uint64]) -> Blocks:
    """MoldUDP64 packets: ``count[i]`` of the blocks go into packet i, in order; ``session`` has 10 bytes a row."""
    column = columns(blocks.data.shape[1] + MOLD_BLOCK.length)
    wired = np.zeros((len(blocks.length), len(column)), np.uint8)
    put16(wired, slice(None), np.array(0), blocks.length)
    wired[:, MOLD_BLOCK.length:] = blocks.data
    used = column < blocks.length[:, None] + MOLD_BLOCK.length

    packet = np.repeat(np.arange(len(count)), count)
    body = np.bincount(packet, blocks.length + MOLD_BLOCK.length, len(count)).astype(np.int64)
    length = MOLD_HEADER.length + body
    payload = np.zeros((len(count), int(length.max(initial=MOLD_HEADER.length))), np.uint8)
    payload[:, :SESSION_BYTES] = session
    payload[:, SESSION_BYTES:MOLD_HEADER.length - 2] = sequence.astype(">u8").view(np.uint8).reshape(-1, 8)
    put16(payload, slice(None), np.array(MOLD_HEADER.length - 2), count)
    position = columns(payload.shape[1])
    # Both masks run along rows and then along columns: block bytes fall into their places in order.
    payload[(position >= MOLD_HEADER.length) & (position < length[:, None])] = wired[used]
    return Blocks(payload, length)


def encode(payload: Blocks, tags: Numbers | None = None, options: Numbers | None = None, group: Group = DEFAULT_GROUP,
           source: str = DEFAULT_SOURCE, source_port: int | None = None, tag_control: int = 141) -> Frames:
    """UDP payloads into frames: ``tags[i]`` VLAN tags (the innermost 0x8100, the others 0x88a8) and ``options[i]``
    4-byte words of IP options (no-operations). Checksums are right."""
    size = len(payload.length)
    tags = np.zeros(size, np.int64) if tags is None else tags
    options = np.zeros(size, np.int64) if options is None else options
    ip_start = ETHERNET_BYTES + TAG_BYTES * tags
    udp_start = ip_start + IP_BYTES + 4 * options
    length = udp_start + UDP_BYTES + payload.length
    width = int((udp_start + UDP_BYTES).max(initial=0)) + payload.data.shape[1]
    data = np.zeros((size, width + (width & 1)), np.uint8)
    addresses = IPv4Address(source).packed + IPv4Address(group.address).packed
    port = group.port if source_port is None else source_port

    for shape in np.unique(tags << 8 | options):
        rows = np.flatnonzero(tags << 8 | options == shape)
        tag_count, words = int(shape) >> 8, int(shape) & 0xFF
        stack = b"".join((b"\x88\xa8" if left > 1 else b"\x81\x00") + tag_control.to_bytes(2, "big")
                         for left in range(tag_count, 0, -1))
        header = (group.mac + SOURCE_MAC + stack + ETHERTYPE_IPV4.to_bytes(2, "big")
                  + bytes([0x40 | (IP_BYTES // 4 + words), 0, 0, 0, 0, 0]) + DONT_FRAGMENT.to_bytes(2, "big")
                  + bytes([TTL, PROTOCOL_UDP, 0, 0]) + addresses + b"\x01" * (4 * words)
                  + port.to_bytes(2, "big") + group.port.to_bytes(2, "big") + bytes(4))
        data[rows, : len(header)] = np.frombuffer(header, np.uint8)
        data[rows, len(header):len(header) + payload.data.shape[1]] = payload.data[rows]

    frames = Frames(data, length, tags, ip_start, udp_start)
    everything = np.arange(size)
    put16(data, everything, ip_start + IP_TOTAL, length - ip_start)
    put16(data, everything, udp_start + UDP_LENGTH, UDP_BYTES + payload.length)
    refresh_ip(frames, everything)
    refresh_udp(frames, everything)
    return frames


def refresh_ip(frames: Frames, rows: Numbers) -> None:
    """Makes the IPv4 header checksums right for what the headers hold; a receiver sums IHL words, at least 5."""
    data, start = frames.data, frames.ip_start[rows]
    put16(data, rows, start + IP_CHECKSUM, 0)
    words = np.maximum(data[rows, start] & 15, IP_BYTES // 4).astype(np.int64)
    put16(data, rows, start + IP_CHECKSUM, 0xFFFF - word_sum(data[rows], start, start + 4 * words))


def refresh_udp(frames: Frames, rows: Numbers) -> None:
    """Makes the UDP checksums right for what the datagrams hold and their length fields say (RFC 768)."""
    data, ip, udp = frames.data, frames.ip_start[rows], frames.udp_start[rows]
    length = get16(data, rows, udp + UDP_LENGTH)
    put16(data, rows, udp + UDP_CHECKSUM, 0)
    end = np.minimum(udp + np.maximum(length, UDP_BYTES), frames.length[rows])
    total = word_sum(data[rows], udp, end) + word_sum(data[rows], ip + IP_SOURCE, ip + IP_BYTES)
    checksum = 0xFFFF - fold(total + PROTOCOL_UDP + length)
    put16(data, rows, udp + UDP_CHECKSUM, np.where(checksum == 0, 0xFFFF, checksum))
