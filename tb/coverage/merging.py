# SPDX-License-Identifier: MIT
"""Adds up what many runs covered, without the libraries that sampled it: Verilator's coverage.dat files, of which the
sum is one, and the bins of cocotb-coverage's files, by cross and as they are written there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import yaml

HEADER = "# SystemC::Coverage-3\n"
Bins = dict[str, dict[str, int]]
_CROSS = ".cross"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built


def add_points(total: Counter[str], path: Path) -> None:
    """Adds a file of Verilator's to ``total``, by its records without their counts."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for record in file:
            if record.startswith("C '"):
                point, _, count = record.rpartition(" ")
                total[point] += int(count)


def write_points(points: Mapping[str, int], path: Path) -> None:
    """A file in Verilator's format, as ``verilator_coverage --write`` makes it."""
    with path.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(HEADER)
        file.writelines(f"{point} {count}\n" for point, count in points.items())


def bins_of(path: Path) -> Bins:
    """How often one test hit each bin: cross (as ``plan.NAME``) -> bins -> hits."""
    database = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    return {name.removesuffix(_CROSS): {bins: int(hits) for bins, hits in each["bins:_hits"].items()}
            for name, each in database.items() if name.endswith(_CROSS)}


def add_bins(total: Bins, more: Bins) -> None:
    """Adds ``more`` to ``total``."""
    for cross, bins in more.items():
        own = total.setdefault(cross, {})
        for name, hits in bins.items():
            own[name] = own.get(name, 0) + hits
