# SPDX-License-Identifier: MIT
"""junit.xml as its readers want it: a library of its own reads the same counts, and no element or attribute stands in
it that Jenkins' schema does not have at that place."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from junitparser import Failure, JUnitXml, Skipped

from scripts.regress.jobs import Case, Job, Result
from scripts.regress.junit import write

# Of junit-10.xsd (jenkinsci/xunit-plugin): element -> attributes it may have, those it must have, what may stand in it.
SCHEMA = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id",
                   "package", "file", "log", "url"}, {"name", "tests", "failures", "errors"}, {"testcase"}),
    "testcase": ({"name", "time", "classname", "group"}, {"name"}, {"skipped", "error", "failure", "system-out"}),
    "failure": ({"type", "message"}, set(), set()),
    "skipped": ({"type", "message"}, set(), set()),
}
JOBS = [*(Job("opening", "icarus", seed) for seed in (5, 6, 7)), Job("rtl-top", "host", 5)]
HOSTILE = 'price \x1b[31m <3> & \x00 "4"'
RESULTS = {each.name: each for each in (
    Result("opening.icarus.5", (Case("", "passed", 1.25),), 1.25, "here"),
    Result("opening.icarus.6", (Case("", "failed", 2.0, HOSTILE, "first\n]]> line"),), 2.0, "here"),
    Result("rtl-top.host.5", (Case("tests/a.py::b[1]", "passed", 3.0), Case("tests/a.py::c", "skipped"),
                              Case("tests/a.py::d", "failed", 1200.5, "timeout: not done in 3 s")), 1203.5, "here"),
)}


def written(tmp_path: Path) -> Path:
    path = tmp_path / "junit.xml"
    write(path, JOBS, RESULTS, {("opening.icarus.6", ""): "tickloop sim --seed 6"}, "2026-11-30T00:00:00")
    return path


def test_a_reader_of_its_own_counts_the_same(tmp_path: Path) -> None:
    xml = JUnitXml.fromfile(str(written(tmp_path)))
    assert (xml.tests, xml.failures, xml.errors, round(xml.time, 3)) == (6, 2, 0, 1206.75)
    suites = {suite.name: suite for suite in xml}
    assert {name: (suite.tests, suite.failures, suite.skipped) for name, suite in suites.items()} == {
        "opening.icarus": (3, 1, 1), "rtl-top.host": (3, 1, 1)}
    one, two, three = suites["opening.icarus"]
    assert (one.name, one.classname, one.time, one.result) == ("seed 5", "opening.icarus", 1.25, [])
    (failure,) = two.result
    assert isinstance(failure, Failure)
    assert failure.message == 'price ?[31m <3> & ? "4"'
    assert failure.text == "reproduce: tickloop sim --seed 6\n\nfirst\n]]> line"
    (skipped,) = three.result
    assert isinstance(skipped, Skipped)
    assert skipped.message == "not run"
    names = [case.name for case in suites["rtl-top.host"]]
    assert names == [f"tests/a.py::{test} seed 5" for test in ("b[1]", "c", "d")]
    (timeout,) = list(suites["rtl-top.host"])[2].result
    assert timeout.type == "timeout"


def test_nothing_that_the_schema_does_not_have(tmp_path: Path) -> None:
    root = ElementTree.parse(written(tmp_path)).getroot()
    assert root.tag == "testsuites"
    seen = 0
    for element in root.iter():
        may, must, inside = SCHEMA[element.tag]
        assert must <= set(element.attrib) <= may, element.tag
        assert {child.tag for child in element} <= inside
        if "time" in element.attrib:
            assert re.fullmatch(r"\d+\.\d{3}", element.attrib["time"])
        seen += 1
    assert seen == 1 + 2 + 6 + 2 + 2
    assert len({(case.get("classname"), case.get("name")) for case in root.iter("testcase")}) == 6
