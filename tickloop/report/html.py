# SPDX-License-Identifier: MIT
"""report.html from a run directory: one file without external resources, readable on light and dark screens.

It is made from the directory's files alone, so ``tickloop report DIR`` rebuilds it at any later time.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from generators.tables import PRICE_SCALE
from tickloop.exits import UsageError
from tickloop.report.figures import figures
from tickloop.report.svg import data_path, histogram

SHOWN_ORDERS = 20
# Of an order, as the versions of OUCH name its token, side, shares, stock and price.
_ORDER_FIELDS = (("order_token", "replacement_order_token", "user_ref_num"), ("buy_sell_indicator", "side"),
                 ("shares", "quantity"), ("stock", "symbol"), ("price",))
SHOWN_EVENTS = 20
NOT_REPRODUCIBLE = ("<p class=bad>A run in free mode: its times are those of this machine under its load, and no other "
                    "run repeats them. What was done is comparable, and clocks inside the NIC.</p>")
CHUNK = 4096  # rows of latency.csv at once

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6775; --paper: #fff; --box: #f3f5f8; --line: #c9d1da;
  --good: #1a7f4b; --bad: #b3261e; --mark: #2563a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ee; --soft: #98a4b2; --paper: #14181d; --box: #1e242b;
  --line: #3a444f; --good: #4cc38a; --bad: #ff8a80; --mark: #79b0ee; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.verdict { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); } .soft { color: var(--soft); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 500; } td.n, th.n { text-align: right; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg .soft { fill: var(--soft); font-size: 11px; } svg .box { fill: var(--box); stroke: var(--line); }
svg .bar { fill: var(--mark); } svg .wire { stroke: var(--mark); fill: none; stroke-width: 1.5; }
svg .tip { fill: var(--mark); } .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
"""


