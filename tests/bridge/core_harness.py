# SPDX-License-Identifier: MIT
"""Drives the native core without a simulator: Python plays the testbench, and a thread plays the kernel at the mailbox.

A core makes one run at a time, so every test that needs one runs it here after ``tl_open`` has cleared it.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bridge import build, core_library, layout
from bridge.commands import Command, write_commands
from bridge.interface import CLOCK_PS
from bridge.layout import Tick
from bridge.stimulus import Frame, write_stimulus

REGISTER_CLOCKS = 4
RAM_BYTES = 1 << 20
WHOLE_LINE = (1 << layout.LINE_BYTES) - 1


@dataclass(frozen=True)
class Beat:
    """A beat on one of the lines: valid bytes only."""

    clock: int
    line: int
    data: bytes
    last: bool
    bad_fcs: bool


def _beats(clock: int, control: int, tdata: tuple[int, int]) -> list[Beat]:
    bits = ((Tick.A_TKEEP, Tick.A_TVALID, Tick.A_TLAST, Tick.A_TUSER),
            (Tick.B_TKEEP, Tick.B_TVALID, Tick.B_TLAST, Tick.B_TUSER))  # fmt: skip
    beats = []
    for line, (tkeep, tvalid, tlast, tuser) in enumerate(bits):
        if not control >> tvalid & 1:
            assert not control >> tkeep & 0xFF
            continue
        keep = control >> tkeep & 0xFF
        assert keep & (keep + 1) == 0, "a beat's bytes are the first ones"
        data = tdata[line].to_bytes(8, "little")[: keep.bit_count()]
        beats.append(Beat(clock, line, data, bool(control >> tlast & 1), bool(control >> tuser & 1)))
    return beats


def frame_report(line: int, number: int) -> Any:
    """What the NIC says of a frame: its line, and a number in place of its sequence number."""
    entry = np.zeros(1, layout.FRAME_LOG)
    entry["line"], entry["sequence"] = line, number
    first, end = layout.FRAME_LOG.fields["sequence"][1], layout.FRAME_LOG.fields["reserved"][1]
    return (ctypes.c_uint8 * (end - first)).from_buffer_copy(entry.tobytes()[first:end])


@dataclass
class Run:
    """What the core did, seen from the testbench's side."""

    beats: list[Beat] = field(default_factory=list)
    accesses: list[tuple[int, bool, int, int]] = field(default_factory=list)  # clock, write, address, value
    reads: list[tuple[int, bytes]] = field(default_factory=list)  # clock, line that the NIC gets
    clocks: int = 0
    status: int = 0
    message: str = ""
    totals: dict[str, float] = field(default_factory=dict)


