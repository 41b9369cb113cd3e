# SPDX-License-Identifier: MIT
"""The RX ring of descriptors in the DMA log, as if it were a ring of lines.

The NIC writes a record's lines into their buffers, continuation lines in the order of their slots and the first line
last, then marks the descriptors done, the first line's last of all. A mark holds no address: the lines are the ones
most recently written, which is why lines of the raw ring are told apart by where they lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.interface import LoopResult
from bridge.layout import DESCRIPTOR, DESCRIPTOR_DONE, DESCRIPTOR_END, LINE_BYTES

WHOLE_LINE = (1 << LINE_BYTES) - 1  # write strobes
_STATUS = DESCRIPTOR.fields["status"][1] if DESCRIPTOR.fields else 0
_SLOTS_PER_LINE = LINE_BYTES // DESCRIPTOR.itemsize


@dataclass
class Written:
    """Slot, line and clock of every line that became the host's, in their order; and what was wrong."""

    slots: list[int] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)
    clocks: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Mark:
    slot: int
    length: int
    end: bool


def lines_done(result: LoopResult) -> Written:
    """Reads the DMA log of a run whose RX ring was one of descriptors."""
    slots = 1 << result.rx_log2
    raw_base = result.registers["RAW_BASE_HI"] << 32 | result.registers["RAW_BASE_LO"]
    raw_end = raw_base + (LINE_BYTES << result.registers["RAW_LOG2"])
    written = Written()
    buffered: list[Any] = []
    marks: list[_Mark] = []
    head = 0
    for entry in result.dma:
        address, strobe = int(entry["address"]), int(entry["strobe"])
        if strobe == WHOLE_LINE:
            if not raw_base <= address < raw_end:
                buffered.append(entry["data"])
            continue
        marks += _marks(entry, address, strobe, result.rx_base, slots)
        if not marks or marks[-1].slot != head % slots:
            continue
        if marks[-1].length:
            _take(written, marks, buffered, head, slots, int(entry["clock"]))
        head += len(marks)
        buffered, marks = [], []
    return written


def _marks(entry: Any, address: int, strobe: int, base: int, slots: int) -> list[_Mark]:
    """The descriptors of the ring that one write marks done."""
    found = []
    for lane in range(_SLOTS_PER_LINE):
        start = lane * DESCRIPTOR.itemsize
        slot, rest = divmod(address + start - base, DESCRIPTOR.itemsize)
        if rest or not 0 <= slot < slots or not strobe >> (start + _STATUS) & 1:
            continue
        descriptor = entry["data"][start:start + DESCRIPTOR.itemsize].view(DESCRIPTOR)[0]
        if descriptor["status"] & DESCRIPTOR_DONE:
            found.append(_Mark(slot, int(descriptor["length"]), bool(descriptor["status"] & DESCRIPTOR_END)))
    return found


def _take(written: Written, marks: list[_Mark], buffered: list[Any], head: int, slots: int, clock: int) -> None:
    """One record, whose first line's descriptor is the last mark."""
    count = len(marks)
    following = [(head + k) % slots for k in range(1, count)]
    if len(buffered) < count or sorted(mark.slot for mark in marks[:-1]) != sorted(following):
        written.problems.append(f"descriptor {head}: done with {len(buffered)} lines written for {count} descriptors")
        return
    last = following[-1] if following else head % slots
    if [mark.slot for mark in marks if mark.end] != [last]:
        written.problems.append(f"descriptor {head}: the end of its record is not marked at the last of {count} lines")
    written.slots += [*following, head % slots]
    written.lines += buffered[-count:]
    written.clocks += [clock] * count
