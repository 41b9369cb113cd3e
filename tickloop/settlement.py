# SPDX-License-Identifier: MIT
"""What must hold at the end of a run with an exchange: kernel, exchange and the log of answers agree on positions and
cash, and every order has ended in exactly one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.interface import TraceNote
from bridge.layout import LinkState, TraceKind
from tb.scoreboard import Comparison, compare
from tickloop.own_orders import IGNORED, OPEN, Ledger, keys_sent
from tickloop.rundir.books import Export
from tickloop.rundir.json_lines import Line


def check_positions(ledger: Ledger, export: Export, exchange: Mapping[str, Any]) -> list[Comparison]:
    """The answers' ledger with the kernel's, and with the exchange's."""
    kernel = {entry["stock"].rstrip(): (entry["position"], entry["cash"]) for entry in export.positions}
    told = {stock: (shares, ledger.cash[stock]) for stock, shares in ledger.positions.items()}
    stocks = sorted(stock for stock in {*kernel, *told} if any(kernel.get(stock, ())) or any(told.get(stock, ())))
    client = exchange["client"]
    return [
        compare([_line(stock, told) for stock in stocks], [_line(stock, kernel) for stock in stocks],
                "positions and cash of the kernel", may_be_empty=True),
        compare({"cash": sum(ledger.cash.values()),
                 "positions": {stock: shares for stock, shares in ledger.positions.items() if shares}},
                {"cash": client["cash"],
                 "positions": {stock.rstrip(): shares for stock, shares in client["positions"].items()}},
                "positions and cash of the exchange"),
    ]


def _line(stock: str, entries: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    position, cash = entries.get(stock, (0, 0))
    return {"stock": stock, "position": position, "cash": cash}


def link_broke(notes: Sequence[TraceNote]) -> bool:
    """Whether order entry was ready and then down, before the end of the session."""
    return sum(note.kind == TraceKind.LINK and note.value == LinkState.DOWN for note in notes) > 1


def check_ends(ledger: Ledger, orders: Sequence[Line], export: Export, exchange: Mapping[str, Any],
               broke: bool = False) -> Comparison:
    """Each order that left, as the answers and as the exchange say that it ended. One that the exchange was never to
    take (a replacement for an order that was over, say) has ended by being ignored; what of that the kernel cannot know
    when the link ``broke`` and the session ended, it holds as unknown."""
    at_exchange = {order["key"]: order["end"] for order in exchange["client"]["orders"]}
    keys = keys_sent(orders)
    told = [{"order": key, "end": ledger.orders[key].end if key in ledger.orders else IGNORED} for key in keys]
    comparison = compare(told, [{"order": key, "end": at_exchange.get(key, IGNORED)} for key in keys],
                         "ends of orders", may_be_empty=True)
    left_open = [key for key, order in ledger.orders.items() if order.end == OPEN]
    unsent = {*ledger.orders, *at_exchange} - set(keys)
    faults = [*ledger.problems, *(f"order {key} has no end" for key in left_open),
              *(f"order {key} never left" for key in sorted(unsent, key=str))]
    unknown = sum(line["end"] == IGNORED for line in told) if broke else 0
    if export.statistics.get("open_orders", 0) > unknown:
        faults.append(f"the kernel holds {export.statistics['open_orders']} orders as open")
    if len(set(keys)) != len(keys):
        faults.append("two orders left with one key")
    comparison.differences += [f"ends of orders: {fault}" for fault in faults]
    return comparison
