# SPDX-License-Identifier: MIT
"""Functional coverage of all runs: cocotb-coverage's files merged, and held against the written plan."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from cocotb_coverage.coverage import merge_coverage

from tb.coverage.merging import Bins, bins_of
from tb.coverage.plan import ROOT, Cross, load


@dataclass
class CrossCoverage:
    """One cross: how often each possible bin was hit."""

    cross: Cross
    hits: dict[tuple[str, ...], int]

    @property
    def missing(self) -> list[tuple[str, ...]]:
        return [bins for bins, count in self.hits.items() if count == 0]


def merge(files: Sequence[Path], merged: Path) -> list[CrossCoverage]:
    """Merges the files into ``merged`` and reads it back, cross by cross in the plan's order.

    Raises:
        ValueError: there is no file, or its bins are not those of the plan.
    """
    if not files:
        raise ValueError("no test left its functional coverage")
    merge_coverage(lambda _text: None, str(merged), *map(str, files))
    return against_plan(bins_of(merged))


def against_plan(counted: Bins) -> list[CrossCoverage]:
    """What was counted, cross by cross in the plan's order.

    Raises:
        ValueError: the bins are not those of the plan.
    """
    result = []
    for name, cross in load().items():
        hits = {tuple(literal_eval(bins)): count for bins, count in counted.get(f"{ROOT}.{name}", {}).items()}
        possible = set(product(*cross.items.values())) - set(cross.impossible_bins())
        if hits.keys() != possible:
            raise ValueError(f"{name}: the bins of the runs are not those of the plan")
        result.append(CrossCoverage(cross, hits))
    return result
