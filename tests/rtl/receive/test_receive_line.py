# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the receive line: all on Verilator in one build, and on Icarus again with a share of the
random traffic, of the matrix and of the sweeps, unless TEST_EFFORT asks for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rtl.simulation import ROOT, Bench, listed

# The receive side by its file list: the bench takes one line and the arbiter from it.
BENCH = Bench("receive_bench", [ROOT / "tb/receive/receive_bench.v", *listed("receive")], "tests.rtl.receive",
              effort={"icarus": "13", "verilator": "100"})
MODULES = ("message_tests", "matrix_tests", "bug_tests", "storm_tests", "stream_tests", "verdict_tests",
           "verified_tests", "prototype_tests", "traffic_tests")
SMALL_QUEUE_LOG2 = 3
SMALL_QUEUES = {"ARBITER": 0, "LINE_B": 1, "QUEUE_LOG2": 5, "LINES_LOG2": 7}


@pytest.mark.parametrize("module", MODULES)
def test_receive_line(module: str, tmp_path: Path) -> None:
    BENCH.simulate("icarus", [module], tmp_path)


def test_overflow(tmp_path: Path) -> None:
    BENCH.simulate("icarus", ["overflow_tests"], tmp_path, QUEUE_LOG2=SMALL_QUEUE_LOG2)


def test_queues(tmp_path: Path) -> None:
    BENCH.simulate("icarus", ["queue_tests"], tmp_path, **SMALL_QUEUES)


@pytest.mark.parametrize(("modules", "parameters"), [(MODULES, {}), (("queue_tests",), SMALL_QUEUES)],
                         ids=["receive_line", "queues"])
def test_on_verilator(modules: tuple[str, ...], parameters: dict[str, int], tmp_path: Path) -> None:
    BENCH.simulate("verilator", modules, tmp_path, **parameters)
