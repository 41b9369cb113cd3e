# SPDX-License-Identifier: MIT
"""A trading day at random for the kernel's core: market data, trading states, an exchange that answers, a link that
dies, commands. The core does it under sanitizers, the Python model beside it, and every step must be the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from bridge import layout
from generators.tables import encode
from tb.model.config import KernelConfig, RiskConfig, SymbolConfig
from tb.model.intent import Answer, Intent
from tb.model.kernel import KernelModel
from tb.model.packet import MessageResult
from tb.model.results import HostEvent
from tb.model.strategies import strategies
from tb.model.stream import NO_FLAGS
from tests.core import wild
from tests.firmware.core_harness import ANSWER, Core
from tests.firmware.records import record_lines
from tickloop.config import compile_module
from tickloop.rundir.books import parse_export

strategies()["wild"] = wild  # the kernel's core is built with it for tests only

STOCKS = ("AAA", "BBB", "CCC", "DDD")
LATENCY_NS = 50_000  # between messages, at most


def choice_of(random: Random, usual: Sequence[str], *rare: str) -> str:
    return random.choice(usual) if random.random() < 0.9 else random.choice(rare)


def random_config(random: Random, **fixed: Any) -> KernelConfig:
    """Strategies with random parameters, one a symbol, and limits that bite now and then."""
    def symbol() -> SymbolConfig:
        name = random.choice([*strategies(), "wild", "market_maker", "none"])
        parameters: tuple[int, ...] = ()
        if name == "market_maker":
            parameters = (random.choice([0, 50, 200]), random.choice([0, 100, 500]),
                          random.choice([0, 100, 300, 100_000]), random.choice([1, 100, 37]))
        if name == "wild":
            parameters = (random.randrange(1, 1 << 32),)
        if name == "imbalance":
            parameters = (random.choice([500, 650, 900]),)
        return SymbolConfig(name, random.choice([1, 50, 100, 300]), parameters)

    def limit(*values: int) -> int:
        return random.choice(values) if random.random() < 0.25 else 0

    risk = RiskConfig(
        collar_bp=limit(5, 100, 1000), order_shares=limit(99, 250), order_notional=limit(90_000_000, 300_000_000),
        position=limit(100, 400, 1000), total_position=limit(300, 2000), open_orders=limit(1, 2, 5),
        rate_interval_ns=limit(LATENCY_NS // 3, 1_000_000), rate_burst=random.choice([1, 3]),
        prevent_self_trade=random.random() < 0.5, short_selling=random.random() < 0.7,
    )
    values: dict[str, Any] = {
        "symbols": {stock: symbol() for stock in STOCKS}, "default": symbol(), "risk": risk,
        "session_mode": random.choice(["connect", "connect", "established"]),
        "own_orders_log2": random.choice([4, 10]), "max_books": 100, "max_orders": 400, "max_levels": 200,
    }
    return KernelConfig(**(values | fixed))


@dataclass
class Exchange:
    """Answers to what was sent, one at a time and in order, and what else may happen to an open order. Its book of own
    orders is the simplest there is: by number, what is open."""

    random: Random
    open: dict[int, Intent] = field(default_factory=dict)
    executed: dict[int, int] = field(default_factory=dict)
    waiting: deque[Intent] = field(default_factory=deque)
    matches: list[tuple[int, int, int]] = field(default_factory=list)  # number, match, shares
    match: int = 0

    def answer(self) -> Answer | None:
        if self.waiting and self.random.random() < 0.6:
            return self._process(self.waiting.popleft())
        return self._happen() if self.open else None

    def _accepted(self, intent: Intent, shares: int, original: int = 0) -> Answer:
        dead = self.random.random() < 0.03
        if not dead:
            self.open[intent.number] = Intent("enter", intent.side, shares, intent.price, number=intent.number,
                                              stock_locate=intent.stock_locate)
            self.executed[intent.number] = 0
        return Answer("replaced" if original else "accepted", intent.number, original, shares, intent.price,
                      side=intent.side, reference=1 << 40 | intent.number, dead=dead)

    def _process(self, intent: Intent) -> Answer | None:
        chance = self.random.random()
        if intent.kind == "enter":
            return Answer("rejected", intent.number) if chance < 0.1 else self._accepted(intent, intent.shares)
        order = self.open.get(intent.original)
        if order is None:
            return None  # superfluous: ignored
        if intent.kind == "cancel":
            if chance < 0.1:
                return Answer("cancel_reject", order.number)
            return Answer("cancel_pending", order.number) if chance < 0.2 else self._reduce(order, order.shares)
        if intent.kind == "modify":
            left = intent.shares - self.executed[order.number]
            if left <= 0:
                return self._reduce(order, order.shares)
            order.shares = min(order.shares, left)
            return Answer("modified", order.number, shares=order.shares)
        left = intent.shares - self.executed[order.number]
        if chance < 0.1 or left <= 0:
            return self._reduce(order, order.shares)
        if chance < 0.2:
            return Answer("rejected", intent.number)
        del self.open[order.number]
        return self._accepted(intent, left, order.number)

    def _reduce(self, order: Intent, shares: int, kind: Any = "canceled") -> Answer:
        order.shares -= shares
        if order.shares == 0:
            del self.open[order.number]
        return Answer(kind, order.number, shares=shares, reason="U")

    def _happen(self) -> Answer:
        order = self.open[self.random.choice(list(self.open))]
        some = self.random.randint(1, order.shares)
        chance = self.random.random()
        if chance < 0.55:
            self.match += 1
            self.matches.append((order.number, self.match, some))
            self.executed[order.number] += some
            self._reduce(order, some)
            return Answer("executed", order.number, shares=some, price=order.price, match=self.match)
        if chance < 0.65:
            return self._reduce(order, some, self.random.choice(["canceled", "aiq_canceled"]))
        if chance < 0.7 and self.matches:
            number, match, shares = self.random.choice(self.matches)
            if self.random.random() < 0.5:
                return Answer("corrected", number, shares=shares, price=order.price + 100, match=match)
            return Answer("broken", number, match=match)
        if chance < 0.75:
            number = order.number
            self._reduce(order, some)
            return Answer("modified", number, shares=order.shares)
        if chance < 0.85:
            order.price = max(1, order.price + self.random.choice([-200, -100, 100]))
            return Answer("priority_update", order.number, price=order.price, reference=self.random.getrandbits(60))
        return Answer(self.random.choice(["restated", "system_event"]), order.number)


class Feed:
    """Messages that make sense: orders around a wandering price, and what becomes of them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._orders: dict[int, tuple[int, int]] = {}  # reference -> locate, shares
        self._reference = 0
        self._middle = [random.randrange(5_000, 20_000) * 100 for _ in STOCKS]

    def message(self, contradictions: float, states: float) -> bytes:
        random = self._random
        locate = random.randrange(len(STOCKS)) + 1
        common: dict[str, Any] = {"stock_locate": locate, "tracking_number": 0, "timestamp": 0}
        if random.random() < states:
            return self._state(common)
        if random.random() < contradictions:
            reference = random.choice([10**9, *self._orders, 1])
            kind = random.choice("DXU")
            return encode(kind, common | {
                "D": {"order_reference_number": 10**9},
                "X": {"order_reference_number": reference, "canceled_shares": 10**6},
                "U": {"original_order_reference_number": reference, "new_order_reference_number": reference ^ 1,
                      "shares": 1, "price": 100}}[kind])
        if not self._orders or random.random() < 0.55:
            return self._add(locate, common)
        reference = random.choice(list(self._orders))
        locate, shares = self._orders[reference]
        common["stock_locate"] = locate
        kind = random.choice("EEXDDU")
        if kind == "D":
            del self._orders[reference]
            return encode("D", common | {"order_reference_number": reference})
        if kind == "U":
            del self._orders[reference]
            self._reference += 1
            self._orders[self._reference] = locate, shares
            return encode("U", common | {
                "original_order_reference_number": reference, "new_order_reference_number": self._reference,
                "shares": shares, "price": max(100, self._middle[locate - 1] + random.randrange(-9, 10) * 100)})
        taken = random.randint(1, shares)
        self._orders[reference] = locate, shares - taken
        if taken == shares:
            del self._orders[reference]
        if kind == "E":
            return encode("E", common | {"order_reference_number": reference, "executed_shares": taken,
                                         "match_number": 0})
        return encode("X", common | {"order_reference_number": reference, "canceled_shares": taken})

    def _add(self, locate: int, common: dict[str, Any]) -> bytes:
        random = self._random
        self._middle[locate - 1] = max(1000, self._middle[locate - 1] + random.randrange(-2, 3) * 100)
        self._reference += 1
        shares = random.choice([100, 100, 200, 500, 5000])
        side = random.choice("BS")
        away = random.randrange(0, 8) * (-100 if side == "B" else 100)
        if random.random() < 0.002:
            away = 1 << 31
        self._orders[self._reference] = locate, shares
        return encode("A", common | {
            "order_reference_number": self._reference, "buy_sell_indicator": side, "shares": shares,
            "stock": STOCKS[locate - 1], "price": max(100, self._middle[locate - 1] + away)})

    def _state(self, common: dict[str, Any]) -> bytes:
        random = self._random
        stock, middle = STOCKS[common["stock_locate"] - 1], self._middle[common["stock_locate"] - 1]
        kind = random.choices("HhYJWV", [12, 3, 3, 2, 0.06, 1])[0]
        return encode(kind, common | {
            "H": {"stock": stock, "trading_state": random.choice("HPQTTTTTTTTTT"), "reserved": " ", "reason": ""},
            "h": {"stock": stock, "market_code": random.choice("QBX"),
                  "operational_halt_action": random.choice("HTTTT")},
            "Y": {"stock": stock, "reg_sho_action": random.choice("0012")},
            "J": {"stock": stock, "auction_collar_reference_price": middle, "auction_collar_extension": 0,
                  "upper_auction_collar_price": random.choice([0, middle + 500, middle + 50_000]),
                  "lower_auction_collar_price": max(0, middle - random.choice([300, 50_000]))},
            "W": {"breached_level": random.choice("123")},
            "V": {"level_1": 1, "level_2": 2, "level_3": 3},
        }[kind])


