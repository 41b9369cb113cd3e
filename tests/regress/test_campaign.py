# SPDX-License-Identifier: MIT
"""A regression of told jobs from plan to summary: exit status, causes with lines that repeat them, waves of the first
few, history, Ctrl-C, and no more at once than there are processors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from scripts.regress.campaign import Campaign, Plan, new_directory
from scripts.regress.jobs import Job, Order, Result, Step
from scripts.regress.local import Local
from scripts.regress.scenarios import ROOT, Options
from tests.loop.conftest import processes_of
from tests.regress.fakes import TOLD, plan, run_here, scenario
from tests.tickloop.terminal import CTRL_C, Terminal
from tickloop.exits import TickloopError, UsageError


def summary_of(directory: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((directory / "summary.json").read_text())
    return summary


def test_all_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(tmp_path / "one", plan({"a": ["pass"], "b": ["pass"]}, seeds=(1, 2))) == 0
    summary = summary_of(tmp_path / "one")
    assert summary["jobs"] == {"planned": 4, "passed": 4, "failed": 0, "not_run": 0}
    assert [row["job"] for row in summary["results"]] == ["a.host.1", "b.host.1", "a.host.2", "b.host.2"]
    assert summary["causes"] == []
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "index.html", "jobs", "junit.xml", "plotly.min.js", "summary.json"]
    assert not (tmp_path / "one/jobs/.attempts").exists()
    assert "4 jobs passed, 0 failed of 4" in capsys.readouterr().out


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two causes, one of them of three failures; and one job that hangs."""
    directory = tmp_path_factory.mktemp("failed") / "run"
    told = {"price": ["fail", "message SEED: price differs"], "dead": ["fail", "QEMU died"], "good": ["pass"]}
    planned = plan(told, seeds=(1, 2, 3))
    jobs = [job for job in planned.jobs if job.scenario != "dead" or job.seed == 2]
    scenarios = {**planned.scenarios, "hung": scenario("hung", ["hang"], limit_s=1.5)}
    hung = Plan([*jobs, Job("hung", "host", 1)], scenarios, Options(), "make regress", most_waves=3)
    assert run_here(directory, hung, slots=3) == 1
    return directory


def test_failures_come_by_cause_with_a_line_that_repeats_each(failed: Path) -> None:
    summary = summary_of(failed)
    assert summary["jobs"] == {"planned": 8, "passed": 3, "failed": 5, "not_run": 0}
    causes = {cause["name"]: cause for cause in summary["causes"]}
    assert [(cause["name"], len(cause["failures"])) for cause in summary["causes"]] == [
        ("message N: price differs", 3), ("QEMU died", 1), ("timeout", 1)]
    assert causes["timeout"]["example"] == "timeout: not done in 1.5 s"
    for cause in (causes["message N: price differs"], causes["QEMU died"]):
        for failure in cause["failures"]:
            done = subprocess.run(failure["reproduce"], shell=True, cwd=ROOT, capture_output=True, text=True,
                                  check=False)
            assert done.returncode == 1
            assert done.stderr.splitlines()[-1] == f"tickloop: FAIL {failure['message']}"


def test_the_first_of_each_cause_has_waves(failed: Path) -> None:
    """Three in all; the job that hangs does so again, and leaves what it had."""
    summary = summary_of(failed)
    told = [failure for cause in summary["causes"] for failure in cause["failures"] if failure["waves"]]
    assert [failure["job"] for failure in told] == ["price.host.1", "dead.host.2", "hung.host.1"]
    for failure in told:
        assert failure["waves"]["dumps"] == [f"waves/{failure['job']}/waves.vcd"]
        assert (failed / failure["waves"]["dumps"][0]).exists()
        assert failure["waves"]["again"] == failure["message"]
        assert failure["waves"]["open"].endswith("gtkwave waves.vcd")


