# SPDX-License-Identifier: MIT
"""What long work tells its user: a bar on a terminal, plain lines elsewhere, nothing of work that is done in a moment;
and Ctrl-C at a terminal, after which what was done so far is there."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest

from generators.captures import Capture
from tests.tickloop.terminal import CTRL_C, at_terminal
from tickloop import progress
from tickloop.progress import OFF, Progress, note_if_slow


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    now = [100.0]
    monkeypatch.setattr("tickloop.progress.time.monotonic", lambda: now[0])
    monkeypatch.setenv(OFF, "on")
    return now


def test_plain_lines_where_there_is_no_terminal(clock, capsys):
    """After two seconds, and then ever more seldom."""
    shown = Progress("frames")
    for _ in range(600):
        clock[0] += 0.1
        shown(int(10 * (clock[0] - 100)), 1000)
    shown.close()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "tickloop: frames: 20 of 1,000 (2 %), 2 s"
    assert 4 <= len(lines) <= 7
    assert all(re.fullmatch(r"tickloop: frames: [\d,]+ of 1,000 \(\d+ %\), \d+ s", line) for line in lines)


def test_nothing_of_what_is_done_in_a_moment(clock, capsys):
    shown = Progress("frames")
    for _ in range(18):
        clock[0] += 0.1
        shown(1, 2)
    shown.close()
    with note_if_slow("work"):
        pass
    assert capsys.readouterr().err == ""


def test_a_bar_at_a_terminal_that_goes_away(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("tickloop.progress.shutil.get_terminal_size", lambda: os.terminal_size((60, 24)))
    shown = Progress("frames")
    for _ in range(40):
        clock[0] += 0.1
        shown(int(100 * (clock[0] - 100)), 400)
    shown.close()
    drawn = capsys.readouterr().err.split(progress.CLEAR)
    assert drawn[0] == drawn[-1] == ""
    assert re.match(r"frames \[#{25,}-*\] +9\d %  ", drawn[-2])
    assert all(len(line) < 60 and "\n" not in line for line in drawn)
    assert len(drawn) < 25


def test_an_unknown_total_has_no_bar(clock, capsys):
    shown = Progress("MiB")
    clock[0] += 3
    assert list(shown.over("abc")) == ["a", "b", "c"]
    assert capsys.readouterr().err == "tickloop: MiB: 0, 3 s\n"


def test_it_can_be_silenced(clock, capsys, monkeypatch):
    monkeypatch.setenv(OFF, "off")
    shown = Progress("frames")
    clock[0] += 100
    shown(1, 2)
    assert capsys.readouterr().err == ""


def test_generate_interrupted_leaves_whole_files(tmp_path):
    """Capture and expectation are those of a shorter run: the same messages, all of them."""
    started = at_terminal("generate", "opening", "--messages", "2000000", "--out", tmp_path / "a.itch")
    started.wait_for(rb"messages \[#*-+\] +\d+ %  [\d,]+ of 2,000,000  1 s")
    started.press(CTRL_C)
    assert started.finish() == 130
    assert started.text.decode().rstrip().endswith("tickloop: interrupted")
    messages = len((tmp_path / "a.itch.expect.jsonl").read_text().splitlines())
    whole = (tmp_path / "a.itch").read_bytes()
    at = count = 0
    while at < len(whole):
        at += 2 + int.from_bytes(whole[at:at + 2], "big")
        count += 1
    assert at == len(whole)
    assert 0 < count == messages < 2_000_000


def test_backtest_interrupted_leaves_its_results(command, tmp_path, monkeypatch):
    """The core is asked for what it has made of the file's beginning."""
    assert command("generate", "quiet", "--messages", "300", "--out", tmp_path / "a.itch").status == 0
    content = (tmp_path / "a.itch").read_bytes()

    def chunks(self):
        yield content
        raise KeyboardInterrupt

    monkeypatch.setattr(Capture, "chunks", chunks)
    finished = command("backtest", tmp_path / "a.itch", "--out", tmp_path / "out")
    assert finished.status == 130
    assert finished.stderr == "tickloop: interrupted\n"
    assert json.loads((tmp_path / "out/backtest.json").read_text())["messages"] == 300
