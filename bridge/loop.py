# SPDX-License-Identifier: MIT
"""Runs the loop: builds what is needed, starts the simulator, watches it, and reads back what was recorded.

The simulator is a child that dies with this process, QEMU a child of the simulator: whoever is killed, nothing stays.
Runs without a kernel can share a simulator: each starts from reset, with a native core that knows nothing of the last.
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
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import find_libpython
import numpy as np
from cocotb_tools import config as cocotb_config

from bridge import build, layout, nic_setup, packages, qemu, record
from bridge.commands import write_commands
from bridge.console import Relay
from bridge.interface import BridgeError, LoopRequest, LoopResult
from bridge.own_parser import broken_rule

CHECKS_FAILED = 1
SIMULATOR_DIED = 5
SILENT = 6
NO_SPACE = 8
FULL_BYTES = 1 << 16  # a disk with less left is full: no buffer of waves or logs fits
KERNEL_TIMEOUT_S = 5
SIMULATOR_LOG = "simulator.log"
WAVES = "waves.vcd"
FOR_EVER_S = (1 << 32) - 1  # of the native core's clock: whoever debugs the kernel, or types to it, may take his time
SILENCE_S = 5.0  # without a word or any processor time from the simulator
LOOK_S = 0.25


def epoch_of(seed: int) -> int:
    """The run's epoch: mixed into publish words, so that another run's memory never looks valid."""
    return int.from_bytes(hashlib.sha256(f"{layout.LAYOUT_HASH:08x}/{seed}".encode()).digest()[:4], "big") & 0x7FFFFFFF


def _clocks(nanoseconds: int, clock_ps: int) -> int:
    return -(-nanoseconds * 1000 // clock_ps)


def _record(request: LoopRequest) -> Path:
    return request.out.resolve() / "record"


def _run_order(request: LoopRequest, progress_fd: int, console_fd: int | None) -> dict[str, Any]:
    """What ``bridge.steer`` needs to know of one run."""
    epoch = epoch_of(request.seed)
    host = not request.kernel and not request.replay  # the native core plays it
    return {
        "stimulus": str(request.stimulus.resolve()),
        "record": str(_record(request)),
        "kernel": str(request.kernel.resolve()) if request.kernel else None,
        "config_module": str(request.config_module.resolve()) if request.config_module else None,
        "console": str(request.out.resolve() / "console.log"),
        "mode": request.mode,
        "gdb": request.gdb,
        "console_fd": console_fd,
        "replay": str(request.replay.resolve()) if request.replay else None,
        "exchange": request.exchange.order() if request.exchange else None,
        "setup": nic_setup.register_writes(request, epoch) if host else [],
        "descriptors": nic_setup.descriptor_ring(request) if host else None,
        "final_reads": list(layout.REGISTERS.values()),
        "config": {
            "progress_fd": progress_fd,
            "epoch": epoch,
            "clock_ps": request.clock_ps,
            "ps_per_instruction": request.ps_per_instruction,
            "posted_write_clocks": _clocks(request.posted_write_ns, request.clock_ps),
            "read_clocks": _clocks(request.read_ns, request.clock_ps),
            "doorbell_clocks": _clocks(request.doorbell_ns, request.clock_ps),
            "timeout_s": KERNEL_TIMEOUT_S if request.gdb is None and request.live_console is None else FOR_EVER_S,
            "host_delay_us": request.host_delay,
            "guest_delay_us": request.guest_delay,
            "delay_seed": request.delay_seed,
            "mode": layout.RunMode[request.mode.upper()],
            "give_back": 1 << (request.rx_log2 - 2),
            "patience_clocks": _clocks(request.hold_ns, request.clock_ps),
        },
    }


def _cocotb_entry() -> str:
    """What cocotb_tools.config.pygpi_entry_point() is, which imports cocotb, and pytest with it, to find it."""
    spec = PathFinder.find_spec("simulator", [str(cocotb_config.libs_dir.parent)])
    if spec is None or spec.origin is None:
        raise build.missing("cocotb's module for simulators", "the Python package cocotb")
    return f"{Path(spec.origin).resolve()},initialize"


def _environment(order_file: Path, seed: int) -> dict[str, str]:
    paths = [str(build.ROOT), os.environ.get("PYTHONPATH", "")]
    libpython = find_libpython.find_libpython()
    if libpython is None:
        raise build.missing(f"the shared library of {sys.executable}", packages.libpython())
    own = {k: v for k, v in os.environ.items() if not k.startswith(("COCOTB_", "GPI_", "PYGPI_", "COVERAGE"))}
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
        "GPI_USERS": f"{libpython};{_cocotb_entry()}",
        "PYGPI_PYTHON_BIN": sys.executable,
    }


def _player_name(request: LoopRequest) -> str:
    return "replay" if request.kernel and request.replay else "simulator"


class _Silence:
    """How long the simulator has neither said nor done anything. Time in which it was waiting for a processor or a
    disk does not count, nor time in which this process itself stood still."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._spent: list[str] = []
        self._looked = time.monotonic()
        self.seconds = 0.0

    def broken(self) -> None:
        """It said something."""
        self.seconds, self._looked = 0.0, time.monotonic()

    def look(self) -> None:
        state, *fields = self._stat.read_text().rsplit(")", 1)[1].split()
        spent, now = fields[10:12], time.monotonic()
        if spent != self._spent or state in ("R", "D"):
            self.seconds = 0.0
        else:
            self.seconds += min(now - self._looked, 2 * LOOK_S)
        self._spent, self._looked = spent, now


