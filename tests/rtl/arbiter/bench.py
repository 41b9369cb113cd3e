# SPDX-License-Identifier: MIT
"""Plays frames into the arbiter, entry by entry, and compares everything that comes out with the oracle.

One coroutine drives and samples, once a clock: at the falling edge it puts the entries of both lines, looks at what
the arbiter makes of them when all is settled, and goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from bridge import layout
from bridge.interface import CLOCK_PS
from tb.receive.entries import RECORD
from tb.signals import reader
from tests.rtl.arbiter.frames import Frame, in_wire_order
from tests.rtl.arbiter.oracle import Oracle, Outcome

READY, (BUSY, VALID, FIRST, EVENT, ABORT, REPORT, IDLE) = {"A": 1, "B": 2}, (1 << bit for bit in range(2, 9))
SEQUENCE_BITS = 64  # of a record: where the packet has no number they are the stream's
QUIET_CLOCKS = 8192  # without an entry taken: more than any hold or pause of the tests
_STATISTICS = sorted((address, name) for name, address in layout.REGISTERS.items() if address >= 0x200)


class Line:
    """One receive line: its frames' entries in order, each not before its clock."""

    def __init__(self, name: str, dut: Any, frames: Sequence[Frame], others: dict[int, int]) -> None:
        lower = name.lower()
        self.name = name
        self.starts = {frame.start: others[frame.index] for frame in frames if frame.line == name}
        self.entries = deque((entry, frame) for frame in frames if frame.line == name
                             for entry in frame.entries(others[frame.index]))
        self.shown: dict[int, int] = {}      # record -> clock in which it was last put
        self._valid, self._kind, self._data, self._starts = (
            getattr(dut, f"{lower}_{port}") for port in ("valid", "kind", "data", "starts"))
        self._shown = False
        self._started = False
        self._fresh = True

    def drive(self, clock: int) -> None:
        """Puts the entry that is due, and the start of a frame."""
        started = clock in self.starts
        if started != self._started:
            self._starts.value = int(started)
            self._started = started
        due = bool(self.entries) and self.entries[0][0][0] <= clock
        if due:
            (_, kind, data), _ = self.entries[0]
            self._kind.value = kind
            self._data.value = data
            if kind == RECORD and self._fresh:
                self.shown[data >> SEQUENCE_BITS] = clock
            self._fresh = False
        if due != self._shown:
            self._valid.value = int(due)
        self._shown = due

    def taken(self, ready: bool) -> None:
        """The entry that was put is taken."""
        if self._shown and ready:
            self.entries.popleft()
            self._fresh = True


