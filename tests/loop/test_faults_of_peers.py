# SPDX-License-Identifier: MIT
"""Somebody dies or the user stops the run: one clear line, the promised exit status, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loop.conftest import ROOT, processes_of

PATIENCE_S = 10
_started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _nothing_runs_on() -> Iterator[None]:
    """A test that fails leaves no run behind either."""
    yield
    while _started:
        process = _started.pop()
        process.kill()
        process.communicate()


def _heed_ctrl_c() -> None:
    """A shell that runs the tests in the background has them, and their children, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _start(out: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tickloop",
        "sim",
        "--scenario",
        "quiet",
        "--messages",
        "500000",
        "--out",
        str(out),
    ]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509  there is no other thread
    )
    _started.append(process)
    return process


def _wait_for(name: str, out: Path) -> int:
    """The process id of QEMU or of the simulator of the run in ``out``, once the loop runs."""
    for _ in range(1800):
        time.sleep(0.1)
        if not (out / "record/dma.bin").exists() or (out / "record/dma.bin").stat().st_size == 0:
            continue
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                where = os.readlink(entry / "cwd")
            except OSError:
                continue
            if name in command.split("\0")[0] and str(out) in command + where:
                return int(entry.name)
    raise AssertionError(f"{name} did not appear")


def _gone(out: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while processes_of(out) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(out) == []


def _assert_one_line(errors: str, text: str) -> None:
    lines = [
        line for line in errors.splitlines() if line and "\r" not in line and not line.startswith("tickloop: warning")
    ]
    assert "Traceback" not in errors
    assert len(lines) == 1, errors
    assert text in lines[0]


@pytest.mark.parametrize(
    ("victim", "status", "text"), [("qemu-system", 4, "QEMU"), ("Vtestbench", 5, "simulator died")]
)
def test_a_peer_is_killed(tmp_path: Path, victim: str, status: int, text: str) -> None:
    process = _start(tmp_path)
    os.kill(_wait_for(victim, tmp_path), signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == status, errors
    _assert_one_line(errors, text)
    _gone(tmp_path)


def test_ctrl_c(tmp_path: Path) -> None:
    process = _start(tmp_path)
    _wait_for("qemu-system", tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    _gone(tmp_path)


def test_tickloop_itself_is_killed(tmp_path: Path) -> None:
    process = _start(tmp_path)
    _wait_for("qemu-system", tmp_path)
    process.kill()
    process.communicate(timeout=30)
    _gone(tmp_path)


def test_a_frozen_kernel_is_noticed(tmp_path: Path) -> None:
    process = _start(tmp_path)
    qemu = _wait_for("qemu-system", tmp_path)
    os.kill(qemu, signal.SIGSTOP)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 6, errors
    _assert_one_line(errors, "silent")
    _gone(tmp_path)
