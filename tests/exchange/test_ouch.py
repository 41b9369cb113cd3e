# SPDX-License-Identifier: MIT
"""The order-entry server, message by message, for both versions: what OUCH says about keys, quantities and refusals."""

from __future__ import annotations

import os
from random import Random
from typing import Any, ClassVar

import pytest

from generators.exchange.dialects import DIALECTS
from generators.exchange.ledger import Ledger
from generators.exchange.matching import HALTED, TRADING, MatchingEngine
from generators.exchange.orders import MARKET_PRICE, SELL, Account
from generators.exchange.ouch import HELD, PS_PER_SECOND, REFUSED, OuchServer
from generators.tables import OUCH42_INBOUND, OUCH42_OUTBOUND, OUCH50_INBOUND, OUCH50_OUTBOUND, Table, decode

OURS, OTHER = Account(0, "TICK"), Account(1, "NITE")
STOCK = "TKAA    "


class Desk:
    """A server with one symbol, spoken to in the words of 4.2; `say` returns the answers to one message, decoded."""

    # 4.2's names in 5.0
    NAMES: ClassVar[dict[str, str]] = {
        "order_token": "user_ref_num", "replacement_order_token": "user_ref_num", "stock": "symbol",
        "existing_order_token": "orig_user_ref_num", "buy_sell_indicator": "side", "shares": "quantity"}

    def __init__(self, version: str) -> None:
        self.version = version
        self.engine = MatchingEngine(1)
        self.ledger = Ledger()
        self.server = OuchServer(DIALECTS[version], self.engine, OURS, {STOCK.encode(): 0})
        self.inbound, self.outbound = ((OUCH42_INBOUND, OUCH42_OUTBOUND) if version == "4.2"
                                       else (OUCH50_INBOUND, OUCH50_OUTBOUND))

    def key(self, number: int) -> Any:
        return f"T{number:013}" if self.version == "4.2" else number

    def build(self, kind: str, **fields: Any) -> bytes:
        defaults: dict[str, Any] = {
            "buy_sell_indicator": "B", "shares": 100, "stock": STOCK, "price": 10_000, "firm": "TICK", "display": "Y",
            "capacity": "P", "intermarket_sweep_eligibility": "N", "minimum_quantity": 0, "cross_type": "N",
            "customer_type": "N", "time_in_force": 99_998} | fields
        for name in ("order_token", "existing_order_token", "replacement_order_token"):
            if isinstance(defaults.get(name), int):
                defaults[name] = self.key(defaults[name])
        if self.version == "5.0":
            tags = fields.get("appendage", b"")
            if defaults["minimum_quantity"]:
                tags += bytes([5, 3]) + defaults["minimum_quantity"].to_bytes(4, "big")
            if 0 < defaults["time_in_force"] < 99_998:
                tags += bytes([5, 15]) + defaults["time_in_force"].to_bytes(4, "big")
            force = {0: "3", 99_998: "0", 99_999: "E"}.get(defaults["time_in_force"], "6")
            defaults = {self.NAMES.get(name, name): value for name, value in defaults.items()} | {
                "time_in_force": fields.get("force", force), "clordid": "MINE", "appendage": tags,
                "appendage_length": len(tags)}
        names = self.inbound[kind].names
        return self.inbound[kind].encode({name: value for name, value in defaults.items() if name in names})

    def raw(self, data: bytes) -> list[bytes]:
        self.server.receive(data)
        return self.settle()

    def settle(self) -> list[bytes]:
        events = self.engine.take_events()
        self.ledger.follow(events)
        self.server.follow(events)
        answers, self.server.answers = self.server.answers, []
        return answers

    def decode(self, answers: list[bytes]) -> list[dict[str, Any]]:
        """In 4.2's names."""
        back = {"user_ref_num": "order_token", "symbol": "stock", "side": "buy_sell_indicator"}
        found = []
        for answer in answers:
            fields = decode(answer, self.outbound)
            if self.version == "5.0":
                fields = {back.get(name, name): value for name, value in fields.items()}
                kind = fields["message_type"]
                if "quantity" in fields:
                    fields[{"C": "decrement_shares", "E": "executed_shares"}.get(kind, "shares")] = fields["quantity"]
                if kind == "E":
                    fields["execution_price"] = fields["price"]
                if kind == "U":
                    fields["replacement_order_token"] = fields["order_token"]
                    fields["previous_order_token"] = fields["orig_user_ref_num"]
            found.append(fields)
        return found

    def say(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        return self.decode(self.raw(self.build(kind, **fields)))

    def others(self, side: bytes = SELL, shares: int = 100, price: int = 10_000, immediate: bool = False
               ) -> list[dict[str, Any]]:
        self.engine.enter(OTHER, 0, side, shares, price, immediate=immediate)
        return self.decode(self.settle())

    def enter(self, number: int, **fields: Any) -> list[dict[str, Any]]:
        return self.say("O", order_token=number, **fields)

    def replace(self, existing: int, number: int, **fields: Any) -> list[dict[str, Any]]:
        return self.say("U", existing_order_token=existing, replacement_order_token=number, **fields)

    def cancel(self, number: int, shares: int = 0) -> list[dict[str, Any]]:
        return self.say("X", order_token=number, shares=shares)

    def end(self, number: int) -> str:
        order = self.server.entries[self.key(number)].order
        return "rejected" if order is None else order.end.value if order.end else "open"


@pytest.fixture(params=["4.2", "5.0"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


def kinds(answers: list[dict[str, Any]]) -> str:
    return "".join(answer["message_type"] for answer in answers)


def has(answer: dict[str, Any], **fields: Any) -> None:
    assert {name: answer[name] for name in fields} == fields


def test_an_accepted_order_repeats_what_was_entered(desk: Desk) -> None:
    desk.server.set_time(0, 34_200_000_000_123)
    (answer,) = desk.enter(1, shares=300, price=12_300, buy_sell_indicator="T", capacity="A", display="A")
    has(answer, message_type="A", timestamp=34_200_000_000_123, order_token=desk.key(1), buy_sell_indicator="T",
        shares=300, stock=STOCK, price=12_300, display="A", capacity="A", intermarket_sweep_eligibility="N",
        cross_type="N", order_state="L", order_reference_number=1)
    if desk.version == "4.2":
        has(answer, time_in_force=99_998, firm="TICK", minimum_quantity=0)
    else:
        has(answer, time_in_force="0", clordid="MINE".ljust(14))
    assert desk.engine.live[1].side == SELL


def test_executions_tell_who_added_and_who_removed(desk: Desk) -> None:
    desk.enter(1, shares=100, price=10_000)
    (maker,) = desk.others(SELL, 30, 9_900)
    has(maker, message_type="E", order_token=desk.key(1), executed_shares=30, execution_price=10_000,
        liquidity_flag="A", match_number=1)
    desk.others(SELL, 50, 10_100)
    answers = desk.enter(2, shares=80, price=10_100)
    assert kinds(answers) == "AE"
    has(answers[1], order_token=desk.key(2), executed_shares=50, execution_price=10_100, liquidity_flag="R",
        match_number=2)


def test_an_order_that_meets_our_own_brings_two_executions(desk: Desk) -> None:
    desk.enter(1, buy_sell_indicator="S")
    answers = desk.enter(2)
    assert kinds(answers) == "AEE"
    assert [(answer["order_token"], answer["liquidity_flag"]) for answer in answers[1:]] == [
        (desk.key(1), "A"), (desk.key(2), "R")]
    assert desk.ledger.cash(OURS) == 0


def test_immediate_orders(desk: Desk) -> None:
    (answer,) = desk.enter(1, time_in_force=0)
    has(answer, message_type="A", order_state="D")
    assert desk.end(1) == "canceled"
    desk.others(SELL, 30)
    answers = desk.enter(2, time_in_force=0)
    assert kinds(answers) == "AEC"
    has(answers[0], order_state="L")
    has(answers[2], decrement_shares=70, reason="I")


def test_a_market_order_is_immediate(desk: Desk) -> None:
    desk.others(SELL, 30, 150_000)
    answers = desk.enter(1, time_in_force=0, price=MARKET_PRICE)
    assert kinds(answers) == "AEC"
    has(answers[0], price=MARKET_PRICE)
    has(answers[1], execution_price=150_000)
    assert kinds(desk.enter(2, price=MARKET_PRICE)) == "J"


def test_a_minimum_quantity(desk: Desk) -> None:
    desk.others(SELL, 30)
    (answer,) = desk.enter(1, time_in_force=0, minimum_quantity=31)
    has(answer, order_state="D")
    assert kinds(desk.enter(2, time_in_force=0, minimum_quantity=30)) == "AEC"
    assert kinds(desk.enter(3, minimum_quantity=30)) == "J"
    assert kinds(desk.enter(4, time_in_force=0, minimum_quantity=101)) == "J"


def test_a_used_key_is_ignored(desk: Desk) -> None:
    desk.enter(5)
    assert desk.enter(5) == []
    desk.enter(6, shares=0)
    assert desk.enter(6) == [], "a rejected key is used too"
    assert desk.server.counts["repeated_key"] == 2
    assert len(desk.engine.live) == 1


def test_which_keys_are_fresh(desk: Desk) -> None:
    """4.2: any token not seen. 5.0: only numbers above all before, from 1."""
    desk.enter(5)
    fresh = kinds(desk.enter(4)) == "A"
    assert fresh == (desk.version == "4.2")
    if desk.version == "5.0":
        assert desk.enter(0) == []
        assert kinds(desk.enter(2**32 - 1)) == "A"


@pytest.mark.parametrize(("fields", "old", "new"), [
    ({"stock": "NONE"}, "S", 0x0017), ({"shares": 0}, "Z", 0x0013), ({"shares": 1_000_000}, "Z", 0x0013),
    ({"price": 0}, "X", 0x001D), ({"price": 10_001}, "X", 0x001D), ({"price": 2_000_000_100}, "X", 0x001D),
    ({"display": "Z"}, "D", 0x0003), ({"cross_type": "O"}, "R", 0x0014), ({"buy_sell_indicator": "Q"}, "O", 0x0009),
    ({"minimum_quantity": 50}, "N", 0x000D),
])
def test_reasons_for_a_rejection(desk: Desk, fields: dict[str, Any], old: str, new: int) -> None:
    (answer,) = desk.enter(1, **fields)
    has(answer, message_type="J", order_token=desk.key(1), reason=old if desk.version == "4.2" else new)
    assert desk.end(1) == "rejected"
    assert desk.engine.live == {}


def test_a_price_below_a_dollar_has_four_decimals(desk: Desk) -> None:
    assert kinds(desk.enter(1, price=9_999)) == "A"


def test_an_unknown_time_in_force_is_rejected(desk: Desk) -> None:
    (answer,) = desk.enter(1, time_in_force=100_000, force="Z")
    has(answer, message_type="J", reason="O" if desk.version == "4.2" else 0x000F)


def test_closed_and_halted(desk: Desk) -> None:
    desk.engine.change_state(0, HALTED)
    (answer,) = desk.enter(1)
    has(answer, message_type="J", reason="H" if desk.version == "4.2" else 0x0007)
    desk.engine.change_state(0, TRADING)
    assert kinds(desk.enter(2)) == "A"
    desk.server.open = False
    (answer,) = desk.enter(3)
    has(answer, message_type="J", reason="C" if desk.version == "4.2" else 0x0002)
    (answer,) = desk.replace(2, 4)
    has(answer, message_type="J", reason="C" if desk.version == "4.2" else 0x0002)
    assert kinds(desk.cancel(2)) == "C"


def test_a_cancel_states_what_may_be_executed_in_total(desk: Desk) -> None:
    desk.enter(1, shares=500)
    desk.others(SELL, 100)
    (answer,) = desk.cancel(1, 300)
    has(answer, message_type="C", decrement_shares=200, reason="U")
    assert desk.engine.live[1].shares == 200
    (answer,) = desk.cancel(1, 50)
    has(answer, decrement_shares=200)
    assert desk.end(1) == "canceled"


def test_superfluous_cancels_are_ignored(desk: Desk) -> None:
    desk.enter(1)
    assert desk.cancel(1, 100) == []
    assert desk.cancel(1, 5_000) == []
    assert desk.cancel(77) == []
    desk.cancel(1)
    assert desk.cancel(1) == []
    desk.enter(2)
    desk.others(SELL, 100)
    assert desk.cancel(2) == [], "too late"


def test_a_replace_moves_the_order_to_a_new_key(desk: Desk) -> None:
    desk.enter(1, shares=500, buy_sell_indicator="S", price=20_000, capacity="A")
    (answer,) = desk.replace(1, 2, shares=300, price=19_900, display="N")
    has(answer, message_type="U", replacement_order_token=desk.key(2), previous_order_token=desk.key(1), shares=300,
        price=19_900, buy_sell_indicator="S", stock=STOCK, display="N", capacity="A", order_state="L",
        order_reference_number=2)
    assert (desk.end(1), desk.end(2)) == ("replaced", "open")
    assert desk.cancel(1) == []
    assert kinds(desk.cancel(2)) == "C"


def test_a_replace_counts_what_was_executed(desk: Desk) -> None:
    desk.enter(1, shares=500)
    desk.others(SELL, 100)
    (answer,) = desk.replace(1, 2, shares=300)
    has(answer, shares=200)
    desk.others(SELL, 50)
    (answer,) = desk.replace(2, 3, shares=200, price=9_900)
    has(answer, shares=150)
    desk.others(SELL, 150, 9_900)
    assert desk.end(3) == "executed"
    assert desk.ledger.position(OURS, 0) == 300


def test_a_replace_may_execute_or_die(desk: Desk) -> None:
    desk.others(SELL, 60, 10_100)
    desk.enter(1)
    answers = desk.replace(1, 2, price=10_100)
    assert kinds(answers) == "UE"
    assert desk.engine.live[next(iter(desk.engine.live))].shares == 40
    (answer,) = desk.replace(2, 3, shares=200, time_in_force=0)
    has(answer, message_type="U", order_state="D", shares=140)
    assert [desk.end(number) for number in (1, 2, 3)] == ["replaced", "replaced", "canceled"]


def test_a_replace_of_nothing_or_by_a_used_key_is_ignored(desk: Desk) -> None:
    desk.enter(1)
    desk.enter(2)
    assert desk.replace(77, 78) == []
    assert desk.replace(1, 2) == []
    assert desk.replace(1, 1) == []
    assert desk.end(1) == "open"


@pytest.mark.parametrize("fields", [{"shares": 1_000_000}, {"shares": 0}, {"price": 0}, {"price": 10_050},
                                    {"display": "?"}, {"minimum_quantity": 10}])
def test_an_invalid_replace_cancels_and_leaves_its_key_unused(desk: Desk, fields: dict[str, Any]) -> None:
    desk.enter(1)
    (answer,) = desk.replace(1, 2, **fields)
    has(answer, message_type="C", order_token=desk.key(1), decrement_shares=100, reason="U")
    assert desk.end(1) == "canceled"
    assert kinds(desk.enter(2)) == "A"


def test_a_replace_to_less_than_was_executed_cancels(desk: Desk) -> None:
    desk.enter(1, shares=500)
    desk.others(SELL, 100)
    (answer,) = desk.replace(1, 2, shares=100)
    has(answer, message_type="C", decrement_shares=400)


def test_a_replace_in_a_halt_is_rejected_and_the_order_stays(desk: Desk) -> None:
    desk.enter(1)
    desk.engine.change_state(0, HALTED)
    (answer,) = desk.replace(1, 2)
    has(answer, message_type="J", order_token=desk.key(2))
    assert desk.end(1) == "open"
    desk.engine.change_state(0, TRADING)
    assert desk.replace(1, 2) == [], "the key is used"
    assert kinds(desk.replace(1, 3)) == "U"


def test_modify_takes_shares_and_changes_the_kind_of_sale(desk: Desk) -> None:
    desk.enter(1, buy_sell_indicator="S", shares=300)
    desk.enter(2, buy_sell_indicator="S", shares=300)
    (answer,) = desk.say("M", order_token=1, buy_sell_indicator="T", shares=300)
    has(answer, message_type="M", order_token=desk.key(1), buy_sell_indicator="T", shares=300)
    (answer,) = desk.say("M", order_token=1, buy_sell_indicator="T", shares=120)
    has(answer, shares=120)
    assert [order.reference for order in desk.engine.books[0].asks.orders()] == [1, 2], "priority is kept"
    for fields in ({"buy_sell_indicator": "B", "shares": 100}, {"buy_sell_indicator": "T", "shares": 120},
                   {"buy_sell_indicator": "T", "shares": 121}):
        assert desk.say("M", order_token=1, **fields) == []
    answers = desk.replace(1, 3, shares=50)
    has(answers[0], buy_sell_indicator="T")
    assert kinds(desk.say("M", order_token=2, buy_sell_indicator="S", shares=0)) == "C"


def test_cancels_that_are_held_or_refused(desk: Desk) -> None:
    desk.enter(1)
    desk.enter(2)
    desk.server.cancels = HELD
    assert kinds(desk.cancel(1)) == "P"
    assert kinds(desk.replace(2, 3)) == "J"
    desk.server.cancels = REFUSED
    assert kinds(desk.cancel(2)) == "I"
    (held,) = desk.server.release_cancels()
    desk.server.cancel_held(held)
    (answer,) = desk.decode(desk.settle())
    has(answer, message_type="C", order_token=desk.key(1))
    assert (desk.end(1), desk.end(2)) == ("canceled", "open")


def test_a_priority_update_gives_a_new_reference_number(desk: Desk) -> None:
    desk.enter(1, shares=500)
    desk.others(SELL, 100)
    desk.server.reprice(desk.server.entries[desk.key(1)], 9_900)
    (answer,) = desk.decode(desk.settle())
    has(answer, message_type="T", order_token=desk.key(1), price=9_900, display="Y", order_reference_number=3)
    (answer,) = desk.cancel(1, 300)
    has(answer, decrement_shares=200)
    (answer,) = desk.others(SELL, 200, 9_900)
    has(answer, message_type="E", order_token=desk.key(1))


def test_a_broken_trade(desk: Desk) -> None:
    desk.enter(1)
    desk.others(SELL, 100)
    assert desk.ledger.position(OURS, 0) == 100
    desk.engine.break_trade(desk.ledger.trades[0], "E")
    (answer,) = desk.decode(desk.settle())
    has(answer, message_type="B", order_token=desk.key(1), match_number=1, reason="E")
    assert (desk.ledger.position(OURS, 0), desk.ledger.cash(OURS)) == (0, 0)


def test_orders_expire(desk: Desk) -> None:
    desk.server.set_time(10, 0)
    desk.enter(1, time_in_force=2)
    desk.enter(2, time_in_force=1)
    desk.cancel(2)
    assert desk.server.next_timer_ps == PS_PER_SECOND + 10
    desk.server.expire()
    assert desk.settle() == []
    assert desk.server.next_timer_ps == 2 * PS_PER_SECOND + 10
    desk.server.expire()
    (answer,) = desk.decode(desk.settle())
    has(answer, message_type="C", order_token=desk.key(1), decrement_shares=100, reason="T")
    assert desk.server.next_timer_ps is None


def test_trade_now_and_account_query(desk: Desk) -> None:
    desk.enter(7)
    if desk.version == "4.2":
        assert kinds(desk.say("N", order_token=7)) == "N"
        assert desk.say("N", order_token=8) == []
    else:
        (answer,) = desk.say("Q")
        has(answer, message_type="Q", next_user_ref_num=8)


def test_system_events(desk: Desk) -> None:
    desk.server.system_event("S")
    (answer,) = desk.decode(desk.settle())
    has(answer, message_type="S", event_code="S")


def test_appendages_are_optional_where_the_wire_has_none() -> None:
    """OUCH 5.0: a Cancel may come with an empty appendage or without; lengths must add up."""
    desk = Desk("5.0")
    for number, rest, answered in ((1, b"", 1), (2, b"\0\0", 1), (3, b"\0", 0), (4, b"\0\5", 0)):
        desk.enter(number)
        assert len(desk.raw(desk.build("X", order_token=number, shares=0) + rest)) == answered
    good = desk.build("O", order_token=9)
    for bad in (good[:-2] + b"\0\1", good[:-2] + b"\0\3\5\1\1", good[:-2] + b"\0\1\0"):
        assert desk.raw(bad) == []
    assert desk.server.counts["malformed"] == 5


@pytest.mark.parametrize("seed", [int(os.environ.get("TICKLOOP_TEST_SEED", "1"))])
def test_nothing_that_a_client_sends_raises(desk: Desk, seed: int) -> None:
    """Random bytes, cut and longer messages, and messages with random fields; what is wrong is counted."""
    print(f"repeat with: TICKLOOP_TEST_SEED={seed} pytest 'tests/exchange/test_ouch.py'")
    chance = Random(seed)
    for number in range(4_000):
        kind = chance.choice(list(desk.inbound))
        data = bytearray(desk.build(kind, order_token=number, existing_order_token=chance.randrange(number + 1),
                                    replacement_order_token=number, shares=chance.choice([0, 1, 100, 2**32 - 1]),
                                    price=chance.choice([0, 100, 9_000, 10_000, 10_100, MARKET_PRICE])))
        for _ in range(chance.choice([0, 0, 1, 3])):
            # Not the keys, at first: one very high number is the last that 5.0 takes.
            first = 9 if number < 3_000 and len(data) > 9 else 0
            data[chance.randrange(first, len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            data = data[:chance.randrange(len(data) + 1)] + chance.randbytes(chance.choice([0, 0, 5]))
        for answer in desk.raw(bytes(data)):
            assert_complete(answer, desk.outbound)
        if chance.random() < 0.2:
            desk.others(chance.choice([b"B", SELL]), 50, chance.choice([9_900, 10_000, 10_100]), True)
    assert desk.server.counts["malformed"] > 300
    assert len(desk.ledger.trades) > 30
    totals = desk.ledger.totals()
    assert (totals["positions"], totals["cash"]) == ({}, 0)


def assert_complete(answer: bytes, table: Table) -> None:
    fields = decode(answer, table)
    assert len(answer) == table[answer[:1].decode()].length + len(fields.get("appendage", b""))
    assert fields.get("appendage_length", 0) == len(fields.get("appendage", b""))
