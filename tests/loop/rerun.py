# SPDX-License-Identifier: MIT
"""Of a closed-loop test that fails, the last run is done again with waves, and the report says where they are. A run
depends on its command line alone, so the waves show what the test saw."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120

_commands: list[tuple[str, ...]] = []  # of the test that runs


def forget() -> None:
    """A test begins."""
    _commands.clear()


def note(arguments: tuple[str, ...], out: Path | None = None) -> None:
    """The test runs, or uses, ``tickloop`` with ``arguments``."""
    if arguments and arguments[0] in ("sim", "parse"):
        _commands.append((*arguments, "--out", str(out)) if out else arguments)


def with_waves() -> str | None:
    """Does the last run again; returns what to tell of it."""
    if not _commands or "--out" not in _commands[-1]:
        return None
    command = list(_commands[-1])
    at = command.index("--out") + 1
    if "--waves" not in command:
        command[at] += "-waves"
        command.append("--waves")
        run = [sys.executable, "-m", "tickloop", *command]
        try:
            subprocess.run(run, cwd=ROOT, capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return f"no waves: not done in {TIMEOUT_S} s: {shlex.join(['tickloop', *command])}"
    directory = Path(command[at])
    found = sorted(path.name for pattern in ("waves.*", "trace.json") for path in directory.glob(pattern))
    if not found:
        return f"no waves came of: {shlex.join(['tickloop', *command])}"
    return f"tickloop waves {directory}    ({', '.join(found)})\nreproduce: {shlex.join(['tickloop', *command])}"
