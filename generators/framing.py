# SPDX-License-Identifier: MIT
"""Fast encoder of the feed: ITCH messages into MoldUDP64 packets, packets into UDP/IPv4/Ethernet frames.

The scapy layers (layers.py) build the same bytes and are the reference in the tests; this module exists because a
day of messages cannot wait for them. Packing rule: consecutive messages with equal timestamps share a packet, as long
as its UDP payload stays within 1,472 bytes (a 1,500-byte IPv4 packet).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from generators.tables import MOLD_BLOCK, MOLD_END_OF_SESSION, MOLD_HEADER, MOLD_HEARTBEAT, WireError

SESSION = "TICKLOOP01"
FIRST_SEQUENCE = 1
MAX_PAYLOAD = 1472                     # 1,500-byte IPv4 packet less 20 (IPv4) and 8 (UDP)
MAX_DATAGRAM = 65_507                  # 16-bit IPv4 total length less the same headers
MAX_MESSAGE = MAX_DATAGRAM - MOLD_HEADER.length - MOLD_BLOCK.length

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_VLAN = 0x8100
ETHERTYPE_SERVICE_VLAN = 0x88A8

_LENGTH = MOLD_BLOCK.struct


@dataclass(frozen=True, slots=True)
class Group:
    """Destination of a feed line: IPv4 address and UDP port."""

    address: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Group:
        address, _, port = text.rpartition(":")
        try:
            address = str(ipaddress.IPv4Address(address))
        except ValueError:
            raise ValueError(f"{text}: a group is ADDRESS:PORT with an IPv4 address") from None
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
            raise ValueError(f"{text}: a group is ADDRESS:PORT with a port from 1 to 65535")
        return cls(address, int(port))

    @property
    def mac(self) -> bytes:
        """RFC 1112 section 6.4: 01:00:5e and the low 23 bits; a unicast address gets a locally administered one."""
        address = ipaddress.IPv4Address(self.address)
        if address.is_multicast:
            return b"\x01\x00\x5e" + (int(address) & 0x7FFFFF).to_bytes(3, "big")
        return b"\x02\x00" + address.packed

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class VlanTag:
    """One VLAN tag: 0x8100 (802.1Q) or 0x88a8 (802.1ad), and the tag control information."""

    identifier: int
    priority: int = 0
    ethertype: int = ETHERTYPE_VLAN

    def encode(self) -> bytes:
        return struct.pack(">HH", self.ethertype, self.priority << 13 | self.identifier)


DEFAULT_GROUP = Group("233.54.12.111", 26477)
DEFAULT_SOURCE = "206.200.127.138"
SOURCE_MAC = bytes.fromhex("020000000001")
TTL = 21
DONT_FRAGMENT = 0x4000
PROTOCOL_UDP = 17


def internet_sum(data: bytes) -> int:
    """Ones' complement sum of the 16-bit words (RFC 1071), modulo 0xFFFF: both forms of zero are 0 here.

    2**16 is 1 modulo 0xFFFF, so the remainder of the whole number is the sum of its words.
    """
    return (int.from_bytes(data, "big") << (8 * (len(data) & 1))) % 0xFFFF


class FrameEncoder:
    """Wraps UDP payloads for one group; all that does not depend on the payload is computed once.

    The identification field is 0: a datagram with DF is atomic and its ID has no meaning (RFC 6864 section 4.1).
    """

    def __init__(self, group: Group = DEFAULT_GROUP, source: str = DEFAULT_SOURCE, source_port: int | None = None,
                 vlan_tags: Sequence[VlanTag] = (), ttl: int = TTL) -> None:
        ethernet = group.mac + SOURCE_MAC + b"".join(tag.encode() for tag in vlan_tags)
        self._prefix = ethernet + struct.pack(">HBB", ETHERTYPE_IPV4, 0x45, 0)
        self._middle = struct.pack(">HHBB", 0, DONT_FRAGMENT, ttl, PROTOCOL_UDP)
        addresses = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(group.address).packed
        self._suffix = addresses + struct.pack(">HH", group.port if source_port is None else source_port, group.port)
        self._ip_sum = internet_sum(b"\x45\x00" + self._middle + addresses)
        self._udp_sum = internet_sum(self._suffix) + PROTOCOL_UDP
        self._header = struct.Struct(f">{len(self._prefix)}sH6sH12sHH")

    def encode(self, payload: bytes) -> bytes:
        """The frame without its FCS."""
        length = len(payload) + 8
        if len(payload) > MAX_DATAGRAM:
            raise WireError(f"a UDP payload has at most {MAX_DATAGRAM} bytes, got {len(payload)}")
        ip_checksum = -(self._ip_sum + length + 20) % 0xFFFF
        # The length counts twice, in the pseudo header and in the UDP header. A computed zero is sent as 0xFFFF
        # (RFC 768), which is what this difference yields for a sum of zero.
        udp_checksum = 0xFFFF - (self._udp_sum + 2 * length + internet_sum(payload)) % 0xFFFF
        return self._header.pack(self._prefix, length + 20, self._middle, ip_checksum, self._suffix, length,
                                 udp_checksum) + payload


def mold_packet(messages: Sequence[bytes], sequence: int, session: str = SESSION) -> bytes:
    """A MoldUDP64 data packet; `sequence` is that of its first message, modulo 2**64."""
    parts = [_mold_header(session, sequence, len(messages))]
    for message in messages:
        parts.append(_LENGTH.pack(len(message)))
        parts.append(message)
    return b"".join(parts)


def heartbeat(next_sequence: int, session: str = SESSION) -> bytes:
    return _mold_header(session, next_sequence, MOLD_HEARTBEAT)


def end_of_session(next_sequence: int, session: str = SESSION) -> bytes:
    return _mold_header(session, next_sequence, MOLD_END_OF_SESSION)


def _mold_header(session: str, sequence: int, count: int) -> bytes:
    return MOLD_HEADER.struct.pack(session.ljust(10).encode("latin-1"), sequence % (1 << 64), count)


def pack_messages(messages: Iterable[tuple[int, bytes]], session: str = SESSION,
                  sequence: int = FIRST_SEQUENCE, limit: int = MAX_PAYLOAD) -> Iterator[tuple[int, bytes]]:
    """(time, message) into (time, MoldUDP64 packet) by the packing rule.

    A message that alone exceeds the limit travels alone, in a packet as large as it needs.
    """
    header, block = MOLD_HEADER.length, MOLD_BLOCK.length
    batch: list[bytes] = []
    batch_time, size = 0, header
    for time_ns, message in messages:
        needed = block + len(message)
        if batch and (time_ns != batch_time or size + needed > limit):
            yield batch_time, mold_packet(batch, sequence, session)
            sequence += len(batch)
            batch = []
            size = header
        if len(message) > MAX_MESSAGE:
            raise WireError(f"a message of {len(message)} bytes does not fit a UDP datagram")
        batch.append(message)
        batch_time = time_ns
        size += needed
    if batch:
        yield batch_time, mold_packet(batch, sequence, session)
