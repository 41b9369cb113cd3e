# SPDX-License-Identifier: MIT
"""What holds for every command: a wrong option, a missing file or a directory that cannot be written is one line and
status 2; with ``--json``, standard output is one JSON object."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge import loop
from bridge.interface import BridgeError
from tests.tickloop.test_bad_input import scenario_pcap
from tests.tickloop.test_diff import changed, result_of, write
from tickloop.commands import COMMANDS
from tickloop.recorded import load
from tickloop.rundir.digest import digest

# A command with all it needs, but for what is given by the test.
MINIMAL = {
    "sim": ["sim", "--messages", "20", "--out", "OUT"],
    "parse": ["parse", "CAPTURE", "--out", "OUT"],
    "backtest": ["backtest", "ITCH", "--out", "OUT"],
    "inspect": ["inspect", "CAPTURE"],
    "generate": ["generate", "quiet", "--messages", "20", "--out", "OUT/x.pcap"],
    "replay": ["replay", "RUN", "--rtl", "--out", "OUT"],
    "diff": ["diff", "RUN", "RUN"],
    "software": ["software", "RUN"],
    "report": ["report", "RUN"],
    "console": ["console", "RUN"],
    "doctor": ["doctor"],
    "waves": ["waves", "RUN"],
}
MISSING = {
    "sim": [["sim", "ABSENT", "--out", "OUT"], ["sim", "--config", "ABSENT", "--out", "OUT"],
            ["sim", "--script", "ABSENT", "--out", "OUT"], ["sim", "--line-b", "ABSENT", "--out", "OUT"],
            ["sim", "--config", ".", "--out", "OUT"]],
    "parse": [["parse", "ABSENT", "--out", "OUT"], ["parse", "CAPTURE", "--line-b", "ABSENT", "--out", "OUT"]],
    "backtest": [["backtest", "ABSENT"], ["backtest", "ITCH", "--config", "ABSENT"], ["backtest", "CAPTURE"]],
    "inspect": [["inspect", "ABSENT"], ["inspect", "."], ["inspect", "CAPTURE", "--line-b", "ABSENT"]],
    "generate": [["generate", "ABSENT.toml", "--out", "OUT/x.pcap"],
                 ["generate", "--profile-file", ".", "--out", "OUT/x"]],
    "replay": [["replay", "ABSENT", "--rtl", "--out", "OUT"], ["replay", ".", "--kernel", "--out", "OUT"]],
    "diff": [["diff", "ABSENT", "ABSENT"], ["diff", ".", "."]],
    "software": [["software", "ABSENT"], ["software", "."]],
    "report": [["report", "ABSENT"], ["report", "."]],
    "console": [["console", "ABSENT"]],
    "doctor": [],
    "waves": [["waves", "ABSENT"], ["waves", "."]],
}
WRITING = ("sim", "parse", "backtest", "generate", "replay")


@pytest.fixture
def made(tmp_path, monkeypatch):
    """``made(arguments)``: them with the files they name, in a directory of their own."""
    monkeypatch.chdir(tmp_path)

    def make(arguments, out="out"):
        if "CAPTURE" in arguments:
            scenario_pcap(tmp_path / "c.pcap")
        if "ITCH" in arguments:
            (tmp_path / "c.itch").write_bytes(bytes.fromhex("000c530000000000000000000000004f"))
        names = {"CAPTURE": "c.pcap", "ITCH": "c.itch", "RUN": "run", "ABSENT": "absent", "OUT": out}
        return [names.get(each, each.replace("OUT", out).replace("ABSENT", "absent")) for each in arguments]

    return make


def test_the_tables_above_know_every_command():
    assert set(MINIMAL) == set(MISSING) == set(COMMANDS)


@pytest.mark.parametrize("name", MINIMAL)
@pytest.mark.parametrize("wrong", [["--colour"], ["--out"], ["--seed", "x", "--sim", "vcs"]])
def test_a_wrong_option(command, made, name, wrong):
    finished = command(*made(MINIMAL[name]), *wrong)
    assert finished.status == 2
    assert finished.error_line().startswith("tickloop: ")
    assert finished.stdout == ""


@pytest.mark.parametrize("arguments", [arguments for each in MISSING.values() for arguments in each], ids=" ".join)
def test_a_missing_file(command, made, arguments):
    finished = command(*made(arguments))
    assert finished.status == 2
    assert finished.error_line().startswith("tickloop: ")
    assert finished.stdout == ""


def recorded_run(directory, result=None):
    """A run's directory as far as ``replay`` and ``diff`` look at it."""
    write(directory, result_of() if result is None else result)
    (directory / "run.json").write_text(json.dumps({"mode": "lockstep", "digest": digest(load(directory).logs)}))
    (directory / "record/stimulus.bin").touch()
    return directory


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("out", ["c.pcap/out", "/proc/tickloop", "file/deeper"])
def test_a_directory_that_cannot_be_written(command, faultless, made, tmp_path, name, out):
    (tmp_path / "file").write_text("in the way")
    scenario_pcap(tmp_path / "c.pcap")
    if name == "replay":
        recorded_run(tmp_path / "run")
    finished = command(*made(MINIMAL[name], out))
    assert finished.status == 2
    assert "cannot be written" in finished.error_line()
    assert finished.stdout == ""


