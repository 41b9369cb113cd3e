# SPDX-License-Identifier: MIT
"""The loop on lines with faults: the model predicts all of it, on both simulators; the line with the better copy helps;
what `generate --faults` says a receiver must see is what the RTL delivers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.loop.conftest import SIMULATORS, RunDirectory

Completed = Callable[..., RunDirectory]
SCENARIO = ("sim", "--scenario", "faults", "--messages", "300")


def test_both_simulators_do_the_same(completed: Completed) -> None:
    runs = [completed(*SCENARIO, "--sim", simulator) for simulator in SIMULATORS]
    assert len({run.json("run.json")["digest"] for run in runs}) == 1
    summary = runs[0].json("summary.json")
    assert summary["messages_b"] > 0
    assert sum(summary["dropped"].values()) > 0
    assert runs[0].json("run.json")["lines"] == 2


def test_rates_on_one_line_of_a_capture(
    completed: Completed, tickloop: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    capture = tmp_path / "opening.pcap"
    assert tickloop("generate", "opening", "--messages", "300", "--out", capture).returncode == 0
    run = completed("sim", capture, "--faults", "loss=0.2,duplicate=0.1")
    summary = run.json("summary.json")
    assert summary["gaps"] > 10
    assert summary["duplicates"] > 10
    assert run.json("run.json")["lines"] == 1


def test_a_capture_with_faults_and_what_a_receiver_must_see(
    completed: Completed, tickloop: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    capture = tmp_path / "faulty.pcap"
    rates = "loss=0.02,duplicate=0.05,reorder=0.05,truncation=0.03,bit_flip=0.05,bad_length=0.1"
    for path in (capture, tmp_path / "again.pcap"):
        result = tickloop("generate", "opening", "--messages", "600", "--faults", rates, "--out", path)
        assert result.returncode == 0, result.stderr
    assert capture.read_bytes() == (tmp_path / "again.pcap").read_bytes()
    run = completed("parse", capture)
    expected = [json.loads(line) for line in Path(f"{capture}.expect.jsonl").read_text().splitlines()]
    seen = run.lines("messages.jsonl")
    assert [(line["sequence"], line["type"]) for line in expected] == [(m["sequence"], m["type"]) for m in seen]
    assert [line["fields"] for line in expected] == [message.get("fields") for message in seen]
    assert len(run.json("summary.json")["dropped"]) > 5
