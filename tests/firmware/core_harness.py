# SPDX-License-Identifier: MIT
"""The kernel's core as a host process under sanitizers: records in, orders out, exports and invariants on demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bridge import layout
from tests.firmware.records import Export, config_module, parse_export, record_lines
from tests.sanitized import FIRMWARE, Runner, build

STRATEGIES = Path(__file__).resolve().parents[1] / "core" / "strategies"  # of tests
CONFIGURE, RECORDS, EXPORT, CHECK, ANSWERS, LINK, TEXT, NUMBER, ROOM = range(1, 10)
INTENTS = 4  # that one record may lead to
INTENT = np.dtype([  # struct intent
    ("stock", "S8"), ("number", "<u4"), ("original", "<u4"), ("shares", "<u4"), ("price", "<u4"), ("book", "<u2"),
    ("kind", "u1"), ("side", "S1"), ("padding", "<u4"),
])
ANSWER = np.dtype([  # struct answer
    ("timestamp", "<u8"), ("reference", "<u8"), ("match", "<u8"), ("number", "<u4"), ("original", "<u4"),
    ("shares", "<u4"), ("price", "<u4"), ("kind", "u1"), ("side", "S1"), ("reason", "S1"), ("dead", "u1"),
    ("padding", "<u4"),
])
SENT = np.dtype([("slot", layout.TX_SLOT), ("intent", INTENT)])
REPLY = np.dtype([("sent", SENT, INTENTS), ("decision", "<u4"), ("count", "<u4")])
EXPORT_LIMIT = 64 << 20


def build_core(directory: Path, sources: Sequence[Path] = ()) -> Path:
    """Compile core/, strategies, ``sources`` and the runner with the address and undefined-behaviour sanitizers."""
    program = directory / "core_runner"
    return build(program, [
        Path(__file__).parent / "core_runner.c",
        *sorted(path for names in ("core/*.c", "strategies/*.c", "session/ouch*.c") for path in FIRMWARE.glob(names)),
        *sorted(STRATEGIES.glob("*.c")), *sources,
    ])


@dataclass(frozen=True)
class Invariants:
    """What the runner found in its own pools: the tallest tree, and what is broken ("" if nothing)."""

    tallest: int
    broken: str


class Core(Runner):
    """A running core; a sanitizer's finding ends it and fails the next call."""

    def __init__(self, program: Path) -> None:
        super().__init__(program)
        self._sequence = 0

    def configure(self, module: bytes | None = None) -> str:
        """Start over with a configuration; returns what is wrong with it."""
        self._sequence = 0
        return self._call(CONFIGURE, config_module() if module is None else module).decode()

    def lines(self, lines: Iterable[bytes | bytearray]) -> list[bytes]:
        """Feed first lines of records; returns the OUCH messages of the orders they led to."""
        return [
            sent["slot"]["message"].tobytes()[: sent["slot"]["length"]]
            for sents in self.intents(lines) for sent in sents if sent["intent"]["kind"] == layout.IntentKind.ENTER
        ]

    def intents(self, lines: Iterable[bytes | bytearray]) -> list[Any]:
        """Feed first lines of records and events; returns for each the intents that were sent, as SENT."""
        replies = np.frombuffer(self._call(RECORDS, b"".join(lines)), REPLY)
        return [reply["sent"][: reply["count"]] for reply in replies]

    def answers(self, answers: Any) -> Any:
        """Feed answers of the exchange: an array of ANSWER; returns the cancels that were sent, as SENT."""
        return np.frombuffer(self._call(ANSWERS, answers.tobytes()), SENT)

    def link(self, state: layout.LinkState) -> Any:
        """The state of the link; returns the cancels that were sent, as SENT."""
        return np.frombuffer(self._call(LINK, int(state).to_bytes(4, "little")), SENT)

    def command(self, text: str) -> Any:
        """A host command; returns the cancels that were sent, as SENT."""
        return np.frombuffer(self._call(TEXT, text.encode()), SENT)

    def messages(self, messages: Iterable[bytes]) -> list[bytes]:
        """Feed ITCH messages with consecutive sequence numbers."""
        lines = []
        for message in messages:
            self._sequence += 1
            lines.append(record_lines(message, self._sequence)[0])
        return self.lines(lines)

    def export(self) -> Export:
        return parse_export(self.export_bytes(EXPORT_LIMIT))

    def export_bytes(self, capacity: int) -> bytes:
        return self._call(EXPORT, capacity.to_bytes(8, "little"))

    def check(self) -> Invariants:
        tallest, broken = self._call(CHECK).decode().split(" ", 1)
        return Invariants(int(tallest), broken)

    def room(self, slots: int) -> Any:
        """So many TX slots are free for cancels from now on; returns the cancels that were sent, as SENT."""
        return np.frombuffer(self._call(ROOM, slots.to_bytes(4, "little")), SENT)

    def set_order_number(self, number: int) -> None:
        """Pretend that this was the last order's number."""
        self._call(NUMBER, number.to_bytes(4, "little"))
