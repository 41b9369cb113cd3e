# SPDX-License-Identifier: MIT
"""Judges a run of the NIC: what its monitors saw against the reference model, from one reset to the next.

Everything is compared: reports of each line, messages and events in the RX ring with their order, what was lost
and where that was told, raw frames, frames sent, and the counters. A run that compared nothing, and anything that is
left over, fails.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from pyuvm import uvm_scoreboard, uvm_subscriber

from bridge.interface import CLOCK_PS
from bridge.layout import DropReason, FrameKind
from tb.agents.items import LINES, PortFrame, PortReport, RingEntry, SentFrame
from tb.env.records import (
    Lost,
    entry_line,
    event_line,
    is_event,
    is_message,
    lost,
    message_lines,
    raw_frame_lines,
    raw_line,
)
from tb.env.setup import NicSetup
from tb.model.receive import (
    HOLD_MARGIN_PS,
    STATUSES,
    Arrival,
    FrameResult,
    HostEvent,
    MessageResult,
    ReceiveModel,
    in_ring_order,
)
from tb.model.stream import NO_FLAGS
from tb.receive.items import Report

SILENCE_CLOCKS = 4096  # a port that says nothing for longer inside a frame is not waited for (rtl/arbiter.v)
BROADCAST = b"\xff" * 6
# Reasons that say: a good frame, but not this group's market data.
NOT_MARKET_DATA = frozenset({
    "vlan_depth", "not_ipv4", "bad_ip_version", "bad_ihl", "bad_ip_checksum", "ip_length", "ip_fragment", "not_udp",
    "other_destination", "udp_length", "other_port", "short_mold_header", "truncated_ip", "bad_udp_checksum",
})


class Log(uvm_subscriber):  # type: ignore[misc]
    """All items of an analysis port, in order."""

    def build_phase(self) -> None:
        self.items: list[Any] = []

    def write(self, item: Any) -> None:
        self.items.append(item)


@dataclass
class Judged:
    """One frame with all that belongs to it; ``observed`` are the ring entries of its messages, as far as not lost."""

    port: PortFrame
    report: PortReport
    result: FrameResult
    time_ns: int
    observed: list[RingEntry] = field(default_factory=list)


@dataclass
class Verdict:
    """What a run came to, for coverage: its frames in the order in which they took effect, the losses, the events."""

    setup: NicSetup
    frames: list[Judged]
    lost: list[tuple[MessageResult, int]]        # the message, and the lines it needed
    told_lost: list[Lost]
    events: list[tuple[Judged, RingEntry]]
    raw: list[tuple[Judged, RingEntry | None]]   # every frame while the raw ring was on
    sent: list[tuple[str, SentFrame]]
    counters: dict[str, Any]


class NicScoreboard(uvm_scoreboard):  # type: ignore[misc]
    """The logs, and ``judge`` over them; frames that must be sent are announced with ``expect_sent``."""

    def build_phase(self) -> None:
        for name in ("frames", "reports", "entries", "raw_entries", "sent", "writes"):
            setattr(self, name, Log(name, self))
        self.compared: Counter[str] = Counter()
        self.expected_sent: list[tuple[str, bytes]] = []

    def expect_sent(self, kind: str, frame: bytes) -> None:
        """An "order" or a "frame" that the NIC must send, in this order among its kind."""
        self.expected_sent.append((kind, frame))

    def judge(self, setup: NicSetup, reset_clock: int, registers: dict[str, int]) -> Verdict:
        """Compares one run; ``registers`` are the NIC's counters at its end, ``reset_clock`` when its time began.

        Raises:
            AssertionError: something differs, was not due, or is missing.
        """
        frames, arrivals = self._frames_with_reports(setup)
        model = ReceiveModel(setup.group_address, setup.group_port, delivery=setup.delivery, hold_ns=setup.hold_ns,
                             packet_format=setup.packet_format, blocked=setup.blocked)
        results = model.run(arrivals)
        margin_ps = model.hold_margin_ps
        assert margin_ps is None or margin_ps >= HOLD_MARGIN_PS, f"a hold decided by {margin_ps} ps is anybody's"
        by_line: dict[str, list[FrameResult]] = defaultdict(list)
        for result in results:
            by_line[result.line].append(result)
        judged: list[Judged] = []
        for line in LINES:
            for (port, report), result in zip(frames[line], by_line[line], strict=True):
                time_ns = setup.time_ns + (port.first_clock - 1 - reset_clock) * CLOCK_PS // 1000
                judged.append(Judged(port, report, result, time_ns))
        judged.sort(key=lambda one: one.result.turn)
        for one in judged:
            self._report(one)
        told, missing = self._messages(judged, setup)
        verdict = Verdict(setup, judged, missing, told, [], [], [], model.counters)
        verdict.events = self._events(judged, setup, bool(missing))
        verdict.raw = self._raw(judged, setup)
        verdict.sent = self._sent()
        self._counters(verdict, registers)
        for log in (self.frames, self.reports, self.entries, self.raw_entries, self.sent, self.writes):
            log.items.clear()
        self.expected_sent.clear()
        return verdict

    def check_phase(self) -> None:
        for log in (self.frames, self.reports, self.entries, self.raw_entries, self.sent):
            assert not log.items, f"{len(log.items)} {log.get_name()} were never judged"
        assert sum(self.compared.values()) > 0, "nothing was compared"

    # ---- Frames and reports

    def _frames_with_reports(self, setup: NicSetup) -> tuple[dict[str, list[tuple[PortFrame, PortReport]]],
                                                             list[Arrival]]:
        """Each line's frames with their reports, which come in the line's order, and what the model is given.

        How much a queue holds is not the model's business: of a frame that the NIC lost to an overflow it is told
        that it is bad, which is what the stream makes of it.
        """
        pairs: dict[str, list[tuple[PortFrame, PortReport]]] = {}
        arrivals: list[Arrival] = []
        for line in LINES:
            frames = [frame for frame in self.frames.items if frame.line == line]
            reports = [report for report in self.reports.items if report.line == line]
            assert len(frames) == len(reports), f"line {line}: {len(frames)} frames, {len(reports)} reports"
            pairs[line] = list(zip(frames, reports, strict=True))
            for frame, report in pairs[line]:
                overflow = report.report.reason == DropReason.OVERFLOW
                assert not overflow or setup.may_overflow, f"line {line}: a frame was lost to an overflow"
                start = frame.first_clock if overflow else _senior_clock(frame)
                arrivals.append(Arrival(line, start * CLOCK_PS, frame.item.data, frame.item.bad_fcs or overflow))
        return pairs, arrivals

    def _report(self, one: Judged) -> None:
        got, result = one.report.report, one.result
        overflow = got.reason == DropReason.OVERFLOW
        due = expected_report(result, one.time_ns)
        if overflow:
            due = Report(int(DropReason.OVERFLOW), 0, 0, 0, bytes(10), 0, 0, one.time_ns)
        assert got == due, f"report of {_where(one)}: {got} is not {due}"
        self.compared["reports"] += 1

    # ---- RX ring

    def _messages(self, judged: Sequence[Judged], setup: NicSetup) -> tuple[list[Lost],
                                                                            list[tuple[MessageResult, int]]]:
        """Messages in ring order; what is missing must be lost whole, and told. Returns what was told and what is
        missing, with the lines that it needed."""
        of_result = {id(one.result): one for one in judged}
        due = [(of_result[id(result)], message) for result, message in in_ring_order(one.result for one in judged)]
        told: list[Lost] = []
        missing: list[tuple[MessageResult, int]] = []
        position = 0
        for entry in self.entries.items:
            if is_event(entry.record):
                continue
            if not is_message(entry.record):
                told.append(lost(entry.record))
                continue
            while True:
                assert position < len(due), f"a message that was not due: {_shown(entry)}"
                one, message = due[position]
                position += 1
                expected = message_lines(message, one.result.line, one.time_ns)
                if (entry.continuations, entry.record) == expected:
                    break
                assert setup.may_lose or _overflowed(one), \
                    f"message {message.sequence} of {_where(one)}: {_shown(entry)} is not {_lines_shown(expected)}"
                self._missing(one, message, setup, missing)
            one.observed.append(entry)
            self.compared["messages"] += 1
        for one, message in due[position:]:
            self._missing(one, message, setup, missing)
        self._told(told, [message.sequence for message, _ in missing], setup)
        return told, missing

    @staticmethod
    def _missing(one: Judged, message: MessageResult, setup: NicSetup,
                 missing: list[tuple[MessageResult, int]]) -> None:
        """A message is not in the ring. Those behind an overflow inside their frame were never delivered."""
        if not _overflowed(one):
            assert setup.may_lose, f"message {message.sequence} of {_where(one)} is missing"
            missing.append((message, 1 + len(message_lines(message, one.result.line, one.time_ns)[0])))

    def _told(self, told: Sequence[Lost], missing: Sequence[int], setup: NicSetup) -> None:
        """Every loss is told once: the first number and how many. In descriptor mode losses are found at two places,
        and one told together with an earlier one may be the older."""
        if "LOST" not in setup.events:
            assert not told, "lost messages were told though that is off"
            return
        count = sum(loss.messages for loss in told)
        assert count == len(missing), f"missing are {missing}, {count} were told: {list(told)}"
        at = 0
        for loss in told:
            assert loss.messages > 0, "a loss of nothing was told"
            assert loss.sequence in missing if setup.descriptors else loss.sequence == missing[at], \
                f"lost from {loss.sequence}, not {missing[at]}"
            at += loss.messages
            self.compared["losses"] += 1

    def _events(self, judged: Sequence[Judged], setup: NicSetup, may_miss: bool) -> list[tuple[Judged, RingEntry]]:
        """Each line's events in order, each behind its frame's messages and before those of its line's later frames."""
        found: list[tuple[Judged, RingEntry]] = []
        entries = [entry for entry in self.entries.items if is_event(entry.record)]
        for line in LINES:
            due = [(one, record) for one in judged if one.result.line == line
                   and (record := _due_event(one, setup)) is not None]
            due.sort(key=lambda pair: pair[0].port.first_clock)
            queue = iter(due)
            for entry in (entry for entry in entries if entry_line(entry.record) == line):
                for one, record in queue:
                    if record == entry.record:
                        break
                    assert may_miss, f"event of {_where(one)}: {entry.record.hex()} is not {record.hex()}"
                else:
                    raise AssertionError(f"an event that was not due: {entry.record.hex()}")
                assert all(message.index < entry.index for message in one.observed), f"event before {_where(one)}"
                found.append((one, entry))
                self.compared["events"] += 1
            left = [one for one, _ in queue]
            assert may_miss or not left, f"{len(left)} events are missing, first that of {_where(left[0])}"
        self._events_before_later_frames(judged, found)
        return found

    @staticmethod
    def _events_before_later_frames(judged: Sequence[Judged], found: Sequence[tuple[Judged, RingEntry]]) -> None:
        of_frame = {id(one): entry.index for one, entry in found}
        for line in LINES:
            latest = -1
            for one in (one for one in judged if one.port.line == line):
                assert all(entry.index > latest for entry in one.observed), f"messages before an event: {_where(one)}"
                latest = max(latest, of_frame.get(id(one), -1))

    # ---- Raw ring

    def _raw(self, judged: Sequence[Judged], setup: NicSetup) -> list[tuple[Judged, RingEntry | None]]:
        """Frames for this host that are not market data, in each line's order."""
        if not setup.raw:
            assert not self.raw_entries.items, "the raw ring is off"
            return []
        found: list[tuple[Judged, RingEntry | None]] = []
        for line in LINES:
            entries = iter([entry for entry in self.raw_entries.items if raw_line(entry.record) == line])
            for one in sorted((one for one in judged if one.port.line == line), key=lambda one: one.port.first_clock):
                if not is_raw(one, setup):
                    found.append((one, None))
                    continue
                assert one.result.reason is not None
                expected = raw_frame_lines(one.port.item.data, line, one.result.reason, one.time_ns)
                entry = next(entries, None)
                assert entry is not None, f"{_where(one)} is not in the raw ring"
                assert (entry.continuations, entry.record) == expected, \
                    f"raw {_where(one)}: {_shown(entry)} is not {_lines_shown(expected)}"
                found.append((one, entry))
                self.compared["raw frames"] += 1
            assert next(entries, None) is None, "a raw frame that was not due"
        return found

    # ---- Transmit port

    def _sent(self) -> list[tuple[str, SentFrame]]:
        """Frames sent: those of each kind in order; which kind goes first is the NIC's business."""
        queues = {kind: [frame for of, frame in self.expected_sent if of == kind] for kind in ("order", "frame")}
        found: list[tuple[str, SentFrame]] = []
        for sent in self.sent.items:
            kind = next((kind for kind, queue in queues.items() if queue and queue[0] == sent.data), None)
            due = {of: queue[0].hex() for of, queue in queues.items() if queue}
            assert kind is not None, f"sent, but not due: {sent.data.hex()}; due are {due}"
            queues[kind].pop(0)
            found.append((kind, sent))
            self.compared["sent frames"] += 1
        assert not any(queues.values()), f"not sent: { {kind: len(queue) for kind, queue in queues.items()} }"
        return found

    # ---- Counters

    def _counters(self, verdict: Verdict, registers: dict[str, int]) -> None:
        expected = dict(self._expected_counters(verdict))
        found = {name: registers[name] for name in expected}
        assert found == expected, _differing(expected, found)
        self.compared["counters"] += len(expected)

    def _rx_lines(self, setup: NicSetup) -> int:
        """Lines written to the RX ring, those of messages that were given up halfway included."""
        ring = setup.rx
        region = range(ring.line(0), ring.line(ring.slots - 1) + 1)
        return sum(write.address in region for write in self.writes.items)

    def _expected_counters(self, verdict: Verdict) -> Iterator[tuple[str, int]]:
        due = verdict.counters
        overflows = [one for one in verdict.frames if one.report.report.reason == DropReason.OVERFLOW]
        # Told to the model as bad frames: take them out of where that counted them.
        instead = Counter(one.result.reason for one in overflows)
        not_delivered = sum(len(one.result.messages) - len(one.observed) for one in overflows)
        yield "FRAMES", due["frames"]
        yield "ACCEPTED", due["accepted"]
        yield "FRAMES_B", due["frames_b"]
        yield "ACCEPTED_B", due["accepted_b"]
        for status in STATUSES:
            yield f"MESSAGES_{status.upper()}", due["messages"][status]
        yield "MESSAGES_B", due["messages_b"]
        if not (overflows and verdict.setup.may_lose):
            yield "MESSAGES_BAD", due["bad_messages"] - not_delivered
        yield "DUPLICATES", due["duplicates"]
        yield "GAPS", due["gaps"]
        yield "FILTERED", due["filtered"]
        for reason, count in due["dropped"].items():
            yield f"DROPPED_{reason.upper()}", count - instead[reason]
        yield "DROPPED_OVERFLOW", len(overflows)
        yield "RX_LINES", self._rx_lines(verdict.setup)
        yield "RX_EVENTS", len(verdict.events) + len(verdict.told_lost)
        if verdict.setup.raw:
            yield "RAW_FRAMES", len(self.raw_entries.items)
            yield "RAW_DROPPED", 0
        yield "TX_ORDERS", sum(kind == "order" for kind, _ in verdict.sent)
        yield "TX_FRAMES", sum(kind == "frame" for kind, _ in verdict.sent)
        if not verdict.setup.may_lose:
            yield "RX_RING_FULL_DROPPED", 0
            yield "RX_TOO_LARGE_DROPPED", 0
        yield "DMA_REFUSED_COUNT", 0
        state = due["next_expected"]
        if not overflows:
            yield "STREAM_STATUS", int(state is not None)
            yield "NEXT_EXPECTED", state or 0


