# SPDX-License-Identifier: MIT
"""Values of which no bit is usual: groups, sessions, sequence numbers, hold times, epochs."""

from __future__ import annotations

from ipaddress import IPv4Address

import pyuvm

from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tests.rtl.env.effort import scaled
from tests.rtl.env.feed import Schedule, block, idle_beats, packet

SEQUENCES = 1 << 64


@pyuvm.test()
class AnyValue(NicTest):
    """Runs of a group, an epoch and a hold time of random bits, each also with all of them inverted; sessions of random
    bytes, and gaps between numbers anywhere."""

    async def runs(self) -> None:
        random = self.random
        for index in range(scaled(6)):
            address, port, epoch = random.getrandbits(32), random.getrandbits(16), random.getrandbits(31)
            hold = random.getrandbits(32)
            for invert in (0, -1):
                setup = NicSetup(
                    group_address=str(IPv4Address((address ^ invert) & 0xFFFF_FFFF)),
                    group_port=(port ^ invert) & 0xFFFF, epoch=(epoch ^ invert) & 0x7FFF_FFFF,
                    hold_ns=(hold ^ invert) & 0xFFFF_FFFF if index % 2 else 0,
                    delivery=random.choice(("cut-through", "verified")),
                )
                async with self.run(setup) as env:
                    await self._schedule(setup).send(env)

    def _schedule(self, setup: NicSetup) -> Schedule:
        """In order where packets are held, since the time would be over in a far future; with gaps otherwise."""
        random, schedule = self.random, Schedule()
        for _ in range(8):
            session = random.randbytes(10)
            sequence = random.getrandbits(64)
            for _ in range(5):
                blocks = [block(random) for _ in range(random.randint(1, 4))]
                data = packet(sequence, blocks, session, destination=setup.group_address, port=setup.group_port)
                line = random.choice("AB")
                schedule.add(line, schedule.end + 20, data, pauses=idle_beats(random, -(-len(data) // 8)))
                sequence += len(blocks)
                if not setup.hold_ns:
                    sequence += random.choice((0, random.getrandbits(62)))
                sequence %= SEQUENCES
        return schedule
