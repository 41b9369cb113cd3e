# SPDX-License-Identifier: MIT
"""Calls the pure parts of memory/ in a program built with sanitizers (memory_runner.c)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from tests.sanitized import FIRMWARE, Runner, build

MAP, PAGES, HEAP, TABLES = range(1, 5)
PAGE = 4096
ARENA, ARENA_BYTES = 0x10000000, 16 << 20
ZONES = {"low": (0, 1 << 20), "dma": (1 << 20, 16 << 20), "normal": (16 << 20, 4 << 30), "high": (4 << 30, 1 << 64)}
ZONE_NAMES = tuple(ZONES)

Operation = tuple[int, ...]


def build_memory(directory: Path) -> Path:
    sources = [FIRMWARE / "memory" / f"{name}.c" for name in ("map", "pages", "heap", "tables")]
    return build(directory / "memory_runner", [Path(__file__).with_name("memory_runner.c"), *sources])


class Memory(Runner):
    """The running program."""

    def call(self, command: int, operations: Sequence[Operation]) -> list[int]:
        """All words of the answer."""
        payload = b"".join(struct.pack("<4Q", *operation, *[0] * (4 - len(operation))) for operation in operations)
        answer = self._call(command, payload)
        return list(struct.unpack(f"<{len(answer) // 8}Q", answer))
