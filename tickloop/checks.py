# SPDX-License-Identifier: MIT
"""What must hold at the end of a run: everything observed equals what the reference model says of the same frames.

The model reads the frames and the configuration and knows nothing of the NIC; what was observed comes from the run's
logs. A run that compared no message proves nothing and fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

from bridge.interface import LoopResult, SentFrame
from bridge.layout import REGISTER_FIELDS
from tb.model.answers import answer_of
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import (
    HOLD_MARGIN_PS,
    Arrival,
    Blocked,
    Flags,
    FrameResult,
    HostEvent,
    ReceiveModel,
    in_ring_order,
    on_line,
)
from tb.model.segments import SegmentModel
from tb.scoreboard import Comparison, compare
from tickloop.config import NicConfig, RunConfig
from tickloop.filtering import FilterHistory, blocked_at
from tickloop.inputs import LineFrame
from tickloop.kernel_order import KernelOrder
from tickloop.rundir.books import Export
from tickloop.rundir.frames import LINES
from tickloop.rundir.host_events import believed, enabled_events
from tickloop.rundir.json_lines import JsonLines, Line
from tickloop.rundir.observed import Observed
from tickloop.session_segments import session_segments

NIC_ONLY = ("raw_frames", "raw_dropped")  # counters of what is no market data
SHOWN = 10


@dataclass(frozen=True)
class Prediction:
    """What the model says of a run's frames; the lines are those of the run directory's files."""

    frames: Sequence[Line]
    messages: Sequence[Line]
    events: list[Line]
    host_events: list[Line]
    counters: dict[str, Any]
    hold_margin_ps: int | None = None
    books: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    statistics: dict[str, Any] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    segments: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def doubtful(self) -> str | None:
        """Why model and NIC may differ without either being wrong."""
        if self.hold_margin_ps is None or self.hold_margin_ps >= HOLD_MARGIN_PS:
            return None
        return (f"a frame came within {self.hold_margin_ps / 1000:.0f} ns of the end of a --hold: on which side of it "
                f"depends on the NIC's clock (choose a --hold that leaves {HOLD_MARGIN_PS / 1000:.0f} ns)")


def predict(frames: Iterable[LineFrame], config: RunConfig, result: LoopResult, observed: Observed,
            closed_loop: bool) -> Prediction:
    """Runs the model over the frames. Of the run itself it takes what no model can know: what the kernel told the
    filter and when, which event lines were enabled, and between which records the kernel took what else it was told.
    """
    byte_ps = result.clock_ps // 8
    arrivals = _arrivals(frames, byte_ps)
    receive, results = _receive(arrivals, config, byte_ps, ())
    history = FilterHistory(result, config.time.doorbell_ns)
    if history.enabled:
        host_got = {(line["frame"], line["sequence"]) for line in observed.messages}
        blocked = blocked_at(history, results, result, config.nic.hold_ns, host_got)
        receive, results = _receive(arrivals, config, byte_ps, lambda index: blocked[index])
    enabled = enabled_events(result.registers)
    told = [(frame, event) for frame in results if (event := frame.event(enabled)) is not None]
    delivered = list(in_ring_order(results))
    prediction = Prediction(
        JsonLines(len(results), lambda rows: [results[row].as_line() for row in rows]),
        JsonLines(len(delivered), lambda rows: [
            message.as_line(frame.frame, frame.line) for frame, message in map(delivered.__getitem__, rows)]),
        [event for frame in results for event in frame.events],
        [_event_line(frame, event) for frame, event in sorted(told, key=lambda entry: (entry[0].line, entry[0].turn))],
        receive.counters, receive.hold_margin_ps,
    )
    if closed_loop:
        _predict_kernel(prediction, results, enabled, config.kernel, result, observed)
        prediction.statistics["raw_frames"] = observed.counters["raw_frames"]
    return prediction


def _arrivals(frames: Iterable[LineFrame], byte_ps: int) -> list[Arrival]:
    frames = list(frames)
    return [arrival for line in LINES for arrival in on_line(
        line, ((frame.time_ns, frame.data, frame.bad_fcs) for frame in frames if frame.line == line), byte_ps)]


def _receive(arrivals: list[Arrival], config: RunConfig, byte_ps: int,
             blocked: Blocked) -> tuple[ReceiveModel, list[FrameResult]]:
    model = ReceiveModel(config.kernel.group_address, config.kernel.group_port, delivery=config.nic.delivery,
                         hold_ns=config.nic.hold_ns, packet_format=config.nic.packet_format, blocked=blocked,
                         byte_ps=byte_ps)
    return model, model.run(arrivals)


def _predict_kernel(prediction: Prediction, results: Iterable[FrameResult], enabled: Collection[str],
                    config: KernelConfig, result: LoopResult, observed: Observed) -> None:
    """Feeds the model in the kernel's own order: what happened beside messages stands in its trace."""
    kernel = KernelModel(config)
    order = KernelOrder(kernel, result, [answer_of(message, config) for message in observed.answers])
    record = 0
    # Only the token bucket needs the time of a message, which is the NIC's own.
    timed = config.risk.rate_interval_ns != 0
    times = (line["hw_timestamp_ns"] for line in observed.messages) if timed else iter(())
    for frame in sorted(results, key=attrgetter("turn")):
        for message in frame.messages:
            order.before(record)
            kernel.message(message, next(times, 0), partial(order.inside, record))
            record += 1
        if (event := frame.event(enabled)) is not None:
            kernel.event(event)
    order.end()
    prediction.problems.extend(order.problems)
    prediction.books.extend(kernel.books.levels())
    prediction.positions.extend(kernel.positions())
    prediction.statistics.update(kernel.statistics)
    prediction.orders.extend(order.as_line() for order in kernel.orders)
    messages = [order.message for order in kernel.orders]
    prediction.segments.extend(map(SegmentModel(config).segment, messages) if config.session_mode == "established"
                               else session_segments(result, config, messages))


