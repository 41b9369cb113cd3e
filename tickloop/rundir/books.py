# SPDX-License-Identifier: MIT
"""The kernel's export: its statistics and its books at full depth, checked for size before anything is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bridge.layout import EXPORT_BOOK, EXPORT_HEADER, EXPORT_LEVEL, EXPORT_MAGIC, LAYOUT_VERSION

STATISTICS = tuple(name for name in EXPORT_HEADER.names or ()
                   if name not in ("magic", "version", "book_count", "bytes"))
_SIGNED = ("position_cash", "profit")  # two's complement
_POSITION = ("flags", "position", "cash", "bought", "sold", "open_orders", "mark")


@dataclass(frozen=True)
class Export:
    """What the kernel handed out: ``books`` as in books.json, ``statistics`` by the names of ``export_header``,
    ``positions`` what else each ``export_book`` says."""

    statistics: dict[str, int] = field(default_factory=dict)
    books: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def parse_export(data: bytes) -> Export:
    """Reads an export; one that contradicts itself yields what was read up to there, and a problem."""
    if not data:
        return Export(problems=["the kernel exported nothing"])
    if len(data) < EXPORT_HEADER.itemsize:
        return Export(problems=[f"the kernel's export has {len(data)} bytes, less than its header"])
    header = np.frombuffer(data, EXPORT_HEADER, 1)[0]
    if header["magic"] != EXPORT_MAGIC or header["version"] != LAYOUT_VERSION:
        return Export(problems=["the kernel's export has another magic or layout version"])
    statistics = {name: int(header[name]) for name in STATISTICS}
    for name in _SIGNED:
        statistics[name] = int(header[name].astype("<i8"))
    books: list[dict[str, Any]] = []
    positions: list[dict[str, Any]] = []
    problems: list[str] = []
    position = EXPORT_HEADER.itemsize
    for index in range(int(header["book_count"])):
        start = position + EXPORT_BOOK.itemsize
        entry = np.frombuffer(data[position:start].ljust(EXPORT_BOOK.itemsize, b"\0"), EXPORT_BOOK)[0]
        bids, asks = int(entry["bids"]), int(entry["asks"])
        position = start + (bids + asks) * EXPORT_LEVEL.itemsize
        if position > len(data):
            problems.append(f"the kernel's export ends inside book {index} of {header['book_count']}")
            break
        levels = np.frombuffer(data, EXPORT_LEVEL, bids + asks, start)[["price", "shares", "orders"]]
        rows = [list(row) for row in levels.tolist()]
        symbol = {"stock_locate": int(entry["stock_locate"]), "stock": entry["stock"].tobytes().decode("latin-1")}
        books.append({**symbol, "bids": rows[:bids], "asks": rows[bids:]})
        positions.append({**symbol, **{name: _signed(entry[name]) for name in _POSITION}})
    if not problems and not position == int(header["bytes"]) == len(data):
        problems.append(f"the kernel's export says {header['bytes']} bytes, its books fill {position} of {len(data)}")
    return Export(statistics, books, positions, problems)


def _signed(value: Any) -> int:
    """Quantities of 64 bits are signed."""
    return int(value.astype("<i8") if value.dtype.itemsize == 8 else value)
