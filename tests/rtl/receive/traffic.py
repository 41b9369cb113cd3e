# SPDX-License-Identifier: MIT
"""Random frames as a feed line could bring them: mostly right, in sequence or not, of any shape, with any fault."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tb.receive.items import BEAT_BYTES, FrameItem
from tests.rtl.receive.frames import C_TAG, S_TAG, TYPES, frame, message, mold, unknown
from tests.rtl.receive.verdict_tests import FAULTS

LINE_GAP = 3  # beats: 8 bytes preamble, 4 bytes FCS, 12 bytes gap


class Traffic:
    """``gap``: beats between frames at least, 0 for never any; ``pauses``: frames may have idle beats inside."""

    def __init__(self, random: Random, gap: int = LINE_GAP, pauses: bool = True) -> None:
        self._random = random
        self._gap = gap
        self._pauses = pauses
        self._session = b"RANDOM0001"
        self._sequence = random.choice((1, 1000, (1 << 64) - 50))

    def frames(self, count: int) -> Iterator[FrameItem]:
        for _ in range(count):
            yield self._frame()

    def _frame(self) -> FrameItem:
        random = self._random
        fields: dict[str, Any] = {
            "tags": random.choice(((), (), (C_TAG,), (S_TAG, C_TAG))),
            "options": bytes(4 * random.choice((0, 0, 0, 1, random.randrange(11)))),
            "trailer": random.randbytes(random.choice((0, 0, 0, random.randrange(1, 12)))),
            "ip_padding": random.randbytes(random.choice((0, 0, 0, 0, random.randrange(1, 12)))),
        }
        payload = self._payload()
        bad_fcs = False
        if random.random() < 0.25:
            fault = dict(random.choice(FAULTS))
            bad_fcs = fault.pop("bad_fcs", False)
            fields |= fault
        elif random.random() < 0.05:
            payload = payload[:random.randrange(20, len(payload) + 1)]
        elif random.random() < 0.05:
            payload += random.randbytes(random.randrange(1, 30))
        data = frame(payload, **fields)
        if random.random() < 0.1:
            data = data[:random.randrange(1, len(data) + 1)]
        gap = self._gap + random.choice((0, 0, 0, random.randrange(8))) if self._gap else 0
        return FrameItem(data, bad_fcs, gap, self._idle(len(data)))

    def _payload(self) -> bytes:
        random = self._random
        if random.random() < 0.05:
            self._session = b"RANDOM%04d" % random.randrange(4)
        self._sequence += random.choice((0, 0, 0, 0, 0, random.randrange(-12, 12)))
        if random.random() < 0.1:
            return mold(self._sequence, [], random.choice((0, 0xFFFF)), self._session)
        blocks = [self._block() for _ in range(random.choice((1, 1, 2, 5, 12)))]
        payload = mold(self._sequence, blocks, session=self._session)
        self._sequence = (self._sequence + len(blocks)) % (1 << 64)
        return payload

    def _block(self) -> bytes:
        random = self._random
        shape = random.random()
        if shape < 0.8:
            return message(random.choice(list(TYPES)), random)
        if shape < 0.85:
            return message(random.choice(list(TYPES)), random, random.randrange(1, 100))
        return unknown(random.choice((0, 0, 1, 3, random.randrange(30), random.randrange(300))), random)

    def _idle(self, length: int) -> dict[int, int]:
        random = self._random
        if not self._pauses or random.random() < 0.4:
            return {}
        chance = random.choice((0.05, 0.3, 0.9))
        return {beat: random.randrange(1, 4) for beat in range(1, -(-length // BEAT_BYTES)) if random.random() < chance}
