# SPDX-License-Identifier: MIT
"""Trading state of symbols, and which books can be trusted: marks by stock locate (firmware/core/market.h).

A symbol's marks exist before its book does; "stale" is a property of the session, of the books that were there when
messages went missing and of those that came later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Mark = Literal["halted", "operational", "breached", "suspect", "restricted"]

OUR_MARKET = "Q"
LOCATES = 1 << 16
SYMBOL_STATES = ("H", "h", "Y", "J")  # messages that change what may be done in one symbol


class Market:
    """Marks of all locates."""

    def __init__(self) -> None:
        self._marks: defaultdict[int, set[Mark]] = defaultdict(set)
        self._released: set[int] | None = None  # since the market-wide halt, by a trading action; None: there was none
        self._before: tuple[set[int] | None, int] = (None, 0)  # the last one
        self._stale: set[int] = set()
        self._old: frozenset[int] = frozenset()  # of sessions before
        self.stale = False
        self.halts = 0
        self.breached_level = 0
        self.collars: dict[int, tuple[int, int]] = {}

    def message(self, message_type: str, fields: Mapping[str, Any]) -> None:
        """H h W Y J; others mean nothing here (V tells levels that only the exchange watches)."""
        locate = fields["stock_locate"]
        marks = self._marks[locate]
        match message_type:
            case "H":
                self._set(marks, "halted", fields["trading_state"] != "T")
                if fields["trading_state"] == "T" and self._released is not None:
                    self._released.add(locate)
            case "h" if fields["market_code"] == OUR_MARKET:
                self._set(marks, "operational", fields["operational_halt_action"] != "T")
            case "W":
                self._before = (None if self._released is None else set(self._released), self.breached_level)
                self._released = set()
                self.breached_level = ord(fields["breached_level"])
                self.halts += 1
            case "Y" if fields["reg_sho_action"] == "0":
                marks.discard("restricted")
            case "Y":
                marks.add("restricted")
            case "J":
                self.collars[locate] = (fields["lower_auction_collar_price"], fields["upper_auction_collar_price"])

    def _set(self, marks: set[Mark], mark: Mark, on: bool) -> None:
        if on:
            marks.add(mark)
            self.halts += 1
        else:
            marks.discard(mark)

    def unbreach(self) -> None:
        """The last market-wide halt was none."""
        self._released, self.breached_level = self._before

    def suspect(self, stock_locate: int) -> None:
        """A message contradicted the symbol's book, or passed before the symbol had a name."""
        self._marks[stock_locate].add("suspect")

    def suspects(self) -> list[int]:
        """All of them, subscribed or not."""
        return [locate for locate, marks in self._marks.items() if "suspect" in marks]

    def miss(self, books: Iterable[int]) -> None:
        """Messages are missing: ``books``, which are all there are, are stale, and so is each that comes."""
        self._stale.update(books)
        self.stale = True

    def recover(self) -> None:
        """Nothing of this session is missing any more."""
        self._stale = set(self._old)
        self.stale = False

    def session(self, books: Iterable[int]) -> None:
        """A new session: the old one's ``books`` are stale, others are not."""
        self._old = frozenset(books)
        self.recover()

    def opened(self, stock_locate: int) -> None:
        """A book came into being."""
        if self.stale:
            self._stale.add(stock_locate)

    def marks(self, stock_locate: int) -> set[str]:
        """What keeps strategies off the symbol; beside that, ``restricted``."""
        marks: set[str] = set(self._marks[stock_locate])
        if self._released is not None and stock_locate not in self._released:
            marks.add("breached")
        if stock_locate in self._stale:
            marks.add("stale")
        return marks

    def closed(self, stock_locate: int) -> bool:
        return bool(self.marks(stock_locate) - {"restricted"})

    def restricted(self, stock_locate: int) -> bool:
        return "restricted" in self._marks[stock_locate]
