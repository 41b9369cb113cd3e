# SPDX-License-Identifier: MIT
"""Random traffic on both lines, with every kind of fault, idle beats anywhere and a slow host."""

from __future__ import annotations

from collections.abc import Sequence

import pyuvm

from tb.agents.host_memory import FAST, Pace
from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tests.rtl.effort import scaled
from tests.rtl.env.feed import Faults, Feed

CLEAN = Faults(0, 0, 0, 0, 0)
LOSSY = Faults(0.25, 0.15, 0.1, 0.05, 0.05)


class RandomTraffic(NicTest):
    """Runs ``packets`` packets of ``feeds`` for each set-up."""

    setups: Sequence[NicSetup] = ()
    packets = 150

    def feed(self) -> Feed:
        return Feed(self.random)

    async def runs(self) -> None:
        for setup in self.setups:
            async with self.run(setup) as env:
                await self.feed().schedule(scaled(self.packets)).send(env)


@pyuvm.test()
class CutThrough(RandomTraffic):
    """Two lines with few faults, then with many."""

    setups = (NicSetup(epoch=0x7FFF_FFF0), NicSetup(descriptors=True))

    def feed(self) -> Feed:
        return Feed(self.random, LOSSY if self.verdicts else Faults())


@pyuvm.test()
class Verified(RandomTraffic):
    """The same with verified delivery."""

    setups = (NicSetup(delivery="verified"), NicSetup(delivery="verified", descriptors=True, epoch=0xFFFF_FFFF))

    def feed(self) -> Feed:
        return Feed(self.random, LOSSY if self.verdicts else Faults())


@pyuvm.test()
class AtLineRate(RandomTraffic):
    """Both lines full: minimum gaps, no skew to speak of, a host that is ready; nothing may be lost."""

    pace: Pace = FAST
    setups = (NicSetup(), NicSetup(delivery="verified"))

    def feed(self) -> Feed:
        return Feed(self.random, CLEAN, skew=4, spacing=(0, 0))


@pyuvm.test()
class EachEventByItself(RandomTraffic):
    """EVENT_ENABLE with one bit at a time, and with none: the host is told what it asked for, no more."""

    packets = 60
    setups = tuple(NicSetup(events=events) for events in (("STREAM",), ("BAD",), ("DROP",), ("LOST",), ()))

    def feed(self) -> Feed:
        return Feed(self.random, LOSSY)
