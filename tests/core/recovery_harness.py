# SPDX-License-Identifier: MIT
"""The kernel's recovery and its MoldUDP64 parser as a host process under sanitizers; see recovery_runner.c."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from bridge.layout import LINE_BYTES
from tb.model.recovery import Limits
from tb.model.recovery import Path as UnicastPath
from tests.sanitized import FIRMWARE, Runner, build

OPEN, RECORD, EVENT, ANSWER, REQUEST, FINISH, MESSAGE, PARSE = range(1, 9)
_REPORT = struct.Struct("<9Q4I")
_LIMITS = struct.Struct("<QIIH6x")
_PATH = struct.Struct("<6s6sIIHH")
SESSION_BYTES = 10
REQUEST_BYTES = 62
NEVER = (1 << 64) - 1

PATH = UnicastPath("02:00:00:00:00:01", "02:00:00:00:00:02", "10.0.0.1", "10.0.0.3", 26500, 26478)
LIMITS = Limits(timeout_ns=100_000, retries=3, held=64, request=20)


class Report(NamedTuple):
    """The state after a step."""

    next: int
    due_ns: int
    gaps: int
    requests: int
    answers: int
    ignored: int
    recovered: int
    voided: int
    losses: int
    result: int
    state: int
    loss: int
    waiting: int


@dataclass(frozen=True)
class Step:
    """What a step did: the report, the request written, the records that went to the books."""

    report: Report
    request: bytes | None
    applied: list[bytes]


def build_recovery(directory: Path) -> Path:
    """Compile the parts of core/ concerned and the runner with the address and undefined-behaviour sanitizers."""
    program = directory / "recovery_runner"
    return build(program, [
        Path(__file__).parent / "recovery_runner.c",
        *(FIRMWARE / "core" / f"{name}.c" for name in ("recovery", "moldudp64")),
    ])


def lines_of(data: bytes) -> list[bytes]:
    assert len(data) % LINE_BYTES == 0
    return [data[at:at + LINE_BYTES] for at in range(0, len(data), LINE_BYTES)]


class Recovery(Runner):
    """A running recovery; a sanitizer's finding ends it and fails the next call."""

    def __init__(self, program: Path) -> None:
        super().__init__(program)
        self.open()

    def _step(self, command: int, payload: bytes = b"") -> Step:
        data = self._call(command, payload)
        report = Report(*_REPORT.unpack_from(data))
        rest = data[_REPORT.size:]
        request = None
        if command == REQUEST and report.result:
            request, rest = rest[-REQUEST_BYTES:], rest[:-REQUEST_BYTES]
        return Step(report, request, lines_of(rest))

    def open(self, limits: Limits = LIMITS, path: UnicastPath = PATH) -> None:
        """Start over."""
        macs = [bytes.fromhex(mac.replace(":", "")) for mac in (path.our_mac, path.server_mac)]
        addresses = [int(IPv4Address(address)) for address in (path.our_address, path.server_address)]
        self._call(OPEN, _LIMITS.pack(limits.timeout_ns, limits.retries, limits.held, limits.request)
                   + _PATH.pack(*macs, *addresses, path.our_port, path.server_port))

    def record(self, line: bytes, now_ns: int) -> Step:
        return self._step(RECORD, struct.pack("<Q", now_ns) + line)

    def event(self, line: bytes, now_ns: int) -> Step:
        return self._step(EVENT, struct.pack("<Q", now_ns) + line)

    def answer(self, frame: bytes, now_ns: int, hw_timestamp_ns: int) -> Step:
        return self._step(ANSWER, struct.pack("<QQ", now_ns, hw_timestamp_ns) + frame)

    def request(self, now_ns: int) -> Step:
        return self._step(REQUEST, struct.pack("<Q", now_ns))

    def finish(self) -> Step:
        return self._step(FINISH)

    def lines(self, message: bytes, sequence: int, hw_timestamp_ns: int) -> list[bytes]:
        """All lines of one message."""
        return lines_of(self._call(MESSAGE, struct.pack("<QQ", sequence, hw_timestamp_ns) + message))

    def parse(self, frame: bytes) -> tuple[bytes, list[bytes]] | None:
        """Session and the lines of all messages of an answer; None if it is refused."""
        data = self._call(PARSE, frame)
        return (data[:SESSION_BYTES], lines_of(data[SESSION_BYTES:])) if data else None
