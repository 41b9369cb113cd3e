# SPDX-License-Identifier: MIT
"""Runs the pyuvm environment around the whole NIC: on Icarus a module at a time, on Verilator all in one build.

Inside `make test` random tests make a part of their traffic; `make coverage` makes all of it and collects what was
covered (scripts/coverage).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.build import rtl_sources
from tb.env.test import COVERAGE_DIRECTORY
from tests.rtl.simulation import GATED_ON_BOTH, ROOT, Bench

BENCH = Bench("smartnic_bench", [ROOT / "tb/env/smartnic_bench.v", *rtl_sources()], "tests.rtl.env",
              effort={"icarus": "12", "verilator": "35"}, arguments=GATED_ON_BOTH)
MODULES = ("stream_tests", "arbitration_tests", "packet_tests", "damage_tests", "ring_tests", "host_tests",
           "extremes_tests")
SMALL_QUEUES = {"QUEUE_LOG2": 5, "LINES_LOG2": 7}
ENVIRONMENT = {COVERAGE_DIRECTORY: os.environ.get(COVERAGE_DIRECTORY, "")}


@pytest.mark.parametrize("module", MODULES)
def test_environment(module: str, tmp_path: Path) -> None:
    BENCH.simulate("icarus", [module], tmp_path, ENVIRONMENT)


def test_small_queues(tmp_path: Path) -> None:
    BENCH.simulate("icarus", ["overflow_tests"], tmp_path, ENVIRONMENT, **SMALL_QUEUES)


@pytest.mark.skipif(COVERAGE_DIRECTORY not in os.environ, reason="a build of its own, which make coverage makes")
def test_small_queues_on_verilator(tmp_path: Path) -> None:
    BENCH.simulate("verilator", ["overflow_tests"], tmp_path, ENVIRONMENT, **SMALL_QUEUES)


def test_environment_on_verilator(tmp_path: Path) -> None:
    BENCH.simulate("verilator", MODULES, tmp_path, ENVIRONMENT)
