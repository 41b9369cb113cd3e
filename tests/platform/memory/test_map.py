# SPDX-License-Identifier: MIT
"""The map of usable memory against one that marks every page by itself."""

from __future__ import annotations

from random import Random

import pytest

from tests.platform.memory.harness import MAP, PAGE, Memory

PAGES = 64
RAM, RESERVED = 1, 2


def ask(memory: Memory, operations: list[tuple[int, ...]]) -> tuple[list[int], int, list[tuple[int, int]]]:
    """Answers of the operations behind the regions, bytes in all, ranges."""
    answers = sum(operation[0] != 0 for operation in operations)
    words = memory.call(MAP, operations)
    ranges = words[answers + 1 :]
    return words[:answers], words[answers], list(zip(ranges[::2], ranges[1::2], strict=True))


def runs(usable: set[int]) -> list[tuple[int, int]]:
    """Pages as ranges of bytes."""
    starts = sorted(page for page in usable if page - 1 not in usable)
    ends = sorted(page + 1 for page in usable if page + 1 not in usable)
    return [(start * PAGE, end * PAGE) for start, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_random_maps(memory: Memory, seed: int) -> None:
    """Unsorted, overlapping, contradicting regions with odd ends: a page is usable if it is RAM and nothing else."""
    random = Random(seed)
    for _ in range(40):
        regions, removed = [], []
        for _ in range(random.randrange(1, 33)):
            start = random.randrange(PAGES * PAGE)
            end = min(start + random.choice([1, 100, PAGE, 5 * PAGE, 20 * PAGE]), PAGES * PAGE)
            if random.random() < 0.5:
                start, end = start // PAGE * PAGE, end // PAGE * PAGE
            regions.append((0, start, end, random.choice([RAM, RAM, RAM, RESERVED, 3, 7])))
        for _ in range(random.randrange(4)):
            start = random.randrange(PAGES * PAGE)
            removed.append((1, start, start + random.randrange(3 * PAGE)))
        spans = [range(-(-start // PAGE), end // PAGE) for _, start, end, kind in regions if kind == RAM]
        others = [(start, end) for _, start, end, kind in regions if kind != RAM]
        others += [(start, end) for _, start, end in removed]
        usable = set().union(*spans) if spans else set()
        for start, end in others:
            if start < end:
                usable -= set(range(start // PAGE, -(-end // PAGE)))
        answers, total, ranges = ask(memory, [*regions, *removed])
        assert ranges == runs(usable), (regions, removed)
        assert total == len(usable) * PAGE
        assert answers == [1] * len(removed)


def test_taking_is_first_fit_within_limits(memory: Memory) -> None:
    answers, total, _ = ask(memory, [
        (0, 0x1000, 0x9000, RAM), (0, 0x10000, 0x20000, RAM),
        (2, 1, 0, 1 << 32), (2, 0x1001, 0, 1 << 32), (2, 0x8000, 0, 1 << 32), (2, 0x1000, 0x1B001, 1 << 32),
        (2, 0x9000, 0, 1 << 32), (2, 0x1000, 0, 0x2000)])
    assert answers == [0x1000, 0x2000, 0x10000, 0x1C000, 0, 0]
    assert total == 0x18000 - 0x1000 - 0x2000 - 0x8000 - 0x1000


def test_the_end_of_the_address_space(memory: Memory) -> None:
    _, total, ranges = ask(memory, [(0, (1 << 64) - 5000, (1 << 64) - 1, RAM), (0, 5, 6, RESERVED)])
    assert ranges == []
    assert total == 0
