# SPDX-License-Identifier: MIT
"""In-order comparison of what a run must leave with what it left: messages, books, orders, events, counters.

A scoreboard that compared nothing has proved nothing: where something is due, comparing zero items is a difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

MAX_LINES = 10  # difference lines told; the number of the others follows

Item = Mapping[str, Any]
_MISSING = object()


@dataclass
class Comparison:
    """The result for one kind of item."""

    what: str
    compared: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.differences


def compare(
    expected: Sequence[Item] | Item,
    observed: Sequence[Item] | Item,
    what: str,
    ignore: Collection[str] = (),
    may_be_empty: bool = False,
) -> Comparison:
    """Compares two lists of items in order, or two mappings of counters.

    Items are compared key by key, nested ones too; ``ignore`` names top-level keys that only one side can know, such
    as simulated times. Of counters, one that a side does not have counts as 0.
    """
    result = Comparison(what)
    found = _counters(expected, observed, result, ignore) if isinstance(expected, Mapping) else \
        _items(expected, observed, result, ignore)
    total = 0
    for difference in found:
        total += 1
        if total <= MAX_LINES:
            result.differences.append(f"{what}: {difference}")
    if total > MAX_LINES:
        result.differences.append(f"{what}: {total - MAX_LINES} more differences")
    if result.compared == 0 and not may_be_empty and not result.differences:
        result.differences.append(f"{what}: nothing was compared")
    return result


def _items(expected: Any, observed: Any, result: Comparison, ignore: Collection[str]) -> Iterator[str]:
    if len(expected) != len(observed):
        yield f"{len(expected)} expected, got {len(observed)}"
    for index, (want, have) in enumerate(zip_longest(expected, observed)):
        if have is None:
            yield f"{_name(index, want)} is missing"
        elif want is None:
            yield f"{_name(index, have)} was not expected"
        else:
            result.compared += 1
            due, found = _without(ignore, want), _without(ignore, have)
            if due != found:
                for path, wanted, got in _differing(due, found):
                    yield f"{_name(index, want)} {path}: expected {_text(wanted)}, got {_text(got)}"


def _counters(expected: Any, observed: Any, result: Comparison, ignore: Collection[str]) -> Iterator[str]:
    want, have = _flat(expected), _flat(observed)
    for path in [*want, *(path for path in have if path not in want)]:
        if path.split(".")[0] in ignore:
            continue
        result.compared += 1
        if want.get(path, 0) != have.get(path, 0):
            yield f"{path}: expected {_text(want.get(path, 0))}, got {_text(have.get(path, 0))}"


def _flat(counters: Item, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in counters.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _without(ignore: Collection[str], item: Item) -> Item:
    if not ignore or item.keys().isdisjoint(ignore):
        return item
    kept = dict(item)
    for key in ignore:
        kept.pop(key, None)
    return kept


def _differing(want: Any, have: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if want == have:
        return
    if isinstance(want, Mapping) and isinstance(have, Mapping):
        for key in [*want, *(key for key in have if key not in want)]:
            name = f"{path}.{key}" if path else str(key)
            yield from _differing(want.get(key, _MISSING), have.get(key, _MISSING), name)
    elif isinstance(want, (list, tuple)) and isinstance(have, (list, tuple)):
        for index, (left, right) in enumerate(zip_longest(want, have, fillvalue=_MISSING)):
            yield from _differing(left, right, f"{path}[{index}]")
    elif want != have:
        yield path, want, have


def _name(index: int, item: Any) -> str:
    """The item's place, and the key by which a reader finds it in the run's files."""
    for key in ("sequence", "stock_locate", "frame"):
        if isinstance(item, Mapping) and key in item:
            return f"#{index} ({key} {item[key]})"
    return f"#{index}"


def _text(value: Any) -> str:
    return "nothing" if value is _MISSING else repr(value)
