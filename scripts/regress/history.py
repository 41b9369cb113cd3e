# SPDX-License-Identifier: MIT
"""The runs before: a line of JSON each in build/regress/history.jsonl, which outlives a run's directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = "history.jsonl"
SHOWN = 50
ASKED = ("matrix", "options", "tests")  # runs that differ in one of these are not compared


def entry(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What is remembered of a run."""
    coverage = summary["coverage"]
    return {
        **{key: summary[key] for key in ("name", "started", "seconds", "git_commit", "interrupted", *ASKED)},
        "seeds": summary["seeds"]["count"],
        **{key: summary["jobs"][key] for key in ("planned", "passed", "failed", "not_run")},
        "coverage": {kind: each["percent"] for kind, each in coverage.items()},
        "causes": {cause["name"]: len(cause["failures"]) for cause in summary["causes"]},
    }


def read(folder: Path) -> list[dict[str, Any]]:
    """The last runs, oldest first. A line that was cut, as by a full disk, is none."""
    runs = []
    if (folder / FILE).exists():
        for line in (folder / FILE).read_text(encoding="utf-8").splitlines():
            try:
                runs.append(json.loads(line))
            except ValueError:
                continue
    return runs[-SHOWN:]


def append(folder: Path, remembered: Mapping[str, Any]) -> None:
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(remembered) + "\n")


def previous(runs: Sequence[dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last run before that came to its end and tried the same: what it did not try cannot have gone away."""
    return next((run for run in reversed(runs) if not run["interrupted"]
                 and all(key in run and run[key] == asked[key] for key in ASKED)), None)
