# SPDX-License-Identifier: MIT
"""make coverage: runs the RTL tests instrumented, merges what they covered, prints and writes the figures.

Functional coverage against the written plan (tb/coverage/plan.toml), line, branch and toggle coverage of rtl/ less the
written exclusions (tb/coverage/exclusions.toml). Exit 1 when a test fails or a target is missed.
usage: python -m scripts.coverage [--report]    --report: no test is run, the data of the last run are judged again
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bridge.build import COVERAGE_FLAGS
from tb.coverage import code, functional, report

ROOT = Path(__file__).resolve().parents[1]
RTL = ROOT / "rtl"
DIRECTORY = ROOT / "build" / "coverage"
TARGETS = {"functional": 100.0, "line": 98.0, "toggle": 90.0}
# All RTL tests that run on Verilator; each leaves a coverage.dat in its own folder.
PYTEST = ("-m", "pytest", "-q", "tests/rtl", "-k", "verilator")


def run_tests() -> int:
    """Runs the tests into DIRECTORY; returns pytest's exit status."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    (DIRECTORY / "functional").mkdir(parents=True)
    environment = {
        "COCOTB_RANDOM_SEED": "1", **os.environ, "TEST_EFFORT": "100",
        "VERILATOR_COVERAGE": " ".join(COVERAGE_FLAGS),
        "FUNCTIONAL_COVERAGE": str(DIRECTORY / "functional"),
    }
    return subprocess.run([sys.executable, *PYTEST, f"--basetemp={DIRECTORY / 'runs'}"], cwd=ROOT, env=environment,
                          check=False).returncode


def judge() -> bool:
    """Merges, prints and writes; returns whether every target is met."""
    crosses = functional.merge(sorted((DIRECTORY / "functional").glob("*.yml")), DIRECTORY / "functional.yml")
    exclusions = code.load_exclusions()
    # pytest keeps a link to each test's folder beside it.
    found = code.read(sorted({path.resolve() for path in DIRECTORY.glob("runs/*/coverage.dat")}), RTL)
    code.exclude(found, exclusions, RTL)
    code.write_lcov(found, RTL, DIRECTORY / "lines.info")
    page = report.write(DIRECTORY / "html", crosses, found, exclusions, RTL, TARGETS)

    for one in crosses:
        hit = len(one.hits) - len(one.missing)
        print(f"{one.cross.name:24} {hit:5} of {len(one.hits):5} bins")
        for bins in one.missing[:10]:
            print(f"    missing: {' x '.join(bins)}")
    met = True
    for kind, (covered, total) in report.figures(crosses, found).items():
        value = report.percent(covered, total)
        target = TARGETS.get(kind)
        missed = target is not None and value < target
        met = met and not missed
        against = "" if target is None else f", target {target:.0f} %{': missed' if missed else ''}"
        print(f"{kind:10} {value:6.2f} % ({covered} of {total}{against})")
    print(f"report: {page}")
    return met


def main() -> int:
    """The script; returns its exit status."""
    status = 0 if sys.argv[1:] == ["--report"] else run_tests()
    try:
        met = judge()
    except (ValueError, code.ExclusionError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 1
    return 0 if met and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
