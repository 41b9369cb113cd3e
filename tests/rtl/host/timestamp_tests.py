# SPDX-License-Identifier: MIT
"""The nanosecond counter against exact fractions, with steps; the period comes from the parameters under test."""

from __future__ import annotations

import os
from fractions import Fraction
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

CLOCKS = 20_000


async def reset(dut: Any) -> Fraction:
    dut.rst.value, dut.step_valid.value, dut.step_ns.value = 1, 0, 0
    Clock(dut.clk, 4, "ns", impl="gpi").start()
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    return Fraction(os.environ["CLOCK_PERIOD_NS"])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def never_drifts(dut: Any) -> None:
    period = await reset(dut)
    for clock in range(CLOCKS):
        assert int(dut.time_ns.value) == int(clock * period), f"clock {clock}"
        await RisingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def steps_add_to_the_clock_of_their_own(dut: Any) -> None:
    period = await reset(dut)
    rng = Random(cocotb.RANDOM_SEED)
    stepped = pending = 0
    for clock in range(2000):
        assert int(dut.time_ns.value) == int(clock * period) + stepped, f"clock {clock}"
        stepped += pending
        pending = rng.choice((0, 0, 0, 1, 32, rng.randrange(1 << 36)))
        dut.step_valid.value = int(pending != 0)
        dut.step_ns.value = pending or rng.randrange(1 << 48)  # not looked at unless valid
        await RisingEdge(dut.clk)
    assert stepped


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wraps_at_48_bits(dut: Any) -> None:
    period = await reset(dut)
    step = (1 << 48) - 20
    dut.step_valid.value, dut.step_ns.value = 1, step
    await RisingEdge(dut.clk)
    dut.step_valid.value = 0
    for clock in range(2, 20):
        await RisingEdge(dut.clk)
        assert int(dut.time_ns.value) == (int(clock * period) + step) % (1 << 48)
