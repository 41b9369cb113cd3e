# SPDX-License-Identifier: MIT
"""Regressions of told jobs (told.py). python -m tests.regress.fakes DIRECTORY JSON runs one of {scenario: words}, as
the command line would.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.regress.campaign import Campaign, Plan
from scripts.regress.jobs import HOST, Job, Step
from scripts.regress.local import Local
from scripts.regress.scenarios import ROOT, Options, Scenario
from tickloop.exits import TickloopError

TOLD = "tests.regress.told"


def scenario(name: str, words: Sequence[str], limit_s: float = 60.0, slots: int = 1) -> Scenario:
    """Its jobs do ``words``."""
    def steps(job: Job, options: Options, folder: str) -> tuple[Step, ...]:
        return (Step((TOLD, *(word.replace("SEED", str(job.seed)) for word in words)), {"PYTHONPATH": str(ROOT)}),)

    return Scenario(name, (HOST,), slots, limit_s, steps)


def plan(told: Mapping[str, Sequence[str]], seeds: Sequence[int] = (1,), limit_s: float = 60.0, waves: int = 3) -> Plan:
    """A job for each scenario and seed."""
    scenarios = {name: scenario(name, words, limit_s) for name, words in told.items()}
    jobs = [Job(name, HOST, seed) for seed in seeds for name in told]
    return Plan(jobs, scenarios, Options(), "make regress", most_waves=waves)


def run_here(directory: Path, planned: Plan, slots: int = 2) -> int:
    """The regression on this machine; returns its exit status."""
    directory.mkdir(parents=True)
    return Campaign(planned, directory, Local(slots)).run()


if __name__ == "__main__":
    try:
        sys.exit(run_here(Path(sys.argv[1]), plan(json.loads(sys.argv[2]))))
    except TickloopError as error:
        print(f"regress: {error}", file=sys.stderr)
        sys.exit(error.status)
