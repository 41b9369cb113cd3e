# SPDX-License-Identifier: MIT
"""Two lines, other formats, several captures, filter and descriptors through the whole product: the run's own checks
compare everything with the model, here is what its user must find."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generators.captures import CapturedFrame, write_pcap
from generators.fcs import with_fcs
from generators.profiles import frames, generate, write_prototype
from tests.loop.conftest import SIMULATORS, RunDirectory

SEED = 20261121
MESSAGES = {"verilator": 600, "icarus": 180}
LAG_NS = 900  # line B behind line A
Completed = Callable[..., RunDirectory]
LineCaptures = tuple[Path, Path]
CapturesFor = Callable[[str], LineCaptures]

pytestmark = pytest.mark.parametrize("simulator", SIMULATORS)


def _line(traffic: list[CapturedFrame], rng: random.Random, lag_ns: int) -> list[tuple[int, bytes]]:
    """One line's frames: some lost, some damaged at their end, some twice."""
    made = []
    for time_ns, data in traffic:
        kind = rng.choices(["sound", "lost", "damaged", "twice"], [80, 8, 8, 4])[0]
        if kind == "damaged":
            data = data[:-1] + bytes([data[-1] ^ 0x10])  # noqa: PLW2901
        made += [(time_ns + lag_ns, data)] * {"lost": 0, "twice": 2}.get(kind, 1)
    return made


@pytest.fixture(scope="module")
def captures_for(tmp_path_factory: pytest.TempPathFactory) -> CapturesFor:
    """``captures_for(simulator)``: of as much traffic as that simulator takes in a second or two."""
    made: dict[str, LineCaptures] = {}

    def captures(simulator: str) -> LineCaptures:
        if simulator not in made:
            print(f"seed {SEED}")
            rng = random.Random(SEED)
            folder = tmp_path_factory.mktemp("lines")
            traffic = list(frames(generate("opening", seed=SEED, messages=MESSAGES[simulator]), seed=SEED))
            for name, lag_ns in (("a.pcap", 0), ("b.pcap", LAG_NS)):
                write_pcap(folder / name, _line(traffic, rng, lag_ns))
            made[simulator] = folder / "a.pcap", folder / "b.pcap"
        return made[simulator]

    return captures


@pytest.fixture
def captures(simulator: str, captures_for: CapturesFor) -> LineCaptures:
    return captures_for(simulator)


def _delivered(run: RunDirectory) -> list[dict[str, Any]]:
    return [line for line in run.lines("messages.jsonl") if line.get("verdict") != "bad"]


@pytest.mark.parametrize("delivery", ["verified", "cut-through"])
@pytest.mark.parametrize("command", ["parse", "sim"])
def test_two_lines_lose_less_than_one(
    command: str, delivery: str, simulator: str, completed: Completed, captures: LineCaptures
) -> None:
    options = ("--delivery", delivery, "--sim", simulator)
    one = completed(command, captures[0], *options)
    both = completed(command, captures[0], "--line-b", captures[1], *options)
    sequences = [line["sequence"] for line in _delivered(both)]
    assert sequences == sorted(set(sequences))
    assert len(_delivered(one)) < len(sequences)
    summary = both.json("summary.json")
    assert 0 < summary["messages_b"] < len(sequences)
    assert summary["duplicates"] > len(sequences) / 2
    assert {line["line"] for line in both.lines("frames.jsonl")} == {"A", "B"}
    assert "from line B" in both.output


def test_hold_loses_nothing_that_either_line_has(
    simulator: str, completed: Completed, captures: LineCaptures
) -> None:
    """Without hold, what line A lost and line B brings later is old by then."""
    lines = (captures[0], "--line-b", captures[1], "--sim", simulator)
    without, held = completed("parse", *lines), completed("parse", *lines, "--hold", "20000")
    assert len(_delivered(held)) > len(_delivered(without))
    gaps = [[event for event in run.lines("events.jsonl") if event["event"] == "gap"] for run in (without, held)]
    assert len(gaps[1]) < len(gaps[0])
    on_either = {line["sequence"] for line in _delivered(held)}
    missing = {number for event in gaps[1] for number in range(event["from"], event["to"])}
    assert on_either | missing == set(range(1, MESSAGES[simulator] + 1))


