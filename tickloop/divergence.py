# SPDX-License-Identifier: MIT
"""The first event, in simulated time, in which two recorded runs differ.

Each log is in time order, so its first differing entry is its first difference; the earliest of all logs is that of the
run. An entry has moments, each with the fields that are settled by then: a register read that is answered differently
differs when the answer comes, not when it was started.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from filecmp import cmp
from typing import Any

import numpy as np

from tickloop import describe
from tickloop.recorded import INPUTS, RecordedRun

CHUNK = 1 << 16  # entries compared at a time: a log may have millions
Moments = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class _Log:
    """``moments``: a time field and the fields known at that time, in order; ``_ps`` fields are picoseconds."""

    name: str  # in Recording
    title: str
    moments: Moments
    describe: Callable[[Any], str]


# At equal times the first named comes first, as in a clock of the testbench.
_LOGS = (
    _Log("frames", "received frames", (
        ("first_clock", ("line",)),
        ("last_clock", ("sequence", "gap_from", "hw_timestamp_ns", "session", "count", "reason", "kind", "flags")),
    ), describe.frame),
    _Log("valid", "messages decoded", (("clock", ("sequence",)),), describe.decoded),
    _Log("dma", "DMA writes", (("clock", ("address", "strobe", "data")),), describe.dma),
    _Log("reads", "DMA reads", (("issued_clock", ("address",)), ("answered_clock", ("data",))), describe.read),
    _Log("register_accesses", "register accesses", (
        ("started_clock", ("address", "write", "purpose")), ("done_clock", ("value", "response")),
    ), describe.access),
    _Log("sent", "sent frames", (("first_clock", ()), ("last_clock", ("data",))), describe.sent),
    _Log("guest", "kernel requests", (
        ("time_ps", ("work", "op", "address", "value")), ("answered_ps", ("answer", "status")),
    ), describe.request),
    _Log("trace", "processed records", (
        ("dequeue_ps", ("sequence",)), ("applied_ps", ("applied_work",)), ("decision_ps", ("decision_work",)),
        ("doorbell_ps", ("doorbell_work",)), ("done_ps", ()),
    ), describe.processed),
    _Log("notes", "what the kernel did beside records", (("time_ps", ("records", "kind", "value")),), describe.noted),
)
ALL_LOGS = tuple(log.name for log in _LOGS)
# What a kernel does, and the lines that it hands over.
KERNEL_LOGS = ("reads", "register_accesses", "guest", "trace", "notes")
NIC_LOGS = ("frames", "valid", "dma", "reads", "register_accesses", "sent")


@dataclass(frozen=True)
class Difference:
    """The first one. A side that is None has no such event; ``ended``: number of the run whose logs end before it."""

    time_ps: int
    title: str
    index: int  # of the entry in its log
    sides: tuple[str | None, str | None]
    fields: tuple[str, ...]
    ended: int | None = None


@dataclass(frozen=True)
class LogComparison:
    """Of one log: its lengths, and how many entries differ one by one."""

    title: str
    entries: tuple[int, int]
    differing: int


def _time(entry: Any, name: str, clock_ps: int) -> int:
    value = int(_value(entry, name))
    return value if name.endswith("_ps") else value * clock_ps


def _value(entry: Any, name: str) -> Any:
    return entry[name] if isinstance(entry, np.void) else getattr(entry, name)


def _bytes(entry: Any, name: str) -> bytes:
    value = _value(entry, name)
    return value if isinstance(value, bytes) else np.asarray(value).tobytes()


def _unequal(log: _Log, runs: tuple[RecordedRun, RecordedRun]) -> Any:
    """Which of the entries that both have differ. The same clock of another period is another time."""
    a, b = (getattr(run.logs, log.name) for run in runs)
    both = min(len(a), len(b))
    if runs[0].clock_ps != runs[1].clock_ps and log.moments[0][0].endswith("clock"):
        return np.ones(both, bool)
    if not isinstance(a, np.ndarray):
        return np.array([x != y for x, y in zip(a, b, strict=False)], bool)
    x, y = (each[:both].view(np.uint8).reshape(both, each.itemsize) for each in (a, b))
    chunks = [(x[at:at + CHUNK] != y[at:at + CHUNK]).any(axis=1) for at in range(0, both, CHUNK)]
    return np.concatenate(chunks) if chunks else np.zeros(0, bool)


def _fields_of(entry: Any) -> list[str]:
    return list(entry.dtype.names or ()) if isinstance(entry, np.void) else [each.name for each in fields(entry)]


def _field_differences(a: Any, b: Any) -> tuple[str, ...]:
    found = []
    for name in _fields_of(a):
        x, y = _bytes(a, name), _bytes(b, name)
        if x == y:
            continue
        if isinstance(_value(a, name), np.integer | int):
            found.append(f"{name} {int(_value(a, name))} / {int(_value(b, name))}")
        else:
            at = next((i for i, pair in enumerate(zip(x, y, strict=False)) if pair[0] != pair[1]), min(len(x), len(y)))
            found.append(f"{name} from byte {at}: {x[at:at + 8].hex() or 'none'} / {y[at:at + 8].hex() or 'none'}")
    return tuple(found)


def _first_in(log: _Log, runs: tuple[RecordedRun, RecordedRun]) -> Difference | None:
    a, b = (getattr(run.logs, log.name) for run in runs)
    clocks = [run.clock_ps for run in runs]
    unequal = np.flatnonzero(_unequal(log, runs))
    if len(unequal):
        at = int(unequal[0])
        x, y = a[at], b[at]
        for when, settled in log.moments:
            times = [_time(entry, when, clock) for entry, clock in zip((x, y), clocks, strict=True)]
            if times[0] != times[1] or any(_bytes(x, name) != _bytes(y, name) for name in settled):
                break
        time_ps = min(times)
        return Difference(time_ps, log.title, at, (log.describe(x), log.describe(y)), _field_differences(x, y))
    if len(a) == len(b):
        return None
    at, longer = min(len(a), len(b)), 0 if len(a) > len(b) else 1
    entry = (a, b)[longer][at]
    text = log.describe(entry)
    sides = (text, None) if longer == 0 else (None, text)
    return Difference(_time(entry, log.moments[0][0], clocks[longer]), log.title, at, sides, ())


def _last_ps(run: RecordedRun) -> int:
    """When the last event of a run began."""
    return max((_time(entries[-1], log.moments[0][0], run.clock_ps)
                for log in _LOGS if len(entries := getattr(run.logs, log.name))), default=0)


def first_difference(a: RecordedRun, b: RecordedRun, logs: Sequence[str] = ALL_LOGS) -> Difference | None:
    """The earliest difference in ``logs``; None: they are equal."""
    found = [difference for log in _LOGS if log.name in logs and (difference := _first_in(log, (a, b)))]
    if not found:
        return None
    first = min(found, key=lambda difference: difference.time_ps)
    short = {0 if difference.sides[0] is None else 1 for difference in found if None in difference.sides}
    if len(short) == 1 and all(None in difference.sides for difference in found):
        ended = short.pop()
        if _last_ps((a, b)[ended]) <= first.time_ps:
            return Difference(first.time_ps, first.title, first.index, first.sides, first.fields, ended)
    return first


def compare_logs(a: RecordedRun, b: RecordedRun, logs: Sequence[str] = ALL_LOGS) -> list[LogComparison]:
    """How much of each log differs."""
    found = []
    for log in _LOGS:
        if log.name in logs:
            x, y = getattr(a.logs, log.name), getattr(b.logs, log.name)
            differing = int(_unequal(log, (a, b)).sum()) + abs(len(x) - len(y))
            found.append(LogComparison(log.title, (len(x), len(y)), differing))
    return found


def likely_causes(a: RecordedRun, b: RecordedRun) -> list[str]:
    """Inputs in which the runs differ, the most telling first."""
    causes = []
    for name in ("input", "seed", "kernel_sha256", "mode", "delivery", "hold_ns", "format", "lines", "group",
                 "time_model", "config"):
        causes += _unlike_in_run(name, a, b)
    if not any("clock_ps" in cause for cause in causes):
        causes += _unlike("clock_ps", a.clock_ps, b.clock_ps)
    for name in INPUTS:
        first, second = (run.record / name for run in (a, b))
        if first.exists() and second.exists() and not cmp(first, second, shallow=False):
            causes.append(f"record/{name} has other contents")
    if not causes:
        causes += _unlike_in_run("git_commit", a, b)
    return causes


def _unlike_in_run(name: str, a: RecordedRun, b: RecordedRun) -> list[str]:
    return _unlike(name, a.run[name], b.run[name]) if name in a.run and name in b.run else []


def _unlike(name: str, a: Any, b: Any) -> list[str]:
    if a == b:
        return []
    if isinstance(a, dict) and isinstance(b, dict):
        return [cause for key in {**a, **b} for cause in _unlike(f"{name}.{key}", a.get(key), b.get(key))]
    short = [value[:12] if isinstance(value, str) and len(value) >= 40 else value for value in (a, b)]
    return [f"{name} is {short[0]} / {short[1]}"]