def expected_report(result: FrameResult, time_ns: int) -> Report:
    """The report of a frame that the model judged."""
    if result.disposition == "drop":
        assert result.reason is not None
        return Report(int(DropReason[result.reason.upper()]), 0, 0, 0, bytes(10), 0, 0, time_ns)
    assert result.kind is not None
    assert result.session is not None
    flags = sum(flag << bit for bit, flag in enumerate(result.flags))
    return Report(0, int(FrameKind[result.kind.upper()]), flags, result.gap_from or 0, result.session.encode("latin-1"),
                  result.sequence or 0, result.count or 0, time_ns)


def _due_event(one: Judged, setup: NicSetup) -> bytes | None:
    """The event line that a frame must leave; of one lost to an overflow, with what was delivered before."""
    if one.report.report.reason != DropReason.OVERFLOW:
        event = one.result.event(setup.events)
        return None if event is None else event_line(event, one.time_ns)
    told = "DROP" in setup.events or ("BAD" in setup.events and one.observed)
    event = one.result.event({"DROP"})
    assert event is not None
    if not one.observed:
        event = HostEvent(0, 0, 0, 0, one.port.line, "overflow", "data", NO_FLAGS, bytes(len(event.session)))
    return event_line(replace(event, reason="overflow", delivered=len(one.observed)), one.time_ns) if told else None


