# SPDX-License-Identifier: MIT
"""What differs between two runs, for the report of the first: inputs, figures, and the first event that is another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tickloop.diff import difference_lines
from tickloop.divergence import ALL_LOGS, NIC_LOGS, first_difference, likely_causes
from tickloop.exits import TickloopError
from tickloop.recorded import load
from tickloop.report.files import RunFiles
from tickloop.report.tables import Html, code, figure, table

# Keys of run.json in which equal runs differ.
NOT_COMPARED = ("wall", "command_line", "digest", "checks", "versions")
LONGEST = 60  # characters of a value
PERCENTILES = ("count", "mean", "p50", "p99", "p99_9", "max")


def against_section(first: RunFiles, second: RunFiles) -> str:
    """The section; figures of the first run carry where they are from."""
    parts = [f"<p>This run: {code(first.directory)}; the second run: {code(second.directory)}.</p>",
             _first_difference(first, second)]
    rows = [[name, code(_short(a)), code(_short(b))] for name, a, b in _differences(_facts(first), _facts(second))]
    parts += ["<h3>Facts and counters that differ</h3>", table(["what", "this run", "second run"], rows)]
    latency = []
    for stage, values in first.stages.items():
        other = second.stages.get(stage)
        if other is None or not (values["count"] or other["count"]):
            continue
        cells: list[Any] = []
        for name in PERCENTILES:
            same = values[name] == other[name]
            mine = figure(values[name], f"latency.json:stages.{stage}.{name}")
            cells.append(mine if same else Html(f"{mine} <span class=soft>→</span> {_plain(other[name])}"))
        latency.append([code(stage), values["unit"], *cells])
    parts += ["<h3>Latency of both</h3>",
              table(["stage", "unit", *(f"#{name.replace('_', '.')}" for name in PERCENTILES)], latency)]
    return "\n".join(parts)


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _plain(value: Any) -> str:
    return "none" if value is None else f"{value:,}"


def _first_difference(first: RunFiles, second: RunFiles) -> str:
    """As ``tickloop diff`` tells it."""
    try:
        a, b = load(first.directory), load(second.directory)
    except TickloopError as error:
        return f"<p class=note>The records were not compared: {code(error)}</p>"
    logs = NIC_LOGS if a.is_rtl_replay or b.is_rtl_replay else ALL_LOGS
    difference = first_difference(a, b, logs)
    if difference is None:
        return "<p class=good>The two runs are equal, event by event and time by time.</p>"
    lines = [*(f"not the same input: {cause}" for cause in likely_causes(a, b)),
             *difference_lines(difference, ("this run", "second run"), a)]
    return "<p>" + "<br>".join(code(line) for line in lines) + "</p>"


def _facts(files: RunFiles) -> dict[str, Any]:
    run = {name: value for name, value in files.run.items() if name not in NOT_COMPARED}
    return {"run.json": run, **({"summary.json": files.summary} if files.summary is not None else {})}


def _differences(a: Any, b: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Name and both values of every leaf that differs."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            yield from _differences(a.get(key), b.get(key), f"{name}.{key}".lstrip("."))
    elif a != b:
        yield name, a, b
