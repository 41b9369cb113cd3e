# SPDX-License-Identifier: MIT
"""The market of a run for its report: books message by message, orders with the market around them, profit over time.

Books come from messages.jsonl through the reference model's own books, so that they are not the kernel's word; what the
kernel saw when it decided, and when it took an execution, comes from the record.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bridge.interface import LoopResult
from bridge.layout import TraceKind
from generators.tables import WireError
from tb.model.answers import fields_of
from tb.model.book import BOOK_MESSAGES, Books
from tb.model.config import KernelConfig
from tb.model.symbols import Symbols
from tickloop.own_orders import Ledger
from tickloop.rundir.answers import sequenced_messages
from tickloop.rundir.orders import last_orders, token_of

LEVELS = 8  # of a ladder's side
MOMENTS = 240  # of a symbol at which its ladder can be looked at
SYMBOLS = 10
NO_ASK = 0xFFFFFFFF

# Of an order, as the versions of OUCH name its side, shares, stock and price.
SIDE, SHARES, STOCK, PRICE = (("buy_sell_indicator", "side"), ("shares", "quantity"), ("stock", "symbol"), ("price",))


def of(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The value that one of ``names`` has; None where none is there."""
    return next((fields[name] for name in names if name in fields), None)


@dataclass
class _Symbol:
    stock: str
    time_ns: list[float] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)
    bid: list[int] = field(default_factory=list)
    ask: list[int] = field(default_factory=list)
    ladder: list[list[list[tuple[int, int, int]]]] = field(default_factory=list)


@dataclass
class Market:
    """``symbols``: by stock the moments of its book; ``best``: of each symbol every change of its best prices, for what
    a position is worth; ``left``: the books at the end, as books.json has them."""

    symbols: dict[str, dict[str, Any]]
    best: dict[str, list[tuple[float, int, int]]]
    left: list[dict[str, Any]]


def read_market(messages: Sequence[dict[str, Any]], config: KernelConfig, first: Sequence[str]) -> Market:
    """The books over ``messages``; shown are the symbols in ``first``, and then the busiest."""
    books = Books(Symbols(config), config.max_books, config.max_orders, config.max_levels)
    changes: Counter[str] = Counter()
    best: dict[str, list[tuple[float, int, int]]] = {}
    wanted = _shown(messages, first)
    found: dict[str, _Symbol] = {}
    for message in messages:
        fields = message.get("fields")
        if fields is None or message.get("verdict") == "bad" or message["type"] not in BOOK_MESSAGES:
            continue
        change = books.apply(message["type"], fields)
        if change is None:
            continue
        book, stock = change.book, change.book.stock.rstrip()
        changes[stock] += 1
        time_ns, bid, ask = message["hw_timestamp_ns"], book.best_bid(), book.best_ask()
        history = best.setdefault(stock, [])
        if not history or history[-1][1:] != (bid, ask):
            history.append((time_ns, bid, ask))
        if stock in wanted:
            symbol = found.setdefault(stock, _Symbol(stock))
            symbol.time_ns.append(time_ns)
            symbol.sequence.append(message["sequence"])
            symbol.bid.append(bid)
            symbol.ask.append(ask)
            symbol.ladder.append([book.ladder("B").best_levels(LEVELS), book.ladder("S").best_levels(LEVELS)])
    return Market({stock: _thinned(found[stock]) for stock in wanted if stock in found}, best, books.levels())


def _shown(messages: Sequence[dict[str, Any]], first: Sequence[str]) -> list[str]:
    names: dict[int, str] = {}
    busy: Counter[int] = Counter()
    for message in messages:
        fields = message.get("fields")
        if fields is not None and message["type"] in BOOK_MESSAGES:
            busy[fields["stock_locate"]] += 1
            if "stock" in fields:
                names.setdefault(fields["stock_locate"], fields["stock"].rstrip())
    ordered = list(dict.fromkeys([*first, *(names[locate] for locate, _ in busy.most_common() if locate in names)]))
    return ordered[:SYMBOLS]


