# SPDX-License-Identifier: MIT
"""Which acknowledgement number a segment of a session may carry: what the kernel wrote last before it was made."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from bridge.interface import LoopResult, SentFrame
from bridge.layout import REGISTER_LOG, REGISTERS
from tb.model.config import KernelConfig
from tb.model.segments import SegmentModel
from tickloop.session_segments import MADE_BEFORE, session_segments

CONFIG = KernelConfig(session_mode="connect")
WRITES = ((1000, 111), (5000, 222), (9000, 333))


class Result:
    """A run of one segment and three writes of an acknowledgement number."""

    def __init__(self, first_clock: int, number: int) -> None:
        model = SegmentModel(CONFIG)
        model.acknowledge(number)
        self.sent = [SentFrame(first_clock, first_clock + 14, model.segment(b"O" * 49))]
        self.register_accesses: Any = np.zeros(len(WRITES), REGISTER_LOG)
        for access, (clock, value) in zip(self.register_accesses, WRITES, strict=True):
            access["done_clock"], access["value"], access["write"] = clock, value, 1
            access["address"] = REGISTERS["SESSION_ACKNOWLEDGE"]


@pytest.mark.parametrize(("first_clock", "number", "right"), [
    (4999, 111, True), (4999, 222, False), (5001, 222, True), (5001, 111, True), (5001, 333, False),
    (5000 + MADE_BEFORE, 111, False), (5000 + MADE_BEFORE, 222, True), (20_000, 333, True), (20_000, 222, False)])
def test_a_segment_acknowledges_what_was_written_last_before_it(first_clock: int, number: int, right: bool) -> None:
    result = Result(first_clock, number)
    expected = session_segments(cast(LoopResult, result), CONFIG, [b"O" * 49])
    assert (expected == [result.sent[0].data]) == right
