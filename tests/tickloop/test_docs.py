# SPDX-License-Identifier: MIT
"""The documentation: the site builds with every link checked and fetches nothing; its reference names every command,
status and counter; the tutorial's commands do what it says; failures are quoted as the sources tell them."""

from __future__ import annotations

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from vcdvcd import VCDVCD

from bridge.layout import EXPORT_MEANINGS, REGISTER_MEANINGS, REGISTERS
from bridge.layouts import generate
from generators.exchange.counted import COUNTED
from generators.exchange.requests import Request
from scripts import docs_pages
from tests.tickloop.checkout import copy_of_sources, shell
from tests.tickloop.test_readme import BLOCK
from tests.tickloop.test_readme import commands as readme_commands
from tickloop.commands import COMMANDS, command_parser
from tickloop.exits import ExitStatus
from tickloop.report.counters import summary_counters
from tickloop.rundir.books import STATISTICS
from tickloop.rundir.files import RECORD_FILES, RUN_FILES

FETCHED = re.compile(r"<(?:script|img|iframe)[^>]+src=\"?(?:https?:)?//|<link[^>]+rel=\"?stylesheet\"?[^>]+href=\"?https?://"
                     r"|@import|url\([\"']?https?://")


def build(root: Path, config: Path, site: Path):
    return subprocess.run([Path(sys.executable).with_name("mkdocs"), "build", "--strict", "-f", config, "-d", site],
                          cwd=root, env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "https_proxy": "http://127.0.0.1:1",
                                         "http_proxy": "http://127.0.0.1:1"},
                          capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """The built site; proxies that do not exist stand in for no network."""
    folder = tmp_path_factory.mktemp("site")
    finished = build(root, root / "mkdocs.yml", folder)
    assert finished.returncode == 0, finished.stderr
    return folder


def test_every_page_is_on_the_site_and_fetches_nothing(root, site):
    pages = {path.stem for path in (root / "docs").glob("*.md")} | {"index"}
    assert {path.stem for path in site.glob("*.html")} - {"404"} == pages
    for page in site.rglob("*.html"):
        assert not FETCHED.search(page.read_text()), page.name
    assert "tutorial.html" in (site / "index.html").read_text()


def cells(text):
    """What stands in the tables of a page."""
    return {html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", text, re.S)}


def test_the_reference_has_every_command_and_option(root, site):
    sections = re.split(r"<h2 id=\"?([\w-]+)\"?>", (site / "reference/commands.html").read_text())
    told = {name: cells(text) for name, text in zip(sections[1::2], sections[2::2], strict=True)}
    shown = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    jobs = {f"make {name}" for name in re.findall(r"^  ([a-z-]+) ", shown, re.M)}
    assert len(jobs) > 12
    assert jobs <= told.pop("jobs-of-make")
    (commands,) = (action for action in command_parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert set(told) == set(commands.choices) == set(COMMANDS)
    options = 0
    for name, parser in commands.choices.items():
        words = {word for cell in told[name] for word in re.split(r"[, ]+", cell)}
        for action in parser._actions:
            assert action.help, (name, action.dest)
            if "--help" not in action.option_strings:
                assert words.issuperset(action.option_strings or [action.metavar]), (name, action.dest)
                options += len(action.option_strings)
    assert options > 60


def test_the_reference_has_every_exit_status_and_counter(site):
    statuses = cells((site / "reference/exit-statuses.html").read_text())
    for status in ExitStatus:
        assert {str(status.value), status.meaning} <= statuses
    counters = cells((site / "reference/counters.html").read_text())
    registers = {name for name, address in REGISTERS.items() if address >= REGISTERS["RX_RING_FULL_DROPPED"]}
    assert counters >= registers | set(STATISTICS) | set(summary_counters())
    assert all(REGISTER_MEANINGS[name] for name in registers)
    assert all(EXPORT_MEANINGS[name] for name in STATISTICS)


def test_the_reference_has_every_counter_of_the_exchange(root, site):
    """Those of the sources: names in brackets, requests by their class, and what became of a request for messages."""
    sources = "".join(path.read_text() for path in (root / "generators/exchange").glob("*.py"))
    named = {*re.findall(r"counts\[\"(\w+)\"\]", sources), *re.findall(r"return \"(\w+)\", (?:messages|\[\])", sources),
             *(kind.__name__ for kind in get_args(Request))}
    assert named == {name for group in COUNTED.values() for name in group}
    counters = cells((site / "reference/counters.html").read_text())
    assert counters >= {f"{group}.{name}" for group, each in COUNTED.items() for name in each}


def test_the_reference_has_every_register_and_ring_field_with_what_it_means(site):
    names = cells((site / "layout.html").read_text())
    layouts = generate.load()
    assert names >= {register.name for register in layouts.registers}
    assert all(register.meaning for register in layouts.registers)
    for struct in layouts.structs:
        assert names >= {field.name for field in struct.fields}, struct.name
        assert all(field.meaning for field in struct.fields), struct.name


def test_the_reference_has_every_file_and_its_tables_are_those_of_the_sources(root, site):
    for page in (root / "docs").glob("*.md"):
        assert docs_pages.with_tables(page.read_text()) == page.read_text(), "python -m scripts.docs_pages"
    assert cells((site / "run-directory.html").read_text()) >= {*RUN_FILES, *RECORD_FILES}


def test_links_that_lead_nowhere_fail_the_build(root, tmp_path):
    config = yaml.safe_load((root / "mkdocs.yml").read_text())
    (tmp_path / "docs").mkdir()
    shutil.copy(root / "docs/data-path.svg", tmp_path / "docs")
    for page in (root / "docs").glob("*.md"):
        (tmp_path / "docs" / page.name).write_text(f"# {page.stem}\n")
    config |= {"docs_dir": str(tmp_path / "docs"), "hooks": [str(root / "scripts/docs_pages.py")], "theme": "mkdocs",
               "validation": {**config["validation"], "links": {**config["validation"]["links"], "anchors": "warn"}}}
    (tmp_path / "docs/faults.md").write_text(
        "# Faults\n\n[no page](missing.md)\n\n[no place](reference/commands.md#no-such-command)\n")
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config))
    finished = build(root, tmp_path / "mkdocs.yml", tmp_path / "site")
    assert finished.returncode != 0
    for target in ("missing.md", "#no-such-command"):
        assert re.search(rf"WARNING.*faults\.md.*{target}", finished.stderr), finished.stderr


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory):
    """A copy of the sources, which the tutorial changes, with this environment's tools."""
    return copy_of_sources(root, tmp_path_factory.mktemp("tutorial"))


