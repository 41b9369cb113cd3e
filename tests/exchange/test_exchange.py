# SPDX-License-Identifier: MIT
"""The whole exchange, driven by a trading client made with scapy: orders, fills, broken links, bad input, the close.

What the client makes of the answers (positions, cash, ends of orders) must be what the exchange says at the end, and
what the feed shows of the client's orders must fit both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from generators.captures import write_pcap
from generators.exchange.config import PS_PER_MS, PS_PER_US, ExchangeConfig, Scripted
from generators.exchange.exchange import Exchange, Sent, make
from generators.tables import decode
from tests.exchange.trader import Trader, run

BOTH = pytest.mark.parametrize("version", ["4.2", "5.0"])
TCP_IPV4 = b"\x08\x00\x06"             # EtherType and protocol
READY_PS = 3 * PS_PER_MS               # books are filled


def key(trader: Trader, number: int) -> Any:
    return f"TICK{number:010}" if trader.config.ouch == "4.2" else number


def enter(trader: Trader, number: int, side: str, price: int, shares: int = 100, immediate: bool = False,
          stock: str = "TKAA") -> bytes:
    if trader.config.ouch == "4.2":
        return trader.message("O", order_token=key(trader, number), buy_sell_indicator=side, shares=shares, stock=stock,
                              price=price, time_in_force=0 if immediate else 99_998, firm="TICK", display="Y",
                              capacity="P", intermarket_sweep_eligibility="N", minimum_quantity=0, cross_type="N",
                              customer_type="N")
    return trader.message("O", user_ref_num=number, side=side, quantity=shares, symbol=stock, price=price,
                          time_in_force="3" if immediate else "0", display="Y", capacity="P",
                          intermarket_sweep_eligibility="N", cross_type="N", clordid="", appendage_length=0,
                          appendage=b"")


def replace(trader: Trader, existing: int, number: int, price: int, shares: int = 100) -> bytes:
    if trader.config.ouch == "4.2":
        return trader.message("U", existing_order_token=key(trader, existing), shares=shares, price=price,
                              replacement_order_token=key(trader, number), time_in_force=99_998, display="Y",
                              intermarket_sweep_eligibility="N", minimum_quantity=0)
    return trader.message("U", orig_user_ref_num=existing, user_ref_num=number, quantity=shares, price=price,
                          time_in_force="0", display="Y", intermarket_sweep_eligibility="N", clordid="",
                          appendage_length=0, appendage=b"")


def cancel(trader: Trader, number: int, shares: int = 0) -> bytes:
    if trader.config.ouch == "4.2":
        return trader.message("X", order_token=key(trader, number), shares=shares)
    return trader.message("X", user_ref_num=number, quantity=shares)


def put(trader: Trader, message: bytes) -> None:
    trader.soup("U", message=message)


IN_42 = {"user_ref_num": "order_token", "symbol": "stock", "side": "buy_sell_indicator"}


def account(trader: Trader) -> dict[str, Any]:
    """Positions, cash and ends of orders, from the answers alone."""
    positions: Counter[str] = Counter()
    cash, orders, trades = 0, {}, {}
    for answer in trader.answers:
        fields = {IN_42.get(name, name): value for name, value in answer.items()}
        kind = fields["message_type"]
        token = fields.get("replacement_order_token", fields.get("order_token"))
        if kind in "AU":
            dead = fields["order_state"] == "D"
            orders[token] = {"stock": fields["stock"], "side": fields["buy_sell_indicator"], "executed": 0,
                             "open": 0 if dead else fields.get("shares", fields.get("quantity")),
                             "end": "canceled" if dead else "open"}
            if kind == "U":
                orders[fields.get("previous_order_token", fields.get("orig_user_ref_num"))]["end"] = "replaced"
        elif kind == "E":
            shares, price = (fields.get("executed_shares", fields.get("quantity")),
                             fields.get("execution_price", fields.get("price")))
            order = orders[token]
            trades[fields["match_number"], token] = shares, price
            order["executed"] += shares
            order["open"] -= shares
            order["end"] = order["end"] if order["open"] else "executed"
            sign = 1 if order["side"] == "B" else -1
            positions[order["stock"]] += sign * shares
            cash -= sign * shares * price
        elif kind in "CD":
            order = orders[token]
            order["open"] -= fields["decrement_shares" if "decrement_shares" in fields else "quantity"]
            order["end"] = order["end"] if order["open"] else "canceled"
        elif kind == "M":
            orders[token] |= {"open": fields.get("shares", fields.get("quantity")),
                              "side": fields["buy_sell_indicator"]}
        elif kind == "J":
            orders[token] = {"executed": 0, "end": "rejected"}
        elif kind == "F":
            shares, before = trades[fields["match_number"], token]
            price = fields.get("execution_price", fields.get("price"))
            trades[fields["match_number"], token] = shares, price
            cash -= (1 if orders[token]["side"] == "B" else -1) * shares * (price - before)
        elif kind == "B":
            shares, price = trades.pop((fields["match_number"], token))
            sign = 1 if orders[token]["side"] == "B" else -1
            positions[orders[token]["stock"]] -= sign * shares
            cash += sign * shares * price
    return {"positions": {stock: shares for stock, shares in positions.items() if shares}, "cash": cash,
            "orders": {token: (order["executed"], order["end"]) for token, order in orders.items()}}


def assert_agreed(exchange: Exchange, trader: Trader) -> dict[str, Any]:
    state = exchange.state()
    ours = account(trader)
    assert ours["positions"] == state["client"]["positions"]
    assert ours["cash"] == state["client"]["cash"]
    assert ours["orders"] == {order["key"]: (order["executed"], order["end"]) for order in state["client"]["orders"]}
    assert all(order["open"] == 0 and order["end"] != "open" for order in state["client"]["orders"])
    assert state["totals"]["positions"] == {}
    assert state["totals"]["cash"] == 0
    assert state["totals"]["orders"]["open"] == 0
    assert sum(state["totals"]["orders"].values()) == len(exchange.ledger.orders)
    assert trader.raw_answers == exchange.soup.sequenced
    assert trader.market == dict(enumerate(exchange.publisher.messages, 1))
    assert state["finished"]
    return state


def trade(chance: Random) -> Callable[[Trader], None]:
    """Random orders, replaces and cancels around the first symbol's market, one after the other."""
    numbers = iter(range(1, 10_000))
    known: list[int] = []

    def act(trader: Trader) -> None:
        price = 100 * (MIDDLE[trader.config.seed] + chance.randrange(-4, 5))
        draw = chance.random()
        if draw < 0.6 or not known:
            known.append(next(numbers))
            put(trader, enter(trader, known[-1], chance.choice("BST"), price, chance.choice([100, 300, 700]),
                              chance.random() < 0.25))
        elif draw < 0.85:
            existing, number = chance.choice(known[-8:]), next(numbers)
            known.append(number)
            put(trader, replace(trader, existing, number, price, chance.choice([100, 500])))
        else:
            put(trader, cancel(trader, chance.choice(known[-8:]), chance.choice([0, 0, 50])))

    return act


