# SPDX-License-Identifier: MIT
"""The kernel's order-entry session as a host process under sanitizers; see session_runner.c."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bridge import layout
from bridge.layout import AnswerKind, IntentKind, LinkState, OuchVersion, SoupPacket, TxKind
from tests.sanitized import FIRMWARE, Runner, build

CONFIGURE, SERVICE, ENCODE, PARSE = range(1, 5)
ANSWER, LINK, SLOT, FRAME, CONNECTION = range(1, 6)
NEVER = (1 << 64) - 1

CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
CLIENT, SERVER = int(IPv4Address("10.0.0.1")), int(IPv4Address("10.0.0.2"))
CLIENT_PORT, SERVER_PORT = 40_000, 26_400

_SERVICE = struct.Struct("<QIIII")
_REPORT = struct.Struct("<5Q6I")
_INTENT = struct.Struct("<QIIIIHBB4x")
_ANSWER = struct.Struct("<QQQIIIIBBBB4x")
STATES = ("closed", "connecting", "login", "replay", "ready", "logout", "over")


class Report(NamedTuple):
    """Where the session stands after a service."""

    due_ns: int
    next: int
    answers: int
    malformed: int
    retransmissions: int
    state: int
    link: int
    tcp_state: int
    acknowledge: int
    room: int
    connections: int


class Answer(NamedTuple):
    """struct answer."""

    timestamp: int
    reference: int
    match: int
    number: int
    original: int
    shares: int
    price: int
    kind: AnswerKind
    side: str
    reason: int
    dead: int


class Intent(NamedTuple):
    """struct intent."""

    stock: bytes = b"TKAAAA  "
    number: int = 0
    original: int = 0
    shares: int = 100
    price: int = 1_000_000
    book: int = 0
    kind: IntentKind = IntentKind.ENTER
    side: str = "B"


@dataclass
class Step:
    """What a service did: everything in the order in which it happened, and the same by kind."""

    report: Report
    items: list[tuple[int, bytes]] = field(default_factory=list)

    def _of(self, kind: int) -> list[bytes]:
        return [data for item, data in self.items if item == kind]

    @property
    def state(self) -> str:
        return STATES[self.report.state]

    @property
    def answers(self) -> list[Answer]:
        return [parse_answer(data) for data in self._of(ANSWER)]

    @property
    def links(self) -> list[tuple[LinkState, str]]:
        return [(LinkState(int.from_bytes(data[:4], "little")), data[4:].decode()) for data in self._of(LINK)]

    @property
    def told(self) -> list[Answer | tuple[LinkState, str]]:
        """Answers and news of the link, in their order."""
        both = [Step(self.report, [item]) for item in self.items]
        return [what for step in both for what in (*step.answers, *step.links)]

    @property
    def frames(self) -> list[bytes]:
        return self._of(FRAME)


def parse_answer(data: bytes) -> Answer:
    values = _ANSWER.unpack(data)
    side = chr(values[8]) if values[8] else ""
    return Answer._make((*values[:7], AnswerKind(values[7]), side, *values[9:]))


def make_config(ouch: str = "4.2", **values: object) -> bytes:
    """The header of a configuration module, as far as the session looks at it."""
    header = np.zeros(1, layout.CONFIG_HEADER)
    defaults = {
        "source_mac": CLIENT_MAC, "destination_mac": SERVER_MAC, "source_address": CLIENT,
        "destination_address": SERVER, "source_port": CLIENT_PORT, "destination_port": SERVER_PORT,
        "tcp_sequence": 0xFFFF_FF00, "time_in_force": 99998, "firm": b"TICK", "display": ord("Y"),
        "capacity": ord("P"), "intermarket_sweep": ord("N"), "cross_type": ord("N"), "customer_type": ord("N"),
        "token_prefix": b"TKLP", "ouch_version": OuchVersion.V42 if ouch == "4.2" else OuchVersion.V50,
        "soup_username": b"TICKLP", "soup_password": b"PASSWORD  ", "soup_session": b" " * 10, "soup_sequence": 1,
        "heartbeat_ns": 10**9, "server_timeout_ns": 15 * 10**9, "retransmit_ns": 10**7, "retransmit_limit": 10,
    }
    for name, value in (defaults | values).items():
        if isinstance(value, bytes):
            size = header.dtype.fields[name][0].itemsize
            header[name] = np.frombuffer(value.ljust(size), np.uint8) if header.dtype[name].shape else value
        else:
            header[name] = value
    return header.tobytes()


def make_slot(message: bytes, packet_type: int = SoupPacket.UNSEQUENCED) -> bytes:
    """A TX slot with an order."""
    return message.ljust(56, b"\0") + struct.pack("<BBHI", TxKind.ORDER, packet_type, len(message), 0)


def build_session(directory: Path) -> Path:
    """Compile session/ and the runner with the address and undefined-behaviour sanitizers."""
    program = directory / "session_runner"
    return build(program, [
        Path(__file__).parent / "session_runner.c",
        *sorted((FIRMWARE / "session").glob("*.c")),
    ])


class Session(Runner):
    """A running session; a sanitizer's finding ends it and fails the next call."""

    def configure(self, config: bytes) -> str:
        """Start over; returns what is wrong with the configuration."""
        return self._call(CONFIGURE, config).decode()

    def service(self, now_ns: int, frames: Sequence[bytes] = (), slots: Iterable[bytes] = (), logout: bool = False,
                quiet: bool = False) -> Step:
        """The kernel comes by: it has published `slots`, `frames` have arrived."""
        published = list(slots)
        payload = [_SERVICE.pack(now_ns, len(published), len(frames), logout, quiet), *published]
        for frame in frames:
            payload += [len(frame).to_bytes(4, "little"), frame]
        data = self._call(SERVICE, b"".join(payload))
        step = Step(Report(*_REPORT.unpack(data[-_REPORT.size:])))
        at = 0
        while at < len(data) - _REPORT.size:
            kind, size = struct.unpack_from("<II", data, at)
            step.items.append((kind, data[at + 8:at + 8 + size]))
            at += 8 + size
        return step

    def encode(self, intent: Intent) -> np.void:
        """The TX slot of an intent."""
        values = (int.from_bytes(intent.stock, "little"), *intent[1:7], ord(intent.side))
        slot: np.void = np.frombuffer(self._call(ENCODE, _INTENT.pack(*values)), layout.TX_SLOT)[0]
        return slot

    def parse(self, message: bytes) -> Answer:
        return parse_answer(self._call(PARSE, message))
