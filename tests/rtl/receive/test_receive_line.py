# SPDX-License-Identifier: MIT
"""Runs the cocotb tests of the receive line."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

cocotb_runner = pytest.importorskip("cocotb_tools.runner")

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tb" / "receive" / "receive_bench.v"


def sources() -> list[Path]:
    listed = (ROOT / "rtl" / "smartnic.f").read_text(encoding="utf-8").split()
    return [BENCH, *(ROOT / path for path in listed)]


@pytest.mark.parametrize("module", ["message_tests", "stream_tests", "verdict_tests"])
def test_receive_line(module: str, tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT))
    seed = os.environ.get("COCOTB_RANDOM_SEED") or str(random.SystemRandom().randrange(1 << 31))
    print(f"reproduce: COCOTB_RANDOM_SEED={seed} pytest {os.environ['PYTEST_CURRENT_TEST'].split(' ')[0]}")
    runner = cocotb_runner.get_runner("icarus")
    runner.build(sources=sources(), includes=[ROOT / "rtl"], hdl_toplevel="receive_bench", build_args=["-g2005"],
                 build_dir=tmp_path, timescale=("1ps", "1ps"), always=True)
    runner.test(hdl_toplevel="receive_bench", test_module=f"tests.rtl.receive.{module}", build_dir=tmp_path,
                test_dir=tmp_path, seed=int(seed), results_xml=str(tmp_path / "results.xml"))
