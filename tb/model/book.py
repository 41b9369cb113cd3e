# SPDX-License-Identifier: MIT
"""Full-depth order books from ITCH 5.0 messages: dictionaries, no pools to share, no order that matters but price.

An order is found by its reference number alone, which every message that modifies it carries (ITCH 5.0 section 1.4);
the locate of such a message says nothing that the order does not. A message is checked before it changes anything, with
one exception: a replace for whose new price no level is left still removes the original, as the exchange has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nlargest, nsmallest
from typing import Any, Literal, NamedTuple

from tb.model.symbols import Symbols

Side = Literal["B", "S"]

BOOK_MESSAGES = frozenset("AFECXDU")


@dataclass(slots=True)
class _Level:
    shares: int = 0  # a Python integer: level sums have no width
    orders: int = 0


class _Ladder:
    """One side of a book. ``best`` is 0 where the side is empty: 0 is no price."""

    def __init__(self, better: Callable[[Any], int]) -> None:
        self._better = better
        self._levels: dict[int, _Level] = {}
        self.best = 0

    def __contains__(self, price: int) -> bool:
        return price in self._levels

    def add(self, price: int, shares: int) -> None:
        level = self._levels.setdefault(price, _Level())
        level.shares += shares
        level.orders += 1
        self.best = self._better((self.best, price)) if self.best else price

    def reduce(self, price: int, shares: int) -> None:
        self._levels[price].shares -= shares

    def remove(self, price: int, shares: int) -> None:
        level = self._levels[price]
        level.shares -= shares
        level.orders -= 1
        if level.orders == 0:
            assert level.shares == 0, "an empty level holds shares"
            del self._levels[price]
            if price == self.best:
                self.best = self._better(self._levels) if self._levels else 0

    def best_levels(self, count: int) -> list[tuple[int, int, int]]:
        """Price, shares and orders of the best levels."""
        prices = (nlargest if self._better is max else nsmallest)(count, self._levels)
        return [(price, self._levels[price].shares, self._levels[price].orders) for price in prices]

    def levels(self) -> list[list[int]]:
        best_first = sorted(self._levels, reverse=self._better is max)
        return [[price, self._levels[price].shares, self._levels[price].orders] for price in best_first]


class Book:
    """One symbol's book."""

    def __init__(self, stock_locate: int, stock: str) -> None:
        self.stock_locate = stock_locate
        self.stock = stock
        self._ladders: dict[Side, _Ladder] = {"B": _Ladder(max), "S": _Ladder(min)}

    def ladder(self, side: Side) -> _Ladder:
        return self._ladders[side]

    def best_bid(self) -> int:
        """The highest bid price; 0 without bids."""
        return self._ladders["B"].best

    def best_ask(self) -> int:
        """The lowest ask price; 0 without asks."""
        return self._ladders["S"].best

    def levels(self) -> dict[str, Any]:
        """The book's entry of books.json: lists of [price, shares, orders], best first."""
        return {
            "stock_locate": self.stock_locate, "stock": self.stock,
            "bids": self._ladders["B"].levels(), "asks": self._ladders["S"].levels(),
        }


@dataclass(slots=True)
class _Order:
    book: Book
    side: Side
    price: int
    shares: int

    @property
    def ladder(self) -> _Ladder:
        return self.book.ladder(self.side)


class Change(NamedTuple):
    """A message that was applied: the book, the one side it changed, and that side's best price before (0: empty)."""

    book: Book
    side: Side
    best_before: int

    @property
    def best_moved(self) -> bool:
        return self.book.ladder(self.side).best != self.best_before


@dataclass(slots=True)
class BookStatistics:
    """What became of the book messages; each falls under exactly one of these, but over_executions are applied too.
    Meanings as in the kernel's export."""

    book_messages: int = 0
    unsubscribed: int = 0
    unknown_references: int = 0
    duplicate_references: int = 0
    over_executions: int = 0
    pool_full: int = 0
    invalid_messages: int = 0
    bad_records: int = 0