def middle(seed: int) -> int:
    """Fair value of the first symbol at the start, in cents."""
    return Exchange(ExchangeConfig(seed=seed)).flow._markets[0].base


MIDDLE = {seed: middle(seed) for seed in (1, 2, 3)}


@BOTH
@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_of_trading(version: str, seed: int) -> None:
    print(f"repeat with: pytest 'tests/exchange/test_exchange.py' -k 'day_of_trading and {version} and {seed}'")
    config = ExchangeConfig(seed=seed, messages=6_000, symbols=2, ouch=version)
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    act = trade(Random(seed))
    run(exchange, trader, [(READY_PS + n * 40 * PS_PER_US, act) for n in range(150)])
    state = assert_agreed(exchange, trader)
    ends = state["client"]["ends"]
    assert all(ends.get(end, 0) > 2 for end in ("executed", "canceled", "replaced")), ends
    assert trader.soup_kinds[0] == "A"
    assert trader.soup_kinds[-1] == "Z"
    assert [answer["event_code"] for answer in trader.answers if answer["message_type"] == "S"] == ["S", "E"]
    assert state["frames"]["orderly_close"] == 1
    assert trader.closed
    assert_the_feed_shows(exchange, trader)


def assert_the_feed_shows(exchange: Exchange, trader: Trader) -> None:
    """Each of our displayed orders that rested, and each execution of one, is in the feed, at its price."""
    feed = [decode(message) for message in exchange.publisher.messages]
    entered = {fields.get("new_order_reference_number", fields.get("order_reference_number")): fields for fields in feed
               if fields["message_type"] in "AFU"}
    matches = {fields["match_number"]: fields for fields in feed if fields["message_type"] in "ECP"}
    added = [answer for answer in trader.answers if answer["message_type"] in "AU"]
    shown = 0
    for answer in added:
        fields = entered.get(answer["order_reference_number"])
        if fields is not None:
            shown += 1
            assert fields["price"] == answer["price"]
    executions = [answer for answer in trader.answers if answer["message_type"] == "E"]
    assert shown > len(added) // 3
    assert executions
    for answer in executions:
        fields = matches[answer["match_number"]]
        assert fields.get("executed_shares", fields.get("shares")) == answer.get("executed_shares",
                                                                                 answer.get("quantity"))


