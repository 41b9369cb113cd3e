# SPDX-License-Identifier: MIT
"""Two faults in one frame, and the reason for which each delivery must drop it. Model and RTL are judged by this table.

Written by hand from the receiving rules. Verified delivery judges a frame whole, so the fault that stands first in the
rules' order, here the row, is always the reason. In cut-through what is known at the header comes first, so the table
says which of the two it is. Note other_port with udp_beyond: the order has other_port between the two udp_length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.model.frames import FrameSpec, mold

MESSAGE = b"S" + bytes(11)
IP_START, UDP_BYTES = 14, 8


@dataclass(frozen=True)
class Fault:
    """``fields`` of a FrameSpec make it, or a bad FCS; ``at_end``: only the end of the frame shows it."""

    name: str
    reason: str
    fields: dict[str, Any]
    at_end: bool = False
    bad_fcs: bool = False


# In the order of the receiving rules.
FAULTS = (
    Fault("oversize", "oversize", {"trailer": bytes(9216)}, at_end=True),
    Fault("bad_fcs", "bad_fcs", {}, at_end=True, bad_fcs=True),
    Fault("vlan_depth", "vlan_depth", {"tags": (0x8100, 0x88A8, 0x8100)}),
    Fault("not_ipv4", "not_ipv4", {"ethertype": 0x86DD}),
    Fault("no_ethertype", "not_ipv4", {"cut": IP_START - 1}, at_end=True),
    Fault("truncated_ip", "truncated_ip", {"cut": IP_START + 19}, at_end=True),
    Fault("bad_ip_version", "bad_ip_version", {"version": 6}),
    Fault("bad_ihl", "bad_ihl", {"ihl": 4}),
    Fault("bad_ip_checksum", "bad_ip_checksum", {"ip_checksum_error": 0x0100}),
    Fault("total_short", "ip_length", {"total": 19}),
    Fault("total_beyond", "ip_length", {"total": 60000}, at_end=True),
    Fault("ip_fragment", "ip_fragment", {"fragment": 0x2000}),
    Fault("not_udp", "not_udp", {"protocol": 6}),
    Fault("other_destination", "other_destination", {"destination": "233.54.12.112"}),
    Fault("no_udp_header", "udp_length", {"total": 20 + UDP_BYTES - 1}),
    Fault("udp_short", "udp_length", {"udp_length": UDP_BYTES - 1}),
    Fault("other_port", "other_port", {"port": 26478}),
    Fault("udp_beyond", "udp_length", {"udp_length": 65535}),
    Fault("bad_udp_checksum", "bad_udp_checksum", {"udp_checksum_error": 1}, at_end=True),
    Fault("short_mold_header", "short_mold_header", {"udp_length": UDP_BYTES + 19}),
)

# Row and column in the order above. In cut-through: r the row's reason, c the column's; . cannot be in one frame.
CUT_THROUGH = """
                    o f v n n t v i i t t f n o n u o u u s
                    v c l i e r e h c s b r u d h s p b c m
 oversize           . r c c . . c c c c r c c c c c c c r c
 bad_fcs            . . c c r r c c c c r c c c c c c c r c
 vlan_depth         . . . r . . r r r r r r r r r r r r r r
 not_ipv4           . . . . . r r r r r r r r r r r r r r r
 no_ethertype       . . . . . . . . . . . . . . . . . . . .
 truncated_ip       . . . . . . r r r r r r r . r . . . . .
 bad_ip_version     . . . . . . . r r r r r r r r r r r r r
 bad_ihl            . . . . . . . . r r r r r r r r r r r r
 bad_ip_checksum    . . . . . . . . . r r r r r r r r r r r
 total_short        . . . . . . . . . . . r r r . r r r r r
 total_beyond       . . . . . . . . . . . c c c . c c c r c
 ip_fragment        . . . . . . . . . . . . r r r r r r r r
 not_udp            . . . . . . . . . . . . . r r r r r r r
 other_destination  . . . . . . . . . . . . . . r r r r r r
 no_udp_header      . . . . . . . . . . . . . . . r r r r r
 udp_short          . . . . . . . . . . . . . . . . r . r .
 other_port         . . . . . . . . . . . . . . . . . r r r
 udp_beyond         . . . . . . . . . . . . . . . . . . r .
 bad_udp_checksum   . . . . . . . . . . . . . . . . . . . c
 short_mold_header  . . . . . . . . . . . . . . . . . . . .
"""


@dataclass(frozen=True)
class FaultPair:
    """One frame with both faults; it carries two messages, 7 and 8."""

    name: str
    frame: bytes
    bad_fcs: bool
    verified: str
    cut_through: str
    delivers: bool  # in cut-through: both faults show too late to hold the messages back


def faulty(*faults: Fault, sequence: int = 7) -> bytes:
    """A frame with these faults."""
    fields: dict[str, Any] = {}
    for fault in faults:
        fields |= fault.fields
    return FrameSpec(payload=mold(sequence, [MESSAGE, MESSAGE]), **fields).build()


def _pairs() -> Iterator[FaultPair]:
    rows = [line.split() for line in CUT_THROUGH.splitlines()[3:]]
    for first, (name, *cells) in zip(FAULTS, rows, strict=True):
        assert name == first.name
        for second, cell in zip(FAULTS, cells, strict=True):
            if cell == ".":
                continue
            yield FaultPair(
                f"{first.name}+{second.name}", faulty(first, second), first.bad_fcs or second.bad_fcs,
                first.reason, first.reason if cell == "r" else second.reason,
                first.at_end and second.at_end and not {"cut"} & (first.fields.keys() | second.fields.keys()),
            )


PAIRS = tuple(_pairs())
