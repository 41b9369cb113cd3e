# SPDX-License-Identifier: MIT
"""Work on a second core: a forked child sees all that its parent has, so nothing is copied to it. It dies with its
parent, and what it raises is raised in the parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from bridge.qemu import dies_with

Value = TypeVar("Value")


@contextmanager
def beside(work: Callable[[], Value]) -> Iterator[Future[Value]]:
    """Does ``work``, which leaves nothing but files and its value, beside the block; both are done at the end of it."""
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_child, args=(work, send, dies_with(os.getpid())), daemon=True)
    child.start()
    send.close()
    future: Future[Value] = Future()
    try:
        yield future
        future.set_result(_received(receive, child))
    finally:
        child.kill()  # where the block raised; one that has ended does not mind
        child.join()
        receive.close()


def _received(receive: Connection, child: BaseProcess) -> Any:
    try:
        value, error = receive.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"a child process ended with status {child.exitcode}") from None
    if error is not None:
        raise error
    return value


def _child(work: Callable[[], object], send: Connection, die_with_parent: Callable[[], None]) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends this
    try:
        outcome: tuple[object, Exception | None] = work(), None
    except Exception as error:  # the parent tells
        outcome = None, error
    send.send(outcome)
