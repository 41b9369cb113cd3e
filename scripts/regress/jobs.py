# SPDX-License-Identifier: MIT
"""The data that go between the parts: a job, the order that a process is given to do it, and the result that comes
back.

Orders and results travel as one line of JSON, to another process or another machine.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

HOST = "host"  # in the place of a simulator, where none is needed
TIMEOUT = "timeout"
COVERAGE_FILE = "coverage.dat"  # Verilator's, in a job's directory
FUNCTIONAL = "functional"       # directory there


@dataclass(frozen=True)
class Job:
    """What one process does: a scenario with a seed, on a simulator or on none."""

    scenario: str
    simulator: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.scenario}.{self.simulator}.{self.seed}"


@dataclass(frozen=True)
class Step:
    """A command of a job, in the job's directory or, with ``at_root``, in the checkout. ``{job}`` stands for the first.

    ``argv`` begins with "tickloop", "pytest" or the name of a Python module: the environment's own are meant.
    """

    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    at_root: bool = False


@dataclass(frozen=True)
class Order:
    """A job, ready to be done anywhere that sees ``jobs``, the directory in which each leaves its own."""

    name: str
    steps: tuple[Step, ...]
    limit_s: float
    slots: int  # processors that it keeps busy
    jobs: str
    keep: bool = False  # all files, also if it passes

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        given = json.loads(text)
        given["steps"] = tuple(Step(tuple(step["argv"]), step["environment"], step["at_root"])
                               for step in given["steps"])
        return cls(**given)


@dataclass(frozen=True)
class Case:
    """One verdict of a job: a closed loop has one, a suite one for every test. ``outcome``: passed, failed, skipped."""

    test: str  # as pytest names it; empty where the job is all there is
    outcome: str
    seconds: float = 0.0
    message: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Result:
    """What came of an order."""

    name: str
    cases: tuple[Case, ...]
    seconds: float
    host: str

    @property
    def passed(self) -> bool:
        return all(case.outcome != "failed" for case in self.cases)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Result:
        given: dict[str, Any] = json.loads(text)
        given["cases"] = tuple(Case(**case) for case in given["cases"])
        return cls(**given)


def failure(order: Order, message: str, host: str, seconds: float = 0.0, detail: str = "") -> Result:
    """The result of a job that has no better one."""
    return Result(order.name, (Case("", "failed", seconds, message, detail),), seconds, host)
