# SPDX-License-Identifier: MIT
"""Lines that are made when they are read: the same as a list of them, however they are read."""

from __future__ import annotations

import tracemalloc

import pytest

from tickloop.rundir.json_lines import CHUNK, JsonLines


def made(count):
    return [{"frame": row} for row in range(count)], JsonLines(count, lambda rows: [{"frame": row} for row in rows])


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 1])
def test_reading_through(count):
    plain, lines = made(count)
    for _ in range(2):
        assert list(lines) == plain
    assert len(lines) == count
    assert lines == plain
    assert lines != [*plain, {"frame": count}]
    assert not count or lines != [*plain[:-1], {"frame": -1}]


@pytest.mark.parametrize("at", [0, 5, -1, slice(2, 7), slice(-3, None), slice(None, None, -4), slice(50, 60)])
def test_reading_here_and_there(at):
    plain, lines = made(20)
    assert lines[at] == plain[at]


def test_beyond_the_end():
    with pytest.raises(IndexError):
        made(20)[1][20]


def peak_bytes(read):
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_reading_through_holds_no_more_than_some_chunks():
    lines = JsonLines(50 * CHUNK, lambda rows: [{"frame": row, "fields": [row]} for row in rows])
    assert peak_bytes(lambda: all(lines)) < 3 * peak_bytes(lambda: lines[:CHUNK])
