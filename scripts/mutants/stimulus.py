# SPDX-License-Identifier: MIT
"""What the mutants are played: beats of both receive ports and the set-up's inputs, clock by clock, as one file.

A `Stimulus` puts frames on the ports and changes inputs at clocks. Between beats the bus holds junk, and tkeep does
where tlast does not say that it counts. Everything is drawn from the seed; tb/mutation/main.cpp reads the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import numpy.typing as npt

from generators.framing import DEFAULT_GROUP
from generators.mutation import Traffic

Words = npt.NDArray[np.uint64]

GAP = 3  # clocks between two frames of a port: FCS, gap and preamble
CLOCK_NS = 6.4
FILL_CLOCKS = 2060  # the filter's fill, and some
VALID, LAST, BAD_FCS = 1 << 8, 1 << 9, 1 << 10
PORT_B_SHIFT = 16
GROUP_ADDRESS = int(IPv4Address(DEFAULT_GROUP.address))


class Input(IntEnum):
    """Inputs of replay.v that are no receive port, as main.cpp numbers them."""

    RST = 0
    TIME_NS = 1
    ENABLE = 2
    VERIFIED = 3
    PROTOTYPE = 4
    GROUP_ADDRESS = 5
    GROUP_PORT = 6
    HOLD = 7
    EVENT_ENABLE = 8
    FILTER_ENABLE = 9
    FILTER_FILL = 10
    FILTER_FILL_VALUE = 11
    FILTER_UPDATE = 12
    FILTER_UPDATE_LOCATE = 13
    FILTER_UPDATE_PASS = 14


@dataclass(frozen=True)
class Change:
    clock: int
    which: Input
    value: int


class Stimulus:
    """Beats and changes so far. ``now``: the clock from which on the next frames may come."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.now = 4
        self._free = [0, 0]
        self._beats: tuple[list[tuple[int, Words, Words]], list[tuple[int, Words, Words]]] = ([], [])
        self._changes: list[Change] = []
        self.set(0, RST=1)
        self.set(self.now, RST=0, GROUP_ADDRESS=GROUP_ADDRESS, GROUP_PORT=DEFAULT_GROUP.port, EVENT_ENABLE=7)

    def set(self, clock: int, **inputs: int) -> None:
        """Inputs take values in a clock, by the names of ``Input``."""
        self._changes += [Change(clock, Input[name], value) for name, value in inputs.items()]

    def pulse(self, clock: int, **inputs: int) -> None:
        """... and the inputs named are 0 again a clock later."""
        self.set(clock, **inputs)
        self.set(clock + 1, **dict.fromkeys(inputs, 0))

    def frame(self, line: int, data: bytes, *, clock: int = 0, bad_fcs: bool = False, idle: float = 0.0,
              longest: int = 4, pause: tuple[int, int] | None = None, gap: int = GAP) -> int:
        """A frame whose first beat is due in a clock, and comes then or as soon as the port is free.

        ``idle``: the share of its beats before which the port is idle for up to ``longest`` clocks; ``pause``: (beat,
        clocks) before one beat; ``gap`` follows it. Returns the clock of the last beat.
        """
        beats = -(-len(data) // 8)
        words = np.frombuffer(data.ljust(8 * beats, b"\0"), "<u8").astype(np.uint64)
        control = np.full(beats, VALID, np.uint64) | self.random.integers(0, 256, beats, np.uint64)
        tail = len(data) - 8 * (beats - 1)
        control[-1] = VALID | LAST | (BAD_FCS if bad_fcs else 0) | (1 << tail) - 1
        steps = np.ones(beats, np.int64)
        steps[0] = 0
        if idle:
            clocks = self.random.integers(1, longest + 1, beats - 1)
            steps[1:] += np.where(self.random.random(beats - 1) < idle, clocks, 0)
        if pause is not None and pause[0] < beats:
            steps[pause[0]] += pause[1]
        start = max(clock, self.now, self._free[line])
        at = start + np.cumsum(steps)
        for clock_at, word, lanes in zip(at.tolist(), words, control, strict=True):
            self._beats[line].append((clock_at, word, lanes))
        self._free[line] = int(at[-1]) + 1 + gap
        return int(at[-1])

    def play(self, made: Traffic, *, idle: float = 0.0, pace: float = 1.0) -> None:
        """Traffic at its times, or with ``pace`` 0 each line's frames back to back; takes as long as it takes."""
        begin = self.now
        for row in range(len(made)):
            clock = begin + int(pace * int(made.time_ns[row]) / CLOCK_NS)
            self.frame(int(made.line[row]), made.frames.frame(row), clock=clock, bad_fcs=bool(made.bad_fcs[row]),
                       idle=idle)
        self.now = self.end

    @property
    def end(self) -> int:
        """The first clock in which both ports are free."""
        return max(self.now, *self._free)

    def settle(self, clocks: int = 300) -> None:
        """Nothing comes for a time."""
        self.now = self.end + clocks

    def write(self, path: Path) -> None:
        last = self.now
        changes = sorted(self._changes, key=lambda change: change.clock)
        beats = np.zeros((last, 3), np.uint64)
        random = self.random
        for line, shift in ((0, 0), (1, PORT_B_SHIFT)):
            beats[:, line] = random.integers(0, 1 << 64, last, np.uint64)
            junk = random.integers(0, 1 << 11, last, np.uint64) & np.uint64(0xFFFF ^ VALID)
            at = np.array([clock for clock, _, _ in self._beats[line]], np.int64)
            beats[at, line] = np.array([word for _, word, _ in self._beats[line]], np.uint64)
            junk[at] = np.array([control for _, _, control in self._beats[line]], np.uint64)
            beats[:, 2] |= junk << np.uint64(shift)
        pairs = np.array([(change.clock << 8 | change.which, change.value) for change in changes], np.uint64)
        head = np.array([last, len(pairs)], np.uint64)
        path.write_bytes(head.tobytes() + beats.tobytes() + pairs.tobytes())
