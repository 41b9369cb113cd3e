# SPDX-License-Identifier: MIT
"""The seeds of random tests: the same ones in every `make test`, new ones where asked for, a given one wins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.seeds import SEED, SEEDS, seed_of

ROOT = Path(__file__).resolve().parents[1]
NAME = "tests/rtl/env/test_environment.py::test_environment[ring_tests]"

DRAWING_TEST = """
from hypothesis import given, settings, strategies as st

@settings(max_examples=20)
@given(st.integers(0, 1 << 60))
def test_draws(number):
    print("drawn", number)
"""


def test_a_tests_name_gives_its_seed() -> None:
    """A number that is written here: another Python, another day, the same traffic."""
    assert seed_of(NAME, {}) == seed_of(NAME, {"TEST_SEEDS": "fixed"}) == 802976899
    assert seed_of(NAME.replace("ring", "host"), {}) != seed_of(NAME, {})
    assert 0 <= seed_of("", {}) < 1 << 31


def test_fresh_seeds_differ() -> None:
    assert len({seed_of(NAME, {"TEST_SEEDS": "fresh"}) for _ in range(4)}) == 4
    with pytest.raises(ValueError, match="TEST_SEEDS"):
        seed_of(NAME, {"TEST_SEEDS": "new"})


def test_a_given_seed_wins() -> None:
    assert seed_of(NAME, {"COCOTB_RANDOM_SEED": "7", "TEST_SEEDS": "fresh"}) == 7


def drawn(directory: Path, **variables: str) -> list[str]:
    """What a test of hypothesis' drew in a pytest of its own."""
    (directory / "test_drawing.py").write_text(DRAWING_TEST)
    environment = {name: value for name, value in os.environ.items() if name not in (SEED, SEEDS)}
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-p", "tests.conftest",
               "-c", os.devnull, "test_drawing.py"]  # fmt: skip
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False,
                          env={**environment, "PYTHONPATH": f"{ROOT}", "PYTHONDONTWRITEBYTECODE": "1", **variables})
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = [line for line in done.stdout.splitlines() if "drawn" in line]
    assert len(numbers) >= 10
    return numbers


def test_hypothesis_follows(tmp_path: Path) -> None:
    assert drawn(tmp_path) == drawn(tmp_path)
    assert drawn(tmp_path, TEST_SEEDS="fresh") != drawn(tmp_path, TEST_SEEDS="fresh")
    assert drawn(tmp_path, COCOTB_RANDOM_SEED="7") == drawn(tmp_path, COCOTB_RANDOM_SEED="7") != drawn(tmp_path)
    assert list(tmp_path.glob(".hypothesis/examples")) == []  # tables of characters may be kept there
