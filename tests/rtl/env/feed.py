# SPDX-License-Identifier: MIT
"""Frames for both receive ports on one schedule: where each line's copy starts, and what happened to it on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import cocotb

from bridge.interface import CLOCK_PS
from tb.agents.items import LINES
from tb.env.environment import NicEnvironment
from tb.env.setup import NicSetup
from tb.model.receive import HOLD_MARGIN_PS, ReceiveModel
from tb.model.wire import Arrival
from tb.receive.items import BEAT_BYTES, FrameItem
from tests.rtl.receive.frames import C_TAG, S_TAG, TYPES, frame, message, mold, unknown
from tests.rtl.receive.verdict_tests import FAULTS

MINIMUM_GAP = 3  # beats: 8 bytes preamble, 4 bytes FCS, 12 bytes gap


class Schedule:
    """Frames of both lines by the clock, from the beginning of the schedule, in which their first beat is due.

    A frame that its line cannot carry yet comes at the line's minimum gap, or at once with ``gap`` 0.
    """

    def __init__(self) -> None:
        self.lines: dict[str, list[FrameItem]] = {line: [] for line in LINES}
        self.arrivals: list[Arrival] = []
        self._free = dict.fromkeys(LINES, 0)

    def add(self, line: str, start: int, data: bytes, bad_fcs: bool = False, pauses: Mapping[int, int] | None = None,
            gap: int = MINIMUM_GAP) -> int:
        """Returns the clock in which the frame really starts."""
        free = self._free[line]
        item = FrameItem(data, bad_fcs, max(gap, start - free), pauses)
        self.lines[line].append(item)
        begins = free + item.gap
        self.arrivals.append(Arrival(line, begins * CLOCK_PS, data, bad_fcs))
        self._free[line] = begins + item.beats + sum(item.pauses.values())
        return begins

    @property
    def end(self) -> int:
        """When both lines are free."""
        return max(self._free.values())

    def is_clear(self, setup: NicSetup) -> bool:
        """Whether no hold ends so close to a frame that the NIC's clocks decide (tb/model/arbitration.py)."""
        model = ReceiveModel(setup.group_address, setup.group_port, delivery=setup.delivery, hold_ns=setup.hold_ns)
        model.run(sorted(self.arrivals, key=lambda arrival: (arrival.start_ps, arrival.line)))
        return model.hold_margin_ps is None or model.hold_margin_ps >= HOLD_MARGIN_PS

    async def send(self, env: NicEnvironment) -> None:
        """Both ports at once; returns when the last beat has gone in."""
        tasks = [cocotb.start_soon(env.ports[line].send(items)) for line, items in self.lines.items() if items]
        for task in tasks:
            await task


def idle_beats(random: Random, beats: int) -> dict[int, int]:
    """Idle clocks before some beats of a frame, or none at all."""
    chance = random.choice((0.0, 0.05, 0.3, 0.8))
    return {beat: random.randint(1, 3) for beat in range(1, beats) if random.random() < chance}


@dataclass
class Faults:
    """What happens to a line's copies, as chances: lost; bad at its end; with one of the header's faults; cut short
    as a datagram, or with bytes behind its last block."""

    loss: float = 0.05
    bad_fcs: float = 0.05
    header: float = 0.05
    truncated: float = 0.02
    extended: float = 0.02


@dataclass
class Feed:
    """A stream of packets on both lines: the same packets, not the same frames. ``skew`` is the most clocks by which a
    line is behind the schedule."""

    random: Random
    faults: Faults = field(default_factory=Faults)
    skew: int = 40
    spacing: tuple[int, int] = (0, 60)
    sequence: int = 1
    session: bytes = b"FEED000001"
    jumps: float = 0.01
    new_sessions: float = 0.01

    def schedule(self, packets: int) -> Schedule:
        random, schedule = self.random, Schedule()
        start = 0
        for _ in range(packets):
            payload = self._packet()
            for line in random.sample(LINES, 2):
                if random.random() >= self.faults.loss:
                    data, bad_fcs = self._copy(payload)
                    pauses = idle_beats(random, -(-len(data) // BEAT_BYTES))
                    gap = 0 if random.random() < 0.05 else MINIMUM_GAP
                    schedule.add(line, start + random.choice((0, 0, random.randint(0, self.skew))), data, bad_fcs,
                                 pauses, gap)
            start = max(start + len(payload) // BEAT_BYTES + 8, schedule.end - self.skew)
            start += random.randint(*self.spacing)
        return schedule

    def _packet(self) -> bytes:
        random = self.random
        if random.random() < self.new_sessions:
            self.session = b"FEED%06d" % random.randrange(5)
            self.sequence = random.choice((1, random.getrandbits(64), (1 << 64) - 3))
        if random.random() < self.jumps:
            self.sequence += random.randint(-20, 20)
        if random.random() < 0.08:
            return mold(self.sequence, [], random.choice((0, 0, 0xFFFF)), self.session)
        blocks = [block(random) for _ in range(random.choice((1, 1, 2, 3, 5, 9)))]
        payload = mold(self.sequence, blocks, session=self.session)
        self.sequence = (self.sequence + len(blocks)) % (1 << 64)
        return payload

    def _copy(self, payload: bytes) -> tuple[bytes, bool]:
        random, faults = self.random, self.faults
        fields = shape(random)
        bad_fcs = random.random() < faults.bad_fcs
        if random.random() < faults.header:
            fault = dict(random.choice(FAULTS))
            bad_fcs |= fault.pop("bad_fcs", False)
            fields |= fault
        elif random.random() < faults.truncated:
            payload = payload[:random.randint(20, len(payload))]
        elif random.random() < faults.extended:
            payload += random.randbytes(random.randint(1, 30))
        return frame(payload, **fields), bad_fcs


def shape(random: Random) -> dict[str, Any]:
    """Tags, IPv4 options and padding of an otherwise plain frame."""
    return {
        "tags": random.choice(((), (), (C_TAG,), (S_TAG,), (S_TAG, C_TAG))),
        "options": bytes(4 * random.choice((0, 0, 0, random.randrange(11)))),
        "trailer": random.randbytes(random.choice((0, 0, random.randrange(1, 12)))),
        "ip_padding": random.randbytes(random.choice((0, 0, 0, random.randrange(1, 12)))),
    }


def block(random: Random) -> bytes:
    """A message, mostly a right one of any type."""
    kind = random.random()
    if kind < 0.85:
        return message(random.choice(list(TYPES)), random)
    if kind < 0.9:
        return message(random.choice(list(TYPES)), random, random.randint(1, 80))
    return unknown(random.choice((0, 1, random.randint(2, 30), random.randint(30, 250))), random)


def packet(sequence: int, blocks: Sequence[bytes], session: bytes = b"SESSION001", count: int | None = None,
           **fields: Any) -> bytes:
    """A frame with one packet."""
    return frame(mold(sequence, blocks, count, session), **fields)
