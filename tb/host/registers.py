# SPDX-License-Identifier: MIT
"""AXI4-Lite master for 32-bit registers: one access at a time, address and data of a write skewed as asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cocotb.triggers import RisingEdge

OKAY, SLVERR = 0, 2  # AXI4 section A3.4.4
ALL_BYTES = 0xF
RESPONSE_CLOCKS = 1000  # without an answer for so long, the slave hangs; a write may wait until DMA is answered


@dataclass(frozen=True)
class Answer:
    """What a read returned."""

    data: int
    response: int


class RegisterMaster:
    """Drives the AXI4-Lite port ``prefix`` of ``dut``; the inputs are quiet from construction on."""

    def __init__(self, dut: Any, clk: Any, prefix: str = "s_axil") -> None:
        self._clk = clk
        self._signals: dict[str, Any] = {}
        for name in ("awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid", "bready",
                     "araddr", "arvalid", "arready", "rdata", "rresp", "rvalid", "rready"):
            self._signals[name] = getattr(dut, f"{prefix}_{name}")
        for name in ("awaddr", "awvalid", "wdata", "wstrb", "wvalid", "bready", "araddr", "arvalid", "rready"):
            self._signals[name].value = 0

    async def write(self, address: int, data: int, strobes: int = ALL_BYTES, skew: int = 0, wait: int = 0) -> int:
        """Writes and returns the response. The data come ``skew`` clocks after the address (before, if negative);
        the answer is taken ``wait`` clocks after it is offered at the earliest."""
        s = self._signals
        offers = {"aw": max(0, -skew), "w": max(0, skew)}  # clocks until each channel is offered
        s["awaddr"].value, s["wdata"].value, s["wstrb"].value = address, data, strobes
        clock = 0
        open_channels = {"aw", "w"}
        while open_channels:
            for channel in open_channels:
                if offers[channel] == clock:
                    s[f"{channel}valid"].value = 1
            await RisingEdge(self._clk)
            for channel in tuple(open_channels):
                if offers[channel] <= clock and s[f"{channel}ready"].value:
                    s[f"{channel}valid"].value = 0
                    open_channels.remove(channel)
            clock += 1
            if clock > RESPONSE_CLOCKS:
                raise AssertionError(f"write of {address:#05x}: {open_channels} not taken in {RESPONSE_CLOCKS} clocks")
        await self._answer("b", wait, f"write of {address:#05x}")
        return int(s["bresp"].value)

    async def read(self, address: int, wait: int = 0) -> Answer:
        """Reads; the answer is taken ``wait`` clocks after it is offered at the earliest."""
        s = self._signals
        s["araddr"].value, s["arvalid"].value = address, 1
        for _ in range(RESPONSE_CLOCKS):
            await RisingEdge(self._clk)
            if s["arready"].value:
                break
        else:
            raise AssertionError(f"read of {address:#05x} not taken in {RESPONSE_CLOCKS} clocks")
        s["arvalid"].value = 0
        await self._answer("r", wait, f"read of {address:#05x}")
        return Answer(int(s["rdata"].value), int(s["rresp"].value))

    async def _answer(self, channel: str, wait: int, what: str) -> None:
        """Returns at the clock edge that takes the answer; a slave must hold it while it waits (AXI4, A3.2.1)."""
        valid, ready = self._signals[f"{channel}valid"], self._signals[f"{channel}ready"]
        ready.value = 0 if wait else 1
        seen = 0
        for _ in range(RESPONSE_CLOCKS + wait):
            await RisingEdge(self._clk)
            if valid.value:
                if seen == wait:
                    ready.value = 0
                    return
                seen += 1
                if seen == wait:
                    ready.value = 1
            elif seen:
                raise AssertionError(f"{what}: the answer was withdrawn")
        raise AssertionError(f"{what}: no answer in {RESPONSE_CLOCKS} clocks")
