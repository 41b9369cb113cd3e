# SPDX-License-Identifier: MIT
"""Latency by stage, one sample a message where the stage applies; docs/latency.md defines each stage.

Clock counts and instruction counts are exact. Percentiles are nearest-rank: the smallest sample that at least so many
per cent of the samples do not exceed, so every figure is one that was measured.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.interface import LoopResult
from bridge.layout import DropReason
from tickloop.rundir.frames import EXTRA_DATA, TRUNCATED
from tickloop.rundir.lines import Records
from tickloop.rundir.orders import last_orders, orders_traced, segments_sent
from tickloop.rundir.tick_to_trade import BETWEEN_CLOCKS, STAGES, TickToTradeError, boundaries

CLOCKS, NANOSECONDS, INSTRUCTIONS, TSC = "clock cycles", "simulated ns", "executed instructions", "TSC cycles"
PERCENTILES = {"p50": Fraction(50, 100), "p99": Fraction(99, 100), "p99_9": Fraction(999, 1000),
               "p99_99": Fraction(9999, 10_000)}
Samples = npt.NDArray[np.float64]


@dataclass
class Latency:
    """Samples by stage, one a message: NaN where a stage does not apply to it."""

    sequence: list[int]
    units: dict[str, str] = field(default_factory=dict)
    samples: dict[str, Samples] = field(default_factory=dict)
    nanoseconds: dict[str, Samples] = field(default_factory=dict)  # the consecutive stages of tick_to_trade
    problems: list[str] = field(default_factory=list)

    def add(self, stage: str, unit: str, values: npt.NDArray[Any], where: npt.NDArray[Any]) -> None:
        """Records ``values``, one a message, ``where`` the stage applies."""
        column = np.full(len(self.sequence), np.nan)
        column[where] = values[where]
        self.units[stage] = unit
        self.samples[stage] = column

    def summary(self) -> dict[str, dict[str, Any]]:
        """The ``stages`` of latency.json; those of tick_to_trade's way in simulated ns, too."""
        stages = {stage: {**_of_column(column), "unit": self.units[stage]} for stage, column in self.samples.items()}
        for stage, column in self.nanoseconds.items():
            stages[stage]["ns"] = _of_column(column)
        return stages

    def write_csv(self, path: Path) -> None:
        """One row a message: its sequence number and a column a stage, empty where it does not apply. The stages of
        tick_to_trade's way have one more in simulated ns, ``<stage>_ns``."""
        samples = self.samples | {f"{stage}_ns": column for stage, column in self.nanoseconds.items()}
        columns = [_cells(column) for column in samples.values()]
        with path.open("w", newline="", encoding="ascii") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["sequence", *samples])
            writer.writerows(zip(self.sequence, *columns, strict=True))


def _cells(column: Samples) -> list[int | float | None]:
    cells: list[int | float | None] = [None] * len(column)
    for row in np.flatnonzero(~np.isnan(column)).tolist():
        cells[row] = _number(column[row])
    return cells


def _of_column(column: Samples) -> dict[str, Any]:
    return statistics(column[~np.isnan(column)])


