# SPDX-License-Identifier: MIT
"""What travels through the environment: frames, messages and reports; never single beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyuvm import uvm_sequence_item

from tb.receive.entries import End, Header

BEAT_BYTES = 8


class FrameItem(uvm_sequence_item):  # type: ignore[misc]
    """One frame for the receive port, without FCS, and how its beats come."""

    def __init__(self, data: bytes, bad_fcs: bool = False, gap: int = 0, pauses: Mapping[int, int] | None = None,
                 ignored: bool = False) -> None:
        super().__init__("frame")
        self.data = data
        self.bad_fcs = bad_fcs
        self.gap = gap                     # clocks without a beat before the frame
        self.pauses = dict(pauses or {})   # and before these of its beats
        self.ignored = ignored             # the line is disabled: it must not report this frame
        self.beat_clocks: list[int] = []   # the clock that sampled each beat; filled in by the driver
        self.others = 0                    # frames that the other line had started at the first of them

    @property
    def beats(self) -> int:
        return -(-len(self.data) // BEAT_BYTES)


@dataclass(frozen=True)
class Message:
    """A message as it left the receiver: continuation lines and record; the clock in which the first of them was taken.

    ``decoded_clock`` is known where the line itself is watched, 0 behind the arbiter.
    """

    continuations: tuple[bytes, ...]
    record: bytes
    first_clock: int
    decoded_clock: int = 0


@dataclass(frozen=True)
class Report:
    """The report of one frame."""

    reason: int
    kind: int
    flags: int
    gap_from: int
    session: bytes
    sequence: int
    count: int
    timestamp: int


@dataclass
class FrameOutcome:
    """All that came out of the arbiter for one frame, up to its report."""

    messages: list[Message]
    report: Report
    aborted: list[tuple[bytes, ...]] = field(default_factory=list)  # continuation lines that were called off


@dataclass
class FrameEntries:
    """All that came out of the receive line for one frame, up to its END."""

    header: Header | None
    messages: list[Message]
    unfinished: tuple[bytes, ...]          # continuation lines of a message that was cut
    end: End
    void_clock: int                        # when the HEADER came that says that the headers drop the frame; 0: none
