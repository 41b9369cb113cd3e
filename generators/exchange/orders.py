# SPDX-License-Identifier: MIT
"""Orders, and what can happen to them: the events that the matching engine emits and everybody else follows.

The order of the events is the order in which they took effect; each event is complete, so that feed, order-entry server
and ledger need no second look at the engine. Prices are integers with four implied decimals.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

BUY, SELL = b"B", b"S"
MAX_SHARES = 999_999                   # OUCH: below 1,000,000
MAX_PRICE = 2_000_000_000              # 200,000.0000
MARKET_PRICE = 0x7FFF_FFFF             # what OUCH writes for a market order
TICK = 100                             # one cent, the increment from one dollar on (Reg NMS rule 612)
DOLLAR = 10_000


class End(Enum):
    """How an order ended: exactly one of these, once."""

    EXECUTED = "executed"
    CANCELED = "canceled"
    REPLACED = "replaced"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Account:
    """Who trades. The name is the market participant identifier, four characters."""

    number: int
    name: str

    @property
    def attribution(self) -> bytes:
        return self.name.encode("latin-1").ljust(4)


class Order:
    """One order from its acceptance on. `size` is what it was accepted with: the shares open, executed and canceled."""

    __slots__ = ("account", "attributed", "book", "canceled", "end", "executed", "price", "reference", "rested",
                 "shares", "shown", "side", "size")

    def __init__(self, account: Account, book: int, reference: int, side: bytes, shares: int, price: int,
                 shown: int | None, attributed: bool) -> None:
        self.account = account
        self.book = book               # index of its symbol
        self.reference = reference
        self.side = side
        self.size = self.shares = shares
        self.price = price             # it ranks and trades at
        self.shown = shown             # price in the feed; None: not displayed
        self.attributed = attributed
        self.executed = self.canceled = 0
        self.rested = False            # it has been on the book
        self.end: End | None = None

    def __repr__(self) -> str:
        return (f"Order({self.reference}, {self.account.name}, {self.side.decode()} {self.shares}/{self.size} at "
                f"{self.price}, {self.end})")


@dataclass(slots=True)
class Accepted:
    """An order came in. `dead`: it could do nothing, and has ended already."""

    order: Order
    dead: bool


@dataclass(slots=True)
class Rested:
    """What is left of an order went on the book."""

    order: Order


@dataclass(slots=True)
class Traded:
    """A resting order met an incoming one, at `price`."""

    resting: Order
    incoming: Order
    shares: int
    price: int
    match: int
    broken: bool = False


@dataclass(slots=True)
class Canceled:
    """`shares` less are open; with nothing left the order has ended."""

    order: Order
    shares: int
    reason: str


@dataclass(slots=True)
class Replaced:
    """`old` has ended, `new` takes its place, behind all others of its price. `in_place`: it rests without having
    traded, and no Rested follows."""

    old: Order
    new: Order
    dead: bool
    in_place: bool


@dataclass(slots=True)
class Modified:
    """The order stays where it is, with `shares` less."""

    order: Order
    shares: int


@dataclass(slots=True)
class StateChanged:
    """Trading state of a symbol: T trading, H halted, P paused, Q quotation only."""

    book: int
    state: str
    reason: str


@dataclass(slots=True)
class Broken:
    """A trade is undone: positions and cash go back, the orders do not."""

    trade: Traded
    reason: str


@dataclass(slots=True)
class Corrected:
    """A trade was at another price: the cash of both sides follows."""

    trade: Traded
    before: int                        # the price
    reason: str


@dataclass(slots=True)
class Prevented:
    """A resting order would have met one of its own account: it is canceled in place of the trade."""

    order: Order
    shares: int                        # canceled
    prevented: int                     # that would have been traded


Event = Accepted | Rested | Traded | Canceled | Replaced | Modified | StateChanged | Broken | Corrected | Prevented


def is_tick(price: int) -> bool:
    """Whether an order may be entered at this price: from one dollar on, whole cents."""
    return 0 < price <= MAX_PRICE and (price < DOLLAR or price % TICK == 0)
