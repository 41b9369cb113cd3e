# SPDX-License-Identifier: MIT
"""latency.csv for the report: how often which value came, by stage, and the rows of messages that can be looked at.

Read once and in pieces, whatever its length: of a stage each value is kept with its count, of the rows a bounded part.
"""

from __future__ import annotations

import csv
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from tickloop.rundir.tick_to_trade import STAGES

CHUNK = 4096  # rows at once
POINTS = 300  # of a curve
FIRST_ROWS, FIRST_ORDERS, SLOWEST = 1000, 1000, 20
TOTAL, DONE = "tick_to_trade", "dequeue_to_done"
# Of a message without an order: stage, and the figure of the time model with which its unit becomes ps.
SHORT_WAY = {"wire_first_byte_to_dma_issue": "clock_ps", "dma_to_dequeue": "", DONE: "ps_per_instruction"}


@dataclass
class Samples:
    """``counts``: by stage each value with how often it came; ``rows``: by number, from 0, the chosen messages'."""

    counts: dict[str, Counter[float]] = field(default_factory=dict)
    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    total: int = 0


def read_samples(path: Path) -> Samples:
    """All of latency.csv. The rows that are kept: the first, the first with an order, and the slowest of both kinds."""
    samples = Samples()
    with path.open(newline="", encoding="ascii") as file:
        reader = csv.reader(file)
        names = next(reader)
        texts: list[Counter[str]] = [Counter() for _ in names]
        slowest: dict[str, list[tuple[float, int, list[str]]]] = {TOTAL: [], DONE: []}
        columns = {name: names.index(name) for name in slowest if name in names}
        ordered = 0
        while rows := list(islice(reader, CHUNK)):
            for counted, cells in zip(texts, zip(*rows, strict=True), strict=True):
                counted.update(cells)
            for number, row in enumerate(rows, samples.total):
                has_order = TOTAL in columns and row[columns[TOTAL]] != ""
                ordered += has_order
                if number < FIRST_ROWS or (has_order and ordered <= FIRST_ORDERS):
                    samples.rows[number] = _values(names, row)
                for name, column in columns.items():
                    if row[column]:
                        _keep_slowest(slowest[name], (float(row[column]), number, row))
            samples.total += len(rows)
    for kept in slowest.values():
        samples.rows |= {number: _values(names, row) for _, number, row in kept}
    for name, counted in list(zip(names, texts, strict=True))[1:]:
        values: Counter[float] = Counter()
        for text, count in counted.items():
            if text:
                values[float(text)] += count
        if values:
            samples.counts[name] = values
    samples.rows = dict(sorted(samples.rows.items()))
    return samples


def _keep_slowest(kept: list[tuple[float, int, list[str]]], entry: tuple[float, int, list[str]]) -> None:
    if len(kept) < SLOWEST:
        heapq.heappush(kept, entry)
    elif entry[0] > kept[0][0]:
        heapq.heapreplace(kept, entry)


def _values(names: Sequence[str], row: Sequence[str]) -> dict[str, float]:
    return {name: float(text) for name, text in zip(names[1:], row[1:], strict=True) if text}


def curve(counts: Mapping[float, int]) -> dict[str, list[float]]:
    """Which share of the samples no value exceeds: of many values those at equal steps of rank, the ends among them."""
    values = sorted(counts)
    reached = list(accumulate(counts[value] for value in values))
    total = reached[-1]
    if len(values) > POINTS:
        kept, rank = [0], 0.0
        for at, count in enumerate(reached):
            # The upper end is where percentiles beyond the 99th are: all of it stays.
            if count >= rank + total / POINTS or total - count < POINTS / 2:
                kept.append(at)
                rank = count
        places = sorted({*kept, len(values) - 1})
    else:
        places = list(range(len(values)))
    return {"x": [values[at] for at in places], "y": [round(100 * reached[at] / total, 6) for at in places]}


def way_ns(row: Mapping[str, float], time_model: Mapping[str, int]) -> list[float]:
    """A message's way in ns, stage by stage: the nine stages of tick to trade, or the three of one without an order;
    empty where times are not simulated."""
    if f"{STAGES[0]}_ns" in row:
        return [row[f"{stage}_ns"] for stage in STAGES]
    if not all(stage in row for stage in SHORT_WAY):
        return []
    return [round(row[stage] * time_model[unit] / 1000 if unit else row[stage], 3) for stage, unit in SHORT_WAY.items()]


def way_lines(samples: Samples, messages: Mapping[int, dict[str, Any]], symbols: Mapping[int, str],
              time_model: Mapping[str, int]) -> list[dict[str, Any]]:
    """The messages that can be chosen, each with its way."""
    chosen = []
    for number, row in samples.rows.items():
        way, message = way_ns(row, time_model), messages.get(number)
        if way and message is not None:
            locate = (message.get("fields") or {}).get("stock_locate", 0)
            chosen.append({"sequence": message["sequence"], "type": message["type"] or "none",
                           "stock": symbols.get(locate, "").rstrip(), "time_ns": message["hw_timestamp_ns"], "ns": way})
    return chosen