def event_line(event: HostEvent) -> bytearray:
    """The rx_event of an event."""
    line = np.zeros(1, layout.RX_EVENT)
    line["status"] = layout.STATUS_EVENT
    line["sequence"], line["count"], line["gap_from"] = event.sequence, event.count, event.gap_from
    line["delivered"] = event.delivered
    line["reason"] = layout.DropReason[(event.reason or "accept").upper()]
    line["flags"] = sum(bool(flag) << place for place, flag in enumerate(event.flags))
    return bytearray(line.tobytes())


class Day:
    """Core and model through the same steps; every difference is an assertion with the step's number."""

    def __init__(self, core: Core, seed: int, config: KernelConfig | None = None, *, hostile: bool = True) -> None:
        self.random = Random(seed)
        self.config = config or random_config(self.random)
        self.core, self.model = core, KernelModel(self.config)
        assert core.configure(compile_module(self.config)) == ""
        self.hostile = hostile
        self.feed, self.exchange = Feed(self.random), Exchange(self.random)
        self.sequence = self.random.randrange(1 << 40)
        self.now_ns = 0
        self.sent: list[Intent] = []
        self.free_slots: int | None = None
        self.ready = self.config.session_mode == "established"
        self.at = f"Day(core, {seed})"

    def run(self, steps: int) -> None:
        self.step = 0
        state = self.random.getstate()
        for _ in range(self.random.choice([0, 0, 3, 9])):  # before any symbol has a book
            self._command(self._setting())
        self.random.setstate(state)
        if not self.ready:
            self._link()
        for self.step in range(steps):
            self._step()
        self.compare()

    def _step(self) -> None:
        chance = self.random.random()
        if chance < 0.6:
            self._messages()
        elif chance < 0.93:
            self._answer()
        elif chance < 0.95:
            if not self.ready or self.random.random() < 0.2:
                self._link()
        elif chance < 0.96:
            self._command(self._setting())
        elif chance < 0.98:
            self._command(self.random.choice(["kill", *["resume"] * 6, "cancel all", "hold"]))
        elif chance < 0.985:
            self._room(self.random.choice([0, 1, 3, 1000]))
        elif self.hostile and self.random.random() < 0.3:
            self._event()
        else:
            self._command("resume")

    def _messages(self) -> None:
        count = self.random.randint(1, 6)
        if self.hostile and self.random.random() < 0.001:
            self.sequence += self.random.choice([1, -3, 100])
        lines, orders = [], []
        for _ in range(count):
            raw = self.feed.message(0.0005 if self.hostile else 0, 0.02)
            self.now_ns += self.random.randrange(LATENCY_NS)
            first = record_lines(raw, self.sequence)[0]
            first[8:14] = self.now_ns.to_bytes(6, "little")
            lines.append(first)
            orders.append(self.message(MessageResult(self.sequence, chr(raw[0]), len(raw), "ok", raw)))
            self.sequence += 1
        for theirs, ours in zip(self.core.intents(lines), orders, strict=True):
            self._sent(theirs, ours)

    def message(self, message: MessageResult) -> list[Intent]:
        return [order.intent for order in self.model.message(message, self.now_ns)]

    def _sent(self, theirs: Any, ours: Sequence[Intent]) -> None:
        got = [{
            "kind": layout.IntentKind(entry["intent"]["kind"]).name.lower(), "side": entry["intent"]["side"].decode(),
            **{name: int(entry["intent"][name]) for name in ("shares", "price", "number")},
            "original": int(entry["intent"]["original"]) if entry["intent"]["kind"] != layout.IntentKind.ENTER else 0,
            "stock": entry["intent"]["stock"].decode(),
        } for entry in theirs]
        assert got == [{
            "kind": intent.kind, "side": intent.side, "shares": intent.shares, "price": intent.price,
            "original": intent.original, "number": intent.number, "stock": intent.stock,
        } for intent in ours], f"{self.at}, step {self.step}"
        self.sent += ours
        self.exchange.waiting += ours

    def _answer(self) -> None:
        answer = self.exchange.answer() if self.config.session_mode == "connect" else None
        if self.hostile and self.random.random() < 0.01:
            answer = self._nonsense()
        if answer is not None:
            self.answer(answer)

    def _nonsense(self) -> Answer:
        kinds = [kind.name.lower() for kind in layout.AnswerKind]
        number = self.random.choice([0, 5, self.model.own.number, self.random.getrandbits(32), *self.exchange.open])
        return Answer(self.random.choice(kinds), number, self.random.choice([0, number - 1]) & 0xFFFFFFFF,
                      self.random.choice([0, 1, 100, 0xFFFFFFFF]), self.random.choice([0, 1, 100, 0xFFFFFFFF]),
                      match=self.random.choice([0, 1, 2]), side=self.random.choice("BST"))

    def answer(self, answer: Answer) -> None:
        line = np.zeros(1, ANSWER)
        for name in ("number", "original", "shares", "price", "reference", "match", "dead", "side"):
            line[name] = getattr(answer, name)
        line["kind"] = layout.AnswerKind[answer.kind.upper()]
        theirs = self.core.answers(line)
        self.model.answer(answer)
        self._cancels(theirs)

    def _link(self) -> None:
        if self.config.session_mode == "established":
            return
        self.ready = not self.ready
        if not self.ready:
            self.exchange.waiting.clear()  # what was on its way is lost with the link
        theirs = self.core.link(layout.LinkState.READY if self.ready else layout.LinkState.DOWN)
        self.model.link("ready" if self.ready else "down")
        self._cancels(theirs)

    def _setting(self) -> str:
        """A strategy for a symbol, with some of its parameters; now and then an impossible one."""
        choose = self.random.choice
        stock = choice_of(self.random, STOCKS, "NOBODY")
        name = choice_of(self.random, [*strategies()], "off", "on", "none")
        values = {"shares": choose([1, 50, 100, 300])} | {
            parameter.name: choose([parameter.least, parameter.default, parameter.most])
            for parameter in (strategies()[name].PARAMETERS if name in strategies() else ())}
        keys = self.random.sample([*values], self.random.randint(0, len(values))) if name in strategies() else []
        pairs = [f"{key}={values[key]}" for key in keys]
        if pairs and self.random.random() < 0.2:
            wrong = choose([*pairs[:1], "shares=0", "shares=1000000", "no=1", "=1", *(f"{keys[0]}{end}" for end in (
                "", "=", "=-1", "=4294967296", "=18446744073709551617", "=99999999999999999999"))])
            same = wrong.partition("=")[0]
            pairs = [pair for pair in pairs if wrong in pairs or pair.partition("=")[0] != same] + [wrong]
        return " ".join(["strategy", stock, name, *pairs])

    def _command(self, text: str) -> None:
        theirs = self.core.command(text)
        self.model.command(text)
        self._cancels(theirs)

    def _cancels(self, theirs: Any) -> None:
        """What a "cancel all" wants, now or still, as far as there is room."""
        ours = [order.intent for order in self.model.cancels(self.free_slots)]
        if self.free_slots is not None:
            self.free_slots -= len(ours)
        self._sent(theirs, ours)

    def _room(self, slots: int) -> None:
        """So many TX slots are free for cancels from now on."""
        self.free_slots = slots
        self._cancels(self.core.room(slots))

    def _event(self) -> None:
        chance = self.random.random()
        delivered = self.random.choice([0, 1, 2, 5])
        flags, reason, gap = NO_FLAGS, None, 0
        if chance < 0.3:
            reason = "bad_udp_checksum"
        elif chance < 0.5:
            flags = flags._replace(gap=True)
        elif chance < 0.9:
            flags = flags._replace(session_change=True)
            if delivered == 0:
                self.sequence = self.random.randrange(1 << 40)
        else:
            flags = flags._replace(end_of_session=True)
        event = HostEvent(self.sequence, delivered, gap, delivered, "A", reason, "data", flags, b"SESSION   ")
        self.core.intents([event_line(event)])
        self.model.event(event)

    def compare(self) -> None:
        export = parse_export(self.core.export_bytes(1 << 22))
        assert not export.problems
        assert export.books == self.model.books.levels(), self.at
        assert export.positions == self.model.positions(), self.at
        expected = self.model.statistics
        assert {name: export.statistics[name] for name in expected} == expected, self.at
        assert self.core.check().broken == ""
