# SPDX-License-Identifier: MIT
"""Failures grouped by cause: two messages that differ in numbers, addresses, paths or times only tell of one cause."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

LONGEST = 240  # characters of a cause

# In this order: what a later one looks for may be part of what an earlier one takes away.
_RULES = tuple((re.compile(pattern), by) for pattern, by in (
    (r"\x1b\[[0-9;]*m", ""),                                       # colours
    (r"(?<![\w.])\.{0,2}(?:/[\w.+@~:\[\]-]+)+/?", "PATH"),         # absolute, or from here on
    (r"\b(?:out|build|tests)(?:/[\w.+@~-]+)+", "PATH"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d[:-]\d\d[:-]\d\d\S*", "TIME"),
    (r"\b0[xX][0-9a-fA-F_]+\b", "N"),
    (r"\b\d+'[bhdBHD][0-9a-fA-FxXzZ_]+", "N"),                     # Verilog
    (r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b", "N"),               # raw bytes
    (r"(?<!\w)-?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?", "N"),
    (r"(?:N, )+N\b", "N"),                                         # lists, however long
    (r"\s+", " "),
))


@dataclass(frozen=True)
class Failure:
    """One failed case of a job."""

    job: str
    test: str
    message: str
    reproduce: str


@dataclass
class Cause:
    """Failures whose messages say the same."""

    name: str
    failures: list[Failure] = field(default_factory=list)

    @property
    def example(self) -> str:
        return self.failures[0].message


def normalised(message: str) -> str:
    """The message without what differs from run to run."""
    text = message.strip()
    if text.startswith("timeout"):
        return "timeout"
    for pattern, by in _RULES:
        text = pattern.sub(by, text)
    return text[:LONGEST].strip() or "no message"


def grouped(failures: Iterable[Failure]) -> list[Cause]:
    """The causes, that of most failures first; a cause's failures in the order in which they are given."""
    causes: dict[str, Cause] = {}
    for failure in failures:
        name = normalised(failure.message)
        causes.setdefault(name, Cause(name)).failures.append(failure)
    return sorted(causes.values(), key=lambda cause: (-len(cause.failures), cause.name))


def first_few(causes: Iterable[Cause], most: int) -> list[Failure]:
    """Failures of as many causes as there are, a job once: the first of each cause, then the second."""
    rest = [list(cause.failures) for cause in causes]
    chosen: dict[str, Failure] = {}
    while any(rest) and len(chosen) < most:
        for failures in rest:
            if failures and len(chosen) < most:
                failure = failures.pop(0)
                chosen.setdefault(failure.job, failure)
    return list(chosen.values())
