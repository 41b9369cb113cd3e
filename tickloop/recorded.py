# SPDX-License-Identifier: MIT
"""A run's record as ``replay`` and ``diff`` read it: its logs, what it was given, and run.json if it came so far."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.commands import COMMANDS
from bridge.record import LAYOUT, Recording, read_given, read_recording
from tickloop.exits import ExitStatus, TickloopError, UsageError
from tickloop.rundir.files import RECORD

LOGS = ("frames", "valid", "dma", "reads", "registers", "sent", "guest", "trace", "export")
# Of the record: frames; and what is the kernel's: its configuration module, commands of the host.
INPUTS = ("stimulus.bin", "config.bin", COMMANDS)


@dataclass(frozen=True)
class RecordedRun:
    """``given``: what the loop was told (``bridge.record.write_given``); ``run``: run.json, empty without one."""

    directory: Path
    given: dict[str, Any]
    run: dict[str, Any]
    logs: Recording

    @property
    def record(self) -> Path:
        return self.directory / RECORD

    @property
    def clock_ps(self) -> int:
        return int(self.given["request"]["clock_ps"])

    @property
    def has_kernel(self) -> bool:
        return bool(self.given["kernel"])

    @property
    def is_rtl_replay(self) -> bool:
        return bool(self.given["replay"]) and not self.has_kernel


def load(directory: Path) -> RecordedRun:
    """The record in the run directory ``directory``.

    Raises:
        UsageError: there is none, or a part of it is missing.
        TickloopError: status 7, it was written with another layout.
    """
    record = directory / RECORD
    try:
        given = check_layout(directory)
        for name in LOGS:
            (record / f"{name}.bin").stat()
        return RecordedRun(directory, given, _run_document(directory), read_recording(record))
    except OSError as error:
        raise UsageError(f"{directory}: no record of a run here ({error.filename}: {error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{directory}: the record is damaged; make the run again") from None


def check_layout(directory: Path) -> dict[str, Any]:
    """What the loop of the run in ``directory`` was told.

    Raises:
        OSError, ValueError, KeyError, TypeError: there is no such document.
        TickloopError: status 7, the run was recorded with another layout.
    """
    given = read_given(directory / RECORD)
    if given["layout"] != LAYOUT:
        raise TickloopError(ExitStatus.LAYOUT_DIFFERS, f"{directory}: recorded with layout {given['layout']}, "
                            f"this is {LAYOUT}; make the run again, or go back to its version")
    return given


def _run_document(directory: Path) -> dict[str, Any]:
    path = directory / "run.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    return document
