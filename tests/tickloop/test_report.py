# SPDX-License-Identifier: MIT
"""The table on standard output and report.html: complete, short, self-contained, and safe with any input."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bridge import layout
from generators.captures import write_pcap
from generators.framing import FrameEncoder, mold_packet
from generators.profiles import frames, generate
from generators.tables import encode as encode_message
from tickloop.report.figures import REFUSED
from tickloop.report.svg import histogram

VOID = {"meta", "br"}
OPTIONAL_END = {"tr", "td", "th", "html"}


class Structure(HTMLParser):
    """Checks nesting, and collects what a browser would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.resources: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.resources += [value for name, value in attributes if name in ("src", "href") and value]
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.resources += [value for name, value in attributes if name in ("src", "href") and value]

    def handle_endtag(self, tag):
        if tag not in OPTIONAL_END:
            assert self.open.pop() == tag


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
    page = (run[1] / "report.html").read_text()
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert structure.resources == []
    assert "url(" not in page
    assert "@import" not in page
    assert "prefers-color-scheme: dark" in page
    assert "Every check passed" in page
    for section in ("Figures", "Checks", "Latency", "Receive counters", "Kernel counters", "Orders", "Events",
                    "The run"):
        assert f"<h2>{section}</h2>" in page
    assert page.count("<svg") > 5


def test_every_colour_of_the_page_has_a_dark_one(run):
    style = re.search(r"<style>(.*?)</style>", (run[1] / "report.html").read_text(), re.S).group(1)
    light, dark = style.split("@media", 1)
    names = re.findall(r"(--[a-z]+): #", light)
    assert names
    for name in names:
        assert f"{name}: #" in dark, name


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
    assert "<td>orders refused price<td class=n>1<" in (tmp_path / "out/report.html").read_text()


def test_text_from_outside_cannot_break_the_page(command, faultless, tmp_path):
    name = "<script>&amp.pcap"
    encode = FrameEncoder().encode
    message = b"A" + bytes(23) + b"<script>"[:8] + bytes(4)
    foreign = (10**9, encode(mold_packet([message], 31, "<b>&")))
    write_pcap(tmp_path / name, [*frames(generate("quiet", 1, 30)), foreign])
    assert command("sim", tmp_path / name, "--out", tmp_path / "out").status == 0
    page = (tmp_path / "out/report.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [1.0, 2.0], [0.5, 0.25, 1.75], [float(n) for n in range(1000)]])
def test_a_histogram_counts_every_sample(values):
    drawn = histogram(Counter(values), "stage", "clocks")
    assert sum(int(count.replace(",", "")) for count in re.findall(r"<title>([\d,]+)</title>", drawn)) == len(values)
