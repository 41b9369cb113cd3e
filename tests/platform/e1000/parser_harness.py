# SPDX-License-Identifier: MIT
"""The software parser as a host process under sanitizers, and the lines it must make of a frame (parser_runner.c)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from bridge.layout import LINE_BYTES, DropReason
from generators.framing import DEFAULT_GROUP
from tb.env.records import event_line, message_lines
from tb.model.receive import STATUSES, FrameResult
from tests.sanitized import FIRMWARE, Runner, build

OPEN, FRAME, COUNTERS = range(1, 4)
PUBLISH = b"\0" * 4
_COUNTERS = struct.Struct(f"<6Q{len(STATUSES)}Q{len(DropReason)}Q")


def build_parser(directory: Path) -> Path:
    """Compile both parsers and the runner with the address and undefined-behaviour sanitizers."""
    return build(directory / "parser_runner", [
        Path(__file__).parent / "parser_runner.c", FIRMWARE / "parser/parser.c", FIRMWARE / "parser/unpack.S",
        FIRMWARE / "core/moldudp64.c",
    ])


def lines_of(data: bytes) -> list[bytes]:
    assert len(data) % LINE_BYTES == 0
    return [data[at:at + LINE_BYTES] for at in range(0, len(data), LINE_BYTES)]


def expected_lines(result: FrameResult, time_ns: int) -> list[bytes]:
    """What the RTL writes into its ring for this frame, in verified delivery, publish words 0."""
    lines: list[bytes] = []
    for message in result.messages:
        continuations, first = message_lines(message, "A", time_ns)
        lines += [first, *continuations]
    event = result.event({"STREAM"})
    if event is not None:
        lines.append(event_line(event, time_ns))
    return [line + PUBLISH for line in lines]


class Parser(Runner):
    """A running parser; a sanitizer's finding, or a byte read behind a frame, ends it and fails the next call."""

    def __init__(self, program: Path, assembly: bool, group: str = DEFAULT_GROUP.address,
                 port: int = DEFAULT_GROUP.port) -> None:
        super().__init__(program)
        self._call(OPEN, struct.pack("<IHH", int(IPv4Address(group)), port, assembly))

    def frame(self, data: bytes, time_ns: int = 0) -> tuple[str | None, list[bytes]]:
        """Why the frame is dropped, or None, and its lines."""
        answer = self._call(FRAME, struct.pack("<Q", time_ns) + data)
        reason = DropReason(int.from_bytes(answer[:4], "little"))
        return None if reason == DropReason.ACCEPT else reason.name.lower(), lines_of(answer[4:])

    def counters(self) -> dict[str, Any]:
        """As the model's, as far as there is one line and no filter."""
        values = _COUNTERS.unpack(self._call(COUNTERS))
        frames, accepted, duplicates, gaps, started, next_expected = values[:6]
        messages, dropped = values[6:6 + len(STATUSES)], values[6 + len(STATUSES):]
        return {
            "frames": frames, "accepted": accepted, "duplicates": duplicates, "gaps": gaps,
            "next_expected": next_expected if started else None, "messages": dict(zip(STATUSES, messages, strict=True)),
            "dropped": {reason.name.lower(): dropped[reason] for reason in DropReason},
        }
