# SPDX-License-Identifier: MIT
"""Monitor of the NIC's frame reports, one a frame, and of its claim to be idle."""

from __future__ import annotations

import struct
from typing import Any

from pyuvm import ConfigDB, uvm_analysis_port, uvm_monitor

from tb.agents.items import LINES, PortReport
from tb.receive.items import Report
from tb.signals import reader

REPORT, TRANSMIT, IDLE = 1 << 5, 1 << 6, 1 << 7   # in `events`
_OFFERS = 0b111 | REPORT | TRANSMIT
_REPORT = struct.Struct("<BBBQ10sQH6sxB")


class ReportMonitor(uvm_monitor):  # type: ignore[misc]
    """``ap`` gives every report; an idle NIC offers nothing at all."""

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        bench: Any = ConfigDB().get(self, "", "BENCH")
        self._read_report = reader(bench.report)
        self.idle = False

    def look(self, events: int, clock: int) -> None:
        """One clock."""
        self.idle = bool(events & IDLE)
        assert not self.idle or not events & _OFFERS, f"idle while {events & _OFFERS:#x} of the events are offered"
        if events & REPORT:
            data = self._read_report().to_bytes(_REPORT.size, "little")
            reason, kind, flags, gap_from, session, sequence, count, time, line = _REPORT.unpack(data)
            self.ap.write(PortReport(LINES[line], Report(reason, kind, flags, gap_from, session, sequence, count,
                                                         int.from_bytes(time, "little")), clock))
