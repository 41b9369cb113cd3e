# SPDX-License-Identifier: MIT
"""Runs the loop: builds what is needed, starts the simulator, watches it, and reads back what was recorded.

The simulator is a child that dies with this process, QEMU a child of the simulator: whoever is killed, nothing stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import find_libpython
import numpy as np
from cocotb_tools import config as cocotb_config

from bridge import build, layout, qemu
from bridge.interface import CLOCK_PS, BridgeError, LoopRequest, LoopResult, SentFrame

SIMULATOR_DIED = 5
SILENT = 6
NO_SPACE = 8
FULL_BYTES = 1 << 16  # a disk with less left is full: no buffer of waves or logs fits
HOST_RING_LOG2 = 12
HOST_RING_BASE = 0x1000000
KERNEL_TIMEOUT_S = 10
SILENCE_S = 10.0  # without a word or any processor time from the simulator


def epoch_of(seed: int) -> int:
    """The run's epoch: mixed into publish words, so that another run's memory never looks valid."""
    return int.from_bytes(hashlib.sha256(f"{layout.LAYOUT_HASH:08x}/{seed}".encode()).digest()[:4], "big") & 0x7FFFFFFF


def _clocks(nanoseconds: int) -> int:
    return -(-nanoseconds * 1000 // CLOCK_PS)


def _address(dotted: str) -> int:
    return int.from_bytes(bytes(map(int, dotted.split("."))), "big")


def _host_setup(request: LoopRequest, epoch: int) -> list[tuple[int, int]]:
    """Register writes with which the native core, playing the host, sets the NIC up."""
    values = {
        "WINDOW_BASE_LO": HOST_RING_BASE,
        "WINDOW_SIZE_LO": layout.LINE_BYTES << HOST_RING_LOG2,
        "RX_BASE_LO": HOST_RING_BASE,
        "RX_LOG2": HOST_RING_LOG2,
        "RX_EPOCH": epoch,
        "GROUP_ADDRESS": _address(request.group_address),
        "GROUP_PORT": request.group_port,
        "CONTROL": layout.REGISTER_FIELDS["CONTROL"]["RX_ENABLE"],
    }
    return [(layout.REGISTERS[name], value) for name, value in values.items()]


def _order(request: LoopRequest, record: Path, core: Path, progress_fd: int) -> dict[str, Any]:
    epoch = epoch_of(request.seed)
    return {
        "core": str(core),
        "stimulus": str(request.stimulus.resolve()),
        "record": str(record),
        "kernel": str(request.kernel.resolve()) if request.kernel else None,
        "config_module": str(request.config_module.resolve()) if request.config_module else None,
        "console": str(request.out.resolve() / "console.log"),
        "setup": [] if request.kernel else _host_setup(request, epoch),
        "final_reads": list(layout.REGISTERS.values()),
        "config": {
            "progress_fd": progress_fd,
            "epoch": epoch,
            "ps_per_instruction": request.ps_per_instruction,
            "posted_write_clocks": _clocks(request.posted_write_ns),
            "read_clocks": _clocks(request.read_ns),
            "doorbell_clocks": _clocks(request.doorbell_ns),
            "timeout_s": KERNEL_TIMEOUT_S,
            "host_delay_us": request.host_delay,
            "give_back": 1 << (HOST_RING_LOG2 - 2),
        },
    }


def _environment(order_file: Path, seed: int) -> dict[str, str]:
    paths = [str(build.ROOT), os.environ.get("PYTHONPATH", "")]
    libpython = find_libpython.find_libpython()
    if libpython is None:
        raise BridgeError(
            3, f"the shared library of {sys.executable} is missing; install libpython3, or run make sim, which does"
        )
    own = {k: v for k, v in os.environ.items() if not k.startswith(("COCOTB_", "GPI_", "PYGPI_"))}
    return {
        **own,
        "TICKLOOP_ORDER": str(order_file),
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "COCOTB_TEST_MODULES": "bridge.steer",
        "COCOTB_TOPLEVEL": "testbench",
        "COCOTB_RANDOM_SEED": str(seed),
        "COCOTB_RESULTS_FILE": str(order_file.with_name("results.xml")),
        "COCOTB_LOG_LEVEL": "WARNING",
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_REWRITE_ASSERTION_FILES": "",
        "OPENBLAS_NUM_THREADS": "1",
        "GPI_USERS": f"{libpython};{cocotb_config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
    }


def _processor_time(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]


def _watch(process: subprocess.Popen[bytes], progress: int, request: LoopRequest) -> dict[str, Any] | None:
    """Pass progress lines on until the simulator closes its end; returns the outcome, None if there was none.

    Raises:
        BridgeError: status 6, the simulator is frozen.
    """
    rest, outcome = b"", None
    spent: list[str] = []
    while True:
        if not select.select([progress], [], [], SILENCE_S)[0]:
            before, spent = spent, _processor_time(process.pid)
            if spent == before:
                raise BridgeError(SILENT, f"the simulator has been silent for {SILENCE_S:.0f} s")
            continue
        chunk = os.read(progress, 4096)
        if not chunk:
            process.wait()
            return outcome
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines[-2:]:
            if line.startswith(b"{"):
                outcome = json.loads(line)
            elif request.progress:
                done, total = map(int, line.split())
                request.progress(done, total)


def _simulate(command: list[str], request: LoopRequest, record: Path, core: Path) -> dict[str, Any]:
    """Run the simulator to its end; returns its outcome.

    Raises:
        BridgeError: status 5, it ended without an outcome; 6, it is frozen; 8, because the disk is full.
    """
    read_end, write_end = os.pipe()
    order_file = record / "order.json"
    order_file.write_text(json.dumps(_order(request, record, core, write_end)))
    log = record / "simulator.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=record,
            env=_environment(order_file, request.seed),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=(write_end,),
            start_new_session=True,
            preexec_fn=qemu.dies_with(os.getpid()),  # noqa: PLW1509  there is no other thread
        )
    os.close(write_end)
    try:
        outcome = _watch(process, read_end, request)
    finally:
        os.close(read_end)
        if process.poll() is None:
            process.kill()
            process.wait()
    if outcome is None and shutil.disk_usage(record).free < FULL_BYTES:
        raise BridgeError(NO_SPACE, f"out of space in {request.out}")
    if outcome is None:
        end = signal.Signals(-process.returncode).name if process.returncode < 0 else f"status {process.returncode}"
        raise BridgeError(SIMULATOR_DIED, f"the simulator died ({end}); see {log}")
    return outcome


def _read_log(record: Path, name: str, dtype: np.dtype[Any]) -> Any:
    data = (record / f"{name}.bin").read_bytes()
    return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)


def _read_sent(record: Path) -> list[SentFrame]:
    data, at, frames = (record / "sent.bin").read_bytes(), 0, []
    while at + layout.TX_LOG.itemsize <= len(data):
        head = np.frombuffer(data, layout.TX_LOG, 1, at)[0]
        at += layout.TX_LOG.itemsize
        length = int(head["length"])
        frames.append(SentFrame(int(head["first_clock"]), int(head["last_clock"]), data[at : at + length]))
        at += length + -length % 8
    return frames


def _version(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(r"\d+\.\d[\w.]*", result.stdout + result.stderr)
    return match.group(0) if match else "unknown"


def _versions(request: LoopRequest, command: list[str]) -> dict[str, str]:
    versions = {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "layout": f"{layout.LAYOUT_VERSION}/{layout.LAYOUT_HASH:08x}",
    }
    if request.simulator == "icarus":
        versions["icarus"] = _version([command[0], "-V"])
    else:
        versions["verilator"] = _version([build.verilator_path(), "--version"])
    if request.kernel:
        versions["qemu"] = _version([qemu.executable(), "--version"])
    return versions


def run(request: LoopRequest) -> LoopResult:
    """Run the loop to its end and read back what it recorded; the logs stay in ``out/record``.

    Raises:
        BridgeError: the run could not be carried out; carries the exit status and one line for the user. What was
            recorded up to then is in ``out/record``.
    """
    start = time.monotonic()
    if request.kernel:
        qemu.executable()
    core = build.build_core()
    command = build.build_simulator(request.simulator, request.waves)
    record = request.out.resolve() / "record"
    record.mkdir(parents=True, exist_ok=True)
    waves = request.out.resolve() / "waves.vcd" if request.waves else None
    # Relative to the simulator's directory: a Verilog register holds this path, and has room for 512 characters.
    arguments = [*([f"+waves=../{waves.name}"] if waves else []), *([] if request.skip_idle else ["+no_skip"])]
    setup_s = time.monotonic() - start
    outcome = _simulate([*command, *arguments], request, record, core)
    if outcome["status"] != 0:
        raise BridgeError(outcome["status"], outcome["message"])
    totals = outcome["totals"]
    registers = dict(zip(layout.REGISTERS, outcome["final"], strict=True))
    return LoopResult(
        frames=_read_log(record, "frames", layout.FRAME_LOG),
        dma=_read_log(record, "dma", layout.DMA_LOG),
        sent=_read_sent(record),
        guest=_read_log(record, "guest", layout.GUEST_LOG),
        trace=_read_log(record, "trace", layout.TRACE_LOG),
        registers=registers,
        export=(record / "export.bin").read_bytes(),
        clocks=totals["clocks"],
        clocks_skipped=totals["skipped"],
        wall={"setup_s": setup_s, "boot_s": outcome["boot_s"], "loop_s": totals["loop_s"]},
        versions=_versions(request, command),
        waves=waves,
        rx_base=registers["RX_BASE_LO"] | registers["RX_BASE_HI"] << 32,
        rx_log2=registers["RX_LOG2"],
        epoch=registers["RX_EPOCH"],
    )
