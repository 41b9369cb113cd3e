# SPDX-License-Identifier: MIT
"""Own orders from intent to their end, and the positions they lead to: what firmware/core/oms.c must do.

An answer is checked against its order before it changes anything. In a session that answers nothing orders are assumed:
they are not open, and their places in the table may be taken over.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from generators.tables import ORDER_PRICE_MAX
from tb.model.intent import Answer, Intent

State = Literal["pending", "live", "pending_replace", "pending_cancel", "unknown", "assumed"]
Answered = Literal["applied", "unknown", "bad"]

SKIPS = 8  # numbers without a place that an order passes over
MATCHES = 1024  # latest executions, for trades that are broken
CASH_LIMIT = 1 << 63


@dataclass(slots=True)
class OwnOrder:
    """An order that is not over."""

    number: int
    stock_locate: int
    side: str
    shares: int
    price: int
    state: State
    original: int = 0  # the order that it replaces, until that is done
    replacement: int = 0  # what is on its way to replace it
    executed: int = 0
    accepted: bool = False
    cancel: bool = False  # to be cancelled as soon as it can be

    @property
    def buys(self) -> bool:
        return self.side == "B"

    @property
    def open(self) -> bool:
        return self.state != "assumed"


@dataclass(slots=True)
class Position:
    """What own executions in a symbol come to."""

    bought: int = 0
    sold: int = 0
    cash: int = 0
    last_price: int = 0

    @property
    def shares(self) -> int:
        return self.bought - self.sold


@dataclass(slots=True)
class _Match:
    match: int
    order: OwnOrder
    shares: int
    price: int


def _priced(answer: Answer) -> bool:
    return 0 < answer.price <= ORDER_PRICE_MAX


class OwnOrders:
    """All own orders. ``table_log2`` is the size of the kernel's table: a number has its place there, modulo that."""

    def __init__(self, table_log2: int, assume: bool) -> None:
        self._size = 1 << table_log2
        self._assume = assume
        self._places: dict[int, OwnOrder] = {}
        self._matches: deque[_Match] = deque(maxlen=MATCHES)
        self._working: dict[tuple[int, bool], int] = {}
        self.number = 0
        self.lost = 0
        self.cash = 0
        self.positions: defaultdict[int, Position] = defaultdict(Position)

    def __iter__(self) -> Iterator[OwnOrder]:
        """By place in the table."""
        return iter([self._places[place] for place in sorted(self._places)])

    def find(self, number: int) -> OwnOrder | None:
        order = self._places.get(number % self._size)
        return order if order is not None and order.number == number else None

    def newest(self, stock_locate: int, buys: bool) -> int:
        """Number of the newest order of a side that has not been over at its last answer; 0: none."""
        return self._working.get((stock_locate, buys), 0)

    def working(self, stock_locate: int, buys: bool) -> OwnOrder | None:
        """The newest order of a side that is not known to be over."""
        return self.find(self._working.get((stock_locate, buys), 0))

    def open(self, stock_locate: int | None = None) -> list[OwnOrder]:
        return [order for order in self._places.values()
                if order.open and stock_locate in (None, order.stock_locate)]

    def open_shares(self, stock_locate: int) -> tuple[int, int]:
        """Of buys and of sales."""
        orders = self.open(stock_locate)
        return sum(o.shares for o in orders if o.buys), sum(o.shares for o in orders if not o.buys)

    def exposure(self, stock_locate: int, buying: int, selling: int) -> int:
        """Shares, long or short, if all of the worse side fills."""
        position = self.positions[stock_locate].shares
        return max(position + buying, selling - position)

    def total_exposure(self, but: int) -> int:
        """Over all symbols but one."""
        locates = {order.stock_locate for order in self.open()} | set(self.positions)
        return sum(self.exposure(locate, *self.open_shares(locate)) for locate in locates if locate != but)

    def next_number(self) -> int:
        """What the next order would be; 0: there is no place."""
        for number in range(self.number + 1, self.number + 1 + SKIPS):
            order = self._places.get(number % self._size)
            if number < 1 << 32 and (order is None or not order.open):
                return number
        return 0

    def send(self, intent: Intent) -> None:
        """The intent has passed every check."""
        original = self.find(intent.original)
        match intent.kind:
            case "enter":
                intent.original = 0
                self._place(intent, intent.shares)
            case "replace":
                assert original
                wanted = intent.shares
                intent.shares += original.executed
                intent.number = self.next_number()
                if self._assume:
                    self._places.pop(original.number % self._size)
                else:
                    original.replacement = intent.number
                    original.state = "pending_replace"
                self._place(intent, wanted, cancel=original.cancel)
            case "modify":
                assert original
                intent.shares += original.executed
            case "cancel":
                assert original
                if not self._assume:
                    original.state = "pending_cancel"
                    return
                self._places.pop(original.number % self._size)
                if self._working.get((original.stock_locate, original.buys)) == original.number:
                    self._working.pop((original.stock_locate, original.buys))

    def cancel_all(self) -> None:
        """Whatever is there now is to be cancelled, and what replaces it."""
        for order in self:
            order.cancel = True

    def to_cancel(self) -> list[OwnOrder]:
        """Of that, what can be."""
        return [order for order in self if order.cancel and order.state in ("pending", "live", "assumed")]

    def _place(self, intent: Intent, shares: int, *, cancel: bool = False) -> None:
        self.number = intent.number = self.next_number()
        self._places[self.number % self._size] = OwnOrder(
            self.number, intent.stock_locate, intent.side, shares, intent.price,
            "assumed" if self._assume else "pending", original=intent.original, cancel=cancel)
        self._working[intent.stock_locate, intent.side == "B"] = self.number

    def _bury(self, order: OwnOrder) -> None:
        """It is over; a replacement on its way was never taken, an order it was to replace goes on."""
        replacement, order.replacement = self.find(order.replacement), 0
        if replacement is not None:
            replacement.original = 0
            self._bury(replacement)
        self._places.pop(order.number % self._size)
        original = self.find(order.original)
        if original is not None and original.replacement == order.number:
            original.replacement = 0
            if original.state == "pending_replace":
                original.state = "live"
        else:
            original = None
        key = (order.stock_locate, order.buys)
        if self._working.get(key) == order.number:
            self._working[key] = original.number if original else 0

    def _reduce(self, order: OwnOrder, shares: int) -> None:
        order.shares -= shares
        if order.shares == 0:
            self._bury(order)

    def _accept(self, order: OwnOrder, answer: Answer) -> None:
        order.accepted = True
        order.original = 0
        order.price = answer.price
        order.shares = answer.shares
        if order.state != "pending_cancel":
            order.state = "live"
        if answer.dead or answer.shares == 0:
            self._bury(order)

    def answer(self, answer: Answer) -> Answered:
        """Takes one answer."""
        match answer.kind:
            case "system_event" | "account":
                return "applied"
            case "broken":
                return self._broken(answer)
            case "corrected":
                return self._corrected(answer)
            case "malformed":
                return "bad"
        order = self.find(answer.number)
        if order is None:
            return "bad" if self._is_back(answer) else "unknown"
        if not order.open:
            return "unknown"
        if not self._possible(order, answer):
            return "bad"
        match answer.kind:
            case "accepted":
                self._accept(order, answer)
            case "replaced":
                original = self.find(order.original)
                assert original
                original.replacement = 0
                self._bury(original)
                self._accept(order, answer)
            case "canceled" | "aiq_canceled":
                if order.state == "pending_cancel":
                    order.state = "live"
                self._reduce(order, answer.shares)
            case "executed":
                return self._executed(order, answer)
            case "rejected":
                self._bury(order)
            case "cancel_pending" if not order.replacement:
                order.state = "pending_cancel"
            case "cancel_reject":
                order.state = "live" if order.state == "pending_cancel" else order.state
                order.cancel = False
            case "modified":
                self._reduce(order, order.shares - answer.shares)
            case "priority_update":
                order.price = answer.price
        return "applied"

    def _is_back(self, answer: Answer) -> bool:
        """What can only be said of an order that is there, of one that is over here: it was taken for lost."""
        return (not self._assume and 0 < answer.number <= self.number
                and answer.kind in ("accepted", "replaced", "executed"))

    def _possible(self, order: OwnOrder, answer: Answer) -> bool:
        match answer.kind:
            case "accepted":
                return not order.accepted and not order.original and self._fits(order, answer)
            case "rejected":
                return not order.accepted
            case "replaced":
                original = self.find(order.original)
                return (not order.accepted and original is not None and order.original == answer.original
                        and original.accepted and self._fits(order, answer))
            case "canceled" | "aiq_canceled":
                return order.accepted and 0 < answer.shares <= order.shares
            case "executed":
                return order.accepted and 0 < answer.shares <= order.shares and _priced(answer)
            case "priority_update":
                return order.accepted and _priced(answer)
            case "modified":
                return order.accepted and answer.shares <= order.shares
            case _:
                return order.accepted

    def _fits(self, order: OwnOrder, answer: Answer) -> bool:
        """What was sent, but for its price and for less of it; all sales are one side."""
        return answer.shares <= order.shares and (answer.side == "B") == order.buys and _priced(answer)

    def _trade(self, order: OwnOrder, shares: int, price: int) -> bool:
        position = self.positions[order.stock_locate]
        value = -shares * price if order.buys else shares * price
        if not all(-CASH_LIMIT <= cash + value < CASH_LIMIT for cash in (position.cash, self.cash)):
            return False
        position.cash += value
        self.cash += value
        if order.buys:
            position.bought += shares
        else:
            position.sold += shares
        return True

    def _executed(self, order: OwnOrder, answer: Answer) -> Answered:
        if not self._trade(order, answer.shares, answer.price):
            return "bad"
        self._matches.append(_Match(answer.match, order, answer.shares, answer.price))
        self.positions[order.stock_locate].last_price = answer.price
        order.executed += answer.shares
        self._reduce(order, answer.shares)
        return "applied"

    def _find_match(self, answer: Answer) -> _Match | None:
        """Of a trade between two own orders each has one."""
        return next((match for match in self._matches if match.shares and
                     (match.match, match.order.number) == (answer.match, answer.number)), None)

    def _broken(self, answer: Answer) -> Answered:
        match = self._find_match(answer)
        if match is None:
            return "unknown"
        if not self._trade(match.order, -match.shares, match.price):
            return "bad"
        match.shares = 0
        return "applied"

    def _corrected(self, answer: Answer) -> Answered:
        match = self._find_match(answer)
        if match is None:
            return "unknown"
        if answer.shares != match.shares or not _priced(answer):
            return "bad"
        if not self._trade(match.order, -match.shares, match.price):
            return "bad"
        if not self._trade(match.order, match.shares, answer.price):
            self._trade(match.order, match.shares, match.price)
            return "bad"
        match.price = answer.price
        return "applied"

    def link_down(self) -> None:
        """What is open is unknown."""
        for order in self.open():
            order.state = "unknown"

    def link_ready(self) -> None:
        """What was never accepted is lost; the rest is live."""
        for order in [order for order in self if order.state == "unknown" and not order.accepted]:
            if self.find(order.number) is order:
                self.lost += 1
                self._bury(order)
        for order in self.open():
            if order.state == "unknown":
                order.state = "live"

    def counts(self) -> Counter[int]:
        """Open orders by locate."""
        return Counter(order.stock_locate for order in self.open())
