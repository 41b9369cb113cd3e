# SPDX-License-Identifier: MIT
"""What long work tells a waiting user on standard error: a bar on a terminal, a plain line now and then elsewhere.

Nothing is said of work that is done in a moment. ``TICKLOOP_PROGRESS=off`` in the environment silences all of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from types import FrameType
from typing import TypeVar

OFF = "TICKLOOP_PROGRESS"
SHOW_AFTER_S = 1.0  # on a terminal
REDRAW_S = 0.2
NOTE_AFTER_S = 2.0  # elsewhere; then at twice the time each, and at least once in LONGEST_S
LONGEST_S = 60.0
BAR = 30  # characters
EVERY = 256  # items of a loop between two looks at the clock
CLEAR = "\r\x1b[K"

Item = TypeVar("Item")


class Progress:
    """Callable with (done, total), total 0 where nobody knows it; what a terminal shows goes away with ``close``."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._shown = False
        self._off = os.environ.get(OFF) == "off"
        self._next = self._start + (SHOW_AFTER_S if self._terminal else NOTE_AFTER_S)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._off or now < self._next:
            return
        elapsed = now - self._start
        if self._terminal:
            self._next = now + REDRAW_S
            self._shown = True
            columns = shutil.get_terminal_size().columns - 1
            print(CLEAR + self._line(done, total, elapsed)[:columns], end="", file=sys.stderr, flush=True)
        else:
            self._next = now + min(elapsed, LONGEST_S)
            share = f" ({100 * done // total} %)" if total else ""
            print(f"tickloop: {self._what}: {_count(done, total)}{share}, {elapsed:.0f} s", file=sys.stderr, flush=True)

    def over(self, items: Iterable[Item], total: int = 0) -> Iterator[Item]:
        """The items, each counted when the next is asked for."""
        for number, item in enumerate(items):
            if number % EVERY == 0:
                self(number, total)
            yield item

    def close(self) -> None:
        """Clears the line."""
        if self._shown:
            print(CLEAR, end="", file=sys.stderr, flush=True)
            self._shown = False

    def _line(self, done: int, total: int, elapsed: float) -> str:
        bar = ""
        if total:
            filled = min(BAR, BAR * done // total)
            bar = f" [{'#' * filled}{'-' * (BAR - filled)}] {min(100, 100 * done // total):3} %"
        return f"{self._what}{bar}  {_count(done, total)}  {elapsed:.0f} s"


@contextmanager
def until_interrupted() -> Iterator[Callable[[Iterable[Item]], Iterator[Item]]]:
    """Yields what lets items through until Ctrl-C: what is made of them then comes to its end as a shorter one, and
    KeyboardInterrupt is raised behind it. A second Ctrl-C interrupts at once."""
    told = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        told.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda items: takewhile(lambda _: not told.is_set(), items)
    finally:
        signal.signal(signal.SIGINT, before)
    if told.is_set():
        raise KeyboardInterrupt


def _count(done: int, total: int) -> str:
    return f"{done:,} of {total:,}" if total else f"{done:,}"


@contextmanager
def note_if_slow(text: str) -> Iterator[None]:
    """Says ``text`` of work that cannot be counted and takes more than a moment: on a terminal with the time that has
    passed, as long as it takes; elsewhere once."""
    if os.environ.get(OFF) == "off":
        yield
        return
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(text, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _watch(text: str, ended: threading.Event) -> None:
    start = time.monotonic()
    if ended.wait(NOTE_AFTER_S):
        return
    if not sys.stderr.isatty():
        print(f"tickloop: {text}", file=sys.stderr, flush=True)
        return
    while True:
        columns = shutil.get_terminal_size().columns - 1
        line = f"{text}  {time.monotonic() - start:.0f} s"[:columns]
        print(CLEAR + line, end="", file=sys.stderr, flush=True)
        if ended.wait(REDRAW_S):
            print(CLEAR, end="", file=sys.stderr, flush=True)
            return
