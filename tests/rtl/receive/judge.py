# SPDX-License-Identifier: MIT
"""Judges a line's outcome against the reference model: lines, reports, latency, counters."""

from __future__ import annotations

import os
from collections import Counter, deque
from copy import deepcopy
from dataclasses import fields
from ipaddress import IPv4Address
from typing import Any

from bridge import layout
from bridge.layout import DropReason, FrameKind
from generators.tables import MOLD_BLOCK, MOLD_HEADER
from tb.env.records import RECORD_BYTES, message_lines
from tb.model.headers import Delivery, Inspection, inspect
from tb.model.packet import HEADER_BYTES, Packet, PacketFormat, message, parse
from tb.model.receive import SEQUENCES, STATUSES, FrameResult, ReceiveModel
from tb.receive.entries import End, Header
from tb.receive.items import BEAT_BYTES, FrameEntries, FrameItem, FrameOutcome, Report
from tests.rtl.receive.frames import GROUP_ADDRESS, GROUP_PORT

HEADER_BEATS = 12   # of the longest headers: two tags, IPv4 with options, UDP
LATENCY = 2   # clocks from the beat with a message's last byte to the decoded message
ARBITER = 1   # clocks from the arbiter's input to its output

# The parser under test is not ours (docs/own-parser.md): its latency is its own, it may keep a message's first 64 bytes
# back until they are whole, and nobody tells before the frame's end that the headers drop it.
OWN_PARSER = "OWN_PARSER" in os.environ


