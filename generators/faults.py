# SPDX-License-Identifier: MIT
"""What goes wrong on a feed line: frames lost, repeated, out of order, cut short, with a bit or a length that is wrong.

Each line has faults of its own, drawn from the seed and the line's name. A flipped bit is one that no FCS showed, so
header checks and UDP checksum are all there is against it. A wrong length (of IPv4, of UDP, or of the first MoldUDP64
block) has checksums that are right for it or absent, so nothing but the lengths themselves can show it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from random import Random

from generators.captures import TimedFrame
from generators.framing import (
    ETHERTYPE_IPV4,
    ETHERTYPE_SERVICE_VLAN,
    ETHERTYPE_VLAN,
    PROTOCOL_UDP,
    internet_sum,
)
from generators.tables import MOLD_HEADER

SHORTEST_FRAME = 14
ETHERNET_BYTES, VLAN_BYTES, UDP_BYTES = 14, 4, 8
IP_LENGTH_AT, IP_PROTOCOL_AT, IP_CHECKSUM_AT = 2, 9, 10
UDP_LENGTH_AT, UDP_CHECKSUM_AT = 4, 6


@dataclass(frozen=True)
class Faults:
    """Chances of a frame, 0 to 1."""

    loss: float = 0
    duplicate: float = 0
    reorder: float = 0
    truncation: float = 0
    bit_flip: float = 0
    bad_length: float = 0

    @classmethod
    def parse(cls, text: str) -> Faults:
        """``loss=0.01,reorder=0.002``.

        Raises:
            ValueError: what is wrong with it.
        """
        names = [each.name for each in fields(cls)]
        rates: dict[str, float] = {}
        for part in text.split(","):
            name, _, value = part.partition("=")
            if name not in names:
                raise ValueError(f"{name!r} is none of {', '.join(names)}")
            if name in rates:
                raise ValueError(f"{name} stands twice")
            try:
                rates[name] = float(value)
            except ValueError:
                raise ValueError(f"{name} is a rate from 0 to 1, got {value!r}") from None
            if not 0 <= rates[name] <= 1:
                raise ValueError(f"{name} is a rate from 0 to 1, got {value}")
        return cls(**rates)

    def __str__(self) -> str:
        return ",".join(f"{each.name}={getattr(self, each.name):g}" for each in fields(self)
                        if getattr(self, each.name))


NO_FAULTS = Faults()
# Some of everything: what the scenario `faults` has.
USUAL = Faults(loss=0.01, duplicate=0.01, reorder=0.01, truncation=0.005, bit_flip=0.005, bad_length=0.005)


def _truncated(frame: bytes, random: Random) -> bytes:
    return frame[:random.randrange(SHORTEST_FRAME, len(frame))] if len(frame) > SHORTEST_FRAME else frame


def _flipped(frame: bytes, random: Random) -> bytes:
    bit = random.randrange(8 * len(frame))
    damaged = bytearray(frame)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def _datagram(frame: bytes) -> tuple[int, int] | None:
    """Where the IPv4 header and the UDP header of a frame are; None if it has no whole ones with a block behind."""
    at = ETHERNET_BYTES
    while frame[at - 2:at] in (ETHERTYPE_VLAN.to_bytes(2, "big"), ETHERTYPE_SERVICE_VLAN.to_bytes(2, "big")):
        at += VLAN_BYTES
    if frame[at - 2:at] != ETHERTYPE_IPV4.to_bytes(2, "big") or len(frame) <= at:
        return None
    udp = at + 4 * (frame[at] & 15)
    whole = len(frame) >= udp + UDP_BYTES + MOLD_HEADER.length + 2 and frame[at + IP_PROTOCOL_AT] == PROTOCOL_UDP
    return (at, udp) if whole else None


def _with_bad_length(frame: bytes, random: Random) -> bytes:
    found = _datagram(frame)
    if found is None:
        return frame
    ip, udp = found
    damaged = bytearray(frame)
    at = random.choice((ip + IP_LENGTH_AT, udp + UDP_LENGTH_AT, udp + UDP_BYTES + MOLD_HEADER.length))
    right = struct.unpack_from(">H", frame, at)[0]
    wrong = random.randrange(1 << 16) if random.random() < 0.5 else (right + random.choice((-2, -1, 1, 2))) % (1 << 16)
    struct.pack_into(">H", damaged, at, wrong)
    struct.pack_into(">H", damaged, udp + UDP_CHECKSUM_AT, 0)
    struct.pack_into(">H", damaged, ip + IP_CHECKSUM_AT, 0)
    struct.pack_into(">H", damaged, ip + IP_CHECKSUM_AT, 0xFFFF - internet_sum(bytes(damaged[ip:udp])))
    return bytes(damaged)


def faulty(frames: Iterable[TimedFrame], faults: Faults, seed: int, line: str) -> Iterator[TimedFrame]:
    """The frames of ``line`` ("A", "B") with faults; times do not go back. The same arguments give the same frames."""
    random = Random(f"{seed}/{line}")
    held: TimedFrame | None = None  # comes behind the next one
    for frame in frames:
        rolls = [random.random() for _ in fields(faults)]
        lost, repeated, late, cut, flipped, wrong = (
            roll < getattr(faults, each.name) for roll, each in zip(rolls, fields(faults), strict=True))
        if lost:
            continue
        data = frame.data
        if wrong:
            data = _with_bad_length(data, random)
        if flipped:
            data = _flipped(data, random)
        if cut:
            data = _truncated(data, random)
        arrived = frame._replace(data=data)
        if late and held is None:
            held = arrived
            continue
        yield from [arrived] * (1 + repeated)
        if held is not None:
            yield held._replace(time_ns=frame.time_ns)
            held = None
    if held is not None:
        yield held
