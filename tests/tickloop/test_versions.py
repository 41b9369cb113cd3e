# SPDX-License-Identifier: MIT
"""A table of messages from which RTL and kernel were not generated is refused, whatever differs in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generators.tables import ITCH50
from tickloop import versions
from tickloop.exits import ExitStatus, TickloopError

NAMES = [field.name for field in ITCH50["A"].fields]


def changed(**values):
    """The table with another message A."""
    return ITCH50 | {"A": replace(ITCH50["A"], **values)}


def with_names(*names):
    """Message A with its fields renamed, in their order: two names that change places are two fields that do."""
    return changed(fields=tuple(replace(field, name=name)
                                for field, name in zip(ITCH50["A"].fields, names, strict=True)))


def swapped(one, other):
    return [{one: other, other: one}.get(name, name) for name in NAMES]


def test_the_table_as_it_is():
    versions.check_tables()


@pytest.mark.parametrize("table", [
    with_names(*swapped("shares", "price")),  # of one size: only their places differ
    with_names(*NAMES[:-1], "limit"),
    {kind: message for kind, message in ITCH50.items() if kind != "A"},
    ITCH50 | {"Z": ITCH50["A"]},
], ids=["places", "name", "without a type", "with one more"])
def test_another_table_is_refused(monkeypatch, table):
    monkeypatch.setattr(versions, "ITCH50", table)
    with pytest.raises(TickloopError, match="make layouts") as refused:
        versions.check_tables()
    assert refused.value.status == ExitStatus.LAYOUT_DIFFERS
