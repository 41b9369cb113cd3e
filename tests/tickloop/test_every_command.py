# SPDX-License-Identifier: MIT
"""What holds for every command: a wrong option, a missing file, a directory that cannot be written or a run directory
of an older version is one line and status 2, or 7; Ctrl-C is one line and 130; with ``--json``, standard output is one
JSON object. Commands and arguments are those of the parser: a new one is in all of these tests."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import loop
from bridge.frame_kernel import FrameRun
from bridge.interface import BridgeError
from bridge.layout import CONFIG_HEADER
from tests.tickloop.test_bad_input import scenario_pcap
from tests.tickloop.test_diff import changed, result_of, write
from tickloop import software
from tickloop.arrivals import FRAMES_AT_ONCE
from tickloop.commands import COMMANDS, command_parser
from tickloop.inspection import Statistics
from tickloop.recorded import load
from tickloop.rundir.digest import digest

(_COMMANDS,) = (action for action in command_parser()._actions if isinstance(action, argparse._SubParsersAction))
PARSERS: dict[str, argparse.ArgumentParser] = _COMMANDS.choices
# What each command needs, by the destinations of its parser; words in capitals stand for files that the test makes.
NEEDS: dict[str, dict[str, Any]] = {
    "sim": {"messages": "20", "out": "OUT"},
    "parse": {"captures": ["CAPTURE"], "out": "OUT"},
    "backtest": {"file": "ITCH", "out": "OUT"},
    "inspect": {"capture": "CAPTURE"},
    "generate": {"profile": "quiet", "messages": "20", "out": "OUT/x.pcap"},
    "replay": {"directory": "RUN", "rtl": True, "out": "OUT"},
    "diff": {"directories": ["RUN", "RUN"]},
    "software": {"directory": "RUN"},
    "report": {"directory": "RUN"},
    "console": {"directory": "RUN"},
    "doctor": {},
    "waves": {"directory": "RUN"},
}
# Arguments that name what is written; every other one that names a file or a directory is read.
WRITTEN = {("sim", "out"), ("parse", "out"), ("backtest", "out"), ("generate", "out"), ("generate", "line_b"),
           ("replay", "out")}
# What of a file and a directory that hold nothing is all right: no commands, no files for the console.
HARMLESS = {("sim", "script", "nothing"), ("sim", "config", "nothing"), ("backtest", "config", "nothing"),
            ("sim", "files", "empty")}
# What else must be given, or not, for an argument to be looked at.
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    ("sim", "captures"): {"messages": None},
    ("generate", "profile_file"): {"profile": None},
    ("replay", "kernel_image"): {"kernel": True, "rtl": None},
}
# Where Ctrl-C meets each.
LONGEST = {
    "sim": "bridge.loop.run", "parse": "bridge.loop.run", "replay": "bridge.loop.run",
    "backtest": "tickloop.backtest.read_capture", "inspect": "tickloop.inspection.received",
    "generate": "tickloop.generating.write_profile", "diff": "tickloop.diff.first_difference",
    "software": "tickloop.software.run", "report": "tickloop.report.html.read_run",
    "console": "tickloop.commands.join_console", "doctor": "tickloop.doctor.examine", "waves": "bridge.loop.run",
}
OLD_LAYOUT = "1/00000000"
# Written into the run's directory.
INSIDE = {"software": "software.json", "report": "report.html"}


def is_path(action: argparse.Action) -> bool:
    return action.type is Path or getattr(action.type, "__qualname__", "").startswith("_path.")


def arguments_of(check: Callable[[argparse.Action], bool]) -> list[tuple[str, str]]:
    """(command, destination) of every argument of every command that is so."""
    return [(name, action.dest) for name, parser in PARSERS.items() for action in parser._actions if check(action)]


READ = [each for each in arguments_of(is_path) if each not in WRITTEN]
CHECKED = arguments_of(lambda action: action.type is not None and not is_path(action))


def command_line(name: str, **given: Any) -> list[str]:
    """The command with all it needs, but for what is given."""
    wanted = NEEDS[name] | given
    options, places = [], []
    for action in PARSERS[name]._actions:
        value = wanted.get(action.dest)
        if value is None:
            continue
        values = [] if value is True else value if isinstance(value, list) else [value]
        if action.option_strings:
            options.append("=".join((action.option_strings[0], *values)))
        else:
            places += values
    return [name, *options, *places]


@pytest.fixture
def made(command, faultless, tmp_path, monkeypatch):
    """``made(arguments)``: them with the files they name, in a directory of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tickloop.console.PATIENCE_S", 0.1)

    def make(arguments, out="out"):
        if "CAPTURE" in arguments:
            scenario_pcap(tmp_path / "c.pcap")
        if "ITCH" in arguments:
            (tmp_path / "c.itch").write_bytes(bytes.fromhex("000c530000000000000000000000004f"))
        if "RUN" in arguments:
            whole_run(command, tmp_path / "run")
        names = {"CAPTURE": "c.pcap", "ITCH": "c.itch", "RUN": "run"}
        return [names.get(each, each.replace("OUT", out)) for each in arguments]

    return make