def test_answers_come_a_latency_after_the_last_byte() -> None:
    for latency_ps in (5 * PS_PER_US, 123_456):
        config = ExchangeConfig(messages=800, latency_ps=latency_ps)
        exchange, trader = Exchange(config), Trader(config)
        times = []
        trader.on_answer = lambda trader, answer: times.append(trader.now_ps)  # noqa: B023
        trader.connect(0)
        at_ps = 1_500 * PS_PER_US + 17
        run(exchange, trader, [(PS_PER_MS, lambda trader: trader.soup(
            "U", 1_500 * PS_PER_US + 17, message=enter(trader, 1, "B", 100_000)))])
        assert times[1] == at_ps + latency_ps
        accepted = next(answer for answer in trader.answers if answer["message_type"] == "A")
        assert accepted["timestamp"] == config.start_ns + (at_ps + latency_ps) // 1_000
        (added,) = [fields for fields in map(decode, exchange.publisher.messages)
                    if fields.get("order_reference_number") == accepted["order_reference_number"]
                    and fields["message_type"] == "A"]
        assert added["timestamp"] == accepted["timestamp"], "market data and answers tell the same moment"


@BOTH
def test_a_link_that_dies_in_mid_order_and_a_login_at_the_next_message(version: str) -> None:
    """Orders sent before, while and after the reset: what the exchange took it took; the replay tells which."""
    config = ExchangeConfig(messages=5_000, symbols=1, ouch=version, script=(Scripted(4 * PS_PER_MS, "drop_link"),))
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)

    def half(trader: Trader) -> None:
        whole = len(enter(trader, 3, "B", 100_000)) + 1
        trader.send(whole.to_bytes(2, "big") + b"U" + enter(trader, 3, "B", 100_000)[:20])

    run(exchange, trader, [
        (READY_PS, lambda trader: put(trader, enter(trader, 1, "B", 100_000))),
        (4 * PS_PER_MS - 8 * PS_PER_US, lambda trader: put(trader, enter(trader, 2, "B", 100_000))),
        (4 * PS_PER_MS - 7 * PS_PER_US, half),
        (5 * PS_PER_MS, lambda trader: trader.reconnect()),
        (6 * PS_PER_MS, lambda trader: put(trader, enter(trader, 2, "B", 100_000))),
        (6 * PS_PER_MS, lambda trader: put(trader, enter(trader, 4, "B", 100_000))),
    ])
    state = assert_agreed(exchange, trader)
    assert state["logins"] == 2
    assert [order["key"] for order in state["client"]["orders"]] == [key(trader, number) for number in (1, 2, 4)]
    assert state["ouch"]["repeated_key"] == 1
    assert Counter(trader.soup_kinds)["A"] == 2


def test_answers_given_while_nobody_is_connected_are_replayed() -> None:
    config = ExchangeConfig(messages=3_000, symbols=1, script=(Scripted(3 * PS_PER_MS, "drop_link"),))
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    price = 100 * (MIDDLE[1] + 1)

    def asks(trader: Trader) -> None:
        for number in range(1, 6):
            put(trader, enter(trader, number, "B", price, 100))

    run(exchange, trader, [(3 * PS_PER_MS - 20 * PS_PER_US, asks),
                           (5 * PS_PER_MS, lambda trader: trader.reconnect())])
    assert_agreed(exchange, trader)


