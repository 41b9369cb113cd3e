# SPDX-License-Identifier: MIT
"""The window check against unbounded integers: edges, one byte off them, ranges over the top of the addresses, windows
that begin or end inside a line, two windows of which neither is enough."""

from __future__ import annotations

from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from bridge.interface import CLOCK_PS

TOP = 1 << 64
LINE = 64
SETTLE_CLOCKS = 14
QUESTIONS = {  # answer -> ring, log2 of the slots in a line
    "rx_lines_granted": ("rx", 0), "rx_descriptors_granted": ("rx", 2), "tx_lines_granted": ("tx", 0),
    "tx_descriptors_granted": ("tx", 2), "raw_granted": ("raw", 0),
}
WINDOWS = [(0, 0), (0, LINE), (0, TOP - 1), (4096, 4096), (4097, 4096), (4096, 4095), (TOP - 4096, 4096),
           (TOP - 4096, 8192), (TOP - LINE, TOP - 1), (TOP - LINE - 1, LINE), (TOP - 1, 1), (100, 20)]


def inside(window: tuple[int, int], address: int, length: int) -> bool:
    base, size = window
    return base <= address and address + length <= min(base + size, TOP)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def agrees_with_unbounded_integers(dut: Any) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    dut.rst.value, dut.changed.value, dut.in_flight.value = 1, 0, 0
    Clock(dut.clk, CLOCK_PS, "ps", impl="gpi").start()
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    seen = {False: 0, True: 0}
    for _ in range(1500):
        windows = [rng.choice(WINDOWS) if rng.random() < 0.5 else (rng.randrange(TOP), rng.randrange(TOP))
                   for _ in range(2)]
        for name, (base, size) in zip(("window", "window2"), windows, strict=True):
            getattr(dut, f"{name}_base").value = base
            getattr(dut, f"{name}_size").value = size
        rings: dict[str, tuple[int, int]] = {}
        for ring in ("rx", "tx", "raw"):
            log2 = rng.choice((4, 4, 6, 10, 16))
            base, size = rng.choice(windows)
            edge = rng.choice((base, base + size, base + size - (LINE << log2), base + size - (LINE << log2 - 2), 0,
                               TOP - (LINE << log2)))
            rings[ring] = (edge + rng.choice((-LINE, 0, LINE - 1, LINE))) % TOP // LINE, log2
            getattr(dut, f"{ring}_line").value, getattr(dut, f"{ring}_log2").value = rings[ring]
        dut.changed.value = 1
        await RisingEdge(dut.clk)
        dut.changed.value = 0
        longer = rng.choice((0, 0, 0, 1, 9))  # DMA from before is not answered yet
        dut.in_flight.value = longer > 0
        for clock in range(SETTLE_CLOCKS + longer):
            dut.in_flight.value = clock < SETTLE_CLOCKS + longer - 2 and longer > 0
            await RisingEdge(dut.clk)
            assert not dut.settled.value
        await RisingEdge(dut.clk)
        assert dut.settled.value
        for answer, (ring, descriptors) in QUESTIONS.items():
            line, log2 = rings[ring]
            length = LINE << log2 - descriptors
            want = any(inside(window, line * LINE, length) for window in windows)
            got = bool(getattr(dut, answer).value)
            assert got == want, f"{answer}: [{line * LINE:#x}, +{length:#x}) in {windows}: {got}, not {want}"
            seen[want] += 1
    assert min(seen.values()) > 500, f"one answer was hardly asked for: {seen}"
