# SPDX-License-Identifier: MIT
"""The test image: the kernel, and cases in C that run in place of trading, one a boot, on the machine of a test."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from tests.platform.machine import Machine, Setup

HERE = Path(__file__).resolve().parent
SOURCES = [HERE / "cases.c", *sorted(HERE.glob("*/*_cases.c"))]
LINKER_FLAGS = "-Wl,--wrap=trading_run"


class Cases:
    """Boots the image with a case."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self._folder = image, folder

    def setup(self, case: str, **setup: Any) -> Setup:
        module = self._folder / f"{case}.txt"
        module.write_text(case)
        return Setup(self.image, modules=[module], **setup)

    def run(self, case: str, status: int, **setup: Any) -> str:
        """The console of a case that ends, and ends with this exit code of QEMU."""
        with Machine(self.setup(case, **setup)) as machine:
            ended = machine.wait()
            assert ended == status, machine.console
            return machine.console

    def symbol(self, name: str) -> int:
        """The address of a symbol of the image."""
        listing = subprocess.run(["nm", str(self.image)], check=True, capture_output=True, text=True).stdout
        found = re.search(rf"^([0-9a-f]+) . {re.escape(name)}$", listing, re.MULTILINE)
        assert found, name
        return int(found[1], 16)
