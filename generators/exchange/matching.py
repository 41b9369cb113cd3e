# SPDX-License-Identifier: MIT
"""Price-time priority matching of many symbols: limit orders, immediate-or-cancel, cancel, replace, modify, halts.

At one price displayed orders come before those that are not displayed, and within each the oldest first. A trade takes
place at the resting order's price. Orders of one account do trade with each other, unless it asked for prevention.
Every change is emitted as an event (orders.py); the engine knows no protocol, no clock and no chance.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection

from generators.exchange.orders import (
    BUY,
    MAX_PRICE,
    MAX_SHARES,
    SELL,
    Accepted,
    Account,
    Broken,
    Canceled,
    Corrected,
    End,
    Event,
    Modified,
    Order,
    Prevented,
    Replaced,
    Rested,
    StateChanged,
    Traded,
)

TRADING, HALTED, PAUSED, QUOTING = "T", "H", "P", "Q"
UNFILLED = "I"                         # OUCH's reason for what is left of an immediate-or-cancel order


class _Level:
    """Orders at one price by reference number, oldest first."""

    __slots__ = ("hidden", "shown")

    def __init__(self) -> None:
        self.shown: dict[int, Order] = {}
        self.hidden: dict[int, Order] = {}

    def queue(self, order: Order) -> dict[int, Order]:
        return self.hidden if order.shown is None else self.shown

    def first(self) -> Order:
        return next(iter(self.shown.values() or self.hidden.values()))


class Side:
    """One side of a book: levels, and their prices with the best one first (bids as negative numbers)."""

    __slots__ = ("_levels", "_prices", "_sign")

    def __init__(self, side: bytes) -> None:
        self._sign = -1 if side == BUY else 1
        self._levels: dict[int, _Level] = {}
        self._prices: list[int] = []

    def add(self, order: Order) -> None:
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = _Level()
            insort(self._prices, self._sign * order.price)
        level.queue(order)[order.reference] = order

    def remove(self, order: Order) -> None:
        level = self._levels[order.price]
        del level.queue(order)[order.reference]
        if not level.shown and not level.hidden:
            del self._levels[order.price]
            key = self._sign * order.price
            del self._prices[bisect_left(self._prices, key)]

    def best(self) -> Order | None:
        """The order that trades next."""
        return self._levels[self._sign * self._prices[0]].first() if self._prices else None

    def within(self, limit: int) -> Order | None:
        """The order that trades next with an incoming one of the other side at this limit."""
        if not self._prices or self._prices[0] > self._sign * limit:
            return None
        return self._levels[self._sign * self._prices[0]].first()

    def available(self, limit: int, wanted: int) -> int:
        """Shares within the limit; stops counting at `wanted`."""
        total = 0
        for key in self._prices:
            if key > self._sign * limit or total >= wanted:
                break
            level = self._levels[self._sign * key]
            total += sum(order.shares for queue in (level.shown, level.hidden) for order in queue.values())
        return total

    def orders(self) -> list[Order]:
        """In the order in which they trade."""
        return [order for key in self._prices for queue in (self._levels[self._sign * key].shown,
                                                            self._levels[self._sign * key].hidden)
                for order in queue.values()]

    def displayed(self) -> list[tuple[int, int, int]]:
        """(price, shares, orders) as the feed shows them, best first."""
        shares: Counter[int] = Counter()
        orders: Counter[int] = Counter()
        for order in self.orders():
            if order.shown is not None:
                shares[order.shown] += order.shares
                orders[order.shown] += 1
        return [(price, shares[price], orders[price]) for price in sorted(shares, key=lambda price: self._sign * price)]


class Book:
    """One symbol."""

    __slots__ = ("asks", "bids", "state")

    def __init__(self) -> None:
        self.bids = Side(BUY)
        self.asks = Side(SELL)
        self.state = TRADING

    def side(self, side: bytes) -> Side:
        return self.bids if side == BUY else self.asks

    def opposite(self, side: bytes) -> Side:
        return self.asks if side == BUY else self.bids


class MatchingEngine:
    """Books by index; `apart` lists the accounts whose orders do not trade with each other. What an operation did the
    caller takes with `take_events`."""

    def __init__(self, books: int, apart: Collection[Account] = ()) -> None:
        self._apart = frozenset(account.number for account in apart)
        self.books = [Book() for _ in range(books)]
        self.live: dict[int, Order] = {}       # by reference number
        self._events: list[Event] = []
        self._reference = 0
        self._match = 0

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def enter(self, account: Account, book: int, side: bytes, shares: int, price: int, *, immediate: bool = False,
              displayed: bool = True, attributed: bool = False, shown: int | None = None, minimum: int = 0) -> Order:
        """A new order. `shown` is a display price less aggressive than the one it ranks at; `minimum` the shares that
        an immediate order must find at once, or it does nothing."""
        order = self._new(account, book, side, shares, price, displayed, attributed, shown)
        dead = immediate and not self._fills(order, minimum)
        if dead:
            self._die(order)
        self._emit(Accepted(order, dead))
        if not dead:
            self._match_and_rest(order, immediate)
        return order

    def replace(self, old: Order, shares: int, price: int, *, immediate: bool = False, displayed: bool = True,
                attributed: bool = False, minimum: int = 0) -> Order:
        """A live order gives way to a new one of its account, symbol and side."""
        if old.end is not None:
            raise ValueError(f"{old} has ended")
        new = self._new(old.account, old.book, old.side, shares, price, displayed, attributed, None)
        self._take_off(old, End.REPLACED)
        dead = immediate and not self._fills(new, minimum)
        in_place = not immediate and not self._fills(new, 0)
        if in_place:
            self._rest(new)
        elif dead:
            self._die(new)
        self._emit(Replaced(old, new, dead, in_place))
        if not in_place and not dead:
            self._match_and_rest(new, immediate)
        return new

    def cancel(self, order: Order, remaining: int = 0, reason: str = "U") -> None:
        """Leaves `remaining` shares open, if more were."""
        if order.end is not None:
            raise ValueError(f"{order} has ended")
        shares = order.shares - remaining
        if shares > 0:
            self._reduce(order, shares)
            self._emit(Canceled(order, shares, reason))

    def modify(self, order: Order, remaining: int) -> None:
        """Keeps its priority, with `remaining` shares, 1 to what is open."""
        if order.end is not None or not 0 < remaining <= order.shares:
            raise ValueError(f"{order} cannot keep {remaining} shares")
        shares = order.shares - remaining
        self._reduce(order, shares)
        self._emit(Modified(order, shares))

    def change_state(self, book: int, state: str, reason: str = "") -> None:
        """Halt or resume. While it is not trading nothing may be entered or replaced; cancels go on."""
        self.books[book].state = state
        self._emit(StateChanged(book, state, reason))

    def break_trade(self, trade: Traded, reason: str) -> None:
        if trade.broken:
            raise ValueError(f"match {trade.match} is broken already")
        trade.broken = True
        self._emit(Broken(trade, reason))

    def correct_trade(self, trade: Traded, price: int, reason: str) -> None:
        if trade.broken or not 0 < price <= MAX_PRICE:
            raise ValueError(f"match {trade.match} cannot be corrected to {price}")
        before, trade.price = trade.price, price
        self._emit(Corrected(trade, before, reason))

    # Inside

    def _emit(self, event: Event) -> None:
        """When what it tells of has been done: the books are those after the event."""
        self._events.append(event)

    def _new(self, account: Account, book: int, side: bytes, shares: int, price: int, displayed: bool, attributed: bool,
             shown: int | None) -> Order:
        if side not in (BUY, SELL) or not 0 < shares <= MAX_SHARES or not 0 < price <= MAX_PRICE:
            raise ValueError(f"no order: side {side!r}, {shares} shares at {price}")
        if self.books[book].state != TRADING:
            raise ValueError("the symbol is not trading")
        self._reference += 1
        if displayed and shown is None:
            shown = price
        return Order(account, book, self._reference, side, shares, price, shown if displayed else None, attributed)

    def _fills(self, order: Order, minimum: int) -> bool:
        """Whether the book has something for it: at least `minimum` shares, or any."""
        wanted = max(minimum, 1)
        return self.books[order.book].opposite(order.side).available(order.price, wanted) >= wanted

    def _match_and_rest(self, order: Order, immediate: bool) -> None:
        opposite = self.books[order.book].opposite(order.side)
        while order.shares and (resting := opposite.within(order.price)) is not None:
            shares = min(order.shares, resting.shares)
            if resting.account == order.account and order.account.number in self._apart:
                canceled = resting.shares
                self._reduce(resting, canceled)
                self._emit(Prevented(resting, canceled, shares))
                continue
            self._match += 1
            order.shares -= shares
            order.executed += shares
            resting.shares -= shares
            resting.executed += shares
            if not resting.shares:
                self._take_off(resting, End.EXECUTED)
            self._emit(Traded(resting, order, shares, resting.price, self._match))
        if not order.shares:
            order.end = End.EXECUTED
        elif immediate:
            shares = order.shares
            self._die(order)
            self._emit(Canceled(order, shares, UNFILLED))
        else:
            self._rest(order)
            self._emit(Rested(order))

    def _rest(self, order: Order) -> None:
        self.books[order.book].side(order.side).add(order)
        self.live[order.reference] = order
        order.rested = True

    def _take_off(self, order: Order, end: End) -> None:
        self.books[order.book].side(order.side).remove(order)
        del self.live[order.reference]
        order.end = end

    def _die(self, order: Order) -> None:
        """Ends an order that never rested."""
        order.canceled += order.shares
        order.shares = 0
        order.end = End.CANCELED

    def _reduce(self, order: Order, shares: int) -> None:
        if shares == order.shares:
            self._take_off(order, End.CANCELED)
        order.shares -= shares
        order.canceled += shares
