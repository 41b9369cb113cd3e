# SPDX-License-Identifier: MIT
"""The report's sections that are words and tables: verdict, checks, percentiles, counters, events, the run itself."""

from __future__ import annotations

import json
from html import escape
from itertools import islice
from typing import Any

from tickloop.report.counters import Counter
from tickloop.report.files import RunFiles
from tickloop.report.tables import Html, code, figure, table

SHOWN_EVENTS = 20


def verdict(files: RunFiles) -> str:
    run = files.run
    if "error" in run:
        text = f"The run did not come to its end: {escape(str(run['error']))}"
        return (f'<p class="verdict bad">{text}</p><p>What follows was recorded up to then. Nothing was checked, and '
                "there are no counters of the NIC, which are read at the end.</p>")
    bad = [check for check in run["checks"] if check["differences"]]
    total = sum(check["compared"] for check in run["checks"])
    said = f"{len(run['checks'])} checks compared {total:,} items with the reference model and with each other"
    if run["passed"]:
        return f'<p class="verdict good">Every check passed: {said}.</p>'
    return f'<p class="verdict bad">Checks failed: {len(bad)} of {len(run["checks"])}; {said}.</p>'


def checks(run: dict[str, Any]) -> str:
    rows = []
    for number, check in enumerate(run["checks"]):
        bad = check["differences"]
        outcome = Html("<br>".join(map(code, bad)) or '<span class="good">equal</span>')
        rows.append([check["name"], figure(check["compared"], f"run.json:checks.{number}.compared"), outcome])
    return table(["check", "#compared", "outcome"], rows) if rows else ""


def stations(files: RunFiles) -> list[tuple[str, str]]:
    """The boxes of the drawn data path: title and the figure beneath it."""
    stages, summary = files.stages, files.summary
    frames = f"{summary['frames']:,} frames" if summary is not None else ""
    delivered = f"{sum(summary['messages'].values()):,} messages" if summary is not None else ""
    stations = [("wire", frames), ("NIC (RTL)", _median(stages, "last_byte_to_dma_issue", "clocks to DMA")),
                ("RX ring", delivered)]
    if files.closed_loop:
        orders = next((check["compared"] for check in files.run["checks"] if check["name"] == "orders"), None)
        stations += [
            ("kernel (QEMU)", _median(stages, "dequeue_to_done", "instructions")),
            ("TX ring", "" if orders is None else f"{orders:,} orders"),
            ("wire", _median(stages, "tick_to_trade", "ns tick to trade")),
        ]
    return stations


def _median(stages: dict[str, dict[str, Any]], stage: str, unit: str) -> str:
    values = stages.get(stage)
    return f"{values['p50']} {unit}" if values and values["count"] else ""


def latency(stages: dict[str, dict[str, Any]]) -> str:
    names = ("count", "min", "p50", "mean", "p99", "p99_9", "p99_99", "max")
    rows = [[code(stage), values["unit"], *(figure(values[name], f"latency.json:stages.{stage}.{name}")
                                            for name in names)] for stage, values in stages.items()]
    return table(["stage", "unit", *(f"#{name.replace('_', '.')}" for name in names)], rows)


def tick_to_trade(stages: dict[str, dict[str, Any]]) -> str:
    """Its consecutive stages in nanoseconds: their means add up to its own."""
    names = ("min", "p50", "mean", "p99", "max")
    rows = [[code(stage), *(figure(values["ns"][name], f"latency.json:stages.{stage}.ns.{name}") for name in names)]
            for stage, values in stages.items() if "ns" in values]
    if not rows:
        return ""
    return "<h3>Tick to trade, in simulated ns</h3>" + table(["stage", *(f"#{name}" for name in names)], rows)


def counters(found: list[Counter]) -> str:
    """Those that counted something, and behind them the rest: that no order was refused is worth saying."""
    def rows(chosen: list[Counter]) -> str:
        return table(["counter", "#count", "what it counts"],
                     [[code(c.name), figure(c.value, c.source), c.meaning] for c in chosen])

    zero = [counter for counter in found if not counter.value]
    return rows([counter for counter in found if counter.value]) + (
        f"<details><summary>{len(zero)} counters are 0</summary>{rows(zero)}</details>" if zero else "")


def agree(summary: dict[str, Any]) -> str:
    agree = "equal" if summary["agree"] else '<span class="bad">do not equal</span>'
    return (f"<p>Next expected sequence number: {figure(summary['next_expected'], 'summary.json:next_expected')}. The "
            f"counters {agree} what the files say.</p>")


def events(files: RunFiles) -> str:
    lines = list(islice(files.lines("events.jsonl"), SHOWN_EVENTS + 1))
    if not lines:
        return "<p class=soft>None.</p>"
    shown = "<br>".join(code(json.dumps(line)) for line in lines[:SHOWN_EVENTS])
    return f"<p>{shown}</p>" + ("<p class=soft>More in events.jsonl.</p>" if len(lines) > SHOWN_EVENTS else "")


def run_facts(run: dict[str, Any]) -> str:
    shown = ("simulator", "seed", "mode", "delivery", "hold_ns", "format", "group", "git_commit", "kernel_sha256",
             "digest")
    rows = [[name.replace("_", " "), code(run[name])] for name in shown if run.get(name) is not None]
    others = {**run["versions"], **run["time_model"], **run.get("wall", {})}
    return table([], [*rows, *([name, value] for name, value in others.items())])
