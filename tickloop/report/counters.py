# SPDX-License-Identifier: MIT
"""The counters of NIC and kernel for the report, each with what it counts in the words of the layout's descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bridge.layout import EXPORT_MEANINGS, REGISTER_MEANINGS, DropReason, MessageStatus

# Name in summary.json -> register; those of drop reasons and message statuses are named after them.
REGISTERS = {
    "frames": "FRAMES", "accepted": "ACCEPTED", "bad_messages": "MESSAGES_BAD", "duplicates": "DUPLICATES",
    "filtered": "FILTERED", "gaps": "GAPS", "frames_b": "FRAMES_B", "accepted_b": "ACCEPTED_B",
    "messages_b": "MESSAGES_B", "ring_full_dropped": "RX_RING_FULL_DROPPED",
    "too_large_dropped": "RX_TOO_LARGE_DROPPED", "raw_frames": "RAW_FRAMES", "raw_dropped": "RAW_DROPPED",
}


def summary_counters() -> dict[str, str]:
    """Every counter of summary.json, parts of one as NAME.PART -> its register."""
    groups = {"dropped": DropReason, "messages": MessageStatus}
    parts = {f"{group}.{each.name.lower()}": f"{group.upper()}_{each.name}" for group, members in groups.items()
             for each in members if each != DropReason.ACCEPT or members is not DropReason}
    return {**{name: REGISTERS[name] for name in ("frames", "accepted")}, **parts, **REGISTERS}


class Counter(NamedTuple):
    """``source``: where its value is in the run directory, as FILE:KEY.KEY."""

    name: str
    value: int
    meaning: str
    source: str


def nic_counters(summary: Mapping[str, Any]) -> Iterator[Counter]:
    """Those of summary.json."""
    for name, value in summary.items():
        if name in REGISTERS:
            yield Counter(name, value, REGISTER_MEANINGS[REGISTERS[name]], f"summary.json:{name}")
        elif isinstance(value, dict):
            for part, count in value.items():
                meaning = REGISTER_MEANINGS.get(f"{name.upper()}_{part.upper()}", "")
                yield Counter(f"{name}: {part}", count, meaning, f"summary.json:{name}.{part}")


def kernel_counters(statistics: Mapping[str, int]) -> Iterator[Counter]:
    """Those of the kernel's export, by its own names."""
    for name, value in statistics.items():
        yield Counter(name, value, EXPORT_MEANINGS.get(name, ""), f"run.json:kernel_statistics.{name}")
