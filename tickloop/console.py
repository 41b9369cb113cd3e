# SPDX-License-Identifier: MIT
"""``tickloop console``: this terminal at the console of a kernel that runs, through the socket in its run directory."""

from __future__ import annotations

import os
import select
import socket
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tickloop.exits import UsageError

CONSOLE_SOCKET = "console.sock"
LEAVE = b"\x1d"  # Ctrl-]
PATIENCE_S = 2.0  # a run that has just been started may not listen yet

def join_console(directory: Path) -> None:
    """Passes on what is typed and what the kernel prints, until either side ends.

    Raises:
        UsageError: no run listens there.
    """
    kernel = _connect(directory / CONSOLE_SOCKET)
    with kernel, _raw_terminal(sys.stdin.fileno()):
        _pass_on(kernel, sys.stdin.fileno(), sys.stdout.fileno())

def _connect(path: Path) -> socket.socket:
    kernel = socket.socket(socket.AF_UNIX)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            kernel.connect(str(path))
        except OSError as error:
            if time.monotonic() > deadline or isinstance(error, PermissionError):
                kernel.close()
                raise UsageError(f"{path}: no run waits there ({error.strerror}); start one with "
                                 f"tickloop sim --console --out {path.parent}") from None
            time.sleep(0.05)
        else:
            return kernel

@contextmanager
def _raw_terminal(fd: int) -> Iterator[None]:
    """Keys as they are pressed, unless input is no terminal; the output's newlines stay the terminal's business."""
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    raw = list(before)
    raw[0] &= ~(termios.ICRNL | termios.IXON)
    raw[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(fd, termios.TCSADRAIN, raw)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)

def _pass_on(kernel: socket.socket, keys: int, shown: int) -> None:
    sources: list[int | socket.socket] = [kernel, keys]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if kernel in ready:
            data = kernel.recv(4096)
            if not data:
                return
            os.write(shown, data)
        if keys in ready:
            typed = os.read(keys, 4096)
            if LEAVE in typed:
                return
            if typed:
                kernel.sendall(typed)
            else:
                sources.remove(keys)  # its end: what the kernel says is still of interest
