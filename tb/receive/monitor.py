# SPDX-License-Identifier: MIT
"""Collects lines into messages and messages into frames, at the falling edge before the rising edge that samples them.

Asserts the rules of the line interface: a record only after its own continuation lines, an abort only of lines that are
there and never beside a line, a decoded message for every record.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Any

from cocotb.triggers import FallingEdge
from pyuvm import ConfigDB, uvm_analysis_port, uvm_component

from tb.receive.items import FrameOutcome, Message, Report

LINE_VALID, LINE_FIRST, LINE_ABORT, DECODED, REPORT, OVERFLOW, IDLE = (1 << bit for bit in range(7))
LINE_BYTES = 60
_REPORT = struct.Struct("<BBBQ10sQH6s")


class ReceiveMonitor(uvm_component):  # type: ignore[misc]
    """Every frame's outcome goes to ``ap``."""

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        self._dut: Any = ConfigDB().get(self, "", "DUT")
        self.overflows = 0
        self.idle = False

    async def run_phase(self) -> None:
        dut = self._dut
        falling, events_handle, line_handle, clocks_handle = FallingEdge(dut.clk), dut.events, dut.line_data, dut.clocks
        messages: list[Message] = []
        continuations: list[bytes] = []
        aborted: list[tuple[bytes, ...]] = []
        decoded: deque[int] = deque()
        await FallingEdge(dut.rst)
        while True:
            await falling
            events = int(events_handle.value)
            self.idle = bool(events & IDLE)
            if not events & ~IDLE:
                continue
            assert not self.idle, "idle while something comes out"
            clock = int(clocks_handle.value) + 1
            if events & DECODED:
                decoded.append(clock)
            if events & LINE_VALID:
                line = int(line_handle.value).to_bytes(LINE_BYTES, "little")
                if events & LINE_FIRST:
                    messages.append(Message(tuple(continuations), line, decoded.popleft()))
                    continuations.clear()
                else:
                    continuations.append(line)
            if events & LINE_ABORT:
                assert not events & LINE_VALID, "an abort beside a line"
                assert continuations, "an abort of nothing"
                aborted.append(tuple(continuations))
                continuations.clear()
            if events & OVERFLOW:
                self.overflows += 1
            if events & REPORT:
                assert not continuations, "a report while a message is incomplete"
                assert not decoded, "a decoded message without its record"
                self.ap.write(FrameOutcome(messages, self._report(), aborted))
                messages, aborted = [], []

    def _report(self) -> Report:
        data = int(self._dut.report.value).to_bytes(38, "little")
        reason, kind, flags, gap_from, session, sequence, count, timestamp = _REPORT.unpack_from(data)
        return Report(reason, kind, flags, gap_from, session, sequence, count, int.from_bytes(timestamp, "little"))
