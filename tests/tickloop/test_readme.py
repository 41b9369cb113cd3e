# SPDX-License-Identifier: MIT
"""Every command of the README runs, in its order, and prints what the README says; `make test` is the one left out."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LEFT_OUT = "make test"


def blocks(root):
    return BLOCK.findall((root / "README.md").read_text())


def commands(root):
    return [line for language, text in blocks(root) if language == "sh" for line in text.splitlines()]


@pytest.fixture(scope="module")
def finished(root, tmp_path_factory):
    """Command -> what it did, run in a folder that looks like the repository but has its own `out`."""
    # What is still to be set up is set up here: from the other folder, .venv would be made to point there.
    set_up = [f".venv/.setup-{part}" for part in ("sim-verilator", "sim-icarus", "images")]
    subprocess.run(["make", *set_up], cwd=root, capture_output=True, check=True, timeout=600)
    folder = tmp_path_factory.mktemp("readme")
    for entry in root.iterdir():
        if entry.name not in ("out", ".git"):
            (folder / entry.name).symlink_to(entry)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return {line: subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True,
                                 check=False)
            for line in commands(root)}


def test_every_command_is_run(root):
    told = {line for _, text in blocks(root) for line in text.splitlines() if re.match(r"make |\S*tickloop ", line)}
    assert told - set(commands(root)) == {LEFT_OUT}
    assert {"make sim", LEFT_OUT} <= told


@pytest.mark.usefixtures("one_loop_at_a_time")
def test_every_command_works(finished):
    assert finished
    for line, result in finished.items():
        assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"


@pytest.mark.usefixtures("one_loop_at_a_time")
def test_the_example_output_is_what_make_sim_prints(root, finished):
    """Row by row. Clocks, instructions and digest are those of one kernel image, the loop's speed that of a machine."""
    example = rows(next(text for language, text in blocks(root) if not language and "digest" in text))
    printed = rows(finished["make sim"].stdout)
    assert list(example) == list(printed)
    for name in ("run", "frames", "messages", "orders", "checks passed", "report", "result"):
        assert example[name] == printed[name]


def rows(table):
    """Name -> value of the result table."""
    return dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in table.splitlines())


def test_links_lead_somewhere(root):
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())]
    assert len(links) > 10
    for page, link in links:
        assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"
