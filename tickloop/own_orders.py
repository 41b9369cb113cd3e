# SPDX-License-Identifier: MIT
"""Own orders as the log of the exchange's answers tells them: how each ended, and what position and cash they come to.

Nothing here is taken from the kernel, its model or the exchange's own books: it is the third of the ledgers that must
agree at the end of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generators.tables import WireError
from tb.model.answers import fields_of
from tb.model.config import OuchVersion

IGNORED = "ignored"  # the exchange never said a word of it
OPEN = "open"
DEAD = "D"
NO_CHANGE = "SPITRNQ"  # of shares: system events, cancels that wait or are refused, priorities, and the like
_KEYS = ("order_token", "user_ref_num", "replacement_order_token")
_OLD_KEYS = ("previous_order_token", "orig_user_ref_num", "existing_order_token")
_SHARES = ("executed_shares", "decrement_shares", "shares", "quantity")
_PRICE = ("execution_price", "price")

Key = str | int


@dataclass
class OwnOrder:
    """One order; ``end`` is open until there is one."""

    stock: str
    side: str
    shares: int = 0
    end: str = OPEN


@dataclass
class _Trade:
    order: OwnOrder
    shares: int
    price: int


@dataclass
class Ledger:
    """By stock without padding: shares held, and cash in the prices' implied decimals."""

    orders: dict[Key, OwnOrder] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    cash: dict[str, int] = field(default_factory=dict)
    executions: int = 0
    problems: list[str] = field(default_factory=list)
    _trades: dict[tuple[int, Key], _Trade] = field(default_factory=dict)

    def book(self, order: OwnOrder, shares: int, price: int) -> None:
        """A trade, or with fewer than no shares one that is taken back."""
        signed = shares if order.side == "B" else -shares
        self.positions[order.stock] = self.positions.get(order.stock, 0) + signed
        self.cash[order.stock] = self.cash.get(order.stock, 0) - signed * price

    def answer(self, fields: Mapping[str, Any]) -> None:
        """Takes one answer."""
        kind = fields["message_type"]
        if kind in NO_CHANGE:
            return
        key = _first(fields, _KEYS)
        match kind:
            case "A" | "U":
                self._live(fields, key)
            case "B" | "F":
                self._trade_changed(kind, fields, key)
            case _:
                self._changed(kind, fields, key)

    def _live(self, fields: Mapping[str, Any], key: Key) -> None:
        if key in self.orders:
            self.problems.append(f"order {key} is accepted twice")
        stock = str(_first(fields, ("stock", "symbol"))).rstrip()
        side = str(_first(fields, ("buy_sell_indicator", "side")))
        order = self.orders[key] = OwnOrder(stock, side, _shares(fields))
        if fields.get("order_state") == DEAD:
            order.end = "canceled"
        if fields["message_type"] == "U":
            old = _first(fields, _OLD_KEYS)
            if old in self.orders:
                self._end(old, "replaced")
            else:
                self.problems.append(f"order {key} replaces {old}, of which nothing was said")

    def _changed(self, kind: str, fields: Mapping[str, Any], key: Key) -> None:
        if kind == "J":
            if key in self.orders:
                self.problems.append(f"order {key} is rejected after something else")
            self.orders.setdefault(key, OwnOrder("", "")).end = "rejected"
            return
        order = self.orders.get(key)
        if order is None or order.end != OPEN:
            self.problems.append(f"answer {kind} for order {key}, which is {order.end if order else 'not known'}")
            return
        shares = _shares(fields)
        if kind in "EG":
            self.executions += 1
            price = int(_first(fields, _PRICE))
            self._trades[fields["match_number"], key] = _Trade(order, shares, price)
            self.book(order, shares, price)
        left = shares if kind == "M" else order.shares - shares
        if left < 0:
            self.problems.append(f"answer {kind} for order {key} takes {shares} shares of {order.shares}")
        order.shares = left
        if left <= 0:
            self._end(key, "executed" if kind in "EG" else "canceled")

    def _trade_changed(self, kind: str, fields: Mapping[str, Any], key: Key) -> None:
        match = (fields["match_number"], key)
        trade = self._trades.get(match)
        if trade is None:
            self.problems.append(f"answer {kind} for match {match[0]} of order {key}, which is not known")
            return
        self.book(trade.order, -trade.shares, trade.price)
        if kind == "B":
            del self._trades[match]
            return
        trade.shares, trade.price = _shares(fields), int(_first(fields, _PRICE))
        self.book(trade.order, trade.shares, trade.price)

    def _end(self, key: Key, end: str) -> None:
        order = self.orders[key]
        if order.end != OPEN:
            self.problems.append(f"order {key} ends as {order.end} and as {end}")
        order.end = end


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next(fields[name] for name in names if name in fields)


def _shares(fields: Mapping[str, Any]) -> int:
    return int(_first(fields, _SHARES))


def ledger_of(messages: Iterable[bytes], version: OuchVersion) -> Ledger:
    """What the exchange's messages come to."""
    ledger = Ledger()
    for number, message in enumerate(messages, 1):
        try:
            ledger.answer(fields_of(message, version))
        except (WireError, StopIteration) as error:
            ledger.problems.append(f"the exchange's message {number}: {error}")
    return ledger


def keys_sent(orders: Iterable[Mapping[str, Any]]) -> list[Key]:
    """Keys of the orders in orders.jsonl: of every Enter and Replace."""
    keys: list[Key] = []
    for line in orders:
        if line["type"] == "O":
            keys.append(_first(line["fields"], ("order_token", "user_ref_num")))
        elif line["type"] == "U":
            keys.append(_first(line["fields"], ("replacement_order_token", "user_ref_num")))
    return keys