def test_the_tutorial(root, checkout):
    """Each block, in its order, but for what the README's test runs; then its story on the waves."""
    blocks = [text for language, text in BLOCK.findall((root / "docs/tutorial.md").read_text()) if language == "sh"]
    installing = [block for block in blocks if block.startswith("make ")]
    assert {block.strip() for block in installing} <= set(readme_commands(root))
    assert len(installing) == 2
    assert len(blocks) > 8
    outputs = []
    for block in blocks:
        if block in installing:
            continue
        outputs.append(shell(checkout, block))
    told = [text for language, text in BLOCK.findall((root / "docs/tutorial.md").read_text())
            if not language and "FAIL" in text]
    failed = [output for output in outputs if "FAIL" in output]
    assert len(told) == 2
    for text, output in zip(told, (failed[0], failed[-1]), strict=True):
        for line in text.splitlines():
            assert line in output
    assert (checkout / "rtl/line_front.v").read_text() == (root / "rtl/line_front.v").read_text()
    assert list(clocks_of_the_bug(checkout / "out/tutorial/waves/waves.vcd"))


def clocks_of_the_bug(dump: Path) -> Iterator[int]:
    """Times, within the window that the tutorial names, at which one signal does not follow from the others."""
    front = "testbench.nic.u_receive.u_arbiter.u_front_a."
    names = {f"{front}sequence_number[63:0]": 17, f"{front}behind[63:0]": (1 << 64) - 1, f"{front}same_session": 1,
             f"{front}is_ahead": 1, f"{front}ahead": 0, "testbench.nic.next_expected[63:0]": 16}
    waves = VCDVCD(str(dump), signals=list(names))
    for time, _ in waves[f"{front}is_ahead"].tv:
        if 489_200_000 <= time <= 489_400_000 and all(
                waves[name][time].isdigit() and int(waves[name][time], 2) == value for name, value in names.items()):
            yield time


def test_failures_are_quoted_as_the_sources_tell_them(root):
    """Each part of a quoted line between its dots stands in a source; each status has a row."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in (root / "docs/troubleshooting.md").read_text().splitlines()
            if re.match(r"\| \d", line)]
    sources = " ".join(path.read_text(errors="replace") for folder in ("bridge", "generators", "tickloop")
                       for path in (root / folder).rglob("*") if path.suffix in (".py", ".c"))
    sources = re.sub(r"\"\s*\n\s*f?\"", "", sources)
    assert {int(row[0]) for row in rows} == {int(status) for status in ExitStatus} - {0}
    for row in rows:
        for quote in re.findall(r"`([^`]*)`", row[1]):
            for part in filter(str.strip, quote.split("...")):
                assert part.strip(" ,:;()") in sources, quote
