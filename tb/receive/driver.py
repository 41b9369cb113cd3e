# SPDX-License-Identifier: MIT
"""Drives frames into the receive port at the falling edge; the next rising edge samples them.

Between beats the bus holds junk, tlast included: nothing but tvalid makes a beat.
"""

from __future__ import annotations

from typing import Any

from cocotb.triggers import FallingEdge, Timer
from pyuvm import ConfigDB, uvm_analysis_port, uvm_driver

from bridge.interface import CLOCK_PS
from tb.receive.items import BEAT_BYTES, FrameItem
from tb.signals import reader

ALL_LANES = 0xFF
FEW_CLOCKS = 3  # these are waited for one by one
JUNK = 0xA5A5_0800_4500_0014


class FrameDriver(uvm_driver):  # type: ignore[misc]
    """Frames from the sequencer, one after the other; each goes to ``ap`` when its first beat is on the bus, unless
    the line must ignore it."""

    def build_phase(self) -> None:
        self.ap = uvm_analysis_port("ap", self)
        dut: Any = ConfigDB().get(self, "", "DUT")
        self._falling = FallingEdge(dut.clk)
        self._read_clocks = reader(dut.clocks)
        self._others = dut.others_started
        self._data, self._keep, self._valid, self._last, self._user = (
            getattr(dut, f"s_axis_{name}") for name in ("tdata", "tkeep", "tvalid", "tlast", "tuser")
        )

    async def run_phase(self) -> None:
        while True:
            frame = await self.seq_item_port.get_next_item()
            await self._drive(frame)
            self.seq_item_port.item_done()

    async def _drive(self, frame: FrameItem) -> None:
        await self._wait(frame.gap)
        if not frame.ignored:
            self.ap.write(frame)
        self._others.value = frame.others
        last = frame.beats - 1
        clock = self._read_clocks() + 1
        self._valid.value = 1
        self._last.value = 0
        self._keep.value = ALL_LANES
        for beat in range(last + 1):
            pause = frame.pauses.get(beat, 0) if beat else 0
            if pause:
                await self._wait(pause)
                clock += pause
                self._valid.value = 1
                self._last.value = 0
            lanes = frame.data[beat * BEAT_BYTES:(beat + 1) * BEAT_BYTES]
            self._data.value = int.from_bytes(lanes, "little")
            if beat == last:
                self._last.value = 1
                self._keep.value = (1 << len(lanes)) - 1
                self._user.value = int(frame.bad_fcs)
            frame.beat_clocks.append(clock)
            clock += 1
            await self._falling
        self._pause()

    async def _wait(self, clocks: int) -> None:
        if clocks:
            self._pause()
        if clocks > FEW_CLOCKS:
            await Timer((clocks - 1) * CLOCK_PS + CLOCK_PS // 4, "ps")  # to between the edges before the last one
            clocks = 1
        for _ in range(clocks):
            await self._falling

    def _pause(self) -> None:
        """Takes the beat away; a frame that follows at once overwrites this before the simulator sees it."""
        self._valid.value = 0
        self._last.value = 1
        self._user.value = 1
        self._data.value = JUNK
