# SPDX-License-Identifier: MIT
"""What the exchange answered: the SoupBinTCP session inside the frames that the NIC gave to the kernel."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from bridge.interface import RawFrame
from generators.tables import SOUPBINTCP, WireError, decode
from tb.model.config import KernelConfig
from tickloop.rundir.orders import FLAGS_AT, is_segment, tcp_of

SYN, NUMBERS = 2, 1 << 32
LENGTH_BYTES = 2
_PORTS_AND_SEQUENCE = struct.Struct(">HHI")


@dataclass
class _Connection:
    """The bytes of one direction, in order; what comes early waits."""

    start: int  # sequence number of the first byte
    taken: int = 0
    early: dict[int, bytes] = field(default_factory=dict)
    rest: bytes = b""

    def take(self, sequence: int, payload: bytes) -> bytes:
        """What can be read now that ``payload`` has come."""
        at = (sequence - self.start) % NUMBERS
        if at < NUMBERS // 2 and len(payload) > len(self.early.get(at, b"")):
            self.early[at] = payload
        data = b""
        while ready := [at for at in self.early if at <= self.taken]:
            payload = self.early[ready[0]][self.taken - ready[0]:]
            del self.early[ready[0]]
            data += payload
            self.taken += len(payload)
        return data

    def packets(self, data: bytes) -> Iterator[bytes]:
        """The complete SoupBinTCP packets."""
        self.rest += data
        while len(self.rest) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self.rest[:LENGTH_BYTES], "big")
            if len(self.rest) < end:
                return
            packet, self.rest = self.rest[:end], self.rest[end:]
            yield packet


def _segments(frames: Iterable[RawFrame], config: KernelConfig) -> Iterator[tuple[int, int, bytes]]:
    """Sequence number, flags and payload of the exchange's segments."""
    source = IPv4Address(config.destination_address).packed
    for frame in frames:
        if not is_segment(frame.data) or frame.data[26:30] != source:
            continue
        tcp = tcp_of(frame.data)
        if len(tcp) <= FLAGS_AT:
            continue
        source_port, _, sequence = _PORTS_AND_SEQUENCE.unpack_from(tcp)
        if source_port == config.destination_port:
            yield sequence, tcp[FLAGS_AT], tcp[4 * (tcp[12] >> 4):]


def sequenced_messages(frames: Iterable[RawFrame], config: KernelConfig) -> tuple[list[bytes], list[str]]:
    """The session's sequenced messages by their numbers, from the first login's on, over all connections; and what is
    wrong with them."""
    messages: dict[int, bytes] = {}
    problems: list[str] = []
    connection: _Connection | None = None
    first: int | None = None
    following = 0
    for sequence, flags, payload in _segments(frames, config):
        if flags & SYN:
            if connection is None or connection.start != (sequence + 1) % NUMBERS:
                connection, following = _Connection((sequence + 1) % NUMBERS), 0
            continue
        if connection is None:
            continue
        for packet in connection.packets(connection.take(sequence, payload)):
            try:
                fields = decode(packet, SOUPBINTCP)
            except WireError as error:
                problems.append(f"a packet of the exchange's session: {error}")
                continue
            if fields["packet_type"] == "A":
                following = int(fields["sequence_number"])
                first = following if first is None else first
            elif fields["packet_type"] == "S":
                if messages.setdefault(following, fields["message"]) != fields["message"]:
                    problems.append(f"the exchange's message {following} has come with two contents")
                following += 1
    first = 1 if first is None else first
    if sorted(messages) != list(range(first, first + len(messages))):
        problems.append(f"the exchange's messages are not numbered from {first} on without a gap")
    return [messages[number] for number in sorted(messages)], problems
