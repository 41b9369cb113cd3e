# SPDX-License-Identifier: MIT
"""AXI4-Stream sink of 64 bits: collects frames, is ready as often as it is told to be, checks the handshake rules.

Valid, data, keep and last stay until taken (AXI4-Stream section 2.2.1); keep is full but in a frame's last beat,
where the bytes are contiguous from lane 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from tb.signals import reader

BEAT_BYTES = 8


@dataclass(frozen=True)
class Frame:
    """A frame and the times, in ps, of the edges that took its first and last beat."""

    first_ps: int
    last_ps: int
    data: bytes


class FrameSink:
    """The sink; ``ready`` is the chance of tready a clock."""

    def __init__(self, dut: Any, clk: Any, random: Random, prefix: str = "tx") -> None:
        self.frames: list[Frame] = []
        self.ready = 1.0
        self._clk = clk
        self._random = random
        self._valid, self._data, self._keep, self._last = (
            reader(getattr(dut, f"{prefix}_{name}")) for name in ("tvalid", "tdata", "tkeep", "tlast")
        )
        self._ready = getattr(dut, f"{prefix}_tready")
        self._ready.value = 0

    async def run(self) -> None:
        """Collects for ever."""
        ready = False
        held: tuple[int, int, int] | None = None
        frame = bytearray()
        first_ps = 0
        while True:
            await RisingEdge(self._clk)
            if self._valid():
                beat = self._data(), self._keep(), self._last()
                assert held is None or held == beat, "a beat changed while it waited"
                held = None if ready else beat
                if ready:
                    data, keep, last = beat
                    count = keep.bit_length()
                    assert keep == (1 << count) - 1, f"tkeep {keep:#x} has holes"
                    assert count == BEAT_BYTES or (last and count), f"tkeep {keep:#x}, tlast {last}"
                    now = int(get_sim_time("ps"))
                    first_ps = first_ps if frame else now
                    frame += data.to_bytes(BEAT_BYTES, "little")[:count]
                    if last:
                        self.frames.append(Frame(first_ps, now, bytes(frame)))
                        frame = bytearray()
            else:
                assert held is None, "tvalid was withdrawn"
            before, ready = ready, self.ready >= 1.0 or self._random.random() < self.ready
            if ready != before:
                self._ready.value = int(ready)