class Core:
    """The native core with 1 MiB of host memory."""

    def __init__(self, directory: Path, frames: list[Frame], *, kernel: bool = False,
                 commands: Sequence[Command] = (), **config: Any) -> None:  # fmt: skip
        self.directory = directory
        if kernel:
            write_commands(directory, commands)
            config["commands"] = str(directory).encode()
        write_stimulus(directory / "stimulus.bin", frames)
        self.native = core_library.load(build.build_core())
        for name in ("tl_tick", "tl_write", "tl_read", "tl_register_done"):
            getattr(self.native, name).restype = ctypes.c_uint64
        self.ram_fd = os.memfd_create("ram") if kernel else -1
        self.mailbox_fd = os.memfd_create("mailbox") if kernel else -1
        self.child = subprocess.Popen(["sleep", "60"]) if kernel else None
        if kernel:
            os.ftruncate(self.ram_fd, RAM_BYTES)
            os.ftruncate(self.mailbox_fd, layout.MAILBOX_BYTES)
        values = {
            "progress_fd": -1, "epoch": 7, "clock_ps": CLOCK_PS, "ps_per_instruction": 250, "posted_write_clocks": 40,
            "read_clocks": 60, "doorbell_clocks": 30, "timeout_s": 2, "host_delay_us": 0, "guest_delay_us": 0,
            "delay_seed": 1, "mode": 0, "give_back": 4, "patience_clocks": 0, "ram_bytes": RAM_BYTES, **config,
        }  # fmt: skip
        self.config = core_library.Config(
            stimulus=str(directory / "stimulus.bin").encode(), record=str(directory).encode(), ram_fd=self.ram_fd,
            mailbox_fd=self.mailbox_fd, **values,
        )  # fmt: skip
        self.open_status = self.native.tl_open(ctypes.byref(self.config))
        self.next_tick = 8

    def run(self, on_access: Callable[[int], int] = lambda address: 0, on_clock: Callable[[int], None] = lambda c: None,
            report: bool = True, idle: bool = True, answer: bool = True, every_clock: bool = False) -> Run:  # fmt: skip
        """Play the testbench to the end; every received frame is reported as accepted.

        A NIC that is broken on purpose: it never reports (``report`` False), is never idle (``idle``), or answers no
        register access (``answer``). With ``every_clock``, ``on_clock`` is called for clocks without an event, too.
        """
        result, library, clock = Run(), self.native, 8
        tdata_a, tdata_b = ctypes.c_uint64(), ctypes.c_uint64()
        control, address, data = (ctypes.c_uint32() for _ in range(3))
        pending: tuple[int, int] | None = None
        frames = 0
        for _ in range(1_000_000):
            on_clock(clock)
            if pending and clock >= pending[0] and answer:
                self.next_tick = library.tl_register_done(ctypes.c_uint64(clock), on_access(pending[1]), 0)
                pending = None
            if clock >= self.next_tick:
                self.next_tick = library.tl_tick(
                    ctypes.c_uint64(clock), int(idle and pending is None), ctypes.byref(tdata_a), ctypes.byref(tdata_b),
                    ctypes.byref(control), ctypes.byref(address), ctypes.byref(data),
                )  # fmt: skip
                for beat in _beats(clock, control.value, (tdata_a.value, tdata_b.value)):
                    result.beats.append(beat)
                    if beat.last and report:
                        frames += 1
                        library.tl_report(ctypes.c_uint64(clock), frame_report(beat.line, frames))
                if control.value >> Tick.REGISTER & 1:
                    write = bool(control.value >> Tick.REGISTER_WRITE & 1)
                    result.accesses.append((clock, write, address.value, data.value))
                    pending = (clock + REGISTER_CLOCKS, address.value)
                if control.value >> Tick.READ_DATA & 1:
                    read = (ctypes.c_uint32 * 16)()
                    library.tl_read_data(read)
                    result.reads.append((clock, bytes(read)))
                if control.value >> Tick.FINISHED & 1:
                    break
            event = min(self.next_tick, pending[0] if pending and answer else self.next_tick)
            clock = clock + 1 if every_clock else max(clock + 1, event)
        else:
            raise AssertionError("the run does not end")
        result.clocks = clock
        totals = core_library.Totals()
        library.tl_get_totals(ctypes.byref(totals))
        result.totals = core_library.as_dict(totals)
        result.status = library.tl_close()
        result.message = library.tl_message().decode()
        self.close()
        return result

    def write(self, clock: int, address: int, line: bytes, strobe: int = WHOLE_LINE) -> None:
        """A DMA write of the NIC, in the clock that ``on_clock`` is called for."""
        self.next_tick = self.native.tl_write(
            ctypes.c_uint64(clock), ctypes.c_uint64(address), ctypes.c_uint64(strobe),
            (ctypes.c_uint32 * 16).from_buffer_copy(line),
        )  # fmt: skip

    def read(self, clock: int, address: int) -> None:
        """A DMA read of the NIC, likewise."""
        self.next_tick = self.native.tl_read(ctypes.c_uint64(clock), ctypes.c_uint64(address))

    def close(self) -> None:
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None
            os.close(self.ram_fd)
            os.close(self.mailbox_fd)

    def log(self, name: str) -> Any:
        dtype = {
            "frames": layout.FRAME_LOG,
            "guest": layout.GUEST_LOG,
            "dma": layout.DMA_LOG,
            "reads": layout.READ_LOG,
            "registers": layout.REGISTER_LOG,
            "trace": layout.TRACE_LOG,
            "raw": layout.RAW_FRAME,
        }[name]
        return np.fromfile(self.directory / f"{name}.bin", dtype)


class RunOver(Exception):
    """The run ended while the kernel was waiting."""


class Kernel(threading.Thread):
    """The kernel's side of the mailbox: ``script`` makes requests; ``work`` counts what it pretends to execute."""

    def __init__(self, core: Core, script: Callable[[Kernel], None]) -> None:
        super().__init__(daemon=True)
        self.memory = mmap.mmap(os.dup(core.mailbox_fd), layout.MAILBOX_BYTES)
        self.ram = mmap.mmap(os.dup(core.ram_fd), RAM_BYTES)
        self.box = np.frombuffer(self.memory, layout.MAILBOX, 1)
        self.script, self.work, self.sequence = script, 0, 0
        self.over = False
        self.answers: list[tuple[int, int, int]] = []

    def request(self, op: int, value: int = 0, address: int = 0, work: int = 0, **fields: int) -> tuple[int, int, int]:
        """Execute ``work`` instructions, then make a request; returns (status, value, now_ps) of the answer."""
        self.work += work
        for name, number in {"op": op, "value": value, "address": address, "work": self.work, **fields}.items():
            self.box[name] = number
        self.sequence += 1
        self.box["request"] = self.sequence
        while int(self.box["acknowledge"][0]) != self.sequence:
            if self.over:
                raise RunOver
            time.sleep(0.0001)
        answer = (int(self.box["ack_status"][0]), int(self.box["ack_value"][0]), int(self.box["now_ps"][0]))
        self.answers.append(answer)
        return answer

    def attach(self, **fields: int) -> None:
        places = {"trace_address": 0x1000, "trace_log2": 4, **fields}
        self.request(layout.MailboxOp.ATTACH, layout.LAYOUT_HASH, **places)

    def run(self) -> None:
        with contextlib.suppress(RunOver):
            self.script(self)


def run_with_kernel(core: Core, script: Callable[[Kernel], None], **arguments: Any) -> tuple[Run, Kernel]:
    """Run ``core`` with a kernel that follows ``script``."""
    assert core.child
    kernel = Kernel(core, script)
    kernel.start()
    status = core.native.tl_wait_attach(core.child.pid)
    run = core.run(**arguments)
    assert status in (0, run.status)
    kernel.over = True
    kernel.join(6)
    assert not kernel.is_alive()
    return run, kernel


def line(publish: int, continuations: int = 0, fill: int = 0) -> bytes:
    """A record line with a publish word."""
    data = bytearray([fill]) * layout.LINE_BYTES
    data[28] = continuations
    data[60:64] = publish.to_bytes(4, "little")
    return bytes(data)
