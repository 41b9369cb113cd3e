# SPDX-License-Identifier: MIT
"""What jobs covered is added up: Verilator's points record by record, the plan's bins as cocotb-coverage does, and a
job's files are taken away."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from scripts.regress import covered
from scripts.regress.collected import gather
from scripts.regress.covered import Covered
from tb.coverage import code, functional
from tb.coverage.merging import HEADER, add_bins, add_points, bins_of, write_points
from tb.coverage.plan import Coverage


def point(file: Path, line: int, kind: str, name: str, count: int) -> str:
    fields = {"f": str(file), "l": str(line), "n": "1", "page": f"{kind}/one", "o": name, "S": f"{line}"}
    return "C '" + "".join(f"\x01{key}\x02{value}" for key, value in fields.items()) + f"' {count}\n"


@pytest.fixture
def rtl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "rtl"
    folder.mkdir()
    (folder / "one.v").write_text("module one;\n// 2\n// 3\nendmodule\n")
    monkeypatch.setattr(covered, "RTL", folder)
    monkeypatch.setattr(code, "EXCLUSIONS", tmp_path / "none.toml")
    monkeypatch.setattr(code, "load_exclusions", list)
    return folder


def test_the_plans_bins_are_added_as_cocotb_coverage_adds_them(tmp_path: Path) -> None:
    coverage = Coverage()
    coverage.sample("type_status", type="A", status="ok")
    coverage.export(tmp_path / "one.yml")
    coverage.sample("type_status", type="D", status="too_long")
    coverage.export(tmp_path / "two.yml")
    total: dict[str, dict[str, int]] = {}
    for name in ("one.yml", "two.yml"):
        add_bins(total, bins_of(tmp_path / name))
    theirs = functional.merge([tmp_path / "one.yml", tmp_path / "two.yml"], tmp_path / "merged.yml")
    assert functional.against_plan(json.loads(json.dumps(total))) == theirs
    assert sum(sum(one.hits.values()) for one in theirs) > 0


def test_points_are_added_and_written_as_they_came(tmp_path: Path) -> None:
    one, two = tmp_path / "one.dat", tmp_path / "two.dat"
    one.write_text(HEADER + point(tmp_path, 2, "v_line", "", 3) + point(tmp_path, 3, "v_line", "", 0))
    two.write_text(HEADER + point(tmp_path, 3, "v_line", "", 1) + point(tmp_path, 2, "v_line", "", 4))
    total: Counter[str] = Counter()
    for path in (one, two):
        add_points(total, path)
    write_points(total, tmp_path / "sum.dat")
    assert (tmp_path / "sum.dat").read_text() == \
        HEADER + point(tmp_path, 2, "v_line", "", 7) + point(tmp_path, 3, "v_line", "", 1)


def test_jobs_are_taken_together(rtl: Path, tmp_path: Path) -> None:
    """Each of two jobs covers a line of its own; one of them is a suite of two tests."""
    files = {"a/coverage.dat": 2, "b/pytest/test_one0/coverage.dat": 3, "b/pytest/test_two0/coverage.dat": 3}
    for name, line in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("".join(point(rtl / "one.v", each, "v_line", "block", int(each == line))
                                             for each in (1, 2, 3)))
    (tmp_path / "b/pytest/test_twocurrent").symlink_to("test_two0")
    coverage = Coverage()
    coverage.sample("type_status", type="A", status="ok")
    (tmp_path / "b/functional").mkdir()
    coverage.export(tmp_path / "b/functional/one.yml")
    together = Covered()
    for name in ("a", "b"):
        gather(tmp_path / name)
        together.add(tmp_path / name)
        assert not (tmp_path / name / "coverage.dat").exists()
    figures, said = together.write(tmp_path / "coverage")
    assert said == ""
    assert (figures["line"]["covered"], figures["line"]["total"]) == (2, 3)
    assert figures["functional"]["covered"] > 0
    assert (tmp_path / "coverage/html/index.html").exists()
    assert "' 2\n" in (tmp_path / "coverage/coverage.dat").read_text()  # both tests of the suite
    assert (tmp_path / "coverage/lines.info").read_text().splitlines()[2:5] == ["DA:1,0", "DA:2,1", "DA:3,1"]


def test_without_any_there_are_no_figures(tmp_path: Path) -> None:
    assert Covered().write(tmp_path / "coverage") == ({}, "")
    assert not (tmp_path / "coverage").exists()
