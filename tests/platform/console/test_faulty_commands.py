# SPDX-License-Identifier: MIT
"""A console command that faults or panics in the waits of the trading loop is told; the run goes on, and is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge import build
from tests.platform.conftest import BuildKernel
from tickloop.cli import main

SOURCE = Path(__file__).with_name("faulty_commands.c")
SCRIPT = "0.2ms uptime\n0.3ms mem\n0.4ms uptime\n0.5ms ps\n1.5ms risk\n"


@pytest.mark.usefixtures("one_loop_at_a_time")
def test_the_trading_loop_goes_on(build_kernel: BuildKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = build_kernel([SOURCE], "-Wl,--wrap=view_uptime,--wrap=view_memory")
    monkeypatch.setattr(build, "build_kernel", lambda: image)
    (tmp_path / "script").write_text(SCRIPT)
    assert main(["sim", "--scenario", "opening", "--messages", "150", "--script", str(tmp_path / "script"), "--out",
                 str(tmp_path / "out")]) == 0  # fmt: skip
    console = (tmp_path / "out/console.log").read_text()
    assert console.count("task console: ended by the fault, all else goes on\n") == 2
    assert console.count("panic: the console gives up\ntask console: ended by its panic, all else goes on\n") == 1
    assert re.search(r"^ps: no tasks; .*\nps: \d+ switches, 3 tasks ended by a fault$", console, re.MULTILINE)
    assert "risk: " in console
