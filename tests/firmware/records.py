# SPDX-License-Identifier: MIT
"""ITCH messages as the RX ring carries them, and the kernel's configuration module and export, by the shared layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge import layout
from bridge.layout import MessageStatus
from generators.tables import ITCH50, WireError

DECODED = (MessageStatus.OK, MessageStatus.TOO_LONG)


def message_status(message: bytes) -> MessageStatus:
    if not message:
        return MessageStatus.ZERO_LENGTH
    length = layout.ITCH_LENGTHS.get(chr(message[0]))
    if length is None:
        return MessageStatus.UNKNOWN_TYPE
    if len(message) < length:
        return MessageStatus.TOO_SHORT
    return MessageStatus.TOO_LONG if len(message) > length else MessageStatus.OK


def record_lines(message: bytes, sequence: int, status: int | None = None) -> list[bytearray]:
    """The lines of one message, publish words still 0; ``status`` overrides the one that is due."""
    due = message_status(message)
    kind = chr(message[0]) if message else ""
    record = np.zeros(1, layout.RX_RECORD)
    record["sequence"] = sequence
    record["length"] = len(message)
    record["type"] = message[0] if message else 0
    first, rest = bytearray(), bytearray()
    decoded = due in DECODED and kind in layout.ITCH_BODY
    if due in DECODED:
        record["stock_locate"] = int.from_bytes(message[1:3], "big")
    if decoded:
        fields = ITCH50[kind].decode(message)
        first, lines = bytearray(record.tobytes()), 0
        rest = bytearray(layout.LINE_BYTES)
        for name, line, at, size, is_integer in layout.ITCH_BODY[kind]:
            value = fields[name]
            data = value.to_bytes(size, "little") if is_integer else value.encode("latin-1")
            target = rest if line else first
            target[at : at + size] = data
            lines = max(lines, line)
        result = [first, *([rest] if lines else [])]
        code = int(due)
    else:
        first = bytearray(record.tobytes())
        head = message[: layout.RAW_FIRST_BYTES]
        first[32 : 32 + len(head)] = head
        result = [first]
        for at in range(layout.RAW_FIRST_BYTES, len(message), layout.CONTINUATION_BYTES):
            chunk = message[at : at + layout.CONTINUATION_BYTES]
            result.append(bytearray(chunk.ljust(layout.LINE_BYTES, b"\0")))
        code = int(due) | layout.STATUS_RAW
    first[27] = code if status is None else status
    first[28] = len(result) - 1
    return result


BEST_BID: tuple[tuple[str, Sequence[int]], ...] = (("best_bid", ()),)


def config_module(symbols: Iterable[tuple[str, int, int]] = (),
                  strategies: Sequence[tuple[str, Sequence[int]]] = BEST_BID, **fields: Any) -> bytes:
    """A configuration module; ``fields`` override the header, ``symbols`` are (stock, strategy, shares), ``strategies``
    are (name, parameters) and numbered from 1."""
    table = np.zeros(len(strategies), layout.CONFIG_STRATEGY)
    for entry, (name, parameters) in zip(table, strategies, strict=True):
        entry["name"] = np.frombuffer(name.encode("ascii").ljust(16, b"\0"), "u1")
        for index, value in enumerate(parameters):
            entry[f"parameter_{index}"] = value
    entries = np.array(
        [(np.frombuffer(stock.encode("latin-1").ljust(8), "u1"), strategy, shares)
         for stock, strategy, shares in symbols],
        layout.CONFIG_SYMBOL,
    )
    header = np.zeros(1, layout.CONFIG_HEADER)
    values: dict[str, Any] = {
        "magic": layout.CONFIG_MAGIC,
        "version": layout.LAYOUT_VERSION,
        "layout_hash": layout.LAYOUT_HASH,
        "size": header.nbytes + entries.nbytes + table.nbytes,
        "symbol_count": len(entries),
        "strategy_count": len(table),
        "subscribe_all": 1,
        "default_strategy": 1,
        "default_shares": 100,
        "rx_log2": 10,
        "tx_log2": 10,
        "raw_log2": 8,
        "max_books": 1024,
        "max_orders": 65536,
        "max_levels": 32768,
        "group_address": 0xE9360C6F,
        "group_port": 26477,
        "source_mac": b"\x02\0\0\0\0\x10",
        "destination_mac": b"\x02\0\0\0\0\x20",
        "source_address": 0xC000020A,
        "destination_address": 0xC0000214,
        "source_port": 49152,
        "destination_port": 26400,
        "tcp_sequence": 1001,
        "tcp_acknowledge": 2002,
        "time_in_force": 99998,
        "minimum_quantity": 0,
        "firm": b"FIRM",
        "display": ord("Y"),
        "capacity": ord("P"),
        "intermarket_sweep": ord("N"),
        "cross_type": ord("N"),
        "customer_type": ord("N"),
        "token_prefix": b"TEST",
        "session_mode": layout.SessionMode.ESTABLISHED,
        "ouch_version": layout.OuchVersion.V42,
        "own_orders_log2": 10,
        "soup_username": b"USER  ",
        "soup_password": b"PASSWORD  ",
        "soup_session": b" " * 10,
        "soup_sequence": 1,
        "heartbeat_ns": 1_000_000_000,
        "server_timeout_ns": 15_000_000_000,
        "retransmit_ns": 200_000,
        "retransmit_limit": 8,
        "recovery_local_port": 26500,
        "recovery_timeout_ns": 100_000,
        "recovery_retries": 5,
        "recovery_held": 4096,
        "recovery_request": 1000,
        "risk_rate_burst": 1,
        "risk_short_selling": 1,
        **fields,
    }
    for name, value in values.items():
        header[name] = np.frombuffer(value, "u1") if isinstance(value, bytes) else value
    return header.tobytes() + entries.tobytes() + table.tobytes()


@dataclass(frozen=True)
class Export:
    """The kernel's result: statistics by name, and books as books.json has them."""

    statistics: Mapping[str, int]
    books: list[dict[str, Any]]


def parse_export(data: bytes) -> Export:
    """Parse an export to its last byte.

    Raises:
        WireError: it does not add up.
    """
    header = np.frombuffer(data, layout.EXPORT_HEADER, 1)[0]
    if header["magic"] != layout.EXPORT_MAGIC or header["bytes"] != len(data):
        raise WireError("not an export, or cut")
    at = layout.EXPORT_HEADER.itemsize
    books: list[dict[str, Any]] = []
    for _ in range(int(header["book_count"])):
        book = np.frombuffer(data, layout.EXPORT_BOOK, 1, at)[0]
        at += layout.EXPORT_BOOK.itemsize
        sides = []
        for count in (int(book["bids"]), int(book["asks"])):
            levels = np.frombuffer(data, layout.EXPORT_LEVEL, count, at)
            at += levels.nbytes
            sides.append([[int(level[n]) for n in ("price", "shares", "orders")] for level in levels])
        stock = book["stock"].tobytes().decode("latin-1")
        books.append({"stock_locate": int(book["stock_locate"]), "stock": stock, "bids": sides[0], "asks": sides[1]})
    if at != len(data):
        raise WireError("bytes left after the last book")
    names = [n for n in layout.EXPORT_HEADER.names or () if n not in ("magic", "version", "bytes")]
    return Export({n: int(header[n]) for n in names}, books)