@BOTH
def test_orders_over_a_link_that_loses_repeats_and_delays(version: str) -> None:
    """TCP makes up for it: nothing is lost, nothing counted twice, and the session ends in order."""
    config = ExchangeConfig(messages=12_000, symbols=1, ouch=version, order_loss_ppm=20_000, order_duplicate_ppm=50_000,
                            order_late_ppm=50_000, longest_linger_ps=400 * PS_PER_MS)
    exchange, trader = Exchange(config), Trader(config, resends=True)
    trader.connect(0)
    act = trade(Random(4))
    run(exchange, trader, [(READY_PS + n * 150 * PS_PER_US, act) for n in range(100)])
    state = assert_agreed(exchange, trader)
    for way in state["order_wire"].values():
        assert min(way.values()) > 0
    assert sum(state["client"]["ends"].values()) > 50


def test_a_link_that_is_cut_and_mended_goes_on() -> None:
    config = ExchangeConfig(messages=8_000, symbols=1, script=(
        Scripted(4 * PS_PER_MS, "cut_link"), Scripted(6 * PS_PER_MS, "mend_link")))
    exchange, trader = Exchange(config), Trader(config, resends=True)
    trader.connect(0)
    act = trade(Random(4))
    run(exchange, trader, [(READY_PS + n * 100 * PS_PER_US, act) for n in range(60)])
    state = assert_agreed(exchange, trader)
    assert state["logins"] == 1
    assert state["order_wire"]["from_client"]["lost"] > 10


@BOTH
def test_self_trades_are_prevented_where_asked(version: str) -> None:
    config = ExchangeConfig(messages=3_000, symbols=1, ouch=version, prevent_self_trades=True)
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    price = 100 * (MIDDLE[1] + 5_000)      # behind everybody else, so that only a sweep meets it
    run(exchange, trader, [(2 * PS_PER_MS, lambda trader: put(trader, enter(trader, 1, "S", price, 300))),
                           (3 * PS_PER_MS, lambda trader: put(trader, enter(trader, 2, "B", price, 999_999, True)))])
    assert_agreed(exchange, trader)
    (prevented,) = [answer for answer in trader.answers if answer["message_type"] == "D"]
    assert (prevented["decrement_shares"], prevented["quantity_prevented_from_trading"]) == (300, 300)
    assert (prevented["reason"], prevented["execution_price"]) == ("Q", price)


@BOTH
def test_a_corrected_trade_moves_cash(version: str) -> None:
    script = (Scripted(4 * PS_PER_MS, "correct", "TKAA"),)
    config = ExchangeConfig(messages=3_000, symbols=1, ouch=version, script=script)
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    run(exchange, trader, [(3 * PS_PER_MS, lambda trader: put(trader, enter(trader, 1, "B", 100 * (MIDDLE[1] + 500))))])
    assert_agreed(exchange, trader)
    executed = [answer for answer in trader.answers if answer["message_type"] == "E"][-1]
    (corrected,) = [answer for answer in trader.answers if answer["message_type"] == "F"]
    assert corrected["match_number"] == executed["match_number"]
    name = "execution_price" if version == "4.2" else "price"
    assert corrected[name] == executed[name] + 100


@pytest.mark.parametrize("stream", [
    b"\x00\x00", b"\xff\xffU" + b"x" * 200, b"\x00\x05?????", b"\x00\x02UO", b"\x00\x01L", b"\x00\x10S" + b"y" * 15,
])
def test_malformed_soup_is_cut_off_or_counted_and_the_exchange_goes_on(stream: bytes) -> None:
    config = ExchangeConfig(messages=4_000, symbols=1)
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    run(exchange, trader, [
        (2 * PS_PER_MS, lambda trader: put(trader, enter(trader, 1, "B", 100_000))),
        (2 * PS_PER_MS + 50 * PS_PER_US, lambda trader: trader.send(stream)),
        (3 * PS_PER_MS, lambda trader: trader.reconnect()),
        (4 * PS_PER_MS, lambda trader: put(trader, enter(trader, 2, "B", 100_000))),
    ])
    state = assert_agreed(exchange, trader)
    assert state["logins"] == 2
    assert len(state["client"]["orders"]) == 2


def test_malformed_ouch_is_counted_and_not_answered() -> None:
    config = ExchangeConfig(messages=4_000, symbols=1)
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    bad = [b"", b"O", b"?" * 49, b"O" * 48, b"X" * 20, bytes(200)]

    def send_bad(trader: Trader) -> None:
        for message in bad:
            put(trader, message)

    run(exchange, trader, [(2 * PS_PER_MS, send_bad),
                           (3 * PS_PER_MS, lambda trader: put(trader, enter(trader, 1, "B", 100_000)))])
    state = assert_agreed(exchange, trader)
    assert state["ouch"]["malformed"] == len(bad)
    assert [order["key"] for order in state["client"]["orders"]] == [key(trader, 1)]


