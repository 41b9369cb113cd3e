# SPDX-License-Identifier: MIT
"""The short result table on standard output, and what failed on standard error."""

from __future__ import annotations

import os
import sys

from tickloop.report.figures import figures
from tickloop.run import Outcome

SHOWN_DIFFERENCES = 5


def print_table(outcome: Outcome) -> None:
    """Figures, checks and where the report is, in under 25 lines; of a failed run, its causes and differences."""
    job = outcome.job
    rows = [("run", f"{job.command} {job.source.name}, {job.simulator}, seed {job.seed}"),
            *figures(outcome.run, outcome.observed.counters, outcome.observed.latency.summary())]
    failed = [comparison for comparison in outcome.comparisons if not comparison.ok]
    passed = len(outcome.comparisons) - len(failed)
    rows += [
        ("checks passed", f"{passed} of {len(outcome.comparisons)}"),
        ("digest", outcome.run["digest"][:16] if outcome.run["reproducible"] else "times of a free run do not repeat"),
        ("report", str(job.out / "report.html")),
        ("result", "FAIL" if failed else "PASS"),
    ]
    width = max(len(name) for name, _ in rows)
    try:
        print("\n".join(f"  {name:<{width}}  {value}" for name, value in rows), flush=True)
    except BrokenPipeError:
        # The reader has gone, as after `| head`; the verdict is in the exit status all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for cause in outcome.causes if failed else ():
        print(f"tickloop: FAIL {cause}; differences follow from that", file=sys.stderr)
    for comparison in failed:
        for difference in comparison.differences[:SHOWN_DIFFERENCES]:
            print(f"tickloop: FAIL {difference}", file=sys.stderr)
