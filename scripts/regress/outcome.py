# SPDX-License-Identifier: MIT
"""What a job's commands said, as cases: of a run of tickloop its line on what went wrong, of a suite pytest's
verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from scripts.regress.jobs import Case

FAIL = "tickloop: FAIL "
LINE = "tickloop: "
WARNING = "tickloop: warning: "
DETAIL_LINES = 40
DETAIL_LETTERS = 6_000
TEMPORARY_NAME = 30  # characters of a test's name that its folder is called by (pytest)
_PLACE = re.compile(r"^tests(\.\w+)+: ")  # a bench names its own test


def of_command(status: int, log: Path, seconds: float) -> Case:
    """The case of a job whose last command ended with ``status``."""
    if status == 0:
        return Case("", "passed", seconds)
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return Case("", "failed", seconds, _said(text.splitlines(), status), tail(text))


def _said(lines: list[str], status: int) -> str:
    """The first failed check, or else the last line that says why."""
    for line in lines:
        if line.startswith(FAIL):
            return line.removeprefix(FAIL)
    own = [line for line in lines if line.startswith(LINE) and not line.startswith(WARNING)]
    said = own[-1].removeprefix(LINE) if own else next((line.strip() for line in reversed(lines) if line.strip()), "")
    ended = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{said} ({ended})" if said else ended


def tail(text: str) -> str:
    """The end of a log."""
    return "\n".join(text.splitlines()[-DETAIL_LINES:])[-DETAIL_LETTERS:]


def of_suite(status: int, report: Path, log: Path, seconds: float) -> tuple[Case, ...]:
    """The cases of a suite; one that came to no verdict, or ran nothing, has failed."""
    try:
        cases = tuple(_cases(ElementTree.parse(report).getroot()))
    except (OSError, ElementTree.ParseError):
        cases = ()
    if status == 0 and not any(case.outcome == "passed" for case in cases):
        return (*cases, Case("", "failed", seconds, "no test ran"))
    if status != 0 and not any(case.outcome == "failed" for case in cases):
        return (*cases, of_command(status, log, seconds))
    return cases


def _cases(root: ElementTree.Element) -> Iterator[Case]:
    for case in root.iter("testcase"):
        test = f"{case.get('file', case.get('classname', ''))}::{case.get('name')}"
        seconds = float(case.get("time", 0))
        bad = case.find("failure")
        if bad is None:
            bad = case.find("error")
        if bad is not None:
            detail = "\n".join(tail(part.text or "") for part in (bad, *case.findall("system-out")))
            yield Case(test, "failed", seconds, _message(case.get("name", ""), bad.get("message", "")), detail)
        else:
            yield Case(test, "passed" if case.find("skipped") is None else "skipped", seconds)


def _message(name: str, message: str) -> str:
    """What failed: the assertion alone could be that of any test."""
    first = next((line for line in message.splitlines() if line.strip()), "failed")
    first = re.sub(r"^(Failed|AssertionError): ", "", first)
    return first if _PLACE.match(first) else f"{name.partition('[')[0]}: {first}"


def folders_of(tests: list[str], temporary: Path) -> list[Path]:
    """The folders of pytest's that belong to the tests."""
    names = [re.sub(r"\W", "_", test.rpartition("::")[2])[:TEMPORARY_NAME] for test in tests]
    return [path for path in temporary.glob("*")
            if any(re.fullmatch(rf"{re.escape(name)}\d*", path.name) for name in names)]
