# SPDX-License-Identifier: MIT
"""``--script``: commands for the kernel at simulated times, one a line: ``1.5ms kill``.

A time counts from the run's first frame and has a unit. Empty lines, and what follows a ``#``, are nothing.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from bridge.commands import LONGEST, Command
from tickloop.exits import UsageError

PS_OF = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}
LATEST_PS = 86_400 * PS_OF["s"]
_LINE = re.compile(r"(\d+(?:\.\d+)?)(ps|ns|us|ms|s)\s+(\S.*)")


def read_script(path: Path) -> tuple[Command, ...]:
    """The commands of a script.

    Raises:
        UsageError: it cannot be read, or a line, which is named, is none.
    """
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(f"--script {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--script {path}: not ASCII text") from None
    lines = ((number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return tuple(_command(line, f"--script {path}, line {number}") for number, line in lines if line)


def _command(line: str, where: str) -> Command:
    match = _LINE.fullmatch(line)
    if not match:
        raise UsageError(f"{where}: not TIME COMMAND, with a time such as 1.5ms (units: {', '.join(PS_OF)})")
    number, unit, text = match.groups()
    time_ps = Decimal(number) * PS_OF[unit]
    if time_ps != int(time_ps):
        raise UsageError(f"{where}: {number}{unit} is no whole number of picoseconds")
    if time_ps > LATEST_PS:
        raise UsageError(f"{where}: {number}{unit} is later than a day")
    if len(text) > LONGEST:
        raise UsageError(f"{where}: a command has at most {LONGEST} characters")
    return Command(int(time_ps), text)
