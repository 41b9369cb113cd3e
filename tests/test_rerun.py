# SPDX-License-Identifier: MIT
"""A test that fails is run again with the same seed and waves, and its report says where they are: benches of modules
on both simulators, and closed loops. The failures here are deliberate, in a pytest of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from vcdvcd import VCDVCD

from tests.seeds import SEED, SEEDS, seed_of

ROOT = Path(__file__).resolve().parents[1]

COUNTER = """module counter (input wire clk, output reg [7:0] count);
  initial count = 8'd0;
  always @(posedge clk) count <= count + 8'd1;
endmodule
"""
FAILING_BENCH = """
import random
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles


@cocotb.test()
async def passes(dut):
    pass


@cocotb.test()
async def stops_at_random(dut):
    cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
    clocks = random.randrange(20, 200)
    await ClockCycles(dut.clk, clocks)
    print(f"stopped after {clocks} clocks")
    assert dut.count.value == 0
"""
BENCH_TEST = """
from pathlib import Path
from tests.rtl.simulation import Bench

HERE = Path(__file__).parent

def test_fails(tmp_path):
    Bench("counter", [HERE / "counter.v"], "benches").simulate("SIMULATOR", ["failing"], tmp_path)
"""
LOOP_TEST = """
def test_fails(completed):
    run = completed("sim", "--scenario", "opening", "--messages", "40", "--seed", "5")
    assert run.lines("orders.jsonl") == []
"""


def failing_pytest(directory: Path, test: str, *plugins: str) -> str:
    """What a pytest of its own says of one failing test."""
    (directory / "test_deliberate.py").write_text(test)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{directory}", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in (SEED, SEEDS):
        environment.pop(name, None)
    options = [option for plugin in plugins for option in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *options,
               f"--basetemp={directory / 'temporary'}", "test_deliberate.py"]  # fmt: skip
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    return done.stdout


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_of_a_failing_bench(simulator: str, tmp_path: Path) -> None:
    """The test that failed, it alone, to the same clock; the dump holds it and GTKWave's view names its signals."""
    (tmp_path / "counter.v").write_text(COUNTER)
    (tmp_path / "benches").mkdir()
    (tmp_path / "benches" / "__init__.py").touch()
    (tmp_path / "benches" / "failing.py").write_text(FAILING_BENCH)
    output = failing_pytest(tmp_path, BENCH_TEST.replace("SIMULATOR", simulator))
    seed = seed_of("test_deliberate.py::test_fails", {})
    assert re.search(rf"reproduce: COCOTB_RANDOM_SEED={seed} \S+ pytest test_deliberate.py::test_fails", output)
    told = re.search(r"^benches\.failing\.stops_at_random fails again; its waves: cd (\S+) && gtkwave (\S+) (\S+)$",
                     output, re.M)  # fmt: skip
    assert told, output
    folder, dump, view = Path(told[1]), told[2], told[3]
    stopped = {int(clocks) for clocks in re.findall(r"stopped after (\d+) clocks", output)}
    assert len(stopped) == 1
    vcd = VCDVCD(str(folder / dump))
    counts = [int(value, 2) for _, value in vcd["counter.count[7:0]"].tv if "x" not in value]
    assert abs(counts[-1] - stopped.pop()) <= 1
    assert "counter.count[7:0]" in (folder / view).read_text()


def test_of_a_failing_loop(tmp_path: Path) -> None:
    output = failing_pytest(tmp_path, LOOP_TEST, "tests.conftest", "tests.loop.conftest")
    (folder,) = re.findall(r"^tickloop waves (\S+) ", output, re.M)
    assert {path.name for path in Path(folder).glob("waves.*")} == {"waves.vcd", "waves.gtkw"}
    assert (Path(folder) / "orders.jsonl").read_text()
    (line,) = re.findall(r"^reproduce: tickloop (.*)$", output, re.M)
    assert line.split() == [
        "sim",
        "--scenario",
        "opening",
        "--messages",
        "40",
        "--seed",
        "5",
        "--out",
        folder,
        "--waves",
    ]
