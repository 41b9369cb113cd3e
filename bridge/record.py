# SPDX-License-Identifier: MIT
"""Reads back what the native core recorded: one file a log, in ``out/record``, and beside them what the run was given.

Of a run that was killed the files are longer than their logs; ``lengths.bin``, which only such a run leaves, says how
long those are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge import layout
from bridge.interface import LoopRequest, RawFrame, SentFrame, TraceNote

GIVEN = "loop.json"
NO_ASK = (1 << 32) - 1
LAYOUT = f"{layout.LAYOUT_VERSION}/{layout.LAYOUT_HASH:08x}"


@dataclass(frozen=True)
class Recording:
    """The logs of a run: arrays as in ``LoopResult``."""

    frames: npt.NDArray[Any]
    valid: npt.NDArray[Any]
    dma: npt.NDArray[Any]
    reads: npt.NDArray[Any]
    register_accesses: npt.NDArray[Any]
    guest: npt.NDArray[Any]
    trace: npt.NDArray[Any]
    notes: list[TraceNote]
    sent: list[SentFrame]
    export: bytes


def write_given(record: Path, request: LoopRequest) -> None:
    """What a replay of the run has to know, before the run begins: the layout and the request's plain values."""
    values = {each.name: getattr(request, each.name) for each in fields(request)}
    plain = {name: value for name, value in values.items() if isinstance(value, (int, str))}
    document = {
        "layout": LAYOUT,
        "kernel": request.kernel is not None,
        "replay": request.replay is not None,
        "request": plain,
    }
    (record / GIVEN).write_text(json.dumps(document, indent=2) + "\n", encoding="ascii")


def read_given(record: Path) -> dict[str, Any]:
    """What ``write_given`` wrote.

    Raises:
        OSError, ValueError: there is no such document.
    """
    document: dict[str, Any] = json.loads((record / GIVEN).read_text(encoding="ascii"))
    return document


def read_recording(record: Path) -> Recording:
    """Every log.

    Raises:
        OSError: one cannot be read.
    """
    trace, notes = read_trace(record)
    return Recording(
        frames=read_frames(record),
        valid=read_log(record, "valid", layout.VALID_LOG),
        dma=read_log(record, "dma", layout.DMA_LOG),
        reads=read_log(record, "reads", layout.READ_LOG),
        register_accesses=read_log(record, "registers", layout.REGISTER_LOG),
        guest=read_log(record, "guest", layout.GUEST_LOG),
        trace=trace,
        notes=notes,
        sent=read_sent(record),
        export=recorded(record, "export"),
    )


def read_trace(record: Path) -> tuple[npt.NDArray[Any], list[TraceNote]]:
    """The trace's entries of messages, and what else the kernel noted between them."""
    entries = read_log(record, "trace", layout.TRACE_LOG)
    # A message of an unknown type may have such a type, too, but changes no book, and so has no best ask.
    other = np.isin(entries["type"], list(layout.TraceKind)) & (entries["ask"] == NO_ASK)
    notes = [TraceNote(int(index) - place, int(entries["type"][index]), int(entries["sequence"][index]),
                       int(entries["dequeue_ps"][index]))
             for place, index in enumerate(np.flatnonzero(other))]
    return entries[~other], notes


LENGTHS = "lengths.bin"
_ENTRIES = {
    "frames": layout.FRAME_LOG,
    "valid": layout.VALID_LOG,
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
