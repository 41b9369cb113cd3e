# SPDX-License-Identifier: MIT
"""Recovery of lost messages as the kernel must do it: what is held back, asked for, applied, and given up.

A gap opens when a record, or a good frame's event, is ahead of what is due. From then on every record is held. What is
missing is asked for in order, one range at a time; of an answer counts only what continues the books. Once nothing is
missing, or the loss is declared, the held messages are applied in sequence.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal, NamedTuple

from generators.framing import internet_sum
from generators.tables import MOLD_HEADER
from tb.model.headers import ETHERTYPE_IPV4, PROTOCOL_UDP, inspect
from tb.model.packet import MessageResult, message, parse
from tb.model.results import HostEvent
from tb.model.stream import SEQUENCES

State = Literal["idle", "recovering", "lost"]
Loss = Literal["none", "overflow", "spent", "session", "run_end"]
STATES: tuple[State, ...] = ("idle", "recovering", "lost")
LOSSES: tuple[Loss, ...] = ("none", "overflow", "spent", "session", "run_end")

ETHERNET_BYTES = 14
TIME_TO_LIVE = 64
DONT_FRAGMENT = 0x4000


class Path(NamedTuple):
    """Both ends of the way to the re-request server."""

    our_mac: str
    server_mac: str
    our_address: str
    server_address: str
    our_port: int
    server_port: int


@dataclass(frozen=True, slots=True)
class Limits:
    """When a request is repeated, how often without progress, how many records are held, how many asked for at once."""

    timeout_ns: int
    retries: int
    held: int
    request: int


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def request_frame(path: Path, session: bytes, sequence: int, count: int) -> bytes:
    """The frame that asks for ``count`` messages from ``sequence`` on."""
    payload = MOLD_HEADER.struct.pack(session, sequence, count)  # a request has the shape of a header
    addresses = IPv4Address(path.our_address).packed + IPv4Address(path.server_address).packed
    length = 8 + len(payload)
    udp = struct.pack(">HHHH", path.our_port, path.server_port, length, 0) + payload
    checksum = 0xFFFF - internet_sum(addresses + struct.pack(">HH", PROTOCOL_UDP, length) + udp)
    udp = udp[:6] + struct.pack(">H", checksum) + udp[8:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, DONT_FRAGMENT, TIME_TO_LIVE, PROTOCOL_UDP, 0) + addresses
    ip = ip[:10] + struct.pack(">H", 0xFFFF - internet_sum(ip)) + ip[12:]
    return _mac(path.server_mac) + _mac(path.our_mac) + struct.pack(">H", ETHERTYPE_IPV4) + ip + udp


def answer_blocks(path: Path, frame: bytes) -> tuple[bytes, int, list[bytes]] | None:
    """Session, first sequence number and messages of an answer to us; None if the frame is none."""
    found = inspect(frame, False, int(IPv4Address(path.our_address)), path.our_port, MOLD_HEADER.length)
    if found.payload is None or found.reason("verified") is not None:
        return None
    if frame[:6] != _mac(path.our_mac) or frame[12:14] != struct.pack(">H", ETHERTYPE_IPV4):
        return None
    port_at = found.payload_start - 8
    source_port = int.from_bytes(frame[port_at:port_at + 2], "big")
    if IPv4Address(frame[ETHERNET_BYTES + 12:ETHERNET_BYTES + 16]) != IPv4Address(path.server_address):
        return None
    if source_port != path.server_port:
        return None
    packet = parse(found.payload, "mold")
    assert packet.sequence is not None
    return packet.session, packet.sequence, packet.blocks


def _ahead(sequence: int, of: int) -> bool:
    return 0 < (sequence - of) % SEQUENCES < SEQUENCES // 2


def _later(one: int, other: int) -> int:
    return one if _ahead(one, other) else other


@dataclass
class RecoveryModel:
    """The state machine; ``apply`` takes every message that goes to the books out of it."""

    limits: Limits
    path: Path
    apply: Callable[[MessageResult], None]
    state: State = "idle"
    loss: Loss = "none"
    next: int | None = None  # due to the books; None before the first record
    session: bytes | None = None
    gaps: int = 0
    requests: int = 0
    answers: int = 0
    ignored: int = 0
    recovered: int = 0
    voided: int = 0
    losses: int = 0
    held: list[MessageResult] = field(default_factory=list)
    _start: int = 0       # the first number of all
    _highest: int = 0     # due before older numbers were delivered again
    _end: int = 0         # behind the newest number known of
    _told: int = 0        # ... that a good frame's event told of
    _tries: int = 0
    _fresh: bool = False  # something is to be asked for that has not been asked for
    _deadline_ns: int = 0

    def record(self, message: MessageResult, now_ns: int) -> bool:
        """A message out of the RX ring; False if it is to be applied now, after what went to ``apply`` meanwhile."""
        if self.state == "recovering":
            return self._hold(message)
        if self.next is None:
            self._start = due = message.sequence
        else:
            due = _later(self.next, self._highest)
        if self.state == "idle" and _ahead(message.sequence, due):
            self._open(due, now_ns)
            return self._hold(message)
        self.next, self._highest = (message.sequence + 1) % SEQUENCES, due
        return False

    def event(self, event: HostEvent, now_ns: int) -> None:
        """An event line of the RX ring."""
        if event.reason is not None:
            self._bad_frame(event.sequence, event.delivered)
            return
        if event.flags.session_change:
            if self.state == "recovering":
                self._lose("session")
            self.state = "idle"
            self.next = self._highest = (event.sequence + event.delivered) % SEQUENCES
        self.session = event.session
        if self.next is None or self.state == "lost":
            return
        if self.state == "idle":
            due = _later(self.next, self._highest)
            if not _ahead(event.sequence, due):
                return
            self._open(due, now_ns)
        self._told = _later(self._told, event.sequence)
        if _ahead(event.sequence, self._end):
            self.gaps += 1
            self._end = event.sequence

    def answer(self, frame: bytes, now_ns: int) -> bool:
        """A raw frame; whether it was an answer that brought something."""
        blocks = answer_blocks(self.path, frame)
        if blocks is None:
            return False
        session, sequence, messages = blocks
        brought = 0
        if self.state == "recovering" and session == self.session:
            missing_end = self._missing_end()
            for number, raw in enumerate(messages, sequence):
                if number % SEQUENCES == self.next and self.next != missing_end:
                    self._apply_next(message(self.next, raw, None, "mold"))
                    brought += 1
        if not brought:
            self.ignored += 1
            return False
        self.recovered += brought
        self.answers += 1
        self._tries, self._fresh, self._deadline_ns = 0, True, now_ns + self.limits.timeout_ns
        self._settle()
        return True

    def request(self, now_ns: int) -> bytes | None:
        """The frame that is to be sent now, if one is; may declare the loss instead."""
        if self.state != "recovering":
            return None
        if now_ns < self._deadline_ns and not (self._fresh and self.session is not None):
            return None
        if self._tries > self.limits.retries:
            self._lose("spent")
            return None
        self._tries += 1
        self._deadline_ns = now_ns + self.limits.timeout_ns
        if self.session is None:
            return None
        self._fresh = False
        self.requests += 1
        assert self.next is not None
        count = min((self._missing_end() - self.next) % SEQUENCES, self.limits.request)
        return request_frame(self.path, self.session, self.next, count)

    def waits_until_ns(self) -> int:
        """Before this time nothing that has been asked for is asked for again."""
        return 0 if self._fresh and self.session is not None else self._deadline_ns

    def due_ns(self) -> int | None:
        """When ``request`` has something to do; 0: now."""
        if self.state != "recovering":
            return None
        return 0 if self._fresh and self.session is not None else self._deadline_ns

    def finish(self) -> None:
        """The end of the run."""
        if self.state == "recovering":
            self._lose("run_end")

    def _missing_end(self) -> int:
        return self.held[0].sequence if self.held else self._end

    def _apply_next(self, message: MessageResult) -> None:
        assert self.next == message.sequence
        self.apply(message)
        self.next = (message.sequence + 1) % SEQUENCES

    def _open(self, due: int, now_ns: int) -> None:
        self.state = "recovering"
        self.next = self._end = self._told = due
        self._tries, self._fresh, self._deadline_ns = 0, True, now_ns + self.limits.timeout_ns

    def _lose(self, loss: Loss) -> None:
        self.state, self.loss = "lost", loss
        self.losses += 1
        self.next = self._highest = self._end
        held, self.held = self.held, []
        for each in held:
            self.apply(each)

    def _hold(self, message: MessageResult) -> bool:
        sequence = message.sequence
        assert self.next is not None
        if _ahead(self.next, sequence):
            self._lose("session")
            self.next = self._highest = (sequence + 1) % SEQUENCES
            return False
        if _ahead(self._end, sequence):
            self._void(sum(not _ahead(sequence, each.sequence) for each in self.held))
        if len(self.held) == self.limits.held:
            self._end = (sequence + 1) % SEQUENCES
            self._lose("overflow")
            return False
        self.gaps += _ahead(sequence, self._end)
        self.held.append(message)
        self._end = _later(self._end, (sequence + 1) % SEQUENCES)
        self._settle()
        return True

    def _bad_frame(self, sequence: int, delivered: int) -> None:
        if self.state == "idle" and self.next is not None:
            alone = sequence == self._start and self.next == (self._start + delivered) % SEQUENCES
            self.next = None if alone else _later(self.next, self._highest)
        elif self.state == "recovering":
            self._void(min(delivered, len(self.held)))
            self._settle()

    def _void(self, count: int) -> None:
        """The newest ``count`` messages held are void, and so is what only they showed missing."""
        self.voided += count
        del self.held[len(self.held) - count:]
        self._end = self._told
        if self.held:
            self._end = _later(self._end, (self.held[-1].sequence + 1) % SEQUENCES)

    def _settle(self) -> None:
        while self.held and self.held[0].sequence == self.next:
            self._apply_next(self.held.pop(0))
        if self.next == self._end:
            self.state = "idle"
            self._highest = self._end
