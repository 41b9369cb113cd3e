# SPDX-License-Identifier: MIT
"""Fixtures that any test may use: the repository, the real samples, the lock of closed loops."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A shell starts what it runs in the background deaf to Ctrl-C, and children inherit that: the tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Path]:
    """``sample(name)``: a file of real messages, or a skip."""

    def find(name: str) -> Path:
        folder = (ROOT / os.environ.get("TICKLOOP_DATA", "../shared/data")).resolve()
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in {folder}; TICKLOOP_DATA names the folder of real samples")
        return folder / name

    return find


@pytest.fixture
def one_loop_at_a_time() -> Iterator[None]:
    """A parked kernel spins on a core, so closed loops take turns, with other test processes too."""
    with (Path(tempfile.gettempdir()) / "tickloop-loop-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
