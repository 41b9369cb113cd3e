# SPDX-License-Identifier: MIT
"""Regressions of real simulations, as make regress runs them: a small matrix that passes, built once; and a fault in
the RTL, whose cause is told, whose line fails likewise when it is typed, and whose waves are there."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import build
from scripts.regress import __main__ as regress
from scripts.regress.scenarios import ROOT
from tests.loop.conftest import processes_of

MESSAGES = "60"


@pytest.fixture(autouse=True)
def folder(one_loop_at_a_time: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of the runs, in the place of build/regress; nothing is left running in it."""
    monkeypatch.setattr(regress, "FOLDER", tmp_path / "regress")
    yield tmp_path / "regress"
    assert not processes_of(tmp_path)


def regressed(folder: Path, status: int, *arguments: str) -> dict[str, Any]:
    """The summary of a run."""
    assert regress.main(("--first", "3", "--jobs", "2", *arguments)) == status
    (path,) = folder.glob("2*/summary.json")
    summary: dict[str, Any] = json.loads(path.read_text())
    return summary


def test_a_small_matrix_on_both_simulators(folder: Path) -> None:
    for simulator in ("verilator", "icarus"):
        build.build_simulator(simulator, waves=False)
    models = [build.BUILD / "verilator/obj_dir/Vtestbench", build.BUILD / "icarus/testbench.vvp"]
    built = [path.stat().st_mtime_ns for path in models]
    summary = regressed(folder, 0, "--seeds", "1", "--scenarios", "quiet faults", "--options", f"--messages {MESSAGES}")
    assert [row["job"] for row in summary["results"]] == [
        "quiet.verilator.3", "quiet.icarus.3", "faults.verilator.3", "faults.icarus.3"]
    assert summary["jobs"] == {"planned": 4, "passed": 4, "failed": 0, "not_run": 0}
    assert all(row["seconds"] > 0 and row["cases"]["passed"] == 1 for row in summary["results"])
    assert summary["command"] == f"make regress SEEDS=1 SEED=3 SCENARIOS='quiet faults' OPTIONS='--messages {MESSAGES}'"
    assert [path.stat().st_mtime_ns for path in models] == built  # by nobody again
    for job in (folder / "latest/jobs").iterdir():
        assert sorted(path.name for path in job.iterdir()) == ["output.txt", "result.json"]


def test_a_fault_in_the_rtl(folder: Path, tmp_path: Path) -> None:
    """The second parser of examples/ with its mistake number 12: prices whose bytes are the wrong way round."""
    faulty = tmp_path / "faulty"
    faulty.mkdir()
    for source in (ROOT / "examples/parser").glob("*.v"):
        (faulty / source.name).write_text(source.read_text().replace("bug = 8'd0;", "bug = 8'd12;"))
    summary = regressed(folder, 1, "--seeds", "2", "--scenarios", "quiet", "--sims", "icarus", "--waves", "1",
                        "--options", f"--messages {MESSAGES} --parser {faulty}")
    assert summary["jobs"] == {"planned": 2, "passed": 0, "failed": 2, "not_run": 0}
    (cause,) = summary["causes"]
    one, other = cause["failures"]
    assert "price" in cause["name"]
    assert (one["job"], other["job"]) == ("quiet.icarus.3", "quiet.icarus.4")
    assert one["waves"]["again"] == one["message"]
    (dump,) = one["waves"]["dumps"]
    assert dump == "waves/quiet.icarus.3/run/waves.vcd"
    assert "own_parser" in (folder / "latest" / dump).read_text()[:200_000]
    assert other["waves"] is None

    line = re.sub(r"--out \S+", f"--out {tmp_path / 'again'}", one["reproduce"])
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"tickloop: FAIL {one['message']}" in done.stderr.splitlines()
