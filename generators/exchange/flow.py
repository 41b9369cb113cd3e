# SPDX-License-Identifier: MIT
"""The rest of the market: seeded participants that keep a two-sided book alive and trade with whoever rests in it.

Fair value of each symbol walks by ticks. Participants rest orders around it, take from the touch, and eat what fair
value has passed, so that quotes which are left behind get filled. All chance is random.Random.random(), whose sequence
Python guarantees, and no result depends on a platform's math library: the same seed does the same on every machine.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from random import Random

from generators.exchange.matching import TRADING, MatchingEngine
from generators.exchange.orders import BUY, MAX_PRICE, SELL, TICK, Account, Order
from generators.market import order_size

PARTICIPANTS = ("NITE", "VIRT", "CDRG", "CTDL", "JANE", "SUSQ", "HRTX", "FLOW")

# Of events on a symbol whose book is neither thin nor full, in parts of their sum.
ADD, CANCEL, REPLACE, TAKE, REDUCE, HIDE, COMPLY, CROSS, BURST = range(9)
WEIGHTS = {ADD: 380, CANCEL: 220, REPLACE: 190, TAKE: 90, REDUCE: 20, HIDE: 30, COMPLY: 20, CROSS: 30, BURST: 8}
BURST_SIZES = (12, 38)                 # orders with one timestamp; 38 Add Orders fill a packet

THIN, FULL = 12, 90                    # resting orders of a symbol
DEEPEST = 40                           # ticks behind fair value
STEP = 0.08                            # of fair value moving by a tick with an event of its symbol
PULL = 0.002                           # towards the base price, a tick of distance
EATEN = 0.6                            # of the events that find an order which fair value has passed
ATTRIBUTED = 0.2                       # of the displayed orders

# Gap between two events in nanoseconds, as (cumulative probability, gap), linear between the points: an opening minute.
GAPS = ((0.0, 100), (0.10, 280), (0.25, 560), (0.50, 1_700), (0.75, 3_300), (0.90, 5_700), (0.99, 17_000),
        (1.0, 24_000))
PS_PER_NS = 1_000


class _Market:
    """One symbol: fair value in ticks and the participants' orders, those that ended included until they are met."""

    __slots__ = ("base", "fair", "orders")

    def __init__(self, base: int) -> None:
        self.base = self.fair = base
        self.orders: list[Order] = []