def test_frames_with_fcs(simulator: str, completed: Completed, tmp_path: Path) -> None:
    sealed = [(time_ns, with_fcs(data)) for time_ns, data in frames(generate("quiet", seed=SEED, messages=80))]
    for index in range(0, 80, 9):
        time_ns, data = sealed[index]
        sealed[index] = time_ns, data[:-1] + bytes([data[-1] ^ 1])
    write_pcap(tmp_path / "sealed.pcap", sealed)
    run = completed("parse", tmp_path / "sealed.pcap", "--fcs", "--sim", simulator)
    drops = [line for line in run.lines("frames.jsonl") if line["disposition"] == "drop"]
    assert [(line["frame"], line["reason"]) for line in drops] == [(index, "bad_fcs") for index in range(0, 80, 9)]


@pytest.mark.parametrize("delivery", ["verified", "cut-through"])
def test_the_prototype_s_format(delivery: str, simulator: str, completed: Completed, tmp_path: Path) -> None:
    write_prototype(tmp_path / "p.pcap", "opening", SEED, 200)
    run = completed("parse", tmp_path / "p.pcap", "--format", "prototype", "--delivery", delivery, "--sim", simulator)
    expected = RunDirectory(tmp_path, "").lines("p.pcap.expect.jsonl")
    got = [{key: line[key] for key in ("sequence", "type", "fields")} for line in run.lines("messages.jsonl")]
    assert got == expected


def test_several_captures_are_as_if_each_were_alone(
    simulator: str, completed: Completed, captures: LineCaptures
) -> None:
    together = completed("parse", *captures, "--sim", simulator)
    for capture in captures:
        alone = completed("parse", capture, "--sim", simulator)
        inside = RunDirectory(together.path / capture.name, "")
        assert inside.json("run.json")["digest"] == alone.json("run.json")["digest"]
        assert inside.lines("messages.jsonl") == alone.lines("messages.jsonl")


def test_the_filter_keeps_back_what_is_not_subscribed(simulator: str, completed: Completed, tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text('[kernel]\nsubscribe = ["TKAA", "TKAB"]\n')
    (tmp_path / "off.toml").write_text('[kernel]\nsubscribe = ["TKAA", "TKAB"]\n[nic]\nfilter = false\n')
    messages = MESSAGES[simulator]
    scenario = ("--messages", str(messages), "--sim", simulator)
    on, off = (completed("sim", *scenario, "--config", tmp_path / name) for name in ("two.toml", "off.toml"))
    assert on.json("summary.json")["filtered"] > messages / 3
    assert off.json("summary.json")["filtered"] == 0
    assert len(on.lines("messages.jsonl")) + on.json("summary.json")["filtered"] == messages
    assert on.json("books.json") == off.json("books.json")
    orders = [[order["hex"] for order in run.lines("orders.jsonl")] for run in (on, off)]
    assert orders[0] == orders[1] != []
    assert "filtered" in on.output


@pytest.mark.parametrize("log2", [4, 10])
def test_descriptors_carry_what_lines_carry(log2: int, simulator: str, completed: Completed, tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(f'[nic]\nmode = "descriptors"\n[rings]\nrx_log2 = {log2}\ntx_log2 = {log2}\n')
    scenario = ("sim", "--scenario", "quiet", "--messages", "100", "--sim", simulator)
    descriptors, lines = completed(*scenario, "--config", tmp_path / "d.toml"), completed(*scenario)
    for name in ("messages.jsonl", "frames.jsonl"):
        assert descriptors.lines(name) == lines.lines(name)
    orders = [[order["hex"] for order in run.lines("orders.jsonl")] for run in (descriptors, lines)]
    assert orders[0] == orders[1] != []


@pytest.mark.parametrize("delivery", ["verified", "cut-through"])
def test_both_simulators_give_one_digest(
    delivery: str, simulator: str, completed: Completed, captures_for: CapturesFor
) -> None:
    captures = captures_for("icarus")
    both = (captures[0], "--line-b", captures[1], "--delivery", delivery, "--hold", "20000")
    digests = {completed("sim", *both, "--sim", each).json("run.json")["digest"] for each in {simulator, *SIMULATORS}}
    assert len(digests) == 1
