# SPDX-License-Identifier: MIT
"""``tickloop backtest``: the orders of the closed loop on the same file, byte for byte, and its books; errors on one
line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from generators.profiles import generate
from tests.loop.conftest import RunDirectory

Completed = Callable[..., RunDirectory]
Tickloop = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def itch_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("itch") / "opening.itch"
    path.write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for _, raw in generate("opening", 9, 3000)))
    return path


def assert_as_the_loop(tickloop: Tickloop, loop: RunDirectory, path: Path, out: Path, *options: str | Path) -> None:
    finished = tickloop("backtest", path, "--out", out, *options)
    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    orders = [json.loads(line) for line in (out / "orders.jsonl").read_text().splitlines()]
    expected = loop.lines("orders.jsonl")
    assert [(order["type"], order["hex"]) for order in orders] == [(order["type"], order["hex"]) for order in expected]
    assert orders
    assert json.loads((out / "books.json").read_text()) == loop.json("books.json")
    assert "messages/s" in finished.stdout


def test_the_loops_orders_on_a_real_opening(tickloop: Tickloop, completed: Completed, tmp_path: Path,
                                            sample: Callable[[str], Path]) -> None:
    path = sample("itch_12302019_open_1000.itch")
    assert_as_the_loop(tickloop, completed("sim", path), path, tmp_path)


def test_the_loops_orders_on_a_generated_opening(tickloop: Tickloop, completed: Completed, tmp_path: Path,
                                                 itch_file: Path) -> None:
    loop = completed("sim", itch_file)
    assert_as_the_loop(tickloop, loop, itch_file, tmp_path / "plain")
    packed = tmp_path / "opening.itch.gz"
    packed.write_bytes(gzip.compress(itch_file.read_bytes()))
    assert_as_the_loop(tickloop, loop, packed, tmp_path / "packed")


def test_another_configuration(tickloop: Tickloop, completed: Completed, tmp_path: Path, itch_file: Path,
                               root: Path) -> None:
    config = root / "examples/two_symbols.toml"
    loop = completed("sim", itch_file, "--config", config)
    assert_as_the_loop(tickloop, loop, itch_file, tmp_path, "--config", config)


def test_the_other_version_of_ouch(tickloop: Tickloop, completed: Completed, tmp_path: Path, itch_file: Path) -> None:
    loop = completed("sim", itch_file, "--ouch", "5.0")
    assert_as_the_loop(tickloop, loop, itch_file, tmp_path, "--ouch", "5.0")


def test_a_file_that_ends_early(tickloop: Tickloop, tmp_path: Path, itch_file: Path) -> None:
    cut = tmp_path / "cut.itch"
    cut.write_bytes(itch_file.read_bytes()[:-5])
    finished = tickloop("backtest", cut)
    assert finished.returncode == 0
    assert "ends inside message 2999, read up to there" in finished.stderr
    assert "2,999" in finished.stdout


@pytest.mark.parametrize("kind", ["missing", "directory", "no ITCH", "capture"])
def test_files_that_are_none(tickloop: Tickloop, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "input.itch"
    if kind == "directory":
        path.mkdir()
    elif kind == "no ITCH":
        path.write_text("no messages in here\n" * 100)
    elif kind == "capture":
        path = tmp_path / "quiet.pcap"
        assert tickloop("generate", "quiet", "--messages", "10", "--out", path).returncode == 0
    finished = tickloop("backtest", path)
    assert finished.returncode == 2
    assert finished.stderr.startswith("tickloop: ")
    assert finished.stderr.count("\n") == 1
