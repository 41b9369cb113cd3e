# SPDX-License-Identifier: MIT
"""cocotb tests of one receive line: each finds a mistake of examples/parser, with that mistake switched on."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pyuvm

from tests.examples.bugs import Bug, bugs


def with_bug(bug: Bug) -> type:
    """The test of the README's table, after whose reset the bug is there."""
    finder: Any = getattr(import_module(f"tests.rtl.receive.{bug.module}"), bug.test)

    class WithBug(finder):  # type: ignore[misc]
        async def reset(self) -> None:
            self.dut.dut.u_own_parser.bug.value = bug.number
            await super().reset()

    return type(bug.name, (WithBug,), {"__doc__": bug.mistake})


for _bug in bugs():
    if not _bug.rule:
        globals()[_bug.name] = pyuvm.test()(with_bug(_bug))