class ModelJudge:
    """``exact_latency``: every message must take LATENCY clocks; otherwise more are allowed, for what piles up behind
    blocks that end in the beat they begin in. ``may_overflow``: a queue may be too small for that.
    """

    def __init__(self, exact_latency: bool = False, may_overflow: bool = False, delivery: Delivery = "cut-through",
                 packet_format: PacketFormat = "mold", line_b: bool = False) -> None:
        self.model = ReceiveModel(GROUP_ADDRESS, GROUP_PORT, delivery=delivery, packet_format=packet_format)
        self.exact_latency = exact_latency and not OWN_PARSER
        self.may_overflow = may_overflow
        self.delivery: Delivery = delivery
        self.format: PacketFormat = packet_format
        self.line_b = line_b
        self.messages = 0
        self.entry_messages = 0
        self.overflows = 0
        self.overflow_messages = 0
        self.called_off = 0
        self.unfinished = 0
        self.voids = 0
        self.reasons: Counter[str] = Counter()
        self.verdicts: list[str] = []     # as the line gave them, frame by frame
        self._taken: deque[list[int]] = deque()     # when the arbiter took each message, of the frames under way
        self.latencies: Counter[tuple[str | None, int]] = Counter()   # of each type

    # ---- the entries of the line: every frame by itself

    def entries(self, frame: FrameItem, entries: FrameEntries) -> None:
        found = self._inspect(frame)
        reason = found.reason(self.delivery)
        due = f" (to be dropped: {reason})" if reason else ""
        where = f"frame {sum(self.reasons.values())}{due}, {frame.data.hex()}"
        packet = parse(found.payload, self.format) if found.payload is not None else None
        end = entries.end
        lost = self.may_overflow and (end.reason == DropReason.OVERFLOW or end.overflow)
        verdict = DropReason.OVERFLOW if lost else DropReason[(reason or "accept").upper()]
        if lost and self.delivery == "cut-through" and reason is not None and end.reason != DropReason.OVERFLOW:
            verdict = DropReason[reason.upper()]  # what the frame itself shows stands
        self.reasons[verdict.name.lower()] += 1
        self.verdicts.append(DropReason(end.reason).name.lower())
        assert lost or end.time == frame.beat_clocks[0] - 1, f"{end} at {frame.beat_clocks[0]}: {where}"
        assert lost or end.others == frame.others, where
        if self.delivery == "verified" and (reason is not None or lost):
            packet = None
            assert entries.header is None, f"a HEADER of a frame that must be dropped: {where}"
        elif found.header_reason is None and packet is not None and not lost:
            assert entries.header is not None, f"no HEADER of a right frame: {where}"
        if entries.void_clock:
            assert found.header_reason is not None, where
            assert entries.header is None, where
            self.voids += 1
        elif not self.may_overflow and not OWN_PARSER:
            assert found.header_reason is None or frame.beats <= HEADER_BEATS + 1, f"no void HEADER: {where}"
        if entries.header is not None and packet is not None:
            due_header = expected_header(packet, frame)
            assert entries.header == due_header, f"HEADER: {unlike(entries.header, due_header)}: {where}"
        self._entry_messages(frame, entries, packet, lost, where)
        accepted = reason is None and not lost and packet is not None
        due_end = End(
            verdict, accepted and packet.truncated, accepted and packet.extra_data, end.others, end.time,
            entries.header is not None, lost,
        )
        assert end == due_end, f"END: {unlike(end, due_end)}: {where}"

    def _inspect(self, frame: FrameItem) -> Inspection:
        group = int(IPv4Address(GROUP_ADDRESS))
        return inspect(frame.data, frame.bad_fcs, group, GROUP_PORT, HEADER_BYTES[self.format])

    def _entry_messages(self, frame: FrameItem, entries: FrameEntries, packet: Packet | None, lost: bool,
                        where: str) -> None:
        """All messages of the packet, old ones too, each with its lines and at its time."""
        first = (packet.sequence or 0) if packet is not None else 0
        blocks = packet.blocks if packet is not None else []
        assert len(entries.messages) == len(blocks) or (lost and len(entries.messages) < len(blocks)), \
            f"{len(entries.messages)} messages, not {len(blocks)}: {where}"
        ends = block_ends(frame, self._inspect(frame), self.format)
        for index, (block, found) in enumerate(zip(blocks, entries.messages, strict=False)):
            due = message((first + index) % SEQUENCES, block, None, self.format)
            lines = message_lines(due, "B" if self.line_b else "A", frame.beat_clocks[0] - 1)
            assert (found.continuations, found.record) == lines, \
                f"message {index} of {where}: {_shown((found.continuations, found.record))} is not {_shown(lines)}"
            self.entry_messages += 1
            if found.decoded_clock:
                latency = found.decoded_clock - frame.beat_clocks[ends[index]]
                self.latencies[due.type, latency] += 1
                assert latency == LATENCY or (latency > LATENCY and not self.exact_latency), \
                    f"message {index} after {latency} clocks: {where}"
        self.unfinished += bool(entries.unfinished)
        self._taken.append([message.first_clock for message in entries.messages])

    # ---- behind the arbiter

    def frame(self, frame: FrameItem, outcome: FrameOutcome) -> None:
        where = f"frame {self.model.counters['frames'] + self.overflows}, {frame.data.hex()}"
        taken = self._taken.popleft()
        if outcome.report.reason == DropReason.OVERFLOW and self.may_overflow:
            self._lost(frame, outcome, where)
            return
        assert outcome.report.timestamp == frame.beat_clocks[0] - 1, f"timestamp of {where}"
        result = self.model.frame(frame.data, frame.bad_fcs)
        self._lines(result, outcome, where)
        due = expected_report(result, outcome.report.timestamp)
        assert outcome.report == due, f"report: {unlike(outcome.report, due)}: {where}"
        self._called_off(frame, outcome, where)
        for delivered in outcome.messages:
            assert delivered.first_clock - ARBITER in taken, f"clock {delivered.first_clock} behind {taken}: {where}"

    def _lost(self, frame: FrameItem, outcome: FrameOutcome, where: str) -> None:
        """A frame lost to an overflow: what it delivered is where it would have begun, and the stream forgets it."""
        would = deepcopy(self.model).frame(frame.data, frame.bad_fcs)
        would.messages = would.messages[:len(outcome.messages)]
        self._lines(would, outcome, where)
        self.overflows += 1
        self.overflow_messages += len(outcome.messages)

    def _called_off(self, frame: FrameItem, outcome: FrameOutcome, where: str) -> None:
        """Lines that went out for the block at which the packet was cut: no byte in them lies behind the payload."""
        if not outcome.aborted:
            return
        rest = cut_block(frame, self._inspect(frame))
        size = layout.CONTINUATION_BYTES
        starts = range(layout.RAW_FIRST_BYTES, len(rest) - size + 1, size)
        lines = tuple(rest[at:at + size].ljust(RECORD_BYTES, b"\0") for at in starts)
        if OWN_PARSER:
            lines = lines[:len(outcome.aborted[0])]
        assert outcome.aborted == [lines], f"lines called off: {where}"
        self.called_off += 1

    def _lines(self, result: FrameResult, outcome: FrameOutcome, where: str) -> None:
        expected = [message_lines(message, "A", outcome.report.timestamp) for message in result.messages]
        delivered = [(message.continuations, message.record) for message in outcome.messages]
        for due, found in zip(expected, delivered, strict=False):
            assert found == due, f"message {due[1][:8].hex()} of {where}: {_shown(found)} is not {_shown(due)}"
        assert len(delivered) == len(expected), f"{len(delivered)} messages, not {len(expected)}: {where}"
        self.messages += len(expected)

    def check_latencies(self) -> None:
        """Every message took LATENCY clocks."""
        assert OWN_PARSER or {latency for _, latency in self.latencies} == {LATENCY}

    def end(self, dut: Any) -> None:
        """The counters and the stream state, as the registers show them; without an arbiter there are none."""
        if not dut.has_arbiter.value:
            return
        due = self.model.counters
        words = int(dut.statistics.value)
        found = {
            name: words >> 32 * index & 0xFFFF_FFFF for name, index in statistic_words().items()
        }
        expected = {
            "FRAMES": due["frames"] + self.overflows,
            "ACCEPTED": due["accepted"],
            **{f"MESSAGES_{status.upper()}": due["messages"][status] for status in STATUSES},
            "MESSAGES_BAD": due["bad_messages"] + self.overflow_messages,
            "DUPLICATES": due["duplicates"],
            "GAPS": due["gaps"],
            **{f"DROPPED_{reason.upper()}": count for reason, count in due["dropped"].items()},
            "DROPPED_OVERFLOW": self.overflows,
            "FILTERED": 0, "FRAMES_B": 0, "ACCEPTED_B": 0, "MESSAGES_B": 0,
        }
        assert found == expected
        next_expected = int(dut.next_expected.value) if dut.next_expected_valid.value else None
        assert next_expected == due["next_expected"]


