# SPDX-License-Identifier: MIT
"""The order-entry server of one account: OUCH requests into the matching engine, the engine's events into answers.

What OUCH says about repeats holds: a key that was used before, a replace or cancel of an order that is not live, and a
cancel that cancels nothing are ignored, so that a client may send everything again after a broken connection. Each is
counted. `receive` never raises, whatever it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from generators.exchange.dialects import DEAD, LIVE, Dialect, limit
from generators.exchange.matching import TRADING, MatchingEngine
from generators.exchange.orders import (
    BUY,
    MARKET_PRICE,
    MAX_SHARES,
    SELL,
    Accepted,
    Account,
    Broken,
    Canceled,
    Corrected,
    Event,
    Modified,
    Order,
    Prevented,
    Replaced,
    Traded,
    is_tick,
)
from generators.exchange.requests import (
    AccountQuery,
    Cancel,
    Enter,
    Key,
    Modify,
    Reason,
    Replace,
    Request,
    Terms,
    TradeNow,
)

SIDES = {"B": BUY, "S": SELL, "T": SELL, "E": SELL}
SALES = "STE"                          # among which a Modify may choose
ATTRIBUTED, ANONYMOUS, NON_DISPLAY = "A", "Y", "N"
CONTINUOUS = "N"                       # cross type
ADDED, REMOVED = "A", "R"              # liquidity flags
USER, TIMEOUT, SELF_MATCH = "U", "T", "Q"  # reasons of a cancel
PS_PER_SECOND = 10**12

NORMAL, HELD, REFUSED = "normal", "held", "refused"   # what happens to cancels


@dataclass(slots=True)
class Entry:
    """An order as its client knows it: by key, with what the answers repeat."""

    key: Key
    first: Enter                       # the Enter at the head of the chain of replaces
    terms: Terms
    side: str
    order: Order | None = None         # None: rejected
    before: int = 0                    # shares executed before a priority update gave it another order


class OuchServer:
    """`receive` takes a request, `follow` the engine's events; `answers` has what is to be sent, oldest first."""

    def __init__(self, dialect: Dialect, engine: MatchingEngine, account: Account, books: Mapping[bytes, int]) -> None:
        self.account = account
        self.answers: list[bytes] = []
        self.counts: Counter[str] = Counter()
        self.entries: dict[Key, Entry] = {}
        self.cancels = NORMAL
        self.open = True                       # orders are taken
        self._dialect = dialect
        self._engine = engine
        self._books = books
        self._highest = 0                      # user reference number used
        self._by_reference: dict[int, Entry] = {}
        self._replacing: Replace | None = None
        self._held: list[Cancel] = []
        self._expiries: list[tuple[int, int, Entry]] = []      # time, reference number, so that entries never compare
        self._now_ps = 0
        self._now_ns = 0

    def set_time(self, now_ps: int, now_ns: int) -> None:
        """Simulated time, for orders that expire, and nanoseconds since midnight, for the answers."""
        self._now_ps, self._now_ns = now_ps, now_ns

    # Requests

    def receive(self, data: bytes) -> None:
        """One message of the client."""
        request = self._dialect.parse(data)
        if request is None:
            self.counts["malformed"] += 1
            return
        self.counts[type(request).__name__] += 1
        self._do(request)

    def _do(self, request: Request) -> None:
        match request:
            case Enter():
                self._enter(request)
            case Replace():
                self._replace(request)
            case Cancel():
                self._cancel(request)
            case Modify():
                self._modify(request)
            case TradeNow(key):
                self._say(self._dialect.trade_now(self._now_ns, key) if self._live(key) else None)
            case AccountQuery():
                self._say(self._dialect.account(self._now_ns, self._highest + 1))

    def _enter(self, request: Enter) -> None:
        if not self._fresh(request.key):
            return
        entry = Entry(request.key, request, request.terms, request.side)
        self._use(entry)
        reason = self._objection(request)
        if reason is not None:
            self._reject(request.key, reason, request.terms.fields)
            return
        terms, side = request.terms, SIDES[request.side]
        order = self._engine.enter(
            self.account, self._books[request.stock], side, terms.shares, limit(terms.price, side),
            immediate=terms.immediate, displayed=terms.display != NON_DISPLAY,
            attributed=terms.display == ATTRIBUTED, minimum=terms.minimum)
        self._attach(entry, order)

    def _replace(self, request: Replace) -> None:
        entry = self._live(request.existing)
        if entry is None or not self._fresh(request.key):
            return
        old, terms = self._order(entry), request.terms
        reason = self._obstacle(old)
        if reason is not None:
            self._use(Entry(request.key, entry.first, terms, entry.side))
            self._reject(request.key, reason, terms.fields)
            return
        remaining = terms.shares - entry.before - old.executed
        if self._objection_to_terms(terms) is not None or remaining <= 0:
            self.counts["invalid_replace"] += 1
            self._engine.cancel(old, 0, USER)      # and the new key may be used again
            return
        new = Entry(request.key, entry.first, terms, entry.side)
        self._use(new)
        self._replacing = request
        self._attach(new, self._engine.replace(
            old, remaining, limit(terms.price, old.side), immediate=terms.immediate,
            displayed=terms.display != NON_DISPLAY, attributed=terms.display == ATTRIBUTED, minimum=terms.minimum))

    def _cancel(self, request: Cancel) -> None:
        entry = self._live(request.key)
        if entry is None:
            return
        if self.cancels == REFUSED:
            self._say(self._dialect.cancel_rejected(self._now_ns, request.key))
        elif self.cancels == HELD:
            self._held.append(request)
            self._say(self._dialect.cancel_pending(self._now_ns, request.key))
        else:
            self._cancel_now(entry, request.shares)

    def _cancel_now(self, entry: Entry, shares: int) -> None:
        order = self._order(entry)
        remaining = max(0, shares - entry.before - order.executed)
        if remaining >= order.shares:
            self.counts["superfluous"] += 1
        else:
            self._engine.cancel(order, remaining, USER)

    def _modify(self, request: Modify) -> None:
        entry = self._live(request.key)
        if entry is None:
            return
        order = self._order(entry)
        remaining = request.shares - entry.before - order.executed
        other_sale = request.side != entry.side
        if other_sale and not (entry.side in SALES and request.side in SALES):
            self.counts["invalid_modify"] += 1
        elif remaining > order.shares or (remaining == order.shares and not other_sale):
            self.counts["superfluous"] += 1
        elif remaining <= 0:
            self._engine.cancel(order, 0, USER)
        else:
            entry.side = request.side
            self._engine.modify(order, remaining)

    # Time and scenarios

    @property
    def next_timer_ps(self) -> int | None:
        """When an order expires."""
        return self._expiries[0][0] if self._expiries else None

    def expire(self) -> None:
        """Cancels the orders whose time is up; one at a time, until next_timer_ps is ahead."""
        entry = heappop(self._expiries)[-1]
        if entry.order is not None and entry.order.end is None:
            self._engine.cancel(entry.order, 0, TIMEOUT)

    def release_cancels(self) -> list[Cancel]:
        """Ends a time in which cancels were held; the caller gives each to `cancel_held`."""
        self.cancels = NORMAL
        held, self._held = self._held, []
        return held

    def cancel_held(self, request: Cancel) -> None:
        entry = self._live(request.key)
        if entry is not None:
            self._cancel_now(entry, request.shares)

    def reprice(self, entry: Entry, price: int) -> None:
        """Gives a live order another price, and with it another reference number: an Order Priority Update."""
        old = self._order(entry)
        entry.before += old.executed
        new = self._engine.replace(old, old.shares, price, displayed=old.shown is not None, attributed=old.attributed)
        self._attach(entry, new)

    def system_event(self, code: str) -> None:
        self._say(self._dialect.system_event(self._now_ns, code))

    # Answers

    def follow(self, events: Iterable[Event]) -> None:
        """Answers for what concerns this account's orders."""
        for event in events:
            match event:
                case Accepted(order, dead):
                    if (entry := self._by_reference.get(order.reference)) is not None:
                        self._say(self._dialect.accepted(self._now_ns, entry.first, order, DEAD if dead else LIVE))
                case Traded(resting, incoming):
                    self._executed(event, resting, ADDED)
                    self._executed(event, incoming, REMOVED)
                case Canceled(order, shares, reason):
                    if (entry := self._by_reference.get(order.reference)) is not None:
                        self._say(self._dialect.canceled(self._now_ns, entry.key, shares, reason))
                case Replaced(_, new, dead):
                    self._replaced(new, dead)
                case Modified(order):
                    if (entry := self._by_reference.get(order.reference)) is not None:
                        self._say(self._dialect.modified(self._now_ns, entry.key, entry.side, order.shares))
                case Broken(trade, reason):
                    for order in (trade.resting, trade.incoming):
                        if (entry := self._by_reference.get(order.reference)) is not None:
                            self._say(self._dialect.broken(self._now_ns, entry.key, trade.match, reason,
                                                           entry.terms.fields))
                case Corrected(trade, _, reason):
                    for order, flag in ((trade.resting, ADDED), (trade.incoming, REMOVED)):
                        if (entry := self._by_reference.get(order.reference)) is not None:
                            self._say(self._dialect.corrected(self._now_ns, entry.key, trade, flag, reason,
                                                              entry.terms.fields))
                case Prevented(order, shares, prevented):
                    if (entry := self._by_reference.get(order.reference)) is not None:
                        self._say(self._dialect.prevented(self._now_ns, entry.key, shares, SELF_MATCH, prevented,
                                                          order.price, ADDED))
                case _:
                    pass

    def _executed(self, trade: Traded, order: Order, flag: str) -> None:
        entry = self._by_reference.get(order.reference)
        if entry is not None:
            self._say(self._dialect.executed(self._now_ns, entry.key, trade.shares, trade.price, flag, trade.match))

    def _replaced(self, order: Order, dead: bool) -> None:
        entry = self._by_reference.get(order.reference)
        if entry is None:
            return
        request, self._replacing = self._replacing, None
        if request is None:
            self._say(self._dialect.priority_update(self._now_ns, entry.key, order, entry.terms.display))
        else:
            self._say(self._dialect.replaced(self._now_ns, entry.first, entry.side, request, order,
                                             DEAD if dead else LIVE))

    def _say(self, answer: bytes | None) -> None:
        if answer is not None:
            self.answers.append(answer)

    def _reject(self, key: Key, reason: Reason, fields: dict[str, Any]) -> None:
        self.counts["rejected"] += 1
        self._say(self._dialect.rejected(self._now_ns, key, reason, fields))

    # Keys and objections

    def _fresh(self, key: Key) -> bool:
        fresh = key > self._highest if isinstance(key, int) else key not in self.entries
        self.counts["repeated_key"] += not fresh
        return fresh

    def _use(self, entry: Entry) -> None:
        if isinstance(entry.key, int):
            self._highest = entry.key
        self.entries[entry.key] = entry

    def _live(self, key: Key) -> Entry | None:
        entry = self.entries.get(key)
        if entry is not None and entry.order is not None and entry.order.end is None:
            return entry
        self.counts["not_live"] += 1
        return None

    def _order(self, entry: Entry) -> Order:
        if entry.order is None:
            raise ValueError(f"{entry.key} was rejected")
        return entry.order

    def _attach(self, entry: Entry, order: Order) -> None:
        entry.order = order
        self._by_reference[order.reference] = entry
        if entry.terms.seconds is not None and order.end is None:
            expires_ps = self._now_ps + entry.terms.seconds * PS_PER_SECOND
            heappush(self._expiries, (expires_ps, order.reference, entry))

    def _obstacle(self, order: Order) -> Reason | None:
        """What keeps a live order from being replaced."""
        if not self.open:
            return Reason.CLOSED
        if self.cancels != NORMAL:
            return Reason.NOT_NOW
        return None if self._engine.books[order.book].state == TRADING else Reason.HALTED

    def _objection(self, request: Enter) -> Reason | None:
        if not self.open:
            return Reason.CLOSED
        if request.side not in SIDES:
            return Reason.SIDE
        if request.stock not in self._books:
            return Reason.SYMBOL
        objection = self._objection_to_terms(request.terms)
        if objection is not None:
            return objection
        if request.cross_type != CONTINUOUS:
            return Reason.CROSS_TYPE
        if self._engine.books[self._books[request.stock]].state != TRADING:
            return Reason.HALTED
        return None

    def _objection_to_terms(self, terms: Terms) -> Reason | None:
        if not terms.known_time_in_force:
            return Reason.TIME_IN_FORCE
        if not 0 < terms.shares <= MAX_SHARES:
            return Reason.SHARES
        if not is_tick(terms.price) and not (terms.price == MARKET_PRICE and terms.immediate):
            return Reason.PRICE
        if terms.display not in (ATTRIBUTED, ANONYMOUS, NON_DISPLAY):
            return Reason.DISPLAY
        if terms.minimum > terms.shares or (terms.minimum and not terms.immediate):
            return Reason.MINIMUM_QUANTITY
        return None
