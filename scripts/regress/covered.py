# SPDX-License-Identifier: MIT
"""What all jobs of a run covered together: the plan's bins, and lines, branches and toggles of the RTL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.coverage import TARGETS
from scripts.regress.collected import BINS_FILE
from scripts.regress.jobs import COVERAGE_FILE
from scripts.regress.scenarios import ROOT
from tb.coverage import code, functional, report
from tb.coverage.merging import Bins, add_bins, merge_points

RTL = ROOT / "rtl"
PAGES = "html"


def merge(jobs: Iterable[Path], directory: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """Merges what the jobs' directories hold into ``directory``, with pages; returns the figures by kind, and what is
    to be said of them. The jobs' own files go."""
    bins: Bins = {}
    points: list[Path] = []
    for job in jobs:
        if (job / BINS_FILE).exists():
            add_bins(bins, json.loads((job / BINS_FILE).read_text(encoding="utf-8")))
            (job / BINS_FILE).unlink()
        if (job / COVERAGE_FILE).exists():
            points.append(job / COVERAGE_FILE)
    if not bins and not points:
        return {}, ""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / BINS_FILE).write_text(json.dumps(bins), encoding="utf-8")
    found: dict[str, code.FileCoverage] = {}
    said = ""
    exclusions = code.load_exclusions()
    if points:
        merge_points(points, directory / COVERAGE_FILE)
        for path in points:
            path.unlink()
        found = code.read([directory / COVERAGE_FILE], RTL)
        try:
            code.exclude(found, exclusions, RTL)
        except code.ExclusionError as error:
            said = f"of modules in no job nothing can be excluded: {error}"
        code.write_lcov(found, RTL, directory / "lines.info")
    crosses = functional.against_plan(bins) if bins else []
    report.write(directory / PAGES, crosses, found, exclusions, RTL, TARGETS)
    figures = {kind: {"covered": covered, "total": total, "percent": round(report.percent(covered, total), 2),
                      "target": TARGETS.get(kind)}
               for kind, (covered, total) in report.figures(crosses, found).items() if total}
    return figures, said
