# SPDX-License-Identifier: MIT
"""A run's directory from what was observed: see docs/run-directory.md for every file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.interface import LoopResult
from generators.captures import write_pcap
from tickloop.rundir.files import write_json, write_json_array, write_json_lines
from tickloop.rundir.observed import Observed
from tickloop.rundir.orders import sent_time_ns


def write_outcome(out: Path, result: LoopResult, observed: Observed, agree: bool, run: dict[str, Any],
                  closed_loop: bool) -> None:
    """Writes the files that tell the end of a run; report.html is made from all, console.log is the bridge's.
    ``agree``: counters and files do."""
    if closed_loop:
        write_books(out, observed)
    if result.exchange is not None:
        write_json(out / "exchange.json", result.exchange)
    write_json(out / "summary.json", {**observed.counters, "agree": agree})
    write_json(out / "run.json", run)


def write_logs(out: Path, result: LoopResult, observed: Observed, closed_loop: bool) -> None:
    """Writes the files that grow with the run."""
    write_json_lines(out / "frames.jsonl", observed.frames)
    write_json_lines(out / "messages.jsonl", observed.messages)
    write_json_lines(out / "events.jsonl", observed.events)
    write_json(out / "latency.json", {"stages": observed.latency.summary()})
    observed.latency.write_csv(out / "latency.csv")
    if closed_loop:
        write_json_lines(out / "orders.jsonl", observed.orders)
        write_pcap(out / "orders.pcap", [(max(0, sent_time_ns(result, sent)), sent.data) for sent in result.sent])


def write_books(out: Path, observed: Observed) -> None:
    """The kernel's books as it exported them, and what it made of its orders."""
    export = observed.export
    write_json_array(out / "books.json", export.books)
    write_json(out / "positions.json", {
        "cash": export.statistics.get("position_cash", 0), "profit": export.statistics.get("profit", 0),
        "executions": export.statistics.get("executions", 0), "symbols": export.positions,
    })
