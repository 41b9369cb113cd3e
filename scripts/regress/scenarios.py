# SPDX-License-Identifier: MIT
"""What there is to be run, and the commands of each: closed loops, captures with faults through the RTL alone, the
tests of the RTL by area, and what is judged by properties.

A job's commands depend on scenario, simulator, seed and the run's options alone: the same ones, typed, repeat it.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bridge.build import BUILD, COVERAGE, COVERAGE_FLAGS
from generators.faults import Faults
from generators.profiles import PROFILES
from scripts.regress.jobs import COVERAGE_FILE, FUNCTIONAL, HOST, Job, Step
from tests.effort import EFFORT
from tests.seeds import SEED
from tickloop.inputs import EXCHANGE, FAULTS

ROOT = Path(__file__).resolve().parents[2]
SIMULATORS = ("verilator", "icarus")
LOOP_SLOTS = 2  # a parked guest spins on a processor of its own
LOOP_LIMIT_S, SUITE_LIMIT_S = 300.0, 3600.0
RUN = "run"  # the run directory in a job's
REPRODUCED = "out/regress"  # where a reproduction leaves its files
WAVES_LATER = {"TEST_WAVES": "off"}  # a failing test of a job does not make waves: the first few get them afterwards
# What a failed test printed, a bench's lines among it, belongs to its failure.
REPORTED = ("-o", "junit_family=xunit1", "-o", "junit_logging=system-out", "-o", "junit_log_passing_tests=false")
BENCHES = "TEST_BUILDS"  # what the first of them has built, the others take
FULL_EFFORT = "100"
MOST_FAULTS = 0.03  # of the frames of a line, of each kind
PARSED_MESSAGES = 1_500
PROPERTIES = {"core": "tests/core", "model": "tests/model", "ring": "tests/bridge/test_ring_property.py"}


@dataclass(frozen=True)
class Options:
    """What goes for every job of a run."""

    coverage: bool = False
    sim_options: tuple[str, ...] = ()  # for every `tickloop sim`
    limit_s: float | None = None       # for every job, in the place of the scenario's
    tests: str | None = None           # for the scenario `tests`


@dataclass(frozen=True)
class Scenario:
    """``once``: with the first seed only. ``steps`` takes the directory that the files go to."""

    name: str
    simulators: tuple[str, ...]
    slots: int
    limit_s: float
    steps: Callable[[Job, Options, str], tuple[Step, ...]]
    once: bool = False
    tests: tuple[str, ...] = ()  # of a suite

    @property
    def closed_loop(self) -> bool:
        return self.slots == LOOP_SLOTS


def _loop(job: Job, options: Options, folder: str) -> tuple[Step, ...]:
    argv = ("tickloop", "sim", "--scenario", job.scenario, "--seed", str(job.seed), "--sim", job.simulator,
            *options.sim_options, "--out", f"{folder}{RUN}")
    return (Step(argv, _covered(job, options)),)


def _parse(job: Job, options: Options, folder: str) -> tuple[Step, ...]:
    """Two lines of one capture, each with faults of its own; profile, rates and delivery come from the seed."""
    random = Random(f"parse {job.seed}")
    profile = random.choice(list(PROFILES))
    kinds = random.sample(sorted(Faults.__dataclass_fields__), 4)
    rates = ",".join(f"{kind}={random.uniform(0, MOST_FAULTS):.4f}" for kind in kinds)
    delivery = random.choice(("verified", "cut-through"))
    line_a, line_b = f"{folder}a.pcap", f"{folder}b.pcap"
    generate = ("tickloop", "generate", profile, "--seed", str(job.seed), "--messages", str(PARSED_MESSAGES),
                "--faults", rates, "--line-b", line_b, "--out", line_a)
    parse = ("tickloop", "parse", line_a, "--line-b", line_b, "--delivery", delivery, "--sim", job.simulator,
             "--seed", str(job.seed), "--out", f"{folder}{RUN}")
    return Step(generate), Step(parse, _covered(job, options))


def _covered(job: Job, options: Options) -> dict[str, str]:
    return {COVERAGE: f"{{job}}/{COVERAGE_FILE}"} if options.coverage and job.simulator == "verilator" else {}


def _suite(paths: Sequence[str]) -> Callable[[Job, Options, str], tuple[Step, ...]]:
    def steps(job: Job, options: Options, folder: str) -> tuple[Step, ...]:
        chosen = {"verilator": ("-k", "verilator"), "icarus": ("-k", "not verilator"), HOST: ()}[job.simulator]
        environment = {SEED: str(job.seed), EFFORT: os.environ.get(EFFORT) or FULL_EFFORT}
        if job.simulator != HOST:
            environment |= {"FUNCTIONAL_COVERAGE": f"{{job}}/{FUNCTIONAL}", BENCHES: str(BUILD / "benches")}
        if options.coverage and job.simulator == "verilator":
            environment["VERILATOR_COVERAGE"] = " ".join(COVERAGE_FLAGS)
        argv = ("pytest", "-q", "-p", "no:cacheprovider", *REPORTED, "--junitxml={job}/pytest.xml",
                "--basetemp={job}/pytest", *chosen, *paths)
        return (Step(argv, {**environment, **WAVES_LATER}, at_root=True),)

    return steps


def _areas() -> list[Scenario]:
    """The folders of tests/rtl, each on the simulators that its tests name."""
    found = []
    for folder in sorted({path.parent for path in (ROOT / "tests/rtl").glob("*/test_*.py")}):
        text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("test_*.py")))
        simulators = tuple(name for name in SIMULATORS if f'"{name}"' in text)
        if simulators:
            path = folder.relative_to(ROOT).as_posix()
            found.append(Scenario(f"rtl-{folder.name}", simulators, 1, SUITE_LIMIT_S, _suite([path]), tests=(path,)))
    return found


def scenarios(tests: str | None = None) -> dict[str, Scenario]:
    """All of them by name; ``tests`` are what pytest is asked to run in the scenario `tests`."""
    closed = [Scenario(name, SIMULATORS, LOOP_SLOTS, LOOP_LIMIT_S, _loop) for name in (*PROFILES, FAULTS, EXCHANGE)]
    properties = [Scenario(f"properties-{name}", (HOST,), 1, SUITE_LIMIT_S, _suite([path]), once=True, tests=(path,))
                  for name, path in PROPERTIES.items()]
    parse = Scenario("parse", SIMULATORS, 1, LOOP_LIMIT_S, _parse)
    own = tuple(shlex.split(tests)) if tests else ()
    asked = [Scenario("tests", (HOST,), 1, SUITE_LIMIT_S, _suite(own), tests=own)] if own else []
    return {each.name: each for each in (*closed, *properties, *_areas(), parse, *asked)}


def steps_with_waves(steps: Sequence[Step], tests: Sequence[str]) -> tuple[Step, ...]:
    """The commands of a failed job, so that they leave waves; of a suite, for the failed tests alone."""
    *before, last = steps
    if last.argv[0] != "pytest":
        return (*before, replace(last, argv=(*last.argv, "--waves")))
    options = tuple(argument for argument in last.argv[1:] if argument.startswith(("-q", "--junitxml", "--basetemp")))
    environment = {key: value for key, value in last.environment.items() if key in (SEED, EFFORT)}
    return (*before, replace(last, argv=("pytest", "-p", "no:cacheprovider", *REPORTED, *options, *tests),
                             environment=environment))


def shell_line(scenario: Scenario, job: Job, options: Options, test: str = "") -> str:
    """What to type in the checkout to repeat a job, or one test of it."""
    if scenario.tests:
        (step,) = scenario.steps(job, options, "")
        given = " ".join(f"{key}={step.environment[key]}" for key in (SEED, EFFORT))
        # Without a test's name all of the job's are meant.
        what = [test] if test else list(step.argv[step.argv.index("--basetemp={job}/pytest") + 1:])
        return f"{given} {_program('pytest')} -q {shlex.join(what)}"
    folder = f"{REPRODUCED}/{job.name}/"
    typed = tuple(word.replace(f"{ROOT}/", "") for word in options.sim_options)
    steps = scenario.steps(job, replace(options, coverage=False, sim_options=typed), folder)
    return " && ".join(f"{_program(step.argv[0])} {shlex.join(step.argv[1:])}" for step in steps)


def _program(name: str) -> str:
    python = ".venv/bin/python" if Path(sys.executable) == ROOT / ".venv/bin/python" else sys.executable
    if name == "tickloop" and python.startswith("."):
        return ".venv/bin/tickloop"
    return f"{python} -m {name}"
