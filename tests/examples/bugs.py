# SPDX-License-Identifier: MIT
"""The mistakes of examples/parser as its README lists them, each with the check that finds it and what that says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "parser"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| line/(\w+)\.(\w+) \| ([^|]+) \|$", re.MULTILINE)


class Bug(NamedTuple):
    """``rule``: it breaks a rule of the ports, which ends the simulation."""

    number: int
    mistake: str
    module: str
    test: str
    says: str

    @property
    def rule(self) -> bool:
        return self.says.startswith("rule ")

    @property
    def name(self) -> str:
        """Of its test in parser_bugs.py."""
        return f"Bug{self.number:02}"


def bugs() -> list[Bug]:
    rows = _ROW.findall((EXAMPLE / "README.md").read_text(encoding="utf-8"))
    return [Bug(int(number), mistake, module, test, says.strip()) for number, mistake, module, test, says in rows]