def refused(finished, status=2):
    """The line of a command that did nothing but say one."""
    assert finished.status == status, finished.stderr
    line = finished.error_line()
    assert line.startswith("tickloop: ")
    assert "internal error" not in line
    assert finished.stdout == ""
    return line


def test_the_table_above_knows_every_command():
    assert set(NEEDS) == set(PARSERS) == set(COMMANDS)
    assert set(arguments_of(is_path)) >= WRITTEN
    assert len(READ) > 12
    assert len(CHECKED) > 20


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("wrong", [
    ["--colour"], ["--out"], ["--seed", "x", "--sim", "vcs"], ["--json=yes"], ["x", "y", "z"],
], ids=" ".join)
def test_a_wrong_option(command, made, name, wrong):
    if wrong == ["x", "y", "z"] and name in ("sim", "parse"):
        wrong = ["--wave", *wrong]  # they take captures, as many as there are; no option is abbreviated
    refused(command(*made(command_line(name)), *wrong))


@pytest.mark.parametrize("name", [name for name, needs in NEEDS.items() if needs and name != "waves"])
def test_an_argument_that_is_missing(command, made, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    refused(command(name))


@pytest.mark.parametrize(("name", "argument"), CHECKED)
def test_a_value_that_cannot_be(command, made, name, argument):
    option = next(action.option_strings[0] for action in PARSERS[name]._actions if action.dest == argument)
    assert option in refused(command(*made(command_line(name, **{argument: "=none="}))))


@pytest.mark.parametrize(("name", "argument"), READ)
def test_a_file_or_directory_that_is_missing(command, made, name, argument):
    given = ["absent"] * max(1, len(value)) if isinstance(value := NEEDS[name].get(argument), list) else "absent"
    if argument == "captures":
        given = ["absent"]
    line = refused(command(*made(command_line(name, **{argument: given}, **BESIDE.get((name, argument), {})))))
    assert "absent" in line


@pytest.mark.parametrize(("name", "argument"), READ)
def test_a_file_where_a_directory_is_due_and_the_other_way_round(command, made, tmp_path, name, argument):
    """A directory that holds nothing, and a file that holds nothing."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "nothing").touch()
    for wrong in ("empty", "nothing"):
        if (name, argument, wrong) in HARMLESS:
            continue
        given = [wrong] * len(value) if isinstance(value := NEEDS[name].get(argument), list) else wrong
        if argument == "captures":
            given = [wrong]
        refused(command(*made(command_line(name, **{argument: given}, **BESIDE.get((name, argument), {})))))


@pytest.mark.parametrize(("name", "argument"), sorted(WRITTEN))
@pytest.mark.parametrize("out", ["c.pcap/out", "/proc/tickloop", "file/deeper"])
def test_a_directory_that_cannot_be_written(command, faultless, made, tmp_path, name, argument, out):
    (tmp_path / "file").write_text("in the way")
    scenario_pcap(tmp_path / "c.pcap")
    assert "cannot be written" in refused(command(*made(command_line(name, **{argument: out}))))


@pytest.mark.parametrize("name", INSIDE)
def test_a_run_directory_that_cannot_be_written(command, made, tmp_path, monkeypatch, name):
    """Root writes everywhere, but not a file where a directory stands."""
    arguments = made(command_line(name))
    monkeypatch.setattr(software, "run", lambda kernel, module, frames, words: FrameRun(
        [], result_of().export, {"frames": len(list(frames)), "messages": 20, "work": 1}))
    (tmp_path / "run" / INSIDE[name]).unlink(missing_ok=True)
    (tmp_path / "run" / INSIDE[name]).mkdir()
    assert "cannot be written" in refused(command(*arguments))


@pytest.mark.parametrize(("name", "argument"), [
    each for each in READ if each[1] in ("directory", "directories", "against")])
def test_a_run_directory_of_an_older_version(command, made, tmp_path, monkeypatch, name, argument):
    """Its layout is another, and run.json says less."""
    monkeypatch.setattr("tickloop.commands.check_viewer", lambda *_: None)
    arguments = made(command_line(name, **{argument: ["old", "RUN"] if argument == "directories" else "old"}))
    old = recorded_run(tmp_path / "old")
    given = json.loads((old / "record/loop.json").read_text())
    (old / "record/loop.json").write_text(json.dumps(given | {"layout": OLD_LAYOUT}))
    versions = {"tickloop": "0.1", "layout": OLD_LAYOUT}
    (old / "run.json").write_text(json.dumps({"mode": "lockstep", "versions": versions}))
    (old / "latency.json").write_text('{"stages": {"dequeue_to_done": {"mean": 1.0}}}')
    (old / "summary.json").write_text("{}")
    (old / "books.json").write_text("[]")
    (old / "record/config.bin").write_bytes(bytes(CONFIG_HEADER.itemsize))
    line = refused(command(*arguments), 2 if name in ("report", "console") else 7)
    assert "old" in line
    assert name == "console" or f"layout {OLD_LAYOUT}" in line


@pytest.mark.parametrize("name", PARSERS)
def test_ctrl_c(command, made, monkeypatch, name):
    """At the latest where it takes longest."""
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    assert set(LONGEST) == set(PARSERS)
    arguments = made(command_line(name))
    monkeypatch.setattr(LONGEST[name], interrupted)
    monkeypatch.setattr("tickloop.commands.check_viewer", lambda *_: None)
    finished = command(*arguments)
    assert finished.status == 130
    assert finished.stderr.splitlines()[-1] == "tickloop: interrupted"
    assert all(line.startswith("tickloop: ") for line in finished.stderr.splitlines())


def test_inspect_interrupted_shows_what_it_has_read(command, made, monkeypatch):
    """The first frames that the model takes at once, and no more."""
    scenario_pcap(Path("long.pcap"), 3 * FRAMES_AT_ONCE)
    seen = iter([True])

    def add(statistics, *result):
        if next(seen, False):
            signal.raise_signal(signal.SIGINT)
        whole(statistics, *result)

    whole = Statistics.add
    monkeypatch.setattr(Statistics, "add", add)
    finished = command("inspect", "long.pcap", "--json")
    assert finished.status == 130
    assert finished.error_line() == "tickloop: interrupted"
    assert object_of(finished)["frames"] == FRAMES_AT_ONCE


def test_replay_interrupted_tells_how_far_it_did_the_same(command, made, monkeypatch):
    """The record of its beginning is compared."""
    arguments = made(command_line("replay"))

    def play(request):
        result = result_of()
        shutil.rmtree(request.out / "record")
        write(request.out, replace(result, frames=result.frames[:5]))
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "run", play)
    finished = command(*arguments)
    assert finished.status == 130
    assert "ended early" in finished.stdout
    assert finished.stderr.splitlines()[0] == "tickloop: interrupted by Ctrl-C"
    verdict = json.loads(Path("out/replay.json").read_text())
    assert verdict["same"] is False
    assert verdict["logs"]["received frames"]["replayed"] == 5
    assert "replayed ends before" in verdict["told"][1]


def whole_run(command, directory):
    """A run that passed, with a record of which ``run.json`` has the digest."""
    assert command("sim", "--messages", "20", "--out", directory).status == 0
    given = {name: (directory / f"record/{name}.bin").read_bytes() for name in ("config", "stimulus")}
    document = json.loads((directory / "run.json").read_text())
    shutil.rmtree(directory / "record")
    recorded_run(directory)
    for name, content in given.items():
        (directory / f"record/{name}.bin").write_bytes(content)
    (directory / "record/commands.bin").touch()
    document |= json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps(document))


def recorded_run(directory, result=None):
    """A run's directory as far as ``replay`` and ``diff`` look at it."""
    write(directory, result_of() if result is None else result)
    (directory / "run.json").write_text(json.dumps({"mode": "lockstep", "digest": digest(load(directory).logs)}))
    (directory / "record/stimulus.bin").touch()
    return directory


def object_of(finished):
    """What ``--json`` printed: one object and nothing else."""
    document = json.loads(finished.stdout)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("name", ["sim", "parse"])
def test_the_object_of_a_run(command, faultless, made, tmp_path, name):
    finished = command(*made(command_line(name)), "--json")
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
    finished = command(*made(command_line("parse")), "--json")
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
