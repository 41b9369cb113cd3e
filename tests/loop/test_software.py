# SPDX-License-Identifier: MIT
"""`tickloop software`: a finished run's frames once more without the SmartNIC's parsing; what the report says of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.loop.conftest import RunDirectory, processes_of

Completed = Callable[..., RunDirectory]
SCENARIO = ("sim", "--scenario", "opening", "--messages", "300")


def test_a_runs_frames_parsed_by_the_kernel(completed: Completed, tickloop: Callable[..., Any], tmp_path: Path) -> None:
    """The same orders and books; what a message costs is in file, output and report; nothing is left behind."""
    run = completed(*SCENARIO)
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    finished = tickloop("software", copy, "--json")
    assert finished.returncode == 0, finished.stderr
    document = json.loads(finished.stdout)
    result = json.loads((copy / "software.json").read_text())
    assert document == {"command": "software", **result, "out": str(copy)}
    assert result["messages"] == 300
    assert (result["same_orders"], result["same_books"]) == (True, True)
    assert run.lines("orders.jsonl")
    c, assembly = (result["parsers"][name] for name in ("C", "assembly"))
    assert result["smartnic"] < assembly["whole"] < c["whole"]
    assert assembly["trading"] == pytest.approx(c["trading"])
    for cost in (c, assembly):
        assert cost["whole"] == pytest.approx(cost["parsing"] + cost["trading"], abs=0.01)
    report = (copy / "report.html").read_text()
    assert "What the SmartNIC saves" in report
    assert f"{c['whole']:,.1f}" in report
    assert not processes_of(copy)
    assert "What the SmartNIC saves" not in (run.path / "report.html").read_text()


def test_what_cannot_be_told_of(tickloop: Callable[..., Any], tmp_path: Path) -> None:
    for name, text in (("run.json", "{}"), ("run.json", "no JSON"), ("other", "")):
        (tmp_path / name).write_text(text)
        finished = tickloop("software", tmp_path)
        assert finished.returncode == 2
        assert finished.stderr.count("\n") == 1
        assert f"{tmp_path}: no finished run here" in finished.stderr
