# SPDX-License-Identifier: MIT
"""market_maker: a bid and an ask around the middle of what others quote, within an inventory limit."""

from __future__ import annotations

from generators.tables import ORDER_PRICE_MAX
from tb.model.book import Side
from tb.model.intent import Intent
from tb.model.own_orders import OwnOrder
from tb.model.strategies import Parameter
from tb.model.view import View

PARAMETERS = (
    Parameter("half_spread", 0, 1_000_000, 200),
    Parameter("requote", 0, 1_000_000, 100),
    Parameter("inventory", 0, 1_000_000_000, 1000),
    Parameter("tick", 1, 1_000_000, 100),
)
ON_ANY = True


def on_book(view: View) -> list[Intent]:
    half_spread, requote, inventory, tick = view.parameters
    bid, ask = view.working("B"), view.working("S")
    best_bid, best_ask = _price_of_others(view, "B", bid), _price_of_others(view, "S", ask)
    bid_price = ask_price = 0
    if best_bid and best_ask:
        both, position = best_bid + best_ask, view.position.shares
        if position + view.shares <= inventory and both > 2 * half_spread:
            bid_price = (both - 2 * half_spread) // 2 // tick * tick
        if view.shares - position <= inventory:
            middle = -(-(both + 2 * half_spread) // 2)  # both roundings up
            ask_price = -(-middle // tick) * tick
        bid_price, ask_price = (price if price <= ORDER_PRICE_MAX else 0 for price in (bid_price, ask_price))
    return [*_quote(view, "B", bid, bid_price, requote), *_quote(view, "S", ask, ask_price, requote)]


def _price_of_others(view: View, side: Side, own: OwnOrder | None) -> int:
    """The best price but for our own order; 0: none."""
    levels = view.book.ladder(side).best_levels(2)
    if levels and own and own.accepted and levels[0][0] == own.price and levels[0][1] <= own.shares:
        del levels[0]
    return levels[0][0] if levels else 0


def _quote(view: View, side: Side, own: OwnOrder | None, price: int, requote: int) -> list[Intent]:
    if own is None:
        return [Intent("enter", side, view.shares, price)] if price else []
    if own.state not in ("live", "assumed"):
        return []
    if not price:
        return [Intent("cancel", original=own.number)]
    if abs(price - own.price) <= requote and own.shares > view.shares // 2:
        return []
    return [Intent("replace", original=own.number, shares=view.shares, price=price)]
