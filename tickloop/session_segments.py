# SPDX-License-Identifier: MIT
"""The segments in which the messages of a session that the kernel has opened must have left.

Of a connection only its numbers are the run's own: where it begins and the window, which the kernel writes to the NIC,
and what it acknowledges, which is what the kernel wrote last before the segment. Everything else follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.interface import LoopResult, SentFrame
from bridge.layout import REGISTERS
from tb.model.config import KernelConfig
from tb.model.segments import SegmentModel
from tickloop.rundir.orders import is_order, is_pushed, tcp_of

ACKNOWLEDGE_AT, SOUP_BYTES = 8, 3
MADE_BEFORE = 256  # clocks: a segment that is made waits for its first beat while another frame leaves


def pushed(result: LoopResult) -> list[SentFrame]:
    """The frames that the NIC made of TX slots for the session."""
    return [sent for sent in result.sent if is_pushed(sent.data)]


def session_segments(result: LoopResult, config: KernelConfig, orders: Sequence[bytes]) -> list[bytes]:
    """As many segments as left, with ``orders`` in the place of the orders that did, and the logins and heartbeats as
    they are."""
    model, following = SegmentModel(config), iter(orders)
    written = result.register_accesses[result.register_accesses["write"] != 0]
    starts = _writes(written, "SESSION_SEQUENCE")
    acknowledged = _writes(written, "SESSION_ACKNOWLEDGE")
    window = next((value for _, value in reversed(_writes(written, "SESSION_WINDOW"))), config.tcp_window)
    segments = []
    for sent in pushed(result):
        while starts and starts[0][0] <= sent.first_clock:
            model.begin(starts.pop(0)[1], window)
        tcp = tcp_of(sent.data)
        number = int.from_bytes(tcp[ACKNOWLEDGE_AT:ACKNOWLEDGE_AT + 4], "big")
        if number in _in_force(acknowledged, sent.first_clock):
            model.acknowledge(number)
        soup = tcp[4 * (tcp[12] >> 4):]
        if is_order(sent.data):
            segments.append(model.segment(next(following, b"")))
        else:
            segments.append(model.segment(soup[SOUP_BYTES:], chr(soup[SOUP_BYTES - 1])))
    return segments


def _in_force(writes: Sequence[tuple[int, int]], first_clock: int) -> set[int]:
    """What a register can have held when a segment was made whose first beat left at ``first_clock``."""
    values: list[int] = []
    for clock, value in writes:
        if clock > first_clock:
            break
        values = [value] if clock <= first_clock - MADE_BEFORE else [*values, value]
    return set(values)


def _writes(written: Any, register: str) -> list[tuple[int, int]]:
    """Clock and value of the writes to a register."""
    rows = written[written["address"] == REGISTERS[register]]
    return list(zip(rows["done_clock"].tolist(), rows["value"].tolist(), strict=True))
