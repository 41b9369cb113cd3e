# SPDX-License-Identifier: MIT
"""make regress: what is judged by properties (the trading core, the model, the ring) at full effort once, then the RTL
tests with one seed after another, at full effort, on both simulators; every failure is told with the line that
reproduces it. The seeds are new ones each time unless the first is given. Exit 1 when a seed failed.

usage: python -m scripts.regress [--seeds N] [--first SEED] [--tests PATH]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.seeds import SEED, fresh_seed
from tickloop.progress import note_if_slow

ROOT = Path(__file__).resolve().parents[1]
DIRECTORY = ROOT / "build" / "regress"
INTERRUPTED = 130
FULL_EFFORT = "100"
ONCE = "tests/core tests/model tests/bridge/test_ring_property.py"
TESTS = "tests/rtl"


def log_name(seed: int, tests: str) -> str:
    """Where the output of a pass stays, in ``DIRECTORY``."""
    return f"{seed}.log" if tests != ONCE else "once.log"


def run_seed(seed: int, tests: str) -> list[str]:
    """One pass; returns the failing tests, as pytest names them. Its output stays in ``DIRECTORY``."""
    log = DIRECTORY / log_name(seed, tests)
    environment = {**os.environ, SEED: str(seed), "TEST_EFFORT": FULL_EFFORT}
    command = [sys.executable, "-m", "pytest", "-q", "-rf", *tests.split()]
    with log.open("w") as file:
        status = subprocess.run(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT,
                                check=False).returncode
    failed = re.findall(r"^FAILED (\S+)", log.read_text(), re.MULTILINE)
    return failed or ([tests] if status != 0 else [])


def main() -> int:
    """The script; returns its exit status."""
    parser = argparse.ArgumentParser(description="RTL tests over many seeds")
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first", type=int, default=None, help="the first of them; a new one where none is given")
    parser.add_argument("--tests", default=TESTS, help="what pytest is asked to run")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error("--seeds is at least 1")
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    bad = 0
    first = fresh_seed() if arguments.first is None else arguments.first
    passes = [(seed, arguments.tests) for seed in range(first, first + arguments.seeds)]
    if arguments.tests == TESTS:
        passes.insert(0, (first, ONCE))
    for number, (seed, tests) in enumerate(passes):
        try:
            with note_if_slow(f"pass {number + 1} of {len(passes)}: {tests}, seed {seed}"):
                failed = run_seed(seed, tests)
        except KeyboardInterrupt:
            print(f"interrupted: {number} of {len(passes)} passes came to their end, {bad} with failures")
            return INTERRUPTED
        bad += bool(failed)
        verdict = f"{len(failed)} failed, see {DIRECTORY.relative_to(ROOT) / log_name(seed, tests)}" if failed \
            else "passed"
        print(f"{tests}, seed {seed}: {verdict}", flush=True)
        for test in failed:
            print(f"  reproduce: {SEED}={seed} TEST_EFFORT={FULL_EFFORT} .venv/bin/python -m pytest {test}")
    print(f"{arguments.seeds} seeds, {bad} passes with failures")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
