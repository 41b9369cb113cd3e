# SPDX-License-Identifier: MIT
"""The short result table on standard output."""

from __future__ import annotations

from tickloop.report.figures import figures
from tickloop.run import Outcome

SHOWN_DIFFERENCES = 5


def print_table(outcome: Outcome) -> None:
    """Figures, checks and where the report is; under 25 lines unless checks failed."""
    job = outcome.job
    rows = [("run", f"{job.command} {job.source.name}, {job.simulator}, seed {job.seed}"),
            *figures(outcome.run, outcome.observed.counters, outcome.observed.latency.summary())]
    failed = [comparison for comparison in outcome.comparisons if not comparison.ok]
    passed = len(outcome.comparisons) - len(failed)
    rows += [
        ("checks passed", f"{passed} of {len(outcome.comparisons)}"),
        ("digest", outcome.run["digest"][:16]),
        ("report", str(job.out / "report.html")),
        ("result", "FAIL" if failed else "PASS"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    for comparison in failed:
        for difference in comparison.differences[:SHOWN_DIFFERENCES]:
            print(f"FAIL {difference}")
