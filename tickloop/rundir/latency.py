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
from tickloop.rundir.orders import segments_sent

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
    problems: list[str] = field(default_factory=list)

    def add(self, stage: str, unit: str, values: npt.NDArray[Any], where: npt.NDArray[Any]) -> None:
        """Records ``values``, one a message, ``where`` the stage applies."""
        column = np.full(len(self.sequence), np.nan)
        column[where] = values[where]
        self.units[stage] = unit
        self.samples[stage] = column

    def summary(self) -> dict[str, dict[str, Any]]:
        """The ``stages`` of latency.json."""
        return {stage: {**statistics(column[~np.isnan(column)]), "unit": self.units[stage]}
                for stage, column in self.samples.items()}

    def write_csv(self, path: Path) -> None:
        """One row a message: its sequence number and a column a stage, empty where it does not apply."""
        columns = [[_number(value) for value in column.tolist()] for column in self.samples.values()]
        with path.open("w", newline="", encoding="ascii") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["sequence", *self.samples])
            writer.writerows(zip(self.sequence, *columns, strict=True))


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
    return latency


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
    if int(orders.sum()) != len(segments):
        latency.problems.append(f"the kernel traced {int(orders.sum())} orders, {len(segments)} were sent")
        return
    # Of a record with several orders, the last one is measured: the doorbell tap is that of its last order.
    sent = np.zeros(count, np.int64)
    clocks = np.asarray([frame.first_clock for frame in segments], np.int64)
    sent[ordered] = clocks[np.cumsum(orders)[ordered] - 1]
    latency.add("doorbell_to_wire", NANOSECONDS, (sent * result.clock_ps - doorbell_ps) / 1000, ordered)
    latency.add("tick_to_trade", NANOSECONDS, (sent - first) * result.clock_ps / 1000, ordered & has_frame)


def _number(value: float) -> int | float | None:
    """Whole numbers as integers, times to the picosecond, nothing for NaN."""
    if math.isnan(value):
        return None
    return int(value) if value == int(value) else round(float(value), 3)
