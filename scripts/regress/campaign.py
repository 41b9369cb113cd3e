# SPDX-License-Identifier: MIT
"""A regression from the matrix to its summary: builds first, then all jobs, then waves of the first few failures.

However it ends, Ctrl-C and a lost cluster too, what came to its end until then is in the directory: every file of a
whole run, with the jobs that were not run named.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.regress import history, junit, page
from scripts.regress.causes import Cause, Failure, first_few, grouped
from scripts.regress.covered import Covered
from scripts.regress.executor import Executor, ExecutorError
from scripts.regress.jobs import Job, Order, Result, Step
from scripts.regress.run import ATTEMPTS, STOP
from scripts.regress.scenarios import ROOT, Options, Scenario, shell_line, steps_with_waves
from tickloop.exits import ExitStatus, TickloopError, UsageError
from tickloop.progress import REDRAW_S, Progress
from tickloop.versions import git_commit

JOBS, WAVES, COVERAGE = "jobs", "waves", "coverage"
SUMMARY, JUNIT = "summary.json", "junit.xml"
LATEST = "latest"
BUILD_LIMIT_S = 1_200.0
BUILD = "build"
BUILD_SLOTS = 2  # as many compilers at once
MOST_WAVES = 3
SHOWN = 3  # failures of a cause that the terminal names


@dataclass(frozen=True)
class Plan:
    """``steps`` and ``reproduce`` are the scenarios' in real runs."""

    jobs: Sequence[Job]
    scenarios: Mapping[str, Scenario]
    options: Options
    command: str
    build: tuple[Step, ...] = ()
    most_waves: int = MOST_WAVES

    def order(self, job: Job, directory: Path) -> Order:
        scenario = self.scenarios[job.scenario]
        return Order(job.name, scenario.steps(job, self.options, ""), self.options.limit_s or scenario.limit_s,
                     scenario.slots, str(directory))

    def reproduce(self, job: Job, test: str) -> str:
        return shell_line(self.scenarios[job.scenario], job, self.options, test)


