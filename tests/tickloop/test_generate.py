# SPDX-License-Identifier: MIT
"""``generate`` with profiles of a user's own, two lines, and files that say something impossible."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from generators.profiles import MIX_TYPES, OPENING, PROFILES, _Traffic
from tickloop.profile_file import load_profile

MINIMAL = """symbols = 2
messages = 600
gaps = [[0.0, 100], [1.0, 20_000]]
[mix]
A = 3
D = 1
"""


def types_of(path):
    return Counter(json.loads(line)["type"] for line in Path(path).read_text().splitlines())


def numbers_of(path):
    return [json.loads(line)["sequence"] for line in Path(path).read_text().splitlines()]


@pytest.fixture
def profile(tmp_path):
    def write(text, name="mine.toml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_profile_of_a_file_makes_its_traffic(command, profile, tmp_path):
    finished = command("generate", profile(MINIMAL), "--out", tmp_path / "m.pcap", "--json")
    assert finished.status == 0, finished.stderr
    assert json.loads(finished.stdout) == {
        "command": "generate", "profile": "mine", "seed": 1,
        "files": [{"path": str(tmp_path / "m.pcap"), "frames": 600, "expected": str(tmp_path / "m.pcap.expect.jsonl")}]}
    types = types_of(tmp_path / "m.pcap.expect.jsonl")
    assert set(types) == {"S", "R", "H", "A", "F", "D"}  # F: of the warm-up
    assert 2 < (types["A"] / types["D"]) < 4.5


def test_with_a_base_only_what_is_said_differs(profile):
    loaded = load_profile(profile('base = "opening"\nsymbols = 3\n[bursts]\nsizes = [2, 4]\n')).profile
    assert (loaded.symbols, loaded.burst_sizes) == (3, (2, 4))
    assert (loaded.mix, loaded.gaps, loaded.burst_share) == (OPENING.mix, OPENING.gaps, OPENING.burst_share)


@pytest.mark.parametrize("name", PROFILES)
def test_a_base_alone_is_the_built_in_profile(command, profile, tmp_path, name):
    path = profile(f'base = "{name}"\n', "other.name")
    assert command("generate", "--profile-file", path, "--messages", "200", "--out", tmp_path / "a.pcap").status == 0
    assert command("generate", name, "--messages", "200", "--out", tmp_path / "b.pcap").status == 0
    assert (tmp_path / "a.pcap").read_bytes() == (tmp_path / "b.pcap").read_bytes()


def test_the_example_of_the_documentation(command, root, tmp_path):
    """Both lines with faults of their own; together they give what one lost."""
    a, b = tmp_path / "a.pcap", tmp_path / "b.pcap"
    finished = command("generate", root / "examples/profile.toml", "--line-b", b, "--out", a)
    assert finished.status == 0, finished.stderr
    alone = [numbers_of(f"{path}.expect.jsonl") for path in (a, b)]
    both = numbers_of(f"{a}.both.expect.jsonl")
    lost = [3_000 - len(numbers) for numbers in alone]
    assert lost[1] > 2 * lost[0] > 10
    assert 3_000 - len(both) < lost[0] / 2
    # Not in ``both``: what line B had, but later than its successor on line A.
    assert set(both) <= set(alone[0]) | set(alone[1])
    assert len(set(alone[0]) | set(alone[1])) - len(both) < 10
    assert alone[0] != alone[1]


def test_lines_with_the_same_rates_lose_other_frames(command, tmp_path):
    a, b = tmp_path / "a.pcap", tmp_path / "b.pcap"
    assert command("generate", "quiet", "--faults", "loss=0.1", "--line-b", b, "--out", a).status == 0
    lost = [set(range(1, 1001)) - set(numbers_of(f"{path}.expect.jsonl")) for path in (a, b)]
    assert all(60 < len(each) < 140 for each in lost)
    assert len(lost[0] & lost[1]) < 30


def test_line_b_alone_may_be_the_bad_one(command, tmp_path):
    a, b = tmp_path / "a.pcap", tmp_path / "b.pcap"
    assert command("generate", "quiet", "--faults-b", "loss=0.1", "--line-b", b, "--out", a).status == 0
    assert len(numbers_of(f"{a}.expect.jsonl")) == 1000 > len(numbers_of(f"{b}.expect.jsonl")) + 50
    assert numbers_of(f"{a}.both.expect.jsonl") == list(range(1, 1001))


def test_rate_and_warm_up_reach_an_itch_file(command, profile, tmp_path):
    path = profile('base = "quiet"\nwarm_up = 0\nmessages = 100\nrate = 1_000\n')
    assert command("generate", path, "--out", tmp_path / "slow.itch").status == 0
    lines = [json.loads(line) for line in (tmp_path / "slow.itch.expect.jsonl").read_text().splitlines()]
    times = [line["fields"]["timestamp"] for line in lines if line["type"] not in "SRH"]
    assert 0.3e6 < (times[-1] - times[0]) / len(times) < 3e6


def test_the_types_of_a_mix_are_those_that_can_be_written():
    assert set(MIX_TYPES) == set(_Traffic(OPENING, 1, 1, None)._writers)


@pytest.mark.parametrize(("text", "line", "says"), [
    ("symbols = 0\n", 1, "symbols must be an integer from 1 to 8000, got 0"),
    ("symbols = 2.0\n", 1, "symbols must be an integer"),
    ("symbols = true\n", 1, "symbols must be an integer"),
    ("messages = -1\n", 1, "messages must be"),
    ("\nwarm_up = -1\n", 2, "warm_up must be"),
    ("rate = 0\n", 1, "rate must be more than 0"),
    ("rate = nan\n", 1, "rate must be a number"),
    ("jitter_ns = 0.5\n", 1, "jitter_ns must be"),
    ("# note\n\nburst = 3\n", 3, "burst is unknown"),
    ("description = 3\n", 1, "description must be text"),
    ("gaps = []\n", 1, "gaps must be two or more points"),
    ("gaps = [[0, 1], [0.5, 2]]\n", 1, "from probability 0 to 1"),
    ("gaps = [[0, 1], [0.5, 2], [0.5, 3], [1, 4]]\n", 1, "gaps must grow"),
    ("gaps = [[0, 10], [1, 4]]\n", 1, "gaps must grow"),
    ("gaps = [\n [0, 0],\n [1, 4]]\n", 1, "gaps are whole ns from 1"),
    ("[mix]\nA = 1\nZ = 1\n", 3, "mix.Z is unknown"),
    ("[mix]\nA = 0\n", 1, "mix must give at least one"),
    ("[mix]\n\n'D' = -1\n", 3, "mix.D must be"),
    ("mix = 3\n", 1, "mix must be a table"),
    ("mix.A = 'x'\n", 1, "mix.A must be a number"),
    ("mix = {A = 1, Y = 2}\n", 1, "mix.Y is unknown"),
    ("[bursts]\nshare = 2\n", 2, "bursts.share must be"),
    ("[bursts]\nsizes = [5, 4]\n", 2, "bursts.sizes must be"),
    ("[bursts]\nsizes = 5\n", 2, "bursts.sizes must be"),
    ("[bursts]\nquotes = 1\n", 2, "bursts.quotes must be true or false"),
    ("[bursts]\nspeed = 1\n", 2, "bursts.speed is unknown"),
    ("[faults]\nrain = 0.1\n", 2, "faults.rain is unknown"),
    ("[faults]\nloss = 1.5\n", 2, "faults.loss must be a number from 0 to 1"),
    ("[faults.b]  # worse\nloss = 'much'\n", 2, "faults.b.loss must be"),
    ("[faults.b]\na = 1\n", 2, "faults.b.a is unknown"),
    ("[line_b]\ndelay_ns = -5\n", 2, "line_b.delay_ns must be"),
    ("base = 'opening'\nmix = 1 2\n", 2, "not TOML"),
])
def test_what_is_wrong_in_a_file_is_told_with_its_line(command, profile, tmp_path, text, line, says):
    head = "" if "base" in text else 'base = "opening"\n'
    path = profile(head + text)
    finished = command("generate", path, "--out", tmp_path / "x.pcap")
    assert finished.status == 2
    assert says in finished.error_line()
    assert f"line {line + bool(head)}" in finished.error_line()
    assert str(path) in finished.error_line()
    assert not (tmp_path / "x.pcap").exists()


@pytest.mark.parametrize(("text", "says"), [
    ("symbols = 2\n", "messages is missing"), ('base = "loud"\n', "base must be one of quiet, opening, mass_quote"),
    (MINIMAL.replace("gaps", "# gaps"), "gaps is missing"), ("\xff", "not TOML"),
])
def test_a_file_without_what_is_needed(command, profile, tmp_path, text, says):
    finished = command("generate", profile(text), "--out", tmp_path / "x.pcap")
    assert finished.status == 2
    assert says in finished.error_line()


@pytest.mark.parametrize("arguments", [
    [], ["quiet", "--profile-file", "FILE"], ["quiet", "--faults-b", "loss=0.1"], ["absent.toml"],
    ["--profile-file", "absent"], ["quiet", "--line-b", "OUT"],
    ["quiet", "--line-b", "b.pcap", "--format", "prototype"],
    ["quiet", "--line-b", "b.pcap", "--faults-b", "loss=2"], ["FILE", "--format", "prototype"],
])
def test_what_does_not_go_together(command, profile, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    path = profile('base = "quiet"\n[mix]\nI = 1\n')
    names = {"FILE": path, "OUT": "x.pcap"}
    finished = command("generate", *[names.get(each, each) for each in arguments], "--out", "x.pcap")
    assert finished.status == 2
    assert finished.error_line()
    assert not Path("x.pcap").exists()
