# SPDX-License-Identifier: MIT
"""The coverage plan and what is made of it: impossible bins, the merge over runs, code coverage and exclusions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cocotb_coverage.coverage import coverage_db

from tb.coverage import code, functional
from tb.coverage.code import Exclusion, ExclusionError, FileCoverage
from tb.coverage.plan import PLAN, Coverage, PlanError, load

RECORDS = """# SystemC::Coverage-3
C '\x01f\x02{rtl}/one.v\x01l\x023\x01n\x021\x01t\x02line\x01page\x02v_line/one\x01o\x02x\x01S\x023-4\x01h\x02top.a' 5
C '\x01f\x02{rtl}/one.v\x01l\x025\x01n\x021\x01t\x02branch\x01page\x02v_branch/one\x01o\x02if\x01S\x025\x01h\x02top.a' 0
C '\x01f\x02{rtl}/one.v\x01l\x022\x01n\x021\x01t\x02toggle\x01page\x02v_toggle/one\x01o\x02q[0]:0->1\x01h\x02top.a' 0
C '\x01f\x02{rtl}/one.v\x01l\x022\x01n\x021\x01t\x02toggle\x01page\x02v_toggle/one\x01o\x02q[0]:0->1\x01h\x02top.b' 2
C '\x01f\x02{rtl}/one.v\x01l\x022\x01n\x021\x01t\x02toggle\x01page\x02v_toggle/one\x01o\x02q[1]:0->1\x01h\x02top.a' 0
C '\x01f\x02/bench.v\x01l\x021\x01n\x021\x01t\x02line\x01page\x02v_line/bench\x01o\x02block\x01S\x021\x01h\x02top' 1
"""


@pytest.fixture
def rtl(tmp_path: Path) -> Path:
    """A source and its coverage.dat."""
    (tmp_path / "one.v").write_text("module one;\n  reg [1:0] q;\n  always @*\n    a = b;\n  if (never) c = d;\n")
    (tmp_path / "coverage.dat").write_text(RECORDS.format(rtl=tmp_path))
    return tmp_path


def test_every_cross_says_what_it_means_and_why_a_bin_is_impossible() -> None:
    plan = load()
    for cross in plan.values():
        assert len(cross.meaning) > 20
        assert cross.items
        assert all(len(rule.reason) > 20 for rule in cross.impossible)
        assert len(cross.impossible_bins()) < len(list(cross.items)) * 1000
    assert {"type_alignment_tail", "type_status", "line_reason_delivery", "ring_state_lines", "arbitration_line",
            "delivery_verdict_line", "tags_options", "kind_state", "filter_outcome"} <= plan.keys()


@pytest.mark.parametrize(("old", "new"), [
    ("[0, 1, 2]", "[0, 1, 1]"),
    ('bins = { type = ["none"]', 'bins = { typo = ["none"]'),
])
def test_a_plan_that_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = PLAN.read_text()
    assert old in text
    (tmp_path / "plan.toml").write_text(text.replace(old, new))
    with pytest.raises(PlanError):
        load(tmp_path / "plan.toml")


def test_samples_outside_of_the_plan_are_errors() -> None:
    coverage = Coverage()
    for values in ({"type": "A", "status": "unknown_type"}, {"type": "?", "status": "ok"}, {"type": "A"}):
        with pytest.raises(PlanError):
            coverage.sample("type_status", **values)


def test_runs_are_merged_and_what_no_run_hit_is_missing(tmp_path: Path) -> None:
    coverage = Coverage()
    cross = coverage_db["plan.type_status.cross"]
    coverage.sample("type_status", type="A", status="ok")
    coverage.export(tmp_path / "one.yml")
    coverage.sample("type_status", type="D", status="too_long")
    coverage.export(tmp_path / "two.yml")
    before = dict(cross.detailed_coverage)
    merged = {one.cross.name: one for one in functional.merge(sorted(tmp_path.glob("*.yml")), tmp_path / "merged.yml")}
    assert merged["type_status"].hits["A", "ok"] == 2 * before["A", "ok"]
    assert merged["type_status"].hits["D", "too_long"] == 2 * before["D", "too_long"] - 1
    assert ("U", "too_short") in merged["type_status"].missing
    assert ("A", "unknown_type") not in merged["type_status"].hits
    with pytest.raises(ValueError, match="no test left"):
        functional.merge([], tmp_path / "none.yml")


def test_code_coverage_counts_lines_branches_and_toggles_of_all_instances(rtl: Path) -> None:
    found = code.read([rtl / "coverage.dat"], rtl)
    assert list(found) == ["one.v"]
    one = found["one.v"]
    assert one.lines == {3: True, 4: True, 5: False}
    assert (one.hits("line"), one.hits("branch"), one.hits("toggle")) == ((2, 3), (0, 1), (1, 2))


def test_exclusions_take_points_out_and_must_match_something(rtl: Path) -> None:
    found = code.read([rtl / "coverage.dat"], rtl)
    rules = [Exclusion("toggle", "*.v", re.compile(r"q\[1\]"), "why"),
             Exclusion("line", "one.v", re.compile(r"if \(never\)"), "why"),
             Exclusion("branch", "one.v", re.compile(r"if \(never\)"), "why")]
    code.exclude(found, rules, rtl)
    assert [found["one.v"].hits(kind) for kind in code.KINDS] == [(2, 2), (0, 0), (1, 1)]
    assert found["one.v"].excluded == 3
    with pytest.raises(ExclusionError):
        code.exclude(found, [Exclusion("toggle", "*.v", re.compile("gone"), "why")], rtl)


def test_lcov_has_every_line(rtl: Path) -> None:
    code.write_lcov({"one.v": FileCoverage(lines={3: True, 5: False})}, rtl, rtl / "lines.info")
    assert (rtl / "lines.info").read_text().splitlines()[1:] \
        == [f"SF:{rtl / 'one.v'}", "DA:3,1", "DA:5,0", "LF:2", "LH:1", "end_of_record"]


def test_the_written_exclusions_have_reasons() -> None:
    assert all(len(one.reason) > 20 for one in code.load_exclusions())
