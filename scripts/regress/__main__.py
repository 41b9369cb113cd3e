# SPDX-License-Identifier: MIT
"""make regress: the command line. Exit status 0 if every job passed, 1 if one failed, 2 for what names no job, 130
after Ctrl-C; of a cluster 3 if none answers, 6 if it is lost, 7 if its versions are others."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bridge import build
from scripts.regress.campaign import MOST_WAVES, Campaign, Plan, new_directory
from scripts.regress.executor import Executor
from scripts.regress.jobs import Step
from scripts.regress.local import Local
from scripts.regress.matrix import SelectionError, jobs, select
from scripts.regress.scenarios import ROOT, SIMULATORS, Options, scenarios
from tests.seeds import fresh_seed
from tickloop.exits import ExitStatus, TickloopError, UsageError

FOLDER = build.BUILD / "regress"
MOST_SEED = (1 << 32) - 1  # that tickloop takes
MOST_SEEDS = 100_000
NO_TEST = (4, 5)  # exit statuses of pytest: wrong arguments, nothing collected


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="python -m scripts.regress", allow_abbrev=False,
                     description="Seeds x scenarios x simulators (docs/regression.md)")
    parser.add_argument("--seeds", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--first", type=int, help="the first of them; a new one where none is given")
    parser.add_argument("--scenarios", default="", help="names, or patterns as rtl-* (default: all)")
    parser.add_argument("--sims", default=" ".join(SIMULATORS), help="(default: both)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processors to keep busy (default: all)")
    parser.add_argument("--timeout", type=float, help="seconds for every job (default: 300, a suite 3600)")
    parser.add_argument("--name", help="of the run's directory in build/regress (default: the time)")
    parser.add_argument("--coverage", action="store_true", help="count lines and toggles of the RTL on Verilator")
    parser.add_argument("--options", default="", help="for every tickloop sim, as --config FILE")
    parser.add_argument("--tests", help="what pytest is asked to run, in the place of all scenarios")
    parser.add_argument("--waves", type=int, default=MOST_WAVES,
                        help=f"failures that are run again with waves (default: {MOST_WAVES})")
    parser.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler, as tcp://host:8786")
    parser.add_argument("--list", action="store_true", help="name the jobs and run none")
    given = parser.parse_args(arguments)
    if not 1 <= given.seeds <= MOST_SEEDS:
        raise UsageError(f"SEEDS is from 1 to {MOST_SEEDS}")
    if given.first is not None and not 0 <= given.first <= MOST_SEED - given.seeds:
        raise UsageError(f"SEED is from 0 to {MOST_SEED} less SEEDS")
    if given.jobs < 1 or given.waves < 0 or (given.timeout is not None and given.timeout <= 0):
        raise UsageError("JOBS is at least 1, WAVES at least 0, TIMEOUT above 0")
    if given.name is not None and (given.name != Path(given.name).name or given.name.startswith(".")):
        raise UsageError(f"NAME {given.name!r} is no name of a directory")
    unknown = set(_words(given.sims)) - set(SIMULATORS)
    if unknown or not given.sims:
        raise UsageError(f"SIMS {given.sims}: choose {' or '.join(SIMULATORS)}")
    return given


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _check_tests(tests: str) -> None:
    """Asks pytest.

    Raises:
        UsageError: they name nothing that it could run.
    """
    words = ["-p", "no:cacheprovider", "--collect-only", "-q", *_split("TESTS", tests)]
    asked = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=False)
    if asked.returncode in NO_TEST:
        said = re.search(r"error: (.*)", asked.stderr, re.IGNORECASE)
        raise UsageError(f"TESTS={tests}: {said[1] if said else 'no test is called so'}")


def _split(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{name}={text}: {error}") from None


def _found_anywhere(word: str) -> str:
    """A file's name, also behind an option's =, so that it is found from a job's directory too."""
    option, equals, name = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{equals}{Path(name).resolve()}" if name and Path(name).exists() else word


def _plan(given: argparse.Namespace, command: str) -> Plan:
    if given.tests:
        _check_tests(given.tests)
    known = scenarios(given.tests)
    first = fresh_seed() if given.first is None else given.first
    chosen = select(known, ["tests"] if given.tests else _words(given.scenarios))
    simulators = _words(given.sims)
    planned = jobs(chosen, simulators, range(first, first + given.seeds))
    sim_options = tuple(map(_found_anywhere, _split("OPTIONS", given.options)))
    options = Options(given.coverage, sim_options, given.timeout, given.tests)
    used = [name for name in SIMULATORS
            if any(job.simulator == name and not known[job.scenario].tests for job in planned)]
    flags = ("--coverage",) if given.coverage else ()
    steps = (Step(("scripts.regress.builds", *flags, *used), at_root=True),) if used else ()
    return Plan(planned, known, options, f"{command} SEED={first}" if given.first is None else command, steps,
                given.waves)


def _command(given: argparse.Namespace) -> str:
    """The line that repeats all of it."""
    shown = {"SEEDS": given.seeds, "SEED": given.first, "SCENARIOS": given.scenarios, "TESTS": given.tests,
             "SIMS": given.sims if set(_words(given.sims)) != set(SIMULATORS) else None,
             "TIMEOUT": given.timeout and f"{given.timeout:g}",
             "OPTIONS": given.options, "COVERAGE": 1 if given.coverage else None,
             "WAVES": given.waves if given.waves != MOST_WAVES else None}
    words = [f"{name}={shlex.quote(str(value))}" for name, value in shown.items() if value not in (None, "")]
    return " ".join(["make regress", *words])


def _executor(given: argparse.Namespace, directory: Path) -> Executor:
    if given.cluster:
        from scripts.regress.cluster import Cluster  # noqa: PLC0415 (needs a package of its own)

        return Cluster(given.cluster, directory)
    return Local(given.jobs)


def main(arguments: Sequence[str]) -> int:
    try:
        given = _options(arguments)
        try:
            plan = _plan(given, _command(given))
        except SelectionError as error:
            raise UsageError(str(error)) from None
        if given.list:
            for job in plan.jobs:
                print(f"{job.name}    {plan.reproduce(job, '')}")
            return ExitStatus.OK
        directory = new_directory(FOLDER, given.name)
        try:
            executor = _executor(given, directory)
        except BaseException:
            for path in directory.iterdir():
                path.unlink()
            directory.rmdir()
            raise
        print(f"{len(plan.jobs)} jobs on {executor.where}; the same ones again: {plan.command}", flush=True)
        return Campaign(plan, directory, executor).run()
    except TickloopError as error:
        print(f"regress: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("regress: interrupted", file=sys.stderr)
        return ExitStatus.INTERRUPTED


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # by which CI stops a job
    sys.exit(main(sys.argv[1:]))
