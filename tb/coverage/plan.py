# SPDX-License-Identifier: MIT
"""The written coverage plan (plan.toml) as cocotb-coverage points and crosses.

A sample names one bin of every item of its cross. A name that the plan does not have, or a combination that it calls
impossible, is an error in the plan or in the design: it is raised, never ignored.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from cocotb_coverage.coverage import CoverCross, CoverPoint, coverage_db

from bridge import layout
from generators.tables import ITCH50

PLAN = Path(__file__).with_name("plan.toml")
ROOT = "plan"  # of the coverage tree

# Registers that accept any value at any time: nothing about them can be refused but the access itself.
ANY_VALUE = ("ERRORS", "WINDOW_BASE_LO", "WINDOW_BASE_HI", "WINDOW_SIZE_LO", "WINDOW_SIZE_HI", "WINDOW2_BASE_LO",
             "WINDOW2_BASE_HI", "WINDOW2_SIZE_LO", "WINDOW2_SIZE_HI", "GROUP_ADDRESS", "GROUP_PORT", "HOLD",
             "EVENT_ENABLE", *(name for name in layout.REGISTERS if name.startswith("SESSION_")))
READ_ONLY = ("ID", "VERSION", "LAYOUT_HASH", "CAPABILITIES", "TIME_LO", "TIME_HI", "RX_HEAD", "TX_HEAD", "RAW_HEAD",
             "FILTER_STATUS", *(name for name, offset in layout.REGISTERS.items() if offset >= 0x100))
TABLES: dict[str, tuple[str, ...]] = {
    "$types": tuple(ITCH50),
    "$reasons": tuple(reason.name.lower() for reason in layout.DropReason),
    "$statuses": tuple(status.name.lower() for status in layout.MessageStatus),
    "$registers": tuple(layout.REGISTERS),
    "$read_only": READ_ONLY,
    "$any_value": ANY_VALUE,
}


class PlanError(Exception):
    """The plan, or a sample, does not make sense."""


def _bins(value: str | Iterable[Any]) -> tuple[str, ...]:
    entries = [value] if isinstance(value, str) else list(value)
    return tuple(name for entry in entries for name in TABLES.get(str(entry), (str(entry),)))


@dataclass(frozen=True)
class Impossible:
    """Combinations that cannot happen, and why; an item that is not named may have any value."""

    bins: dict[str, tuple[str, ...]]
    reason: str

    def has(self, values: dict[str, str]) -> bool:
        return all(values[item] in bins for item, bins in self.bins.items())


@dataclass(frozen=True)
class Cross:
    """One question of the plan."""

    name: str
    meaning: str
    items: dict[str, tuple[str, ...]]
    impossible: tuple[Impossible, ...]

    def impossible_bins(self) -> dict[tuple[str, ...], str]:
        """Every combination left out, with its reason."""
        left_out: dict[tuple[str, ...], str] = {}
        for values in product(*self.items.values()):
            named = dict(zip(self.items, values, strict=True))
            for rule in self.impossible:
                if rule.has(named):
                    left_out[values] = rule.reason
        return left_out


def load(path: Path = PLAN) -> dict[str, Cross]:
    """The plan, checked.

    Raises:
        PlanError: a bin is named twice, a rule names what is not there, or says nothing.
    """
    crosses: dict[str, Cross] = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["cross"]:
        items = {name: _bins(bins) for name, bins in entry["items"].items()}
        rules = tuple(
            Impossible({name: _bins(bins) for name, bins in rule["bins"].items()}, rule["reason"])
            for rule in entry.get("impossible", ())
        )
        for name, bins in items.items():
            if len(set(bins)) != len(bins):
                raise PlanError(f"{entry['name']}.{name}: a bin is named twice")
        for rule in rules:
            for name, bins in rule.bins.items():
                if not set(bins) <= set(items.get(name, ())):
                    raise PlanError(f"{entry['name']}: an impossible bin that is none: {name} {bins}")
        crosses[entry["name"]] = Cross(entry["name"], entry["meaning"], items, rules)
    return crosses


class Coverage:
    """The plan's points in cocotb-coverage's database, and the one way to hit them."""

    def __init__(self) -> None:
        # The database is the process's: a test begins with an empty one, as every test leaves a file of its own.
        for name in [name for name in coverage_db if name.partition(".")[0] == ROOT]:
            del coverage_db[name]
        self._plan = load()
        self._left_out = {name: cross.impossible_bins() for name, cross in self._plan.items()}
        self._hit = {name: _sampler(cross, self._left_out[name]) for name, cross in self._plan.items()}

    def sample(self, cross: str, **values: object) -> None:
        """Counts one combination.

        Raises:
            PlanError: the plan has no such bin, or calls it impossible.
        """
        items = self._plan[cross].items
        if values.keys() != items.keys():
            raise PlanError(f"{cross} has the items {list(items)}, not {list(values)}")
        bins = tuple(str(values[name]) for name in items)
        for name, value in zip(items, bins, strict=True):
            if value not in items[name]:
                raise PlanError(f"{cross}: {name} has no bin {value!r}")
        if bins in self._left_out[cross]:
            raise PlanError(f"{cross}: {bins} came, which cannot be: {self._left_out[cross][bins]}")
        self._hit[cross](bins)

    @staticmethod
    def export(path: Path) -> None:
        """Writes all counts in cocotb-coverage's YAML form, which its merge reads."""
        coverage_db.export_to_yaml(filename=str(path))


def _sampler(cross: Cross, left_out: Iterable[tuple[str, ...]]) -> Callable[[tuple[str, ...]], None]:
    """A function whose decorators count one tuple of bins: the points first, as the cross reads what they hit."""
    def sampled(_bins: tuple[str, ...]) -> None:
        """The decorators do the work."""

    def item(index: int) -> Callable[[tuple[str, ...]], str]:
        return lambda bins: bins[index]

    points = [f"{ROOT}.{cross.name}.{name}" for name in cross.items]
    decorators = [
        CoverPoint(point, xf=item(index), bins=list(bins))
        for index, (point, bins) in enumerate(zip(points, cross.items.values(), strict=True))
    ]
    every = CoverCross(f"{ROOT}.{cross.name}.cross", items=points, ign_bins=list(left_out))
    function: Any = every(sampled)
    for decorator in decorators:
        function = decorator(function)
    result: Callable[[tuple[str, ...]], None] = function
    return result
