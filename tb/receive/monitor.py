# SPDX-License-Identifier: MIT
"""Collects entries and lines into messages and messages into frames, at the falling edge before the rising edge that
samples them.

Asserts the rules of both interfaces: of entries, HEADER first and END last, a decoded message for every record; of
lines, a record only after its own continuation lines, an abort only of lines that are there and never beside a line.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Any

from cocotb.triggers import FallingEdge
from pyuvm import ConfigDB, uvm_analysis_port, uvm_component

from tb.receive.entries import END, HEADER, LINE, VOID, End, Header
from tb.receive.items import FrameEntries, FrameOutcome, Message, Report
from tb.signals import reader

LINE_VALID, LINE_FIRST, LINE_ABORT, DECODED, REPORT, OVERFLOW, IDLE, ENTRY = (1 << bit for bit in range(8))
KIND_SHIFT = 8
LEVEL_HIGH = 1 << 10
LINE_BYTES = 60
_REPORT = struct.Struct("<BBBQ10sQH6s")


class ReceiveMonitor(uvm_component):  # type: ignore[misc]
    """Every frame's entries go to ``entries_ap``, its outcome behind the arbiter to ``ap``."""

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        self.entries_ap = uvm_analysis_port("entries_ap", self)
        self._dut: Any = ConfigDB().get(self, "", "DUT")
        self._read_entry, self._read_line, self._read_report = (
            reader(getattr(self._dut, name)) for name in ("entry", "line_data", "report")
        )
        self.watch_decoded = True          # every decoded message has its record: not where frames are taken back
        self.overflows = 0
        self.level_was_high = False
        self.idle = False
        self._begin_frame()
        self._decoded: deque[int] = deque()
        self._messages: list[Message] = []
        self._continuations: list[tuple[int, bytes]] = []
        self._aborted: list[tuple[bytes, ...]] = []

    async def run_phase(self) -> None:
        dut = self._dut
        falling, read_events, read_clocks = FallingEdge(dut.clk), reader(dut.events), reader(dut.clocks)
        await FallingEdge(dut.rst)
        while True:
            await falling
            events = read_events()
            self.idle = bool(events & IDLE)
            if not events & (LINE_VALID | LINE_ABORT | DECODED | REPORT | OVERFLOW | ENTRY | LEVEL_HIGH):
                continue
            clock = read_clocks() + 1
            assert not self.idle or not events & ~(IDLE | 3 << KIND_SHIFT), "idle while something comes out"
            self.level_was_high = self.level_was_high or bool(events & LEVEL_HIGH)
            self.overflows += bool(events & OVERFLOW)
            if events & DECODED and self.watch_decoded:
                self._decoded.append(clock)
            if events & ENTRY:
                self._entry(events >> KIND_SHIFT & 3, self._read_entry(), clock)
            self._line(events, clock)

    # ---- the line's entries

    def _begin_frame(self) -> None:
        self._header: Header | None = None
        self._void_clock = 0
        self._entry_messages: list[Message] = []
        self._entry_lines: list[tuple[int, bytes]] = []

    def _entry(self, kind: int, data: int, clock: int) -> None:
        if kind == HEADER:
            assert self._header is None, "two HEADERs"
            assert not self._entry_lines, "a line before the HEADER"
            assert not self._entry_messages, "a message before the HEADER"
            assert not self._void_clock, "a HEADER behind a void one"
            if data & VOID:
                self._void_clock = clock
            else:
                self._header = Header.decode(data)
        elif kind == END:
            entries = FrameEntries(self._header, self._entry_messages, tuple(line for _, line in self._entry_lines),
                                   End.decode(data), self._void_clock)
            self._begin_frame()
            self.entries_ap.write(entries)
        else:
            assert self._header is not None, "a line without a HEADER"
            self._entry_lines.append((clock, data.to_bytes(LINE_BYTES, "little")))
            if kind != LINE:
                decoded_clock = self._decoded.popleft() if self.watch_decoded else 0
                self._entry_messages.append(_message(self._entry_lines, decoded_clock))
                self._entry_lines = []

    # ---- behind the arbiter

    def _line(self, events: int, clock: int) -> None:
        if events & LINE_VALID:
            self._continuations.append((clock, self._read_line().to_bytes(LINE_BYTES, "little")))
            if events & LINE_FIRST:
                self._messages.append(_message(self._continuations))
                self._continuations = []
        if events & LINE_ABORT:
            assert not events & LINE_VALID, "an abort beside a line"
            assert self._continuations, "an abort of nothing"
            self._aborted.append(tuple(line for _, line in self._continuations))
            self._continuations = []
        if events & REPORT:
            assert not self._continuations, "a report while a message is incomplete"
            self.ap.write(FrameOutcome(self._messages, self._report(), self._aborted))
            self._messages, self._aborted = [], []

    def _report(self) -> Report:
        data = self._read_report().to_bytes(38, "little")
        reason, kind, flags, gap_from, session, sequence, count, timestamp = _REPORT.unpack_from(data)
        return Report(reason, kind, flags, gap_from, session, sequence, count, int.from_bytes(timestamp, "little"))


def _message(lines: list[tuple[int, bytes]], decoded_clock: int = 0) -> Message:
    *continuations, (_, record) = lines
    return Message(tuple(line for _, line in continuations), record, lines[0][0], decoded_clock)
