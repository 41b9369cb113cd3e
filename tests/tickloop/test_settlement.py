# SPDX-License-Identifier: MIT
"""The ledger made of answers alone, read from frames, against the exchange's own; what a run must not get away with."""

from collections import Counter
from random import Random

import pytest

from bridge.interface import RawFrame
from bridge.layout import DropReason
from generators.exchange.config import PS_PER_MS, PS_PER_US, ExchangeConfig, Scripted
from generators.exchange.exchange import Exchange
from generators.tables import OUCH42_OUTBOUND, OUCH50_OUTBOUND, decode
from tb.model.answers import KINDS, answer_of, token_number
from tb.model.config import KernelConfig
from tests.exchange.test_exchange import READY_PS, trade
from tests.exchange.trader import Trader, run
from tickloop.own_orders import ledger_of
from tickloop.rundir.answers import sequenced_messages
from tickloop.rundir.books import Export
from tickloop.settlement import check_ends, check_positions


class Recorded(Trader):
    """Keeps what a run would record: frames of the raw ring, and the orders sent for the first time."""

    def __init__(self, config, **options):
        super().__init__(config, **options)
        self.frames, self.orders = [], []

    def take(self, injected):
        if injected.frame[:3] != b"\x01\x00\x5e":
            self.frames.append(RawFrame(injected.line, 0, DropReason.NOT_UDP, injected.frame))
        super().take(injected)

    def soup(self, kind, at_ps=None, **fields):
        if kind == "U":
            order = decode(fields["message"], self.inbound)
            self.orders.append({"type": order["message_type"], "fields": order})
        super().soup(kind, at_ps, **fields)


def day(version="4.2", seed=1, script=(), actions=(), resends=False, **options):
    """A day with a client that trades at random; (its frames' messages and orders, the ledger, the exchange)."""
    config = ExchangeConfig(seed=seed, messages=5_000, symbols=2, ouch=version, script=script, **options)
    exchange, client = Exchange(config), Recorded(config, resends=resends)
    client.connect(0)
    act = trade(Random(seed))
    run(exchange, client, [*((READY_PS + n * 40 * PS_PER_US, act) for n in range(120)), *actions])
    kernel = KernelConfig(ouch_version=version)
    messages, problems = sequenced_messages(client.frames, kernel)
    assert problems == []
    return client, messages, ledger_of(messages, version), exchange.state()


def export_of(ledger, **statistics):
    """What a kernel would hand out that agrees."""
    return Export({"open_orders": 0, **statistics}, positions=[
        {"stock": stock.ljust(8), "position": shares, "cash": ledger.cash[stock]}
        for stock, shares in ledger.positions.items()])


@pytest.mark.parametrize("version", ["4.2", "5.0"])
def test_three_ledgers_agree(version):
    client, messages, ledger, state = day(version)
    assert messages == client.raw_answers
    assert ledger.problems == []
    assert ledger.executions > 5
    positions = check_positions(ledger, export_of(ledger), state)
    assert all(comparison.ok for comparison in positions), positions
    ends = check_ends(ledger, client.orders, export_of(ledger), state)
    assert ends.ok, ends.differences
    assert ends.compared == sum(order["type"] in "OU" for order in client.orders) > 50
    assert len(Counter(order.end for order in ledger.orders.values())) > 2


def test_messages_are_found_on_a_wire_that_loses_repeats_and_delays():
    client, messages, ledger, state = day(
        resends=True, order_loss_ppm=30_000, order_duplicate_ppm=30_000, order_late_ppm=30_000)
    assert messages == client.raw_answers
    assert check_ends(ledger, client.orders, export_of(ledger), state).ok


def test_messages_are_found_over_two_connections():
    again = (6 * PS_PER_MS, lambda client: client.reconnect())
    client, messages, ledger, state = day(script=(Scripted(5 * PS_PER_MS, "drop_link"),), actions=(again,))
    assert messages == client.raw_answers
    assert client.soup_kinds.count("A") == 2
    assert all(comparison.ok for comparison in check_positions(ledger, export_of(ledger), state))


