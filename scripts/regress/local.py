# SPDX-License-Identifier: MIT
"""Jobs on this machine's processors: as many at once as their slots leave room for, started in their order."""

from __future__ import annotations

import socket
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from threading import Thread

from scripts.regress.jobs import Order, Result, failure
from scripts.regress.run import ROOT
from scripts.regress.worker import run_order


class Local:
    """``slots``: processors to keep busy. A job that wants more than there are runs alone."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._threads: set[Thread] = set()
        self.where = f"{slots} processors of {socket.gethostname()}"

    def run(self, orders: Sequence[Order]) -> Iterator[Result]:
        waiting, used = deque(orders), 0
        done: SimpleQueue[tuple[int, Result | None]] = SimpleQueue()
        while waiting or used:
            while waiting and (not used or used + waiting[0].slots <= self._slots):
                order = waiting.popleft()
                used += order.slots
                thread = Thread(target=self._perform, args=(order, done), daemon=True)
                self._threads.add(thread)
                thread.start()
            slots, result = done.get()
            used -= slots
            self._threads = {thread for thread in self._threads if thread.is_alive()}
            if result is not None:
                yield result

    def close(self) -> None:
        """Waits for what was stopped."""
        for thread in self._threads:
            thread.join()

    def _perform(self, order: Order, done: SimpleQueue[tuple[int, Result | None]]) -> None:
        result: Result | None
        try:
            answer = run_order(sys.executable, str(ROOT), order.to_json())
            result = Result.from_json(answer) if answer else None
        except (RuntimeError, ValueError) as error:
            result = failure(order, str(error), socket.gethostname())
        done.put((order.slots, result))
