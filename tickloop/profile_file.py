# SPDX-License-Identifier: MIT
"""Traffic profiles in TOML files (docs/generate.md): every parameter is checked, and an error names its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from generators.faults import NO_FAULTS, Faults
from generators.profiles import MAX_SYMBOLS, MIX_TYPES, PROFILES, Profile
from tickloop.exits import UsageError

MOST_MESSAGES = 10**9
MOST_NS = 10**12
MOST_RATE = 10**9
MOST_BURST = 1_000
_KEYS = {"base", "description", "symbols", "messages", "warm_up", "rate", "jitter_ns", "gaps", "mix", "bursts",
         "faults", "line_b"}
_BURSTS = {"share", "sizes", "after_cross", "quotes"}
_RATES = {each.name for each in fields(Faults)}
_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"\s*[\"']?([A-Za-z0-9_.-]+)[\"']?\s*=")


@dataclass(frozen=True)
class ProfileFile:
    """A profile and what else a file may say of its traffic; ``faults`` are line A's and line B's."""

    profile: Profile
    warm_up: int | None = None
    rate: float | None = None
    jitter_ns: int = 0
    faults: tuple[Faults, Faults] = (NO_FAULTS, NO_FAULTS)
    delay_ns: int = 0


def load_profile(path: Path) -> ProfileFile:
    """The profile in ``path``.

    Raises:
        UsageError: the file cannot be read, or says something impossible.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return _Reader(tomllib.loads(text), path, _lines_of(text)).profile_file()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None


