# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the whole NIC with frames at both ports, on both simulators,
under Icarus in shorter bursts unless TEST_EFFORT asks for more."""

from __future__ import annotations

from pathlib import Path

from bridge.build import rtl_sources
from tests.rtl.simulation import Bench

BENCH = Bench("smartnic", rtl_sources(), "tests.rtl.top", effort={"icarus": "35", "verilator": "100"})
MODULES = ("line_rate_tests", "foreign_tests")


def test_line_rate(tmp_path: Path) -> None:
    BENCH.simulate("icarus", MODULES, tmp_path)


def test_line_rate_on_verilator(tmp_path: Path) -> None:
    BENCH.simulate("verilator", MODULES, tmp_path)
