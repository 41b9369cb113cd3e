# SPDX-License-Identifier: MIT
"""A kernel's serial line for people: everything that it prints goes into a file, and to whoever has joined at a socket;
what is typed there goes to the kernel.

QEMU's end is one of a socket pair that it inherits. It is read at once whatever the other side does, so a reader who is
slow or gone keeps no kernel waiting. Somebody who joins late is told all that was printed before.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK = 65536
FAREWELL_S = 2.0  # for somebody who does not read the last words


class Relay:
    """From entering to leaving the ``with`` block, a thread passes on. ``kernel_fd`` is for QEMU to inherit."""

    def __init__(self, path: Path, log: Path) -> None:
        self._path = path
        self._log = log.open("wb", buffering=0)
        self._kernel, self._far_end = socket.socketpair()
        self.kernel_fd = self._far_end.fileno()
        self._door = socket.socket(socket.AF_UNIX)
        self._user: socket.socket | None = None
        self._printed = bytearray()
        self._told = 0  # of what was printed, to who has joined
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        self._door.bind(str(self._path))
        os.chmod(self._path, 0o600)
        self._door.listen(1)
        for each in (self._kernel, self._door):
            each.setblocking(False)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop.close()
        self._thread.join()
        self._path.unlink(missing_ok=True)
        for each in (self._kernel, self._far_end, self._door, self._stopped, self._log):
            each.close()

    def _pass_on(self) -> None:
        while self._turn():
            pass
        self._hear()  # what was printed last
        if self._user:
            with suppress(OSError):
                self._user.settimeout(FAREWELL_S)
                self._user.sendall(self._printed[self._told:])
            self._user.close()

    def _turn(self) -> bool:
        reads = [self._stopped, self._kernel, self._door, *([self._user] if self._user else [])]
        writes = [self._user] if self._user and self._told < len(self._printed) else []
        readable, writable, _ = select.select(reads, writes, [])
        if self._kernel in readable:
            self._hear()
        if self._user in writable:
            self._tell()
        if self._user in readable:
            self._listen()
        if self._door in readable:
            self._let_in()
        return self._stopped not in readable

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            while data := self._kernel.recv(CHUNK):
                self._log.write(data)
                self._printed += data

    def _let_in(self) -> None:
        with suppress(BlockingIOError):
            user, _ = self._door.accept()
            if self._user:
                self._user.close()
            user.setblocking(False)
            self._user, self._told = user, 0

    def _tell(self) -> None:
        assert self._user
        try:
            self._told += self._user.send(self._printed[self._told:self._told + CHUNK])
        except OSError:
            self._leave()

    def _listen(self) -> None:
        if self._user is None:
            return
        try:
            typed = self._user.recv(CHUNK)
        except OSError:
            typed = b""
        if typed:
            with suppress(BlockingIOError):  # a kernel that reads nothing: what is typed is lost, as on any serial line
                self._kernel.send(typed)
        else:
            self._leave()

    def _leave(self) -> None:
        assert self._user
        self._user.close()
        self._user = None
