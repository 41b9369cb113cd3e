# SPDX-License-Identifier: MIT
"""Every short sequence of book messages over 2 orders, 2 prices and 2 sides, in the core and in a reference of a few
lines: 4 of all kinds in every test run, 6 at full effort (make regress); in pools of one order or one level too."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.build import build_native
from tb.model.config import KernelConfig
from tests.effort import full_effort
from tickloop.config import compile_module

SOURCE = Path(__file__).parent / "small_model.c"
MANY = 1000  # above the number of messages to choose from


def sequences(letters: int, length: int) -> int:
    """Messages compared: each sequence's last one, of all lengths up to ``length``."""
    return sum(letters**n for n in range(1, length + 1))


def run(tmp_path: Path, config: KernelConfig, length: int, every_kind: bool) -> tuple[int, int]:
    """Returns how many messages there are to choose from, and how many were compared."""
    module = tmp_path / "config.bin"
    module.write_bytes(compile_module(config))
    command = [build_native(SOURCE), module, str(length), str(int(every_kind)), "0", str(MANY)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    letters, _, compared, _ = finished.stdout.replace(",", " ").split()
    return int(letters), int(compared)


@pytest.mark.parametrize(("orders", "levels", "every_kind"), [(2, 4, True), (1, 1, False), (2, 1, False),
                                                               (1, 4, False), (2, 2, False)])
def test_all_sequences_of_four(tmp_path: Path, orders: int, levels: int, every_kind: bool) -> None:
    config = replace(KernelConfig(), max_books=1, max_orders=orders, max_levels=levels)
    letters, compared = run(tmp_path, config, 4, every_kind)
    assert letters == (44 if every_kind else 24)
    assert compared == sequences(letters, 4)


@pytest.mark.skipif(not full_effort(), reason="some minutes: at full effort, in make regress")
def test_all_sequences_of_six(tmp_path: Path) -> None:
    config = replace(KernelConfig(), max_books=1, max_orders=2, max_levels=4)
    assert run(tmp_path, config, 6, False) == (24, sequences(24, 6))
