# SPDX-License-Identifier: MIT
"""Reads back what the native core recorded: one file a log, in ``out/record``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge import layout
from bridge.interface import RawFrame, SentFrame


def read_log(record: Path, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The log ``name``: whole entries only, for a run may have been cut off."""
    data = (record / f"{name}.bin").read_bytes()
    return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)


def read_frames(record: Path) -> npt.NDArray[Any]:
    """Received frames in wire order; the log has them in the order of their reports."""
    frames = read_log(record, "frames", layout.FRAME_LOG)
    return frames[np.lexsort((frames["line"], frames["first_clock"]))]


def _with_payload(record: Path, name: str, head: np.dtype[Any]) -> Iterator[tuple[Any, bytes]]:
    """Entries of a header with a ``length`` and as many bytes behind it, padded to 8."""
    data, at = (record / f"{name}.bin").read_bytes(), 0
    while at + head.itemsize <= len(data):
        entry = np.frombuffer(data, head, 1, at)[0]
        at += head.itemsize
        length = int(entry["length"])
        yield entry, data[at : at + length]
        at += length + -length % 8


def read_sent(record: Path) -> list[SentFrame]:
    """Frames that left the transmit port."""
    entries = _with_payload(record, "sent", layout.TX_LOG)
    return [SentFrame(int(head["first_clock"]), int(head["last_clock"]), data) for head, data in entries]


def read_raw(record: Path) -> list[RawFrame]:
    """Frames of the raw ring."""
    entries = _with_payload(record, "raw", layout.RAW_FRAME)
    return [
        RawFrame(
            int(head["line"]),
            int.from_bytes(head["hw_timestamp_ns"].tobytes(), "little"),
            int(head["reason"]),
            data,
        )
        for head, data in entries
    ]
