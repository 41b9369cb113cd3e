# SPDX-License-Identifier: MIT
"""One job in a process of its own: python -m scripts.regress.run, an order on standard input, its result on standard
output, each a line of JSON.

It works in a directory that nobody else has, and renames that to the job's at the end: whoever comes second, because a
worker was believed dead, finds it there, and gives the result that is already in it. When its standard input ends, or
the run is stopped, it ends what it started and leaves nothing.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

from scripts.regress import collected
from scripts.regress.jobs import FUNCTIONAL, TIMEOUT, Case, Order, Result, Step, failure
from scripts.regress.outcome import folders_of, of_command, of_suite, tail
from scripts.regress.supervise import Abandoned, Supervisor, TimeLimit, take_in_orphans

ROOT = Path(__file__).resolve().parents[2]
RESULT, LOG = "result.json", "output.txt"
ATTEMPTS, STOP = ".attempts", ".stop"
ABANDONED = 130
# Of whoever started the regression; a job has its own.
FOREIGN = ("COCOTB_", "GPI_", "PYGPI_", "TEST_SEEDS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "PYTEST_",
           "VERILATOR_COVERAGE", "FUNCTIONAL_COVERAGE", "TICKLOOP_COVERAGE", "COVERAGE", "RANDOM_SEED", "GUI", "WAVES")


def perform(order: Order, supervisor: Supervisor) -> Result:
    """Does the order, or finds it done.

    Raises:
        Abandoned: nobody wants it any more.
    """
    jobs = Path(order.jobs)
    final = jobs / order.name
    if (found := _found(final)) is not None:
        return found
    (jobs / ATTEMPTS).mkdir(parents=True, exist_ok=True)
    attempt = Path(tempfile.mkdtemp(prefix=f"{order.name}.", dir=jobs / ATTEMPTS))
    try:
        result = _attempt(order, attempt, supervisor)
        (attempt / RESULT).write_text(result.to_json(), encoding="utf-8")
        attempt.chmod(0o755)
        try:
            attempt.rename(final)
        except OSError:
            found = _found(final)  # somebody else was first
            if found is None:
                raise
            return found
        return result
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def _found(final: Path) -> Result | None:
    try:
        return Result.from_json((final / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _attempt(order: Order, attempt: Path, supervisor: Supervisor) -> Result:
    start, host = time.monotonic(), socket.gethostname()
    log = attempt / LOG
    (attempt / FUNCTIONAL).mkdir()
    status, suite = 0, False
    try:
        for step in order.steps:
            suite = step.argv[0] == "pytest"
            status = _do(step, attempt, log, supervisor)
            if status != 0:
                break
    except TimeLimit:
        said = tail(log.read_text(encoding="utf-8", errors="replace"))
        return failure(order, f"{TIMEOUT}: not done in {order.limit_s:g} s", host, time.monotonic() - start, said)
    seconds = time.monotonic() - start
    cases: tuple[Case, ...] = (of_command(status, log, seconds),)
    if suite:
        cases = of_suite(status, attempt / "pytest.xml", log, seconds)
    result = Result(order.name, cases, seconds, host)
    collected.gather(attempt)
    if not order.keep:
        _tidy(attempt, result)
    return result


def _do(step: Step, attempt: Path, log: Path, supervisor: Supervisor) -> int:
    here = str(attempt)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    environment |= {"TICKLOOP_PROGRESS": "off"}
    environment |= {key: value.replace("{job}", here) for key, value in step.environment.items()}
    argv = [sys.executable, "-m", step.argv[0], *(argument.replace("{job}", here) for argument in step.argv[1:])]
    return supervisor.run(argv, ROOT if step.at_root else attempt, environment, log)


def _tidy(attempt: Path, result: Result) -> None:
    """What a passed job leaves is its result and what it said; a failed one, what failed."""
    keep = {LOG, *collected.FILES}
    if result.passed:
        for path in attempt.iterdir():
            if path.name not in keep:
                _remove(path)
        return
    temporary = attempt / "pytest"
    if temporary.is_dir():
        kept = folders_of([case.test for case in result.cases if case.outcome == "failed"], temporary)
        for path in temporary.iterdir():
            if path not in kept:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def main() -> int:
    take_in_orphans()
    line = sys.stdin.readline()
    order = Order.from_json(line)
    stop = Path(order.jobs) / STOP

    def abandoned() -> bool:
        # Whoever asked writes no more: that standard input can be read means that he is gone.
        return stop.exists() or bool(select.select([sys.stdin], [], [], 0)[0])

    try:
        print(perform(order, Supervisor(order.limit_s, abandoned)).to_json(), flush=True)
    except Abandoned:
        return ABANDONED
    return 0


if __name__ == "__main__":
    sys.exit(main())
