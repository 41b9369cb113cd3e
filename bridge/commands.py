# SPDX-License-Identifier: MIT
"""Host commands of a run, as ``record/commands.bin`` has them: the native core gives each to the kernel when due."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bridge.layout import HOST_COMMAND

COMMANDS = "commands.bin"
LONGEST = HOST_COMMAND["text"].itemsize - 1  # a zero ends it


class Command(NamedTuple):
    """A line of text for the kernel, ``time_ps`` after the time of the run's first frame."""

    time_ps: int
    text: str


def write_commands(record: Path, commands: Iterable[Command]) -> None:
    """Write ``record/commands.bin``: by time, and in the order given where times are equal."""
    by_time = sorted(commands, key=lambda command: command.time_ps)
    entries = np.zeros(len(by_time), HOST_COMMAND)
    for entry, command in zip(entries, by_time, strict=True):
        text = command.text.encode("ascii")
        if not 0 < len(text) <= LONGEST:
            raise ValueError(f"a command has 1 to {LONGEST} characters")
        entry["time_ps"] = command.time_ps
        entry["text"][: len(text)] = np.frombuffer(text, np.uint8)
    (record / COMMANDS).write_bytes(entries.tobytes())


def read_commands(record: Path) -> tuple[Command, ...]:
    """What ``write_commands`` wrote."""
    entries = np.frombuffer((record / COMMANDS).read_bytes(), HOST_COMMAND)
    return tuple(
        Command(int(entry["time_ps"]), entry["text"].tobytes().rstrip(b"\0").decode("ascii")) for entry in entries
    )
