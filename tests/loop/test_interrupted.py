# SPDX-License-Identifier: MIT
"""Ctrl-C at the terminal of a run under way: the bar goes, nothing is left running, what was done so far is there."""

from __future__ import annotations

from pathlib import Path

from tests.loop.conftest import RunDirectory, processes_of
from tests.tickloop.terminal import CTRL_C, at_terminal
from tickloop.progress import CLEAR


def test_a_closed_loop_interrupted_at_its_terminal(built: None, tmp_path: Path) -> None:
    """Long enough for a bar: the exchange answers every order."""
    started = at_terminal("sim", "--scenario", "exchange", "--messages", "20000", "--out", tmp_path / "run")
    started.wait_for(rb"frames \[[#-]{30}\]|frames  [\d,]+  \d+ s")
    started.press(CTRL_C)
    assert started.finish() == 130
    *_, last = started.text.decode().split(CLEAR)
    assert last.splitlines() == ["tickloop: interrupted"]
    assert not processes_of(tmp_path)
    run = RunDirectory(tmp_path / "run", "")
    document = run.json("run.json")
    assert (document["passed"], document["exit_status"]) == (False, 130)
    messages, orders = run.lines("messages.jsonl"), run.lines("orders.jsonl")
    assert 0 < len(messages) < 20_000
    assert orders
    page = (run.path / "report.html").read_text()
    assert "The run did not come to its end: interrupted by Ctrl-C" in page
    assert not (run.path / "summary.json").exists()