@pytest.mark.parametrize("seed", [int(os.environ.get("TICKLOOP_TEST_SEED", "1"))])
def test_damaged_frames_never_raise(seed: int) -> None:
    print(f"repeat with: TICKLOOP_TEST_SEED={seed} pytest 'tests/exchange/test_exchange.py'")
    chance = Random(seed)
    config = ExchangeConfig(messages=2_000, symbols=1)
    exchange, trader = Exchange(config), Trader(config)
    trader.take_answer = lambda packet, frame: None  # type: ignore[method-assign]
    trader.connect(0)

    def damage(trader: Trader) -> None:
        put(trader, enter(trader, chance.randrange(1, 50), "B", 100_000))
        trader.request(chance.randrange(100), 5)
        for sent in list(trader.sent):
            frame = bytearray(sent.frame)
            for _ in range(chance.randrange(1, 4)):
                frame[chance.randrange(len(frame))] = chance.randrange(256)
            trader.sent.append(Sent(sent.time_ps, bytes(frame[:chance.choice([len(frame), chance.randrange(80)])])))
        trader.emit(chance.randbytes(chance.randrange(120)))

    run(exchange, trader, [(2 * PS_PER_MS + n * 50 * PS_PER_US, damage) for n in range(60)])
    state = exchange.state()
    assert state["finished"]
    assert state["totals"]["orders"]["open"] == 0
    assert state["frames"]["unknown"] > 10


def test_scripted_events_reach_the_client() -> None:
    price = 100_000
    script = (Scripted(4 * PS_PER_MS, "halt", "TKAA"), Scripted(5 * PS_PER_MS, "resume", "TKAA"),
              Scripted(6 * PS_PER_MS, "hold_cancels"), Scripted(7 * PS_PER_MS, "release_cancels"),
              Scripted(8 * PS_PER_MS, "refuse_cancels"), Scripted(9 * PS_PER_MS, "release_cancels"),
              Scripted(10 * PS_PER_MS, "reprice", "TKAA"), Scripted(11 * PS_PER_MS, "break", "TKAA"),
              Scripted(11 * PS_PER_MS + 1, "break", "TKAB"))
    config = ExchangeConfig(messages=12_000, symbols=2, script=script)
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    half_ms = PS_PER_MS // 2
    run(exchange, trader, [
        (READY_PS, lambda trader: put(trader, enter(trader, 1, "B", price))),
        (READY_PS, lambda trader: put(trader, enter(trader, 2, "B", price))),
        (READY_PS, lambda trader: put(trader, enter(trader, 3, "B", price))),
        (READY_PS, lambda trader: put(trader, enter(trader, 4, "B", 100 * (MIDDLE[1] + 500), 100))),
        (4 * PS_PER_MS + half_ms, lambda trader: put(trader, enter(trader, 5, "B", price))),
        (6 * PS_PER_MS + half_ms, lambda trader: put(trader, cancel(trader, 1))),
        (8 * PS_PER_MS + half_ms, lambda trader: put(trader, cancel(trader, 2))),
    ])
    state = assert_agreed(exchange, trader)
    ours = [answer for answer in trader.answers if answer["message_type"] in "JPCITB"]
    assert [(answer["message_type"], answer["order_token"][-1]) for answer in ours[:6]] == [
        ("J", "5"), ("P", "1"), ("C", "1"), ("I", "2"), ("T", "2"), ("B", "4")]
    assert state["frames"]["nothing_to_break"] == 1
    assert any(message[:1] == b"B" for message in exchange.publisher.messages)
    assert state["totals"]["broken"] == 1


@pytest.mark.parametrize(("state", "side", "price"), [("halted", "B", 100_000), ("trading", "B", 100)])
def test_what_cannot_be_repriced_is_counted(state: str, side: str, price: int) -> None:
    halt = (Scripted(4 * PS_PER_MS, "halt", "TKAA"), Scripted(6 * PS_PER_MS, "resume", "TKAA"))
    config = ExchangeConfig(messages=5_000, symbols=1, script=(
        *(halt if state == "halted" else ()), Scripted(5 * PS_PER_MS, "reprice", "TKAA")))
    exchange, trader = Exchange(config), Trader(config)
    trader.connect(0)
    run(exchange, trader, [(READY_PS, lambda trader: put(trader, enter(trader, 1, side, price)))])
    assert assert_agreed(exchange, trader)["frames"]["nothing_to_reprice"] == 1
    assert [answer["message_type"] for answer in trader.answers if answer["message_type"] in "AT"] == ["A"]


