# SPDX-License-Identifier: MIT
"""Answers of the exchange that an own order does not expect, one by one: core and model, and what must follow.

What is in doubt stops new orders; nothing that the exchange says of a trade is lost unsaid.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from generators.tables import encode
from tb.model.config import RiskConfig, SymbolConfig
from tb.model.intent import Answer
from tb.model.packet import MessageResult
from tests.core.trading import STOCKS, Day, random_config
from tests.firmware.core_harness import Core
from tests.firmware.records import record_lines

PRICE = 10_000


class Desk(Day):
    """Orders for 100 shares at each better bid, and answers to them by hand; every step in core and model."""

    def __init__(self, core: Core, strategy: str = "best_bid", **risk: Any) -> None:
        symbol = SymbolConfig(strategy, 100, ())
        super().__init__(core, 1, random_config(
            Random(1), symbols=dict.fromkeys(STOCKS, symbol), default=symbol, risk=RiskConfig(**risk),
            session_mode="connect", own_orders_log2=4), hostile=False)
        self.step = 0
        self.price = PRICE
        self._link()

    def bid(self) -> list[str]:
        """A better bid; returns the kinds of the orders that it leads to."""
        self.price += 100
        raw = encode("A", {"stock_locate": 1, "tracking_number": 0, "timestamp": 0, "buy_sell_indicator": "B",
                           "order_reference_number": self.price, "shares": 100, "stock": STOCKS[0],
                           "price": self.price})
        ours = self.message(MessageResult(self.sequence, "A", len(raw), "ok", raw))
        theirs = self.core.intents([record_lines(raw, self.sequence)[0]])[0]
        self.sequence += 1
        self._sent(theirs, ours)
        return [intent.kind for intent in ours]

    def accepted(self, number: int, **values: Any) -> None:
        self.answer(Answer(**{"kind": "accepted", "number": number, "side": "B", "shares": 100, "price": self.price,
                              **values}))

    def statistics(self) -> dict[str, Any]:
        self.compare()
        return self.model.statistics


@pytest.fixture
def desk(core: Core) -> Desk:
    desk = Desk(core)
    assert desk.bid() == ["enter"]
    return desk


@pytest.mark.parametrize("kind", ["accepted", "replaced", "executed"])
def test_an_order_taken_for_lost_that_is_there_stops_trading(desk: Desk, kind: Any) -> None:
    desk._link()
    desk._link()
    assert desk.statistics()["orders_lost"] == 1
    desk.answer(Answer(kind, 1, side="B", shares=100, price=desk.price, match=7))
    assert desk.bid() == []
    assert desk.statistics()["answers_bad"] == 1
    assert desk.statistics()["orders_refused_answer"] == 1


def test_late_answers_about_orders_that_are_over_change_nothing(desk: Desk) -> None:
    desk.accepted(1)
    desk.answer(Answer("canceled", 1, shares=100))
    for answer in (Answer("cancel_reject", 1), Answer("executed", 99, shares=1, price=1), Answer("executed", 0)):
        desk.answer(answer)
    assert desk.bid() == ["enter"]
    assert desk.statistics()["answers_unknown"] == 3
