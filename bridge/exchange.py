# SPDX-License-Identifier: MIT
"""An exchange in the loop, on Python's side: the native core calls it in the simulator's process and takes its frames.

It has ``latency_ps``, ``start()`` and ``advance(until_ps, sent)``. ``sent`` are (time_ps, frame) pairs: what has left
the NIC since the call before, with the time of its last beat, 0 at the earliest; a frame sent at t is answered at
t + latency or later. ``advance`` does everything before ``until_ps``. Both return an ``Advance``. Its frames are due
from the ``until_ps`` of the call before on, in order on each line; ``state()`` is asked for at the end of the run.

The run's times are whole nanoseconds, as in a capture, so a frame's time is rounded up.
"""

from __future__ import annotations

import ctypes
import importlib
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from bridge import core_library
from bridge.interface import BridgeError
from bridge.layout import STIMULUS_LINE_B
from bridge.stimulus import HEADER

EXCHANGE_FAILED = 10
FAULT = "exchange.txt"  # in the record: its traceback
NEVER = (1 << 64) - 1
PS_PER_NS = 1000


class Sent(NamedTuple):
    """A frame without FCS that left the NIC."""

    time_ps: int
    frame: bytes


class Injected(Protocol):
    """A frame without FCS for line A (0) or B (1)."""

    @property
    def time_ps(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def frame(self) -> bytes: ...


class Advance(Protocol):
    """What an exchange did: frames, when it has to do something again (None: when something is sent), whether it is
    done with the run."""

    @property
    def frames(self) -> Sequence[Injected]: ...
    @property
    def next_ps(self) -> int | None: ...
    @property
    def finished(self) -> bool: ...


class Exchange(Protocol):
    """See the module."""

    @property
    def latency_ps(self) -> int: ...
    def start(self) -> Advance: ...
    def advance(self, until_ps: int, sent: Sequence[Sent]) -> Advance: ...
    def state(self) -> dict[str, Any]: ...


def _entries(data: bytes) -> Iterator[Sent]:
    at = 0
    while at < len(data):
        time_ps, length, _ = HEADER.unpack_from(data, at)
        at += HEADER.size
        yield Sent(time_ps, data[at : at + length])
        at += length + -length % 8


class Attached:
    """An exchange that the native core calls."""

    def __init__(self, library: Any, exchange: Exchange, record: Path) -> None:
        self._library, self._exchange, self._record = library, exchange, record
        self._due = [0, 0]  # by line: no frame before
        self._call = core_library.EXCHANGE(self._advance)  # C keeps no reference
        library.tl_set_exchange(self._call, exchange.latency_ps)
        self._answer(exchange.start(), 0)

    def _advance(self, until_ps: int, sent: int | None, length: int) -> int:
        try:
            frames = list(_entries(ctypes.string_at(sent, length))) if sent else []
            self._answer(self._exchange.advance(until_ps, frames), until_ps)
        except BaseException as error:
            self._library.tl_exchange_failed(explain(error, self._record).encode())
        return 0

    def _answer(self, advance: Advance, until_ps: int) -> None:
        data = b"".join(map(self._entry, advance.frames))
        if any(frame.time_ps >= until_ps for frame in advance.frames):
            raise ValueError(f"a frame is due at {until_ps} ps or later")
        self._due = [max(until_ps, due) for due in self._due]
        self._library.tl_exchange_answer(
            data, len(data), NEVER if advance.next_ps is None else advance.next_ps, advance.finished
        )

    def _entry(self, injected: Injected) -> bytes:
        if injected.time_ps < self._due[injected.line]:
            raise ValueError(f"a frame for line {'AB'[injected.line]} at {injected.time_ps} ps comes too late for that")
        self._due[injected.line] = injected.time_ps
        time_ns, frame = -(-injected.time_ps // PS_PER_NS), injected.frame
        flags = STIMULUS_LINE_B if injected.line else 0
        return HEADER.pack(time_ns * PS_PER_NS, len(frame), flags) + frame + bytes(-len(frame) % 8)

    def state(self) -> dict[str, Any]:
        """The exchange's own state.

        Raises:
            BridgeError: status 10, it failed.
        """
        try:
            return self._exchange.state()
        except Exception as error:
            raise BridgeError(EXCHANGE_FAILED, explain(error, self._record)) from None


def explain(error: BaseException, record: Path) -> str:
    """One line for the user; the traceback goes into the record."""
    path = record / FAULT
    path.write_text("".join(traceback.format_exception(error)))
    return f"the exchange failed: {' '.join(f'{type(error).__name__}: {error}'.split())} (details: {path})"


def attach(library: Any, order: dict[str, Any], record: Path) -> Attached:
    """Make the exchange of an order (``bridge.interface.Exchange``) and let the core call it.

    Raises:
        BridgeError: status 10, it cannot be made.
    """
    module, _, name = order["factory"].partition(":")
    try:
        return Attached(library, getattr(importlib.import_module(module), name)(**order["arguments"]), record)
    except Exception as error:
        raise BridgeError(EXCHANGE_FAILED, explain(error, record)) from None