def object_of(finished):
    """What ``--json`` printed: one object and nothing else."""
    document = json.loads(finished.stdout)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("name", ["sim", "parse"])
def test_the_object_of_a_run(command, faultless, made, tmp_path, name):
    finished = command(*made(MINIMAL[name]), "--json")
    assert finished.status == 0
    assert finished.stderr == ""
    document = object_of(finished)
    run = json.loads((tmp_path / "out/run.json").read_text())
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert document["passed"] is True
    assert {key: document[key] for key in ("command", "digest", "checks", "clocks")} == \
        {key: run[key] for key in ("command", "digest", "checks", "clocks")}
    assert document["counters"]["messages"] == summary["messages"]
    assert document["latency"] == json.loads((tmp_path / "out/latency.json").read_text())["stages"]


def test_the_object_of_a_run_that_fails(command, faultless, made):
    faultless(lambda result: replace(result, frames=result.frames[:-1]))
    finished = command(*made(MINIMAL["parse"]), "--json")
    assert finished.status == 1
    document = object_of(finished)
    assert document["passed"] is False
    assert any(check["differences"] for check in document["checks"])
    assert finished.stderr.startswith("tickloop: FAIL")


def test_the_object_of_several_runs(command, faultless, monkeypatch, tmp_path):
    """One of which finds no simulator."""
    play = loop.run_many
    monkeypatch.setattr(loop, "run_many", lambda requests: iter([*play(requests[:1]), BridgeError(5, "it died")]))
    captures = [scenario_pcap(tmp_path / name) for name in ("a.pcap", "b.pcap")]
    finished = command("parse", *captures, "--out", tmp_path / "out", "--json")
    assert finished.status == 5
    document = object_of(finished)
    assert document["passed"] is False
    good, bad = document["runs"]
    assert (good["passed"], good["input"]) == (True, str(captures[0]))
    assert bad == {"input": str(captures[1]), "error": "it died", "status": 5}


def test_the_object_of_equal_and_of_unlike_runs(command, tmp_path):
    result = result_of()
    first, second = (str(recorded_run(tmp_path / name, result)) for name in "ab")
    equal = command("diff", first, second, "--json")
    assert equal.status == 0
    assert object_of(equal)["equal"] is True
    assert object_of(equal)["compared"]["received frames"] == len(result.frames)
    third = str(recorded_run(tmp_path / "c", changed(result, "reads", 0, "address", 0x2000)))
    unlike = command("diff", first, third, "--json")
    assert unlike.status == 1
    document = object_of(unlike)
    assert (document["equal"], document["first_difference"]["index"]) == (False, 0)
    assert document["first_difference"]["fields"]
    assert str(document["first_difference"]["clock"]) in command("diff", first, third).stdout.replace(",", "")


def test_the_object_of_a_backtest(command, tmp_path):
    assert command("generate", "opening", "--messages", "500", "--out", tmp_path / "o.itch").status == 0
    finished = command("backtest", tmp_path / "o.itch", "--out", tmp_path / "out", "--json")
    assert finished.status == 0
    document = object_of(finished)
    assert document | json.loads((tmp_path / "out/backtest.json").read_text()) == document
    assert (document["messages"], document["books"]) == (500, 8)
    assert document["orders"] > 0
