# SPDX-License-Identifier: MIT
"""Frames through the NIC with cocotbext-axi's AxiStreamSource and AxiStreamSink: the cocotb test, and what runs it.

Set up for speed: cocotb's clock in C++, loggers at WARNING, frames that are due queued at once, no pauses, the
simulator's own optimisations on. The time counts from the first frame sent until the last line has been received and
compared.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer

from bridge import build
from bridge.interface import CLOCK_PS, Simulator

BENCH = Path(__file__).with_name("axi_stream_bench.v")
ORDER = "BENCH_ORDER"
RESET_CLOCKS = 10
VERILATOR_ARGS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal")


def build_peer(simulator: Simulator, directory: Path) -> Callable[[Path], None]:
    """Builds the bench; returns the function that runs an order (a JSON file) and leaves its ``seconds`` beside it."""
    from cocotb_tools.runner import get_runner  # noqa: PLC0415  not in the simulator

    os.environ["PATH"] = os.pathsep.join((str(Path(build.verilator_path()).parent), os.environ["PATH"]))
    # cocotb's runner makes every signal public; the table of their names would take minutes to optimise, for nothing.
    os.environ["MAKEFLAGS"] = build.VERILATOR_MAKE_FLAGS.replace("OPT_SLOW=-O1", "OPT_SLOW=-O0")
    os.environ["PYTHONPATH"] = os.pathsep.join((str(build.ROOT), str(BENCH.parents[1])))
    runner = get_runner(simulator)
    runner.build(
        sources=[BENCH, *build.rtl_sources()],
        includes=[build.ROOT / "rtl"],
        hdl_toplevel=BENCH.stem,
        build_args=list(VERILATOR_ARGS) if simulator == "verilator" else ["-g2005"],
        build_dir=directory,
        timescale=("1ps", "1ps"),
        log_file=directory / "build.log",
    )

    def run(order: Path) -> None:
        runner.test(
            hdl_toplevel=BENCH.stem,
            test_module=[__name__],
            build_dir=directory,
            test_dir=directory,
            extra_env={ORDER: str(order), "COCOTB_LOG_LEVEL": "WARNING"},
            results_xml=str(directory / "results.xml"),
            log_file=directory / "run.log",
        )

    return run


async def _play(source: Any, frames: list[tuple[int, Any]]) -> None:
    """Sends each frame at its time, in ns from the first."""
    now = 0
    for time_ns, frame in frames:
        if time_ns > now:
            await Timer(time_ns - now, unit="ns")
            now = time_ns
        source.send_nowait(frame)


@cocotb.test()
async def replay(dut: Any) -> None:
    """The order's frames in, its lines out; the time it took goes into the order's ``seconds`` file."""
    from cocotbext import axi  # noqa: PLC0415  only in the simulator

    order = json.loads(Path(os.environ[ORDER]).read_text())
    frames = [(time, axi.AxiStreamFrame(bytes.fromhex(data), tuser=0)) for time, data in order["frames"]]
    expected = np.fromfile(order["lines"], np.uint8).reshape(-1, len(order["compared"]))
    compared = np.array(order["compared"])
    logging.getLogger("cocotb").setLevel(logging.WARNING)
    Clock(dut.clk, CLOCK_PS, unit="ps", impl="gpi").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, RESET_CLOCKS)  # the models take no unknown handshakes
    registers = axi.AxiLiteMaster(axi.AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
    source = axi.AxiStreamSource(axi.AxiStreamBus.from_prefix(dut, "rx_a"), dut.clk, dut.rst)
    sink = axi.AxiStreamSink(axi.AxiStreamBus.from_prefix(dut, "line"), dut.clk, dut.rst)
    dut.rst.value = 0
    await ClockCycles(dut.clk, RESET_CLOCKS)
    for address, value in order["setup"]:
        await registers.write_dword(address, value)

    start = time.perf_counter()
    cocotb.start_soon(_play(source, frames))
    received = bytearray()
    for _ in range(len(expected)):
        received += (await sink.recv()).tdata
    lines = np.frombuffer(received, np.uint8).reshape(len(expected), -1)
    assert np.array_equal(lines[:, compared], expected), "the lines differ from the reference model's"
    Path(order["seconds"]).write_text(str(time.perf_counter() - start))