@dataclass
class Campaign:
    """``directory`` is the run's own, in the folder that has them all."""

    plan: Plan
    directory: Path
    executor: Executor
    results: dict[str, Result] = field(default_factory=dict)
    covered: Covered = field(default_factory=Covered)

    def run(self) -> int:
        """Runs it and writes what came of it; returns the exit status.

        Raises:
            TickloopError: nothing could be built.
        """
        start, started = time.monotonic(), datetime.now(UTC)
        waves: list[dict[str, Any]] = []
        status = ExitStatus.OK
        try:
            self._build()
            self._run_jobs()
            waves = self._make_waves()
        except KeyboardInterrupt:
            status = ExitStatus.INTERRUPTED
            self._stop()
        except ExecutorError as error:
            status = error.status
            print(f"regress: {error}", file=sys.stderr)
            self._stop()
        finally:
            self.executor.close()
            shutil.rmtree(self.directory / JOBS / ATTEMPTS, ignore_errors=True)
            shutil.rmtree(self.directory / WAVES / ATTEMPTS, ignore_errors=True)
        summary = self._write(started, time.monotonic() - start, waves, status != ExitStatus.OK)
        _tell(summary, self.directory)
        if status == ExitStatus.OK and summary["jobs"]["failed"]:
            status = ExitStatus.CHECKS_FAILED
        return status

    def _build(self) -> None:
        """Once for all jobs, where they will run."""
        if not self.plan.build:
            return
        order = Order(BUILD, self.plan.build, BUILD_LIMIT_S, BUILD_SLOTS, str(self.directory / BUILD))
        for result in self._done([order], _Shown("building what all jobs run", 1)):
            if not result.passed:
                case = result.cases[0]
                raise TickloopError(ExitStatus.TOOL_MISSING, f"{case.message}; nothing was run")
        shutil.rmtree(self.directory / BUILD, ignore_errors=True)

    def _run_jobs(self) -> None:
        orders = [self.plan.order(job, self.directory / JOBS) for job in self.plan.jobs]
        shown = _Shown("jobs", len(orders))
        for result in self._done(orders, shown):
            self.results[result.name] = result
            self.covered.add(self.directory / JOBS / result.name)
            for case in result.cases:
                if case.outcome == "failed":
                    what = f"{result.name} {case.test}".strip()
                    shown.say(f"FAIL {what}: {case.message}")

    def _done(self, orders: Sequence[Order], shown: _Shown) -> Iterator[Result]:
        for directory in {order.jobs for order in orders}:
            Path(directory).mkdir(exist_ok=True)  # so that jobs can be stopped from their first moment
        with shown:
            for result in self.executor.run(orders):
                shown.one_more()
                yield result

    def _stop(self) -> None:
        """Every job of this run ends where it is."""
        for name in (JOBS, WAVES, BUILD):
            if (self.directory / name).is_dir():
                (self.directory / name / STOP).touch()

    def _failures(self) -> list[Failure]:
        return [Failure(job.name, case.test, case.message, self.plan.reproduce(job, case.test))
                for job in self.plan.jobs if job.name in self.results
                for case in self.results[job.name].cases if case.outcome == "failed"]

    def _make_waves(self) -> list[dict[str, Any]]:
        """The first few failures once more, with waves; whether they failed again, and where these are."""
        by_name = {job.name: job for job in self.plan.jobs}
        directory = self.directory / WAVES
        chosen = {failure.job: failure for failure in first_few(grouped(self._failures()), self.plan.most_waves)}
        orders = []
        for name, failure in chosen.items():
            order = self.plan.order(by_name[name], directory)
            steps = steps_with_waves(order.steps, [failure.test] if failure.test else _tests_of(order.steps))
            orders.append(Order(name, steps, order.limit_s, order.slots, str(directory), keep=True))
        told = []
        for result in self._done(orders, _Shown("failures once more, with waves", len(orders))):
            failure = chosen[result.name]
            again = [case.message for case in result.cases if case.outcome == "failed"]
            dumps = sorted(path.relative_to(self.directory).as_posix()
                           for pattern in ("*.vcd", "*.fst") for path in (directory / result.name).rglob(pattern))
            told.append({"job": result.name, "test": failure.test, "again": again[0] if again else None,
                         "dumps": dumps, "open": self._viewer(directory / result.name, dumps)})
        return sorted(told, key=lambda each: list(chosen).index(each["job"]))

    def _viewer(self, directory: Path, dumps: Sequence[str]) -> str:
        """The command that shows them."""
        if not dumps:
            return ""
        if (directory / "run/run.json").exists():
            return f".venv/bin/tickloop waves {shlex.quote(_shown(directory / 'run'))}"
        dump = self.directory / dumps[0]
        saved = sorted(dump.parent.glob("*.gtkw"))
        names = shlex.join([dump.name, *(one.name for one in saved)])
        return f"cd {shlex.quote(_shown(dump.parent))} && gtkwave {names}"

    def _write(self, started: datetime, seconds: float, waves: list[dict[str, Any]],
               interrupted: bool) -> dict[str, Any]:
        folder = self.directory.parent
        figures, said = self.covered.write(self.directory / COVERAGE)
        causes = grouped(self._failures())
        matrix = [list(pair) for pair in dict.fromkeys((job.scenario, job.simulator) for job in self.plan.jobs)]
        before = history.read(folder)
        asked = {"matrix": matrix, "options": list(self.plan.options.sim_options), "tests": self.plan.options.tests}
        last = history.previous(before, asked)
        own = {cause.name for cause in causes}
        passed = sum(result.passed for result in self.results.values())
        seeds = list(dict.fromkeys(job.seed for job in self.plan.jobs))
        # What was not tried as often, or to the end, may be there still.
        missing = sorted(name for name in last["causes"] if name not in own) if last and not interrupted else []
        as_many = last is not None and len(seeds) >= last["seeds"]
        summary: dict[str, Any] = {
            "name": self.directory.name, "started": started.isoformat(timespec="seconds"), "seconds": round(seconds, 1),
            "command": self.plan.command, "git_commit": git_commit(), "where": self.executor.where,
            "interrupted": interrupted, **asked, "seeds": {"first": seeds[0], "count": len(seeds)},
            "jobs": {"planned": len(self.plan.jobs), "passed": passed, "failed": len(self.results) - passed,
                     "not_run": len(self.plan.jobs) - len(self.results)},
            "coverage": figures, "coverage_note": said,
            "against": last["name"] if last else None,
            "causes": [_described(cause, waves, last) for cause in causes],
            "gone": missing if as_many else [],
            "unseen": [] if as_many else missing,
            "results": [_row(job, self.results.get(job.name)) for job in self.plan.jobs],
        }
        reproduce = {(failure.job, failure.test): failure.reproduce for cause in causes for failure in cause.failures}
        junit.write(self.directory / JUNIT, self.plan.jobs, self.results, reproduce,
                    started.replace(tzinfo=None).isoformat(timespec="seconds"))
        page.write_json(self.directory / SUMMARY, summary)
        page.write(self.directory, summary, before)
        history.append(folder, history.entry(summary))
        with suppress(OSError):  # a file system without links
            link = folder / LATEST
            link.unlink(missing_ok=True)
            link.symlink_to(self.directory.name)
        return summary


