# SPDX-License-Identifier: MIT
"""System packages that runs need, from the lists of the set-up: which tools are missing here, and what installs them.

A checkout's set-up installs them itself; the user of an installed package is told the command.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import find_libpython

LISTS = Path(__file__).resolve().parents[1] / "scripts/packages"
OS_RELEASE = Path("/etc/os-release")
_QUIET = {"env", "DEBIAN_FRONTEND=noninteractive", "-qq", "-q"}


def _lines() -> list[str]:
    """The list of this distribution, or of the first that it is like; Debian's where there is none."""
    told = OS_RELEASE.read_text() if OS_RELEASE.exists() else ""
    names = [name for key in ("ID", "ID_LIKE") for found in re.findall(rf'^{key}="?([^"\n]*)"?$', told, re.M)
             for name in found.split()]
    path = next(LISTS / f"{name}.txt" for name in [*names, "debian"] if (LISTS / f"{name}.txt").exists())
    return path.read_text().splitlines()


def _entries() -> list[tuple[str, str, str]]:
    """Group, probe, package."""
    return [(match[1], match[2], match[3]) for line in _lines() if (match := re.match(r"(\w+)\s+(\S+)\s+(\S+)$", line))]


def commands(groups: Iterable[str]) -> list[tuple[str, str]]:
    """Commands that jobs of these groups call, and their packages."""
    return sorted({(probe.removeprefix("command:"), package) for group, probe, package in _entries()
                   if group in groups and probe.startswith("command:")})


def lacking(groups: Iterable[str], which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Packages whose commands are not here; with them that of Python's shared library, if that is not here."""
    packages = {package for command, package in commands(groups) if which(command) is None}
    return sorted(packages if find_libpython.find_libpython() else packages | {libpython()})


def libpython() -> str:
    """The package of Python's shared library."""
    package = next(package for _, probe, package in _entries() if probe == "libpython")
    return package.replace("@python@", f"{sys.version_info.major}.{sys.version_info.minor}")


def install_line(packages: Iterable[str]) -> str:
    """The command that installs packages on this distribution."""
    install = next(line.removeprefix("install:") for line in _lines() if line.startswith("install:"))
    return " ".join([*(word for word in install.split() if word not in _QUIET), *packages])
