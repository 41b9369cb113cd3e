# SPDX-License-Identifier: MIT
"""What the NIC's subscription filter must have kept back, from the register writes with which the kernel set it.

The kernel's write and a message on its way to the filter race, and no log holds the clock of a look-up. So a write has
a span of clocks in which it may take effect, a message one in which it may be looked up; where the two meet, either
outcome is right, and what was observed is taken. Everywhere else the filter's answer is certain.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bridge.interface import LoopResult
from bridge.layout import MAX_FRAME_BYTES, REGISTER_FIELDS, REGISTERS, MailboxOp
from tb.model.receive import FrameResult

LOCATES = 1 << 16
SETTLE_CLOCKS = 64  # a register write through AXI4-Lite, behind others; a message through the pipeline
FILL_CLOCKS = 2048  # 65,536 bits, 32 a clock
QUEUE_CLOCKS = 3 * MAX_FRAME_BYTES // 8  # a message in the queue of its line: behind a frame of the other, or verified


@dataclass(frozen=True)
class _Change:
    """Takes effect between two clocks; ``locate`` None changes all."""

    earliest: int
    latest: int
    locate: int | None
    passes: bool


class FilterHistory:
    """The filter's state at any clock of a run, as far as the guest log tells it."""

    def __init__(self, result: LoopResult, doorbell_ns: int) -> None:
        self._clock_ps = result.clock_ps
        self._doorbell_ps = 1000 * doorbell_ns
        self.enabled = bool(result.registers["CONTROL"] & REGISTER_FIELDS["CONTROL"]["FILTER_ENABLE"])
        self._fills: list[_Change] = []
        self._updates: dict[int, list[_Change]] = {}
        fields = REGISTER_FIELDS["FILTER_UPDATE"]
        for entry in result.guest[result.guest["op"] == MailboxOp.REGISTER_WRITE]:
            address, value, time_ps = int(entry["address"]), int(entry["value"]), int(entry["time_ps"])
            if address == REGISTERS["FILTER_FILL"]:
                self._fills.append(self._change(time_ps, FILL_CLOCKS, None, bool(value & 1)))
            elif address == REGISTERS["FILTER_UPDATE"]:
                locate = value & fields["LOCATE"]
                change = self._change(time_ps, 0, locate, bool(value & fields["PASS"]))
                self._updates.setdefault(locate, []).append(change)

    def _change(self, time_ps: int, clocks: int, locate: int | None, passes: bool) -> _Change:
        latest = -(-(time_ps + self._doorbell_ps) // self._clock_ps) + SETTLE_CLOCKS + clocks
        return _Change(time_ps // self._clock_ps, latest, locate, passes)

    def passes(self, locate: int, first_clock: int, last_clock: int) -> bool | None:
        """Whether a message looked up between two clocks passes; None if both are possible."""
        if not self.enabled or locate == 0:
            return True
        changes = sorted(self._fills + self._updates.get(locate, []), key=lambda change: change.earliest)
        settled = bisect_right([change.latest for change in changes], first_clock)
        possible = {changes[settled - 1].passes} if settled else {False}
        possible |= {change.passes for change in changes[settled:] if change.earliest <= last_clock}
        return possible.pop() if len(possible) == 1 else None


def blocked_at(history: FilterHistory, results: Iterable[FrameResult], result: LoopResult, hold_ns: int,
               delivered: Collection[tuple[int, int]]) -> list[Collection[int]]:
    """For each message on its way to the host, in the order of the look-ups, the locates that the filter blocks: its
    own or none. ``results`` are those of a model without a filter, ``delivered`` what the host got, as (frame,
    sequence number)."""
    wait = SETTLE_CLOCKS + -(-1000 * hold_ns // result.clock_ps)
    if result.frames["line"].any() or result.registers["CONTROL"] & REGISTER_FIELDS["CONTROL"]["VERIFIED"]:
        wait += QUEUE_CLOCKS
    blocked: list[Collection[int]] = []
    for frame in sorted(results, key=lambda frame: frame.turn):
        if frame.frame >= len(result.frames):
            blocked += [()] * len(frame.messages)
            continue
        first, last = (int(result.frames[name][frame.frame]) for name in ("first_clock", "last_clock"))
        for message in frame.messages:
            passes = history.passes(message.stock_locate, first, last + wait)
            if passes is None:
                passes = (frame.frame, message.sequence) in delivered
            blocked.append(() if passes else (message.stock_locate,))
    return blocked
