# SPDX-License-Identifier: MIT
"""A mailbox peer with an exchange behind it: order-entry segments and frames go there, its frames come by the raw ring.

Time is simulated: the kernel's work, a constant for each register access, and what it waits for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from bridge.layout import AcknowledgeStatus, MailboxOp, TraceKind
from generators.exchange.soup import SoupServer
from tests.firmware.peer import REGISTER, Peer
from tests.session.world import Nic

PS_PER_INSTRUCTION = 250
ACCESS_PS = 100_000
LATENCY_PS = 5_000_000
BURST_PS = 20_000_000  # between bursts of records
NEVER = 1 << 62


class ExchangePeer(Peer):
    """`on_orders` is called when the server has received something; records are fed while the kernel is logged in."""

    def __init__(self, server: SoupServer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.server = server
        self.now_ps = 0
        self.until_ps = 10**9
        self.commands: list[tuple[int, str]] = []
        self.on_orders: Callable[[], None] = lambda: None
        self.lost: Callable[[bytes], bool] = lambda frame: False  # whether a frame never arrives
        self.sent: list[tuple[int, bytes]] = []
        self._work = 0
        self._commands_given = 0
        self._orders = Nic()
        self._number = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._arrived: list[bytes] = []

    # The clock

    def _perform(self) -> tuple[AcknowledgeStatus, int]:
        work = int(self._mailbox["work"])
        self.now_ps += (work - self._work) * PS_PER_INSTRUCTION
        self._work = work
        if int(self._mailbox["op"]) in (MailboxOp.REGISTER_READ, MailboxOp.REGISTER_WRITE):
            self.now_ps += ACCESS_PS
            if int(self._mailbox["op"]) == MailboxOp.REGISTER_WRITE:
                self._session_register(int(self._mailbox["address"]), int(self._mailbox["value"]))
        return super()._perform()

    def _now_ps(self) -> int:
        return self.now_ps

    def _at(self, time_ps: int, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (time_ps, self._number, action))

    # The NIC

    def _session_register(self, address: int, value: int) -> None:
        if address == REGISTER["SESSION_SEQUENCE"]:
            self._orders.sequence = value
        elif address == REGISTER["SESSION_ACKNOWLEDGE"]:
            self._orders.acknowledge = value

    def _sent_slot(self, slot: np.void) -> None:
        self._leaves(self._orders.segment(slot.tobytes()))

    def _sent_frame(self, frame: bytes) -> None:
        self._leaves(frame)

    def _leaves(self, frame: bytes) -> None:
        self.sent.append((self.now_ps, frame))
        if not self.lost(frame):
            self._at(self.now_ps + LATENCY_PS, lambda: self._to_server(frame))

    # The exchange

    def _to_server(self, frame: bytes) -> None:
        self.server.receive(frame, self.now_ps)
        self._poll_server()

    def _poll_server(self) -> None:
        self.on_orders()
        for frame in self.server.poll(self.now_ps):
            if not self.lost(frame):
                self._arrived.append(frame)

    # The kernel waits

    def _poll(self, deadline_ns: int) -> bool:
        end_ps = self.now_ps + deadline_ns * 1_000 if deadline_ns else NEVER
        while True:
            while self._events and self._events[0][0] <= self.now_ps:
                heapq.heappop(self._events)[2]()
            if self._arrived:
                self.raw = [*self.raw, *self._arrived]
                self._arrived = []
                self._put_raw()
                return True
            if self._give_command():
                return True
            if self.server.logged_in and self._fed < len(self.records):
                self.now_ps += BURST_PS
                return self._feed()
            server_ps = self.server.next_timer_ps
            event_ps = self._events[0][0] if self._events else NEVER
            command_ps = self.commands[0][0] if self.commands else NEVER
            moment = min(end_ps, event_ps, command_ps, NEVER if server_ps is None else server_ps)
            if moment >= self.until_ps:
                return False
            self.now_ps = max(self.now_ps, moment)
            if server_ps is not None and server_ps <= self.now_ps:
                self._poll_server()
            elif end_ps <= self.now_ps:
                return True

    def _give_command(self) -> bool:
        if not self.commands or self.commands[0][0] > self.now_ps:
            return False
        text = self.commands.pop(0)[1].encode()
        self._mailbox["command"] = np.frombuffer(text.ljust(64, b"\0"), np.uint8)
        self._commands_given += 1
        self._mailbox["command_sequence"] = self._commands_given
        return True

    def notes(self, kind: TraceKind) -> list[int]:
        """Values of the trace entries beside messages, of a kind."""
        return [int(entry["sequence"]) for entry in self.run.trace if entry["type"] == kind]
