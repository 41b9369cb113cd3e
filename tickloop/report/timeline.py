# SPDX-License-Identifier: MIT
"""Rates and ring occupancy of a run over simulated time, in equal intervals of which there are always as many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.interface import LoopResult
from tickloop.rundir.lines import ring_records
from waves.kernel import kernel_activity

INTERVALS = 120
Times = npt.NDArray[np.float64]


def rates(series: Mapping[str, Iterable[float]]) -> dict[str, Any]:
    """How many of each kind came in every interval, and from it their rate a second; times in ns."""
    times: dict[str, Times] = {name: np.fromiter(values, np.float64) for name, values in series.items()}
    end = max((float(values.max()) for values in times.values() if len(values)), default=0.0)
    if not end:
        return {}
    edges = np.linspace(0, end, INTERVALS + 1)
    counts = {name: np.histogram(values.clip(0), edges)[0] for name, values in times.items() if len(values)}
    return {"start_ns": edges[:-1].round(3).tolist(), "interval_ns": end / INTERVALS,
            "counts": {name: values.tolist() for name, values in counts.items()}}


def origin_ns(result: LoopResult) -> float:
    """On the testbench's clock: when the first frame came, from which the run directory's times count."""
    return int(result.frames["first_clock"][0]) * result.clock_ps / 1000 if len(result.frames) else 0.0


def occupancy(result: LoopResult, slots: int) -> dict[str, Any]:
    """Lines of the RX ring that the kernel could see and had not consumed: most and mean of each interval."""
    if result.mode == "free" or not len(result.trace):
        return {}
    activity = kernel_activity(result, ring_records(result), [], {}, result.posted_write_clocks)
    if not activity.occupancy:
        return {}
    steps = np.array(activity.occupancy, np.float64)
    time, level = steps[:, 0] / 1000 - origin_ns(result), steps[:, 1]
    edges = np.linspace(min(0.0, time[0]), time[-1] + 1, INTERVALS + 1)
    most, mean = [], []
    for start, end in pairwise(edges.tolist()):
        first, behind = np.searchsorted(time, (start, end)).tolist()
        before = float(level[first - 1]) if first else 0.0
        inside = level[first:behind]
        most.append(int(max(before, inside.max() if len(inside) else 0)))
        bounds = np.concatenate(([start], time[first:behind], [end]))
        mean.append(round(float((np.diff(bounds) * np.concatenate(([before], inside))).sum() / (end - start)), 6))
    return {"start_ns": edges[:-1].round(3).tolist(), "most": most, "mean": mean, "slots": slots,
            "peak": int(level.max())}


def message_times(messages: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """By line, when the frames of its messages began."""
    found: dict[str, list[float]] = {"messages, line A": [], "messages, line B": []}
    for message in messages:
        found[f"messages, line {message['line']}"].append(message["hw_timestamp_ns"])
    return found
