# SPDX-License-Identifier: MIT
"""The table on standard output and report.html: complete, short, self-contained, and safe with any input."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bridge import layout
from generators.captures import write_pcap
from generators.framing import FrameEncoder, mold_packet
from generators.profiles import frames, generate
from generators.tables import encode as encode_message
from tickloop.report import assets
from tickloop.report.counters import kernel_counters, nic_counters
from tickloop.report.figures import REFUSED
from tickloop.report.samples import POINTS, curve

VOID = {"meta", "br", "link", "input"}
OPTIONAL_END = {"tr", "td", "th", "html"}


class Structure(HTMLParser):
    """Checks nesting, and collects what a browser would load from elsewhere, and the contents of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.resources: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.resources += [value for name, value in attributes
                           if name in ("src", "href") and value and not value.startswith(("#", "data:"))]
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        if tag not in OPTIONAL_END:
            assert self.open.pop() == tag


def without_plotly(page):
    """The page as tickloop wrote it."""
    return page.replace(assets.plotly(), "")


@pytest.fixture
def run(command, faultless, tmp_path):
    finished = command("sim", "--scenario", "opening", "--messages", "800", "--out", tmp_path / "out")
    assert finished.status == 0
    return finished, tmp_path / "out"


def test_the_table_is_short_and_says_what_matters(run):
    finished, _ = run
    lines = finished.stdout.splitlines()
    assert len(lines) < 25
    for name in ("frames", "messages", "orders", "RTL clocks", "loop speed", "a message in the kernel", "tick to trade",
                 "checks passed", "digest", "report"):
        assert any(line.strip().startswith(name) for line in lines), name
    assert lines[-1].split() == ["result", "PASS"]
    assert finished.stderr == ""


def test_the_report_is_one_sound_page_without_outside_resources(run):
    page = without_plotly((run[1] / "report.html").read_text())
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert structure.resources == []
    assert "url(" not in page
    assert "@import" not in page
    assert "Every check passed" in page
    titles = re.findall(r"<h2 id=[^>]*>([^<]*)</h2>", page)
    assert titles == ["Verdict", "Latency", "Rates and ring occupancy", "Market and orders", "Profit and loss",
                      "Counters of the NIC", "Counters of the kernel", "Events", "The run"]
    assert len(structure.scripts) == 3
    json.loads(structure.scripts[1])


def test_every_colour_of_the_page_has_a_dark_one_chosen_and_by_the_system(run):
    style = re.search(r"<style>(.*?)</style>", (run[1] / "report.html").read_text(), re.S).group(1)
    parts = re.split(r":root\[data-scheme=dark\]|@media \(prefers-color-scheme: dark\)", style)
    light, chosen, system = (dict(re.findall(r"(--[a-z]+): (#\w+)", part)) for part in parts)
    assert len(light) > 8
    assert light.keys() == chosen.keys()
    assert chosen == system
    assert all(light[name] != chosen[name] for name in light)


def test_report_rebuilds_the_same_page(command, run):
    out: Path = run[1]
    page = (out / "report.html").read_text()
    (out / "report.html").unlink()
    assert command("report", out).status == 0
    assert (out / "report.html").read_text() == page


@pytest.mark.parametrize("content", [b"[]", b"{}", b"3", b"null", b"\xff\xfe", b'{"x', b'{"passed": 1, "command": 2}'])
@pytest.mark.parametrize("name", ["run.json", "latency.json"])
def test_a_damaged_run_directory_is_a_usage_error(command, run, name, content):
    out = run[1]
    (out / name).write_bytes(content)
    finished = command("report", out)
    assert finished.status == 2
    assert "not a run directory" in finished.error_line()


@pytest.mark.parametrize(("register", "says"), [
    ("RX_RING_FULL_DROPPED", "7 message(s) lost: the RX ring of 64 slots (rings.rx_log2 is 6) was full"),
    ("RX_TOO_LARGE_DROPPED", "7 message(s) lost: larger than the RX ring of 64 slots"),
    ("DROPPED_OVERFLOW", "7 frame(s) dropped: the NIC's receive queue was full"),
])
def test_what_did_not_fit_is_said_before_its_consequences(command, faultless, tmp_path, register, says):
    faultless(lambda result: replace(result, registers={**result.registers, register: 7}))
    finished = command("sim", "--messages", "400", "--out", tmp_path / "out")
    assert finished.status == 1
    assert says in finished.stderr.splitlines()[0]


