# SPDX-License-Identifier: MIT
"""What the kernel must make of the delivered messages: final books, orders in the order they are sent, statistics.

Every delivered message is applied as it comes, also one whose frame turns out bad afterwards: in cut-through the
kernel has seen it by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tb.model.book import BOOK_MESSAGES, Books
from tb.model.config import KernelConfig
from tb.model.packet import MessageResult
from tb.model.strategy import BestBid, Order
from tb.model.stream import SEQUENCES
from tb.model.symbols import Symbols


class KernelModel:
    """The kernel from attach to export, fed with the messages in the order of the RX ring."""

    def __init__(self, config: KernelConfig) -> None:
        self._symbols = Symbols(config)
        self._strategy = BestBid(config)
        self._records = 0
        self._other_messages = 0
        self._sequence_gaps = 0
        self._next_sequence: int | None = None
        self.books = Books(self._symbols, config.max_books, config.max_orders, config.max_levels)
        self.orders: list[Order] = []

    def message(self, message: MessageResult) -> Order | None:
        """Takes one delivered message; returns the order it causes, if any."""
        self._records += 1
        if self._next_sequence is not None and message.sequence != self._next_sequence:
            self._sequence_gaps += 1
        self._next_sequence = (message.sequence + 1) % SEQUENCES

        fields = message.fields
        if message.type not in BOOK_MESSAGES or fields is None:
            self._other(message.type, fields)
            return None
        change = self.books.apply(message.type, fields)
        if change is None:
            return None
        symbol = self._symbols.config(change.book.stock_locate)
        assert symbol is not None, "only a subscribed symbol has a book"
        if symbol.strategy != "best_bid":
            return None
        order = self._strategy.decide(change, symbol, message.sequence)
        if order is not None:
            self.orders.append(order)
        return order

    def _other(self, message_type: str | None, fields: Mapping[str, Any] | None) -> None:
        """A message without effect on a book; a Stock Directory still names the symbol of its locate."""
        if message_type == "R" and fields and not self._symbols.learn(fields["stock_locate"], fields["stock"]):
            self.books.statistics.bad_records += 1
            return
        self._other_messages += 1

    @property
    def statistics(self) -> dict[str, Any]:
        """The kernel's counters by their names in the export, but for those that depend on time or on its memory."""
        return {
            "records": self._records,
            "other_messages": self._other_messages,
            **asdict(self.books.statistics),
            "orders_sent": self._strategy.orders_sent,
            "orders_refused_price": self._strategy.orders_refused_price,
            "sequence_gaps": self._sequence_gaps,
            "live_orders": self.books.live_orders(),
            "live_levels": self.books.live_levels(),
        }