@dataclass
class Books:
    """The books of all subscribed symbols; the limits are over all books."""

    symbols: Symbols
    max_books: int
    max_orders: int
    max_levels: int
    statistics: BookStatistics = field(default_factory=BookStatistics)
    _books: dict[int, Book] = field(default_factory=dict)
    _orders: dict[int, _Order] = field(default_factory=dict)
    _levels: int = 0
    # Told of locates whose books a message contradicts, with the counter's name; and of one not named yet that is not
    # subscribed so far, but may be named as one that is.
    doubted: Callable[..., None] = lambda *_: None
    missed: Callable[[int], None] = lambda _: None

    def __iter__(self) -> Iterator[Book]:
        """In the order in which they came into being."""
        return iter(self._books.values())

    def __len__(self) -> int:
        return len(self._books)

    def get(self, stock_locate: int) -> Book | None:
        return self._books.get(stock_locate)

    def __getitem__(self, stock_locate: int) -> Book:
        return self._books[stock_locate]

    def live_orders(self) -> int:
        return len(self._orders)

    def live_levels(self) -> int:
        return self._levels

    def levels(self) -> list[dict[str, Any]]:
        """All books as books.json has them, by stock locate; a book stays when its last order has gone."""
        return [self._books[locate].levels() for locate in sorted(self._books)]

    def apply(self, message_type: str, fields: Mapping[str, Any]) -> Change | None:
        """Applies one book message; None if it was ignored, and counted as what it was."""
        match message_type:
            case "A" | "F":
                change = self._add(fields)
            case "E" | "C":
                change = self._reduce(fields, fields["executed_shares"])
            case "X":
                change = self._reduce(fields, fields["canceled_shares"])
            case "D":
                change = self._delete(fields)
            case "U":
                change = self._replace(fields)
            case _:
                raise ValueError(f"{message_type!r} is no book message")
        if change is not None:
            self.statistics.book_messages += 1
        return change

    def _add(self, fields: Mapping[str, Any]) -> Change | None:
        side, price, shares = fields["buy_sell_indicator"], fields["price"], fields["shares"]
        locate, reference = fields["stock_locate"], fields["order_reference_number"]
        if side not in ("B", "S") or price == 0 or shares == 0:
            self.statistics.invalid_messages += 1
            return None
        if not self.symbols.learn(locate, fields["stock"]):
            self.statistics.bad_records += 1
            return None
        if not self.symbols.subscribed(locate):
            self._unsubscribed(locate)
            return None
        if reference in self._orders:
            self.statistics.duplicate_references += 1
            self.doubted("duplicate_references", locate, self._orders[reference].book.stock_locate)
            return None
        book = self._books.get(locate) or Book(locate, fields["stock"])
        if locate not in self._books and len(self._books) == self.max_books:
            self.statistics.pool_full += 1
            self.doubted("pool_full", locate)
            return None
        before = book.ladder(side).best
        if not self._insert(reference, _Order(book, side, price, shares)):
            self.doubted("pool_full", locate)
            return None
        self._books[locate] = book
        return Change(book, side, before)

    def _reduce(self, fields: Mapping[str, Any], shares: int) -> Change | None:
        if shares == 0:
            self.statistics.invalid_messages += 1
            return None
        reference = fields["order_reference_number"]
        order = self._find(reference, fields)
        if order is None:
            return None
        before = order.ladder.best
        if shares > order.shares:
            self.statistics.over_executions += 1
            self.doubted("over_executions", fields["stock_locate"], order.book.stock_locate)
        if shares < order.shares:
            order.shares -= shares
            order.ladder.reduce(order.price, shares)
        else:
            self._remove(reference)
        return Change(order.book, order.side, before)

    def _delete(self, fields: Mapping[str, Any]) -> Change | None:
        reference = fields["order_reference_number"]
        order = self._find(reference, fields)
        if order is None:
            return None
        before = order.ladder.best
        self._remove(reference)
        return Change(order.book, order.side, before)

    def _replace(self, fields: Mapping[str, Any]) -> Change | None:
        original, new = fields["original_order_reference_number"], fields["new_order_reference_number"]
        price, shares = fields["price"], fields["shares"]
        if price == 0 or shares == 0:
            self.statistics.invalid_messages += 1
            if self.symbols.subscribed(fields["stock_locate"]):
                gone = self._orders.get(original)
                self.doubted("invalid_messages", fields["stock_locate"], *([gone.book.stock_locate] if gone else []))
            return None
        order = self._find(original, fields)
        if order is None:
            return None
        if new != original and new in self._orders:
            self.statistics.duplicate_references += 1
            self.doubted("duplicate_references", fields["stock_locate"], order.book.stock_locate,
                         self._orders[new].book.stock_locate)
            return None
        before = order.ladder.best
        self._remove(original)
        if not self._insert(new, _Order(order.book, order.side, price, shares)):
            self.doubted("pool_full", fields["stock_locate"], order.book.stock_locate)
            return None
        return Change(order.book, order.side, before)

    def _find(self, reference: int, fields: Mapping[str, Any]) -> _Order | None:
        order = self._orders.get(reference)
        if order is None:
            if self.symbols.subscribed(fields["stock_locate"]):
                self.statistics.unknown_references += 1
                self.doubted("unknown_references", fields["stock_locate"])
            else:
                self._unsubscribed(fields["stock_locate"])
        return order

    def _unsubscribed(self, stock_locate: int) -> None:
        self.statistics.unsubscribed += 1
        if not self.symbols.named(stock_locate):
            self.missed(stock_locate)

    def _insert(self, reference: int, order: _Order) -> bool:
        new_level = order.price not in order.ladder
        if len(self._orders) == self.max_orders or (new_level and self._levels == self.max_levels):
            self.statistics.pool_full += 1
            return False
        self._orders[reference] = order
        order.ladder.add(order.price, order.shares)
        self._levels += new_level
        return True

    def _remove(self, reference: int) -> None:
        order = self._orders.pop(reference)
        order.ladder.remove(order.price, order.shares)
        self._levels -= order.price not in order.ladder
