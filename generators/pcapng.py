# SPDX-License-Identifier: MIT
"""Packets of a pcapng file, block by block, with absolute times in nanoseconds.

Sections may change the byte order and start a new list of interfaces; every interface has its own link type and time
resolution (draft-ietf-opsawg-pcapng, sections 4.1 to 4.4). Blocks that hold no packet are passed over. Scapy's reader
is the oracle of the tests and not the reader: it keeps the interfaces of an earlier section, has no if_tsoffset, and
cannot tell a damaged file from the end of one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6

BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
MAJOR_VERSION = 1
BLOCK_OVERHEAD = 12                    # type, total length, total length again
MAX_BLOCK = 1 << 24                    # a longer block is a damaged file; options and name resolution stay far below
MICROSECONDS = 6                       # if_tsresol where an interface does not say
NANOSECONDS_PER_SECOND = 1_000_000_000

OPTION_END = 0
IF_TSRESOL = 9
IF_TSOFFSET = 14


class Packet(NamedTuple):
    """One captured packet; a Simple Packet Block has no time."""

    time_ns: int | None
    data: bytes
    original: int
    link_type: int


class PcapngError(Exception):
    """The file is damaged in ``block``, counted from 0; the packets before it are sound."""

    def __init__(self, block: int, problem: str) -> None:
        super().__init__(problem)
        self.block = block


@dataclass(frozen=True)
class _Interface:
    link_type: int
    snap_length: int
    ticks_per_second: int
    offset_s: int

    def time_ns(self, ticks: int) -> int:
        return self.offset_s * NANOSECONDS_PER_SECOND + ticks * NANOSECONDS_PER_SECOND // self.ticks_per_second


@dataclass
class _Section:
    order: str
    interfaces: list[_Interface] = field(default_factory=list)

    def interface(self, number: int, block: int) -> _Interface:
        if number >= len(self.interfaces):
            raise PcapngError(block, f"block {block} names interface {number}, which the file has not described")
        return self.interfaces[number]


def packets(read: Callable[[int], bytes]) -> Iterator[Packet]:
    """The packets of the file that ``read(size)`` reads, from its first byte on.

    Raises:
        PcapngError: the file is damaged, or ends inside a block.
    """
    section: _Section | None = None
    index = 0
    while head := read(8):
        if len(head) < 8:
            raise PcapngError(index, f"ends inside block {index}")
        if head[:4] == SECTION_HEADER.to_bytes(4, "big"):
            section = _Section(_section_order(read, head, index))
        elif section is None:
            raise PcapngError(index, "does not begin with a section header")
        else:
            kind, length = struct.unpack(section.order + "II", head)
            body = _body(read, section.order, length, length - BLOCK_OVERHEAD, index)
            if kind == INTERFACE_DESCRIPTION:
                section.interfaces.append(_interface(section.order, body, index))
            elif kind in (ENHANCED_PACKET, SIMPLE_PACKET, OBSOLETE_PACKET):
                yield _packet(section, kind, body, index)
        index += 1


def _section_order(read: Callable[[int], bytes], head: bytes, index: int) -> str:
    """Reads the rest of a Section Header Block; returns the section's byte order."""
    magic = read(4)
    if len(magic) < 4:
        raise PcapngError(index, f"ends inside block {index}")
    order = BYTE_ORDERS.get(magic)
    if order is None:
        raise PcapngError(index, f"block {index} is a section header without a byte-order magic")
    (length,) = struct.unpack(order + "I", head[4:])
    body = _body(read, order, length, length - BLOCK_OVERHEAD - len(magic), index)
    if len(body) < 12:
        raise PcapngError(index, f"block {index} has an impossible length")
    (major,) = struct.unpack_from(order + "H", body)
    if major != MAJOR_VERSION:
        raise PcapngError(index, f"block {index} begins a section of version {major}, not {MAJOR_VERSION}")
    return order


def _body(read: Callable[[int], bytes], order: str, length: int, rest: int, index: int) -> bytes:
    """The ``rest`` bytes of a block up to its trailing length, which must repeat ``length``."""
    if rest < 0 or length % 4 or length > MAX_BLOCK:
        raise PcapngError(index, f"block {index} has an impossible length of {length}")
    data = read(rest + 4)
    if len(data) < rest + 4:
        raise PcapngError(index, f"ends inside block {index}")
    if struct.unpack(order + "I", data[rest:])[0] != length:
        raise PcapngError(index, f"block {index} has two lengths")
    return data[:rest]


def _interface(order: str, body: bytes, index: int) -> _Interface:
    if len(body) < 8:
        raise PcapngError(index, f"block {index} is too short for an interface")
    link_type, snap_length = struct.unpack_from(order + "HxxI", body)
    exponent, base, offset_s = MICROSECONDS, 10, 0
    for code, value in _options(order, body[8:]):
        if code == IF_TSRESOL and len(value) == 1:
            base, exponent = (2, value[0] & 0x7F) if value[0] & 0x80 else (10, value[0])
        elif code == IF_TSOFFSET and len(value) == 8:
            (offset_s,) = struct.unpack(order + "q", value)
    return _Interface(link_type, snap_length, base ** exponent, offset_s)


def _options(order: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Options are padded to four bytes each; what does not hold a whole one is passed over."""
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, at)
        at += 4
        if code == OPTION_END or at + length > len(data):
            return
        yield code, data[at:at + length]
        at += length + -length % 4


def _packet(section: _Section, kind: int, body: bytes, index: int) -> Packet:
    fixed = 4 if kind == SIMPLE_PACKET else 20
    if len(body) < fixed:
        raise PcapngError(index, f"block {index} is too short for a packet")
    if kind == SIMPLE_PACKET:
        (original,) = struct.unpack_from(section.order + "I", body)
        interface = section.interface(0, index)
        stored = min(original, interface.snap_length or original, len(body) - fixed)
        return Packet(None, body[fixed:fixed + stored], original, interface.link_type)
    form = "IIIII" if kind == ENHANCED_PACKET else "HxxIIII"
    number, high, low, stored, original = struct.unpack_from(section.order + form, body)
    if stored > len(body) - fixed:
        raise PcapngError(index, f"block {index} claims {stored} bytes of packet in a block of {len(body)}")
    interface = section.interface(number, index)
    return Packet(interface.time_ns(high << 32 | low), body[fixed:fixed + stored], original, interface.link_type)
