# SPDX-License-Identifier: MIT
"""Random traffic with faults, as fast as a line brings it, slower with idle beats, and faster than any line."""

from __future__ import annotations

from collections.abc import Iterator

import pyuvm

from tb.receive.items import FrameItem
from tests.rtl.effort import scaled
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.traffic import Traffic


@pyuvm.test()
class RandomTraffic(ReceiveTest):  # type: ignore[misc]
    """All of it with idle beats anywhere."""

    def frames(self) -> Iterator[FrameItem]:
        yield from Traffic(self.random).frames(scaled(900))


@pyuvm.test()
class RandomTrafficAtLineRate(ReceiveTest):  # type: ignore[misc]
    """Frames at the minimum gap of a line, all beats of a frame at once."""

    def frames(self) -> Iterator[FrameItem]:
        yield from Traffic(self.random, pauses=False).frames(scaled(900))


@pyuvm.test()
class RandomTrafficWithoutGaps(ReceiveTest):  # type: ignore[misc]
    """No idle clock at all: blocks of a few bytes pile up in the queue for good, which holds them all."""

    def frames(self) -> Iterator[FrameItem]:
        yield from Traffic(self.random, gap=0, pauses=False).frames(scaled(600))
