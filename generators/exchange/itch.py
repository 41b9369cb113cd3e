# SPDX-License-Identifier: MIT
"""The matching engine's events as ITCH 5.0 messages: what the whole market sees.

Only displayed orders show: an incoming order that trades appears as executions of those it met, and as an Add Order
with what is left. A trade at another price than the displayed one is a C, one with an order that is not displayed a P.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generators.exchange.orders import (
    Broken,
    Canceled,
    Event,
    Modified,
    Order,
    Prevented,
    Replaced,
    Rested,
    StateChanged,
    Traded,
)
from generators.tables import ITCH50

_PACK = {kind: message.struct.pack for kind, message in ITCH50.items()}
NO_REFERENCE = 0                       # what a P shows (ITCH 5.0, 1.6.1), with side B


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol as the feed names it."""

    locate: int
    stock: bytes                       # padded


class ItchWriter:
    """Builds messages; `now_ns`, the timestamp of all that follow, is the caller's to set."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._instruments = instruments
        self._count = 0
        self._stamp = bytes(6)

    def set_time(self, now_ns: int) -> None:
        """Nanoseconds since midnight."""
        self._stamp = now_ns.to_bytes(6, "big")

    def messages(self, events: Iterable[Event]) -> list[bytes]:
        """What the feed tells of these events, in their order; some show nothing."""
        out: list[bytes] = []
        for event in events:
            match event:
                case Rested(order):
                    if order.shown is not None:
                        out.append(self._add(order))
                case Traded(resting, _, shares, price, number):
                    out.append(self._trade(resting, shares, price, number))
                case Canceled(order, shares) | Modified(order, shares) | Prevented(order, shares):
                    self._reduce(order, shares, out)
                case Replaced(old, new, _, in_place):
                    self._replace(old, new, in_place, out)
                case StateChanged(book, state, reason):
                    out.append(self.trading_action(book, state, reason))
                case Broken(trade):
                    out.append(self._pack("B", trade.resting.book, trade.match))
                case _:
                    pass               # Accepted shows when it rests or trades; a correction does not show
        return out

    def system_event(self, code: str) -> bytes:
        return _PACK["S"](b"S", 0, self._tracking(), self._stamp, code.encode())

    def directory(self, book: int) -> bytes:
        return self._pack("R", book, self._instruments[book].stock, b"Q", b"N", 100, b"N", b"C", b"Z ", b"P", b"N",
                          b"N", b"1", b"N", 0, b"N")

    def trading_action(self, book: int, state: str, reason: str = "") -> bytes:
        return self._pack("H", book, self._instruments[book].stock, state.encode(), b" ", reason.encode().ljust(4))

    def _pack(self, kind: str, book: int, *fields: bytes | int) -> bytes:
        return _PACK[kind](kind.encode(), self._instruments[book].locate, self._tracking(), self._stamp, *fields)

    def _tracking(self) -> int:
        self._count += 1
        return self._count & 0xFFFF

    def _add(self, order: Order) -> bytes:
        fields = (order.reference, order.side, order.shares, self._instruments[order.book].stock, order.shown or 0)
        if order.attributed:
            return self._pack("F", order.book, *fields, order.account.attribution)
        return self._pack("A", order.book, *fields)

    def _trade(self, resting: Order, shares: int, price: int, number: int) -> bytes:
        if resting.shown is None:
            return self._pack("P", resting.book, NO_REFERENCE, b"B", shares, self._instruments[resting.book].stock,
                              price, number)
        if resting.shown != price:
            return self._pack("C", resting.book, resting.reference, shares, number, b"Y", price)
        return self._pack("E", resting.book, resting.reference, shares, number)

    def _reduce(self, order: Order, shares: int, out: list[bytes]) -> None:
        """An order that never rested, what is left of an immediate one, was never shown: it has no entry to reduce."""
        if order.shown is None or not order.rested or not shares:
            return
        if order.shares:
            out.append(self._pack("X", order.book, order.reference, shares))
        else:
            out.append(self._pack("D", order.book, order.reference))

    def _replace(self, old: Order, new: Order, in_place: bool, out: list[bytes]) -> None:
        if in_place and old.shown is not None and new.shown is not None and old.attributed == new.attributed:
            out.append(self._pack("U", old.book, old.reference, new.reference, new.shares, new.shown))
            return
        if old.shown is not None:
            out.append(self._pack("D", old.book, old.reference))
        if in_place and new.shown is not None:
            out.append(self._add(new))
