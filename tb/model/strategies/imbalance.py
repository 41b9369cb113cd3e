# SPDX-License-Identifier: MIT
"""imbalance: when the shares of the best five levels lean to one side, take that side's direction at the other's price;
only when the direction was another one before."""

from __future__ import annotations

from tb.model.intent import Intent
from tb.model.strategies import Parameter
from tb.model.view import View

PARAMETERS = (Parameter("threshold", 500, 1000, 650),)  # in 1/1000
ON_ANY = True
DEPTH = 5
NONE, BUY, SELL = range(3)


def on_book(view: View) -> list[Intent]:
    threshold, = view.parameters
    bids, asks = (sum(shares for _, shares, _ in view.book.ladder(side).best_levels(DEPTH)) for side in ("B", "S"))
    lean = NONE
    if bids and asks:
        lean = BUY if bids * 1000 > (bids + asks) * threshold else SELL if asks * 1000 > (bids + asks) * threshold \
            else NONE
    before = view.remembered
    view.remember(lean)
    if lean in (before, NONE):
        return []
    if lean == BUY:
        return [Intent("enter", "B", view.shares, view.book.best_ask())]
    return [Intent("enter", "S", view.shares, view.book.best_bid())]
