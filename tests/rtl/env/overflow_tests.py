# SPDX-License-Identifier: MIT
"""Queues too small for their traffic (the bench is built so), and ports that fall silent inside a frame.

A frame is lost whole and told, what it had delivered is void, and nothing else comes to harm.
"""

from __future__ import annotations

from itertools import product

import pyuvm

from bridge.layout import DropReason
from tb.agents.host_memory import FAST, Pace
from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tests.rtl.effort import scaled
from tests.rtl.env.feed import Schedule, idle_beats, packet
from tests.rtl.receive.frames import message, unknown

SILENCE_CLOCKS = 6000   # beyond rtl/arbiter.v's patience with a port that says nothing while the other line waits
MANY = 200              # more messages than the small queue holds


@pyuvm.test()
class FullQueue(NicTest):
    """A frame of many messages waits for its own verdict, or for an older frame of the other line. The host is ready:
    what was queued comes at one entry a clock."""

    pace: Pace = FAST

    async def runs(self) -> None:
        for delivery in ("cut-through", "verified"):
            async with self.run(NicSetup(delivery=delivery, may_overflow=True)) as env:
                schedule, sequence = Schedule(), 1
                for line, other in (("A", "B"), ("B", "A")) * scaled(3):
                    start = schedule.end + 100
                    slow = packet(sequence, [message("A", self.random) for _ in range(20)])
                    schedule.add(other, start, slow, pauses=dict.fromkeys(range(1, 90), 9))
                    blocks = [unknown(self.random.choice((6, 12, 30)), self.random) for _ in range(MANY)]
                    schedule.add(line, start + 5, packet(sequence + 20, blocks))
                    sequence += 20 + MANY
                    for after in (line, other):
                        data = packet(sequence, [message("E", self.random)])
                        schedule.add(after, schedule.end + 200, data, pauses=idle_beats(self.random, 8))
                        sequence += 1
                await schedule.send(env)
            lost = [one for one in self.verdicts[-1].frames if one.report.report.reason == DropReason.OVERFLOW]
            assert {one.port.line for one in lost} == {"A", "B"}, "no queue was full"


@pyuvm.test()
class SilentPort(NicTest):
    """A frame that does not go on, while the other line has news: it is given up, with what it had delivered."""

    async def runs(self) -> None:
        for delivery, beat in product(("cut-through", "verified"), (6, 14)):
            async with self.run(NicSetup(delivery=delivery, may_overflow=True)) as env:
                schedule, sequence = Schedule(), 1
                for line, other in (("A", "B"), ("B", "A")):
                    blocks = [message("D", self.random) for _ in range(6)]
                    start = schedule.end + 100
                    schedule.add(line, start, packet(sequence, blocks), pauses={beat: SILENCE_CLOCKS})
                    schedule.add(other, start + 30, packet(sequence, blocks))
                    sequence += 6
                    schedule.add(line, schedule.end + 50, packet(sequence, blocks[:1]))
                    sequence += 1
                await schedule.send(env)
