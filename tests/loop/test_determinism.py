# SPDX-License-Identifier: MIT
"""The same run has the same digest: twice, beside a busy loop, on the other simulator, without idle skipping, under
random delays of the host; another seed has another one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import build, loop
from bridge.interface import LoopRequest
from tests.loop.conftest import SIMULATORS, RunDirectory

Completed = Callable[..., RunDirectory]
SCENARIO = ("--scenario", "opening", "--messages", "600")


def _digest(run: RunDirectory) -> str:
    digest: str = run.json("run.json")["digest"]
    assert len(digest) == 64
    return digest


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_twice_and_beside_a_busy_loop(simulator: str, completed: Completed) -> None:
    first = _digest(completed("sim", *SCENARIO, "--sim", simulator))
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        assert _digest(completed("sim", *SCENARIO, "--sim", simulator, again=1)) == first
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_both_simulators_agree(completed: Completed) -> None:
    assert len({_digest(completed("sim", *SCENARIO, "--sim", simulator)) for simulator in SIMULATORS}) == 1


def test_another_seed_differs(completed: Completed) -> None:
    digests = {_digest(completed("sim", *SCENARIO, "--seed", seed)) for seed in ("1", "2")}
    assert len(digests) == 2


@pytest.mark.parametrize(
    "variation", [{"skip_idle": False}, {"host_delay": 200}], ids=["no idle skipping", "host delays"]
)
def test_host_side_variations_leave_the_record_alone(
    variation: dict[str, int], completed: Completed, tmp_path: Path
) -> None:
    """Byte for byte: frames, DMA, register accesses, sent frames, kernel requests and trace, with simulated times."""
    run = completed("sim", *SCENARIO)
    out = tmp_path / "varied"
    out.mkdir()
    record = run.path / "record"
    request = LoopRequest(
        stimulus=record / "stimulus.bin", out=out, kernel=build.build_kernel(), config_module=record / "config.bin",
        **variation,  # type: ignore[arg-type]
    )  # fmt: skip
    result = loop.run(request)
    assert (result.clocks_skipped == 0) == ("skip_idle" in variation)
    for name in ("frames", "dma", "reads", "registers", "sent", "guest", "trace", "export"):
        ours, theirs = (out / "record" / f"{name}.bin").read_bytes(), (record / f"{name}.bin").read_bytes()
        assert ours == theirs, name
        assert ours, name
