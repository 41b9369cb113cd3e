# SPDX-License-Identifier: MIT
"""The report of real runs in a headless Chromium: it complains of nothing and fetches nothing, its figures are those of
the run directory's files, both colour schemes and all controls work; of runs that ended early or of another version,
too."""

from __future__ import annotations

import csv
import json
import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.record import read_trace
from tests.loop.conftest import RunDirectory
from tests.tickloop.browser import Browser, chromium
from tickloop.rundir.tick_to_trade import STAGES

PRICE_SCALE = 10_000
NO_ASK = 0xFFFFFFFF
Tickloop = Callable[..., Any]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def exchange(completed: Callable[..., RunDirectory]) -> RunDirectory:
    """A run in which orders are filled."""
    return completed("sim", "--scenario", "exchange", "--messages", "400", "--seed", "3")


def rows_of(run: RunDirectory) -> list[dict[str, str]]:
    with (run.path / "latency.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def in_file(run: Path, source: str) -> Any:
    """What FILE:KEY.KEY names."""
    name, _, keys = source.partition(":")
    text = (run / name).read_text()
    value = [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else json.loads(text)
    for key in keys.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def opened(browser: Browser, run: Path, **how: Any) -> Browser:
    """The run's report is open, and all is well."""
    browser.open(run / "report.html", **how)
    assert browser.complaints == []
    assert browser.asked_for == [(run / "report.html").resolve().as_uri()]
    return browser


def figures_are_those_of_the_files(browser: Browser, run: Path) -> set[str]:
    """Returns the files of which there are some."""
    shown = browser.value("[...document.querySelectorAll('[data-source]')].map(e => [e.dataset.source, e.textContent,"
                          " Number(e.dataset.scale || 1)])")
    for source, text, scale in shown:
        value = in_file(run, source)
        if scale == 1:
            assert text == (f"{value:,}" if isinstance(value, int | float) else str(value)), source
        else:
            assert round(float(text.replace(",", "")) * scale) == value, source
    return {source.partition(":")[0] for source, _, _ in shown}


def test_figures_are_those_of_the_files(browser: Browser, exchange: RunDirectory) -> None:
    opened(browser, exchange.path)
    files = figures_are_those_of_the_files(browser, exchange.path)
    assert files == {"run.json", "summary.json", "latency.json", "orders.jsonl", "positions.json"}
    verdict = browser.value("document.querySelector('.verdict').textContent")
    assert verdict.startswith(f"Every check passed: {len(exchange.json('run.json')['checks'])} checks")
    # The verdict is what a reader sees first, without scrolling.
    assert browser.value("document.querySelector('.verdict').getBoundingClientRect().bottom") < 400


def test_a_chosen_message_is_drawn_stage_by_stage(browser: Browser, exchange: RunDirectory) -> None:
    opened(browser, exchange.path)
    rows = {int(row["sequence"]): row for row in rows_of(exchange)}
    listed = browser.value("[...document.getElementById('message').options].map(o => [o.value, o.text])")
    assert len(listed) == len(rows)
    orders = [(value, int(text.split(":")[0])) for value, text in listed if "order" in text]
    assert len(orders) == sum(row["tick_to_trade"] != "" for row in rows.values()) > 5
    plain = next((value, int(text.split(":")[0])) for value, text in listed if "order" not in text)
    for value, sequence in (orders[0], orders[-1], plain):
        browser.choose("message", value)
        bars = browser.value("(b => [b.x, b.base, b.y])(document.getElementById('waterfall').data[0])")
        row = rows[sequence]
        if sequence != plain[1]:
            assert bars[2] == list(STAGES)
            assert bars[0] == [float(row[f"{stage}_ns"]) for stage in STAGES]
            assert sum(bars[0]) == pytest.approx(float(row["tick_to_trade"]))
        else:
            assert bars[0][1] == float(row["dma_to_dequeue"])
        assert bars[1] == pytest.approx([sum(bars[0][:k]) for k in range(len(bars[0]))])
    assert browser.complaints == []


def test_curves_are_those_of_the_samples(browser: Browser, exchange: RunDirectory) -> None:
    opened(browser, exchange.path)
    rows = rows_of(exchange)
    stages = browser.value("[...document.getElementById('stage').options].map(o => o.value)")
    assert "tick_to_trade" in stages
    for stage in stages:
        browser.choose("stage", stage)
        x, y = browser.value("(c => [c.x, c.y])(document.getElementById('cdf').data[0])")
        samples = sorted(float(row[stage]) for row in rows if row[stage])
        assert (x[0], x[-1]) == (samples[0], samples[-1])
        for value, share in zip(x, y, strict=True):
            assert share == pytest.approx(100 * bisect_right(samples, value) / len(samples), abs=1e-4)


def test_the_ladder_at_a_chosen_time_is_what_the_kernel_saw(browser: Browser, exchange: RunDirectory) -> None:
    """The page's books are the model's; the best prices in the kernel's own trace must be those of every moment."""
    opened(browser, exchange.path)
    trace, _ = read_trace(exchange.path / "record")
    seen = {int(entry["sequence"]): (int(entry["bid"]), int(entry["ask"])) for entry in trace}
    stocks = browser.value("[...document.getElementById('stock').options].map(o => o.value)")
    looked_at = 0
    for stock in stocks:
        browser.choose("stock", stock)
        most = int(browser.value("document.getElementById('moment').max"))
        for moment in sorted({0, most // 3, most // 2, most - 1, most}):
            browser.choose("moment", moment)
            rows = browser.value("[...document.getElementById('ladder').rows]"
                                 ".map(r => [...r.cells].map(c => c.textContent))")
            sequence = int(browser.value("document.getElementById('moment-time').textContent").rpartition(" ")[2])
            prices = [round(float(row[2].replace(",", "")) * PRICE_SCALE) for row in rows]
            assert prices == sorted(prices, reverse=True)
            bids = [price for price, row in zip(prices, rows, strict=True) if row[1]]
            asks = [price for price, row in zip(prices, rows, strict=True) if row[3]]
            bid, ask = seen[sequence]
            assert (max(bids, default=0), min(asks, default=NO_ASK)) == (bid, ask), (stock, moment)
            looked_at += 1
    assert looked_at > 10
    assert browser.complaints == []


def test_orders_profit_and_occupancy_are_drawn(browser: Browser, exchange: RunDirectory) -> None:
    opened(browser, exchange.path)
    orders, positions = exchange.lines("orders.jsonl"), exchange.json("positions.json")
    drawn = 0
    for stock in browser.value("[...document.getElementById('stock').options].map(o => o.value)"):
        browser.choose("stock", stock)
        drawn += browser.value("document.getElementById('market').data.slice(2).reduce((n, t) => n + t.x.length, 0)")
    assert drawn == len(orders) > 5
    data = browser.value("JSON.parse(document.getElementById('data').textContent)")
    last = data["profit"][-1]
    assert (last["executions"], last["cash"]) == (positions["executions"], positions["cash"])
    shown = browser.value("document.getElementById('profit').data[0].y")
    assert shown == [step["profit"] / PRICE_SCALE for step in data["profit"]]
    counts = data["rates"]["counts"]
    assert sum(counts["orders"]) == len(orders)
    assert sum(sum(values) for name, values in counts.items() if name != "orders") == len(rows_of(exchange))
    peak = max(browser.value("document.getElementById('occupancy').data[0].y"))
    assert peak == data["occupancy"]["peak"] > 1
    assert min(data["occupancy"]["mean"]) >= 0
    # Every order has the message that made it due, whose row says that it sent one.
    with_order = {int(row["sequence"]) for row in rows_of(exchange) if row["tick_to_trade"]}
    assert {order["sequence"] for order in data["orders"]} == with_order


def test_both_schemes_by_the_system_and_by_the_switch(browser: Browser, exchange: RunDirectory) -> None:
    look = ("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color, "
            "document.getElementById('cdf').layout.font.color]")
    light = opened(browser, exchange.path).value(look)
    browser.value("document.getElementById('scheme').click()")
    dark = browser.value(look)
    assert all(a != b for a, b in zip(light, dark, strict=True))
    browser.value("document.getElementById('scheme').click()")
    assert browser.value(look) == light
    assert opened(browser, exchange.path, dark=True).value(look) == dark
    assert browser.complaints == []


def test_nothing_is_wider_than_a_laptop(browser: Browser, exchange: RunDirectory) -> None:
    opened(browser, exchange.path, width=1280, height=720)
    assert browser.value("document.documentElement.scrollWidth") <= 1280


def test_the_rtl_alone(browser: Browser, completed: Callable[..., RunDirectory], tickloop: Tickloop,
                       tmp_path: Path) -> None:
    assert tickloop("generate", "quiet", "--messages", "120", "--out", tmp_path / "quiet.pcap").returncode == 0
    run = completed("parse", tmp_path / "quiet.pcap")
    opened(browser, run.path)
    assert figures_are_those_of_the_files(browser, run.path) == {"run.json", "summary.json", "latency.json"}
    assert browser.value("document.getElementById('profit-and-loss')") is None
    assert sum(browser.value("document.getElementById('rates').data[0].customdata")) == 120


def test_a_run_that_ended_early_and_one_of_another_version(
        browser: Browser, exchange: RunDirectory, tickloop: Tickloop, tmp_path: Path) -> None:
    early = tmp_path / "early"
    shutil.copytree(exchange.path, early)
    for name in ("summary.json", "books.json", "positions.json", "exchange.json"):
        (early / name).unlink()
    run = exchange.json("run.json")
    for name in ("clocks_skipped", "wall", "digest", "kernel_statistics"):
        del run[name]
    run |= {"passed": False, "checks": [], "exit_status": 4, "error": "QEMU died <at once>"}
    (early / "run.json").write_text(json.dumps(run))
    assert tickloop("report", early).returncode == 0
    opened(browser, early)
    verdict = browser.value("document.querySelector('.verdict').textContent")
    assert verdict == "The run did not come to its end: QEMU died <at once>"
    assert browser.value("document.getElementById('waterfall').data.length") == 1
    figures_are_those_of_the_files(browser, early)

    given = json.loads((early / "record/loop.json").read_text())
    (early / "record/loop.json").write_text(json.dumps(given | {"layout": "1/00000000"}))
    assert tickloop("report", early).returncode == 0
    opened(browser, early)
    assert "recorded with layout 1/00000000" in browser.value("document.body.textContent")


def test_the_differences_to_a_second_run(
        browser: Browser, exchange: RunDirectory, completed: Callable[..., RunDirectory], tickloop: Tickloop,
        tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(exchange.path, mine)
    assert tickloop("report", mine, "--against", exchange.path).returncode == 0
    opened(browser, mine)
    assert "The two runs are equal" in browser.value("document.body.textContent")
    other = completed("sim", "--scenario", "exchange", "--messages", "400", "--seed", "4")
    assert tickloop("report", mine, "--against", other.path).returncode == 0
    opened(browser, mine)
    figures_are_those_of_the_files(browser, mine)
    text = browser.value("document.body.textContent")
    assert "not the same input: seed is 3 / 4" in text
    assert "first difference at" in text
    browser.choose("stage", "dequeue_to_done")
    curves = browser.value("document.getElementById('cdf').data.map(c => [c.name, c.x.at(-1)])")
    assert curves == [[name, run.json("latency.json")["stages"]["dequeue_to_done"]["max"]]
                      for name, run in (("this run", exchange), ("second run", other))]
