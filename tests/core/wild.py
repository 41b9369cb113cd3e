# SPDX-License-Identifier: MIT
"""The twin of strategies/wild.c: one to four things at random, most of them impossible."""

from __future__ import annotations

from tb.model.intent import Intent, IntentKind
from tb.model.strategies import Parameter
from tb.model.view import View

PARAMETERS = (Parameter("seed", 1, 0xFFFFFFFF, 1),)
ON_ANY = True
PRICE_LIMIT = 0x7735939D
SHARES_LIMIT = 1_000_000
TOP = 0xFFFFFFFF
KINDS: tuple[IntentKind, ...] = ("enter", "enter", "enter", "replace", "replace", "cancel", "modify")


def on_book(view: View) -> list[Intent]:
    state = view.remembered or view.parameters[0]

    def choose(count: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (state >> 33) % count

    bid, ask = view.book.best_bid(), view.book.best_ask()
    prices = [bid, bid, bid, ask, ask, ask, bid + 100, ask - 100, bid - 5000, ask + 5000, 0, 1, PRICE_LIMIT - 1,
              PRICE_LIMIT, TOP]
    shares = [1, 50, 100, 100, 100, 300, 1000, 0, SHARES_LIMIT - 1, SHARES_LIMIT, TOP]
    sides = ["B", "B", "B", "B", "S", "S", "S", "S", "T", "\0"]
    intents = []
    for _ in range(1 + choose(4)):
        working = [view.own.newest(view.book.stock_locate, buys) for buys in (True, False)]
        originals = [*working, view.own.number - 1, view.own.number - 2, 0, TOP]
        kind, side = KINDS[choose(len(KINDS))], sides[choose(len(sides))]
        size, price = shares[choose(len(shares))], prices[choose(len(prices))] & TOP
        intents.append(Intent(kind, side, size, price, originals[choose(len(originals))] & TOP))
    view.remember(state)
    return intents
