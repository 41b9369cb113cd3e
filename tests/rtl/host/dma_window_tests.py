# SPDX-License-Identifier: MIT
"""The window check against unbounded integers: edges, one byte off them, ranges over the top of the addresses."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import cocotb
from cocotb.triggers import Timer

TOP = 1 << 64
LINE = 64


def expected(base: int, size: int, address: int, length: int) -> bool:
    return base <= address and address + length <= min(base + size, TOP)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def agrees_with_unbounded_integers(dut: Any) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    windows = [(0, 0), (0, LINE), (0, TOP - 1), (4096, 4096), (TOP - 4096, 4096), (TOP - 4096, 8192)]
    windows += [(TOP - LINE, TOP - 1)]
    windows += [(rng.randrange(TOP), rng.randrange(TOP)) for _ in range(20)]
    seen = {False: 0, True: 0}
    for base, size in windows:
        edges = (base, base + size, base + size // 2, 0, TOP, rng.randrange(TOP))
        for edge, offset, length in product(edges, (-LINE - 1, -LINE, -1, 0, 1), (1, LINE, LINE << 4, LINE << 16)):
            address = (edge + offset) % TOP
            dut.base.value, dut.size.value, dut.address.value, dut.length.value = base, size, address, length
            await Timer(1, "ns")
            inside = bool(dut.inside_window.value)
            want = expected(base, size, address, length)
            assert inside == want, f"[{address:#x}, +{length:#x}) in [{base:#x}, +{size:#x}): {inside}, not {want}"
            seen[want] += 1
    assert min(seen.values()) > 100, f"one answer was hardly asked for: {seen}"
