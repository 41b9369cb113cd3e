# SPDX-License-Identifier: MIT
"""The set-up: exact pins, what is missing and how to get it, a second call without work, and the Makefile's jobs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

GROUPS = {"sim", "verilator", "icarus", "images", "test", "waves"}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(pin for extra in project["optional-dependencies"].values() for pin in extra)]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in wanted)
    return {canonical(pin.split("==")[0]): pin.split("==")[1] for pin in wanted}


def make(root, *arguments, **environment):
    return subprocess.run(["make", *arguments], cwd=root, env={**os.environ, **environment}, capture_output=True,
                          text=True, check=False)


@pytest.fixture
def environment(root):
    """The project's own virtual environment, or a skip: another one may hold anything."""
    if Path(sys.prefix) != root / ".venv":
        pytest.skip(f"runs in {sys.prefix}, not in the project's .venv (make test does)")
    return Path(sys.prefix)


def test_every_installed_package_is_pinned(root, environment):
    """Also those that other packages brought along: an installation is the same next year."""
    packages = [path for path in sys.path if path.startswith(str(environment)) and path.endswith("site-packages")]
    installed = {canonical(found.metadata["Name"]): found.version for found in distributions(path=packages)}
    for name in ("tickloop", "pip", "setuptools"):
        installed.pop(name, None)
    assert installed
    pinned = pins(root)
    assert {name: version for name, version in installed.items() if pinned.get(name) != version} == {}


def test_every_distribution_names_a_package_for_every_need(root):
    """The lists differ in package names only."""
    needs = {}
    for path in sorted((root / "scripts/packages").glob("*.txt")):
        lines = [line.split() for line in path.read_text().splitlines() if line and line[0] != "#"]
        entries = [line for line in lines if not line[0].endswith(":")]
        assert {line[0] for line in lines} - {line[0] for line in entries} == {"tested:", "refresh:", "install:"}, path
        assert all(len(line) == 3 for line in entries), path
        needs[path.name] = [(group, probe) for group, probe, _ in entries]
    assert set(needs) >= {"debian.txt", "fedora.txt", "arch.txt"}
    assert {group for group, _ in needs["debian.txt"]} == GROUPS
    assert all(entry == needs["debian.txt"] for entry in needs.values())


def test_set_up_is_not_done_again(root, environment):
    """The stamps of what this test run uses are newer than what they depend on."""
    start = time.monotonic()
    finished = make(root, "--question", ".venv/.setup-test")
    assert finished.returncode == 0, "run make test: the set-up is older than its inputs"
    assert time.monotonic() - start < 2


@pytest.fixture
def without_tools(tmp_path, root):
    """scripts/setup on a machine that has neither QEMU nor sudo, for a user who is not root."""
    copy = tmp_path / "project"
    subprocess.run(["git", "clone", "-q", str(root), str(copy)], check=True)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "sed", "sort", "tr", "dirname", "mkdir", "cat", "grep", "tail", "gcc", "make", "perl", "env"):
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True).stdout
        (tools / name).symlink_to(found.strip())
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "id").chmod(0o755)
    return copy, tools


def test_without_root_the_exact_command_is_told(without_tools):
    copy, tools = without_tools
    finished = subprocess.run(
        [copy / "scripts/setup", "sim"], env={"PATH": str(tools), "PYTHON": sys.executable}, capture_output=True,
        text=True, check=False,
    )
    assert finished.returncode == 3
    lines = finished.stderr.splitlines()
    assert len(lines) == 1
    assert re.search(r"apt-get install -y .*qemu-system-x86$|dnf install|pacman|install what provides", lines[0])
    assert "qemu" in lines[0]
    assert not (copy / ".venv").exists()


def test_an_old_python_is_told(without_tools):
    copy, tools = without_tools
    old = tools / "python-old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo Python 3.9.2; exit; }\nexit 1\n')
    old.chmod(0o755)
    finished = subprocess.run([copy / "scripts/setup", "sim"], env={"PATH": str(tools), "PYTHON": str(old)},
                              capture_output=True, text=True, check=False)
    assert finished.returncode == 3
    assert "Python 3.9.2 is too old" in finished.stderr


def test_the_shim_answers_like_verilator(environment):
    shim = environment / "shim/verilator"
    told = subprocess.run([shim, "--version"], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"Verilator 5\.048 \d{4}-\d\d-\d\d rev \w+\n", told)
    finished = subprocess.run([shim, "--lint-only", "missing.v"], capture_output=True, text=True, check=False)
    assert finished.returncode != 0
    assert "missing.v" in finished.stderr


def test_make_help_lists_every_job(root):
    finished = make(root, "help")
    assert finished.returncode == 0
    jobs = {"sim", "test", "regress", "waves", "bench", "lint", "synth", "formal", "fuzz", "mutate", "coverage", "help",
            "clean", "docs"}
    for job in jobs:
        assert re.search(rf"\b{job}\b", finished.stdout), job
    assert make(root).stdout == finished.stdout


def test_an_unknown_simulator_is_one_line(root):
    finished = make(root, "sim", "SIM=modelsim")
    assert finished.returncode == 2
    assert len(finished.stderr.splitlines()) == 1
    assert "SIM is verilator or icarus" in finished.stderr
