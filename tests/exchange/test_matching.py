# SPDX-License-Identifier: MIT
"""Price-time priority against a matcher of a few lines that scans one list, on random orders of every kind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random

import pytest

from generators.exchange.ledger import Ledger
from generators.exchange.matching import HALTED, TRADING, MatchingEngine
from generators.exchange.orders import (
    BUY,
    MAX_PRICE,
    MAX_SHARES,
    SELL,
    Accepted,
    Account,
    Canceled,
    End,
    Modified,
    Replaced,
    Rested,
    Traded,
)

ALICE, BOB = Account(0, "ALIC"), Account(1, "BOBB")
SEEDS = [int(os.environ["TICKLOOP_TEST_SEED"])] if "TICKLOOP_TEST_SEED" in os.environ else range(6)


@dataclass
class Resting:
    reference: int
    book: int
    side: bytes
    price: int
    shares: int
    hidden: bool


class ListMatcher:
    """All resting orders in one list, oldest first; the best is found by looking at all of them."""

    def __init__(self) -> None:
        self.resting: list[Resting] = []

    def enter(self, order: Resting, immediate: bool = False, minimum: int = 0) -> list[tuple[int, int, int, int]]:
        """(resting, incoming, shares, price) of each trade."""
        def crossing() -> list[Resting]:
            return [other for other in self.resting if other.book == order.book and other.side != order.side and
                    (other.price <= order.price if order.side == BUY else other.price >= order.price)]

        trades = []
        if immediate and sum(other.shares for other in crossing()) < max(minimum, 1):
            return []
        while order.shares and crossing():
            best = min(crossing(), key=lambda other: (other.price if order.side == BUY else -other.price, other.hidden))
            shares = min(best.shares, order.shares)
            trades.append((best.reference, order.reference, shares, best.price))
            best.shares -= shares
            order.shares -= shares
            if not best.shares:
                self.resting.remove(best)
        if order.shares and not immediate:
            self.resting.append(order)
        return trades

    def queue(self, book: int, side: bytes) -> list[tuple[int, int, int]]:
        mine = [order for order in self.resting if (order.book, order.side) == (book, side)]
        mine.sort(key=lambda order: (-order.price if side == BUY else order.price, order.hidden))
        return [(order.reference, order.price, order.shares) for order in mine]


def trades_of(engine: MatchingEngine) -> list[tuple[int, int, int, int]]:
    return [(event.resting.reference, event.incoming.reference, event.shares, event.price)
            for event in engine.take_events() if isinstance(event, Traded)]


def queue_of(engine: MatchingEngine, book: int, side: bytes) -> list[tuple[int, int, int]]:
    return [(order.reference, order.price, order.shares) for order in engine.books[book].side(side).orders()]


@pytest.mark.parametrize("seed", SEEDS)
def test_trades_and_queues_are_those_of_a_list_scan(seed: int) -> None:
    print(f"repeat with: TICKLOOP_TEST_SEED={seed} pytest 'tests/exchange/test_matching.py'")
    chance = Random(seed)
    engine, matcher, trades = MatchingEngine(3), ListMatcher(), 0
    for _ in range(1_500):
        kind = chance.choice(["enter"] * 6 + ["cancel", "cancel", "reduce", "modify", "replace", "replace"])
        price, shares = chance.randrange(95, 106) * 100, chance.choice([1, 50, 100, 100, 300, 999])
        hidden, immediate = chance.random() < 0.2, chance.random() < 0.2
        minimum = chance.choice([0, 0, 100, shares]) if immediate else 0
        live = list(engine.live.values())
        if kind == "enter" or not live:
            book, side = chance.randrange(3), chance.choice([BUY, SELL])
            order = engine.enter(chance.choice([ALICE, BOB]), book, side, shares, price, immediate=immediate,
                                 displayed=not hidden, minimum=minimum)
            expected = matcher.enter(Resting(order.reference, book, side, price, shares, hidden), immediate, minimum)
        else:
            order = chance.choice(live)
            theirs = next(other for other in matcher.resting if other.reference == order.reference)
            expected = []
            if kind == "cancel" or (kind in ("reduce", "modify") and order.shares == 1):
                engine.cancel(order)
                matcher.resting.remove(theirs)
            elif kind == "replace":
                new = engine.replace(order, shares, price, immediate=immediate, displayed=not hidden, minimum=minimum)
                matcher.resting.remove(theirs)
                expected = matcher.enter(Resting(new.reference, order.book, order.side, price, shares, hidden),
                                         immediate, minimum)
            else:
                theirs.shares = chance.randrange(1, order.shares)
                (engine.cancel if kind == "reduce" else engine.modify)(order, theirs.shares)
        assert trades_of(engine) == expected
        trades += len(expected)
        for book in range(3):
            for side in (BUY, SELL):
                assert queue_of(engine, book, side) == matcher.queue(book, side)
    assert trades > 200


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_cash_and_ends_are_conserved(seed: int) -> None:
    """What is bought is sold, cash sums to zero, and each order has one end with its shares accounted for."""
    print(f"repeat with: TICKLOOP_TEST_SEED={seed} pytest 'tests/exchange/test_matching.py'")
    chance = Random(seed)
    engine, ledger = MatchingEngine(2), Ledger()
    for number in range(3_000):
        live = list(engine.live.values())
        draw = chance.random()
        if draw < 0.7 or not live:
            engine.enter(chance.choice([ALICE, BOB]), chance.randrange(2), chance.choice([BUY, SELL]),
                         chance.randrange(1, 500), chance.randrange(98, 103) * 100, immediate=chance.random() < 0.3)
        elif draw < 0.8:
            engine.cancel(chance.choice(live))
        elif draw < 0.95:
            engine.replace(chance.choice(live), chance.randrange(1, 500), chance.randrange(98, 103) * 100)
        elif [trade for trade in ledger.trades if not trade.broken]:
            engine.break_trade(chance.choice([trade for trade in ledger.trades if not trade.broken]), "E")
        ledger.follow(engine.take_events())
        if number % 50 == 0:
            totals = ledger.totals()
            assert totals["positions"] == {}
            assert totals["cash"] == 0
    totals = ledger.totals()
    assert (totals["positions"], totals["cash"]) == ({}, 0)
    assert totals["broken"] > 10
    assert totals["orders"]["open"] == len(engine.live)
    for order in ledger.orders.values():
        assert order.size == order.shares + order.executed + order.canceled
        assert (order.end is None) == (order.reference in engine.live)
        assert (order.shares == 0) == (order.end in (End.EXECUTED, End.CANCELED))
        assert order.end is not End.EXECUTED or order.executed + order.canceled == order.size
    assert all(totals["orders"][name] > 20 for name in ("executed", "canceled", "replaced")), totals


def test_a_trade_is_at_the_resting_price_and_the_oldest_comes_first() -> None:
    engine = MatchingEngine(1)
    first, second = (engine.enter(ALICE, 0, SELL, 100, 10_000) for _ in range(2))
    engine.take_events()
    taker = engine.enter(BOB, 0, BUY, 150, 10_500)
    accepted, one, two = engine.take_events()
    assert accepted == Accepted(taker, False)
    assert one == Traded(first, taker, 100, 10_000, 1)
    assert two == Traded(second, taker, 50, 10_000, 2)
    assert (first.end, second.end, taker.end) == (End.EXECUTED, None, End.EXECUTED)


def test_a_replaced_order_goes_behind_and_a_reduced_one_stays() -> None:
    engine = MatchingEngine(1)
    first, second, third = (engine.enter(ALICE, 0, SELL, 100, 10_000) for _ in range(3))
    engine.modify(second, 40)
    again = engine.replace(first, 100, 10_000)
    assert [reference for reference, _, _ in queue_of(engine, 0, SELL)] == [
        second.reference, third.reference, again.reference]


def test_displayed_orders_come_before_hidden_ones_of_the_same_price() -> None:
    engine = MatchingEngine(1)
    hidden = engine.enter(ALICE, 0, SELL, 100, 10_000, displayed=False)
    shown = engine.enter(ALICE, 0, SELL, 100, 10_000)
    better = engine.enter(ALICE, 0, SELL, 100, 9_900, displayed=False)
    assert [reference for reference, _, _ in queue_of(engine, 0, SELL)] == [
        better.reference, shown.reference, hidden.reference]
    assert engine.books[0].asks.displayed() == [(10_000, 100, 1)]


def test_an_immediate_order_never_rests() -> None:
    engine = MatchingEngine(1)
    dead = engine.enter(ALICE, 0, BUY, 100, 10_000, immediate=True)
    assert engine.take_events() == [Accepted(dead, True)]
    maker = engine.enter(BOB, 0, SELL, 30, 10_000)
    engine.take_events()
    taker = engine.enter(ALICE, 0, BUY, 100, 10_000, immediate=True)
    assert engine.take_events() == [Accepted(taker, False), Traded(maker, taker, 30, 10_000, 1),
                                    Canceled(taker, 70, "I")]
    assert (dead.end, taker.end) == (End.CANCELED, End.CANCELED)
    assert not engine.live


def test_a_minimum_quantity_is_all_or_nothing_at_once() -> None:
    engine = MatchingEngine(1)
    engine.enter(BOB, 0, SELL, 30, 10_000)
    engine.enter(BOB, 0, SELL, 30, 10_100)
    assert engine.enter(ALICE, 0, BUY, 100, 10_100, immediate=True, minimum=61).executed == 0
    assert engine.enter(ALICE, 0, BUY, 100, 10_100, immediate=True, minimum=60).executed == 60


def test_a_replace_may_trade_rest_or_find_nothing() -> None:
    engine = MatchingEngine(1)
    ask = engine.enter(BOB, 0, SELL, 50, 10_000)
    old = engine.enter(ALICE, 0, BUY, 100, 9_000)
    engine.take_events()
    second = engine.replace(old, 80, 9_100)
    assert engine.take_events() == [Replaced(old, second, False, True)]
    third = engine.replace(second, 80, 10_000)
    assert engine.take_events() == [Replaced(second, third, False, False), Traded(ask, third, 50, 10_000, 1),
                                    Rested(third)]
    fourth = engine.replace(third, 10, 10_000, immediate=True)
    assert engine.take_events() == [Replaced(third, fourth, True, False)]
    assert [order.end for order in (old, second, third, fourth)] == [End.REPLACED] * 3 + [End.CANCELED]


def test_cancels_in_part_and_those_that_change_nothing() -> None:
    engine = MatchingEngine(1)
    order = engine.enter(ALICE, 0, BUY, 100, 9_000)
    engine.take_events()
    engine.cancel(order, 100)
    engine.cancel(order, 200)
    assert engine.take_events() == []
    engine.cancel(order, 30)
    engine.modify(order, 20)
    engine.modify(order, 20)
    engine.cancel(order)
    assert engine.take_events() == [Canceled(order, 70, "U"), Modified(order, 10), Modified(order, 0),
                                    Canceled(order, 20, "U")]
    assert order.end is End.CANCELED


def test_orders_of_one_account_trade_with_each_other() -> None:
    engine, ledger = MatchingEngine(1), Ledger()
    engine.enter(ALICE, 0, SELL, 100, 10_000)
    engine.enter(ALICE, 0, BUY, 100, 10_000)
    ledger.follow(engine.take_events())
    assert len(ledger.trades) == 1
    assert (ledger.position(ALICE, 0), ledger.cash(ALICE)) == (0, 0)


def test_a_halt_stops_entries_and_replaces_only() -> None:
    engine = MatchingEngine(2)
    order = engine.enter(ALICE, 0, BUY, 100, 9_000)
    engine.change_state(0, HALTED, "T1")
    with pytest.raises(ValueError, match="not trading"):
        engine.enter(ALICE, 0, BUY, 100, 9_000)
    with pytest.raises(ValueError, match="not trading"):
        engine.replace(order, 100, 9_100)
    assert order.end is None
    engine.enter(ALICE, 1, BUY, 100, 9_000)
    engine.cancel(order)
    engine.change_state(0, TRADING)
    engine.enter(ALICE, 0, BUY, 100, 9_000)


@pytest.mark.parametrize("change", [{"shares": 0}, {"shares": MAX_SHARES + 1}, {"price": 0}, {"price": MAX_PRICE + 1},
                                    {"side": b"T"}])
def test_impossible_orders_are_refused(change: dict[str, int]) -> None:
    engine = MatchingEngine(1)
    with pytest.raises(ValueError, match="no order"):
        engine.enter(ALICE, 0, **({"side": BUY, "shares": 100, "price": 100} | change))
    assert engine.take_events() == []


def test_an_order_that_has_ended_cannot_change() -> None:
    engine = MatchingEngine(1)
    order = engine.enter(ALICE, 0, BUY, 100, 9_000)
    engine.cancel(order)
    for attempt in (lambda: engine.cancel(order), lambda: engine.replace(order, 100, 9_000),
                    lambda: engine.modify(order, 1)):
        with pytest.raises(ValueError, match=r"has ended|cannot keep"):
            attempt()
