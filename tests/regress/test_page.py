# SPDX-License-Identifier: MIT
"""The summary of a regression in a headless Chromium: it complains of nothing, fetches nothing but what lies beside it,
draws the history, and tells causes, lines and what is new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.regress.fakes import plan, run_here
from tests.tickloop.browser import Browser, chromium

HOSTILE = "<script>alert(1)</script> & \"price\" differs at 3"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the same matrix."""
    folder = tmp_path_factory.mktemp("regress")
    for name, told in (("first", ["fail", "lost 4"]), ("second", ["fail", HOSTILE])):
        assert run_here(folder / name, plan({"a": told, "b": ["pass"]}, seeds=(1, 2), waves=1)) == 1
    return folder


@pytest.mark.parametrize("dark", [False, True])
def test_the_summary(browser: Browser, runs: Path, dark: bool) -> None:
    page = runs / "second/index.html"
    browser.open(page, dark=dark, width=1280, height=800)
    assert browser.complaints == []
    assert browser.asked_for == [page.as_uri(), (runs / "second/plotly.min.js").as_uri()]
    text = browser.value("document.body.innerText")
    assert "2 of 4 jobs failed, of 1 cause." in text
    assert HOSTILE in text
    assert browser.value("document.querySelector('.new').textContent") == "new"
    assert browser.value("document.querySelector('.gone').textContent") == "lost N"
    summary = json.loads((runs / "second/summary.json").read_text())
    lines = browser.value("[...document.querySelectorAll('.cause code')].map(c => c.textContent)")
    for failure in summary["causes"][0]["failures"]:
        assert failure["reproduce"] in lines
    drawn = browser.value("document.getElementById('verdicts').data.map(bars => [bars.name, bars.y])")
    assert drawn == [["passed", [2, 2]], ["failed", [2, 2]], ["not run", [0, 0]]]
    assert browser.value("document.getElementById('times').data[0].x") == ["first", "second"]
    assert browser.value("document.documentElement.scrollWidth") <= 1280
    before = browser.value("getComputedStyle(document.body).backgroundColor")
    browser.value("document.getElementById('scheme').click()")
    assert browser.value("getComputedStyle(document.body).backgroundColor") != before
    assert browser.complaints == []


def test_every_link_leads_somewhere(browser: Browser, runs: Path) -> None:
    browser.open(runs / "second/index.html")
    links = browser.value("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    files = [link for link in links if not link.startswith("#")]
    assert "../first/index.html" in files
    assert "waves/a.host.1/waves.vcd" in files
    for link in files:
        assert (runs / "second" / link).exists(), link


def test_a_run_that_was_removed_stays_in_the_history(browser: Browser, runs: Path) -> None:
    (runs / "first/index.html").unlink()
    assert run_here(runs / "third", plan({"a": ["pass"], "b": ["pass"]}, seeds=(1, 2))) == 0
    browser.open(runs / "third/index.html")
    assert browser.value("document.querySelector('.verdict').textContent") == "All 4 jobs passed."
    assert "first" in browser.value("document.getElementById('the-last-runs').parentElement.innerText")
    assert browser.value("[...document.querySelectorAll('a')].some(a => a.textContent === 'first')") is False
    assert browser.value("document.getElementById('verdicts').data[0].y") == [2, 2, 4]