def test_the_reports_reader_finds_the_same_failures(failed: Path) -> None:
    root = ElementTree.parse(failed / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("8", "5")
    texts = [case.findtext("failure") for case in root.iter("testcase") if case.find("failure") is not None]
    assert all(text.startswith("reproduce: ") for text in texts)
    assert len(texts) == 5


def test_the_page_names_every_cause_and_line(failed: Path) -> None:
    page = (failed / "index.html").read_text()
    for cause in summary_of(failed)["causes"]:
        assert cause["name"] in page
        for failure in cause["failures"]:
            assert f'href="jobs/{failure["job"]}/"' in page


def test_against_the_run_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is new and what went away is told against a run of the same matrix, not against any."""
    run_here(tmp_path / "one", plan({"a": ["fail", "lost 1"], "b": ["fail", "dead 2"]}, waves=0))
    run_here(tmp_path / "other", plan({"c": ["pass"]}))
    run_here(tmp_path / "two", plan({"a": ["fail", "lost 7"], "b": ["fail", "late 3"]}, seeds=(5,), waves=0))
    first, other, second = (summary_of(tmp_path / name) for name in ("one", "other", "two"))
    assert (first["against"], other["against"], second["against"]) == (None, None, "one")
    assert {cause["name"]: cause["new"] for cause in first["causes"]} == {"dead N": None, "lost N": None}
    assert {cause["name"]: cause["new"] for cause in second["causes"]} == {"lost N": False, "late N": True}
    assert second["gone"] == ["dead N"]
    remembered = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [(run["name"], run["passed"], run["failed"]) for run in remembered] == [
        ("one", 0, 2), ("other", 1, 0), ("two", 0, 2)]
    assert (tmp_path / "latest").resolve() == tmp_path / "two"
    out = capsys.readouterr().out
    assert "1 x late N (new)" in out
    assert "gone since one: dead N" in out


def test_what_was_tried_less_often_or_otherwise_has_not_gone(tmp_path: Path,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    def asked(options: Options, seeds: Sequence[int]) -> Plan:
        return replace(plan({"a": ["pass"]}, seeds=seeds), options=options)

    failed = plan({"a": ["fail", "lost 1"]}, seeds=(1, 2), waves=0)
    run_here(tmp_path / "one", failed)
    run_here(tmp_path / "fewer", asked(Options(), (1,)))
    summary = summary_of(tmp_path / "fewer")
    assert (summary["against"], summary["gone"], summary["unseen"]) == ("one", [], ["lost N"])
    assert "not seen among fewer seeds than those of one: lost N" in capsys.readouterr().out
    for name, options in (("ouch", Options(sim_options=("--ouch", "5.0"))), ("tests", Options(tests="tests/core"))):
        run_here(tmp_path / name, asked(options, (1, 2)))
        assert summary_of(tmp_path / name)["against"] is None

    class Interrupted(Local):
        def run(self, orders: Sequence[Order]) -> Iterator[Result]:
            raise KeyboardInterrupt
            yield

    run_here(tmp_path / "again", failed)
    (tmp_path / "cut").mkdir()
    assert Campaign(asked(Options(), (1, 2)), tmp_path / "cut", Interrupted(2)).run() == 130
    summary = summary_of(tmp_path / "cut")
    assert (summary["against"], summary["gone"], summary["unseen"]) == ("again", [], [])


def test_ctrl_c_at_the_terminal_leaves_what_came_to_its_end(tmp_path: Path) -> None:
    """Two have ended, two hang, two were never begun."""
    told = {"good": ["pass"], "bad": ["fail", "lost 3"], "hung": ["hang"], "stuck": ["hang"], "later": ["pass"],
            "last": ["pass"]}
    directory = tmp_path / "run"
    started = Terminal([sys.executable, "-m", "tests.regress.fakes", str(directory), json.dumps(told)])
    started.wait_for(rb"(?s)FAIL bad.host.1: lost 3.*jobs \[#+-+\] +33 %")
    started.press(CTRL_C)
    assert started.finish() == 130
    assert not processes_of(tmp_path)
    summary = summary_of(directory)
    assert summary["interrupted"]
    assert summary["jobs"] == {"planned": 6, "passed": 1, "failed": 1, "not_run": 4}
    assert [row["outcome"] for row in summary["results"]] == ["passed", "failed", *["not run"] * 4]
    assert [cause["name"] for cause in summary["causes"]] == ["lost N"]
    root = ElementTree.parse(directory / "junit.xml").getroot()
    assert len(list(root.iter("skipped"))) == 4
    assert "Interrupted: 1 jobs passed, 1 failed, 4 of 6 were not run." in (directory / "index.html").read_text()
    assert sorted(path.name for path in (directory / "jobs").iterdir()) == [".stop", "bad.host.1", "good.host.1"]


def test_slots_are_not_given_twice(tmp_path: Path) -> None:
    """Jobs of two slots and of one on three processors, each noting when it was there."""
    notes = tmp_path / "notes"
    code = ("import sys, time; f = open(sys.argv[1], 'a'); f.write('+' + sys.argv[2]); f.flush(); time.sleep(0.3);"
            "f.write('-' + sys.argv[2])")
    (tmp_path / "noted.py").write_text(code)
    scenarios = {}
    for name, slots in (("wide", 2), ("narrow", 1)):
        base = scenario(name, ["pass"], slots=slots)
        steps = (Step(("noted", str(notes), str(slots)), {"PYTHONPATH": str(tmp_path)}),)
        scenarios[name] = base.__class__(name, base.simulators, slots, 60.0, lambda *_, steps=steps: steps)
    jobs = [Job(name, "host", seed) for name in ("wide", "narrow") for seed in range(4)]
    directory = tmp_path / "runs/run"
    directory.mkdir(parents=True)
    assert Campaign(Plan(jobs, scenarios, Options(), "make regress"), directory, Local(3)).run() == 0
    text, busy, most = notes.read_text(), 0, 0
    for sign, slots in zip(text[::2], text[1::2], strict=True):
        busy += int(slots) if sign == "+" else -int(slots)
        most = max(most, busy)
    assert Counter(text[::2]) == {"+": 8, "-": 8}
    assert most <= 3


def test_a_build_that_fails_runs_nothing(tmp_path: Path) -> None:
    told = plan({"a": ["pass"]})
    build = (Step((TOLD, "fail", "no compiler"), {"PYTHONPATH": str(ROOT)}),)
    planned = Plan(told.jobs, told.scenarios, told.options, told.command, build)
    with pytest.raises(TickloopError, match="no compiler; nothing was run") as raised:
        run_here(tmp_path / "run", planned)
    assert raised.value.status == 3
    assert not (tmp_path / "run/jobs").exists()


def test_a_runs_directory_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert new_directory(tmp_path / "runs", "mine") == tmp_path / "runs/mine"
    with pytest.raises(UsageError, match="there is a run of that name"):
        new_directory(tmp_path / "runs", "mine")
    assert new_directory(tmp_path / "runs", None) != new_directory(tmp_path / "runs", None)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        new_directory(tmp_path / "file", None)
