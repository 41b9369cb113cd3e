# SPDX-License-Identifier: MIT
"""Versions of what took part in a run, beside those the bridge reports: Python packages, compiler, the project."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version

import tickloop
from bridge.build import IS_CHECKOUT, ROOT
from bridge.layout import ITCH_BODY, ITCH_LENGTHS
from generators.tables import ITCH50, ITCH_TIMESTAMP
from tickloop.exits import ExitStatus, TickloopError

PACKAGES = ("cocotb", "numpy", "scapy")


def check_tables() -> None:
    """
    Raises:
        TickloopError: the table of messages is not the one that RTL and kernel were generated from.
    """
    bodies = {kind: [(name, size, integer) for name, _, _, size, integer in fields]
              for kind, fields in ITCH_BODY.items()}
    table = {kind: [(field.name, field.length, field.is_integer) for field in message.fields
                    if field.offset > ITCH_TIMESTAMP.offset] for kind, message in ITCH50.items()}
    if bodies != table or {kind: message.length for kind, message in ITCH50.items()} != ITCH_LENGTHS:
        raise TickloopError(ExitStatus.LAYOUT_DIFFERS,
                            "RTL and kernel were generated from another generators/protocols/itch50.json: make layouts")


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
