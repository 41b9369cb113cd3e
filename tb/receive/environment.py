# SPDX-License-Identifier: MIT
"""The environment: sequencer, driver, monitor and a scoreboard that predicts each frame when its report comes."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from pyuvm import ConfigDB, uvm_env, uvm_sequencer, uvm_subscriber

from tb.receive.driver import FrameDriver
from tb.receive.items import FrameEntries, FrameItem, FrameOutcome
from tb.receive.monitor import ReceiveMonitor


class Judge(Protocol):
    """Compares one frame with what came out for it, frames in order; raises AssertionError on a difference."""

    def entries(self, frame: FrameItem, entries: FrameEntries) -> None:
        """What left the receive line."""

    def frame(self, frame: FrameItem, outcome: FrameOutcome) -> None:
        """What left the arbiter behind it."""

    def end(self, dut: Any) -> None:
        """After the last frame: counters, and whether anything was compared."""


class Sent(uvm_subscriber):  # type: ignore[misc]
    """The frames on their way through the line."""

    def build_phase(self) -> None:
        self.frames: deque[FrameItem] = deque()

    def write(self, frame: FrameItem) -> None:
        self.frames.append(frame)


class Scoreboard(uvm_subscriber):  # type: ignore[misc]
    """Gives what came out for a frame to the judge with the frame it belongs to: frames come out in order."""

    def __init__(self, name: str, parent: Any, method: str) -> None:
        self._method = method
        super().__init__(name, parent)

    def build_phase(self) -> None:
        self._judge = getattr(ConfigDB().get(self, "", "JUDGE"), self._method)
        self.sent = Sent("sent", self)
        self.compared = 0

    def write(self, result: FrameEntries | FrameOutcome) -> None:
        assert self.sent.frames, "a result without a frame"
        self._judge(self.sent.frames.popleft(), result)
        self.compared += 1

    def check_phase(self) -> None:
        assert not self.sent.frames, f"{len(self.sent.frames)} frames never came out"
        assert self.compared > 0, "no frame was compared"


class ReceiveEnvironment(uvm_env):  # type: ignore[misc]
    """One receive line with its agent; without an arbiter behind it there are entries only."""

    def build_phase(self) -> None:
        self.sequencer = uvm_sequencer("sequencer", self)
        ConfigDB().set(None, "*", "SEQUENCER", self.sequencer)
        self.driver = FrameDriver("driver", self)
        self.monitor = ReceiveMonitor("monitor", self)
        self.entries = Scoreboard("entries", self, "entries")
        arbiter = bool(ConfigDB().get(self, "", "ARBITER"))
        self.outcomes = Scoreboard("outcomes", self, "frame") if arbiter else None

    def connect_phase(self) -> None:
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)
        self.driver.ap.connect(self.entries.sent.analysis_export)
        self.monitor.entries_ap.connect(self.entries.analysis_export)
        if self.outcomes is not None:
            self.driver.ap.connect(self.outcomes.sent.analysis_export)
            self.monitor.ap.connect(self.outcomes.analysis_export)

    def final_phase(self) -> None:
        ConfigDB().get(self, "", "JUDGE").end(ConfigDB().get(self, "", "DUT"))
