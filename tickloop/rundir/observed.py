# SPDX-License-Identifier: MIT
"""Everything a run's logs say, decoded once: the source of the run directory, the checks and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.interface import LoopResult
from tb.model.config import KernelConfig
from tickloop.rundir.answers import sequenced_messages
from tickloop.rundir.books import Export, parse_export
from tickloop.rundir.frames import event_lines, frame_lines
from tickloop.rundir.host_events import host_events
from tickloop.rundir.json_lines import Line
from tickloop.rundir.latency import Latency, measure
from tickloop.rundir.lines import control, ring_records
from tickloop.rundir.messages import frames_of, message_lines
from tickloop.rundir.orders import order_lines
from tickloop.rundir.summary import disagreements, hardware_counters

DEFAULT = KernelConfig()


@dataclass(frozen=True)
class Observed:
    """The lines of the run directory's files, and every contradiction met while decoding."""

    frames: Sequence[Line]
    messages: Sequence[Line]
    events: list[dict[str, Any]]
    host_events: list[dict[str, Any]]  # event lines of the RX ring
    counters: dict[str, Any]
    latency: Latency
    orders: list[dict[str, Any]]
    answers: list[bytes]  # OUCH messages of the exchange, by their numbers
    export: Export
    problems: list[str]

    def disagreements(self) -> list[str]:
        """What the counters and the files say differently; costs as much as the files."""
        return disagreements(self.counters, self.frames, self.messages, self.events)


def observe(result: LoopResult, closed_loop: bool, config: KernelConfig = DEFAULT) -> Observed:
    """Decodes ``result``; without a kernel there are no orders, answers and export."""
    ring = ring_records(result)
    records = ring.select(~ring.is_event)
    frames = frame_lines(result.frames)
    frame_problems: list[str] = []
    frame = frames_of(records, result.frames, frame_problems)
    messages, problems = message_lines(records, frame, result.frames, control(result, "VERIFIED"))
    events = event_lines(result.frames)
    told, event_problems = host_events(ring.select(ring.is_event), result.frames)
    counters = hardware_counters(result.registers)
    latency = measure(result, records, frame)
    orders, order_problems = order_lines(result, config.ouch_version)
    answers, answer_problems = sequenced_messages(result.raw, config)
    export = parse_export(result.export) if closed_loop else Export()
    problems = [*ring.problems, *frame_problems, *problems, *event_problems]
    problems += [*latency.problems, *order_problems, *answer_problems, *export.problems]
    if not closed_loop and result.sent:
        problems.append(f"{len(result.sent)} frames were sent without a kernel")
    return Observed(frames, messages, events, told, counters, latency, orders, answers, export, problems)
