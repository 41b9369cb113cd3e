# SPDX-License-Identifier: MIT
"""The checks between an intent and the exchange, in the order of their reasons (firmware/core/risk.c)."""

from __future__ import annotations

from typing import Literal

from generators.tables import ORDER_PRICE_MAX
from tb.model.book import Book
from tb.model.config import SHARES_LIMIT, RiskConfig
from tb.model.intent import Intent
from tb.model.market import Market
from tb.model.own_orders import OwnOrder, OwnOrders

Refusal = Literal["price", "ring", "kill", "link", "answer", "unknown_order", "side", "size", "notional", "collar",
                  "luld", "short_sale", "position", "total_position", "open_orders", "self_trade", "own_orders", "rate"]
REFUSALS: tuple[Refusal, ...] = (
    "price", "ring", "kill", "link", "answer", "unknown_order", "side", "size", "notional", "collar", "luld",
    "short_sale", "position", "total_position", "open_orders", "self_trade", "own_orders", "rate")
BASIS_POINTS = 10_000


class Risk:
    """Limits, what stops all trading, and the token bucket."""

    def __init__(self, limits: RiskConfig, link_ready: bool) -> None:
        self.limits = limits
        self.killed = False
        self.link_ready = link_ready
        self.contradicted = False  # an answer contradicted the orders
        self._full_at_ns = 0

    def check(self, intent: Intent, book: Book, own: OwnOrders, market: Market, now_ns: int) -> Refusal | None:
        """Why it may not go out; None: it may. A sale beyond the position becomes a short sale."""
        adds = intent.kind in ("enter", "replace")
        if adds and not 0 < intent.price <= ORDER_PRICE_MAX:
            return "price"
        if self.killed and adds:
            return "kill"
        if not self.link_ready:
            return "link"
        if self.contradicted and adds:
            return "answer"
        original = None
        if intent.kind != "enter":
            original = own.find(intent.original)
            if original is None or original.stock_locate != book.stock_locate:
                return "unknown_order"
            intent.side = original.side
            if not adds:
                return self._reduction(intent, original)
            if original.state not in ("live", "assumed"):
                return "unknown_order"
        return self._order(intent, original, book, own, market, now_ns)

    def _reduction(self, intent: Intent, original: OwnOrder) -> Refusal | None:
        if intent.kind == "cancel":
            return None if original.state in ("pending", "live", "assumed") else "unknown_order"
        if original.state != "live":
            return "unknown_order"
        return None if 0 < intent.shares <= original.shares else "size"

    def _order(self, intent: Intent, original: OwnOrder | None, book: Book, own: OwnOrders, market: Market,
               now_ns: int) -> Refusal | None:
        limits, locate = self.limits, book.stock_locate
        if not original and intent.side not in ("B", "S"):
            return "side"
        whole = intent.shares + (original.executed if original else 0)
        if intent.shares == 0 or whole >= SHARES_LIMIT or (limits.order_shares and intent.shares > limits.order_shares):
            return "size"
        if limits.order_notional and intent.shares * intent.price > limits.order_notional:
            return "notional"
        if limits.collar_bp and self._beyond_collar(intent, book):
            return "collar"
        low, high = market.collars.get(locate, (0, 0))
        if high and not low <= intent.price <= high:
            return "luld"

        buying, selling = own.open_shares(locate)
        freed = original.shares if original and original.open else 0
        if intent.side == "B":
            buying += intent.shares - freed
        else:
            selling += intent.shares - freed
            if intent.side == "T" or own.positions[locate].shares < selling:
                if not limits.short_selling or (original and intent.side == "S"):
                    return "short_sale"
                if market.restricted(locate) and intent.price <= book.best_bid():
                    return "short_sale"
                intent.side = "T"
        position = own.positions[locate].shares
        reached = position + buying if intent.side == "B" else selling - position
        if limits.position and reached > limits.position:
            return "position"
        if limits.total_position and (
                own.total_exposure(locate) + own.exposure(locate, buying, selling) > limits.total_position):
            return "total_position"
        if not original and limits.open_orders and len(own.open()) >= limits.open_orders:
            return "open_orders"
        if limits.prevent_self_trade and any(
                intent.price >= order.price if intent.side == "B" else intent.price <= order.price
                for order in own.open(locate) if order.buys != (intent.side == "B")):
            return "self_trade"
        if not own.next_number():
            return "own_orders"
        if limits.rate_interval_ns and (
                self._full_at_ns > now_ns + (limits.rate_burst - 1) * limits.rate_interval_ns):
            return "rate"
        return None

    def _beyond_collar(self, intent: Intent, book: Book) -> bool:
        own, other = (book.best_bid(), book.best_ask()) if intent.side == "B" else (book.best_ask(), book.best_bid())
        reference = other or own
        return not reference or abs(intent.price - reference) * BASIS_POINTS > reference * self.limits.collar_bp

    def sent(self, intent: Intent, now_ns: int) -> None:
        if intent.kind in ("enter", "replace"):
            self._full_at_ns = max(self._full_at_ns, now_ns) + self.limits.rate_interval_ns
