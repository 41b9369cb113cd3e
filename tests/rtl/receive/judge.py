# SPDX-License-Identifier: MIT
"""Judges a line's outcome against the reference model: lines, reports, latency, counters."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

from bridge import layout
from bridge.layout import DropReason, FrameKind
from generators.tables import MOLD_BLOCK, MOLD_HEADER
from tb.model.receive import (
    ETHERTYPES_VLAN,
    MAX_FRAME_BYTES,
    SEQUENCES,
    STATUSES,
    UDP_HEADER_BYTES,
    FrameResult,
    ReceiveModel,
)
from tb.receive.items import BEAT_BYTES, FrameItem, FrameOutcome, Report
from tests.rtl.receive.frames import GROUP_ADDRESS, GROUP_PORT
from tests.rtl.receive.lines import RECORD_BYTES, expected_lines

LATENCY = 2  # clocks from the beat with a message's last byte to the decoded message


class ModelJudge:
    """``exact_latency``: every message must take LATENCY clocks; otherwise more are allowed, for what piles up behind
    blocks that end in the beat they begin in. ``may_overflow``: the queue may be too small for that.
    """

    def __init__(self, exact_latency: bool = False, may_overflow: bool = False) -> None:
        self.model = ReceiveModel(GROUP_ADDRESS, GROUP_PORT)
        self.exact_latency = exact_latency
        self.may_overflow = may_overflow
        self.messages = 0
        self.overflows = 0
        self.overflow_messages = 0
        self.called_off = 0
        self.latencies: Counter[tuple[str | None, int]] = Counter()   # of each type

    def frame(self, frame: FrameItem, outcome: FrameOutcome) -> None:
        where = f"frame {self.model.counters['frames'] + self.overflows}, {frame.data.hex()}"
        if outcome.report.reason == DropReason.OVERFLOW and self.may_overflow:
            self._lost(frame, outcome, where)
            return
        assert outcome.report.timestamp == frame.beat_clocks[0] - 1, f"timestamp of {where}"
        result = self.model.frame(frame.data, frame.bad_fcs)
        self._lines(result, outcome, where)
        assert outcome.report == expected_report(result, outcome.report.timestamp), where
        self._called_off(frame, outcome, where)
        if not result.messages:
            return
        sequence, ends, _ = packet_blocks(frame.data)
        for message, delivered in zip(result.messages, outcome.messages, strict=True):
            end = ends[(message.sequence - sequence) % SEQUENCES]
            latency = delivered.decoded_clock - frame.beat_clocks[end]
            self.latencies[message.type, latency] += 1
            assert latency == LATENCY or (latency > LATENCY and not self.exact_latency), \
                f"message {message.sequence} after {latency} clocks: {where}"

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
        _, _, rest = packet_blocks(frame.data)
        size = layout.CONTINUATION_BYTES
        starts = range(layout.RAW_FIRST_BYTES, len(rest) - size + 1, size)
        lines = tuple(rest[at:at + size].ljust(RECORD_BYTES, b"\0") for at in starts)
        assert outcome.aborted == [lines], f"lines called off: {where}"
        self.called_off += 1

    def _lines(self, result: FrameResult, outcome: FrameOutcome, where: str) -> None:
        expected = [expected_lines(message, outcome.report.timestamp) for message in result.messages]
        delivered = [(message.continuations, message.record) for message in outcome.messages]
        for due, found in zip(expected, delivered, strict=False):
            assert found == due, f"message {due[1][:8].hex()} of {where}: {_shown(found)} is not {_shown(due)}"
        assert len(delivered) == len(expected), f"{len(delivered)} messages, not {len(expected)}: {where}"
        self.messages += len(expected)

    def end(self, dut: Any) -> None:
        """The counters and the stream state, as the registers show them."""
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
        }
        assert found == expected
        next_expected = int(dut.next_expected.value) if dut.next_expected_valid.value else None
        assert next_expected == due["next_expected"]


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


def packet_blocks(data: bytes) -> tuple[int, list[int], bytes]:
    """Of a frame that delivers messages: its first sequence number, the beat with each whole block's last byte, and
    what there is of the block's data at which the packet was cut.
    """
    tags = 0
    while int.from_bytes(data[12 + 4 * tags:14 + 4 * tags], "big") in ETHERTYPES_VLAN:
        tags += 1
    ip = 14 + 4 * tags
    udp = ip + 4 * (data[ip] & 15)
    payload_end = min(udp + int.from_bytes(data[udp + 4:udp + 6], "big"), len(data), MAX_FRAME_BYTES)
    position = udp + UDP_HEADER_BYTES
    _, sequence, count = MOLD_HEADER.struct.unpack_from(data, position)
    position += MOLD_HEADER.length
    ends: list[int] = []
    for _ in range(count):
        start = position + MOLD_BLOCK.length
        end = start + int.from_bytes(data[position:start], "big")
        if start > payload_end or end > payload_end:
            return sequence, ends, data[start:payload_end]
        position = end
        ends.append((position - 1) // BEAT_BYTES)
    return sequence, ends, b""


def _shown(lines: tuple[tuple[bytes, ...], bytes]) -> str:
    continuations, record = lines
    return "+".join(line.hex() for line in (*continuations, record))
