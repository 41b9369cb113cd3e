# SPDX-License-Identifier: MIT
"""What each account holds and what became of each order, from the engine's events alone.

Cash is in the price unit (a ten-thousandth of a dollar) times shares. Every trade moves shares and cash between two
accounts, so over all accounts both sum to zero at any time, broken trades included.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from generators.exchange.orders import BUY, Accepted, Account, Broken, Corrected, End, Event, Order, Replaced, Traded


class Ledger:
    """Positions, cash, trades and orders."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}                                   # by reference number, ended ones too
        self.trades: list[Traded] = []
        self._positions: defaultdict[int, Counter[int]] = defaultdict(Counter)   # account, book
        self._cash: Counter[int] = Counter()
        self._names: dict[int, Account] = {}

    def follow(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Traded):
                self.trades.append(event)
                self._settle(event, 1, event.price)
            elif isinstance(event, Accepted):
                self._know(event.order)
            elif isinstance(event, Replaced):
                self._know(event.new)
            elif isinstance(event, Broken):
                self._settle(event.trade, -1, event.trade.price)
            elif isinstance(event, Corrected):
                self._settle(event.trade, -1, event.before)
                self._settle(event.trade, 1, event.trade.price)

    def position(self, account: Account, book: int) -> int:
        return self._positions[account.number][book]

    def cash(self, account: Account) -> int:
        return self._cash[account.number]

    def accounts(self) -> list[Account]:
        return [self._names[number] for number in sorted(self._names)]

    def of_account(self, account: Account) -> list[Order]:
        return [order for order in self.orders.values() if order.account == account]

    def totals(self) -> dict[str, Any]:
        """Positions summed by book and cash over all accounts (zero everywhere), orders by how they ended."""
        books: Counter[int] = Counter()
        for positions in self._positions.values():
            for book, shares in positions.items():
                books[book] += shares
        ends = Counter(order.end.value if order.end else "open" for order in self.orders.values())
        return {
            "positions": {book: shares for book, shares in sorted(books.items()) if shares},
            "cash": sum(self._cash.values()),
            "orders": {name: ends[name] for name in (*(end.value for end in End), "open")},
            "trades": len(self.trades),
            "broken": sum(trade.broken for trade in self.trades),
        }

    def _know(self, order: Order) -> None:
        self.orders[order.reference] = order
        self._names[order.account.number] = order.account

    def _settle(self, trade: Traded, sign: int, price: int) -> None:
        for order in (trade.resting, trade.incoming):
            number, shares = order.account.number, sign * trade.shares
            bought = order.side == BUY
            self._positions[number][order.book] += shares if bought else -shares
            self._cash[number] += -shares * price if bought else shares * price
