# SPDX-License-Identifier: MIT
"""junit.xml: a suite for each scenario and simulator, a case for each seed, of test suites for each test and seed.

Elements and attributes are those that the schemas of Jenkins' xUnit plugin and Ant's report have in common, which
GitLab and GitHub's reporters read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from scripts.regress.causes import normalised
from scripts.regress.jobs import TIMEOUT, Case, Job, Result

# Characters that XML 1.0 has no place for.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, jobs: Sequence[Job], results: Mapping[str, Result], reproduce: Mapping[tuple[str, str], str],
          started: str) -> None:
    """``reproduce``: the line of each failed case, by job and test. A job without a result was not run."""
    root = ElementTree.Element("testsuites", name="tickloop regress")
    whole = [0, 0, 0.0]
    for scenario, simulator in dict.fromkeys((job.scenario, job.simulator) for job in jobs):
        own = [job for job in jobs if (job.scenario, job.simulator) == (scenario, simulator)]
        name = f"{scenario}.{simulator}"
        suite = ElementTree.SubElement(root, "testsuite", name=name, timestamp=started)
        cases: list[Case] = []
        for job in own:
            result = results.get(job.name)
            told = result.cases if result else (Case("", "skipped", message="not run"),)
            cases += told
            for case in told:
                _case(suite, name, job, case, reproduce.get((job.name, case.test), ""))
        failures = sum(case.outcome == "failed" for case in cases)
        seconds = sum(case.seconds for case in cases)
        for key, value in (("tests", len(cases)), ("failures", failures), ("errors", 0),
                           ("skipped", sum(case.outcome == "skipped" for case in cases)), ("time", f"{seconds:.3f}")):
            suite.set(key, str(value))
        whole[0] += len(cases)
        whole[1] += failures
        whole[2] += seconds
    for key, number in zip(("tests", "failures", "errors", "time"), (whole[0], whole[1], 0, f"{whole[2]:.3f}"),
                           strict=True):
        root.set(key, str(number))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _case(suite: ElementTree.Element, name: str, job: Job, case: Case, reproduce: str) -> None:
    what = f"{case.test} seed {job.seed}" if case.test else f"seed {job.seed}"
    element = ElementTree.SubElement(suite, "testcase", classname=name, name=_text(what), time=f"{case.seconds:.3f}")
    if case.outcome == "skipped":
        skipped = ElementTree.SubElement(element, "skipped")
        if case.message:
            skipped.set("message", _text(case.message))
    if case.outcome == "failed":
        cause = TIMEOUT if normalised(case.message) == TIMEOUT else "failure"
        failed = ElementTree.SubElement(element, "failure", type=cause, message=_text(case.message))
        failed.text = _text(f"reproduce: {reproduce}\n\n{case.detail}")


def _text(text: str) -> str:
    return _NO_XML.sub("?", text)
