# SPDX-License-Identifier: MIT
"""What the kernel must make of all that it is told: books, orders in the order they are sent, positions, statistics.

It is fed in the kernel's own order with messages and events of the RX ring, answers of the exchange, states of the link
and commands. Every delivered message is applied as it comes, also one whose frame turns out bad afterwards: in
cut-through the kernel has seen it by then, and the event that tells of it makes the books suspect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tb.model.book import BOOK_MESSAGES, Books, Change
from tb.model.config import KernelConfig, SymbolConfig
from tb.model.intent import Answer, Intent
from tb.model.market import SYMBOL_STATES, Market
from tb.model.orders import Order, order_of
from tb.model.own_orders import OwnOrders
from tb.model.packet import MessageResult
from tb.model.recovery import Limits, Path, RecoveryModel
from tb.model.results import HostEvent
from tb.model.risk import REFUSALS, Refusal, Risk
from tb.model.strategies import strategies
from tb.model.stream import SEQUENCES
from tb.model.symbols import Symbols, possible
from tb.model.view import View

SETTINGS = 255  # strategies with their parameters that can differ
SYMBOL_SETTINGS = 8192  # symbols without a book that can be set
BOOK_FLAGS = {"halted": 1, "operational": 2, "breached": 4, "stale": 8, "suspect": 16, "quiet": 32, "restricted": 64}


@dataclass(slots=True)
class _Jump:
    """The last record whose number was not the next one, to be undone if its frame turns out bad."""

    record: int = 0
    expected: int | None = None
    books: frozenset[int] = frozenset()
    stale: bool = False


class KernelModel:
    """The kernel from attach to export."""

    def __init__(self, config: KernelConfig) -> None:
        self._config = config
        self._symbols = Symbols(config)
        self._records = 0
        self._other_messages = 0
        self._sequence_gaps = 0
        self._next_sequence: int | None = None
        self._jump = _Jump()
        self._breach = 0  # records with the last market-wide halt
        self._touched: dict[int, int] = {}  # by locate: records consumed when its book, state or name changed last
        self._counts = dict.fromkeys(
            ("orders_sent", "bad_frames", "lost_messages", "answers", "answers_unknown", "answers_bad", "executions",
             "commands"), 0)
        self._refused = dict.fromkeys(REFUSALS, 0)
        self._memories: dict[tuple[str, tuple[int, ...]], dict[int, int]] = {}
        self.market = Market()
        self.own = OwnOrders(config.own_orders_log2, config.session_mode == "established")
        self.risk = Risk(config.risk, config.session_mode == "established")
        self.books = Books(self._symbols, config.max_books, config.max_orders, config.max_levels)
        self.books.doubted = self._doubted
        self.books.missed = self.market.suspect
        self.orders: list[Order] = []
        self._quiet: set[int] = set()  # locates whose strategies a command has switched off
        self._set: dict[int, SymbolConfig] = {}  # by locate: what a command has set since
        self._begin: dict[str, SymbolConfig] = {}  # by stock: what one has set of a symbol without a book
        self._begin_quiet: set[str] = set()
        self.recovery = self._recovery(config)

    def _doubted(self, _: str, *stock_locates: int) -> None:
        for stock_locate in stock_locates:
            self.market.suspect(stock_locate)

    def message(self, message: MessageResult, time_ns: int = 0,
                meanwhile: Callable[[], None] = lambda: None) -> list[Order]:
        """Takes one delivered message, of a frame that came at ``time_ns``; returns the orders it causes.

        ``meanwhile`` is called between decision and orders: there the kernel looks for a command once more."""
        if self.recovery is not None and self._recovers(lambda recovery: recovery.record(message, 0)):
            return []
        change = self._apply(message)
        if change is None:
            return []
        intents = self._decide(change)
        meanwhile()
        orders = [order for intent in intents if (order := self._send(intent, time_ns, message.sequence))]
        self.orders += orders
        return orders

    def _apply(self, message: MessageResult) -> Change | None:
        """A message that is due to the books."""
        self._records += 1
        if message.sequence != self._next_sequence:
            self._note_jump()
        self._next_sequence = (message.sequence + 1) % SEQUENCES

        fields = message.fields
        if message.type not in BOOK_MESSAGES or fields is None:
            self._other(message.type, fields)
            return None
        books = len(self.books)
        change = self.books.apply(message.type, fields)
        if change is None:
            return None
        locate = change.book.stock_locate
        if len(self.books) > books:
            self.market.opened(locate)
            self._opened(locate, change.book.stock)
        self._touched[locate] = self._records
        return change

    def _recovery(self, config: KernelConfig) -> RecoveryModel | None:
        if not config.recovery_address:
            return None
        limits = Limits(config.recovery_timeout_ns, config.recovery_retries, config.recovery_held,
                        config.recovery_request)
        path = Path(config.source_mac, config.destination_mac, config.source_address, config.recovery_address,
                    config.recovery_local_port, config.recovery_port)
        return RecoveryModel(limits, path, self._take)

    def _take(self, message: MessageResult) -> None:
        """Out of the recovery: its book is stale, so nothing else follows."""
        self._apply(message)

    def _recovers(self, step: Callable[[RecoveryModel], Any]) -> Any:
        """A step of the recovery, and what it means for the books: stale while messages are missing."""
        assert self.recovery is not None
        losses, before = self.recovery.losses, self.recovery.state
        result = step(self.recovery)
        if self.recovery.losses == losses and self.recovery.state != before:
            if self.recovery.state == "recovering":
                self._miss()
            elif before == "recovering":
                self.market.recover()
        return result

    def answered(self, frame: bytes, now_ns: int) -> bool:
        """Takes a raw frame; whether it was an answer of the re-request server that brought something."""
        return bool(self._recovers(lambda recovery: recovery.answer(frame, now_ns)))

    def asks(self, now_ns: int) -> bytes | None:
        """The kernel asked for what is missing, or gave up; returns the request."""
        request: bytes | None = self._recovers(lambda recovery: recovery.request(now_ns))
        return request

    def finish(self) -> None:
        """The end of the run."""
        if self.recovery is not None:
            self._recovers(lambda recovery: recovery.finish())

    def _note_jump(self) -> None:
        """The first record, or one whose number is not the next; under the filter that alone says nothing."""
        self._jump = _Jump(self._records, self._next_sequence, frozenset(b.stock_locate for b in self.books),
                           self.market.stale)
        if self._next_sequence is None:
            return
        self._sequence_gaps += 1
        if not self._config.filtered:
            self._miss()

    def _miss(self) -> None:
        self.market.miss(book.stock_locate for book in self.books)

    def _other(self, message_type: str | None, fields: Mapping[str, Any] | None) -> None:
        """A message without effect on a book; a Stock Directory still names the symbol of its locate."""
        if message_type == "R" and fields:
            named = self._symbols.named(fields["stock_locate"])
            if not self._symbols.learn(fields["stock_locate"], fields["stock"]):
                self.books.statistics.bad_records += 1
                return
            if not named:
                self._touched[fields["stock_locate"]] = self._records
        self._other_messages += 1
        if message_type and fields:
            self.market.message(message_type, fields)
            if message_type == "W":
                self._breach = self._records
            if message_type in SYMBOL_STATES:
                self._touched[fields["stock_locate"]] = self._records

    def _decide(self, change: Change) -> list[Intent]:
        locate = change.book.stock_locate
        symbol = self._symbol(locate)
        if symbol.strategy == "none" or locate in self._quiet or self.market.closed(locate):
            return []
        strategy = strategies()[symbol.strategy]
        if not strategy.ON_ANY and not change.best_moved:
            return []
        memory = self._memories.setdefault((symbol.strategy, symbol.parameters), {})
        intents = strategy.on_book(View(change.book, change.side, change.best_before, symbol.shares, symbol.parameters,
                                        memory, self.own))
        for intent in intents:
            intent.stock_locate, intent.stock = locate, change.book.stock
        return intents

    def _send(self, intent: Intent, time_ns: int, cause: int) -> Order | None:
        refusal = self.risk.check(intent, self.books[intent.stock_locate], self.own, self.market, time_ns)
        if refusal is not None:
            self._refused[refusal] += 1
            return None
        self.risk.sent(intent, time_ns)
        self.own.send(intent)
        self._counts["orders_sent"] += 1
        return order_of(cause, intent, self._config)

    def refused_ring(self) -> None:
        """The TX ring was full: what no model can know."""
        self._refused["ring"] += 1

    def event(self, event: HostEvent) -> None:
        """Takes an event line of a frame, which follows the frame's messages."""
        if self.recovery is not None:
            voided = self.recovery.voided
            self._recovers(lambda recovery: recovery.event(event, 0))
            if event.reason is None and not event.flags.session_change:
                return
            event = replace(event, delivered=event.delivered - (self.recovery.voided - voided))
        if event.reason is not None:
            self._bad_frame(event.delivered)
        elif event.flags.session_change:
            inside = event.delivered and self._jump.record > self._records - event.delivered
            books = self._jump.books if inside else (book.stock_locate for book in self.books)
            self.market.session(books)
            if not event.delivered:
                self._next_sequence = event.sequence
        elif event.flags.gap:
            self._miss()

    def _bad_frame(self, delivered: int) -> None:
        """Its messages, the last ``delivered`` ones, have been applied; their numbers will come again."""
        self._counts["bad_frames"] += 1
        if not 0 < delivered <= self._records:
            return
        before = self._records - delivered
        for locate, record in self._touched.items():
            if record > before:
                self.market.suspect(locate)
        if self._breach > before:
            self.market.unbreach()
        if self._jump.record <= before:
            assert self._next_sequence is not None
            self._next_sequence = (self._next_sequence - delivered) % SEQUENCES
            return
        self._next_sequence = self._jump.expected
        if not self._jump.stale and self.market.stale:
            self.market.recover()

    def lost(self, count: int) -> None:
        """Takes a line that tells of messages for which the NIC had no room."""
        self._counts["lost_messages"] += count
        self._miss()

    def stale(self) -> None:
        """A loss has been declared, or recovery goes on."""
        self._miss()

    def recovered(self) -> None:
        """Nothing is missing any more."""
        self.market.recover()

    def answer(self, answer: Answer) -> None:
        """Takes an answer of the exchange."""
        match self.own.answer(answer):
            case "applied":
                self._counts["answers"] += 1
                self._counts["executions"] += answer.kind == "executed"
            case "unknown":
                self._counts["answers_unknown"] += 1
            case "bad":
                self._counts["answers_bad"] += 1
                self.risk.contradicted = True

    def link(self, state: Literal["down", "ready"]) -> None:
        """Order entry is ready, or no longer."""
        self.risk.link_ready = state == "ready"
        if state == "ready":
            self.own.link_ready()
        else:
            self.own.link_down()

    def command(self, text: str) -> None:
        """Takes a command."""
        self._counts["commands"] += 1
        match text:
            case "kill":
                self.risk.killed = True
            case "resume":
                self.risk.killed = self.risk.contradicted = False
            case "cancel all":
                self.own.cancel_all()
            case _ if switch := re.fullmatch(r"strategy ([^ ]{0,8}) (on|off)", text):
                self._switch_strategy(switch[1].ljust(8), switch[2] == "off")
            case _ if text.startswith("strategy "):
                self._set_strategy([word for word in text.split(" ") if word][1:])

    def cancels(self, most: int | None = None) -> list[Order]:
        """The kernel has come to what a "cancel all" wants, and there was room for so many; returns them."""
        wanted = [Intent("cancel", original=order.number, stock_locate=order.stock_locate,
                         stock=self.books[order.stock_locate].stock) for order in self.own.to_cancel()]
        orders = [order for intent in wanted[:most] if (order := self._send(intent, 0, 0))]
        self.orders += orders
        return orders

    def _switch_strategy(self, stock: str, off: bool) -> None:
        locate = self._locate(stock)
        if locate is not None:
            (self._quiet.add if off else self._quiet.discard)(locate)
        elif (begin := self._beginning(stock)) is not None:
            self._begin[stock] = begin
            (self._begin_quiet.add if off else self._begin_quiet.discard)(stock)

    def _locate(self, stock: str) -> int | None:
        """Of the symbol's book."""
        return next((book.stock_locate for book in self.books if book.stock == stock), None)

    def _beginning(self, stock: str) -> SymbolConfig | None:
        """What a symbol that has no book yet will begin with; None: it is no symbol of the run, or one too many."""
        if len(stock) != 8 or not possible(stock) or len(self._begin) == SYMBOL_SETTINGS:
            return None
        return self._begin.get(stock) or self._config.of_stock(stock)

    def _opened(self, locate: int, stock: str) -> None:
        """The symbol has a book."""
        if stock in self._begin:
            self._set[locate] = self._begin.pop(stock)
            if stock in self._begin_quiet:
                self._quiet.add(locate)
            self._begin_quiet.discard(stock)

    def _symbol(self, stock_locate: int) -> SymbolConfig:
        """What the symbol of a book does."""
        symbol = self._set.get(stock_locate) or self._symbols.config(stock_locate)
        assert symbol is not None, "only a subscribed symbol has a book"
        return symbol

    def _set_strategy(self, words: list[str]) -> None:
        """``SYM NAME KEY=NUMBER ...``; one of which a part is wrong changes nothing."""
        stock, name, *pairs = [*words, "", ""] if len(words) < 2 else words
        stock = stock.ljust(8)
        locate = self._locate(stock)
        now = self._beginning(stock) if locate is None else self._symbol(locate)
        if now is None or name not in strategies():
            return
        declared = strategies()[name].PARAMETERS
        usual = now.parameters if now.strategy == name else tuple(parameter.default for parameter in declared)
        values = {"shares": now.shares} | {
            parameter.name: value for parameter, value in zip(declared, usual, strict=True)}
        split = [pair.partition("=") for pair in pairs]
        keys = [key for key, _, _ in split]
        if len(set(keys)) != len(keys) or not all(
                key in values and re.fullmatch("[0-9]+", number) for key, _, number in split):
            return
        values |= {key: int(number) for key, _, number in split}
        try:
            symbol = SymbolConfig(name, values["shares"], tuple(values[parameter.name] for parameter in declared))
        except ValueError:
            return
        if not self._has_room(symbol):
            return
        if locate is None:
            if now.strategy == "none":
                self._begin_quiet.discard(stock)
            self._begin[stock] = symbol
            return
        if now.strategy == "none":
            self._quiet.discard(locate)
        for memory in self._memories.values():
            memory.pop(locate, None)
        self._set[locate] = symbol

    def _has_room(self, symbol: SymbolConfig) -> bool:
        """Whether its strategy and parameters are some that the kernel has, or may be one more."""
        symbols = (self._config.default, *self._config.symbols.values())
        configured = {(each.strategy, each.parameters) for each in symbols if each.strategy != "none"}
        needed = {(each.strategy, each.parameters)
                  for each in [*self._begin.values(), *(self._symbol(book.stock_locate) for book in self.books)]
                  if each.strategy != "none"}
        return (symbol.strategy, symbol.parameters) in configured | needed or len(configured | needed) < SETTINGS

    @property
    def refusals(self) -> dict[Refusal, int]:
        return dict(self._refused)

    def positions(self) -> list[dict[str, Any]]:
        """By stock locate: what the export says of each book beside its levels."""
        counts = self.own.counts()
        return [self._position(self.books[entry["stock_locate"]], counts[entry["stock_locate"]])
                for entry in self.books.levels()]

    def _position(self, book: Any, open_orders: int) -> dict[str, Any]:
        locate = book.stock_locate
        symbol, position, marks = self._symbol(locate), self.own.positions[locate], self.market.marks(locate)
        if symbol.strategy == "none" or locate in self._quiet:
            marks.add("quiet")
        return {
            "stock_locate": locate, "stock": book.stock, "flags": sum(BOOK_FLAGS[mark] for mark in marks),
            "position": position.shares, "cash": position.cash, "bought": position.bought, "sold": position.sold,
            "open_orders": open_orders, "mark": self._mark(locate),
        }

    def _mark(self, locate: int) -> int:
        """Where a position could be given up now, else the last own execution."""
        position, book = self.own.positions[locate], self.books[locate]
        now = book.best_bid() if position.shares > 0 else book.best_ask() if position.shares < 0 else 0
        return now or position.last_price

    def _recovery_statistics(self) -> dict[str, int]:
        recovery = self.recovery
        return {
            "recovery_gaps": recovery.gaps if recovery else 0,
            "recovery_requests": recovery.requests if recovery else 0,
            "recovery_answers": recovery.answers if recovery else 0,
            "recovery_ignored": recovery.ignored if recovery else 0,
            "recovered_messages": recovery.recovered if recovery else 0,
            "recovery_voided": recovery.voided if recovery else 0,
            "recovery_losses": recovery.losses if recovery else 0,
        }

    @property
    def statistics(self) -> dict[str, Any]:
        """The kernel's counters by their names in the export, but for those that depend on time or on its memory."""
        held = {book.stock_locate: self.own.positions[book.stock_locate] for book in self.books}
        return {
            "records": self._records,
            "other_messages": self._other_messages,
            **asdict(self.books.statistics),
            "sequence_gaps": self._sequence_gaps,
            "live_orders": self.books.live_orders(),
            "live_levels": self.books.live_levels(),
            **self._counts,
            **{f"orders_refused_{reason}": count for reason, count in self._refused.items() if reason != "ring"},
            "suspect_books": sum(map(self._symbols.subscribed, self.market.suspects())),
            "stale": int(self.market.stale),
            "halts": self.market.halts,
            "breached_level": self.market.breached_level,
            **self._recovery_statistics(),
            "open_orders": len(self.own.open()),
            "orders_lost": self.own.lost,
            "position_cash": self.own.cash,
            "position_total": sum(abs(position.shares) for position in held.values()),
            "profit": self.own.cash + sum(
                position.shares * self._mark(locate) for locate, position in held.items()),
        }
