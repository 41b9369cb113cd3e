# SPDX-License-Identifier: MIT
"""Progress of long work on one line of a terminal; nothing where standard error is a file or a pipe."""

from __future__ import annotations

import sys
import time

INTERVAL_S = 0.2
SHOW_AFTER_S = 1.0


class Progress:
    """Callable with (done, total); the line goes away with ``close``."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = time.monotonic()
        self._last = 0.0
        self._terminal = sys.stderr.isatty()
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._terminal or now - self._start < SHOW_AFTER_S or now - self._last < INTERVAL_S:
            return
        self._last = now
        self._shown = True
        share = f" ({100 * done // total} %)" if total else ""
        print(f"\r\x1b[K{self._what}: {done} of {total}{share}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clears the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
