# SPDX-License-Identifier: MIT
"""The documentation: the site builds with every link checked and fetches nothing; its reference names every command,
status and counter; the tutorial's commands do what it says; failures are quoted as the sources tell them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from vcdvcd import VCDVCD

from bridge.layout import REGISTERS
from tests.tickloop.test_readme import BLOCK
from tests.tickloop.test_readme import commands as readme_commands
from tickloop.commands import COMMANDS
from tickloop.exits import ExitStatus
from tickloop.rundir.books import STATISTICS

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


def test_the_reference_names_everything(site):
    def text(name):
        return (site / "reference" / name).read_text()

    commands = text("commands.html")
    for name in COMMANDS:
        assert re.search(rf"<h2 id=\"?{name}\"?>", commands), name
    for option in ("--line-b", "--faults-b", "--json", "--waves"):
        assert option in commands
    for status in ExitStatus:
        assert f"<td>{status.value}</td>" in text("exit-statuses.html")
    counters = text("counters.html")
    for name in STATISTICS:
        assert f"<code>{name}</code>" in counters, name
    for name in REGISTERS:
        assert not name.startswith(("DROPPED_", "MESSAGES_")) or f"<code>{name}</code>" in counters, name


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
    folder = tmp_path_factory.mktemp("tutorial")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True,
                            check=True).stdout.splitlines()
    for name in listed:
        if (root / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def test_the_tutorial(root, checkout):
    """Each block, in its order, but for what the README's test runs; then its story on the waves."""
    blocks = [text for language, text in BLOCK.findall((root / "docs/tutorial.md").read_text()) if language == "sh"]
    assert blocks[0].strip() in readme_commands(root)
    assert len(blocks) > 6
    outputs = []
    for block in blocks[1:]:
        finished = subprocess.run(["bash", "-e", "-c", block], cwd=checkout, capture_output=True, text=True,
                                  check=False, env={**os.environ, "PYTHONPATH": str(checkout)})
        assert finished.returncode == 0, f"{block}\n{finished.stdout}\n{finished.stderr}"
        outputs.append(finished.stdout + finished.stderr)
    told = next(text for language, text in BLOCK.findall((root / "docs/tutorial.md").read_text())
                if not language and "FAIL" in text)
    failed = next(output for output in outputs if "FAIL" in output)
    for line in told.splitlines():
        assert line in failed
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
