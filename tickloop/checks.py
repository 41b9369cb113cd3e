# SPDX-License-Identifier: MIT
"""What must hold at the end of a run: everything observed equals what the reference model says of the same frames.

The model reads the frames and the configuration and knows nothing of the NIC; what was observed comes from the run's
logs. A run that compared no message proves nothing and fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.interface import SentFrame
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import ReceiveModel
from tb.model.segments import SegmentModel
from tb.scoreboard import Comparison, compare
from tickloop.rundir.books import Export


@dataclass(frozen=True)
class Prediction:
    """What the model says of a run's frames; the lines are those of the run directory's files."""

    frames: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]
    counters: dict[str, Any]
    books: list[dict[str, Any]]
    statistics: dict[str, Any]
    orders: list[dict[str, Any]]
    segments: list[bytes]


def predict(frames: Iterable[tuple[int, bytes]], config: KernelConfig) -> Prediction:
    """Runs the model over the frames in wire order."""
    receive = ReceiveModel(config.group_address, config.group_port)
    kernel = KernelModel(config)
    segments = SegmentModel(config)
    frame_lines, message_lines, events = [], [], []
    for _, data in frames:
        result = receive.frame(data)
        frame_lines.append(result.as_line())
        events += result.events
        for message in result.messages:
            kernel.message(message)
            message_lines.append(message.as_line(result.frame))
    return Prediction(
        frame_lines, message_lines, events, receive.counters, kernel.books.levels(), kernel.statistics,
        [order.as_line() for order in kernel.orders], [segments.segment(order.message) for order in kernel.orders],
    )


def check_receive(prediction: Prediction, frames: Sequence[dict[str, Any]], messages: Sequence[dict[str, Any]],
                  events: Sequence[dict[str, Any]], counters: dict[str, Any]) -> list[Comparison]:
    """Frames, messages, events and counters; a message's timestamp is the NIC's own, which no model knows."""
    return [
        compare(prediction.frames, frames, "frames", may_be_empty=True),
        compare(prediction.messages, messages, "messages", ignore={"hw_timestamp_ns"}, may_be_empty=True),
        compare(prediction.events, events, "events", may_be_empty=True),
        compare(prediction.counters, counters, "counters"),
    ]


def check_kernel(prediction: Prediction, orders: Sequence[dict[str, Any]], sent: Sequence[SentFrame],
                 export: Export) -> list[Comparison]:
    """Orders, the segments that carry them, final books, and the kernel's statistics except its own work."""
    return [
        compare(prediction.orders, orders, "orders", ignore={"time_ns"}, may_be_empty=True),
        compare([{"hex": data.hex()} for data in prediction.segments], [{"hex": frame.data.hex()} for frame in sent],
                "segments", may_be_empty=True),
        compare(prediction.books, export.books, "books", may_be_empty=True),
        compare(prediction.statistics, export.statistics, "kernel statistics", ignore={"work"}),
    ]


def check_logs(problems: Sequence[str], records: int) -> Comparison:
    """The run's logs and files do not contradict themselves; ``problems`` were found on the way."""
    return Comparison("consistency", records, [f"consistency: {problem}" for problem in problems[:SHOWN]]
                      + ([f"consistency: {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []))


def check_something(comparisons: Sequence[Comparison], required: Sequence[str], why_not: str) -> Comparison:
    """Fails when one of the ``required`` comparisons compared nothing; ``why_not`` tells the user the likely reason."""
    empty = [c.what for c in comparisons if c.what in required and c.compared == 0]
    return Comparison("coverage of the checks", len(required) - len(empty),
                      [f"no {what} compared: {why_not}" for what in empty])


SHOWN = 10
