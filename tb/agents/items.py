# SPDX-License-Identifier: MIT
"""What the agents exchange with the scoreboard: frames, reports, DMA writes, ring entries; never single beats."""

from __future__ import annotations

from dataclasses import dataclass

from pyuvm import uvm_sequence_item

from tb.receive.items import FrameItem, Report

LINES = ("A", "B")


class RegisterItem(uvm_sequence_item):  # type: ignore[misc]
    """One access of the register port; ``value`` None reads. ``response`` and ``data`` are the answer."""

    def __init__(self, address: int, value: int | None = None, strobes: int = 0xF, skew: int = 0,
                 wait: int = 0) -> None:
        super().__init__("register")
        self.address = address
        self.value = value
        self.strobes = strobes
        self.skew = skew
        self.wait = wait
        self.response = 0
        self.data = 0


@dataclass(frozen=True)
class PortFrame:
    """A frame that entered a receive port; the item learns the clocks of its beats while it goes in."""

    line: str
    item: FrameItem

    @property
    def first_clock(self) -> int:
        return self.item.beat_clocks[0]

    @property
    def last_clock(self) -> int:
        return self.item.beat_clocks[-1]


@dataclass(frozen=True)
class PortReport:
    """What the NIC reported of a frame, and the clock it did so."""

    line: str
    report: Report
    clock: int


@dataclass(frozen=True)
class DmaWrite:
    """A line, or a part of one, that the host took from the NIC; the clock in which the last of AW and W was taken."""

    clock: int
    address: int
    strobes: int
    data: bytes


@dataclass(frozen=True)
class RingEntry:
    """What the host found in a ring: a message with its continuation lines, an event, lost messages, a raw frame.

    ``index`` is the absolute index of its first line, ``tail`` what the host had given back when its first line was
    written, ``clock`` when that was."""

    index: int
    tail: int
    clock: int
    record: bytes
    continuations: tuple[bytes, ...]

    @property
    def lines(self) -> int:
        return 1 + len(self.continuations)


@dataclass(frozen=True)
class SentFrame:
    """A frame that left the transmit port; ``stalled`` says that the port made it wait."""

    data: bytes
    first_clock: int
    last_clock: int
    stalled: bool
