# SPDX-License-Identifier: MIT
"""The RX ring in all its states, as lines and as descriptors, with a host that comes and goes: whole messages or none,
and every loss told."""

from __future__ import annotations

import cocotb
import pyuvm
from cocotb.triggers import ClockCycles

from tb.agents.host_memory import FAST, Pace
from tb.env.environment import NicEnvironment
from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tests.rtl.effort import scaled
from tests.rtl.env.feed import MINIMUM_GAP, Schedule, idle_beats, packet
from tests.rtl.receive.frames import message, unknown

SMALL = 4          # log2 of the smallest ring
KEPT_CLOCKS = 300  # a packet of this test is out by then, though the host is slow
WEDGED = Pace(1.0, 400)


def sized(test: NicTest, lines: int) -> bytes:
    """A message that takes so many lines."""
    if lines == 1:
        return message(test.random.choice("AFECXDUSRHYLVWKJhQBN"), test.random)
    if lines == 2 and test.random.random() < 0.5:
        return message(test.random.choice("PIO"), test.random)
    return unknown(24 + 56 * (lines - 2) + test.random.randint(1, 56), test.random)


@pyuvm.test()
class RingStates(NicTest):
    """A ring of 16 slots: empty, at its wrap, nearly full, full, for messages of one, two and many lines; then a
    message that it could never hold."""

    async def runs(self) -> None:
        for descriptors in (False, True):
            setup = NicSetup(rx_log2=SMALL, descriptors=descriptors, may_lose=True, epoch=0x7FFF_FFF0)
            async with self.run(setup) as env:
                sequence = 1
                for _ in range(scaled(30)):
                    for lines in self.random.sample((1, 2, 3, self.random.randint(4, 15)), 4):
                        sequence = await self._states(env, lines, sequence)
                await self._send(env, [sized(self, 17)], sequence)
                await self._send(env, [sized(self, 1)], sequence + 1)

    async def _states(self, env: NicEnvironment, lines: int, sequence: int) -> int:
        """Into the empty ring; into one that is then nearly full, or full; again when the host has come back."""
        await self._send(env, [sized(self, lines)], sequence)
        sequence += 1
        env.rx_ring.keep = True
        room = env.rx_ring.setup.slots - (env.rx_ring.head - env.rx_ring.tail)
        fill = max(0, room - lines - self.random.choice((0, 1, 2)))
        await self._send(env, [sized(self, 1) for _ in range(fill)], sequence)
        sequence += fill
        for _ in range(3):
            await self._send(env, [sized(self, lines)], sequence)
            sequence += 1
        await env.rx_ring.give_back()
        env.rx_ring.keep = False
        await self.settle()
        return sequence

    async def _send(self, env: NicEnvironment, blocks: list[bytes], sequence: int) -> None:
        """One packet, all of it out and given back unless the host keeps it."""
        if blocks:
            schedule = Schedule()
            data = packet(sequence, blocks)
            schedule.add(self.random.choice("AB"), 0, data, pauses=idle_beats(self.random, -(-len(data) // 8)))
            await schedule.send(env)
        if env.rx_ring.keep:
            # What was lost waits for room to be told: the NIC is not idle before.
            await ClockCycles(self.bench.clk, KEPT_CLOCKS)
        else:
            await self.settle()
            await env.rx_ring.give_back()


@pyuvm.test()
class SlowHost(NicTest):
    """Both lines at full rate against a host that stops for a while: the queue in front of the ring overruns."""

    pace: Pace = WEDGED

    async def runs(self) -> None:
        for descriptors in (False, True):
            setup = NicSetup(rx_log2=6, descriptors=descriptors, may_lose=True)
            async with self.run(setup) as env:
                schedule, sequence = Schedule(), 1
                for _ in range(scaled(60)):
                    sizes = self.random.choices((1, 1, 1, 2, 4), k=self.random.randint(1, 9))
                    blocks = [sized(self, size) for size in sizes]
                    for line in "AB":
                        schedule.add(line, 0, packet(sequence, blocks), gap=MINIMUM_GAP)
                    sequence += len(blocks)
                moods = cocotb.start_soon(self._moods(env))
                await schedule.send(env)
                env.memory.pace = FAST
                moods.cancel()

    async def _moods(self, env: NicEnvironment) -> None:
        while True:
            env.memory.pace = self.random.choice((FAST, Pace(0.5, 10), WEDGED))
            env.rx_ring.keep = self.random.random() < 0.3
            await ClockCycles(self.bench.clk, self.random.randint(20, 600))
