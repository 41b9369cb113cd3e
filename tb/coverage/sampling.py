# SPDX-License-Identifier: MIT
"""Samples the coverage plan from what the scoreboard has judged: only what was compared counts as seen.

How lines met and what state a ring had is worked out from the outside, from the clocks of first and last beats, of
reports and of DMA writes; nothing looks into the design.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from pyuvm import uvm_component, uvm_subscriber

from bridge import layout
from bridge.interface import CLOCK_PS
from tb.agents.items import RegisterItem, RingEntry
from tb.coverage.plan import Coverage
from tb.env.records import message_lines
from tb.env.scoreboard import BROADCAST, Judged, Verdict
from tb.env.setup import NicSetup
from tb.host.registers import OKAY
from tb.model.headers import inspect
from tb.model.packet import HEADER_BYTES, parse
from tb.model.receive import ETHERTYPES_VLAN, UDP_HEADER_BYTES, FrameResult
from tb.model.stream import SEQUENCES, ahead

BEAT_BYTES = 8
MINIMUM_GAP = 3         # clocks between frames on a line: preamble, FCS, gap
NEARLY_FULL = 2         # slots left behind a message, at most
RAW_VERDICTS = ("not_ipv4", "not_udp", "other_destination", "other_port", "bad_fcs")
_REGISTER_NAMES = {offset: name for name, offset in layout.REGISTERS.items()}


class _Accesses(uvm_subscriber):  # type: ignore[misc]
    """Register accesses by name and outcome."""

    def build_phase(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()

    def write(self, item: RegisterItem) -> None:
        name = _REGISTER_NAMES.get(item.address)
        if name is not None and item.strobes == 0xF:
            taken = "read" if item.value is None else "write"
            self.seen[name, taken if item.response == OKAY else "refused"] += 1


class _Waits(uvm_subscriber):  # type: ignore[misc]
    """How long the host kept its channels waiting."""

    def build_phase(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()

    def write(self, wait: tuple[str, int]) -> None:
        channel, clocks = wait
        self.seen[channel, str(clocks) if clocks < 2 else "2..7" if clocks < 8 else "8.."] += 1


class CoverageCollector(uvm_component):  # type: ignore[misc]
    """``verdict`` takes what a run came to; ``export`` writes what all runs of the test covered."""

    def build_phase(self) -> None:
        self.accesses = _Accesses("accesses", self)
        self.waits = _Waits("waits", self)
        self._coverage = Coverage()
        self._seen: Counter[tuple[str, tuple[tuple[str, object], ...]]] = Counter()

    def _sample(self, cross: str, **values: object) -> None:
        self._seen[cross, tuple(values.items())] += 1

    def export(self, path: Path) -> None:
        """Everything counted so far, into cocotb-coverage's database and from there into ``path``."""
        for (name, access) in self.accesses.seen:
            self._sample("register_access", register=name, access=access)
        for (channel, clocks) in self.waits.seen:
            self._sample("host_wait", channel=channel, clocks=clocks)
        for (cross, values) in self._seen:
            self._coverage.sample(cross, **dict(values))
        self._coverage.export(path)

    def verdict(self, verdict: Verdict) -> None:
        """Samples one run."""
        setup = verdict.setup
        for one in verdict.frames:
            self._frame(one, setup)
        if setup.packet_format == "mold":
            _Streams(self._sample).frames(verdict.frames)
            _Lines(self._sample, verdict).frames()
        self._ring(verdict)
        self._host(verdict)

    # ---- Frames by themselves

    def _frame(self, one: Judged, setup: NicSetup) -> None:
        result, line = one.result, one.port.line
        reason = layout.DropReason(one.report.report.reason).name.lower()
        self._sample("line_reason_delivery", line=line, reason=reason, delivery=setup.delivery)
        if reason == "accept":
            verdict = "good"
        else:
            verdict = "bad_with_messages" if _whole_messages(one.port.item.data, setup) else "bad_without"
        self._sample("delivery_verdict_line", delivery=setup.delivery, verdict=verdict, line=line)
        item = one.port.item
        gap = "none" if item.gap == 0 else "minimum" if item.gap == MINIMUM_GAP else "more"
        if item.gap == 0 or item.gap >= MINIMUM_GAP:
            inside = "idle_beats" if item.pauses else "solid"
            self._sample("pace_line", gap=gap, inside=inside, line=line)
        if setup.packet_format == "prototype":
            self._prototype(one)
        elif reason == "accept":
            self._accepted(result, item.data)

    def _prototype(self, one: Judged) -> None:
        result = one.result
        if result.reason == "short_mold_header":
            self._sample("prototype", outcome="short_header")
        if result.reason is not None:
            return
        for message in result.messages:
            self._sample("prototype", outcome=message.status)
        for flag in ("truncated", "extra_data", "session_change"):
            if getattr(result.flags, flag):
                self._sample("prototype", outcome=flag)

    def _accepted(self, result: FrameResult, data: bytes) -> None:
        tags, ip_start = 0, 14
        while int.from_bytes(data[ip_start - 2:ip_start], "big") in ETHERTYPES_VLAN:
            tags, ip_start = tags + 1, ip_start + 4
        ip_bytes = 4 * (data[ip_start] & 15)
        self._sample("tags_options", tags=tags, options=(ip_bytes - 20) // 4)
        completeness = "truncated" if result.flags.truncated else "extra_data" if result.flags.extra_data else "exact"
        self._sample("kind_completeness", kind=result.kind, completeness=completeness)
        for message in result.messages:
            known = message.type if message.type in layout.ITCH_BODY else "unknown" if message.type else "none"
            self._sample("type_status", type=known, status=message.status)
        packet = result.packet
        assert packet is not None
        if completeness != "exact" or not result.messages:
            return
        last = result.messages[-1]
        if last.status == "ok" and packet.blocks[-1] is last.raw:
            payload = ip_start + ip_bytes + UDP_HEADER_BYTES
            start = payload + 20 + sum(2 + len(block) for block in packet.blocks) - len(last.raw)
            self._sample("type_alignment_tail", type=last.type, alignment=start % BEAT_BYTES,
                         tail=(len(data) - 1) % BEAT_BYTES + 1)

    # ---- RX ring

    def _ring(self, verdict: Verdict) -> None:
        setup = verdict.setup
        mode = "descriptors" if setup.descriptors else "lines"
        slots = setup.rx.slots
        for entry in (entry for one in verdict.frames for entry in one.observed):
            for state in _ring_states(entry, slots):
                self._sample("ring_state_lines", mode=mode, state=state, lines=_lines(entry.lines))
        for _, lines in verdict.lost:
            if lines <= slots:
                self._sample("ring_state_lines", mode=mode, state="full", lines=_lines(lines))
        for one, _ in verdict.events:
            for event in _events(one.result):
                self._sample("event_line", event=event, line=one.port.line)
        for _ in verdict.told_lost:
            self._sample("event_line", event="lost", line="none")

    # ---- Everything else of the host

    def _host(self, verdict: Verdict) -> None:
        setup = verdict.setup
        if setup.filter_enable:
            self._filter(verdict)
        for one, _ in verdict.raw:
            data = one.port.item.data
            destination = {setup.own_mac: "own", BROADCAST: "broadcast"}.get(data[:6], "other")
            reason = one.result.reason or "market_data"
            if reason == "market_data" or reason in RAW_VERDICTS:
                self._sample("raw_frame", destination=destination, verdict=reason, line=one.port.line)
        for kind, sent in verdict.sent:
            self._sample("transmit", kind=kind, mode="descriptors" if setup.descriptors else "lines",
                         port="stalled" if sent.stalled else "ready")

    def _filter(self, verdict: Verdict) -> None:
        for result in (one.result for one in verdict.frames):
            for message in (*result.messages, *result.filtered):
                if message.fields is None:
                    outcome = "not_decoded"
                elif message in result.filtered:
                    outcome = "kept_back"
                else:
                    outcome = "passed" if message.stock_locate else "locate_0"
                lines = 1 + len(message_lines(message, result.line, 0)[0])
                if lines <= 2:
                    self._sample("filter_outcome", outcome=outcome, lines=lines, set_by=verdict.setup.filter_set_by)


class _Streams:
    """What packets meet which state of the stream, in the order in which they took effect."""

    def __init__(self, sample: Any) -> None:
        self._sample = sample

    def frames(self, frames: Iterable[Judged]) -> None:
        session: bytes | None = None
        next_expected = 0
        ended = False
        for one in frames:
            result, packet = one.result, one.result.packet
            if result.reason is not None or packet is None:
                continue
            flags, new = result.flags, len(result.messages) + len(result.filtered)
            start = result.packet_sequence
            end = (start + len(packet.blocks)) % SEQUENCES
            if session is None:
                state = "first"
            elif flags.session_change:
                state = "session_change"
            elif ended:
                state = "after_end"
            elif flags.gap:
                state = "ahead"
            elif result.duplicates and new:
                state = "partly_old"
            elif ahead(start, next_expected) < 0:
                state = "old"
            else:
                state = "in_order"
            self._sample("kind_state", kind=result.kind, state=state)
            if packet.session != session:
                ended = False
            if packet.session != session or ahead(end, next_expected) > 0:
                next_expected = end
            session, ended = packet.session, ended or packet.kind == "end_of_session"
            self._range(one)

    def _range(self, one: Judged) -> None:
        first, count = one.result.packet_sequence, max(1, len(one.result.messages))
        last = first + count - 1
        if last >= SEQUENCES:
            name = "wrap"
        elif first >> 63:
            name = "top_bit"
        elif first >> 32 != last >> 32:
            name = "carry_32"
        else:
            name = "high" if first >> 32 else "low"
        self._sample("sequence_range", range=name, line=one.port.line)


class _Lines:
    """How the two lines met."""

    def __init__(self, sample: Any, verdict: Verdict) -> None:
        self._sample = sample
        self._verdict = verdict
        self._frames = sorted(verdict.frames, key=lambda one: (one.port.first_clock, one.port.line))

    def frames(self) -> None:
        """Looks at every frame with those around it; nothing to see where only one line was in use."""
        if len({one.port.line for one in self._frames}) < 2:
            return
        for index, one in enumerate(self._frames):
            around = [other for other in self._frames[max(0, index - 12):index + 13]
                      if other.port.line != one.port.line]
            for case in self._cases(one, around):
                self._sample("arbitration_line", case=case, line=one.port.line)

    def _cases(self, one: Judged, around: Sequence[Judged]) -> Iterable[str]:
        result = one.result
        if any(other.port.first_clock == one.port.first_clock for other in around):
            yield "equal_time"
        if result.reason is not None or result.packet is None:
            return
        new = _numbers(result)
        blocks = len(result.packet.blocks)
        for other in around:
            later = _order(other) > _order(one)
            if later and new and other.result.reason is None and new & _block_numbers(other.result) and \
                    other.result.duplicates:
                yield "first_copy_wins"
            if not later and other.result.reason is not None and new & _block_numbers(other.result) and \
                    other.port.last_clock >= one.port.first_clock:
                yield "rescue"
            if later and blocks and result.duplicates == blocks and any(
                    entry.clock < one.port.last_clock for entry in other.observed):
                yield "harmless_drain"
        if result.duplicates and any(_numbers(other.result) & _block_numbers(result) for other in around):
            yield "partly_old" if new else "old"
        before = self._verdict.frames[result.turn - 1]
        if result.flags.session_change and result.turn and before.port.line != one.port.line:
            yield "session_change"
        hold_ns = self._verdict.setup.hold_ns
        waited_ns = (one.report.clock - one.port.last_clock) * CLOCK_PS // 1000
        if result.flags.gap and result.kind == "data" and not hold_ns:
            yield "gap"
        passed = [other for other in around if _order(other) > _order(one) and other.result.turn < result.turn]
        if hold_ns and passed and not result.flags.gap and any(_numbers(other.result) for other in passed):
            yield "parked_filled"
        if hold_ns and result.flags.gap and (one.report.clock - one.port.first_clock) * CLOCK_PS // 1000 >= hold_ns \
                and waited_ns > 0:
            yield "parked_expired"


def _order(one: Judged) -> tuple[int, str]:
    return one.port.first_clock, one.port.line


def _numbers(result: FrameResult) -> set[int]:
    """The sequence numbers that a frame brought to the stream for good."""
    return {message.sequence for message in (*result.messages, *result.filtered)} if result.reason is None else set()


def _block_numbers(result: FrameResult) -> set[int]:
    packet = result.packet
    if packet is None:
        return set()
    return {(result.packet_sequence + index) % SEQUENCES for index in range(len(packet.blocks))}


def _whole_messages(data: bytes, setup: NicSetup) -> bool:
    """Whether a frame had a complete message, delivered or held back until its verdict."""
    found = inspect(data, False, int(IPv4Address(setup.group_address)), setup.group_port,
                    HEADER_BYTES[setup.packet_format])
    return found.payload is not None and bool(parse(found.payload, setup.packet_format).blocks)


def _ring_states(entry: RingEntry, slots: int) -> Iterable[str]:
    if entry.index == entry.tail:
        yield "empty"
    if entry.index % slots + entry.lines >= slots:
        yield "wrapping"
    if slots - (entry.index + entry.lines - entry.tail) <= NEARLY_FULL:
        yield "nearly_full"


def _lines(count: int) -> str:
    return str(count) if count < 3 else "many"


def _events(result: FrameResult) -> Iterable[str]:
    if result.reason is not None:
        yield "bad" if result.messages else "drop"
        return
    for flag in ("gap", "session_change", "end_of_session", "truncated", "extra_data"):
        if getattr(result.flags, flag):
            yield flag
