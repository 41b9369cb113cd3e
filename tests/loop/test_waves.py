# SPDX-License-Identifier: MIT
"""``--waves`` leaves a VCD that vcdvcd reads, on the run's own time axis, and does not change the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from vcdvcd import VCDVCD

from tests.loop.conftest import SIMULATORS, RunDirectory

SCENARIO = ("--scenario", "opening", "--messages", "200")


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_waves_show_the_run(simulator: str, completed: Callable[..., RunDirectory]) -> None:
    run = completed("sim", *SCENARIO, "--sim", simulator, "--waves")
    vcd = VCDVCD(str(next(run.path.glob("*.vcd"))))
    ports = [name for name in vcd.signals if name.split(".")[-2:-1] == ["nic"]]
    names = {name.rsplit(".", 1)[-1].split("[")[0]: name for name in ports}
    beats = [int(value, 2) for _, value in vcd[names["rx_a_tlast"]].tv if value in "01"]
    assert 1 in beats
    orders = run.lines("orders.jsonl")
    assert orders
    last_ps = max(time for time, _ in vcd[names["tx_tvalid"]].tv) * float(vcd.timescale["timescale"]) / 1e-12
    assert last_ps / 1000 >= orders[-1]["time_ns"]
    quiet = completed("sim", *SCENARIO, "--sim", simulator)
    assert run.json("run.json")["digest"] == quiet.json("run.json")["digest"]
