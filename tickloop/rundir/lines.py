# SPDX-License-Identifier: MIT
"""RX ring lines of the DMA log, put together to records.

A record's first line is written last and alone carries a publish word; its continuation lines are the ones most
recently written to the slots after it. The absolute line index in the publish word must advance by the lines of the
record before: anything else is a problem that the run reports. A record is a message, or an event line that tells of a
frame or of lost messages (STATUS_EVENT).

Of a ring of descriptors, descriptors.py makes the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.interface import LoopResult, PacketFormat
from bridge.layout import (
    CONTINUATION_BYTES,
    LINE_BYTES,
    PUBLISH_VALID,
    REGISTER_FIELDS,
    RX_RECORD,
    STATUS_EVENT,
    STATUS_RAW,
)
from tickloop.rundir.descriptors import lines_done

Lines = npt.NDArray[np.uint8]
INDEX_MASK = PUBLISH_VALID - 1


@dataclass(frozen=True)
class Records:
    """The records of a run in ring order, which is wire order."""

    first: Lines  # (records, LINE_BYTES): first lines
    clock: npt.NDArray[np.uint64]  # clock at which the first line was issued
    continuations: dict[int, bytes]  # record -> payload of its continuation lines
    format: PacketFormat = "mold"
    problems: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.first)

    def select(self, wanted: npt.NDArray[Any]) -> Records:
        """The records for which ``wanted`` is true, without the ring's problems."""
        return self.take(np.flatnonzero(wanted))

    def take(self, rows: npt.NDArray[np.int64]) -> Records:
        """The records of these rows, without the ring's problems."""
        continuations = {new: self.continuations[old] for new, old in enumerate(rows.tolist())
                         if old in self.continuations}
        return Records(np.ascontiguousarray(self.first[rows]), self.clock[rows], continuations, self.format)

    @property
    def is_event(self) -> npt.NDArray[Any]:
        """Which records tell of something instead of being a message."""
        event: npt.NDArray[Any] = (self.column("status") & np.uint64(STATUS_RAW | STATUS_EVENT)) == STATUS_EVENT
        return event

    def column(self, name: str) -> npt.NDArray[np.uint64]:
        """An integer column of ``rx_record``; u48 fields are bytes in the layout."""
        values: npt.NDArray[Any] = self.first.view(RX_RECORD)[:, 0][name]
        if values.ndim == 2:
            weights = np.uint64(1) << np.arange(0, 8 * values.shape[1], 8, dtype=np.uint64)
            values = (values.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
        return values.astype(np.uint64)


def ring_records(result: LoopResult) -> Records:
    """The records in ``result``'s RX ring; DMA writes elsewhere are not lines of the ring."""
    slots = 1 << result.rx_log2
    problems: list[str] = []
    if control(result, "RX_DESCRIPTOR"):
        done = lines_done(result)
        slot, clock = np.array(done.slots, np.int64), np.array(done.clocks, np.uint64)
        lines: Lines = np.array(done.lines, np.uint8).reshape(-1, LINE_BYTES)
        problems += done.problems
    else:
        slot, lines, clock = _lines_written(result, slots)

    publish = lines.view(RX_RECORD)[:, 0]["publish"].astype(np.int64) if len(lines) else np.zeros(0, np.int64)
    rows = np.flatnonzero(publish)
    first = np.ascontiguousarray(lines[rows])
    count = first.view(RX_RECORD)[:, 0]["continuations"].astype(np.int64) if len(rows) else np.zeros(0, np.int64)
    index = np.concatenate(([0], np.cumsum(1 + count)))

    expected = PUBLISH_VALID | ((result.epoch + index[:-1]) & INDEX_MASK)
    for name, wrong in (("publish word", publish[rows] != expected), ("slot", slot[rows] != index[:-1] % slots)):
        if wrong.any():
            at = int(np.argmax(wrong))
            problems.append(f"record {at}: its {name} is not that of absolute line index {index[at]}")

    payloads: dict[int, bytes] = {}
    for record in np.flatnonzero(count).tolist():
        begin = int(rows[record - 1]) + 1 if record else 0
        written = {int(slot[row]): row for row in range(begin, int(rows[record]))}
        parts = []
        for k in range(1, int(count[record]) + 1):
            row = written.get(int(index[record] + k) % slots)
            if row is None:
                problems.append(f"record {record}: published before its continuation line {k} was written")
                break
            parts.append(lines[row, :CONTINUATION_BYTES].tobytes())
        payloads[record] = b"".join(parts)
    packet_format: PacketFormat = "prototype" if control(result, "PROTOTYPE") else "mold"
    return Records(first, clock[rows], payloads, packet_format, problems)


def _lines_written(result: LoopResult, slots: int) -> tuple[npt.NDArray[np.int64], Lines, npt.NDArray[np.uint64]]:
    """Slot, line and clock of every write into the ring of lines."""
    offset = result.dma["address"].astype(np.int64) - result.rx_base
    inside = (offset >= 0) & (offset < slots * LINE_BYTES)
    return offset[inside] // LINE_BYTES, np.ascontiguousarray(result.dma["data"][inside]), result.dma["clock"][inside]


def control(result: LoopResult, field: str) -> bool:
    """A bit of the NIC's CONTROL register as it was at the end."""
    return bool(result.registers["CONTROL"] & REGISTER_FIELDS["CONTROL"][field])
