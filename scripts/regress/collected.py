# SPDX-License-Identifier: MIT
"""What a job covered, taken out of its files before these are deleted: one file of Verilator's points, one of the
plan's bins."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

from scripts.regress.jobs import COVERAGE_FILE, FUNCTIONAL
from tb.coverage.merging import Bins, add_bins, add_points, bins_of, write_points

BINS_FILE = "functional.json"
FILES = (COVERAGE_FILE, BINS_FILE)


def gather(job: Path) -> None:
    """Leaves ``FILES`` in a job's directory, those of which there is something."""
    points = sorted(path for path in (*job.glob(COVERAGE_FILE), *job.glob(f"pytest/*/{COVERAGE_FILE}"))
                    if not path.parent.is_symlink())  # pytest keeps a link to each test's folder beside it
    total: Counter[str] = Counter()
    for path in points:
        add_points(total, path)
    if points:
        write_points(total, job / COVERAGE_FILE)
    bins: Bins = {}
    for path in sorted((job / FUNCTIONAL).glob("*.yml")):
        add_bins(bins, bins_of(path))
    if bins:
        (job / BINS_FILE).write_text(json.dumps(bins), encoding="utf-8")
    shutil.rmtree(job / FUNCTIONAL, ignore_errors=True)