def test_every_refusal_is_a_counter_of_the_kernel():
    assert REFUSED
    assert set(REFUSED) <= set(layout.EXPORT_HEADER.names)


def test_refused_orders_show_with_their_reason(command, faultless, tmp_path):
    add = encode_message("A", {
        "stock_locate": 1, "tracking_number": 0, "timestamp": 0, "order_reference_number": 1,
        "buy_sell_indicator": "B", "shares": 100, "stock": "DEAR    ", "price": layout.PRICE_LIMIT})
    write_pcap(tmp_path / "dear.pcap", [(0, FrameEncoder().encode(mold_packet([add], 1)))])
    finished = command("sim", tmp_path / "dear.pcap", "--out", tmp_path / "out")
    assert finished.status == 0
    assert "0 (1 refused for their price)" in finished.stdout
    page = (tmp_path / "out/report.html").read_text()
    assert 'data-source="run.json:kernel_statistics.orders_refused_price">1</span>' in page
    assert layout.EXPORT_MEANINGS["orders_refused_price"] in page


def test_every_counter_says_what_it_counts(command, run):
    """In the words of the layout's descriptions: none is left without."""
    summary = json.loads((run[1] / "summary.json").read_text())
    statistics = json.loads((run[1] / "run.json").read_text())["kernel_statistics"]
    counters = [*nic_counters(summary), *kernel_counters(statistics)]
    assert len(counters) > 70
    assert [counter.name for counter in counters if not counter.meaning] == []


def test_text_from_outside_cannot_break_the_page(command, faultless, tmp_path):
    name = "<script>&amp.pcap"
    encode = FrameEncoder().encode
    message = b"A" + bytes(23) + b"<script>"[:8] + bytes(4)
    foreign = (10**9, encode(mold_packet([message], 31, "<b>&")))
    write_pcap(tmp_path / name, [*frames(generate("quiet", 1, 30)), foreign])
    assert command("sim", tmp_path / name, "--out", tmp_path / "out").status == 0
    page = without_plotly((tmp_path / "out/report.html").read_text())
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert len(structure.scripts) == 3  # Plotly's place, data, ours
    assert "<script>&" not in page
    assert "<b>&" not in page
    assert "\\u003cscript>" in structure.scripts[1]


def test_a_directory_of_another_version_is_told_in_one_line(command, run):
    """Where its files have another shape; where only the record is another, the report says that on its page."""
    out = run[1]
    document = json.loads((out / "run.json").read_text())
    document["versions"] |= {"tickloop": "0.0.1", "layout": "1/00000000"}
    (out / "run.json").write_text(json.dumps(document))
    assert command("report", out).status == 0
    del document["time_model"]
    (out / "run.json").write_text(json.dumps(document))
    finished = command("report", out)
    assert finished.status == 2
    assert f"{out}: left by tickloop 0.0.1 with layout 1/00000000" in finished.error_line()


@pytest.mark.parametrize(("arguments", "says"), [
    (("missing",), "no finished run here (run.json is missing)"),
    ((".", "--against", "missing"), "missing: no finished run here"),
    ((".", "--against"), "expected one argument"), ((".", "--again"), "unrecognized arguments: --again"),
    ((), "the following arguments are required: DIR"), (("",), "DIR: an empty name"),
])
def test_bad_arguments_are_one_line(command, run, monkeypatch, arguments, says):
    monkeypatch.chdir(run[1])
    finished = command("report", *arguments)
    assert finished.status == 2
    assert says in finished.error_line()


def test_a_report_that_cannot_be_written_is_one_line(command, run):
    (run[1] / "report.html").unlink()
    (run[1] / "report.html").mkdir()
    finished = command("report", run[1])
    assert finished.status == 2
    assert "report.html: cannot be written: Is a directory" in finished.error_line()


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_is_the_share_of_samples_up_to_each_of_its_values(seed):
    random = Random(seed)
    samples = np.array([round(random.lognormvariate(5, 1), random.choice((0, 2))) for _ in range(1 + 700 * seed)])
    drawn = curve(Counter(samples.tolist()))
    assert len(drawn["x"]) <= 2 * POINTS
    assert drawn["x"][0] == samples.min()
    assert (drawn["x"][-1], drawn["y"][-1]) == (samples.max(), 100)
    for x, y in zip(drawn["x"], drawn["y"], strict=True):
        assert y == pytest.approx(100 * (samples <= x).mean(), abs=1e-5)
