# SPDX-License-Identifier: MIT
"""Fixtures that any test may use: the repository, the real samples, the lock of closed loops. Sets hypothesis' seed."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.order import TAKES_TURNS, in_parts
from tests.seeds import fresh, given_seed

ROOT = Path(__file__).resolve().parents[1]

# A shell starts what it runs in the background deaf to Ctrl-C, and children inherit that: the tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a machine under load any command can take long enough to say so; the tests of that turn it on.
os.environ.setdefault("TICKLOOP_PROGRESS", "off")

# Verilator's models are compiled by way of ccache: files that several have in common, its own run-time above all, are
# compiled once, and nothing that another run in this checkout compiled is compiled again.
os.environ.setdefault("OBJCACHE", "ccache")
os.environ.setdefault("CCACHE_DIR", str(ROOT / "build/ccache"))
os.environ.setdefault("CCACHE_MAXSIZE", "1G")

for _name, _derandomize in (("fixed", True), ("free", False)):
    settings.register_profile(_name, deadline=None, database=None, derandomize=_derandomize, print_blob=True)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before hypothesis' own: its tests follow the environment as all others do (tests/seeds.py)."""
    seed = given_seed()
    if seed is not None and config.getoption("--hypothesis-seed", None) is None:
        config.option.hypothesis_seed = str(seed)
    explicit = config.getoption("--hypothesis-seed", None) is not None
    settings.load_profile("free" if explicit or fresh() else "fixed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order that keeps all workers busy."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        turns = {item.nodeid for item in items if TAKES_TURNS in getattr(item, "fixturenames", ())}
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[name] for name in in_parts(list(by_name), turns, workers)]


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
    with (Path(tempfile.gettempdir()) / f"tickloop-loop-tests-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
