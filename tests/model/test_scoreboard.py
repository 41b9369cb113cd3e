# SPDX-License-Identifier: MIT
"""The run-level scoreboard: it must see every kind of difference, say where it is, and never pass on nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tb.scoreboard import compare

MESSAGES = [
    {"sequence": 7, "type": "A", "fields": {"price": 100, "stock": "TICK    "}},
    {"sequence": 8, "type": "D", "fields": {"price": 100}},
    {"sequence": 9, "type": None, "raw": ""},
]
BOOKS = [{"stock_locate": 3, "stock": "TICK    ", "bids": [[100, 5, 1], [99, 7, 2]], "asks": []}]


def test_equal_items() -> None:
    result = compare(MESSAGES, [dict(message) for message in MESSAGES], "messages")
    assert (result.ok, result.compared, result.differences) == (True, 3, [])


@pytest.mark.parametrize(("expected", "observed", "line"), [
    (MESSAGES, [MESSAGES[0] | {"fields": {"price": 101, "stock": "TICK    "}}, *MESSAGES[1:]],
     "#0 (sequence 7) fields.price: expected 100, got 101"),
    (MESSAGES, [MESSAGES[0], MESSAGES[1] | {"fields": {}}, MESSAGES[2]],
     "#1 (sequence 8) fields.price: expected 100, got nothing"),
    (MESSAGES, [MESSAGES[0], MESSAGES[1], MESSAGES[2] | {"extra": 1}],
     "#2 (sequence 9) extra: expected nothing, got 1"),
    (MESSAGES, [*MESSAGES[:2], MESSAGES[2] | {"type": ""}], "#2 (sequence 9) type: expected None, got ''"),
    (BOOKS, [BOOKS[0] | {"bids": [[100, 5, 1], [99, 8, 2]]}], "#0 (stock_locate 3) bids[1][1]: expected 7, got 8"),
    (BOOKS, [BOOKS[0] | {"bids": [[100, 5, 1]]}], "#0 (stock_locate 3) bids[1]: expected [99, 7, 2], got nothing"),
])
def test_a_difference_is_told_in_one_line(expected: Any, observed: Any, line: str) -> None:
    result = compare(expected, observed, "items")
    assert not result.ok
    assert result.differences == [f"items: {line}"]


def test_missing_and_surplus_items() -> None:
    assert compare(MESSAGES, MESSAGES[:2], "messages").differences == [
        "messages: 3 expected, got 2", "messages: #2 (sequence 9) is missing"]
    assert compare(MESSAGES[:2], MESSAGES, "messages").differences == [
        "messages: 2 expected, got 3", "messages: #2 (sequence 9) was not expected"]
    assert not compare(MESSAGES, MESSAGES[::-1], "messages").ok
    assert not compare(MESSAGES, MESSAGES[1:], "messages").ok


def test_nothing_compared_is_a_difference_where_something_is_due() -> None:
    assert compare([], [], "orders").differences == ["orders: nothing was compared"]
    assert compare({}, {}, "counters").differences == ["counters: nothing was compared"]
    assert compare([], [], "orders", may_be_empty=True).ok
    assert not compare([], MESSAGES, "orders", may_be_empty=True).ok
    assert not compare(MESSAGES, [], "orders", may_be_empty=True).ok


def test_ignored_keys_and_only_those() -> None:
    observed = [message | {"hw_timestamp_ns": 5} for message in MESSAGES]
    assert compare(MESSAGES, observed, "messages", ignore={"hw_timestamp_ns"}).ok
    assert len(compare(MESSAGES, observed, "messages").differences) == 3
    changed = [message | {"type": "Z"} for message in observed]
    assert len(compare(MESSAGES, changed, "messages", ignore={"hw_timestamp_ns"}).differences) == 3
    nested = [MESSAGES[0] | {"fields": {"price": 1, "stock": "TICK    "}}]
    assert not compare(MESSAGES[:1], nested, "messages", ignore={"price"}).ok


def test_counters() -> None:
    expected = {"frames": 3, "dropped": {"bad_fcs": 1, "not_udp": 0}, "next_expected": None}
    assert compare(expected, {"frames": 3, "dropped": {"bad_fcs": 1}, "next_expected": None}, "counters").ok
    assert compare(expected, expected | {"dropped": {"bad_fcs": 1, "overflow": 2}}, "counters").differences == [
        "counters: dropped.overflow: expected 0, got 2"]
    assert compare(expected, expected, "counters").compared == 4
    assert compare(expected, expected | {"frames": 4}, "counters").differences == [
        "counters: frames: expected 3, got 4"]
    assert not compare(expected, expected | {"next_expected": 0}, "counters").ok
    assert compare({"frames": 3}, {"frames": 3, "work": 9}, "counters", ignore={"work"}).ok


def test_many_differences_are_cut_and_counted() -> None:
    result = compare([{"value": n} for n in range(50)], [{"value": n + 1} for n in range(50)], "items")
    assert len(result.differences) == 11
    assert result.differences[-1] == "items: 40 more differences"
    assert result.compared == 50
