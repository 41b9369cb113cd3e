# SPDX-License-Identifier: MIT
"""The short result table on standard output, and what failed on standard error."""

from __future__ import annotations

import sys
from typing import Any

from tickloop.output import print_rows
from tickloop.report.figures import compared, figures
from tickloop.run import Outcome

SHOWN_DIFFERENCES = 5


def _digest(run: dict[str, Any]) -> str:
    if run["mode"] == "free":
        return "times of a free run do not repeat"
    return str(run["digest"][:16]) + (" (with what was typed, when it was typed)" if run["live_input"] else "")


def print_table(outcome: Outcome) -> None:
    """Figures, checks and where the report is, in under 25 lines; of a failed run, its causes and differences."""
    job = outcome.job
    rows = [("run", f"{job.command} {job.source.name}, {job.simulator}, seed {job.seed}"),
            *figures(outcome.run, outcome.observed.counters, outcome.observed.latency.summary())]
    failed = [comparison for comparison in outcome.comparisons if not comparison.ok]
    passed = len(outcome.comparisons) - len(failed)
    rows += [
        ("checks passed", f"{passed} of {len(outcome.comparisons)}"),
        ("digest", _digest(outcome.run)),
        ("report", str(job.out / "report.html")),
        ("result", "FAIL" if failed else "PASS"),
    ]
    print_rows(rows)
    print_failures(outcome)


def print_failures(outcome: Outcome) -> None:
    """On standard error: the causes and first differences of a failed run."""
    failed = [comparison for comparison in outcome.comparisons if not comparison.ok]
    for cause in outcome.causes if failed else ():
        print(f"tickloop: FAIL {cause}; differences follow from that", file=sys.stderr)
    for comparison in failed:
        for difference in comparison.differences[:SHOWN_DIFFERENCES]:
            print(f"tickloop: FAIL {difference}", file=sys.stderr)


def run_document(outcome: Outcome) -> dict[str, Any]:
    """The run's object of ``--json``: what the table shows, as numbers. All of it is in the run directory too."""
    run, job = outcome.run, outcome.job
    shown = ("command", "input", "simulator", "seed", "mode", "reproducible", "passed", "checks", "clocks",
             "clocks_skipped", "wall", "kernel_statistics", "digest")
    return {**{key: run[key] for key in shown}, "counters": outcome.observed.counters,
            "orders": compared(run, "orders"), "latency": outcome.observed.latency.summary(),
            "causes": outcome.causes, "out": str(job.out), "report": str(job.out / "report.html")}
