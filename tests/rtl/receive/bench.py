# SPDX-License-Identifier: MIT
"""What the receive tests share: the line out of reset in its environment; a test sends frames, all of it is judged."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge
from pyuvm import ConfigDB, uvm_sequence, uvm_test

from bridge.interface import CLOCK_PS
from tb.model.headers import Delivery
from tb.model.packet import PacketFormat
from tb.receive.environment import ReceiveEnvironment
from tb.receive.items import FrameItem
from tests.rtl.receive.frames import GROUP_ADDRESS, GROUP_PORT
from tests.rtl.receive.judge import ModelJudge

IDLE_CLOCKS = 8000  # more than a jumbo frame of zero-length blocks takes


class FrameSequence(uvm_sequence):  # type: ignore[misc]
    """Sends frames in order, each as soon as the port has taken the one before."""

    def __init__(self, frames: Iterable[FrameItem]) -> None:
        super().__init__("frames")
        self._frames = frames

    async def body(self) -> None:
        for frame in self._frames:
            await self.start_item(frame)
            await self.finish_item(frame)


class ReceiveTest(uvm_test):  # type: ignore[misc]
    """Sends ``frames()``, waits until the line is idle; the environment judges every frame.

    ``random`` depends on the seed of the run and the test's name only.
    """

    exact_latency = False
    may_overflow = False
    delivery: Delivery = "cut-through"
    packet_format: PacketFormat = "mold"
    has_arbiter = True
    line_b = False

    def build_phase(self) -> None:
        self.dut: Any = cocotb.top
        self.random = Random(f"{cocotb.RANDOM_SEED} {type(self).__name__}")
        self.judge = ModelJudge(self.exact_latency, self.may_overflow, self.delivery, self.packet_format,
                                self.line_b)
        ConfigDB().set(None, "*", "DUT", self.dut)
        ConfigDB().set(None, "*", "ARBITER", self.has_arbiter)
        ConfigDB().set(None, "*", "JUDGE", self.judge)
        self.environment = ReceiveEnvironment("environment", self)

    def frames(self) -> Iterable[FrameItem]:
        raise NotImplementedError

    def end_of_elaboration_phase(self) -> None:
        # A frame that is taken back, or lost to a full queue, leaves decoded messages without a record.
        self.environment.monitor.watch_decoded = self.delivery == "cut-through" and not self.may_overflow

    async def run_phase(self) -> None:
        self.raise_objection()
        await self.reset()
        await self.stimulus()
        await self.settle()
        self.drop_objection()

    async def stimulus(self) -> None:
        await self.send(self.frames())

    async def send(self, frames: Iterable[FrameItem]) -> None:
        await FrameSequence(frames).start(self.environment.sequencer)

    async def reset(self) -> None:
        """Every input has its value before the clock's first edge."""
        dut = self.dut
        dut.rst.value = 1
        dut.enable.value = 1
        dut.verified.value = int(self.delivery == "verified")
        dut.prototype.value = int(self.packet_format == "prototype")
        dut.ready.value = 1
        dut.others_started.value = 0
        dut.group_address.value = int(IPv4Address(GROUP_ADDRESS))
        dut.group_port.value = GROUP_PORT
        for name in ("tdata", "tkeep", "tvalid", "tlast", "tuser"):
            getattr(dut, f"s_axis_{name}").value = 0
        Clock(dut.clk, CLOCK_PS, "ps", impl="gpi").start()
        await ClockCycles(dut.clk, 3)
        await FallingEdge(dut.clk)
        dut.rst.value = 0

    async def settle(self) -> None:
        """Until the line says that nothing is under way."""
        await ClockCycles(self.dut.clk, 2)
        for _ in range(IDLE_CLOCKS):
            await FallingEdge(self.dut.clk)
            if self.environment.monitor.idle:
                return
        raise AssertionError(f"not idle after {IDLE_CLOCKS} clocks")