def new_directory(folder: Path, name: str | None) -> Path:
    """The directory of a run, which is not there yet; by default called by the time.

    Raises:
        UsageError: it is, or cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    for attempt in range(2, 100):
        directory = folder / (name or stamp)
        try:
            directory.mkdir(parents=True)
            return directory
        except FileExistsError:
            if name:
                raise UsageError(f"{_shown(directory)}: there is a run of that name") from None
            stamp = f"{stamp.partition('.')[0]}.{attempt}"
        except OSError as error:
            raise UsageError(f"{_shown(directory)}: cannot be written: {error.strerror}") from None
    raise UsageError(f"{_shown(folder)}: too many runs in one second")


class _Shown:
    """Progress that is seen to go on while nothing comes to its end."""

    def __init__(self, what: str, total: int) -> None:
        self._progress, self._total, self._done = Progress(what), total, 0
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._progress.close()

    def one_more(self) -> None:
        self._done += 1

    def say(self, line: str) -> None:
        with self._lock:
            self._progress.close()
            print(line, flush=True)

    def _draw(self) -> None:
        while not self._ended.wait(REDRAW_S):
            with self._lock:
                self._progress(self._done, self._total)


def _shown(path: Path) -> str:
    """A path as it is typed in the checkout."""
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)


def _tests_of(steps: Sequence[Step]) -> list[str]:
    """What the last command of a suite is about."""
    argv = steps[-1].argv
    return list(argv[argv.index("--basetemp={job}/pytest") + 1:]) if argv[0] == "pytest" else []


def _described(cause: Cause, waves: Sequence[Mapping[str, Any]], last: Mapping[str, Any] | None) -> dict[str, Any]:
    by_case = {(each["job"], each["test"]): dict(each) for each in waves}
    return {"name": cause.name, "example": cause.example, "new": cause.name not in last["causes"] if last else None,
            "failures": [{"job": failure.job, "test": failure.test, "message": failure.message,
                          "reproduce": failure.reproduce, "waves": by_case.get((failure.job, failure.test))}
                         for failure in cause.failures]}


def _row(job: Job, result: Result | None) -> dict[str, Any]:
    base = {"job": job.name, "scenario": job.scenario, "simulator": job.simulator, "seed": job.seed}
    if result is None:
        return {**base, "outcome": "not run", "seconds": 0.0, "host": "", "cases": {}}
    count: Callable[[str], int] = lambda outcome: sum(case.outcome == outcome for case in result.cases)  # noqa: E731
    return {**base, "outcome": "passed" if result.passed else "failed", "seconds": round(result.seconds, 2),
            "host": result.host, "cases": {outcome: count(outcome) for outcome in ("passed", "failed", "skipped")}}


def _tell(summary: Mapping[str, Any], directory: Path) -> None:
    """The summary on standard output."""
    jobs = summary["jobs"]
    for cause in summary["causes"]:
        failures = cause["failures"]
        is_new = " (new)" if cause["new"] else ""
        print(f"\n{len(failures)} x {cause['name']}{is_new}")
        for failure in failures[:SHOWN]:
            print(f"  {failure['job']} {failure['test']}".rstrip() + f": {failure['message']}")
            print(f"    reproduce: {failure['reproduce']}")
            if failure["waves"]:
                print(f"    waves: {failure['waves']['open'] or 'none were left'}"
                      + ("" if failure["waves"]["again"] else " (it did not fail again)"))
        if len(failures) > SHOWN:
            print(f"  and {len(failures) - SHOWN} more")
    for name in summary["gone"]:
        print(f"\ngone since {summary['against']}: {name}")
    for name in summary["unseen"]:
        print(f"\nnot seen among fewer seeds than those of {summary['against']}: {name}")
    coverage = ", ".join(f"{kind} {each['percent']:.2f} %" for kind, each in summary["coverage"].items())
    print(f"\n{jobs['passed']} jobs passed, {jobs['failed']} failed" + (f", {jobs['not_run']} not run"
          if jobs["not_run"] else "") + f" of {jobs['planned']}, in {summary['seconds']:.0f} s on {summary['where']}")
    if coverage:
        print(f"coverage: {coverage}")
    print(f"report: {_shown(directory / page.NAME)}")
