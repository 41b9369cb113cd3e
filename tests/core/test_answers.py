# SPDX-License-Identifier: MIT
"""Answers of the exchange that an own order does not expect, one by one: core and model, and what must follow.

What is in doubt stops new orders; nothing that the exchange says of a trade is lost unsaid.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from generators.tables import encode
from tb.model.config import RiskConfig, SessionMode, SymbolConfig
from tb.model.intent import Answer
from tb.model.packet import MessageResult
from tests.core.trading import STOCKS, Day, random_config
from tests.firmware.core_harness import Core
from tests.firmware.records import record_lines

PRICE = 10_000


class Desk(Day):
    """Orders for 100 shares at each better bid, and answers to them by hand; every step in core and model."""

    def __init__(self, core: Core, strategy: str = "best_bid", parameters: tuple[int, ...] = (),
                 session_mode: SessionMode = "connect", **risk: Any) -> None:
        symbol = SymbolConfig(strategy, 100, parameters)
        super().__init__(core, 1, random_config(
            Random(1), symbols=dict.fromkeys(STOCKS, symbol), default=symbol, risk=RiskConfig(**risk),
            session_mode=session_mode, own_orders_log2=4), hostile=False)
        self.step = 0
        self.price = PRICE
        self._link()

    def bid(self) -> list[str]:
        """A better bid; returns the kinds of the orders that it leads to."""
        self.price += 100
        return self.quote("B", self.price)

    def quote(self, side: str, price: int) -> list[str]:
        """Somebody's order of 100 shares; returns likewise."""
        raw = encode("A", {"stock_locate": 1, "tracking_number": 0, "timestamp": 0, "buy_sell_indicator": side,
                           "order_reference_number": price, "shares": 100, "stock": STOCKS[0], "price": price})
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


def test_each_side_of_a_trade_is_broken_and_corrected_by_itself(desk: Desk) -> None:
    """Two orders that have met each other have the same match number."""
    assert desk.bid() == ["enter"]
    for number, shares in ((1, 40), (2, 60)):
        desk.accepted(number)
        desk.answer(Answer("executed", number, shares=shares, price=PRICE, match=7))
    desk.answer(Answer("broken", 2, match=7))
    assert (desk.statistics()["position_total"], desk.statistics()["position_cash"]) == (40, -40 * PRICE)
    desk.answer(Answer("corrected", 1, shares=40, price=PRICE + 1, match=7))
    assert (desk.statistics()["position_total"], desk.statistics()["position_cash"]) == (40, -40 * (PRICE + 1))
    desk.answer(Answer("corrected", 2, shares=60, price=PRICE + 1, match=7))
    assert desk.statistics()["answers_unknown"] == 1
    assert desk.bid() == ["enter"]


@pytest.mark.parametrize("wrong", [{"side": "S"}, {"price": 0}, {"price": 2_000_000_000}, {"shares": 101}], ids=str)
def test_an_order_accepted_as_another_one_stops_trading(desk: Desk, wrong: dict[str, Any]) -> None:
    desk.accepted(1, **wrong)
    assert desk.statistics()["answers_bad"] == 1
    assert desk.bid() == []


@pytest.mark.parametrize("price", [0, 2_000_000_000])
def test_a_priority_update_without_a_price_stops_trading(desk: Desk, price: int) -> None:
    desk.accepted(1)
    desk.answer(Answer("priority_update", 1, price=price))
    assert desk.statistics()["answers_bad"] == 1
    assert desk.bid() == []


def sent_cancels(desk: Desk, step: Callable[[], None]) -> list[int]:
    """Orders that a step cancels, core and model alike."""
    before = len(desk.sent)
    step()
    assert {intent.kind for intent in desk.sent[before:]} <= {"cancel"}
    return [intent.original for intent in desk.sent[before:]]


def test_cancel_all_while_the_link_is_down_takes_what_is_open_when_it_is_back(desk: Desk) -> None:
    desk.accepted(1)
    desk._link()
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == []
    assert sent_cancels(desk, desk._link) == [1]
    assert desk.bid() == ["enter"], "an order that came later is not meant"
    assert sent_cancels(desk, lambda: desk.accepted(2)) == []
    assert sent_cancels(desk, lambda: desk.answer(Answer("canceled", 1, shares=40))) == [1], "60 are left"
    assert sent_cancels(desk, lambda: desk.answer(Answer("canceled", 1, shares=60))) == []
    assert desk.model.own.find(2) is not None


def test_cancel_all_goes_on_when_a_replace_is_rejected(core: Core) -> None:
    desk = Desk(core, "market_maker", (200, 100, 1000, 100))
    assert desk.bid() == []
    assert desk.quote("S", desk.price + 2000) == ["enter", "enter"]
    for intent in list(desk.sent):
        desk.accepted(intent.number, side=intent.side, price=intent.price)
    assert desk.quote("B", desk.price + 1200) == ["replace", "replace"]
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == [3, 4], "what is on its way"
    assert sent_cancels(desk, lambda: desk.answer(Answer("rejected", 3))) == [1]
    assert sent_cancels(desk, lambda: desk.answer(Answer("canceled", 1, shares=100))) == []


def test_a_cancel_that_is_refused_is_not_asked_for_again(desk: Desk) -> None:
    desk.accepted(1)
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == [1]
    assert sent_cancels(desk, lambda: desk.answer(Answer("cancel_reject", 1))) == []
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == [1]


def test_cancel_all_with_a_full_ring_goes_on_as_there_is_room(desk: Desk) -> None:
    for _ in range(3):
        desk.bid()
    assert sent_cancels(desk, lambda: desk._room(0)) == []
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == []
    assert desk.bid() == ["enter"], "a slot for it came free, and it is not meant"
    assert sent_cancels(desk, lambda: desk._room(3)) == [1, 2, 3]
    assert sent_cancels(desk, lambda: desk._room(3)) == [4]


def test_an_order_that_takes_the_place_of_one_to_cancel_is_not_cancelled(core: Core) -> None:
    """Nobody answers, so places are taken over: of what is to be cancelled, and waits for room."""
    desk = Desk(core, session_mode="established")
    for _ in range(16):
        assert desk.bid() == ["enter"]
    desk._room(0)
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == []
    for _ in range(3):
        assert desk.bid() == ["enter"]
    assert sent_cancels(desk, lambda: desk._room(4)) == [16, 4, 5, 6]
    assert sent_cancels(desk, lambda: desk._room(100)) == list(range(7, 16))
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == [17, 18, 19]


def test_what_replaces_an_order_to_cancel_is_cancelled_in_its_place_too(core: Core) -> None:
    """The replacement's number comes so much later that its place in the table is that of the order itself."""
    desk = Desk(core, "market_maker", (200, 100, 1000, 100), session_mode="established")
    desk.bid()
    assert desk.quote("S", desk.price + 2000) == ["enter", "enter"]
    core.set_order_number(16)
    desk.model.own.number = 16
    desk._room(0)
    assert sent_cancels(desk, lambda: desk._command("cancel all")) == []
    assert desk.quote("B", desk.price + 1200) == ["replace", "replace"]
    assert sent_cancels(desk, lambda: desk._room(100)) == [17, 18]
