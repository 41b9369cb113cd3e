# SPDX-License-Identifier: MIT
"""The base of the environment's tests: reset, set-up and judgement of one run; a test may make several.

Randomness depends on the seed of the run and the test's name only, so the line that the runner prints repeats a test.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge
from pyuvm import ConfigDB, uvm_test

from bridge import layout
from bridge.interface import CLOCK_PS
from tb.agents.host_memory import FAST, SLOW, Pace
from tb.env.environment import NicEnvironment
from tb.env.scoreboard import Verdict
from tb.env.setup import NicSetup
from tb.model.config import KernelConfig

COVERAGE_DIRECTORY = "FUNCTIONAL_COVERAGE"  # environment variable: where each test leaves what it covered
SETTLE_CLOCKS = 60_000                     # without reaching idle for so long, something is stuck
QUIET_CLOCKS = 20                          # idle for so long is the end of a run


class NicTest(uvm_test):  # type: ignore[misc]
    """A test overrides ``runs``, which makes its runs with ``async with self.run(setup)``."""

    pace: Pace = SLOW                      # of the host

    def build_phase(self) -> None:
        self.bench: Any = cocotb.top
        seed = f"{cocotb.RANDOM_SEED} {type(self).__name__}"
        self.random = Random(seed)
        self.verdicts: list[Verdict] = []
        ConfigDB().set(None, "*", "BENCH", self.bench)
        ConfigDB().set(None, "*", "SEED", seed)
        self.env = NicEnvironment("environment", self)

    async def runs(self) -> None:
        raise NotImplementedError

    async def run_phase(self) -> None:
        self.raise_objection()
        self.bench.rst.value = 1
        Clock(self.bench.clk, CLOCK_PS, "ps", impl="gpi").start()
        await self.runs()
        assert self.verdicts, "the test made no run"
        self.drop_objection()

    def report_phase(self) -> None:
        """What the run covered, for the merge over all runs."""
        compared = ", ".join(f"{count} {what}" for what, count in sorted(self.env.scoreboard.compared.items()))
        self.logger.info("compared %s", compared)
        directory = os.environ.get(COVERAGE_DIRECTORY)
        if directory:
            self.env.coverage.export(Path(directory) / f"{type(self).__name__}-{cocotb.RANDOM_SEED}.yml")

    # ---- One run

    @asynccontextmanager
    async def run(self, setup: NicSetup) -> AsyncIterator[NicEnvironment]:
        """A run from reset to its judgement; the body sends what it wants and returns when that has gone in."""
        env = self.env
        reset_clock = await self._reset(setup)
        await self._set_up(setup)
        env.memory.pace = self.pace
        yield env
        await self._drain()
        env.memory.pace = FAST
        registers = {name: await env.registers.read(name) for name in layout.REGISTERS if name in _COUNTERS}
        registers["NEXT_EXPECTED"] = await env.registers.read64("NEXT_EXPECTED")
        verdict = env.scoreboard.judge(setup, reset_clock, registers)
        env.coverage.verdict(verdict)
        self.verdicts.append(verdict)
        env.rx_ring.stop()
        env.raw_ring.stop()
        await self.settle()

    async def _reset(self, setup: NicSetup) -> int:
        """Every input has its value; returns the clock of the last edge that saw the reset."""
        bench, env = self.bench, self.env
        await FallingEdge(bench.clk)
        bench.rst.value = 1
        bench.time_step_valid.value = 0
        await ClockCycles(bench.clk, 4)
        env.memory.restart()
        env.memory.pace = FAST
        env.memory.windows = setup.windows
        await FallingEdge(bench.clk)
        bench.rst.value = 0
        reset_clock = int(bench.clocks.value)
        bench.time_step_ns.value, bench.time_step_valid.value = setup.time_ns, 1
        await FallingEdge(bench.clk)
        bench.time_step_valid.value = 0
        return reset_clock

    async def _set_up(self, setup: NicSetup) -> None:
        registers, env = self.env.registers, self.env
        for name, (base, size) in zip(("WINDOW", "WINDOW2"), setup.windows, strict=True):
            await registers.write64(f"{name}_BASE", base)
            await registers.write64(f"{name}_SIZE", size)
        for name, ring in (("RX", setup.rx), ("TX", setup.tx), ("RAW", setup.raw_ring)):
            await registers.write64(f"{name}_BASE", ring.base)
            await registers.write(f"{name}_LOG2", ring.log2)
            await registers.write(f"{name}_EPOCH", ring.epoch)
        await registers.write("GROUP_ADDRESS", int(IPv4Address(setup.group_address)))
        await registers.write("GROUP_PORT", setup.group_port)
        await registers.write("HOLD", setup.hold_ns)
        events = layout.REGISTER_FIELDS["EVENT_ENABLE"]
        await registers.write("EVENT_ENABLE", sum(events[name] for name in setup.events))
        await self._session(setup.session)
        env.rx_ring.start(setup.rx)
        if setup.raw:
            env.raw_ring.start(setup.raw_ring)
        if setup.transmit:
            env.tx_ring.start(setup.tx)
        await registers.write("CONTROL", setup.control)

    async def _session(self, session: KernelConfig) -> None:
        registers = self.env.registers
        await registers.write64("SESSION_SOURCE_MAC", int(session.source_mac.replace(":", ""), 16))
        await registers.write64("SESSION_DESTINATION_MAC", int(session.destination_mac.replace(":", ""), 16))
        await registers.write("SESSION_SOURCE_ADDRESS", int(IPv4Address(session.source_address)))
        await registers.write("SESSION_DESTINATION_ADDRESS", int(IPv4Address(session.destination_address)))
        await registers.write("SESSION_PORTS", session.source_port << 16 | session.destination_port)
        await registers.write("SESSION_SEQUENCE", session.tcp_sequence)
        await registers.write("SESSION_ACKNOWLEDGE", session.tcp_acknowledge)
        await registers.write("SESSION_WINDOW", session.tcp_window)

    async def _drain(self) -> None:
        """Until nothing more comes although the host has given everything back: losses are told when there is room."""
        rings = self.env.rx_ring, self.env.raw_ring
        for ring in rings:
            ring.keep = False
        await self.settle()
        before: list[int] | None = None
        while before != (heads := [ring.head for ring in rings]):
            before = heads
            for ring in rings:
                await ring.give_back()
            await self.env.registers.read("ID")   # behind every write that was on its way
            await self.settle()

    async def settle(self) -> None:
        """Until the NIC has been idle for a while, and the host has answered everything."""
        quiet = 0
        for _ in range(SETTLE_CLOCKS):
            await FallingEdge(self.bench.clk)
            quiet = quiet + 1 if self.env.reports.idle and not self.env.memory.busy else 0
            if quiet == QUIET_CLOCKS:
                return
        raise AssertionError(f"not idle after {SETTLE_CLOCKS} clocks")


_COUNTERS = frozenset(
    name for name, offset in layout.REGISTERS.items() if offset >= layout.REGISTERS["STREAM_STATUS"]
)
