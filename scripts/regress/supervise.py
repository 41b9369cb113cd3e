# SPDX-License-Identifier: MIT
"""Runs commands and answers for all that they start: when the time is over, when whoever asked for them is gone, or
when they have ended, nothing that they started is left.

This process takes in orphans (PR_SET_CHILD_SUBREAPER), so it finds them by their parents alone, whatever session or
process group they have put themselves into.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
LOOK_S = 0.25
GRACE_S = 5.0  # after Ctrl-C, for a command to write what it has


class TimeLimit(Exception):
    """The time was over."""


class Abandoned(Exception):
    """Nobody waits for the result any more."""


def take_in_orphans() -> None:
    """From now on what loses its parent among our descendants is our child."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Supervisor:
    """Runs one command after another, all of them within ``limit_s``, as long as ``abandoned`` says no."""

    def __init__(self, limit_s: float, abandoned: Callable[[], bool]) -> None:
        self._end = time.monotonic() + limit_s
        self._abandoned = abandoned

    def run(self, argv: Sequence[str], cwd: Path, environment: dict[str, str], log: Path) -> int:
        """Its exit status, or minus the signal that ended it; what it says is appended to ``log``.

        Raises:
            TimeLimit, Abandoned: it was ended.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT)
        try:
            while not _ended(process, LOOK_S):
                if self._abandoned():
                    raise Abandoned
                if time.monotonic() > self._end:
                    process.send_signal(signal.SIGINT)
                    _ended(process, GRACE_S)
                    raise TimeLimit
            return process.wait()
        finally:
            kill_descendants()
            process.wait()


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    if process.poll() is not None:
        return True
    descriptor = os.pidfd_open(process.pid)
    try:
        select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    return process.poll() is not None


def kill_descendants() -> None:
    """Ends every process below this one, those that they start meanwhile too."""
    while pids := descendants(os.getpid()):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.01)
        _reap()


def descendants(root: int) -> list[int]:
    """Processes below ``root`` that have not ended."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(entry.name))
    found, level = [], [root]
    while level:
        level = [child for parent in level for child in children.get(parent, ())]
        found += level
    return found


def _reap() -> None:
    """Takes the statuses of orphans; those of subprocess' own children are lost to it, which it takes for 0."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
