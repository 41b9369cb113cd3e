# SPDX-License-Identifier: MIT
"""The one coroutine that wakes every clock: it reads the bench's `events` once and hands them to all who look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cocotb.triggers import FallingEdge
from pyuvm import ConfigDB, uvm_component

from tb.signals import reader

Look = Callable[[int, int], None]   # of the events, and the clock whose rising edge comes next


class Watch(uvm_component):  # type: ignore[misc]
    """Calls every look at the falling edge, before the rising edge that samples what stands there."""

    def build_phase(self) -> None:
        self._bench: Any = ConfigDB().get(self, "", "BENCH")
        self._looks: list[Look] = []

    def add(self, look: Look) -> None:
        self._looks.append(look)

    async def run_phase(self) -> None:
        bench, falling, read_events = self._bench, FallingEdge(self._bench.clk), reader(self._bench.events)
        await FallingEdge(bench.rst)
        clock = int(bench.clocks.value)
        while True:
            await falling
            clock += 1
            events = read_events()
            for look in self._looks:
                look(events, clock)
