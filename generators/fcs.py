# SPDX-License-Identifier: MIT
"""The Ethernet frame check sequence: CRC-32 of the frame, sent least significant byte first (IEEE 802.3, 3.2.9)."""

from __future__ import annotations

import zlib

FCS_BYTES = 4


def with_fcs(frame: bytes) -> bytes:
    """The frame with its FCS behind it."""
    return frame + zlib.crc32(frame).to_bytes(FCS_BYTES, "little")


def strip_fcs(data: bytes) -> tuple[bytes, bool]:
    """The frame in front of the FCS, and whether that FCS is wrong; fewer than five bytes hold no frame at all."""
    frame = data[:-FCS_BYTES]
    return frame, zlib.crc32(frame).to_bytes(FCS_BYTES, "little") != data[-FCS_BYTES:]
