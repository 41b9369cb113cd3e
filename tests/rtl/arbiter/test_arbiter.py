# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of arbitration, stream, filter and statistics on both simulators, on Icarus
with a share of the random traffic unless TEST_EFFORT asks for more."""

from __future__ import annotations

from pathlib import Path

from tests.rtl.simulation import GATED_ON_BOTH, RTL, Bench

FILES = ("arbiter", "clock_gate", "entry_skid", "line_front", "sequence_distance", "sequence_counter", "turn",
         "silence", "stream", "frame_report", "filter", "statistics")
BENCH = Bench("arbiter_bench", [Path(__file__).parent / "arbiter_bench.v", *(RTL / f"{name}.v" for name in FILES)],
              "tests.rtl.arbiter", effort={"icarus": "30", "verilator": "100"}, arguments=GATED_ON_BOTH)
MODULES = ("arbitration_tests", "hold_tests", "filter_tests")


def test_arbiter(tmp_path: Path) -> None:
    BENCH.simulate("icarus", MODULES, tmp_path)


def test_arbiter_on_verilator(tmp_path: Path) -> None:
    BENCH.simulate("verilator", MODULES, tmp_path)