def _thinned(symbol: _Symbol) -> dict[str, Any]:
    """All moments, or of many as many as can be shown, at equal steps and the last among them."""
    count = len(symbol.time_ns)
    places = sorted({round(at) for at in np.linspace(0, count - 1, min(count, MOMENTS)).tolist()})
    columns = {name: [getattr(symbol, name)[at] for at in places]
               for name in ("time_ns", "sequence", "bid", "ask", "ladder")}
    return {**columns, "changes": count}


def order_rows(orders: Iterable[dict[str, Any]], result: LoopResult | None) -> list[dict[str, Any]]:
    """Each order with the message that made it due and the best prices of its book that the kernel then saw; of an
    order beside the messages (a cancel on command), or without a record, neither."""
    causes = _causes(result) if result is not None else {}
    rows = []
    for number, order in enumerate(orders):
        fields, cause = order["fields"], causes.get(number)
        stock = of(fields, STOCK)
        rows.append({
            "number": number + 1, "time_ns": order["time_ns"], "type": order["type"], "token": token_of(fields),
            "side": of(fields, SIDE), "shares": of(fields, SHARES), "stock": stock.rstrip() if stock else None,
            "price": of(fields, PRICE), **(cause or {"sequence": None, "bid": None, "ask": None}),
        })
    return rows


def _causes(result: LoopResult) -> dict[int, dict[str, Any]]:
    """By the number of an order: sequence number, best bid and best ask of the message that it answers."""
    causes: dict[int, dict[str, Any]] = {}
    for entry, last in zip(result.trace, last_orders(result).tolist(), strict=True):
        ask = int(entry["ask"])
        cause = {"sequence": int(entry["sequence"]), "bid": int(entry["bid"]) or None,
                 "ask": None if ask in (0, NO_ASK) else ask}
        causes |= {last - back: cause for back in range(int(entry["orders"]))}
    return causes


def profit_steps(result: LoopResult, config: KernelConfig, market: Market, origin_ns: float) -> list[dict[str, Any]]:
    """After each execution that the kernel took: cash, shares held, and what both are worth, a long position at the
    best bid, a short one at the best ask, without one at the last price of such an execution."""
    answers, _ = sequenced_messages(result.raw, config)
    applied: list[tuple[int, float]] = [(note.value, note.time_ps / 1000 - origin_ns) for note in result.notes
                                        if note.kind == TraceKind.ANSWERS]
    steps: list[dict[str, Any]] = []
    last: dict[str, int] = {}
    ledger, turn = Ledger(), iter(applied)
    known, time_ns = next(turn, (0, 0.0))
    for number, message in enumerate(answers, 1):
        while known < number and (told := next(turn, None)) is not None:
            known, time_ns = told
        if known < number:
            break  # the run ended before the kernel took it
        before = ledger.executions
        try:
            ledger.answer(fields_of(message, config.ouch_version))
        except (WireError, StopIteration):
            continue  # the checks say so
        if ledger.executions > before:
            steps.append({"time_ns": round(time_ns, 3), "executions": ledger.executions,
                          "cash": sum(ledger.cash.values()), "shares": sum(map(abs, ledger.positions.values())),
                          "profit": _worth(ledger, market, last, time_ns)})
    return steps


def _worth(ledger: Ledger, market: Market, last: dict[str, int], time_ns: float) -> int:
    profit = 0
    for stock, shares in ledger.positions.items():
        history = market.best.get(stock, [])
        at = bisect_right(history, time_ns, key=lambda entry: entry[0])
        _, bid, ask = history[at - 1] if at else (0.0, 0, 0)
        last[stock] = (bid if shares > 0 else ask) or last.get(stock, 0)
        profit += ledger.cash[stock] + shares * last[stock]
    return profit
