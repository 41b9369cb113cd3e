# SPDX-License-Identifier: MIT
"""The determinism gate: ten runs of ten have the same digest, on both simulators, with waves and without, whoever of
the two sides is held up at random and whatever else the machine does. So has a run that skips no idle clock, and one of
the NIC without its clock gates; another seed has another one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import build, loop
from bridge.interface import LoopRequest, LoopResult
from tests.loop.conftest import SIMULATORS, RunDirectory
from tests.seeds import seed_of
from tickloop.rundir.digest import digest

Completed = Callable[..., RunDirectory]
SCENARIO = ("--scenario", "opening", "--messages", "150")


def _digest(run: RunDirectory) -> str:
    digest: str = run.json("run.json")["digest"]
    assert len(digest) == 64
    return digest


def _again(run: RunDirectory, out: Path, **variation: Any) -> LoopResult:
    """The loop of ``run`` once more, into ``out``: same image, inputs and seed."""
    out.mkdir()
    record = run.path / "record"
    return loop.run(LoopRequest(stimulus=record / "stimulus.bin", out=out, kernel=build.build_kernel(),
                                config_module=record / "config.bin", **variation))  # fmt: skip


# Work of up to two milliseconds between shorter rests: what has slept displaces others at once, so it interferes more
# often than work without end does, and the run is over sooner.
HOG = """
import random, time
while True:
    end = time.perf_counter() + 0.002 * random.random()
    while time.perf_counter() < end:
        pass
    time.sleep(0.001 * random.random())
"""


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """A process for each processor that takes it from the others again and again."""
    command = [sys.executable, "-c", HOG]
    hogs = [subprocess.Popen(command) for _ in os.sched_getaffinity(0)]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


# Of the ten, half are held up on the bridge's side and half on QEMU's, or both; one in three leaves waves.
GATE = [
    (SIMULATORS[i % 2], i % 3 == 2, {"host_delay": 500 * (i % 5 != 1), "guest_delay": 500 * (i % 5 != 3)})
    for i in range(10)
]


@pytest.mark.parametrize(
    ("number", "simulator", "waves", "delays"),
    [pytest.param(i, *run, id=f"run {i + 1}, {run[0]}{', waves' * run[1]}") for i, run in enumerate(GATE)],
)
def test_ten_runs_of_ten_are_the_same(
    request: pytest.FixtureRequest, number: int, simulator: str, waves: bool, delays: dict[str, int],
    busy_machine: None, completed: Completed, tmp_path: Path,
) -> None:  # fmt: skip
    delay_seed = seed_of(request.node.nodeid)
    variation = {"simulator": simulator, "waves": waves, "delay_seed": delay_seed, **delays}
    print(f"repeat with _again(run, out, **{variation})")
    result = _again(completed("sim", *SCENARIO), tmp_path / "varied", **variation)
    assert digest(result) == _digest(completed("sim", *SCENARIO))
    assert result.held_up > 10
    assert not waves or (tmp_path / "varied" / loop.WAVES).stat().st_size > 0


def test_both_simulators_agree(completed: Completed) -> None:
    assert len({_digest(completed("sim", *SCENARIO, "--sim", simulator)) for simulator in SIMULATORS}) == 1


def test_another_seed_differs(completed: Completed) -> None:
    digests = {_digest(completed("sim", *SCENARIO, "--seed", seed)) for seed in ("1", "2")}
    assert len(digests) == 2


def _same_record(ours: Path, theirs: Path) -> None:
    """Byte for byte: frames, DMA, register accesses, sent frames, kernel requests and trace, with simulated times."""
    for name in ("frames", "valid", "dma", "reads", "registers", "sent", "guest", "trace", "export"):
        data, other = ((path / "record" / f"{name}.bin").read_bytes() for path in (ours, theirs))
        assert data == other, name
        assert data, name


def test_skipped_clocks_leave_the_record_alone(completed: Completed, tmp_path: Path) -> None:
    run = completed("sim", *SCENARIO)
    result = _again(run, tmp_path / "varied", skip_idle=False)
    assert result.clocks_skipped == 0 < run.json("run.json")["clocks_skipped"]
    _same_record(tmp_path / "varied", run.path)


def test_clock_gates_leave_the_record_alone(
    completed: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The NIC as it goes into an FPGA, every clock running, does in every clock what the simulated one does."""
    run = completed("sim", *SCENARIO)
    monkeypatch.setattr(build, "build_simulator", lambda *_: build.build_icarus(gates=False))
    _again(run, tmp_path / "varied", simulator="icarus")
    _same_record(tmp_path / "varied", run.path)