def statistics(samples: Samples) -> dict[str, Any]:
    """Count, mean, extremes and nearest-rank percentiles; null figures where there is no sample."""
    names = ("mean", "min", *PERCENTILES, "max")
    if not len(samples):
        return {"count": 0, **dict.fromkeys(names)}
    ordered = np.sort(samples)
    ranks = {name: -(-len(ordered) * p.numerator // p.denominator) for name, p in PERCENTILES.items()}
    return {
        "count": len(ordered), "mean": round(float(ordered.mean()), 3), "min": _number(ordered[0]),
        **{name: _number(ordered[rank - 1]) for name, rank in ranks.items()}, "max": _number(ordered[-1]),
    }


def measure(result: LoopResult, records: Records, frame: npt.NDArray[np.int64]) -> Latency:
    """The stages of a run. ``frame`` is each record's frame, -1 where it has none."""
    latency = Latency(records.column("sequence").tolist())
    count = len(records)
    has_frame = frame >= 0
    index = np.where(has_frame, frame, 0)
    issued = records.clock.astype(np.int64)
    if not len(result.frames):
        has_frame[:] = False
        first = last = np.zeros(count, np.int64)
        clean = np.zeros(count, bool)
    else:
        first = result.frames["first_clock"].astype(np.int64)[index]
        last = result.frames["last_clock"].astype(np.int64)[index]
        # The frame's last beat is its last message's last byte only where nothing follows the messages, and that
        # message is among the records only where the filter let it through.
        clean = ((result.frames["flags"] & (TRUNCATED | EXTRA_DATA)) == 0)[index]
        clean &= (result.frames["reason"] == DropReason.ACCEPT)[index]
        behind = result.frames["sequence"] + result.frames["count"].astype(np.uint64)
        clean &= records.column("sequence") + np.uint64(1) == behind[index]
    final = np.append(frame[1:] != frame[:-1], True) if count else np.zeros(0, bool)
    latency.add("wire_first_byte_to_dma_issue", CLOCKS, issued - first, has_frame)
    latency.add("last_byte_to_dma_issue", CLOCKS, issued - last, has_frame & final & clean)
    if len(result.trace):
        _guest_stages(latency, result, issued, first, has_frame)
    if "tick_to_trade" in latency.samples and len(result.valid):
        _tick_to_trade(latency, result, records, frame)
    return latency


def _tick_to_trade(latency: Latency, result: LoopResult, records: Records, frame: npt.NDArray[np.int64]) -> None:
    """Its consecutive stages, each in its own unit and in ns, for the messages with an order."""
    where = ~np.isnan(latency.samples["tick_to_trade"])
    rows = np.flatnonzero(where)
    last_order = last_orders(result)[rows]
    segments = segments_sent(result)
    try:
        times = boundaries(result, rows, frame, records.column("sequence"), records.clock.astype(np.int64), segments,
                           last_order)
    except TickToTradeError as error:
        latency.problems.append(f"latency: {error}")
        return
    work = result.trace["decision_work"][rows], result.trace["doorbell_work"][rows]
    instructions = {"dequeue_to_decision": work[0], "decision_to_doorbell": work[1] - work[0]}
    for stage, begin, end in zip(STAGES, times[:-1], times[1:], strict=True):
        ps = np.full(len(latency.sequence), np.nan)
        ps[rows] = end - begin
        latency.nanoseconds[stage] = ps / 1000
        if stage in latency.samples:
            continue
        if stage in instructions:
            own = np.zeros(len(latency.sequence))
            own[rows] = instructions[stage]
            latency.add(stage, INSTRUCTIONS, own, where)
        elif stage in BETWEEN_CLOCKS:
            latency.add(stage, CLOCKS, ps / result.clock_ps, where)
        else:
            latency.add(stage, NANOSECONDS, ps / 1000, where)


def _guest_stages(latency: Latency, result: LoopResult, issued: npt.NDArray[np.int64], first: npt.NDArray[np.int64],
                  has_frame: npt.NDArray[Any]) -> None:
    """The kernel finishes the records in ring order: trace entry i is record i's."""
    trace = result.trace
    count = len(latency.sequence)
    if trace["sequence"].tolist() != latency.sequence:
        latency.problems.append(f"the kernel traced {len(trace)} records, not the {count} of the ring in their order")
        return
    every = np.ones(count, bool)
    orders = trace["orders"].astype(np.int64)
    ordered = orders > 0
    decided = trace["decision_work"] > 0
    dequeue_ps, doorbell_ps = (trace[name].astype(np.int64) for name in ("dequeue_ps", "doorbell_ps"))
    lockstep = result.mode == "lockstep"
    work = INSTRUCTIONS if lockstep else TSC
    if lockstep:
        latency.add("dma_to_dequeue", NANOSECONDS, (dequeue_ps - issued * result.clock_ps) / 1000, every)
    latency.add("dequeue_to_decision", work, trace["decision_work"], decided)
    latency.add("dequeue_to_doorbell", work, trace["doorbell_work"], ordered)
    latency.add("dequeue_to_done", work, trace["done_work"], every)
    if not lockstep:
        return  # how far the RTL was when the kernel did something says nothing
    segments = segments_sent(result)
    if (traced := orders_traced(result)) != len(segments):
        latency.problems.append(f"the kernel traced {traced} orders, {len(segments)} were sent")
        return
    # Of a record with several orders, the last one is measured: the doorbell tap is that of its last order.
    sent = np.zeros(count, np.int64)
    clocks = np.asarray([frame.first_clock for frame in segments], np.int64)
    sent[ordered] = clocks[last_orders(result)[ordered]]
    latency.add("doorbell_to_wire", NANOSECONDS, (sent * result.clock_ps - doorbell_ps) / 1000, ordered)
    latency.add("tick_to_trade", NANOSECONDS, (sent - first) * result.clock_ps / 1000, ordered & has_frame)


def _number(value: float) -> int | float | None:
    """Whole numbers as integers, times to the picosecond, nothing for NaN."""
    if math.isnan(value):
        return None
    return int(value) if value == int(value) else round(float(value), 3)