def _watch(
    process: subprocess.Popen[bytes], progress: int, requests: Sequence[LoopRequest]
) -> Iterator[dict[str, Any]]:
    """Pass progress lines on and yield each run's outcome, the last one when the simulator has ended.

    Raises:
        BridgeError: status 5, the simulator died before the last outcome; 6, it is frozen; 8, the disk is full.
    """
    rest, outcomes = b"", 0
    last: dict[str, Any] | None = None
    silence = _Silence(process.pid)
    while True:
        if not select.select([progress], [], [], LOOK_S)[0]:
            silence.look()
            if silence.seconds > SILENCE_S:
                raise BridgeError(SILENT, f"the {_player_name(requests[0])} has been silent for {SILENCE_S:.0f} s")
            continue
        silence.broken()
        chunk = os.read(progress, 4096)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                outcomes += 1
                last = json.loads(line)
                if outcomes < len(requests):
                    yield last
            elif (show := requests[outcomes].progress) is not None:
                show(*map(int, line.split()))
    process.wait()
    if outcomes == len(requests) and last is not None:
        yield last
        return
    directory = _record(requests[outcomes])
    if shutil.disk_usage(directory).free < FULL_BYTES:
        raise BridgeError(NO_SPACE, f"out of space in {requests[outcomes].out}")
    end = signal.Signals(-process.returncode).name if process.returncode < 0 else f"status {process.returncode}"
    log = _record(requests[0]) / SIMULATOR_LOG
    raise BridgeError(SIMULATOR_DIED, f"the {_player_name(requests[0])} died ({end}); see {log}")


def _simulate(
    command: list[str], requests: Sequence[LoopRequest], core: Path
) -> Iterator[dict[str, Any] | BridgeError]:
    """Run one simulator over ``requests``; yields each run's outcome. One that it does not survive is the last."""
    with _console(requests[0]) as relay:
        for outcome in _simulate_with(command, requests, core, relay.kernel_fd if relay else None):
            yield _by_rule(requests[0], outcome) if requests[0].parser else outcome


def _by_rule(request: LoopRequest, outcome: dict[str, Any] | BridgeError) -> dict[str, Any] | BridgeError:
    """The outcome of a simulation with the user's parser: one that a broken rule ended has that for its reason."""
    status = outcome.exit_status if isinstance(outcome, BridgeError) else outcome["status"]
    if status != SIMULATOR_DIED:
        return outcome
    rule = broken_rule((_record(request) / SIMULATOR_LOG).read_text(errors="replace"))
    return BridgeError(CHECKS_FAILED, rule) if rule else outcome


def _console(request: LoopRequest) -> Relay | nullcontext[None]:
    """Somebody who types to the kernel, if that is asked for."""
    if request.live_console is None:
        return nullcontext()
    return Relay(Path(request.live_console), request.out.resolve() / "console.log")


def _simulate_with(
    command: list[str], requests: Sequence[LoopRequest], core: Path, console_fd: int | None
) -> Iterator[dict[str, Any] | BridgeError]:
    read_end, write_end = os.pipe()
    directory = _record(requests[0])
    order_file = directory / "order.json"
    runs = [_run_order(request, write_end, console_fd) for request in requests]
    order_file.write_text(json.dumps({"core": str(core), "progress_fd": write_end, "runs": runs}))
    with (directory / SIMULATOR_LOG).open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=_environment(order_file, requests[0].seed),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=(write_end, *([console_fd] if console_fd is not None else [])),
            start_new_session=True,
            preexec_fn=qemu.dies_with(os.getpid()),  # noqa: PLW1509  there is no other thread
        )
    os.close(write_end)
    try:
        yield from _watch(process, read_end, requests)
    except BridgeError as error:
        yield error
    finally:
        os.close(read_end)
        if process.poll() is None:
            process.kill()
            process.wait()


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
    if request.kernel:
        versions["qemu"] = _version([qemu.executable(), "--version"])
    if request.kernel and request.replay:
        return versions
    if request.simulator == "icarus":
        versions["icarus"] = _version([command[0], "-V"])
    else:
        versions["verilator"] = _version([build.verilator_path(), "--version"])
    return versions


