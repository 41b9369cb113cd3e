# SPDX-License-Identifier: MIT
"""The scripts behind the published figures, small: each runs through and compares what it measures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["loop_speed.py", "--messages", "2000", "--runs", "1"], "instructions a message, exact: mean "),
        (["software_parser.py", "--profile", "opening", "--messages", "1200", "--rounds", "1"],
         " orders and 8 books the same in all three"),
        (["ring_modes.py", "--messages", "1000"], "descriptors"),
        (["frames_per_second.py", "--frames", "120", "--rounds", "1", "--sim", "icarus"], "capture times: 2 frames"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_script(root: Path, arguments: list[str], printed: str) -> None:
    finished = subprocess.run([sys.executable, *arguments], cwd=root / "bench", capture_output=True, text=True,
                              check=False, timeout=300, env={**os.environ, "PYTHONPATH": str(root)})
    assert printed in finished.stdout, finished.stderr
    assert finished.returncode == 0
