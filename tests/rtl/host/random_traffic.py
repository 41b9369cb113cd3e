# SPDX-License-Identifier: MIT
"""Random messages into the host side, and a host between quick and dead meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cocotb

from tests.rtl.host.bench import Bench, Message, message

LINES = (0, 0, 0, 0, 1, 1, 2, 5, 17)  # continuation lines of a message
ABORTED = 0.1  # of the messages with continuation lines
READY = (1.0, 1.0, 0.5, 0.2, 0.0)
RESPONSE_CLOCKS = (0, 3, 20)


@dataclass
class RandomTraffic:
    """What has been sent whole, by message number, and the number of its continuation lines."""

    bench: Bench
    sent: dict[int, Message] = field(default_factory=dict)
    continuations: dict[int, int] = field(default_factory=dict)

    async def run(self, messages: int, gaps: Sequence[int]) -> None:
        """Sends so many messages of 1 to 18 lines, some called off, with clocks from ``gaps`` between them."""
        steering = cocotb.start_soon(self._host())
        for number in range(1, messages + 1):
            await self._send(number)
            await self.bench.clocks(self.bench.random.choice(gaps))
        steering.cancel()
        self.bench.memory.pace.ready = 1.0

    async def _send(self, number: int) -> None:
        bench, random = self.bench, self.bench.random
        item = message(number, random.choice(LINES))
        aborted = bool(item.continuations) and random.random() < ABORTED
        if not aborted:
            self.sent[number] = item
            self.continuations[number] = len(item.continuations)
        for line in item.continuations:
            await bench.send_line(line, first=False)
            if not aborted:
                await bench.clocks(random.choice((0, 0, 0, 6)))
        if aborted:
            await bench.abort()
        else:
            await bench.send_line(item.first, first=True)

    async def _host(self) -> None:
        while True:
            self.bench.memory.pace.ready = self.bench.random.choice(READY)
            self.bench.memory.pace.response_clocks = self.bench.random.choice(RESPONSE_CLOCKS)
            await self.bench.clocks(self.bench.random.randint(10, 150))
