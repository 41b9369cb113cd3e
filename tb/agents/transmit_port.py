# SPDX-License-Identifier: MIT
"""Agent of the transmit port, on cocotb-bus: a bus monitor collects frames, a bit driver makes the port stall.

Frames leave rarely, so a Python call a beat is affordable here; while the port is silent nothing runs at all. Beats
are looked at in the falling edge before the rising edge that takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from cocotb.triggers import FallingEdge, RisingEdge
from cocotb_bus.drivers import BitDriver
from cocotb_bus.monitors import BusMonitor
from pyuvm import ConfigDB, uvm_agent, uvm_analysis_port

from tb.agents.items import SentFrame

BEAT_BYTES = 8


class FrameMonitor(BusMonitor):  # type: ignore[misc]
    """AXI4-Stream frames; what is offered stays until it is taken (AXI4-Stream section 2.2.1); keep has no holes."""

    _signals = ("tdata", "tkeep", "tvalid", "tready", "tlast")

    async def _monitor_recv(self) -> None:
        bus, edge, offered = self.bus, FallingEdge(self.clock), RisingEdge(self.bus.tvalid)
        frame = bytearray()
        stalled = False
        held: tuple[int, int, int] | None = None
        first = clock = 0
        await offered
        while True:
            await edge
            clock = int(self.entity.clocks.value) + 1
            if not bus.tvalid.value:
                assert held is None, "tvalid was withdrawn"
                await offered
                continue
            beat = int(bus.tdata.value), int(bus.tkeep.value), int(bus.tlast.value)
            assert held is None or held == beat, "a beat changed while it waited"
            if not bus.tready.value:
                held, stalled = beat, True
                continue
            held = None
            data, keep, last = beat
            count = keep.bit_length()
            assert keep == (1 << count) - 1, f"tkeep {keep:#x} has holes"
            assert count == BEAT_BYTES or (last and count), f"tkeep {keep:#x}, tlast {last}"
            first = first if frame else clock
            frame += data.to_bytes(BEAT_BYTES, "little")[:count]
            if last:
                self._recv(SentFrame(bytes(frame), first, clock, stalled))
                frame, stalled = bytearray(), False


class TransmitPort(uvm_agent):  # type: ignore[misc]
    """``ap`` gives every frame sent; the port is ready until ``stall`` is called."""

    def build_phase(self) -> None:
        super().build_phase()
        self.ap = uvm_analysis_port("ap", self)
        bench: Any = ConfigDB().get(self, "", "BENCH")
        bench.tx_tready.value = 1
        self._random = Random(f"{ConfigDB().get(self, '', 'SEED')} transmit port")
        self._ready = BitDriver(bench.tx_tready, bench.clk)
        self._stalling = False
        self._bench = bench

    def start_of_simulation_phase(self) -> None:
        self._monitor = FrameMonitor(self._bench, "tx", self._bench.clk, callback=self.ap.write)

    def stall(self) -> None:
        """From now on the port stalls at random, half of the time."""
        if not self._stalling:
            self._stalling = True
            self._ready.start(self._pauses())

    def _pauses(self) -> Iterator[tuple[int, int]]:
        while True:
            yield self._random.randint(1, 9), self._random.choice((0, 1, 3, 12))
