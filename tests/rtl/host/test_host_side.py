# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the NIC's host side on Icarus: rings, registers, order entry, time."""

from __future__ import annotations

import os
import random
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
STAND_IN = Path(__file__).parent / "receive_line.v"
RECEIVE_SIDE = {"rtl/receive_line.v"}


def sources() -> list[Path]:
    """The NIC's files with the stand-in for its receive side first; what the stand-in has no use for is never elaborated."""
    listed = (ROOT / "rtl" / "smartnic.f").read_text(encoding="utf-8").split()
    return [STAND_IN, *(ROOT / path for path in listed if path not in RECEIVE_SIDE)]


def simulate(build: Path, module: str, top: str, files: list[Path], env: dict[str, str] | None = None,
             **parameters: int) -> None:
    """Builds ``top`` and runs every cocotb test of ``module``; fails with the simulation's own failures."""
    sys.path.insert(0, str(ROOT))  # the simulator's Python gets this process's path
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} pytest {os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    try:
        runner = cocotb_runner.get_runner("icarus")
        runner.build(sources=files, includes=[ROOT / "rtl"], hdl_toplevel=top, parameters=parameters,
                     build_args=["-g2005"], build_dir=build, timescale=("1ps", "1ps"), always=True)
        runner.test(hdl_toplevel=top, test_module=f"tests.rtl.host.{module}", build_dir=build, test_dir=build,
                    seed=int(seed), extra_env=env or {},
                    results_xml=str(build / "results.xml"))
    finally:
        sys.path.remove(str(ROOT))


@pytest.mark.parametrize("module", ["rx_ring_tests", "register_tests"])
def test_host_side(module: str, tmp_path: Path) -> None:
    simulate(tmp_path, module, "smartnic", sources())


def test_window_check(tmp_path: Path) -> None:
    simulate(tmp_path, "dma_window_tests", "dma_window", [ROOT / "rtl" / "dma_window.v"])


@pytest.mark.parametrize(("whole", "num", "den"), [(6, 2, 5), (2, 14, 25), (8, 0, 1), (3, 127, 128)],
                         ids=["10GbE", "25GbE", "whole", "widest"])
def test_timestamp(whole: int, num: int, den: int, tmp_path: Path) -> None:
    simulate(tmp_path, "timestamp_tests", "timestamp", [ROOT / "rtl" / "timestamp.v"],
             {"CLOCK_PERIOD_NS": str(Fraction(whole * den + num, den))},
             PERIOD_NS=whole, PERIOD_NUM=num, PERIOD_DEN=den)
