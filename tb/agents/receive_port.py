# SPDX-License-Identifier: MIT
"""Agent of a receive port: the frame driver of the receive line, bound to port A or B of the NIC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cocotb.triggers import FallingEdge
from pyuvm import ConfigDB, uvm_agent, uvm_analysis_port, uvm_sequence, uvm_sequencer, uvm_subscriber

from tb.agents.items import PortFrame
from tb.receive.driver import FrameDriver
from tb.receive.items import FrameItem


class _Unconnected:
    """Stands for an input that the NIC has inside."""

    value = 0


class _Port:
    """The port's signals under the names that the frame driver drives."""

    def __init__(self, bench: Any, prefix: str) -> None:
        self.clk = bench.clk
        self.clocks = bench.clocks
        self.others_started = _Unconnected()   # the NIC counts the other line's frames itself
        for name in ("tdata", "tkeep", "tvalid", "tlast", "tuser"):
            signal = getattr(bench, f"{prefix}_{name}")
            signal.value = 0
            setattr(self, f"s_axis_{name}", signal)


class _Tagged(uvm_subscriber):  # type: ignore[misc]
    """Puts the line's name to the driver's frames."""

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        self.line: str = ConfigDB().get(self, "", "LINE")

    def write(self, item: FrameItem) -> None:
        self.ap.write(PortFrame(self.line, item))


class ReceivePortAgent(uvm_agent):  # type: ignore[misc]
    """``ap`` gives every frame when its first beat is on the port."""

    def build_phase(self) -> None:
        super().build_phase()
        bench: Any = ConfigDB().get(self, "", "BENCH")
        self._falling = FallingEdge(bench.clk)
        self.line = self.get_name()[-1].upper()
        ConfigDB().set(self, "driver", "DUT", _Port(bench, f"rx_{self.line.lower()}"))
        ConfigDB().set(self, "tagged", "LINE", self.line)
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver = FrameDriver("driver", self)
        self.tagged = _Tagged("tagged", self)

    def connect_phase(self) -> None:
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)
        self.driver.ap.connect(self.tagged.analysis_export)

    @property
    def ap(self) -> Any:
        return self.tagged.ap

    async def send(self, frames: Iterable[FrameItem]) -> None:
        """Sends frames in order, each as soon as the port has taken the one before; the driver works at falling edges,
        wherever in a clock the caller is."""
        await self._falling
        await _Frames(frames).start(self.sequencer)


class _Frames(uvm_sequence):  # type: ignore[misc]
    def __init__(self, frames: Iterable[FrameItem]) -> None:
        super().__init__("frames")
        self._frames = frames

    async def body(self) -> None:
        for frame in self._frames:
            await self.start_item(frame)
            await self.finish_item(frame)
