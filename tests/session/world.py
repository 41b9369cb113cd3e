# SPDX-License-Identifier: MIT
"""Kernel's session, NIC, a line that fails by seeded chance, and the exchange's end, on one simulated clock.

The NIC here is the test's own: it makes a segment of every published slot and counts sequence numbers by itself, so a
session that counts otherwise gets no answer.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

import numpy as np

from bridge import layout
from bridge.layout import LinkState
from generators.exchange.segment import ACK, PSH, Segment, build
from generators.exchange.soup import SoupServer
from generators.exchange.tcp import MASK, TcpServer
from tests.session.session_harness import (
    CLIENT,
    CLIENT_MAC,
    CLIENT_PORT,
    CONNECTION,
    FRAME,
    NEVER,
    SERVER,
    SERVER_MAC,
    SERVER_PORT,
    SLOT,
    Answer,
    Session,
    Step,
)

PS_PER_NS = 1_000
WINDOW = 65_535


@dataclass(frozen=True)
class Faults:
    """Chances a frame, in each direction, and the delay of one that is held back."""

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay_ns: int = 5_000
    held_ns: int = 60_000


class Nic:
    """Slots to segments, as rtl/order_entry.v makes them."""

    def __init__(self, source_mac: bytes = CLIENT_MAC, destination_mac: bytes = SERVER_MAC, source: int = CLIENT,
                 destination: int = SERVER) -> None:
        self.sequence = self.acknowledge = self.identification = 0
        self._path = (source_mac, destination_mac, source, destination, CLIENT_PORT, SERVER_PORT)

    def segment(self, slot: bytes) -> bytes:
        fields = np.frombuffer(slot, layout.TX_SLOT)[0]
        message = fields["message"].tobytes()[:fields["length"]]
        payload = (1 + len(message)).to_bytes(2, "big") + bytes([fields["packet_type"]]) + message
        frame = build(Segment(*self._path, self.sequence, self.acknowledge, ACK | PSH, WINDOW, payload),
                      self.identification)
        self.sequence = (self.sequence + len(payload)) & MASK
        self.identification += 1
        return frame


class World:
    """`at` schedules what happens, `run` lets it; `answers` and `links` are what the kernel was told, in order."""

    def __init__(self, session: Session, server: SoupServer | TcpServer, config: bytes, seed: int = 1,
                 faults: Faults | None = None) -> None:
        self.session = session
        self.server = server
        self.random = Random(seed)
        self.faults = faults or Faults()
        self.nic = Nic()
        self.now_ns = 0
        self.answers: list[Answer] = []
        self.links: list[tuple[LinkState, str]] = []
        self.told: list[Answer | tuple[LinkState, str]] = []
        self.segments: list[tuple[int, bytes]] = []      # what the kernel's side sent
        self.on_server: Callable[[], None] = lambda: None
        self.cut = False                                 # nothing passes
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        assert session.configure(config) == ""
        self.last = self.service()

    @property
    def ready(self) -> bool:
        return self.last.report.link == LinkState.READY

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (max(time_ns, self.now_ns), self._number, action))

    # The kernel's side

    def service(self, frames: Iterable[bytes] = (), slots: Iterable[bytes] = (), logout: bool = False) -> Step:
        published = list(slots)
        sent = [self.nic.segment(slot) for slot in published]
        step = self.session.service(self.now_ns, list(frames), published, logout)
        for kind, data in step.items:
            if kind == CONNECTION:
                self.nic.sequence = int.from_bytes(data[:4], "little")
            elif kind == SLOT:
                self.nic.acknowledge = step.report.acknowledge
                sent.append(self.nic.segment(data))
            elif kind == FRAME:
                sent.append(data)
        self.nic.acknowledge = step.report.acknowledge
        self.answers += step.answers
        self.links += step.links
        self.told += step.told
        self.last = step
        for frame in sent:
            self.segments.append((self.now_ns, frame))
            self._carry(frame, self._to_server)
        return step

    def publish(self, slots: Iterable[bytes]) -> Step:
        """Orders, as the kernel sends them while the link is ready."""
        assert self.ready
        return self.service(slots=slots)

    # The line

    def _carry(self, frame: bytes, to: Callable[[bytes], None]) -> None:
        faults, chance = self.faults, self.random.random()
        if self.cut or chance < faults.loss:
            return
        chance -= faults.loss
        copies = 2 if chance < faults.duplicate else 1
        for _ in range(copies):
            held = self.random.randrange(faults.held_ns) if self.random.random() < faults.reorder else 0
            self.at(self.now_ns + faults.delay_ns + held, lambda: to(frame))

    def _to_kernel(self, frame: bytes) -> None:
        self.service([frame])

    def _to_server(self, frame: bytes) -> None:
        self.server.receive(frame, self.now_ns * PS_PER_NS)
        self.poll_server()

    def poll_server(self) -> None:
        self.on_server()
        for frame in self.server.poll(self.now_ns * PS_PER_NS):
            self._carry(frame, self._to_kernel)

    # Time

    def run(self, until_ns: int, done: Callable[[], bool] = lambda: False) -> None:
        """To a time, or until something is so."""
        standing = 0
        while not done():
            kernel_ns = self.last.report.due_ns
            server_ps = self.server.next_timer_ps
            server_ns = NEVER if server_ps is None else -(-server_ps // PS_PER_NS)
            event_ns = self._events[0][0] if self._events else NEVER
            moment = min(kernel_ns, server_ns, event_ns)
            if moment > until_ns:
                self.now_ns = until_ns
                return
            standing = standing + 1 if moment <= self.now_ns else 0
            assert standing < 10_000, "time stands still"
            self.now_ns = max(self.now_ns, moment)
            if event_ns <= self.now_ns:
                heapq.heappop(self._events)[2]()
            elif server_ns <= self.now_ns:
                self.poll_server()
            else:
                self.service()
