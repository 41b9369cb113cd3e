# SPDX-License-Identifier: MIT
"""No order over a limit gets as far as the TX ring: every order of random days, most of a strategy that wants the
impossible, is checked again against the limits by a ledger that knows neither the kernel nor its model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from generators.tables import ITCH50, decode
from tb.model.config import KernelConfig, RiskConfig, SymbolConfig
from tb.model.intent import Answer, Intent
from tb.model.packet import MessageResult
from tests.core.trading import STOCKS, Day, random_config
from tests.firmware.core_harness import Core

SEEDS = range(60)
LAST_PRICE = 1_999_999_900  # OUCH 4.2: 199,999.9900


@dataclass
class Own:
    """An own order as far as its answers tell."""

    locate: int
    buys: bool
    shares: int
    price: int
    replaces: int = 0
    accepted: bool = False


@dataclass
class Ledger:
    """Own orders and positions by what was sent and answered, trading states by what the feed said."""

    risk: RiskConfig
    answers: bool
    open: dict[int, Own] = field(default_factory=dict)
    position: dict[int, int] = field(default_factory=dict)
    trades: dict[int, tuple[int, int]] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)
    operational: dict[int, str] = field(default_factory=dict)
    restricted: set[int] = field(default_factory=set)
    collars: dict[int, tuple[int, int]] = field(default_factory=dict)
    released: set[int] | None = None  # since the market-wide halt
    killed: bool = False
    up: bool = True
    checked: int = 0

    def worst(self, locate: int) -> int:
        held = self.position.get(locate, 0)
        buying, selling = (sum(o.shares for o in self.open.values() if o.locate == locate and o.buys is buys)
                           for buys in (True, False))
        return max(held + buying, selling - held)

    def sent(self, intent: Intent, bid: int, ask: int, now_ns: int) -> None:
        if intent.kind == "cancel":
            assert self.up
            return
        if intent.kind == "modify":
            assert self.up
            assert 0 < intent.shares - self.executed_of(intent.original) <= self.open[intent.original].shares
            return
        self.checked += 1
        locate, risk = intent.stock_locate, self.risk
        buys = intent.side == "B"
        original = self.open.get(intent.original)
        wanted = intent.shares
        if intent.kind == "replace" and original is not None:
            assert (original.locate, original.buys) == (locate, buys)
            wanted -= self.executed_of(intent.original)
        assert not self.killed
        assert self.up
        assert self.released is None or locate in self.released
        assert self.states.get(locate, "T") == "T"
        assert self.operational.get(locate, "T") == "T"
        assert 0 < intent.price <= LAST_PRICE
        assert intent.side in ("B", "S", "T")
        assert 0 < intent.shares < 1_000_000
        assert not risk.order_shares or wanted <= risk.order_shares
        assert not risk.order_notional or wanted * intent.price <= risk.order_notional
        if risk.collar_bp:
            reference = (ask or bid) if buys else (bid or ask)
            assert reference
            assert abs(intent.price - reference) / reference <= risk.collar_bp / 10_000 + 1e-12
        low, high = self.collars.get(locate, (0, 0))
        assert not high or low <= intent.price <= high
        if intent.side == "T":
            assert risk.short_selling
            assert locate not in self.restricted or intent.price > bid
        self.rate(now_ns)
        if not self.answers:
            return
        if risk.prevent_self_trade:
            for order in self.open.values():
                if order.locate == locate and order.buys is not buys:
                    assert intent.price < order.price if buys else intent.price > order.price
        # What the exchange may hold of a replaced order and its replacement is one of them, never both.
        hidden = self.open.pop(intent.original, None) if intent.kind == "replace" else None
        self.open[intent.number] = Own(locate, buys, wanted, intent.price, intent.original)
        assert not risk.position or not buys or self.held(locate) + self.side(locate, True) <= risk.position
        assert not risk.position or buys or self.side(locate, False) - self.held(locate) <= risk.position
        assert not risk.total_position or sum(map(self.worst, range(1, len(STOCKS) + 1))) <= risk.total_position
        if intent.side == "S":
            assert self.side(locate, False) <= self.held(locate)
        if hidden is not None:
            self.open[intent.original] = hidden
        else:
            assert not risk.open_orders or len(self.open) <= risk.open_orders

    def held(self, locate: int) -> int:
        return self.position.get(locate, 0)

    def side(self, locate: int, buys: bool) -> int:
        return sum(order.shares for order in self.open.values() if order.locate == locate and order.buys is buys)

    def rate(self, now_ns: int) -> None:
        """In no stretch of time more than the bucket holds and what came into it meanwhile."""
        if not self.risk.rate_interval_ns:
            return
        self.times.append(now_ns)
        for count, begin in enumerate(reversed(self.times), 1):
            assert count <= self.risk.rate_burst + (now_ns - begin) // self.risk.rate_interval_ns

    executed: dict[int, int] = field(default_factory=dict)

    def executed_of(self, number: int) -> int:
        return self.executed.get(number, 0)

    def gone(self, number: int) -> None:
        """An order is over; so is a replacement of it that has not been taken."""
        self.open.pop(number, None)
        for other in [n for n, order in self.open.items() if order.replaces == number and not order.accepted]:
            self.gone(other)

    def answered(self, answer: Answer) -> None:
        order = self.open.get(answer.number)
        match answer.kind:
            case "accepted" | "replaced":
                assert order
                order.accepted, order.shares, order.price = True, answer.shares, answer.price
                if answer.kind == "replaced":
                    self.gone(answer.original)
                if answer.dead:
                    self.gone(answer.number)
            case "rejected":
                self.gone(answer.number)
            case "canceled" | "aiq_canceled" | "executed" | "modified":
                assert order
                left = answer.shares if answer.kind == "modified" else order.shares - answer.shares
                if answer.kind == "executed":
                    signed = answer.shares if order.buys else -answer.shares
                    self.position[order.locate] = self.held(order.locate) + signed
                    self.trades[answer.match] = order.locate, signed
                    self.executed[answer.number] = self.executed_of(answer.number) + answer.shares
                order.shares = left
                if left == 0:
                    self.gone(answer.number)
            case "priority_update":
                assert order
                order.price = answer.price
            case "broken" if answer.match in self.trades:
                locate, signed = self.trades.pop(answer.match)
                self.position[locate] -= signed

    def fed(self, raw: bytes) -> None:
        fields = decode(raw, ITCH50)
        locate = fields["stock_locate"]
        match fields["message_type"]:
            case "H":
                self.states[locate] = fields["trading_state"]
                if fields["trading_state"] == "T" and self.released is not None:
                    self.released.add(locate)
            case "h" if fields["market_code"] == "Q":
                self.operational[locate] = fields["operational_halt_action"]
            case "W":
                self.released = set()
            case "Y":
                (self.restricted.discard if fields["reg_sho_action"] == "0" else self.restricted.add)(locate)
            case "J":
                self.collars[locate] = fields["lower_auction_collar_price"], fields["upper_auction_collar_price"]


class Audited(Day):
    """A day with the ledger beside it."""

    def __init__(self, core: Core, seed: int, config: KernelConfig) -> None:
        super().__init__(core, seed, config, hostile=False)
        self.ledger = Ledger(config.risk, self.ready is False, up=self.ready)

    def message(self, message: MessageResult) -> list[Intent]:
        assert message.raw is not None
        self.ledger.fed(message.raw)
        intents = super().message(message)
        for intent in intents:
            book = self.model.books[intent.stock_locate]
            self.ledger.sent(intent, book.best_bid(), book.best_ask(), self.now_ns)
        return intents

    def answer(self, answer: Answer) -> None:
        super().answer(answer)
        self.ledger.answered(answer)

    def _link(self) -> None:
        super()._link()
        self.ledger.up = self.ready
        if self.ready:
            for number in [number for number, order in self.ledger.open.items() if not order.accepted]:
                self.ledger.open.pop(number, None)

    def _command(self, text: str) -> None:
        super()._command(text)
        self.ledger.killed = {"kill": True, "resume": False}.get(text, self.ledger.killed)


def config_of(random: Random) -> KernelConfig:
    wild = SymbolConfig("wild", 100, (random.randrange(1, 1 << 32),))
    config = random_config(random)
    return random_config(random, symbols=config.symbols | dict.fromkeys(STOCKS[:3], wild))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_order_is_within_the_limits(core: Core, seed: int) -> None:
    """The core sends what the model sends, which each step checks; the ledger checks that. The seed reproduces it."""
    day = Audited(core, seed, config_of(Random(seed)))
    day.run(250)


def test_the_ledger_has_seen_orders(core: Core) -> None:
    checked = 0
    for seed in range(5):
        day = Audited(core, 500 + seed, config_of(Random(500 + seed)))
        day.run(250)
        checked += day.ledger.checked
    assert checked > 50


@pytest.mark.parametrize("name", ["order_shares", "order_notional", "position", "open_orders", "collar_bp"])
def test_the_ledger_sees_an_order_over_a_limit(core: Core, name: str) -> None:
    """Days without the limit, audited as if it were there: the ledger must object."""
    limits = {"order_shares": 99, "order_notional": 1000, "position": 99, "open_orders": 1, "collar_bp": 1}
    symbols = dict.fromkeys(STOCKS, SymbolConfig("wild", 100, (1,)))
    config = random_config(Random(1), risk=RiskConfig(), session_mode="connect", symbols=symbols)
    day = Audited(core, 1, config)
    day.ledger.risk = replace(RiskConfig(), **{name: limits[name]})
    with pytest.raises(AssertionError) as raised:
        day.run(500)
    assert raised.traceback[-1].name == "sent"