def _senior_clock(frame: PortFrame) -> int:
    """From when on a frame counts as older than others: its first beat, or that behind a silence that cost it this."""
    clocks = frame.item.beat_clocks
    return next((after for before, after in pairwise(clocks) if after - before > SILENCE_CLOCKS), clocks[0])


def _overflowed(one: Judged) -> bool:
    return one.report.report.reason == DropReason.OVERFLOW


def is_raw(one: Judged, setup: NicSetup) -> bool:
    """Whether a frame belongs into the raw ring."""
    return one.port.item.data[:6] in (setup.own_mac, BROADCAST) and one.result.reason in NOT_MARKET_DATA \
        and not one.port.item.bad_fcs


def _where(one: Judged) -> str:
    data = one.port.item.data
    return (f"frame {one.result.frame} ({one.port.line}, clock {one.port.first_clock}, {len(data)} bytes, "
            f"{one.result.reason or 'accept'}) {data[:120].hex()}")


def _shown(entry: RingEntry) -> str:
    return _lines_shown((entry.continuations, entry.record))


def _lines_shown(lines: tuple[tuple[bytes, ...], bytes]) -> str:
    continuations, record = lines
    return "+".join(line.hex() for line in (*continuations, record))


def _differing(expected: dict[str, int], found: dict[str, int]) -> str:
    return ", ".join(f"{name} is {found[name]}, not {due}" for name, due in expected.items() if found[name] != due)