class Flow:
    """`act` does what the participants do at one moment, through the engine."""

    def __init__(self, engine: MatchingEngine, seed: int, first_account: int = 1, slowness: int = 1) -> None:
        self.accounts = [Account(first_account + n, name) for n, name in enumerate(PARTICIPANTS)]
        self._engine = engine
        self._chance = Random(seed)
        self._random = self._chance.random
        self._slowness = slowness              # factor on the gaps
        count = len(engine.books)
        self._markets = [_Market(2_000 + self._below(38_000)) for _ in range(count)]
        # Activity falls off with rank: the busiest symbol of a measured opening has a tenth of all messages.
        self._activity = list(accumulate(1_000_000 // (rank + 2) + 1 for rank in range(count)))
        self._kinds = list(WEIGHTS)
        self._weights = list(accumulate(WEIGHTS.values()))
        self._gap_points = [point for point, _ in GAPS]

    def gap_ps(self) -> int:
        """To the next event; at least a nanosecond, so that two events never share a timestamp."""
        draw = self._random()
        upper = bisect_right(self._gap_points, draw)
        (p0, gap0), (p1, gap1) = GAPS[upper - 1:upper + 1]
        return PS_PER_NS * max(1, int(self._slowness * (gap0 + (gap1 - gap0) * (draw - p0) / (p1 - p0))))

    def warm_up(self, book: int) -> None:
        """One more resting order."""
        if self._engine.books[book].state == TRADING:
            self._add(book, self._account())

    def act(self) -> None:
        """One event of one symbol."""
        book = self._pick(self._activity)
        market = self._markets[book]
        if self._engine.books[book].state != TRADING:
            self._cancel(book)
            return
        if self._random() < STEP:
            up = self._random() < 0.5 - PULL * (market.fair - market.base)
            market.fair = max(DEEPEST + 2, market.fair + (1 if up else -1))
        passed = self._passed(book)
        if passed is not None:
            if self._random() < EATEN or not self._is_ours(passed):
                self._eat(book, passed)
            else:
                self._engine.cancel(passed)
            return
        kind = self._kinds[self._pick(self._weights)]
        if len(market.orders) < THIN:
            kind = ADD
        elif len(market.orders) > FULL and kind in (ADD, HIDE, COMPLY, BURST):
            kind = CANCEL
        self._do(kind, book)

    def _do(self, kind: int, book: int) -> None:
        account = self._account()
        if kind == ADD:
            self._add(book, account)
        elif kind == CANCEL:
            self._cancel(book)
        elif kind == REPLACE:
            self._replace(book)
        elif kind == TAKE:
            self._take(book, account, immediate=True)
        elif kind == CROSS:
            self._take(book, account, immediate=False)
        elif kind == REDUCE:
            self._reduce(book)
        elif kind == HIDE:
            self._add(book, account, displayed=False)
        elif kind == COMPLY:
            self._add(book, account, comply=True)
        else:
            low, high = BURST_SIZES
            for _ in range(low + self._below(high - low + 1)):
                self._add(book, account)

    # What participants do

    def _add(self, book: int, account: Account, displayed: bool = True, comply: bool = False) -> None:
        side = self._side()
        price = self._resting_price(book, side)
        # An order that may not lock another market shows one tick less than the price it ranks and trades at.
        shown = price + (-TICK if side == BUY else TICK) if comply else None
        self._keep(book, self._engine.enter(
            account, book, side, order_size(self._chance), price, displayed=displayed, shown=shown,
            attributed=displayed and self._random() < ATTRIBUTED))

    def _take(self, book: int, account: Account, immediate: bool) -> None:
        """Takes from the touch; what finds nothing more is canceled, or rests."""
        side = self._side()
        best = self._engine.books[book].opposite(side).best()
        if best is None:
            self._add(book, account)
            return
        self._keep(book, self._engine.enter(account, book, side, order_size(self._chance), best.price,
                                            immediate=immediate))

    def _eat(self, book: int, passed: Order) -> None:
        """Takes all of an order that fair value has passed, and more."""
        side = BUY if passed.side == SELL else SELL
        limit = self._markets[book].fair * TICK
        shares = min(999_999, passed.shares + order_size(self._chance))
        self._engine.enter(self._account(), book, side, shares, min(limit, MAX_PRICE), immediate=True)

    def _cancel(self, book: int) -> None:
        order = self._pick_order(book)
        if order is not None:
            self._engine.cancel(order)

    def _reduce(self, book: int) -> None:
        order = self._pick_order(book)
        if order is not None and order.shares > 1:
            self._engine.cancel(order, 1 + self._below(order.shares - 1))

    def _replace(self, book: int) -> None:
        order = self._pick_order(book)
        if order is not None:
            self._keep(book, self._engine.replace(
                order, order_size(self._chance), self._resting_price(book, order.side),
                displayed=order.shown is not None, attributed=order.attributed))

    # Chance

    def _below(self, limit: int) -> int:
        return int(self._random() * limit)

    def _pick(self, cumulative: list[int]) -> int:
        return bisect_right(cumulative, self._below(cumulative[-1]))

    def _account(self) -> Account:
        return self.accounts[self._below(len(self.accounts))]

    def _side(self) -> bytes:
        return BUY if self._random() < 0.5 else SELL

    def _resting_price(self, book: int, side: bytes) -> int:
        """Behind fair value by a depth that favours the touch, short of the opposite best."""
        draw = self._random()
        depth = 1 + int(DEEPEST * draw * draw * draw)
        fair = self._markets[book].fair
        best = self._engine.books[book].opposite(side).best()
        if side == BUY:
            price = (fair - depth) * TICK
            return max(TICK * 2, price if best is None else min(price, best.price - TICK))
        price = (fair + depth) * TICK
        return price if best is None else max(price, best.price + TICK)

    def _passed(self, book: int) -> Order | None:
        """The best order of a side whose price fair value has reached."""
        fair = self._markets[book].fair * TICK
        ask = self._engine.books[book].asks.best()
        if ask is not None and ask.price <= fair:
            return ask
        bid = self._engine.books[book].bids.best()
        return bid if bid is not None and bid.price >= fair else None

    # The participants' orders

    def _is_ours(self, order: Order) -> bool:
        first = self.accounts[0].number
        return first <= order.account.number < first + len(self.accounts)

    def _keep(self, book: int, order: Order) -> None:
        if order.end is None:
            self._markets[book].orders.append(order)

    def _pick_order(self, book: int) -> Order | None:
        """One that is live; those met that are not are forgotten."""
        orders = self._markets[book].orders
        while orders:
            at = self._below(len(orders))
            order = orders[at]
            if order.end is None:
                return order
            orders[at] = orders[-1]
            orders.pop()
        return None
