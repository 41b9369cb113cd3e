# SPDX-License-Identifier: MIT
"""The environment: agents on every port of the NIC, the scoreboard, and coverage that listens to all of them."""

from __future__ import annotations

from pyuvm import ConfigDB, uvm_env

from tb.agents.host_memory import HostMemory
from tb.agents.monitor import ReportMonitor
from tb.agents.receive_port import ReceivePortAgent
from tb.agents.registers import RegisterAgent
from tb.agents.rings import RingConsumer, TransmitRing
from tb.agents.transmit_port import TransmitPort
from tb.agents.watch import Watch
from tb.coverage.sampling import CoverageCollector
from tb.env.scoreboard import NicScoreboard


class NicEnvironment(uvm_env):  # type: ignore[misc]
    """``ports`` are the receive ports by line."""

    def build_phase(self) -> None:
        self.watch = Watch("watch", self)
        self.registers = RegisterAgent("registers", self)
        self.memory = HostMemory("memory", self)
        self.ports = {line: ReceivePortAgent(f"port_{line.lower()}", self) for line in "AB"}
        self.transmit = TransmitPort("transmit", self)
        self.reports = ReportMonitor("reports", self)
        self.rx_ring = RingConsumer("rx_ring", self, "RX", self.memory, self.registers)
        self.raw_ring = RingConsumer("raw_ring", self, "RAW", self.memory, self.registers)
        self.tx_ring = TransmitRing("tx_ring", self, self.memory, self.registers)
        self.scoreboard = NicScoreboard("scoreboard", self)
        self.coverage = CoverageCollector("coverage", self)
        ConfigDB().set(None, "*", "ENVIRONMENT", self)

    def connect_phase(self) -> None:
        board = self.scoreboard
        for port in self.ports.values():
            port.ap.connect(board.frames.analysis_export)
        self.reports.ap.connect(board.reports.analysis_export)
        self.memory.ap.connect(self.rx_ring.analysis_export)
        self.memory.ap.connect(self.raw_ring.analysis_export)
        self.memory.ap.connect(board.writes.analysis_export)
        self.rx_ring.ap.connect(board.entries.analysis_export)
        self.raw_ring.ap.connect(board.raw_entries.analysis_export)
        self.transmit.ap.connect(board.sent.analysis_export)
        self.watch.add(self.memory.look)
        self.watch.add(self.reports.look)
        self.registers.driver.ap.connect(self.coverage.accesses.analysis_export)
        self.memory.waits.connect(self.coverage.waits.analysis_export)
