# SPDX-License-Identifier: MIT
"""What long work tells a waiting user on standard error."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

NOTE_AFTER_S = 2.0
INTERVAL_S = 0.2
SHOW_AFTER_S = 1.0


class Progress:
    """Callable with (done, total): one line on a terminal, nothing in a file or pipe; it goes away with ``close``."""

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


@contextmanager
def note_if_slow(text: str) -> Iterator[None]:
    """Says ``text`` once if the work takes more than a moment."""
    timer = threading.Timer(NOTE_AFTER_S, print, [f"tickloop: {text}"], {"file": sys.stderr, "flush": True})
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
