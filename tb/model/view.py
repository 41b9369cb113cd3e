# SPDX-License-Identifier: MIT
"""What a strategy sees of a book that has just changed (struct strategy_view)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tb.model.book import Book, Side
    from tb.model.own_orders import OwnOrder, OwnOrders, Position


@dataclass(frozen=True, slots=True)
class View:
    """``memory`` holds the strategy's own word of this book."""

    book: Book
    side: Side
    best_before: int
    shares: int
    parameters: tuple[int, ...]
    memory: dict[int, int]
    own: OwnOrders

    def working(self, side: Side) -> OwnOrder | None:
        return self.own.working(self.book.stock_locate, side == "B")

    @property
    def position(self) -> Position:
        return self.own.positions[self.book.stock_locate]

    @property
    def remembered(self) -> int:
        return self.memory.get(self.book.stock_locate, 0)

    def remember(self, value: int) -> None:
        self.memory[self.book.stock_locate] = value
