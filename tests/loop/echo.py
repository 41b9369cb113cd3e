# SPDX-License-Identifier: MIT
"""A small exchange for tests: what it publishes, and when, depends on the orders that reach it. Each is answered with a
datagram to the kernel's own address and with the next packets of the feed, ahead of their time."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.exchange import Sent
from generators.framing import DEFAULT_GROUP
from generators.profiles import frames, generate
from tb.model.config import KernelConfig

GAP_PS = 3_000_000  # between packets that nobody asked for
LINE_B_LATER_PS = 400_000
LINGER_PS = 123_456_789  # after the last word
HURRY = 2  # packets an order


@dataclass(frozen=True)
class Injected:
    time_ps: int
    line: int
    frame: bytes


@dataclass(frozen=True)
class Advance:
    frames: list[Injected] = field(default_factory=list)
    next_ps: int | None = None
    finished: bool = False


class Echo:
    """``fault``: what it does wrong, and from which call on."""

    def __init__(self, messages: int = 100, seed: int = 1, latency_ps: int = 5_000_000, fault: str = "") -> None:
        self.latency_ps, self.fault = latency_ps, fault
        self._feed = [frame for _, frame in frames(generate("opening", seed, messages), seed, group=DEFAULT_GROUP)]
        self._published = 0
        self._feed_ps = 0
        self._inbox: list[tuple[int, bytes]] = []
        self._outbox: list[Injected] = []
        self._linger_ps = 0
        self.calls: list[int] = []
        self.orders = 0

    def start(self) -> Advance:
        if self.fault == "start":
            raise RuntimeError("no such market")
        return Advance(next_ps=0)

    def advance(self, until_ps: int, sent: Sequence[Sent]) -> Advance:
        self.calls.append(until_ps)
        if len(self.calls) > 5 and self.fault:
            return self._fail(until_ps)
        self._inbox += [(item.time_ps + self.latency_ps, item.frame) for item in sent]
        while (moment := self._next_ps()) is not None and moment < until_ps:
            self._at(moment)
        due = sorted((item for item in self._outbox if item.time_ps < until_ps), key=lambda item: item.time_ps)
        self._outbox = [item for item in self._outbox if item.time_ps >= until_ps]
        times = [time for time in (self._next_ps(), *(item.time_ps for item in self._outbox)) if time is not None]
        if times or not self._linger_ps:
            self._linger_ps = until_ps + LINGER_PS
        elif until_ps > self._linger_ps:
            return Advance(due, None, True)
        return Advance(due, min(times, default=self._linger_ps), False)

    def state(self) -> dict[str, Any]:
        return {"orders": self.orders, "calls": self.calls, "published": self._published}

    def _fail(self, until_ps: int) -> Advance:
        match self.fault:
            case "late":
                return Advance([Injected(0, 0, bytes(60))], until_ps)
            case "early":
                return Advance([Injected(until_ps, 0, bytes(60))], until_ps)
            case "undone":
                return Advance([], until_ps - 1)
            case "waits":
                return Advance([], None, False)
            case _:
                raise RuntimeError("the market\nis closed")

    def _next_ps(self) -> int | None:
        times = [self._inbox[0][0]] if self._inbox else []
        return min([*times, self._feed_ps] if self._published < len(self._feed) else times, default=None)

    def _at(self, now_ps: int) -> None:
        while self._inbox and self._inbox[0][0] <= now_ps:
            frame = self._inbox.pop(0)[1]
            if frame[23:24] == b"\x06":
                self.orders += 1
                self._outbox.append(Injected(now_ps, 0, _datagram(b"order %d" % self.orders)))
                for _ in range(HURRY):
                    self._publish(now_ps)
        if self._feed_ps <= now_ps:
            self._publish(now_ps)
            self._feed_ps = now_ps + GAP_PS

    def _publish(self, now_ps: int) -> None:
        if self._published < len(self._feed):
            frame = self._feed[self._published]
            self._published += 1
            self._outbox += [Injected(now_ps, 0, frame), Injected(now_ps + LINE_B_LATER_PS, 1, frame)]


def _datagram(payload: bytes) -> bytes:
    """To the kernel's own address: no market data. No checksums: the NIC must not care for such a frame's."""
    config = KernelConfig()
    mac = bytes.fromhex(config.source_mac.replace(":", ""))
    address = bytes(map(int, config.source_address.split(".")))
    udp = struct.pack(">HHHH", 7, 7, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), address)
    return mac + bytes(6) + b"\x08\x00" + ip + udp
