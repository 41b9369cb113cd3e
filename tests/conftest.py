# SPDX-License-Identifier: MIT
"""Fixtures that any test may use: the repository, the folder of real samples, the lock of closed loops."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real samples, or a skip."""
    folder = (ROOT / os.environ.get("TICKLOOP_DATA", "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"real samples: {folder} is absent (TICKLOOP_DATA)")
    return folder


@pytest.fixture
def one_loop_at_a_time() -> Iterator[None]:
    """A parked kernel spins on a core, so closed loops take turns, with other test processes too."""
    with (Path(tempfile.gettempdir()) / "tickloop-loop-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
