# SPDX-License-Identifier: MIT
"""What a job's commands said becomes cases: the line that says why, pytest's verdicts test by test; silence fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.regress.outcome import folders_of, of_command, of_suite
from scripts.regress.scenarios import REPORTED

SUITE = """
import pytest

def test_passes(): pass

@pytest.mark.parametrize("n", [1, 2])
def test_fails(n, tmp_path):
    print("".join(["seen ", "here"]))
    assert n == 0, f"there are {n}"

def test_bench():
    print("slot 3 was written at clock 40")
    pytest.fail("tests.rtl.env.ring_tests.Wraps: AssertionError: slot 3 is lost", pytrace=False)

@pytest.mark.skip(reason="not today")
def test_skipped(): pass

@pytest.fixture
def broken(): raise ValueError("no bench")

def test_errs(broken): pass
"""


@pytest.mark.parametrize(("text", "status", "message"), [
    ("tickloop: warning: late\ntickloop: FAIL price is 3, not 4\ntickloop: FAIL size\n", 1, "price is 3, not 4"),
    ("table\ntickloop: QEMU died\n", 4, "QEMU died (exit status 4)"),
    ("tickloop: warning: only that\n", 3, "tickloop: warning: only that (exit status 3)"),
    ("Traceback (most recent call last):\nMemoryError\n", 1, "MemoryError (exit status 1)"),
    ("", -9, "killed by signal 9"),
])
def test_the_line_that_says_why(text: str, status: int, message: str, tmp_path: Path) -> None:
    log = tmp_path / "output.txt"
    log.write_text(text)
    case = of_command(status, log, 1.5)
    assert (case.outcome, case.message) == ("failed", message)
    assert case.detail == text.rstrip("\n")


def test_a_command_that_passed(tmp_path: Path) -> None:
    assert of_command(0, tmp_path / "none", 1.5).outcome == "passed"


@pytest.fixture
def suite(tmp_path: Path):
    """A report of pytest's own, and the directory of its tests' files."""
    (tmp_path / "test_some.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", *REPORTED,
               "--junitxml=report.xml", "--basetemp=temporary", "test_some.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    return tmp_path


def test_a_suites_cases_are_pytests(suite: Path) -> None:
    cases = {case.test: case for case in of_suite(1, suite / "report.xml", suite / "log", 3.0)}
    assert {test: case.outcome for test, case in cases.items()} == {
        "test_some.py::test_passes": "passed", "test_some.py::test_fails[1]": "failed",
        "test_some.py::test_fails[2]": "failed", "test_some.py::test_bench": "failed",
        "test_some.py::test_skipped": "skipped", "test_some.py::test_errs": "failed"}
    assert cases["test_some.py::test_fails[1]"].message == "test_fails: there are 1"
    assert "seen here" in cases["test_some.py::test_fails[1]"].detail
    assert cases["test_some.py::test_bench"].message == "tests.rtl.env.ring_tests.Wraps: AssertionError: slot 3 is lost"
    assert "slot 3 was written at clock 40" in cases["test_some.py::test_bench"].detail
    assert "no bench" in cases["test_some.py::test_errs"].message
    kept = folders_of(["test_some.py::test_fails[2]"], suite / "temporary")
    assert [path.name for path in kept] == ["test_fails_2_0"]


def test_a_suite_that_came_to_no_verdict_has_failed(suite: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ImportError: no bench\n")
    (case,) = of_suite(2, tmp_path / "none.xml", log, 3.0)
    assert (case.outcome, case.message) == ("failed", "ImportError: no bench (exit status 2)")
    *_, case = of_suite(0, tmp_path / "none.xml", log, 3.0)
    assert (case.outcome, case.message) == ("failed", "no test ran")
    (tmp_path / "cut.xml").write_text((suite / "report.xml").read_text()[:200])
    (case,) = of_suite(-9, tmp_path / "cut.xml", log, 3.0)
    assert case.outcome == "failed"