def unlike(found: Any, due: Any) -> str:
    """What differs between two values of one dataclass."""
    def shown(name: str, value: Any) -> str:
        return DropReason(value).name.lower() if name == "reason" else str(value)

    both = [(one.name, getattr(found, one.name), getattr(due, one.name)) for one in fields(due)]
    return ", ".join(f"{name} is {shown(name, was)}, not {shown(name, must)}"
                     for name, was, must in both if was != must)


def statistic_words() -> dict[str, int]:
    """The counters of the statistics bus: those of the register map from FRAMES on, in its order."""
    first = layout.REGISTERS["FRAMES"]
    return {name: (offset - first) // 4 for name, offset in layout.REGISTERS.items() if offset >= first}


def expected_report(result: FrameResult, timestamp: int) -> Report:
    if result.disposition == "drop":
        assert result.reason is not None
        return Report(int(DropReason[result.reason.upper()]), 0, 0, 0, bytes(10), 0, 0, timestamp)
    assert result.kind is not None
    assert result.session is not None
    flags = sum(flag << bit for bit, flag in enumerate(result.flags))
    return Report(0, int(FrameKind[result.kind.upper()]), flags, result.gap_from or 0, result.session.encode("latin-1"),
                  result.sequence or 0, result.count or 0, timestamp)


def expected_header(packet: Packet, frame: FrameItem) -> Header:
    return Header(packet.session, packet.sequence or 0, packet.count, int(FrameKind[packet.kind.upper()]),
                  packet.sequence is None, frame.others, frame.beat_clocks[0] - 1)


def block_ends(frame: FrameItem, found: Inspection, packet_format: PacketFormat) -> list[int]:
    """The beat with each whole block's last byte; of one without bytes, that of its length."""
    if found.payload is None:
        return []
    position = found.payload_start + HEADER_BYTES[packet_format]
    ends = []
    for block in parse(found.payload, packet_format).blocks:
        position += len(block) + (MOLD_BLOCK.length if packet_format == "mold" else 0)
        ends.append((position - 1) // BEAT_BYTES)
    return ends


def cut_block(frame: FrameItem, found: Inspection) -> bytes:
    """What there is of the block's data at which a MoldUDP64 packet was cut."""
    assert found.payload is not None
    position = MOLD_HEADER.length + sum(MOLD_BLOCK.length + len(block) for block in parse(found.payload, "mold").blocks)
    return found.payload[position + MOLD_BLOCK.length:]


def _shown(lines: tuple[tuple[bytes, ...], bytes]) -> str:
    continuations, record = lines
    return "+".join(line.hex() for line in (*continuations, record))
