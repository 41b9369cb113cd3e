# SPDX-License-Identifier: MIT
"""Line, branch and toggle coverage of the RTL from Verilator's coverage.dat files, all runs and instances together.

A line is covered when a statement of it was executed, a branch when it was taken, a toggle (one bit, one direction)
when it happened; once, in any instance, in any run. What exclusions.toml names does not count, each with its reason;
an exclusion that excludes nothing is an error, so the list cannot outlive the design.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

EXCLUSIONS = Path(__file__).with_name("exclusions.toml")
Key = TypeVar("Key")

KINDS = ("line", "branch", "toggle")


class ExclusionError(Exception):
    """An exclusion matches nothing, or is not understood."""


@dataclass(frozen=True)
class Exclusion:
    """Of ``kind``, in files like ``file``: toggles of signals that ``match`` as a whole (a regular expression, with
    the bit), or lines and branches whose source text it finds."""

    kind: str
    file: str
    match: re.Pattern[str]
    reason: str


@dataclass
class FileCoverage:
    """Points of one source file: what was hit and what was not. Toggles are named ``signal[bit]:0->1``."""

    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[tuple[int, int, str], bool] = field(default_factory=dict)
    toggles: dict[tuple[int, str], bool] = field(default_factory=dict)
    excluded: int = 0

    def hits(self, kind: str) -> tuple[int, int]:
        """Covered points and all points of a kind."""
        points = {"line": self.lines.values(), "branch": self.branches.values(), "toggle": self.toggles.values()}[kind]
        return sum(points), len(points)


def read(files: Iterable[Path], sources: Path) -> dict[str, FileCoverage]:
    """Merges coverage.dat files, by the names of the source files; only those in the folder ``sources`` count."""
    found: dict[str, FileCoverage] = {}
    for path in files:
        for fields, count in _records(path):
            source = Path(fields["f"])
            if source.parent != sources:
                continue
            coverage = found.setdefault(source.name, FileCoverage())
            kind, hit = fields["page"].partition("/")[0], count > 0
            if kind == "v_toggle":
                _note(coverage.toggles, (int(fields["l"]), fields["o"]), hit)
                continue
            if kind == "v_branch":
                _note(coverage.branches, (int(fields["l"]), int(fields["n"]), fields["o"]), hit)
            for line in _lines(fields.get("S", "")):
                _note(coverage.lines, line, hit)
    return dict(sorted(found.items()))


def _note(points: dict[Key, bool], key: Key, hit: bool) -> None:
    points[key] = points.get(key, False) or hit


def _records(path: Path) -> Iterator[tuple[dict[str, str], int]]:
    """A record is ``C '<fields>' count``; a field is \\x01 key \\x02 value."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for record in file:
            if record.startswith("C '"):
                text, _, count = record[3:].rpartition("' ")
                yield dict(part.split("\x02", 1) for part in text.split("\x01") if part), int(count)


def _lines(ranges: str) -> Iterator[int]:
    """``101-112,114`` as numbers."""
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def load_exclusions(path: Path = EXCLUSIONS) -> list[Exclusion]:
    """The written exclusions."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("exclude", [])
    for entry in entries:
        if entry["kind"] not in KINDS or not entry["reason"]:
            raise ExclusionError(f"kind is one of {KINDS}, and each has a reason: {entry}")
    return [Exclusion(entry["kind"], entry["file"], re.compile(entry["match"]), entry["reason"]) for entry in entries]


def exclude(coverage: dict[str, FileCoverage], exclusions: Iterable[Exclusion], sources: Path) -> None:
    """Takes the excluded points out.

    Raises:
        ExclusionError: one of them matches no point.
    """
    for exclusion in exclusions:
        total = 0
        for name, found in coverage.items():
            if fnmatch(name, exclusion.file):
                text = (sources / name).read_text(encoding="utf-8").splitlines()
                count = _exclude(found, exclusion, text)
                found.excluded += count
                total += count
        if total == 0:
            raise ExclusionError(f"nothing is excluded by {exclusion.kind} {exclusion.file} {exclusion.match.pattern}")


def _exclude(found: FileCoverage, exclusion: Exclusion, text: list[str]) -> int:
    if exclusion.kind == "toggle":
        names = [key for key in found.toggles if exclusion.match.fullmatch(key[1].partition(":")[0])]
        for key in names:
            del found.toggles[key]
        return len(names)
    if exclusion.kind == "branch":
        branches = [key for key in found.branches if exclusion.match.search(text[key[0] - 1])]
        for branch in branches:
            del found.branches[branch]
        return len(branches)
    lines = [line for line in found.lines if exclusion.match.search(text[line - 1])]
    for line in lines:
        del found.lines[line]
    return len(lines)


def write_lcov(coverage: dict[str, FileCoverage], sources: Path, path: Path) -> None:
    """The lines in lcov's format, for tools that read it."""
    with path.open("w", encoding="utf-8") as file:
        for name, found in coverage.items():
            file.write(f"TN:\nSF:{sources / name}\n")
            for line, hit in sorted(found.lines.items()):
                file.write(f"DA:{line},{int(hit)}\n")
            covered, total = found.hits("line")
            file.write(f"LF:{total}\nLH:{covered}\nend_of_record\n")
