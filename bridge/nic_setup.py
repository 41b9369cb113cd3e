# SPDX-License-Identifier: MIT
"""Register writes with which the native core, playing the host of a run without a kernel, sets the NIC up.

The host's memory: RX ring lines, or in descriptor mode their buffers, and the raw ring lie in the first window; the
descriptors, in the second one, at the place that a kernel keeps free for rings at a fixed address.
"""

from __future__ import annotations

from bridge import layout
from bridge.interface import LoopRequest

HOST_BASE = 0x0100_0000
HOST_BYTES = 0x0100_0000
RAW_BASE = HOST_BASE + HOST_BYTES // 2
RAW_LOG2 = 10


def descriptor_ring(request: LoopRequest) -> tuple[int, int, int] | None:
    """Base, log2 of the size, and first buffer of the RX ring of descriptors; None: the ring is one of lines."""
    return (layout.RESERVED_BASE, request.rx_log2, HOST_BASE) if request.rx_mode == "descriptors" else None


def _wide(name: str, value: int) -> list[tuple[str, int]]:
    return [(f"{name}_LO", value & 0xFFFF_FFFF), (f"{name}_HI", value >> 32)]


def _mask(register: str, fields: tuple[str, ...]) -> int:
    return sum(layout.REGISTER_FIELDS[register][field] for field in fields)


def register_writes(request: LoopRequest, epoch: int) -> list[tuple[int, int]]:
    """(address, value) in the order in which they are made: what is set up while a ring is off, then the enables."""
    descriptors = descriptor_ring(request)
    modes = (
        *(("VERIFIED",) if request.delivery == "verified" else ()),
        *(("PROTOTYPE",) if request.packet_format == "prototype" else ()),
        *(("RX_DESCRIPTOR",) if descriptors else ()),
    )
    enables = ("RX_ENABLE", *(("RAW_ENABLE",) if request.raw_ring else ()))
    writes = [
        *_wide("WINDOW_BASE", HOST_BASE),
        *_wide("WINDOW_SIZE", HOST_BYTES),
        *_wide("RX_BASE", descriptors[0] if descriptors else HOST_BASE),
        ("RX_LOG2", request.rx_log2),
        ("RX_EPOCH", epoch),
        ("GROUP_ADDRESS", int.from_bytes(bytes(map(int, request.group_address.split("."))), "big")),
        ("GROUP_PORT", request.group_port),
        ("HOLD", request.hold_ns),
        ("EVENT_ENABLE", _mask("EVENT_ENABLE", request.events)),
    ]
    if descriptors:
        writes += [*_wide("WINDOW2_BASE", layout.RESERVED_BASE), *_wide("WINDOW2_SIZE", layout.RESERVED_SIZE)]
    if request.raw_ring:
        writes += [
            *_wide("SESSION_SOURCE_MAC", int(request.host_mac.replace(":", ""), 16)),
            *_wide("RAW_BASE", RAW_BASE),
            ("RAW_LOG2", RAW_LOG2),
            ("RAW_EPOCH", epoch),
        ]
    writes += [*request.registers, ("CONTROL", _mask("CONTROL", modes)), ("CONTROL", _mask("CONTROL", modes + enables))]
    return [(layout.REGISTERS[name], value) for name, value in writes]
