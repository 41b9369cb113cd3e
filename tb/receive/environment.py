# SPDX-License-Identifier: MIT
"""The environment: sequencer, driver, monitor and a scoreboard that predicts each frame when its report comes."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from pyuvm import ConfigDB, uvm_env, uvm_sequencer, uvm_subscriber

from tb.receive.driver import FrameDriver
from tb.receive.items import FrameItem, FrameOutcome
from tb.receive.monitor import ReceiveMonitor


class Judge(Protocol):
    """Compares one frame with its outcome, frames in order; raises AssertionError on a difference."""

    def frame(self, frame: FrameItem, outcome: FrameOutcome) -> None: ...

    def end(self, dut: Any) -> None:
        """After the last frame: counters, and whether anything was compared."""


class Sent(uvm_subscriber):  # type: ignore[misc]
    """The frames on their way through the line."""

    def build_phase(self) -> None:
        self.frames: deque[FrameItem] = deque()

    def write(self, frame: FrameItem) -> None:
        self.frames.append(frame)


class Scoreboard(uvm_subscriber):  # type: ignore[misc]
    """Gives every outcome to the judge with the frame it belongs to: reports come in the order of the frames."""

    def build_phase(self) -> None:
        self.judge: Judge = ConfigDB().get(self, "", "JUDGE")
        self.sent = Sent("sent", self)
        self.compared = 0

    def write(self, outcome: FrameOutcome) -> None:
        assert self.sent.frames, "a report without a frame"
        self.judge.frame(self.sent.frames.popleft(), outcome)
        self.compared += 1

    def check_phase(self) -> None:
        assert not self.sent.frames, f"{len(self.sent.frames)} frames were never reported"
        assert self.compared > 0, "no frame was compared"
        self.judge.end(ConfigDB().get(self, "", "DUT"))


class ReceiveEnvironment(uvm_env):  # type: ignore[misc]
    """One receive line with its agent."""

    def build_phase(self) -> None:
        self.sequencer = uvm_sequencer("sequencer", self)
        ConfigDB().set(None, "*", "SEQUENCER", self.sequencer)
        self.driver = FrameDriver("driver", self)
        self.monitor = ReceiveMonitor("monitor", self)
        self.scoreboard = Scoreboard("scoreboard", self)

    def connect_phase(self) -> None:
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)
        self.driver.ap.connect(self.scoreboard.sent.analysis_export)
        self.monitor.ap.connect(self.scoreboard.analysis_export)
