# SPDX-License-Identifier: MIT
"""A whole exchange on simulated time: what the NIC sends goes in, what reaches its ports comes out.

`advance(until, sent)` does everything before `until`, in the order of time, and returns the frames of that time. A
frame whose last byte left the NIC at t takes effect, and is answered, at t + latency: so all that happens before
`until` is known once everything sent before `until - latency` is. The same configuration and the same `sent` give the
same bytes, however the time is cut into calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from ipaddress import IPv4Address
from itertools import islice
from typing import Any

from generators.exchange.config import PS_PER_NS, Action, ExchangeConfig, Scripted
from generators.exchange.datagram import (
    ARP_REPLY,
    ARP_REQUEST,
    Arp,
    build_arp,
    build_datagram,
    parse_arp,
    parse_datagram,
)
from generators.exchange.dialects import DIALECTS
from generators.exchange.flow import Flow
from generators.exchange.itch import Instrument, ItchWriter
from generators.exchange.ledger import Ledger
from generators.exchange.matching import HALTED, TRADING, MatchingEngine
from generators.exchange.orders import BUY, MAX_PRICE, TICK, Account
from generators.exchange.ouch import HELD, REFUSED, TIMEOUT, Entry, OuchServer
from generators.exchange.publisher import FeedConfig, Injected, Publisher
from generators.exchange.rerequest import RerequestServer
from generators.exchange.segment import PROTOCOL_TCP
from generators.exchange.soup import SoupConfig, SoupServer
from generators.exchange.tcp import State, TcpConfig, TcpServer
from generators.exchange.wire import Wire, WireConfig
from generators.framing import Group
from generators.profiles import instruments

ERRONEOUS = "E"                        # OUCH's reason for a broken trade
HALT_REASON = "T1"                     # ITCH: news pending
IP_PROTOCOL_AT = 23                    # in an untagged frame
ANSWER_LINE = 0
FROM_CLIENT, TO_CLIENT = 0, 1


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame, without FCS, whose last byte left the NIC at `time_ps`."""

    time_ps: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Advance:
    """Frames with times up to where the exchange went; when it wants to be called next, at the latest."""

    frames: list[Injected] = field(default_factory=list)
    next_ps: int | None = None
    finished: bool = False


def make(script: Sequence[tuple[int, Action, str]] = (), **values: int | str | bool) -> Exchange:
    """An exchange from plain values: those of ExchangeConfig, the script as (time_ps, action, stock)."""
    plain: dict[str, Any] = values
    return Exchange(ExchangeConfig(script=tuple(Scripted(*item) for item in script), **plain))


