# SPDX-License-Identifier: MIT
"""What all jobs of a run covered together: the plan's bins, and lines, branches and toggles of the RTL."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.coverage import TARGETS
from scripts.regress.collected import BINS_FILE
from scripts.regress.jobs import COVERAGE_FILE
from scripts.regress.scenarios import ROOT
from tb.coverage import code, functional, report
from tb.coverage.merging import Bins, add_bins, add_points, write_points

RTL = ROOT / "rtl"
PAGES = "html"


class Covered:
    """Takes what jobs left as they come to their end, so that no more than one job's files are there at a time."""

    def __init__(self) -> None:
        self._bins: Bins = {}
        self._points: Counter[str] = Counter()

    def add(self, job: Path) -> None:
        """Takes a job's files away."""
        bins, points = job / BINS_FILE, job / COVERAGE_FILE
        if bins.exists():
            add_bins(self._bins, json.loads(bins.read_text(encoding="utf-8")))
            bins.unlink()
        if points.exists():
            add_points(self._points, points)
            points.unlink()

    def write(self, directory: Path) -> tuple[dict[str, dict[str, Any]], str]:
        """Writes the sum into ``directory``, with pages; returns the figures by kind, and what is to be said of
        them."""
        if not self._bins and not self._points:
            return {}, ""
        directory.mkdir(parents=True, exist_ok=True)
        exclusions, said = code.load_exclusions(), ""
        found: dict[str, code.FileCoverage] = {}
        if self._points:
            write_points(self._points, directory / COVERAGE_FILE)
            found = code.read([directory / COVERAGE_FILE], RTL)
            try:
                code.exclude(found, exclusions, RTL)
            except code.ExclusionError as error:
                said = f"no job was of all modules: {error}"
            code.write_lcov(found, RTL, directory / "lines.info")
        if self._bins:
            (directory / BINS_FILE).write_text(json.dumps(self._bins), encoding="utf-8")
        crosses: list[functional.CrossCoverage] = []
        try:
            crosses = functional.against_plan(self._bins) if self._bins else []
        except ValueError as error:
            said = str(error)
        report.write(directory / PAGES, crosses, found, exclusions, RTL, TARGETS)
        figures = {kind: {"covered": covered, "total": total, "percent": round(report.percent(covered, total), 2)}
                   for kind, (covered, total) in report.figures(crosses, found).items() if total}
        return figures, said
