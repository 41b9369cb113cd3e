# SPDX-License-Identifier: MIT
"""What a client may ask for, whichever OUCH version it speaks, and the reasons for which it is refused.

A key is what names an order: the order token in 4.2, the user reference number in 5.0. Quantities of replaces, cancels
and modifications are totals: they include what the order has executed since it was accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

Key = str | int


class Reason(Enum):
    """Why a request is refused."""

    CLOSED = auto()
    HALTED = auto()
    SIDE = auto()
    SYMBOL = auto()
    SHARES = auto()
    PRICE = auto()
    DISPLAY = auto()
    CROSS_TYPE = auto()
    MINIMUM_QUANTITY = auto()
    TIME_IN_FORCE = auto()
    NOT_NOW = auto()                   # the order can be neither canceled nor replaced at this time


@dataclass(frozen=True, slots=True)
class Terms:
    """What an Enter and a Replace have in common. `fields` are the message's own, for the answer to repeat."""

    shares: int
    price: int
    display: str
    minimum: int
    immediate: bool
    seconds: int | None                # to live; None: to the end of the session
    known_time_in_force: bool
    fields: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enter:
    """A new order."""

    key: Key
    side: str
    stock: bytes
    cross_type: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Replace:
    """A new order in the place of a live one."""

    existing: Key
    key: Key
    terms: Terms


@dataclass(frozen=True, slots=True)
class Cancel:
    """No more than `shares` may have been executed in total."""

    key: Key
    shares: int


@dataclass(frozen=True, slots=True)
class Modify:
    """Fewer shares, or another kind of sale, at the same priority."""

    key: Key
    side: str
    shares: int


@dataclass(frozen=True, slots=True)
class TradeNow:
    """OUCH 4.2."""

    key: Key


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """OUCH 5.0."""


Request = Enter | Replace | Cancel | Modify | TradeNow | AccountQuery