class Bench:
    """The arbiter out of reset."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.random = Random(cocotb.RANDOM_SEED)
        self.hold = 0
        self.events = 0

    @classmethod
    async def start(cls, dut: Any, hold: int = 0, events: int = 0, filtering: bool = False) -> Bench:
        bench = cls(dut)
        dut.rst.value = 1
        dut.hold.value = hold
        dut.event_enable.value = events
        dut.filter_enable.value = int(filtering)
        for name in ("fill", "fill_value", "update", "update_locate", "update_pass"):
            getattr(dut, name).value = 0
        for line in "ab":
            for port in ("starts", "valid", "kind", "data", "level_high"):
                getattr(dut, f"{line}_{port}").value = 0
        Clock(dut.clk, CLOCK_PS, "ps", impl="gpi").start()
        for _ in range(3):
            await FallingEdge(dut.clk)
        dut.rst.value = 0
        bench.hold, bench.events = hold, events
        return bench

    async def clocks(self, count: int) -> None:
        for _ in range(count):
            await FallingEdge(self.dut.clk)

    async def reset(self) -> None:
        self.dut.rst.value = 1
        await self.clocks(2)
        self.dut.rst.value = 0
        await self.clocks(1)

    async def offer(self, line: str, kind: int, data: int) -> int:
        """Puts one entry until it is taken; returns how long it waited."""
        valid, kinds, values = (getattr(self.dut, f"{line.lower()}_{port}") for port in ("valid", "kind", "data"))
        valid.value, kinds.value, values.value = 1, kind, data
        waited = 0
        while True:
            await ReadOnly()
            if int(self.dut.events.value) & READY[line]:
                break
            waited += 1
            assert waited < 1 << 15, "an entry that nobody takes"
            await self.clocks(1)
        await self.clocks(1)
        valid.value = 0
        return waited

    def statistics(self) -> dict[str, int]:
        """The counters that are not 0."""
        bus = int(self.dut.statistics.value)
        have = {name: bus >> 32 * word & 0xFFFF_FFFF for word, (_, name) in enumerate(_STATISTICS)}
        return {name: count for name, count in have.items() if count}

    async def play(self, frames: Sequence[Frame], blocked: Collection[int] = ()) -> Run:
        """Plays frames whose clocks count from now and judges all that comes of them."""
        begin = int(self.dut.clocks.value) + 1
        for frame in frames:
            frame.start += begin
        ordered = in_wire_order(frames)
        run = Run(ordered, self.events, Oracle(ordered, self.hold, blocked))
        await run.drive(self.dut)
        run.judge(self.dut, self.statistics())
        return run


class Run:
    """One sequence of frames and what came of it."""

    def __init__(self, frames: Sequence[Frame], events: int, oracle: Oracle) -> None:
        self.frames = frames
        self.events = events
        self.oracle = oracle
        self.messages: list[list[bytes]] = []
        self.told: list[bytes] = []
        self.reports: dict[int, list[tuple[int, ...]]] = {0: [], 1: []}
        self.aborts = 0
        self.waits = {"A": 0, "B": 0}        # clocks by which messages came out later than in the next one
        self.longest = 0

    async def drive(self, dut: Any) -> None:
        """Until every frame's last entry is taken and the arbiter is idle."""
        starts = {name: [frame.start for frame in self.frames if frame.line == name] for name in "AB"}
        others = {
            frame.index: sum(start < frame.start + (frame.line == "B") for start in starts["AB"[frame.line == "A"]])
            for frame in self.frames
        }
        lines = [Line(name, dut, self.frames, others) for name in "AB"]
        clock = int(dut.clocks.value)
        falling, read_only = FallingEdge(dut.clk), ReadOnly()
        read_events, line_handle, report_handle = reader(dut.events), dut.line_data, dut.report
        pending: list[bytes] = []
        quiet, left_before = 0, 0
        while True:
            await falling
            clock += 1
            for line in lines:
                line.drive(clock)
            await read_only
            events = read_events()
            if any(clock in line.starts for line in lines):
                told = int(dut.others_started.value)
                for shift, line in zip((0, 16), lines, strict=True):
                    if clock in line.starts:
                        assert told >> shift & 0xFFFF == line.starts[clock], f"others of a frame on line {line.name}"
            if events & (VALID | ABORT):
                self._line(events, line_handle, pending, clock, lines)
            if events & REPORT:
                self._report(int(report_handle.value))
            for line in lines:
                line.taken(bool(events & READY[line.name]))
            left = sum(len(line.entries) for line in lines)
            if not left and events & IDLE:
                break
            quiet = 0 if left != left_before else quiet + 1
            left_before = left
            assert quiet < QUIET_CLOCKS, "entries that nobody takes"
        assert not pending, "continuation lines without a record"
        await falling

    def _line(self, events: int, handle: Any, pending: list[bytes], clock: int, lines: Sequence[Line]) -> None:
        if events & ABORT:
            assert not events & VALID, "a line beside an abort"
            self.aborts += 1
            pending.clear()
        if not events & VALID:
            return
        data = int(handle.value).to_bytes(60, "little")
        if events & EVENT:
            assert events & FIRST
            assert not pending, "an event amid a message"
            self.told.append(data)
            return
        if events & FIRST:
            line = lines[_of_line_b(data)]
            waited = clock - line.shown[int.from_bytes(data, "little") >> SEQUENCE_BITS] - 1
            assert waited >= 0
            self.waits[line.name] += waited
            self.longest = max(self.longest, waited)
            self.messages.append([*pending, data])
            pending.clear()
        else:
            pending.append(data)

    def _report(self, report: int) -> None:
        fields = []
        for bits in (8, 8, 8, 8, 64, 80, 64, 16, 48):
            fields.append(report & (1 << bits) - 1)
            report >>= bits
        self.reports[fields[0]].append(tuple(fields))

    def judge(self, dut: Any, statistics: dict[str, int]) -> None:
        outcomes = self.oracle.outcomes
        assert outcomes, "nothing to compare"
        assert self.messages == [message for outcome in outcomes for message in outcome.messages]
        for index, name in enumerate("AB"):
            mine = [outcome for outcome in outcomes if outcome.frame.line == name]
            assert self.reports[index] == [outcome.report() for outcome in mine], f"reports of line {name}"
            told = [line for line in self.told if _of_line_b(line) == (name == "B")]
            assert told == self._events(mine), f"events of line {name}"
        assert statistics == self.oracle.statistics()
        if self.oracle.stream.session is not None:
            assert int(dut.next_expected_valid.value) == 1
            assert int(dut.next_expected.value) == self.oracle.stream.next_expected
        else:
            assert int(dut.next_expected_valid.value) == 0

    def _events(self, outcomes: Sequence[Outcome]) -> list[bytes]:
        return [event for outcome in outcomes if (event := outcome.event(self.events)) is not None]


def _of_line_b(line: bytes) -> bool:
    return bool(line[layout.RX_EVENT.fields["status"][1]] & layout.STATUS_LINE_B)
