# SPDX-License-Identifier: MIT
"""Work on a second core: a forked child sees all that its parent has, so nothing is copied to it. It dies with its
parent, and what it raises is raised in the parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from bridge.qemu import dies_with


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Does ``work``, which leaves files and nothing else, beside the block; both are done at the end of it."""
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_child, args=(work, send, dies_with(os.getpid())), daemon=True)
    child.start()
    send.close()
    try:
        yield
        child.join()
        if child.exitcode != 0:
            raise _error(receive, child.exitcode)
    finally:
        child.kill()  # where the block raised; one that has ended does not mind
        child.join()
        receive.close()


def _error(receive: Connection, status: int | None) -> Exception:
    try:
        error: Exception = receive.recv()
    except EOFError:  # it was killed
        error = RuntimeError(f"a child process ended with status {status}")
    return error


def _child(work: Callable[[], None], send: Connection, die_with_parent: Callable[[], None]) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends this
    try:
        work()
    except Exception as error:
        send.send(error)
        os._exit(1)  # no traceback: the parent tells