def _lines_of(text: str) -> dict[str, int]:
    """Line number of each table and key that has a line of its own; tomllib does not tell."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = f"{header[1]}."
            lines.setdefault(header[1], number)
        elif key := _ASSIGNMENT.match(line):
            lines.setdefault(table + key[1], number)
    return lines


class _Reader:
    """Typed access to the document; every error names line and key."""

    def __init__(self, document: Mapping[str, Any], path: Path, lines: Mapping[str, int]) -> None:
        self._document = document
        self._path = path
        self._lines = lines

    def error(self, key: str, problem: str) -> UsageError:
        at = key
        while at and at not in self._lines:
            at = at.rpartition(".")[0]
        where = f", line {self._lines[at]}" if at else ""
        return UsageError(f"{self._path}{where}: {key} {problem}")

    def profile_file(self) -> ProfileFile:
        self._only(self._document, _KEYS, "")
        profile = self._profile()
        rate = self._number(self._document, "rate", None, 0, MOST_RATE)
        if rate == 0:
            raise self.error("rate", "must be more than 0")
        line_b = self._table("line_b")
        self._only(line_b, {"delay_ns"}, "line_b.")
        return ProfileFile(
            profile, self._integer(self._document, "warm_up", None, 0, MOST_MESSAGES), rate,
            self._integer(self._document, "jitter_ns", 0, 0, MOST_NS) or 0, self._faults(),
            self._integer(line_b, "delay_ns", 0, 0, MOST_NS, "line_b.") or 0)

    def _profile(self) -> Profile:
        name = self._document.get("base")
        if name is not None and name not in PROFILES:
            raise self.error("base", f"must be one of {', '.join(PROFILES)}, got {name!r}")
        for key in () if name is not None else ("symbols", "messages", "mix", "gaps"):
            if key not in self._document:
                raise self.error(key, "is missing (or name a built-in profile: base = \"opening\")")
        given: dict[str, Any] = {"name": self._path.stem, "description": self._text("description", self._path.stem)}
        if "mix" in self._document:
            given["mix"] = self._mix()
        if "gaps" in self._document:
            given["gaps"] = self._gaps()
        for key, most in (("symbols", MAX_SYMBOLS), ("messages", MOST_MESSAGES)):
            if key in self._document:
                given[key] = self._integer(self._document, key, None, 1, most)
        given |= self._bursts()
        return replace(PROFILES[name], **given) if name is not None else Profile(**given)

    def _mix(self) -> dict[str, float]:
        table = self._table("mix")
        self._only(table, set(MIX_TYPES), "mix.")
        mix = {kind: self._number(table, kind, None, 0, MOST_MESSAGES, "mix.") or 0 for kind in table}
        if not any(mix.values()):
            raise self.error("mix", "must give at least one type a weight above 0")
        return {kind: weight for kind, weight in mix.items() if weight}

    def _gaps(self) -> tuple[tuple[float, int], ...]:
        points = self._document["gaps"]
        form = "must be two or more points [probability, gap in ns], from probability 0 to 1"
        if not isinstance(points, list) or len(points) < 2 or not all(
                isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in points):
            raise self.error("gaps", form)
        if points[0][0] != 0 or points[-1][0] != 1:
            raise self.error("gaps", form)
        for before, behind in pairwise(points):
            if not before[0] < behind[0] or before[1] > behind[1]:
                raise self.error("gaps", f"must grow from point to point, {behind} does not come behind {before}")
        for point in points:
            if not isinstance(point[1], int) or not 1 <= point[1] <= MOST_NS:
                raise self.error("gaps", f"are whole ns from 1 to {MOST_NS}, got {point[1]}")
        return tuple((float(probability), gap) for probability, gap in points)

    def _bursts(self) -> dict[str, Any]:
        table = self._table("bursts")
        self._only(table, _BURSTS, "bursts.")
        given: dict[str, Any] = {}
        for key, name in (("share", "burst_share"), ("after_cross", "burst_after_cross")):
            if key in table:
                given[name] = self._number(table, key, None, 0, 1, "bursts.")
        if "sizes" in table:
            sizes = table["sizes"]
            if not isinstance(sizes, list) or len(sizes) != 2 or not all(type(size) is int for size in sizes) or \
                    not 1 <= sizes[0] <= sizes[1] <= MOST_BURST:
                raise self.error("bursts.sizes", f"must be [least, most] from 1 to {MOST_BURST}, got {sizes!r}")
            given["burst_sizes"] = tuple(sizes)
        if "quotes" in table:
            if not isinstance(table["quotes"], bool):
                raise self.error("bursts.quotes", f"must be true or false, got {table['quotes']!r}")
            given["quotes"] = table["quotes"]
        return given

    def _faults(self) -> tuple[Faults, Faults]:
        table = self._table("faults")
        self._only(table, {*_RATES, "a", "b"}, "faults.")
        both = {key: value for key, value in table.items() if key in _RATES}
        rates = []
        for line in "ab":
            own = table.get(line, {})
            if not isinstance(own, dict):
                raise self.error(f"faults.{line}", "must be a table of rates")
            self._only(own, _RATES, f"faults.{line}.")
            chances = {key: self._number(both, key, None, 0, 1, "faults.") for key in both} | \
                {key: self._number(own, key, None, 0, 1, f"faults.{line}.") for key in own}
            rates.append(Faults(**{key: value or 0 for key, value in chances.items()}))
        return rates[0], rates[1]

    def _table(self, key: str) -> Mapping[str, Any]:
        table = self._document.get(key, {})
        if not isinstance(table, dict):
            raise self.error(key, f"must be a table, [{key}]")
        return table

    def _only(self, table: Mapping[str, Any], known: set[str], prefix: str) -> None:
        for key in table:
            if key not in known:
                raise self.error(prefix + key, f"is unknown; known are {', '.join(sorted(known))}")

    def _text(self, key: str, default: str) -> str:
        value = self._document.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"must be text, got {value!r}")
        return value

    def _integer(self, table: Mapping[str, Any], key: str, default: int | None, least: int, most: int,
                 prefix: str = "") -> int | None:
        value: int | None = self._limited(table, key, default, least, most, prefix, _is_integer, "an integer")
        return value

    def _number(self, table: Mapping[str, Any], key: str, default: float | None, least: float, most: float,
                prefix: str = "") -> float | None:
        value: float | None = self._limited(table, key, default, least, most, prefix, _is_number, "a number")
        return value

    def _limited(self, table: Mapping[str, Any], key: str, default: Any, least: float, most: float, prefix: str,
                 is_one: Callable[[Any], bool], what: str) -> Any:
        if key not in table:
            return default
        value = table[key]
        if not is_one(value) or not least <= value <= most:
            raise self.error(prefix + key, f"must be {what} from {least} to {most}, got {value!r}")
        return value


def _is_integer(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)
