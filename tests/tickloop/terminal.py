# SPDX-License-Identifier: MIT
"""A command at a terminal of its own: what it shows there can be waited for, and Ctrl-C comes as from the keyboard."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from pathlib import Path

from tickloop.progress import OFF

ROOT = Path(__file__).resolve().parents[2]
CTRL_C = b"\x03"
PATIENCE_S = 90


def at_terminal(*arguments: str | Path) -> Terminal:
    """``at_terminal("sim", ...)``: tickloop, started in the repository."""
    return Terminal([sys.executable, "-m", "tickloop", *map(str, arguments)])


class Terminal:
    """A command at a terminal of its own, which it may be interrupted from."""

    def __init__(self, command: list[str]) -> None:
        self.text = b""
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"} | {OFF: "on"}
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, environment)

    def wait_for(self, pattern: bytes) -> None:
        """Reads until the pattern has come."""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def press(self, keys: bytes) -> None:
        os.write(self.end, keys)

    def finish(self) -> int:
        """Reads to its end; returns the exit status."""
        while self._read():
            pass
        os.close(self.end)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        if not select.select([self.end], [], [], PATIENCE_S)[0]:
            return False
        try:
            piece = os.read(self.end, 4096)
        except OSError:  # the terminal's last user is gone
            return False
        self.text += piece
        return bool(piece)
