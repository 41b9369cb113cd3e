# SPDX-License-Identifier: MIT
"""What brings orders to processors: this interface, with local.py and cluster.py behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from scripts.regress.jobs import Order, Result
from tickloop.exits import ExitStatus, TickloopError


class ExecutorError(TickloopError):
    """It cannot be used, or not any more."""


class Executor(Protocol):
    """``run`` gives one result for each order, as they come, in any order; none for those that were stopped.

    Ctrl-C is the caller's: he writes the run's stop file, at which every job ends, and calls ``close``.
    """

    where: str

    def run(self, orders: Sequence[Order]) -> Iterator[Result]: ...

    def close(self) -> None: ...


def unreachable(message: str) -> ExecutorError:
    """There is no cluster to use."""
    return ExecutorError(ExitStatus.TOOL_MISSING, message)
