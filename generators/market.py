# SPDX-License-Identifier: MIT
"""The books behind a traffic profile: live orders by symbol, so that every reference sent resolves.

Fair value of a symbol walks by ticks around its base price. New orders rest at or behind it and never reach the
opposite best, so bids stay below asks; when fair value has passed a best price, that level is stale and the next
deletes, replaces and executions eat it from its oldest order on: best prices improve and fall back as on a market.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from random import Random

from generators.tables import PRICE_SCALE

BUY, SELL = b"B", b"S"
TICK = PRICE_SCALE // 100              # one cent
DEEPEST = 60                           # ticks behind fair value
RECENT = 256                           # every second reference is to one of so many youngest orders
STEP_PROBABILITY = 0.06                # of fair value moving by a tick with a new order
PULL = 0.002                           # towards the base price, a tick of distance
ROUND_LOTS = ((0.62, 100), (0.70, 200), (0.73, 300), (0.75, 400), (0.83, 500), (0.86, 1000))
ODD_LOT_SHARE = 0.95                   # below: 1 to 99 shares; above: 600 to 5,000


class Order:
    """A resting order; with no shares left it is gone, and its level drops it when it comes to the front."""

    __slots__ = ("index", "price", "reference", "shares", "side")

    def __init__(self, reference: int, side: bytes, shares: int, price: int, index: int) -> None:
        self.reference = reference
        self.side = side
        self.shares = shares
        self.price = price
        self.index = index             # in its symbol's list of live orders


class _Side:
    """Levels of one side. The heap holds every price with a level, best first; `sign` makes bids sort downwards."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[int, deque[Order]] = {}
        self._heap: list[int] = []

    def add(self, order: Order) -> None:
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = deque()
            heappush(self._heap, self._sign * order.price)
        level.append(order)

    def best(self) -> Order | None:
        """The oldest live order at the best price."""
        while self._heap:
            price = self._sign * self._heap[0]
            level = self._levels[price]
            while level:
                if level[0].shares:
                    return level[0]
                level.popleft()
            heappop(self._heap)
            del self._levels[price]
        return None


class Symbol:
    """One symbol: its live orders, both sides, and fair value in ticks."""

    def __init__(self, locate: int, stock: bytes, base: int) -> None:
        self.locate = locate
        self.stock = stock
        self.base = base
        self.fair = base
        self.live: list[Order] = []
        self.bids = _Side(-1)
        self.asks = _Side(+1)

    def add(self, reference: int, side: bytes, shares: int, price: int) -> Order:
        order = Order(reference, side, shares, price, len(self.live))
        self.live.append(order)
        (self.bids if side == BUY else self.asks).add(order)
        return order

    def reduce(self, order: Order, shares: int) -> None:
        order.shares -= shares
        if not order.shares:
            last = self.live.pop()
            if last is not order:
                self.live[order.index] = last
                last.index = order.index

    def remove(self, order: Order) -> None:
        self.reduce(order, order.shares)

    def step(self, random: Random) -> None:
        """Lets fair value move."""
        if random.random() < STEP_PROBABILITY:
            up = random.random() < 0.5 - PULL * (self.fair - self.base)
            self.fair += 1 if up else -1

    def price(self, side: bytes, random: Random) -> int:
        """Of a new order: behind fair value by a depth that favours the touch, short of the opposite best."""
        draw = random.random()
        depth = 1 + int(DEEPEST * draw * draw * draw)
        if side == BUY:
            best = self.asks.best()
            price = (self.fair - depth) * TICK
            return price if best is None else min(price, best.price - TICK)
        best = self.bids.best()
        price = (self.fair + depth) * TICK
        return price if best is None else max(price, best.price + TICK)

    def stale(self) -> Order | None:
        """The front order of a level that fair value has reached."""
        best = self.asks.best()
        if best is not None and best.price <= self.fair * TICK:
            return best
        best = self.bids.best()
        if best is not None and best.price >= self.fair * TICK:
            return best
        return None

    def touch(self, random: Random) -> Order:
        """The order that an execution meets: oldest at the best price of a side. There must be a live order."""
        first, second = (self.bids, self.asks) if random.random() < 0.5 else (self.asks, self.bids)
        order = self.stale() or first.best() or second.best()
        if order is None:
            raise ValueError("no live order")
        return order

    def target(self, random: Random) -> Order:
        """The order that a delete, replace or cancel names. There must be a live order."""
        stale = self.stale()
        if stale is not None:
            return stale
        count = len(self.live)
        if random.random() < 0.5:
            return self.live[count - 1 - int(random.random() * min(count, RECENT))]
        return self.live[int(random.random() * count)]


def order_size(random: Random) -> int:
    """Shares of a new order: mostly round lots of a few hundred."""
    draw = random.random()
    for limit, shares in ROUND_LOTS:
        if draw < limit:
            return shares
    if draw < ODD_LOT_SHARE:
        return 1 + int(random.random() * 99)
    return 600 + 100 * int(random.random() * 45)