@pytest.mark.parametrize("resumes", [False, True])
def test_a_market_that_is_halted_for_good_closes(resumes: bool) -> None:
    halts = tuple(Scripted(4 * PS_PER_MS, "halt", stock) for stock in ("TKAA", "TKAB"))
    back = (Scripted(8 * PS_PER_MS, "resume", "TKAB"),) if resumes else ()
    exchange = Exchange(ExchangeConfig(messages=8_000, symbols=2, script=halts + back))
    run(exchange, Trader(exchange.config), limit=60_000)
    state = exchange.state()
    assert state["finished"]
    assert state["totals"]["orders"]["open"] == 0
    assert (state["published"] > 7_900) is resumes, "trading goes on where it may"


def test_nobody_connects_and_the_day_ends_all_the_same() -> None:
    exchange = Exchange(ExchangeConfig(messages=500))
    step, calls = exchange.start(), 0
    while not step.finished:
        assert step.next_ps is not None
        step, calls = exchange.advance(step.next_ps + 1, []), calls + 1
    assert exchange.state()["totals"]["orders"]["open"] == 0
    assert step.next_ps is None
    assert exchange.advance(10**18, []).frames == []


def test_the_budget_bounds_what_is_published() -> None:
    for messages in (10, 100, 1_000, 5_000):
        exchange = Exchange(ExchangeConfig(messages=messages, symbols=2))
        run(exchange, Trader(exchange.config))
        published = len(exchange.publisher.messages)
        assert published <= max(messages, 10) + 50, "a burst may go beyond it"
        assert published > messages - 50


def everything(exchange: Exchange, sent: list[Sent], cut: Callable[[int, int], int]) -> list[Any]:
    """All frames, with the time cut into calls as `cut` says from the next event and the latency."""
    frames: list[Any] = []
    step, left, done_ps = exchange.start(), list(sent), 0
    while not step.finished:
        until_ps = max(done_ps + 1, cut(step.next_ps, exchange.config.latency_ps))
        handed = [item for item in left if item.time_ps + exchange.config.latency_ps < until_ps]
        left = left[len(handed):]
        step = exchange.advance(until_ps, handed)
        assert all(done_ps <= frame.time_ps < until_ps for frame in step.frames)
        done_ps = until_ps
        frames += step.frames
    return frames


@BOTH
def test_the_same_input_gives_the_same_bytes_however_time_is_cut(version: str) -> None:
    config = ExchangeConfig(messages=2_500, symbols=2, ouch=version, loss_a_ppm=50_000)
    trader, recorded = Trader(config), []
    exchange = Exchange(config)
    plain = exchange.advance

    def record(until_ps: int, sent: list[Sent]) -> Any:
        recorded.extend(sent)
        return plain(until_ps, sent)

    exchange.advance = record  # type: ignore[method-assign, assignment]
    trader.connect(0)
    act = trade(Random(1))
    run(exchange, trader, [(READY_PS + n * 50 * PS_PER_US, act) for n in range(60)])
    assert len(recorded) > 100
    cuts = [lambda event_ps, latency_ps: event_ps + latency_ps, lambda event_ps, _: event_ps + 1,
            lambda event_ps, _: event_ps + 3 * PS_PER_MS]
    runs = [everything(Exchange(config), recorded, cut) for cut in cuts]
    assert runs[0] == runs[1] == runs[2]
    assert everything(Exchange(ExchangeConfig(seed=2, messages=2_500)), recorded, cuts[0]) != runs[0]


DIGEST_PROGRAM = """
import hashlib
from generators.exchange.config import ExchangeConfig
from generators.exchange.exchange import Exchange
exchange = Exchange(ExchangeConfig(seed=3, messages=3_000, symbols=5, loss_b_ppm=10_000))
step, digest = exchange.start(), hashlib.sha256()
while not step.finished:
    step = exchange.advance(step.next_ps + 5_000_000, [])
    for frame in step.frames:
        digest.update(frame.time_ps.to_bytes(8, "big") + bytes([frame.line]) + frame.frame)
print(digest.hexdigest())
"""
# These bytes are promised to be the same on any machine and Python; they change only together with the exchange.
DIGEST = "e2c4f7340293d959b325ced56a7b56a53ac70fc249945617fdda75999aad6e48"