class Exchange:
    """See the module. The parts are public, for tests and reports."""

    def __init__(self, config: ExchangeConfig) -> None:
        self.config = config
        listed = instruments(config.symbols)
        self.instruments = [Instrument(locate, stock) for locate, stock in listed]
        self.books = {stock: index for index, (_, stock) in enumerate(listed)}
        self.account = Account(0, config.firm)
        self.engine = MatchingEngine(config.symbols, (self.account,) if config.prevent_self_trades else ())
        self.ledger = Ledger()
        self.itch = ItchWriter(self.instruments)
        self.publisher = Publisher(FeedConfig(
            Group(config.group_address, config.group_port), config.feed_source, config.feed_session,
            (config.loss_a_ppm, config.loss_b_ppm), config.line_b_delay_ps, config.feed_heartbeat_ps), config.seed)
        self.rerequests = RerequestServer(config.feed_session, self.publisher.messages, config.answer_loss_ppm,
                                          config.seed)
        self._mac = bytes.fromhex(config.mac.replace(":", ""))
        self._address = int(IPv4Address(config.address))
        port = SoupConfig(config.session, {config.username: config.password}, config.order_heartbeat_ps)
        self.soup = SoupServer(port, TcpServer(
            TcpConfig(self._mac, self._address, config.port, rto_ps=config.retransmit_ps)))
        weather = WireConfig(config.order_loss_ppm, config.order_duplicate_ppm, config.order_late_ppm)
        self.wires = (Wire(weather, 2 * config.seed), Wire(weather, 2 * config.seed + 1))
        self.ouch = OuchServer(DIALECTS[config.ouch], self.engine, self.account, self.books)
        self.flow = Flow(self.engine, config.seed, 1, config.slowness)
        self.counts: Counter[str] = Counter()
        self.finished = False
        self._now = self._done_ps = 0
        self._inbox: list[tuple[int, int, bytes, bool]] = []  # when it takes effect, order, frame, late
        self._outbox: list[tuple[int, int, int, bytes]] = []  # time, line, order, frame
        self._order = 0
        self._messages: list[bytes] = []                    # of this moment
        self._script = sorted(config.script, key=lambda item: item.time_ps)
        self._scripted = 0
        self._step: Callable[[], int | None] = self._preamble  # what comes next, and when
        self._step_ps: int | None = 0
        self._place = 0
        self._last_word_ps = 0
        self._closed_ps: int | None = None

    @property
    def latency_ps(self) -> int:
        return self.config.latency_ps

    def start(self) -> Advance:
        """Before the first call of advance."""
        return Advance([], self._next_ps(), False)

    def advance(self, until_ps: int, sent: Sequence[Sent]) -> Advance:
        """All that happens before `until_ps`. What was sent too long ago takes effect now: no time passes twice."""
        for item in sent:
            heappush(self._inbox, (item.time_ps + self.config.latency_ps, self._next_order(), item.frame, False))
        while (moment := self._next_event_ps()) is not None and moment < until_ps:
            self._at(max(moment, self._done_ps))
        self._done_ps = max(self._done_ps, until_ps)
        frames = []
        while self._outbox and self._outbox[0][0] < until_ps:
            time_ps, line, _, frame = heappop(self._outbox)
            frames.append(Injected(time_ps, line, frame))
        return Advance(frames, self._next_ps(), self.finished and not self._outbox)

    def state(self) -> dict[str, Any]:
        """The books of the exchange as plain data: what it knows of its client and of the whole market."""
        client = [self._order_state(entry) for entry in self.ouch.entries.values()]
        held = {stock.decode("latin-1"): shares for stock, book in self.books.items()
                if (shares := self.ledger.position(self.account, book))}
        accounts = {account.name: {
            "cash": self.ledger.cash(account),
            "positions": {self.instruments[book].stock.decode("latin-1"): shares for book in range(self.config.symbols)
                          if (shares := self.ledger.position(account, book))},
        } for account in self.ledger.accounts()}
        return {
            "client": {"account": self.account.name, "cash": self.ledger.cash(self.account), "positions": held,
                       "orders": client, "ends": dict(Counter(order["end"] for order in client))},
            "accounts": accounts,
            "totals": self.ledger.totals(),
            "published": len(self.publisher.messages),
            "packets": self.publisher.packets,
            "lost": {"A": self.publisher.lost[0], "B": self.publisher.lost[1]},
            "rerequests": dict(self.rerequests.counts),
            "ouch": dict(self.ouch.counts),
            "sequenced": len(self.soup.sequenced),
            "logins": self.soup.statistics.logins,
            "cut_off": list(self.soup.statistics.cut_off),
            "frames": dict(self.counts),
            "order_wire": {name: {"lost": wire.lost, "duplicated": wire.duplicated, "late": wire.late}
                           for name, wire in zip(("from_client", "to_client"), self.wires, strict=True)},
            "finished": self.finished,
        }

    def _order_state(self, entry: Entry) -> dict[str, Any]:
        order = entry.order
        return {
            "key": entry.key,
            "stock": entry.first.stock.decode("latin-1"),
            "side": entry.side,
            "shares": entry.terms.shares,
            "executed": 0 if order is None else entry.before + order.executed,
            "open": 0 if order is None or order.end is not None else order.shares,
            "end": "rejected" if order is None else order.end.value if order.end else "open",
        }

    # Time

    def _next_event_ps(self) -> int | None:
        """When something inside happens next."""
        if self.finished:
            return None
        times = [self._step_ps, self.publisher.next_tick_ps, self.soup.next_timer_ps, self.ouch.next_timer_ps]
        if self._inbox:
            times.append(self._inbox[0][0])
        if self._scripted < len(self._script):
            times.append(self._script[self._scripted].time_ps)
        return min((time for time in times if time is not None), default=None)

    def _next_ps(self) -> int | None:
        times = [self._next_event_ps(), self._outbox[0][0] if self._outbox else None]
        return min((time for time in times if time is not None), default=None)

    def _at(self, now_ps: int) -> None:
        """One moment: what arrives, what is scripted, what expires, what the market does; then what is said of it."""
        self._now = now_ps
        now_ns = self.config.start_ns + now_ps // PS_PER_NS
        self.itch.set_time(now_ns)
        self.ouch.set_time(now_ps, now_ns)
        while self._inbox and self._inbox[0][0] <= now_ps:
            _, _, frame, late = heappop(self._inbox)
            self._take(frame, late)
        while self._scripted < len(self._script) and self._script[self._scripted].time_ps <= now_ps:
            self._perform(self._script[self._scripted])
            self._scripted += 1
        while (due := self.ouch.next_timer_ps) is not None and due <= now_ps:
            self.ouch.expire()
            self._follow()
        if self._step_ps is not None and self._step_ps <= now_ps:
            self._step_ps = self._step()
        self._say()

    def _follow(self) -> None:
        """Everybody learns what the engine did: feed, ledger, client. After every operation, since events name orders
        by what they are now."""
        events = self.engine.take_events()
        self._messages += self.itch.messages(events)
        self.ledger.follow(events)
        self.ouch.follow(events)
        self._sequence()

    def _sequence(self) -> None:
        """The client's answers become part of the session."""
        answers, self.ouch.answers = self.ouch.answers, []
        for answer in answers:
            if self.soup.ended:
                self.counts["after_the_end"] += 1
            else:
                self.soup.send_sequenced(answer)

    def _say(self) -> None:
        messages, self._messages = self._messages, []
        for frame in self.publisher.publish(self._now, messages) + self.publisher.tick(self._now):
            self._put(frame.time_ps, frame.line, frame.frame)
        for answer in self.soup.poll(self._now):
            for delay_ps in self.wires[TO_CLIENT].delays():
                self._put(self._now + delay_ps, ANSWER_LINE, answer)

    def _put(self, time_ps: int, line: int, frame: bytes) -> None:
        heappush(self._outbox, (time_ps, line, self._next_order(), frame))
        self._last_word_ps = max(self._last_word_ps, time_ps)

    def _next_order(self) -> int:
        self._order += 1
        return self._order

    # Frames from the client

    def _take(self, frame: bytes, late: bool) -> None:
        self._last_word_ps = self._now
        if (arp := parse_arp(frame)) is not None:
            self._take_arp(arp)
        elif (datagram := parse_datagram(frame)) is not None:
            self.counts["udp"] += 1
            if (datagram.destination_mac, datagram.destination, datagram.destination_port) != (
                    self._mac, self._address, self.config.request_port):
                self.counts["udp_for_others"] += 1
            elif (answer := self.rerequests.answer(datagram)) is not None:
                self._put(self._now, ANSWER_LINE, build_datagram(answer))
        elif frame[IP_PROTOCOL_AT:IP_PROTOCOL_AT + 1] == bytes([PROTOCOL_TCP]):
            for delay_ps in (0,) if late else self.wires[FROM_CLIENT].delays():
                if delay_ps:
                    heappush(self._inbox, (self._now + delay_ps, self._next_order(), frame, True))
                else:
                    self._take_segment(frame)
        else:
            self.counts["unknown"] += 1

    def _take_segment(self, frame: bytes) -> None:
        self.counts["tcp"] += 1
        self.soup.receive(frame, self._now)
        for message in self.soup.unsequenced():
            self.ouch.receive(message)
            self._follow()

    def _take_arp(self, arp: Arp) -> None:
        self.counts["arp"] += 1
        if arp.operation == ARP_REQUEST and arp.target == self._address:
            reply = Arp(ARP_REPLY, self._mac, self._address, arp.sender_mac, arp.sender)
            self._put(self._now, ANSWER_LINE, build_arp(reply))
        elif arp.operation == ARP_REPLY and arp.sender == int(IPv4Address(self.config.client_address)):
            self.counts["arp_replies"] += 1

    # The day

    def _preamble(self) -> int | None:
        """Start of day: system events, a directory entry and the trading state of each symbol."""
        count, place = self.config.symbols, self._place
        self._place += 1
        if place == 0:
            self.ouch.system_event("S")
            self._sequence()
            request = Arp(ARP_REQUEST, self._mac, self._address, bytes(6),
                          int(IPv4Address(self.config.client_address)))
            self._put(self._now, ANSWER_LINE, build_arp(request))
            self._messages.append(self.itch.system_event("O"))
        elif place == 1:
            self._messages.append(self.itch.system_event("S"))
        elif place < 2 + count:
            self._messages.append(self.itch.directory(place - 2))
        elif place < 2 + 2 * count:
            book = place - 2 - count
            self._messages.append(self.itch.trading_action(book, self.engine.books[book].state))
        else:
            self._messages.append(self.itch.system_event("Q"))
            self._step, self._place = self._first_orders, 0
        return self._now + self.config.preamble_gap_ps

    def _first_orders(self) -> int | None:
        if self._place == self.config.first_orders or self._is_spent():
            self._step = self._trade
            return self._now
        self.flow.warm_up(self._place % self.config.symbols)
        self._follow()
        self._place += 1
        return self._now + self.config.preamble_gap_ps

    def _trade(self) -> int | None:
        if self._is_spent() or self._is_halted():
            self._step = self._close
            return self._now
        self.flow.act()
        self._follow()
        return self._now + self.flow.gap_ps()

    def _is_spent(self) -> bool:
        """What is published, the live orders' withdrawals and three system events make up the budget."""
        return len(self.publisher.messages) + len(self.engine.live) + 3 >= self.config.messages

    def _is_halted(self) -> bool:
        """Everywhere and for good: without a trade the budget would never be spent."""
        return all(book.state != TRADING for book in self.engine.books) and not any(
            item.action == "resume" for item in self._script[self._scripted:])

    def _close(self) -> int | None:
        """End of market hours: no more orders; those that rest are withdrawn some at a time."""
        self.ouch.open = False
        self._messages.append(self.itch.system_event("M"))
        self._step = self._withdraw
        return self._now + self.config.withdrawal_gap_ps

    def _withdraw(self) -> int | None:
        for order in list(islice(self.engine.live.values(), self.config.withdrawals)):
            self.engine.cancel(order, 0, TIMEOUT)
            self._follow()
        if not self.engine.live:
            self._step = self._end
        return self._now + self.config.withdrawal_gap_ps

    def _end(self) -> int | None:
        self._messages += [self.itch.system_event("E"), self.itch.system_event("C")]
        self.ouch.system_event("E")
        self._sequence()
        self.soup.end_of_session()
        self.publisher.end(self._now + 1)
        self._closed_ps = self._now
        self._step = self._linger
        return self._now + self.config.linger_ps

    def _linger(self) -> int | None:
        """Until nobody has said anything for a while and the connection is over; re-requests are answered meanwhile."""
        over = self.soup.tcp.state in (State.LISTEN, State.TIME_WAIT)
        next_ps = self._last_word_ps + self.config.linger_ps if over else self._now + self.config.linger_ps
        latest_ps = (self._closed_ps or 0) + self.config.longest_linger_ps
        if self._now < min(next_ps, latest_ps):
            return min(next_ps, latest_ps)
        self.finished = True
        self.counts["orderly_close"] += over
        return None

    # Scripted

    def _perform(self, item: Scripted) -> None:
        match item.action:
            case "halt":
                self.engine.change_state(self._book(item), HALTED, HALT_REASON)
            case "resume":
                self.engine.change_state(self._book(item), TRADING)
            case "break" | "correct":
                self._undo_last(self._book(item), item.action == "correct")
            case "reprice":
                self._reprice(self._book(item))
            case "hold_cancels":
                self.ouch.cancels = HELD
            case "refuse_cancels":
                self.ouch.cancels = REFUSED
            case "release_cancels":
                for held in self.ouch.release_cancels():
                    self.ouch.cancel_held(held)
                    self._follow()
            case "drop_link":
                self.soup.tcp.abort()
            case "cut_link" | "mend_link":
                for wire in self.wires:
                    wire.cut = item.action == "cut_link"
        self._follow()

    def _book(self, item: Scripted) -> int:
        return self.books[item.stock.ljust(8).encode("latin-1")]

    def _undo_last(self, book: int, correct: bool) -> None:
        """Breaks the client's last trade, or corrects its price."""
        for trade in reversed(self.ledger.trades):
            if trade.resting.book == book and not trade.broken and self.account in (
                    trade.resting.account, trade.incoming.account) and not (correct and trade.price + TICK > MAX_PRICE):
                if correct:
                    self.engine.correct_trade(trade, trade.price + TICK, ERRONEOUS)
                else:
                    self.engine.break_trade(trade, ERRONEOUS)
                return
        self.counts["nothing_to_break"] += 1

    def _reprice(self, book: int) -> None:
        for entry in self.ouch.entries.values():
            order = entry.order
            if order is not None and order.end is None and order.book == book:
                price = order.price + (-TICK if order.side == BUY else TICK)
                if self.engine.books[book].state == TRADING and 0 < price <= MAX_PRICE:
                    self.ouch.reprice(entry, price)
                    return
        self.counts["nothing_to_reprice"] += 1
