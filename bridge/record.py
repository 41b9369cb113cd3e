# SPDX-License-Identifier: MIT
"""Reads back what the native core recorded: one file a log, in ``out/record``.

Of a run that was killed the files are longer than their logs; ``lengths.bin``, which only such a run leaves, says how
long those are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge import layout
from bridge.interface import RawFrame, SentFrame

LENGTHS = "lengths.bin"
_ENTRIES = {
    "frames": layout.FRAME_LOG,
    "dma": layout.DMA_LOG,
    "reads": layout.READ_LOG,
    "registers": layout.REGISTER_LOG,
    "guest": layout.GUEST_LOG,
    "trace": layout.TRACE_LOG,
}
_HEADS = {"sent": layout.TX_LOG, "raw": layout.RAW_FRAME}


def recorded(record: Path, name: str) -> bytes:
    """The bytes of the log ``name``; none if the run did not come to opening it."""
    path = record / f"{name}.bin"
    data = path.read_bytes() if path.exists() else b""
    if (record / LENGTHS).exists():
        for entry in np.fromfile(record / LENGTHS, layout.LOG_LENGTH):
            if entry["name"].tobytes().rstrip(b"\0") == name.encode():
                return data[: int(entry["length"])]
    return data


def read_log(record: Path, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The log ``name``: whole entries only, for a run may have been cut off."""
    data = recorded(record, name)
    return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)


def incomplete(record: Path) -> list[str]:
    """Names of the logs that end inside an entry, which is then not read: only what is left of a file can be so."""
    cut = [name for name, dtype in _ENTRIES.items() if len(recorded(record, name)) % dtype.itemsize]
    return cut + [name for name, head in _HEADS.items() if _spans(recorded(record, name), head)[1]]


def read_frames(record: Path) -> npt.NDArray[Any]:
    """Received frames in wire order; the log has them in the order of their reports."""
    frames = read_log(record, "frames", layout.FRAME_LOG)
    return frames[np.lexsort((frames["line"], frames["first_clock"]))]


def _spans(data: bytes, head: np.dtype[Any]) -> tuple[list[tuple[int, int]], int]:
    """Offset and payload length of each whole entry, and how many bytes behind the last one are none."""
    spans, at = [], 0
    while at + head.itemsize <= len(data):
        length = int(np.frombuffer(data, head, 1, at)[0]["length"])
        end = at + head.itemsize + length + -length % 8
        if end > len(data):
            break
        spans.append((at, length))
        at = end
    return spans, len(data) - at


def _with_payload(record: Path, name: str) -> Iterator[tuple[Any, bytes]]:
    """Entries of a header with a ``length`` and as many bytes behind it, padded to 8."""
    data, head = recorded(record, name), _HEADS[name]
    for at, length in _spans(data, head)[0]:
        start = at + head.itemsize
        yield np.frombuffer(data, head, 1, at)[0], data[start : start + length]


def read_sent(record: Path) -> list[SentFrame]:
    """Frames that left the transmit port."""
    entries = _with_payload(record, "sent")
    return [SentFrame(int(head["first_clock"]), int(head["last_clock"]), data) for head, data in entries]


def read_raw(record: Path) -> list[RawFrame]:
    """Frames of the raw ring."""
    entries = _with_payload(record, "raw")
    return [
        RawFrame(
            int(head["line"]),
            int.from_bytes(head["hw_timestamp_ns"].tobytes(), "little"),
            int(head["reason"]),
            data,
        )
        for head, data in entries
    ]
