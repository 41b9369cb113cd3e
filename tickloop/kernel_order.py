# SPDX-License-Identifier: MIT
"""The kernel's own order of what it was told: records of the RX ring, and between them what the run's trace notes:
answers of the exchange, host commands, states of the link. The model of the kernel is fed in this order.

That the order is a possible one follows from how it is used: records come in the ring's order, answers and commands in
theirs, and a run in which one is missing or was made up differs from the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.interface import LoopResult, TraceNote
from bridge.layout import LinkState, TraceKind
from tb.model.intent import Answer
from tb.model.kernel import KernelModel


class KernelOrder:
    """``answers`` are all of the exchange's, by their numbers."""

    def __init__(self, kernel: KernelModel, result: LoopResult, answers: Sequence[Answer | None]) -> None:
        self._kernel = kernel
        self._notes = result.notes
        self._dequeued = result.trace["dequeue_ps"].tolist()
        self._commands = result.commands
        self._answers = answers
        self._given = 0  # notes
        self._answered = 0
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
        elif note.kind == TraceKind.LINK:
            self._kernel.link("ready" if note.value == LinkState.READY else "down")
        elif note.kind == TraceKind.ANSWERS:
            taken = self._answers[self._answered:note.value]
            if self._answered + len(taken) != note.value:
                self.problems.append(
                    f"the kernel has taken {note.value} answers, the exchange gave {len(self._answers)}")
            self._answered += len(taken)
            for answer in taken:
                if answer is not None:
                    self._kernel.answer(answer)
