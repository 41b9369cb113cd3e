# SPDX-License-Identifier: MIT
"""The report's sections with plots and controls: what page.js draws is put into the page's data here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from tb.model.config import KernelConfig
from tickloop.report.files import RunFiles
from tickloop.report.market import Market, profit_steps
from tickloop.report.samples import Samples, curve, way_lines
from tickloop.report.tables import figure, price, price_figure, table
from tickloop.report.timeline import message_times, occupancy, origin_ns, rates

SHOWN_ORDERS = 50
MOST_MESSAGES = 100_000  # whose times are drawn
MOST_OF_MARKET = 20_000  # whose books are followed


@dataclass
class Page:
    """Sections in their order, and the data that the plots are drawn from."""

    sections: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def add(self, title: str, *parts: str) -> None:
        self.sections.append((title, "\n".join(part for part in parts if part)))


def one_message(page: Page, files: RunFiles, samples: Samples, messages: Sequence[dict[str, Any]]) -> str:
    """The waterfall of a message that can be chosen."""
    needed = {number: messages[number] for number in samples.rows if number < len(messages)}
    names: dict[int, str] = {}
    for message in messages:
        fields = message.get("fields") or {}
        if "stock" in fields:
            names.setdefault(fields["stock_locate"], fields["stock"])
    page.data["messages"] = way_lines(samples, needed, names, files.run["time_model"])
    if not page.data["messages"]:
        return ""
    shown = len(page.data["messages"])
    of = (f" The list has {shown:,} of {samples.total:,} messages: the first, the first with an order, and the slowest."
          if shown < samples.total else "")
    return ("<h3>One message, stage by stage</h3><div class=controls><label>message <select id=message></select>"
            "</label><span class=soft>in all <output id=way-total></output> ns</span></div>"
            "<div id=waterfall class=plot></div>"
            f"<p class=soft>Stages are those of docs/latency.md; each begins where the one before it ends.{of}</p>")


def curves(samples: Samples) -> dict[str, dict[str, list[float]]]:
    return {stage: curve(counts) for stage, counts in samples.counts.items()}


def distribution(page: Page, samples: Samples, stages: dict[str, dict[str, Any]]) -> str:
    page.data["curves"] = curves(samples)
    page.data["units"] = {stage: stages[stage]["unit"] if stage in stages else "simulated ns"
                          for stage in samples.counts}
    if not samples.counts:
        return "<p class=soft>No message reached the host.</p>"
    return ("<h3>All messages: share of samples up to a value</h3><div class=controls><label>stage "
            "<select id=stage></select></label></div><div id=cdf class=plot></div>")


def timeline(page: Page, files: RunFiles, messages: Sequence[dict[str, Any]]) -> str:
    series: dict[str, Any] = dict(message_times(messages))
    series["orders"] = [order["time_ns"] for order in files.lines("orders.jsonl", MOST_MESSAGES)]
    page.data["rates"] = rates(series)
    parts = ["<div class=two>"]
    if page.data["rates"]:
        parts.append("<div><h3>Messages and orders</h3><div id=rates class=plot></div></div>")
    else:
        parts.append("<p class=soft>There is no time over which anything came.</p>")
    if files.result is not None and files.closed_loop:
        page.data["occupancy"] = occupancy(files.result, 1 << files.result.rx_log2)
    if filled := page.data.get("occupancy"):
        parts.append(f"<div><h3>RX ring: lines not yet consumed, at most {filled['peak']:,} of {filled['slots']:,}</h3>"
                     "<div id=occupancy class=plot></div></div>")
    parts.append("</div>")
    if len(messages) == MOST_MESSAGES:
        parts.append(f"<p class=note>Of the first {MOST_MESSAGES:,} messages.</p>")
    if files.without_record:
        parts.append(f"<p class=note>No ring occupancy, and orders without their market: {escape(files.without_record)}"
                     "</p>")
    return "\n".join(parts)


def followed_config(run: dict[str, Any]) -> KernelConfig:
    """Of the run's configuration what books and answers need; every symbol is followed."""
    known = ("max_books", "max_orders", "max_levels", "ouch_version", "destination_address", "destination_port")
    return replace(KernelConfig(), **{name: run["config"][name] for name in known if name in run["config"]})