def test_same_bytes_in_every_process() -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        result = subprocess.run([sys.executable, "-c", DIGEST_PROGRAM], env=environment, check=True,
                                capture_output=True, text=True)
        digests.add(result.stdout.strip())
    assert digests == {DIGEST}


def test_tshark_reads_the_session(tmp_path: Path, tshark: Callable[..., list[list[str]]]) -> None:
    """OUCH 4.2 in both directions over SoupBinTCP: types and fields are those that tshark finds."""
    config = ExchangeConfig(messages=4_000, symbols=1, script=(
        Scripted(4 * PS_PER_MS, "hold_cancels"), Scripted(5 * PS_PER_MS, "release_cancels"),
        Scripted(6 * PS_PER_MS, "reprice", "TKAA")))
    exchange, trader = Exchange(config), Trader(config)
    frames: list[tuple[int, bytes]] = []
    plain = exchange.advance

    def record(until_ps: int, sent: list[Sent]) -> Any:
        frames.extend((item.time_ps, item.frame) for item in sent)
        step = plain(until_ps, sent)
        frames.extend((frame.time_ps, frame.frame) for frame in step.frames)
        return step

    exchange.advance = record  # type: ignore[method-assign, assignment]
    trader.connect(0)
    act = trade(Random(5))
    run(exchange, trader, [
        (READY_PS - 10, lambda trader: put(trader, enter(trader, 5_000, "B", 100_000))),
        *[(READY_PS + n * 40 * PS_PER_US, act) for n in range(100)],
        (4 * PS_PER_MS + PS_PER_MS // 2, lambda trader: put(trader, cancel(trader, 5_000))),
        (READY_PS + 5, lambda trader: put(trader, enter(trader, 5_001, "B", 0))),
        (READY_PS + 6, lambda trader: put(trader, trader.message("M", order_token=key(trader, 5_000), shares=50,
                                                                 buy_sell_indicator="B")))])
    assert_agreed(exchange, trader)
    path = tmp_path / "session.pcap"
    frames.sort(key=lambda item: item[0])
    write_pcap(path, [(time_ps // 1_000, frame) for time_ps, frame in frames
                      if frame[12:14] + frame[23:24] == TCP_IPV4])
    numbers = ("executed_shares", "match_number", "decrement_shares")
    rows = tshark(path, "tcp.srcport", "_ws.malformed", "ouch.packet_type", *(f"ouch.{name}" for name in numbers),
                  decode_as=f"tcp.port=={config.port},soupbintcp")
    assert not any(row[1] for row in rows)
    theirs = {"S": [], "U": []}
    for row in rows:
        theirs["S" if row[0] == str(config.port) else "U"] += [kind for kind in row[2].split(",") if kind]
    ours = [chr(answer[0]) for answer in exchange.soup.sequenced]
    assert [type_of(kind) for kind in theirs["S"]] == ours
    assert set(ours) >= set("SAUCEJMPT")
    for column, name in enumerate(numbers, 3):
        found = [int(value) for row in rows for value in row[column].split(",") if value]
        assert found == [answer[name] for answer in trader.answers if name in answer]
        assert found
    sent = Counter(type_of(kind) for kind in theirs["U"])
    assert set(sent) == set("OUXM")


def type_of(kind: str) -> str:
    """tshark shows a character in quotes, or as a number in hexadecimal."""
    return chr(int(kind, 0)) if kind[:2] == "0x" else kind.strip("'")


def test_wrong_configurations_are_refused() -> None:
    for change in ({"symbols": 0}, {"symbols": 8_001}, {"ouch": "4.1"}, {"latency_ps": 0}, {"messages": 0}):
        with pytest.raises(ValueError, match=r"symbols|OUCH|positive"):
            ExchangeConfig(**change)  # type: ignore[arg-type]


def test_an_exchange_from_plain_values() -> None:
    exchange = make(seed=7, symbols=3, ouch="5.0", script=[(5, "halt", "TKAC")])
    assert exchange.config == ExchangeConfig(seed=7, symbols=3, ouch="5.0", script=(Scripted(5, "halt", "TKAC"),))
    assert exchange.latency_ps == exchange.config.latency_ps
