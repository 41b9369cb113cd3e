# SPDX-License-Identifier: MIT
"""The kernel's own order of what it was told: records of the RX ring, and between them what the run's trace notes:
answers of the exchange, host commands, states of the link. The model of the kernel is fed in this order.

That the order is a possible one follows from how it is used: records come in the ring's order, answers and commands in
theirs, and a run in which one is missing or was made up differs from the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.interface import LoopResult, TraceNote
from bridge.layout import LinkState, RecoveryState, RecoveryStep, TraceKind
from tb.model.headers import PROTOCOL_UDP
from tb.model.intent import Answer
from tb.model.kernel import KernelModel
from tb.model.recovery import answer_blocks


class KernelOrder:
    """``answers`` are all of the exchange's, by their numbers."""

    def __init__(self, kernel: KernelModel, result: LoopResult, answers: Sequence[Answer]) -> None:
        self._kernel = kernel
        self._notes = result.notes
        self._dequeued = result.trace["dequeue_ps"].tolist()
        self._commands = result.commands
        self._answers = answers
        self._given = 0  # notes
        self._typed = b""  # of a command that was typed at the kernel's console
        self._answered = 0
        self._raw = [frame.data for frame in result.raw]
        self._raw_taken = 0
        self._asked: list[bytes] = []
        self._sent = [frame.data for frame in result.sent]
        self.problems: list[str] = []

    def before(self, record: int) -> None:
        """What the kernel did before it took this record."""
        while (note := self._next()) and note.records <= record and not self._is_inside(note, record):
            self._give(note)

    def inside(self, record: int) -> None:
        """What it did between this record's change of a book and its orders."""
        while (note := self._next()) and note.records <= record:
            self._give(note)

    def end(self) -> None:
        """What it did behind the last record; all that it was told is behind it then."""
        while (note := self._next()) is not None:
            self._give(note)
        self._kernel.finish()
        if self._kernel.recovery is not None:
            self._end_of_recovery()
        if self._kernel.risk.link_ready and (left := len(self._kernel.own.to_cancel())):
            self.problems.append(f"{left} orders are open that the kernel should have cancelled on command")
        if self._answered != len(self._answers):
            self.problems.append(
                f"the kernel has taken {self._answered} of the exchange's {len(self._answers)} answers")

    def _next(self) -> TraceNote | None:
        return self._notes[self._given] if self._given < len(self._notes) else None

    def _is_inside(self, note: TraceNote, record: int) -> bool:
        return record < len(self._dequeued) and note.time_ps >= self._dequeued[record]

    def _give(self, note: TraceNote) -> None:
        self._given += 1
        if note.kind == TraceKind.COMMAND:
            if not 0 < note.value <= len(self._commands):
                self.problems.append(f"the kernel has taken a command {note.value}, {len(self._commands)} were given")
                return
            self._kernel.command(self._commands[note.value - 1].text)
        elif note.kind == TraceKind.CONSOLE:
            self._typed += note.value.to_bytes(8, "little")
            if self._typed.endswith(b"\0"):
                self._kernel.command(self._typed.rstrip(b"\0").decode("latin-1"))
                self._typed = b""
        elif note.kind == TraceKind.CANCELS:
            if (sent := len(self._kernel.cancels(note.value))) != note.value:
                self.problems.append(f"the kernel has sent {note.value} cancels on command, the model {sent}")
        elif note.kind == TraceKind.LINK:
            self._kernel.link("ready" if note.value == LinkState.READY else "down")
        elif note.kind == TraceKind.RECOVERY:
            self._recovery(note)
        elif note.kind == TraceKind.ANSWERS:
            taken = self._answers[self._answered:note.value]
            if self._answered + len(taken) != note.value:
                self.problems.append(
                    f"the kernel has taken {note.value} answers, the exchange gave {len(self._answers)}")
            self._answered += len(taken)
            for answer in taken:
                self._kernel.answer(answer)

    def _recovery(self, note: TraceNote) -> None:
        """A step of the recovery of lost messages: the kernel took an answer, or asked."""
        recovery, time_ns = self._kernel.recovery, note.time_ps // 1000
        taken, step, state = note.value >> 16, note.value >> 8 & 0xFF, RecoveryState(note.value & 0xFF).name.lower()
        if recovery is None or taken > len(self._raw):
            self.problems.append("the kernel recovers what it cannot")
            return
        if step == RecoveryStep.ANSWER:
            self._no_answers(taken - 1)
            self._raw_taken = taken
            self._kernel.answered(self._raw[taken - 1], time_ns)
        else:
            if time_ns + 1 < recovery.waits_until_ns():
                self.problems.append(f"the kernel asked again at {time_ns} ns, due at {recovery.waits_until_ns()} ns")
            request = self._kernel.asks(max(time_ns, recovery.waits_until_ns()))
            self._asked += [request] if request is not None else []
        if recovery.state != state:
            self.problems.append(f"recovery at {time_ns} ns: the kernel is {state}, the model {recovery.state}")

    def _no_answers(self, end: int) -> None:
        """Raw frames up to ``end`` of which the kernel said nothing."""
        assert self._kernel.recovery is not None
        for index in range(self._raw_taken, end):
            if answer_blocks(self._kernel.recovery.path, self._raw[index]) is not None:
                self.problems.append(f"raw frame {index} is an answer of the re-request server that the kernel ignored")

    def _end_of_recovery(self) -> None:
        self._no_answers(len(self._raw))
        sent = [frame for frame in self._sent if frame[12:14] == b"\x08\x00" and frame[23] == PROTOCOL_UDP]
        if sent != self._asked:
            self.problems.append(f"the kernel sent {len(sent)} re-requests, the model asks for {len(self._asked)}, "
                                 f"or they differ")