def write_report(directory: Path) -> Path:
    """Builds ``directory``/report.html; returns its path.

    Raises:
        UsageError: the directory holds no finished run.
    """
    try:
        run, summary, latency = (_json(directory / name) for name in ("run.json", "summary.json", "latency.json"))
        report = directory / "report.html"
        report.write_text(_page(directory, run, summary, latency["stages"]), encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{directory}: no finished run here ({Path(error.filename).name} is missing)") from None
    except (ValueError, KeyError, TypeError, AttributeError, NotADirectoryError) as error:
        # Files that are no JSON, or JSON of another shape than a run leaves.
        raise UsageError(f"{directory}: not a run directory ({error})") from None
    return report


def _page(directory: Path, run: dict[str, Any], summary: dict[str, Any], stages: dict[str, dict[str, Any]]) -> str:
    verdict = ("good", "Every check passed") if run["passed"] else ("bad", "Checks failed")
    closed_loop = run["command"] == "sim"
    parts = [
        f"<h1>tickloop {escape(run['command'])}: {escape(run['input'])}</h1>",
        f'<p class="verdict {verdict[0]}">{verdict[1]}.</p>',
        f"<p class=soft><code>{escape(run['command_line'])}</code></p>",
        data_path(_stations(run, summary, stages), closed_loop),
        "<h2>Figures</h2>", _table([], [[escape(cell) for cell in row] for row in figures(run, summary, stages)]),
        "<h2>Checks</h2>", _checks(run),
        "<h2>Latency</h2>", "" if run["reproducible"] else NOT_REPRODUCIBLE, _latency(stages),
        _tick_to_trade(stages), _charts(directory, stages),
        "<h2>Receive counters</h2>", _counters(summary),
    ]
    if closed_loop:
        parts += ["<h2>Kernel counters</h2>", _kernel(run["kernel_statistics"]), "<h2>Orders</h2>", _orders(directory),
                  "<h2>Positions</h2>", _positions(directory)]
    parts += ["<h2>Events</h2>", _events(directory), "<h2>The run</h2>", _run(run)]
    return (f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>tickloop: {escape(run['input'])}</title><style>{STYLE}</style>\n" + "\n".join(parts) + "</html>\n")


def _stations(run: dict[str, Any], summary: dict[str, Any], stages: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """The boxes of the drawn data path: title and the figure beneath it."""
    delivered = sum(summary["messages"].values())
    stations = [
        ("wire", f"{summary['frames']:,} frames"),
        ("NIC (RTL)", _figure(stages, "last_byte_to_dma_issue", "clocks to DMA")),
        ("RX ring", f"{delivered:,} messages"),
    ]
    if run["command"] == "sim":
        orders = next((entry["compared"] for entry in run["checks"] if entry["name"] == "orders"), 0)
        stations += [
            ("kernel (QEMU)", _figure(stages, "dequeue_to_done", "instructions")),
            ("TX ring", f"{orders:,} orders"),
            ("wire", _figure(stages, "tick_to_trade", "ns tick to trade")),
        ]
    return stations


def _figure(stages: dict[str, dict[str, Any]], stage: str, unit: str) -> str:
    values = stages.get(stage)
    return f"{values['p50']} {unit}" if values and values["count"] else ""


def _checks(run: dict[str, Any]) -> str:
    rows = []
    for check in run["checks"]:
        bad = check["differences"]
        outcome = "<br>".join(f"<code>{escape(text)}</code>" for text in bad) or '<span class="good">equal</span>'
        rows.append([escape(check["name"]), f"{check['compared']:,}", outcome])
    return _table(["check", "#compared", "outcome"], rows)


def _latency(stages: dict[str, dict[str, Any]]) -> str:
    names = ("count", "min", "p50", "mean", "p99", "p99_9", "p99_99", "max")
    rows = []
    for stage, values in stages.items():
        cells = ["" if values[name] is None else f"{values[name]:,}" for name in names]
        rows.append([f"<code>{escape(stage)}</code>", escape(values["unit"]), *cells])
    return _table(["stage", "unit", *(f"#{name.replace('_', '.')}" for name in names)], rows)


def _tick_to_trade(stages: dict[str, dict[str, Any]]) -> str:
    """Its consecutive stages in nanoseconds: their means add up to its own."""
    names = ("min", "p50", "mean", "p99", "max")
    rows = [[f"<code>{escape(stage)}</code>", *("" if values["ns"][name] is None else f"{values['ns'][name]:,}"
                                                for name in names)]
            for stage, values in stages.items() if "ns" in values]
    if not rows:
        return ""
    return "<h3>Tick to trade, in simulated ns</h3>" + _table(["stage", *(f"#{name}" for name in names)], rows)


def _charts(directory: Path, stages: dict[str, dict[str, Any]]) -> str:
    with (directory / "latency.csv").open(newline="", encoding="ascii") as file:
        reader = csv.reader(file)
        names = next(reader)[1:]
        texts: list[Counter[str]] = [Counter() for _ in names]
        while rows := list(islice(reader, CHUNK)):
            for counted, column in zip(texts, list(zip(*rows, strict=True))[1:], strict=True):
                counted.update(column)
    charts = []
    for name, counted in zip(names, texts, strict=True):
        samples: Counter[float] = Counter()
        for text, count in counted.items():
            if text:
                samples[float(text)] += count
        if samples and name in stages:  # not once more in nanoseconds
            charts.append(histogram(samples, name, stages[name]["unit"]))
    return f'<div class=charts>{"".join(charts)}</div>'


def _counters(summary: dict[str, Any]) -> str:
    rows = [["frames", f"{summary['frames']:,}"], ["accepted", f"{summary['accepted']:,}"]]
    rows += [[f"dropped: {escape(reason)}", f"{count:,}"] for reason, count in summary["dropped"].items() if count]
    rows += [[f"messages: {escape(status)}", f"{count:,}"] for status, count in summary["messages"].items() if count]
    rows += [[name.replace("_", " "), f"{summary[name]:,}"] for name in
             ("bad_messages", "duplicates", "filtered", "gaps", "ring_full_dropped", "too_large_dropped", "raw_frames",
              "raw_dropped") if summary.get(name)]
    if summary.get("frames_b"):
        rows += [[f"{what} of line B", f"{summary[f'{what}_b']:,}"] for what in ("frames", "accepted")]
        rows.append(["messages of which line B's copy came first", f"{summary['messages_b']:,}"])
    rows += [["next expected sequence", str(summary["next_expected"])],
             ["counters equal the files", "yes" if summary["agree"] else '<span class="bad">no</span>']]
    return _table([], rows)


def _orders(directory: Path) -> str:
    rows = []
    total = 0
    with (directory / "orders.jsonl").open(encoding="ascii") as file:
        for line in file:
            total += 1
            if total <= SHOWN_ORDERS:
                order = json.loads(line)
                token, side, shares, stock, price = (
                    next((order["fields"][name] for name in names if name in order["fields"]), None)
                    for names in _ORDER_FIELDS)
                rows.append([f"{order['time_ns']:,}", escape(order["type"]), escape(str(token)), escape(side or ""),
                             "" if shares is None else f"{shares:,}", escape(stock or ""),
                             "" if price is None else _price(price)])
    if not total:
        return "<p>None.</p>"
    more = f"<p class=soft>The first {SHOWN_ORDERS} of {total:,}; all are in orders.jsonl and orders.pcap.</p>" \
        if total > SHOWN_ORDERS else ""
    return _table(["#time, ns", "type", "token", "side", "#shares", "stock", "#price"], rows) + more


def _positions(directory: Path) -> str:
    """Of the symbols that traded."""
    path = directory / "positions.json"
    entries = _json(path)["symbols"] if path.exists() else []
    rows = [[escape(entry["stock"]), f"{entry['position']:,}", f"{entry['bought']:,}", f"{entry['sold']:,}",
             _price(entry["cash"]), _price(entry["mark"]), _price(entry["cash"] + entry["position"] * entry["mark"])]
            for entry in entries if entry["bought"] or entry["sold"]]
    if not rows:
        return "<p>None.</p>"
    return _table(["stock", "#position", "#bought", "#sold", "#cash", "#mark", "#profit"], rows)


def _price(value: int) -> str:
    """Four implied decimals."""
    return f"{'-' if value < 0 else ''}{abs(value) // PRICE_SCALE:,}.{abs(value) % PRICE_SCALE:04d}"


def _events(directory: Path) -> str:
    with (directory / "events.jsonl").open(encoding="ascii") as file:
        lines = list(islice(file, SHOWN_EVENTS + 1))
    if not lines:
        return "<p>None.</p>"
    shown = "<br>".join(f"<code>{escape(line.strip())}</code>" for line in lines[:SHOWN_EVENTS])
    return f"<p>{shown}</p>" + ("<p class=soft>More in events.jsonl.</p>" if len(lines) > SHOWN_EVENTS else "")


def _run(run: dict[str, Any]) -> str:
    shown = ("simulator", "seed", "mode", "delivery", "hold_ns", "format", "group", "git_commit", "kernel_sha256",
             "digest")
    values = {name.replace("_", " "): run[name] for name in shown if run.get(name) is not None}
    rows = [[escape(name), f"<code>{escape(str(value))}</code>"] for name, value in values.items()]
    others = {**run["versions"], **run["time_model"], **run["wall"]}
    rows += [[escape(name), escape(str(value))] for name, value in others.items()]
    return _table([], rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML; a header that begins with # is a column of numbers."""
    numeric = [name.startswith("#") for name in header] or [False] * (len(rows[0]) if rows else 0)
    kinds = [" class=n" if number else "" for number in numeric]
    lines = [[f"<td{kind}>{cell}" for kind, cell in zip(kinds, row, strict=True)] for row in rows]
    if header:
        lines.insert(0, [f"<th{kind}>{escape(name.lstrip('#'))}" for kind, name in zip(kinds, header, strict=True)])
    body = "".join("<tr>" + "".join(cells) for cells in lines)
    return f"<div class=wide><table>{body}</table></div>"


def _kernel(statistics: dict[str, int]) -> str:
    """Also what is zero: that no order was refused is worth saying."""
    return _table(["counter", "#count"], [[escape(name.replace("_", " ")), f"{count:,}"]
                                          for name, count in statistics.items()])


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="ascii"))