def market_section(page: Page, files: RunFiles, market: Market, messages: int) -> str:
    page.data["symbols"] = market.symbols
    if not market.symbols:
        return "<p class=soft>No message changed a book.</p>"
    parts = ["<div class=controls><label>symbol <select id=stock></select></label><label>time</label>"
             "<input type=range id=moment min=0 step=1 aria-label=time><output id=moment-time></output></div>",
             "<div class=two><div id=market class=plot></div><div><table class=ladder><thead><tr><th>orders"
             "<th>bid shares<th>price<th>ask shares<th>orders</thead><tbody id=ladder></tbody></table></div></div>"]
    notes = ["Books as the messages in messages.jsonl make them, by the reference model."]
    changes = sum(symbol["changes"] for symbol in market.symbols.values())
    if messages > MOST_OF_MARKET:
        notes.append(f"Of the first {MOST_OF_MARKET:,} messages.")
    elif (left := files.document("books.json")) is not None:
        made = {book["stock_locate"]: book for book in market.left}
        equal = sum(made.get(book["stock_locate"]) == book for book in left)
        notes.append(f"{equal:,} of the {len(left):,} books that the kernel left are the same.")
    shown = sum(len(symbol["time_ns"]) for symbol in market.symbols.values())
    if shown < changes:
        notes.append(f"The ladder can be looked at after {shown:,} of {changes:,} changes.")
    return "\n".join([*parts, f"<p class=soft>{' '.join(notes)}</p>"])


def orders_section(orders: list[dict[str, Any]], files: RunFiles) -> str:
    exchange = files.document("exchange.json")
    ends = {str(order["key"]): order["end"] for order in exchange["client"]["orders"]} if exchange else {}
    rows = []
    for order in orders[:SHOWN_ORDERS]:
        line = f"orders.jsonl:{order['number'] - 1}"
        fields = {name: f"{line}.fields.{name}" for name in ("shares", "quantity", "price")}
        shares = fields["quantity" if order["token"].isdigit() else "shares"]
        row = [order["number"], figure(order["time_ns"], f"{line}.time_ns"), order["type"], order["token"],
               order["side"], figure(order["shares"], shares), order["stock"],
               price_figure(order["price"], fields["price"]), order["sequence"],
               *("" if order[name] is None else price(order[name]) for name in ("bid", "ask"))]
        rows.append([*row, *([ends.get(order["token"], "")] if exchange else [])])
    header = ["#", "#time, ns", "type", "token", "side", "#shares", "stock", "#price", "#of message", "#best bid",
              "#best ask", *(["end"] if exchange else [])]
    more = f"<p class=soft>The first {SHOWN_ORDERS} of {len(orders):,}; all are in orders.jsonl and orders.pcap.</p>" \
        if len(orders) > SHOWN_ORDERS else ""
    return ("<h3>Orders, with the best prices that the kernel saw when it decided</h3>" + table(header, rows) + more)


def profit_section(page: Page, files: RunFiles, market: Market) -> str:
    positions = files.document("positions.json")
    if positions is None:
        return "<p class=soft>The kernel had not handed out its positions.</p>"
    rows = []
    for number, entry in enumerate(positions["symbols"]):
        if entry["bought"] or entry["sold"]:
            source = f"positions.json:symbols.{number}"
            worth = entry["cash"] + entry["position"] * entry["mark"]
            rows.append([entry["stock"], *(figure(entry[name], f"{source}.{name}") for name in
                                           ("position", "bought", "sold")),
                         *(price_figure(entry[name], f"{source}.{name}") for name in ("cash", "mark")), price(worth)])
    totals = (f"<p>Executions {figure(positions['executions'], 'positions.json:executions')}, cash "
              f"{price_figure(positions['cash'], 'positions.json:cash')}, profit "
              f"<b>{price_figure(positions['profit'], 'positions.json:profit')}</b>.</p>")
    steps: list[dict[str, Any]] = []
    if files.result is not None and positions["executions"] and market.best:
        steps = profit_steps(files.result, followed_config(files.run), market, origin_ns(files.result))
    page.data["profit"] = steps
    if not rows:
        return totals + "<p class=soft>Nobody executed an order.</p>"
    return (totals + ("<div id=profit class=plot></div>" if steps else "")
            + table(["stock", "#position", "#bought", "#sold", "#cash", "#mark", "#profit"], rows))
