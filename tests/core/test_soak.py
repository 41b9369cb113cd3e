# SPDX-License-Identifier: MIT
"""A long random stream of book messages through the core: no crossed book where the feed crosses none, every level the
sum of its orders, no order leaked; a million messages in every test run, ten at full effort (make regress)."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.build import build_native
from tb.model.config import KernelConfig
from tests.effort import full_effort
from tickloop.config import compile_module

SOURCE = Path(__file__).parent / "soak.c"
MESSAGES = 10_000_000 if full_effort() else 1_000_000


@pytest.mark.parametrize("seed", [1, 2])
def test_soak(tmp_path: Path, seed: int) -> None:
    module = tmp_path / "config.bin"
    module.write_bytes(compile_module(replace(KernelConfig(), max_books=200, max_orders=1 << 16)))
    command = [build_native(SOURCE), module, str(MESSAGES), str(seed)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"seed {seed}: {finished.stdout}"
    done, refused = (int(part.split()[0]) for part in finished.stdout.split(", ")[:2])
    assert done >= MESSAGES
    assert refused > MESSAGES // 200
