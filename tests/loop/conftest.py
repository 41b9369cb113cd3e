# SPDX-License-Identifier: MIT
"""Closed loops run one at a time: a parked kernel spins on a core. Every test checks that nothing is left behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge import build
from tests.loop import rerun
from tickloop.rundir.files import RECORD, RECORD_FILES, RUN_FILES

SIMULATORS = ("verilator", "icarus")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunDirectory:
    """A finished run as its user finds it."""

    path: Path
    output: str

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text())

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.path / name).read_text().splitlines()]


def processes_of(directory: Path) -> list[str]:
    """Processes whose command line or working directory names ``directory``."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(directory) in command or str(directory) in os.readlink(entry / "cwd"):
                found.append(command)
        except OSError:
            continue
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Waves of what failed, made before the test gives its turn among the closed loops away."""
    report = yield
    if report.when == "call" and report.failed and (told := rerun.with_waves()):
        report.sections.append(("waves", told))
    return report


@pytest.fixture(autouse=True)
def _alone(one_loop_at_a_time: None) -> Iterator[None]:
    rerun.forget()
    shared = set(os.listdir("/dev/shm"))
    yield
    left = {name for name in set(os.listdir("/dev/shm")) - shared if "tickloop" in name or "qemu" in name}
    assert not left, f"left behind in /dev/shm: {left}"


@pytest.fixture(scope="session")
def built() -> None:
    """What a closed loop on Verilator runs is built: a test that takes the time does not take this."""
    build.build_simulator("verilator", False)
    build.build_kernel()


@pytest.fixture(scope="session")
def tickloop() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``tickloop("sim", ...)``: the command as a user runs it, output captured."""

    def run(*arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        rerun.note(tuple(map(str, arguments)))
        command = [sys.executable, "-m", "tickloop", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)

    return run


@pytest.fixture(scope="session")
def completed(
    tickloop: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Callable[..., RunDirectory]:
    """``completed("sim", ...)``: the run directory of a run that passed; equal calls share one run, those of another
    worker of this session too. Who asks has the turn among the closed loops, so no two make the same run at once."""
    session = tmp_path_factory.getbasetemp()
    runs = (session.parent if hasattr(pytestconfig, "workerinput") else session) / "runs"

    def run(*arguments: str | Path, again: int = 0) -> RunDirectory:
        key = (*map(str, arguments), str(again))
        directory = runs / hashlib.sha256("\0".join(key).encode()).hexdigest()[:16]
        out, output = directory / "run", directory / "output"
        if not output.exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
            result = tickloop(*arguments, "--out", out)
            assert result.returncode == 0, f"tickloop {' '.join(key)}\n{result.stdout}\n{result.stderr}"
            assert not processes_of(out)
            for folder, told in ((out, RUN_FILES), (out / RECORD, RECORD_FILES)):
                assert not {path.name for path in folder.glob("*") if path.is_file()} - set(told)
            output.write_text(result.stdout)
        rerun.note(key[:-1], out)
        return RunDirectory(out, output.read_text())

    return run