def test_a_session_joined_at_what_is_new_begins_at_the_logins_number():
    """Requested number 0: the start of the day has passed; a second login goes on behind what was taken."""
    config = ExchangeConfig(messages=5_000, symbols=2, script=(Scripted(5 * PS_PER_MS, "drop_link"),))
    exchange, client = Exchange(config), Recorded(config)
    client.next_soup = 0
    client.connect(0)
    act = trade(Random(1))
    run(exchange, client, [(6 * PS_PER_MS, lambda client: client.reconnect()),
                           *((READY_PS + n * 40 * PS_PER_US, act) for n in range(50))])
    messages, problems = sequenced_messages(client.frames, KernelConfig())
    assert problems == []
    assert messages == client.raw_answers == exchange.soup.sequenced[1:]


def test_a_broken_and_a_corrected_trade_count():
    script = (Scripted(6 * PS_PER_MS, "correct", "TKAA"), Scripted(7 * PS_PER_MS, "break", "TKAA"))
    _, messages, ledger, state = day(script=script)
    kinds = {chr(message[0]) for message in messages}
    assert {"B", "F"} <= kinds
    assert all(comparison.ok for comparison in check_positions(ledger, export_of(ledger), state))


@pytest.fixture(scope="module")
def agreed():
    return day()


def test_a_position_that_differs_is_seen(agreed):
    _, _, ledger, state = agreed
    export = export_of(ledger)
    export.positions[0]["cash"] += 1
    assert not check_positions(ledger, export, state)[0].ok
    client = {**state["client"], "cash": state["client"]["cash"] - 1}
    assert not check_positions(ledger, export_of(ledger), {**state, "client": client})[1].ok


@pytest.mark.parametrize("fault", ["open in the kernel", "sent twice", "no end", "another end", "never left"])
def test_an_order_without_exactly_one_end_is_seen(agreed, fault):
    client, messages, ledger, state = agreed
    orders, export = list(client.orders), export_of(ledger)
    match fault:
        case "open in the kernel":
            export = export_of(ledger, open_orders=1)
        case "sent twice":
            orders.append(next(order for order in orders if order["type"] == "O"))
        case "no end":
            last = max(number for number, message in enumerate(messages) if message[:1] in b"CE")
            ledger = ledger_of([*messages[:last], *messages[last + 1:]], "4.2")
        case "another end":
            entries = [{**order, "end": "rejected"} for order in state["client"]["orders"]]
            state = {**state, "client": {**state["client"], "orders": entries}}
        case "never left":
            orders.pop(next(index for index, order in enumerate(orders) if order["type"] == "O"))
    assert not check_ends(ledger, orders, export, state).ok


def test_an_answer_behind_the_end_is_seen(agreed):
    _, messages, _, _ = agreed
    last = next(message for message in reversed(messages) if message[:1] == b"C")
    assert ledger_of([*messages, last], "4.2").problems


def test_answers_as_the_kernel_must_read_them():
    config = KernelConfig()
    assert token_number("TICK0000000012", config) == 12
    assert [token_number(token, config) for token in ("TOCK0000000012", "TICK00000000x2", "TICK9999999999", "")] \
        == [0, 0, 0, 0]
    _, messages, _, _ = day()
    answers = [answer_of(message, config) for message in messages]
    assert {answer.kind for answer in answers} >= {"system_event", "accepted", "replaced", "canceled", "executed"}
    assert all(answer.number for answer in answers if answer.kind != "system_event")
    assert all(answer.original for answer in answers if answer.kind == "replaced")
    assert answer_of(b"?", config).kind == answer_of(messages[1][:-1], config).kind == "malformed"
    for version, table in (("4.2", OUCH42_OUTBOUND), ("5.0", OUCH50_OUTBOUND)):
        assert set(table) <= set(KINDS), version
