# SPDX-License-Identifier: MIT
"""best_bid: a message that leaves the best bid strictly higher buys the symbol's order size at the new best bid."""

from __future__ import annotations

from tb.model.intent import Intent
from tb.model.strategies import Parameter
from tb.model.view import View

PARAMETERS: tuple[Parameter, ...] = ()
ON_ANY = False


def on_book(view: View) -> list[Intent]:
    bid = view.book.best_bid()
    if view.side != "B" or bid <= view.best_before:
        return []
    return [Intent("enter", "B", view.shares, bid)]
