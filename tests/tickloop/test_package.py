# SPDX-License-Identifier: MIT
"""The installed package, without a checkout: it finds its RTL and firmware, and builds in the user's cache."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import tickloop
from bridge import build, packages


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    """Built from what git knows, so that nothing of a developer's directory comes along."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True,
                            check=True).stdout.decode().rstrip("\0").split("\0")
    for name in listed:
        if (root / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((root / name).read_bytes())
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q",
                    "--disable-pip-version-check", "-w", out, source], check=True, capture_output=True)
    return next(out.glob("*.whl"))


@dataclass(frozen=True)
class Installed:
    """An environment of its own. ``installed(arguments)`` runs its console script, outside any checkout."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments, **variables):
        return subprocess.run(
            [self.folder / "venv/bin/tickloop", *arguments], cwd=self.folder / "work", capture_output=True, text=True,
            check=False, env={**self.environment, "XDG_CACHE_HOME": str(self.folder / "cache"), **variables})


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Holds the wheel; what that depends on comes from this test's own environment."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    packages = next((folder / "venv/lib").glob("python*/site-packages"))
    subprocess.run([sys.executable, "-m", "pip", "--python", folder / "venv/bin/python", "install", "--no-deps", "-q",
                    "--disable-pip-version-check", wheel], check=True, capture_output=True)
    own = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    (packages / "dependencies.pth").write_text(f"{own}\n")
    (folder / "work").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    return Installed(folder, environment)


def test_a_capture_goes_through_the_loop(installed, one_loop_at_a_time):
    assert installed("generate", "opening", "--messages", "60", "--out", "o.pcap").returncode == 0
    finished = installed("sim", "o.pcap", "--sim", "icarus", "--json", "--out", "sim")
    assert finished.returncode == 0, finished.stderr
    document = json.loads(finished.stdout)
    assert document["passed"] is True
    assert sum(document["counters"]["messages"].values()) == 60
    run = json.loads((installed.folder / "work/sim/run.json").read_text())
    assert (run["git_commit"], run["versions"]["tickloop"]) == (None, tickloop.__version__)
    assert document["orders"] > 0
    built = {path.name for each in (installed.folder / "cache/tickloop").iterdir() for path in each.iterdir()}
    assert {"core", "icarus", "firmware"} <= built
    assert not list((installed.folder / "venv").rglob("*.elf"))


def test_the_doctor_knows_what_is_needed_without_a_checkout(installed):
    finished = installed("doctor", "--json", PATH="/nowhere")
    findings = {finding["name"]: finding for finding in json.loads(finished.stdout)["findings"]}
    assert findings["tools"]["told"] == "missing: g++, gcc, make, qemu-system-x86_64"
    assert findings["tools"]["remedy"].startswith("as root: ")
    assert findings["Python packages"]["level"] == "ok", findings["Python packages"]


def test_what_is_missing_is_told_as_one_command(installed):
    """All of it at once: the next call does not find another thing missing."""
    finished = installed("sim", "--messages", "5", "--out", "none", PATH="/nowhere")
    assert finished.returncode == 3
    assert finished.stderr == ("tickloop: qemu-system-x86_64 is missing; as root: "
                               f"{packages.install_line(['g++', 'gcc', 'make', 'qemu-system-x86'])}\n")


@pytest.mark.parametrize(("told", "line"), [
    ("ID=debian\n", "apt-get install -y --no-install-recommends g++ libpython3.11 qemu-system-x86"),
    ('ID=ubuntu\nID_LIKE="debian"\n', "apt-get install -y --no-install-recommends g++ libpython3.11 qemu-system-x86"),
    ("ID=fedora\n", "dnf install -y --setopt=install_weak_deps=False gcc-c++ python3-libs qemu-system-x86-core"),
    ("ID=plan9\n", "apt-get install -y --no-install-recommends g++ libpython3.11 qemu-system-x86"),
])
def test_the_command_is_the_distribution_s(monkeypatch, tmp_path, told, line):
    (tmp_path / "os-release").write_text(told)
    monkeypatch.setattr(packages, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr("find_libpython.find_libpython", lambda: None)
    there = {"gcc", "make"}
    lacking = packages.lacking(("sim", "verilator"), lambda name: name if name in there else None)
    assert packages.install_line(lacking) == line.replace("3.11", f"3.{sys.version_info.minor}")


def test_without_verilator_icarus_runs_and_the_doctor_says_how_to_add_it(monkeypatch):
    monkeypatch.setattr(build, "IS_CHECKOUT", False)
    monkeypatch.setattr("bridge.verilator_shim.is_installed", lambda: False)
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert build.default_simulator() == "icarus"
    monkeypatch.setattr(sys, "prefix", "/home/me/.local/pipx/venvs/tickloop")
    assert re.fullmatch(r"pipx inject tickloop systemc==[\d.]+ verilator==[\d.]+", build.verilator_line())


def test_a_cache_that_cannot_be_written_is_one_line(installed):
    assert installed("generate", "quiet", "--messages", "5", "--out", "q.pcap").returncode == 0
    (installed.folder / "file").touch()
    file = str(installed.folder / "file")
    finished = installed("parse", "q.pcap", "--sim", "icarus", "--out", "q", XDG_CACHE_HOME=file)
    assert finished.returncode == 2
    assert re.fullmatch(r"tickloop: .*builds cannot be written there: .*; XDG_CACHE_HOME names another place\n",
                        finished.stderr)


def test_the_wheel_holds_every_source_and_the_licence(root, wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(["git", "ls-files", "bridge", "firmware", "generators", "rtl", "tb", "tickloop", "waves"],
                            cwd=root, capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in listed if (root / name).is_file()} - names == set()
    licence = next(name for name in names if name.endswith("licenses/LICENSE"))
    assert zipfile.ZipFile(wheel).read(licence) == (root / "LICENSE").read_bytes()
    assert not [name for name in names if name.startswith(("tests/", "build/", "out/")) or name.endswith(".pyc")]


def test_the_version_stands_in_one_place(root, wheel):
    metadata = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA"))
    assert f"\nVersion: {tickloop.__version__}\n" in zipfile.ZipFile(wheel).read(metadata).decode()
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert "version" in project["dynamic"]
    assert (root / "CHANGELOG.md").read_text().count(f"\n## {tickloop.__version__}") == 1
    assert Distribution.from_name("tickloop").version == tickloop.__version__


@pytest.mark.parametrize(("given", "base"), [("/somewhere", "/somewhere"), ("", "/home/me/.cache"),
                                             ("relative", "/home/me/.cache")])
def test_the_cache_is_where_the_user_has_it(monkeypatch, given, base):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    assert build.cache_directory().parent == Path(base) / "tickloop"


def test_in_a_checkout_the_build_directory_is_its_own(root):
    assert root / "build" == build.BUILD
