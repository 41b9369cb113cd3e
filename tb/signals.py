# SPDX-License-Identifier: MIT
"""Signals as numbers, for what looks at them in every clock: cocotb makes an array of logic values of each first, which
takes most of the time of a bench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def reader(handle: Any) -> Callable[[], int]:
    """Reads a signal as an unsigned number; an x or z in it is a ValueError."""
    bits = handle._handle.get_signal_val_binstr
    return lambda: int(bits(), 2)
