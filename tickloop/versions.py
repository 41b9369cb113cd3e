# SPDX-License-Identifier: MIT
"""Versions of what took part in a run, beside those the bridge reports: Python packages, compiler, the project."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version

import tickloop
from bridge.build import IS_CHECKOUT, ROOT

PACKAGES = ("cocotb", "numpy", "scapy")


def package_versions() -> dict[str, str]:
    """tickloop, the Python packages a run uses, and the C compiler."""
    versions = {"tickloop": tickloop.__version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    versions["gcc"] = _output(["gcc", "-dumpfullversion"]) or "unknown"
    return versions


def git_commit() -> str | None:
    """The checked-out commit, with "+" if files differ from it; None outside a checkout of tickloop."""
    if not IS_CHECKOUT:
        return None
    commit = _output(["git", "rev-parse", "HEAD"])
    if not commit:
        return None
    return commit + ("+" if _output(["git", "status", "--porcelain", "--untracked-files=no"]) else "")


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
