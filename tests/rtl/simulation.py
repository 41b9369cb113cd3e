# SPDX-License-Identifier: MIT
"""Runs cocotb tests: builds a bench for one of the simulators, prints the line that repeats the run, runs modules."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cocotb_tools.runner import get_runner

from bridge.build import VERILATOR_PCH_FLAG, verilator_path
from bridge.interface import Simulator
from tests.rtl.effort import EFFORT

ROOT = Path(__file__).resolve().parents[2]
RTL = ROOT / "rtl"
FULL_EFFORT: Mapping[Simulator, str] = {"icarus": "100", "verilator": "100"}
BUILD_ARGUMENTS: Mapping[Simulator, tuple[str, ...]] = {"icarus": ("-g2005",), "verilator": ("-Wall", "-O3")}


def listed(name: str) -> list[Path]:
    """The sources that the file list rtl/``name``.f names."""
    lines = (RTL / f"{name}.f").read_text().splitlines()
    return [ROOT / line for line in lines if line and not line.startswith("//")]


@dataclass(frozen=True)
class Bench:
    """A top module with its sources, and the package in which its cocotb tests are.

    ``public``: the tests look at registers inside, which Verilator then leaves in place. ``effort``: the share of
    random traffic in percent, where the environment does not set it.
    """

    top: str
    sources: Sequence[Path]
    package: str
    public: bool = False
    effort: Mapping[Simulator, str] = field(default_factory=lambda: FULL_EFFORT)

    def simulate(self, simulator: Simulator, modules: Sequence[str], build: Path, env: Mapping[str, str] | None = None,
                 **parameters: Any) -> None:
        """Builds the bench in ``build`` and runs every test of ``modules``; fails with the simulation's failures."""
        seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
        effort = os.environ.get(EFFORT, self.effort[simulator])
        print(f"reproduce: COCOTB_RANDOM_SEED={seed} {EFFORT}={effort} pytest "
              f"{os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
        public = ("--public-flat-rw",) if self.public and simulator == "verilator" else ()
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(ROOT)  # the simulator's Python gets this process's path
            if simulator == "verilator":
                patch.setenv("MAKEFLAGS", VERILATOR_PCH_FLAG)
                patch.setenv("PATH", f"{Path(verilator_path()).parent}{os.pathsep}{os.environ['PATH']}")
            runner = get_runner(simulator)
            runner.build(sources=list(self.sources), includes=[RTL], hdl_toplevel=self.top, parameters=parameters,
                         build_args=[*BUILD_ARGUMENTS[simulator], *public], build_dir=build,
                         timescale=("1ps", "1ps"), always=True)
            runner.test(hdl_toplevel=self.top, test_module=[f"{self.package}.{module}" for module in modules],
                        build_dir=build, test_dir=build, seed=int(seed), results_xml=str(build / "results.xml"),
                        extra_env={EFFORT: effort, **(env or {})})
