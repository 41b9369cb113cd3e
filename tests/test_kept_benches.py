# SPDX-License-Identifier: MIT
"""TEST_BUILDS: a bench is built once for all who need the same one; of other sources, parameters, arguments or counters
it is another one, and what was built of older sources goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rtl.simulation import BUILDS, Bench, Run

RUN = Run("icarus", ["m"], 1, {}, {})


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Where benches were built."""
    folders: list[Path] = []

    def make(self: Bench, run: Run, build: Path) -> None:
        build.mkdir(parents=True, exist_ok=True)
        folders.append(build)

    monkeypatch.setattr(Bench, "make", make)
    monkeypatch.setenv(BUILDS, str(tmp_path / "kept"))
    return folders


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    source = tmp_path / "counter.v"
    source.write_text("module counter; endmodule\n")
    return Bench("counter", [source], "benches")


def test_the_same_one_is_built_once(bench: Bench, made: list[Path], tmp_path: Path) -> None:
    first = bench._made(RUN, tmp_path / "a")
    assert bench._made(replace(RUN, seed=2, modules=["n"]), tmp_path / "b") == first
    assert made == [first]
    assert first.is_relative_to(tmp_path / "kept")


def test_without_a_directory_each_is_built_where_it_runs(bench: Bench, made: list[Path], tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BUILDS)
    assert bench._made(RUN, tmp_path / "a") == tmp_path / "a"
    assert bench._made(RUN, tmp_path / "b") == tmp_path / "b"
    assert made == [tmp_path / "a", tmp_path / "b"]


def test_others_are_others(bench: Bench, made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters and counters stand beside each other; of newer sources, the older one's place is taken."""
    plain = bench._made(RUN, tmp_path)
    other = bench._made(replace(RUN, parameters={"LOG2": 4}), tmp_path)
    monkeypatch.setenv("VERILATOR_COVERAGE", "--coverage-line")
    counted = bench._made(RUN, tmp_path)
    monkeypatch.delenv("VERILATOR_COVERAGE")
    assert len({plain, other, counted}) == 3
    bench.sources[0].write_text("module counter; wire w; endmodule\n")
    newer = bench._made(RUN, tmp_path)
    with_argument = replace(bench, arguments={"icarus": ("-g2012",)})._made(RUN, tmp_path)
    assert made == [plain, other, counted, newer, with_argument]
    assert other.exists()
    assert counted.exists()
    assert [plain.exists(), newer.exists(), with_argument.exists()] == [False, False, True]


def test_a_build_that_did_not_come_to_its_end_is_made_again(bench: Bench, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUILDS, str(tmp_path / "kept"))
    calls: list[Path] = []

    def make(self: Bench, run: Run, build: Path) -> None:
        build.mkdir(parents=True)
        calls.append(build)
        if len(calls) == 1:
            raise SystemExit("no compiler")

    monkeypatch.setattr(Bench, "make", make)
    with pytest.raises(SystemExit):
        bench._made(RUN, tmp_path)
    assert bench._made(RUN, tmp_path) == calls[1]