def _event_line(frame: FrameResult, event: HostEvent) -> dict[str, Any]:
    """As tickloop.rundir.host_events decodes an rx_event."""
    return believed({
        "frame": frame.frame, "line": event.line, "sequence": event.sequence, "count": event.count,
        "gap_from": event.gap_from, "delivered": event.delivered, "reason": event.reason, "kind": event.kind,
        "flags": _flag_bits(event.flags), "session": event.session.decode("latin-1"),
    })


def _flag_bits(flags: Flags) -> int:
    return sum(bool(flag) << place for place, flag in enumerate(flags))


def check_receive(prediction: Prediction, observed: Observed) -> list[Comparison]:
    """Frames, messages, events and counters; a message's timestamp is the NIC's own, which no model knows."""
    return [
        compare(prediction.frames, observed.frames, "frames", may_be_empty=True),
        compare(prediction.messages, observed.messages, "messages", ignore={"hw_timestamp_ns"}, may_be_empty=True),
        compare(prediction.events, observed.events, "events", may_be_empty=True),
        compare(prediction.host_events, observed.host_events, "event lines", may_be_empty=True),
        compare(prediction.counters, observed.counters, "counters", ignore=NIC_ONLY),
    ]


def check_kernel(prediction: Prediction, orders: Sequence[dict[str, Any]], sent: Sequence[SentFrame],
                 export: Export) -> list[Comparison]:
    """Orders, the segments that carry them, final books, and the kernel's statistics except its own work."""
    return [
        compare(prediction.orders, orders, "orders", ignore={"time_ns"}, may_be_empty=True),
        compare([{"hex": data.hex()} for data in prediction.segments], [{"hex": frame.data.hex()} for frame in sent],
                "segments", may_be_empty=True),
        compare(prediction.books, export.books, "books", may_be_empty=True),
        compare(prediction.positions, export.positions, "positions", may_be_empty=True),
        compare(prediction.statistics, export.statistics, "kernel statistics", ignore={"work"}),
    ]


def check_set_up(nic: NicConfig, config: KernelConfig, registers: dict[str, int], closed_loop: bool) -> Comparison:
    """The NIC ran as it was asked to: whoever set it up, the kernel or the bridge in its place."""
    wanted = {
        "VERIFIED": nic.delivery == "verified",
        "PROTOTYPE": nic.packet_format == "prototype",
        "RX_DESCRIPTOR": nic.mode == "descriptors",
        "FILTER_ENABLE": closed_loop and nic.filter and not config.subscribe_all,
    }
    if closed_loop:
        wanted["TX_DESCRIPTOR"] = nic.mode == "descriptors"
    control = registers["CONTROL"]
    found = {name: bool(control & REGISTER_FIELDS["CONTROL"][name]) for name in wanted}
    return compare({**wanted, "HOLD": nic.hold_ns}, {**found, "HOLD": registers["HOLD"]}, "NIC set-up")


def check_logs(problems: Sequence[str], records: int) -> Comparison:
    """The run's logs and files do not contradict themselves; ``problems`` were found on the way."""
    return Comparison("consistency", records, [f"consistency: {problem}" for problem in problems[:SHOWN]]
                      + ([f"consistency: {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []))


def check_something(comparisons: Sequence[Comparison], required: Sequence[str], why_not: str) -> Comparison:
    """Fails when one of the ``required`` comparisons compared nothing; ``why_not`` tells the user the likely reason."""
    empty = [c.what for c in comparisons if c.what in required and c.compared == 0]
    return Comparison("coverage of the checks", len(required) - len(empty),
                      [f"no {what} compared: {why_not}" for what in empty])
