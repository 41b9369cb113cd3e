# SPDX-License-Identifier: MIT
"""Every command that a page shows, in a block or within a sentence, is one that there is: commands and options of
``tickloop``, jobs and variables of make, Python modules and scripts. Those that need little are carried out."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tickloop.test_readme import BLOCK
from tickloop.commands import _with_formats, command_parser
from tickloop.exits import UsageError

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
(COMMANDS,) = (action.choices for action in command_parser()._actions if isinstance(action, argparse._SubParsersAction))


def fenced(page: Path) -> list[list[str]]:
    """Commands in blocks, as words."""
    text = "".join(f"{block}\n" for _, block in BLOCK.findall(page.read_text())).replace("\\\n", " ")
    lines = (line.lstrip("$ ").removeprefix("! ") for line in text.splitlines())
    return [shlex.split(line, comments=True) for line in lines
            if re.match(r"(\S*/)?(tickloop|make|python3?) [\w.-]", line)]


def within(page: Path) -> list[list[str]]:
    """Commands in sentences: code that begins as one."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    code = (" ".join(each.split()) for each in re.findall(r"`([^`]+)`", prose))
    return [re.sub(r"[\[\]]|\.\.\.", " ", each).split() for each in code
            if re.match(r"(\S*/)?(tickloop|make|python3?) [\w.-]", each)]


def wrong(words: list[str]) -> str:
    """What is wrong with a command; empty: nothing."""
    program, *rest = words
    match Path(program).name:
        case "make":
            folder, rest = (rest[1], rest[2:]) if rest[0] == "-C" else (".", rest)
            makefile = (ROOT / folder / "Makefile").read_text()
            jobs = {*re.findall(r"^([a-z-]+):", makefile, re.M), ".venv/.setup-test"}
            return " ".join(sorted(word for word in rest if (word not in jobs if "=" not in word else
                                                             f"$({word.partition('=')[0]})" not in makefile)))
        case "tickloop" if rest[0] in COMMANDS:
            options = {option for action in COMMANDS[rest[0]]._actions for option in action.option_strings}
            return " ".join(word for word in rest if word.startswith("--") and word.partition("=")[0] not in options)
        case "tickloop":
            return "" if rest[0].startswith("-") else rest[0]
        case _ if rest[0] == "-m":
            name = Path(*rest[1].split("."))
            there = rest[1] == "pytest" or (ROOT / name).is_dir() or (ROOT / name).with_suffix(".py").exists()
            return "" if there else rest[1]
        case _:
            return "" if rest[0].startswith("-") or (ROOT / rest[0]).exists() else rest[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_is_there(page):
    assert {" ".join(words): wrong(words) for words in [*fenced(page), *within(page)] if wrong(words)} == {}


def test_blocks_are_whole_commands():
    """As far as the command line goes, which looks at no file."""
    checked = 0
    for page in PAGES:
        for words in fenced(page):
            if Path(words[0]).name == "tickloop" and words[1] in COMMANDS:
                try:
                    command_parser().parse_args(_with_formats(tuple(words[1:])))
                except UsageError as error:
                    pytest.fail(f"{page.name}: {shlex.join(words)}: {error}")
                checked += 1
    assert checked > 30


def test_the_search_finds_what_is_wrong():
    assert wrong(["tickloop", "sim", "--sed", "3"]) == "--sed"
    assert wrong(["tickloop", "simulate"]) == "simulate"
    assert wrong(["make", "simulate", "SED=3"]) == "SED=3 simulate"
    assert wrong(["python", "bench/none.py"]) == "bench/none.py"
    assert wrong(["python", "-m", "scripts.none"]) == "scripts.none"
    assert sum(len(within(page)) for page in PAGES) > 40


def test_what_needs_no_kernel_is_carried_out(root, tmp_path):
    """Of generate.md and inspect.md, in the order of the site."""
    for entry in root.iterdir():
        if entry.name not in ("out", ".git"):
            (tmp_path / entry.name).symlink_to(entry)
    for page in ("generate.md", "inspect.md"):
        for language, block in BLOCK.findall((root / "docs" / page).read_text()):
            if language == "sh":
                finished = subprocess.run(["bash", "-e", "-c", block], cwd=tmp_path, capture_output=True, text=True,
                                          check=False, env={**os.environ, "PYTHONPATH": str(root)})
                assert finished.returncode == 0, f"{block}\n{finished.stdout}\n{finished.stderr}"
