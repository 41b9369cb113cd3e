# SPDX-License-Identifier: MIT
"""A run of the real command, and its processes: found, brought to a state of the mailbox protocol, and waited for.

States are reached by what can be seen from outside, never by sleeping: when the simulator is stopped, the kernel gets
as far as its next request and is parked; when QEMU is stopped, the simulator gets as far as its acknowledge, and the
kernel owes the next request.
"""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bridge import layout, record
from bridge.interface import CLOCK_PS, LoopRequest
from tests.loop.conftest import ROOT, processes_of

PATIENCE_S = 10.0  # in which a fault must have ended a run
QEMU = "qemu-system-x86_64"
# What a stand-in for QEMU does; REAL is the real one.
STOP_AT_ONCE = 'kill -STOP $$; exec "$REAL" "$@"'
STOP_AT_THE_END = '"$REAL" "$@"; status=$?; kill -STOP $$; exit $status'


def wait_for(what: Callable[[], Any], why: str, patience_s: float = 60.0) -> Any:
    """The first true value of ``what``."""
    deadline = time.monotonic() + patience_s
    while not (value := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.001)
    return value


def state_of(pid: int) -> str:
    """R, S, D, T (stopped), Z; nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def _children(pid: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "stat").read_text().rsplit(")", 1)[1].split()[1] == str(pid):
                yield int(entry.name)
        except OSError:
            continue


def _heed_ctrl_c() -> None:
    """A shell that runs the tests in the background has them, and their children, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class PeerRun:
    """A command in a session of its own, like one from a terminal; ``qemu`` is a stand-in's shell script."""

    def __init__(self, out: Path, *arguments: str | Path, command: str = "sim", qemu: str | None = None) -> None:
        self.out = out
        environment = dict(os.environ)
        if qemu is not None:
            tools = out.parent / f"{out.name}-tools"
            tools.mkdir()
            real = shutil.which(QEMU)
            script = f'#!/bin/sh\nREAL={real}\n[ "$1" = --version ] && exec "$REAL" "$@"\n{qemu}\n'
            (tools / QEMU).write_text(script)
            (tools / QEMU).chmod(0o755)
            environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tickloop", command, *map(str, arguments), "--out", str(out)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=_heed_ctrl_c,  # noqa: PLW1509  there is no other thread
        )  # fmt: skip
        self.fault_at = 0.0

    def close(self) -> None:
        """Nothing of a run that a test left stays."""
        self.process.kill()
        for pid in pids_of(self.out):
            os.kill(pid, signal.SIGKILL)
        self.process.communicate()

    @property
    def simulator(self) -> int:
        record_directory = str(self.out / "record")

        def find() -> int | None:
            assert self.process.poll() is None, self.process.communicate()
            for pid in _children(self.process.pid):
                try:
                    if os.readlink(f"/proc/{pid}/cwd") == record_directory and state_of(pid) != "Z":
                        return pid
                except OSError:
                    continue
            return None

        return int(wait_for(find, "no simulator appeared"))

    @property
    def qemu(self) -> int:
        return int(wait_for(lambda: next(_children(self.simulator), None), "no QEMU appeared"))

    def mailbox(self) -> Any:
        """The mailbox as numpy sees the layout, live."""
        for fd in Path(f"/proc/{self.simulator}/fd").iterdir():
            if os.readlink(fd).startswith("/memfd:tickloop-mailbox"):
                with fd.open("rb") as file:
                    memory = mmap.mmap(file.fileno(), layout.MAILBOX_BYTES, prot=mmap.PROT_READ)
                return np.frombuffer(memory, layout.MAILBOX, 1)[0]
        raise AssertionError("the simulator has no mailbox")

    def dma(self) -> Any:
        """What the record says of the NIC's writes by now."""
        return record.read_log(self.out / "record", "dma", layout.DMA_LOG)

    def flowing(self) -> None:
        """Messages have reached the kernel's memory."""
        wait_for(lambda: len(self.dma()) > 20, "no message came")

    def fault(self) -> None:
        """From now on the run has ``PATIENCE_S`` to end."""
        self.fault_at = time.monotonic()

    def ended(self) -> tuple[int, str]:
        """Exit status and standard error of the command; in time, and with no process left."""
        _, errors = self.process.communicate(timeout=30)
        assert time.monotonic() - self.fault_at < PATIENCE_S, errors
        wait_for(lambda: not processes_of(self.out), f"left behind: {processes_of(self.out)}", PATIENCE_S)
        return self.process.returncode, errors


def pids_of(directory: Path) -> list[int]:
    """Processes whose command line or working directory names ``directory``."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                if str(directory) in command or str(directory) in os.readlink(entry / "cwd"):
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def before_the_handshake(run: PeerRun) -> None:
    """QEMU is there and the kernel is not (stand-in: STOP_AT_ONCE)."""
    wait_for(lambda: state_of(run.qemu) == "T", "the stand-in does not stop")
    assert run.mailbox()["request"] == 0


def parked(run: PeerRun) -> None:
    """The kernel waits for an acknowledge; the simulator is stopped."""
    run.flowing()
    os.kill(run.simulator, signal.SIGSTOP)
    box = run.mailbox()
    wait_for(lambda: box["request"] != box["acknowledge"], "the kernel makes no request")


def running(run: PeerRun) -> None:
    """The kernel owes a request; QEMU is stopped."""
    run.flowing()
    os.kill(run.qemu, signal.SIGSTOP)
    box = run.mailbox()
    wait_for(lambda: box["request"] == box["acknowledge"], "the simulator acknowledges nothing")


def in_dma(run: PeerRun) -> None:
    """A line that the NIC wrote is on its way: recorded, not yet visible to the kernel; the simulator is stopped."""
    latency_ps = LoopRequest(Path(), Path()).posted_write_ns * 1000

    def on_its_way() -> bool:
        parked(run)
        issued_ps = int(run.dma()[-1]["clock"]) * CLOCK_PS
        if issued_ps + latency_ps > int(run.mailbox()["now_ps"]):
            return True
        os.kill(run.simulator, signal.SIGCONT)
        return False

    wait_for(on_its_way, "no write is ever on its way")


def at_exit(run: PeerRun) -> None:
    """The kernel has finished and QEMU's end is still owed (stand-in: STOP_AT_THE_END)."""
    wait_for(lambda: state_of(run.qemu) == "T", "the stand-in does not stop")
    box = run.mailbox()
    assert box["op"] == layout.MailboxOp.EXIT
    assert box["request"] == box["acknowledge"]


def assert_one_line(errors: str, text: str) -> str:
    """Standard error holds one line besides warnings, with ``text`` in it; returns it."""
    lines = [
        line for line in errors.splitlines() if line and "\r" not in line and not line.startswith("tickloop: warning")
    ]
    assert "Traceback" not in errors
    assert len(lines) == 1, errors
    assert text in lines[0]
    return lines[0]
