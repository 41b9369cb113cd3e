# SPDX-License-Identifier: MIT
"""8,000 symbols with 2,097,152 live orders: all kept, every invariant holds, the next order is refused and told of."""

from __future__ import annotations

import numpy as np

from bridge import layout
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module

SYMBOLS = 8_000
ORDERS = 1 << 21
PRICES = 64  # a side
CHUNK = 1 << 15

ADD = np.dtype({
    "names": ["sequence", "stock_locate", "length", "type", "side", "reference", "stock", "shares", "price"],
    "formats": ["<u8", "<u2", "<u2", "u1", "S1", "<u8", "S8", "<u4", "<u4"],
    "offsets": [0, 14, 24, 26, *({name: at for name, _, at, _, _ in layout.ITCH_BODY["A"]}[field] for field in (
        "buy_sell_indicator", "order_reference_number", "stock", "shares", "price"))],
    "itemsize": layout.LINE_BYTES,
})


def adds(first: int, count: int) -> bytes:
    """Adds with references from ``first`` on, around the symbols, sides and prices."""
    lines = np.zeros(count, ADD)
    number = np.arange(first, first + count)
    symbol = number % SYMBOLS
    turn = number // SYMBOLS
    lines["sequence"] = lines["reference"] = number
    lines["stock_locate"] = symbol + 1
    lines["length"], lines["type"] = layout.ITCH_LENGTHS["A"], ord("A")
    lines["side"] = np.where(turn % 2, b"B", b"S")
    lines["stock"] = np.array([f"S{n:<7}" for n in range(SYMBOLS)], "S8")[symbol]
    lines["shares"] = 100
    lines["price"] = np.where(turn % 2, 1_000_000 - 100 * (turn // 2 % PRICES), 1_000_100 + 100 * (turn // 2 % PRICES))
    return lines.tobytes()


def test_two_million_orders_of_8000_symbols(core: Core) -> None:
    limits = {"max_books": SYMBOLS, "max_orders": ORDERS, "max_levels": SYMBOLS * 2 * PRICES}
    assert core.configure(config_module(default_strategy=0, **limits)) == ""
    for first in range(1, ORDERS + 1, CHUNK):
        core.intents([adds(first, CHUNK)])
    statistics = core.export().statistics
    assert (statistics["live_orders"], statistics["book_count"], statistics["pool_full"]) == (ORDERS, SYMBOLS, 0)
    assert statistics["live_levels"] == SYMBOLS * 2 * PRICES
    assert core.check().broken == ""
    core.intents([adds(ORDERS + 1, 1)])
    statistics = core.export().statistics
    assert (statistics["live_orders"], statistics["pool_full"], statistics["suspect_books"]) == (ORDERS, 1, 1)
