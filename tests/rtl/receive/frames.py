# SPDX-License-Identifier: MIT
"""Frames with every header field under the test's control. What is not given is right."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import IPv4Address
from random import Random

from generators.framing import DEFAULT_GROUP, internet_sum
from generators.tables import ITCH50

GROUP_ADDRESS = DEFAULT_GROUP.address
GROUP_PORT = DEFAULT_GROUP.port
SESSION = b"SESSION001"
C_TAG, S_TAG = 0x8100, 0x88A8

TYPES = {message_type: ITCH50[message_type].length for message_type in ITCH50}
UNKNOWN_TYPES = bytes(code for code in range(256) if chr(code) not in TYPES)


def frame(
    payload: bytes = b"", *, tags: Sequence[int] = (), ethertype: int = 0x0800, version: int = 4,
    ihl: int | None = None, options: bytes = b"", total: int | None = None, fragment: int = 0x4000, protocol: int = 17,
    destination: str = GROUP_ADDRESS, port: int = GROUP_PORT, udp_length: int | None = None,
    udp_checksum: int | None = None, ip_checksum_error: int = 0, udp_checksum_error: int = 0, ip_padding: bytes = b"",
    trailer: bytes = b"", cut: int | None = None,
) -> bytes:
    """An Ethernet frame without FCS; ``ip_padding`` follows UDP in the datagram, ``trailer`` follows the datagram."""
    words = 5 + len(options) // 4 if ihl is None else ihl
    length = 8 + len(payload) if udp_length is None else udp_length
    addresses = IPv4Address("206.200.127.138").packed + IPv4Address(destination).packed
    ports = struct.pack(">HH", 26477, port)
    body = payload + ip_padding

    covered = (ports + struct.pack(">HH", length, 0) + body)[:max(length, 8)]
    checksum = 0xFFFF - internet_sum(addresses + struct.pack(">HH", 17, length) + covered)
    checksum = (checksum or 0xFFFF) ^ udp_checksum_error if udp_checksum is None else udp_checksum
    udp = ports + struct.pack(">HH", length, checksum) + body

    size = 20 + len(options) + len(udp) if total is None else total
    header = struct.pack(">BBHHHBBH", version << 4 | words, 0, size, 0, fragment, 21, protocol, 0) + addresses + options
    # A receiver sums as many words as IHL says, at least 5, whatever they hold.
    ip_checksum = (0xFFFF - internet_sum((header + udp)[:4 * max(words, 5)])) ^ ip_checksum_error
    header = header[:10] + struct.pack(">H", ip_checksum) + header[12:]

    tagged = b"".join(struct.pack(">HH", tag, 141) for tag in tags) + struct.pack(">H", ethertype)
    return (bytes.fromhex("01005e360c6f020000000001") + tagged + header + udp + trailer)[:cut]


def mold(sequence: int, blocks: Sequence[bytes], count: int | None = None, session: bytes = SESSION) -> bytes:
    """A MoldUDP64 packet; ``count`` announces another number of blocks than there are."""
    announced = len(blocks) if count is None else count
    header = session + struct.pack(">QH", sequence % (1 << 64), announced)
    return header + b"".join(struct.pack(">H", len(block)) + block for block in blocks)


def message(message_type: str, random: Random, length: int | None = None) -> bytes:
    """A message of this type with random fields, by default as long as the type says."""
    body = random.randbytes((TYPES[message_type] if length is None else length) - 1)
    return message_type.encode("latin-1") + body


def unknown(length: int, random: Random) -> bytes:
    """A message of no known type; none at all if the length is 0."""
    return (bytes([random.choice(UNKNOWN_TYPES)]) + random.randbytes(length - 1)) if length else b""
