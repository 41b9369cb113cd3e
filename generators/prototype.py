# SPDX-License-Identifier: MIT
"""The seed prototype's own packet: session 8 and payload length 4, big-endian, then one message of 11 bytes.

The message's integers are little-endian. There is no sequence number: a receiver counts the arrivals of a session.
"""

from __future__ import annotations

import struct

SESSION = b"TICKLOOP"
HEADER = struct.Struct(">8sI")         # session, payload length
MESSAGE = struct.Struct("<cHII")       # type, stock locate, price, shares
FIELDS = ("stock_locate", "price", "shares")


def message(message_type: str, stock_locate: int, price: int, shares: int) -> bytes:
    """The payload: one message."""
    return MESSAGE.pack(message_type.encode("latin-1"), stock_locate, price, shares)


def packet(payload: bytes, session: bytes = SESSION) -> bytes:
    """The UDP payload that carries one message."""
    return HEADER.pack(session, len(payload)) + payload


def decode(payload: bytes) -> dict[str, int]:
    """The fields of a message; bytes beyond it are ignored."""
    return dict(zip(FIELDS, MESSAGE.unpack_from(payload)[1:], strict=True))
