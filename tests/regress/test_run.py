# SPDX-License-Identifier: MIT
"""One job in its own process: what stays of it, a time limit, and that nothing it started outlives it, whatever
happens; done twice, it counts once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.regress.jobs import Order, Result
from scripts.regress.run import ATTEMPTS, STOP
from scripts.regress.scenarios import ROOT, Options
from scripts.regress.worker import run_order
from tests.loop.conftest import processes_of
from tests.regress.fakes import Job, scenario

SUITE = """
def test_good(tmp_path):
    (tmp_path / "large").write_text("x" * 1000)

def test_bad(tmp_path):
    (tmp_path / "trace").write_text("seen")
    assert tmp_path.name == "other"
"""


def order(jobs: Path, *words: str, limit_s: float = 60.0, keep: bool = False) -> Order:
    job = Job("fake", "host", 1)
    return Order(job.name, scenario("fake", words).steps(job, Options(), ""), limit_s, 1, str(jobs), keep)


def done(given: Order) -> Result:
    return Result.from_json(run_order(sys.executable, str(ROOT), given.to_json()))


def started(given: Order) -> subprocess.Popen[str]:
    """The job's process, which has its order."""
    process = subprocess.Popen([sys.executable, "-m", "scripts.regress.run"], cwd=ROOT, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
    process.stdin.write(given.to_json() + "\n")
    process.stdin.flush()
    return process


def wait_until(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def nothing_is_left(jobs: Path) -> None:
    wait_until(lambda: not processes_of(jobs) and not list((jobs / ATTEMPTS).iterdir()))


def test_a_passed_job_leaves_its_result_and_what_it_said(tmp_path: Path) -> None:
    result = done(order(tmp_path, "pass"))
    assert result.passed
    assert sorted(path.name for path in (tmp_path / "fake.host.1").iterdir()) == ["output.txt", "result.json"]
    assert Result.from_json((tmp_path / "fake.host.1/result.json").read_text()) == result
    nothing_is_left(tmp_path)


def test_a_failed_job_says_why_and_keeps_its_files(tmp_path: Path) -> None:
    result = done(order(tmp_path, "fail", "price is 3", "--waves"))
    assert [case.message for case in result.cases] == ["price is 3"]
    assert (tmp_path / "fake.host.1/waves.vcd").exists()


def test_of_a_failed_suite_the_failed_tests_files_stay(tmp_path: Path) -> None:
    test = tmp_path / "test_two.py"
    test.write_text(SUITE)
    given = order(tmp_path / "jobs", "pass")
    step = {"argv": ["pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "-o", "junit_family=xunit1",
                     "--junitxml={job}/pytest.xml", "--basetemp={job}/pytest", str(test)],
            "environment": {}, "at_root": True}  # fmt: skip
    result = done(Order.from_json(json.dumps({**json.loads(given.to_json()), "steps": [step]})))
    assert [(case.test.rpartition("::")[2], case.outcome) for case in result.cases] == [("test_good", "passed"),
                                                                                        ("test_bad", "failed")]
    assert [path.name for path in (tmp_path / "jobs/fake.host.1/pytest").iterdir()] == ["test_bad0"]


def test_done_twice_it_is_the_first_ones_result(tmp_path: Path) -> None:
    """Both begin before either has ended: one directory comes of it, and both tell the same."""
    notes = tmp_path / "notes"
    given = order(tmp_path / "jobs", "note", str(notes), "1")
    one, two = started(given), started(given)
    wait_until(lambda: notes.exists() and len(notes.read_text().splitlines()) == 2)
    answers = {process.stdout.read() for process in (one, two)}
    for process in (one, two):
        process.communicate()
    assert len(answers) == 1
    assert done(given).to_json() == answers.pop().strip()  # and is not done a third time
    assert len(notes.read_text().splitlines()) == 2
    nothing_is_left(tmp_path / "jobs")


def test_the_time_limit_ends_all_that_it_started(tmp_path: Path) -> None:
    result = done(order(tmp_path, "hang", limit_s=0.7))
    assert [case.message for case in result.cases] == ["timeout: not done in 0.7 s"]
    assert not result.passed
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("how", ["closed", "stopped", "killed"])
def test_a_job_that_nobody_waits_for_ends(how: str, tmp_path: Path) -> None:
    """Its reader goes away, its run is stopped, or whoever started it is killed."""
    given = order(tmp_path, "hang")
    if how == "killed":
        code = ("import sys; from scripts.regress.worker import run_order; "
                "run_order(sys.executable, sys.argv[1], sys.argv[2])")
        process = subprocess.Popen([sys.executable, "-c", code, str(ROOT), given.to_json()], cwd=ROOT)
    else:
        process = started(given)
    # The job and its child.
    wait_until(lambda: sum("time.sleep" in each for each in processes_of(tmp_path / ATTEMPTS)) >= 1)
    if how == "closed":
        process.stdin.close()
    elif how == "stopped":
        (tmp_path / STOP).touch()
    else:
        process.send_signal(signal.SIGKILL)
    process.wait(30)
    nothing_is_left(tmp_path)
    assert not (tmp_path / "fake.host.1").exists()