def _result(
    request: LoopRequest, outcome: dict[str, Any], setup_s: float, versions: dict[str, str]
) -> LoopResult | BridgeError:
    if outcome["status"] != 0:
        return BridgeError(outcome["status"], outcome["message"])
    totals = outcome["totals"]
    registers = dict(zip(layout.REGISTERS, outcome["final"], strict=True))
    return _read_back(
        request,
        registers,
        clocks=totals["clocks"],
        clocks_skipped=totals["skipped"],
        wall={"setup_s": setup_s, "boot_s": outcome["boot_s"], "loop_s": totals["loop_s"]},
        versions=versions,
        waves=request.out.resolve() / WAVES if request.waves else None,
        held_up=totals["held_up"],
        exchange=outcome.get("exchange"),
    )


def recorded(request: LoopRequest) -> LoopResult:
    """What a run that did not come to its end has recorded. The NIC's counters, which are read last, are not known;
    registers have the values written last."""
    accesses = record.read_log(_record(request), "registers", layout.REGISTER_LOG)
    writes = accesses[accesses["write"] != 0]
    values = dict(zip(writes["address"].tolist(), writes["value"].tolist(), strict=True))
    registers = {name: values.get(address, 0) for name, address in layout.REGISTERS.items()}
    last = accesses["done_clock"].max() if len(accesses) else 0
    return _read_back(request, registers, clocks=int(last), clocks_skipped=0, wall={})


def _read_back(request: LoopRequest, registers: dict[str, int], **totals: Any) -> LoopResult:
    directory = _record(request)
    trace, notes = record.read_trace(directory)
    return LoopResult(
        frames=record.read_frames(directory),
        dma=record.read_log(directory, "dma", layout.DMA_LOG),
        reads=record.read_log(directory, "reads", layout.READ_LOG),
        register_accesses=record.read_log(directory, "registers", layout.REGISTER_LOG),
        sent=record.read_sent(directory),
        guest=record.read_log(directory, "guest", layout.GUEST_LOG),
        trace=trace,
        notes=notes,
        commands=tuple(sorted(request.commands, key=lambda command: command.time_ps)),
        registers=registers,
        export=record.recorded(directory, "export"),
        raw=record.read_raw(directory),
        clock_ps=request.clock_ps,
        mode=request.mode,
        valid=record.read_log(directory, "valid", layout.VALID_LOG),
        posted_write_clocks=_clocks(request.posted_write_ns, request.clock_ps),
        stimulus=request.stimulus,
        rx_base=registers["RX_BASE_LO"] | registers["RX_BASE_HI"] << 32,
        rx_log2=registers["RX_LOG2"],
        epoch=registers["RX_EPOCH"],
        **totals,
    )


def _player_command(request: LoopRequest) -> list[str]:
    """The command of the process that plays the NIC: a simulator, or the replay of what one did."""
    if request.kernel and request.replay:
        return [sys.executable, "-m", "bridge.replayer"]
    return build.build_simulator(request.simulator, request.waves, request.clock_ps, request.parser)


def run_many(requests: Sequence[LoopRequest]) -> Iterator[LoopResult | BridgeError]:
    """Run several requests without a kernel, each from reset, in one simulator; yields what each gave, in their order.

    A fault ends its own run only, and is yielded in the result's place; if the simulator did not survive it, another
    one goes on with the rest. All must be for the same simulator, clock and skipping. With waves, of which a simulator
    writes one dump, each run has a simulator of its own. A single request may have a kernel.

    Raises:
        BridgeError: none of the runs can be carried out: a tool is missing or a build failed.
        ValueError: the requests cannot share a simulator.
    """
    if not requests:
        return
    first = requests[0]
    alike = {(request.simulator, request.clock_ps, request.skip_idle, request.waves) for request in requests}
    if len(requests) > 1 and (len(alike) > 1 or any(request.kernel for request in requests)):
        raise ValueError("these runs cannot share a simulator")
    start = time.monotonic()
    if first.kernel:
        qemu.executable()
    core = build.build_core()
    command = _player_command(first)
    # Relative to the simulator's directory: a Verilog register holds this path, and has room for 512 characters.
    arguments = [*([f"+waves=../{WAVES}"] if first.waves else []), *([] if first.skip_idle else ["+no_skip"])]
    for request in requests:
        _record(request).mkdir(parents=True, exist_ok=True)
        record.write_given(_record(request), request)
        if request.kernel:
            write_commands(_record(request), request.commands)
    setup_s = time.monotonic() - start
    versions = _versions(first, command)
    at = 0
    while at < len(requests):
        together = requests[at : at + 1] if first.waves else requests[at:]
        for outcome in _simulate([*command, *arguments], together, core):
            request, at = requests[at], at + 1
            if isinstance(outcome, BridgeError):
                yield outcome
            else:
                yield _result(request, outcome, setup_s, versions)
            setup_s = 0.0


def run(request: LoopRequest) -> LoopResult:
    """Run the loop to its end and read back what it recorded; the logs stay in ``out/record``.

    Raises:
        BridgeError: the run could not be carried out; carries the exit status and one line for the user. What was
            recorded up to then is in ``out/record``.
    """
    (result,) = run_many([request])
    if isinstance(result, BridgeError):
        raise result
    return result
