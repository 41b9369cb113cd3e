# SPDX-License-Identifier: MIT
"""Page tables against the rights of each page by itself, walked as the processor does."""

from __future__ import annotations

from random import Random

import pytest

from tests.platform.memory.harness import PAGE, TABLES, Memory, Operation

MAP, RIGHTS, TAKEN = range(3)
NONE, CODE, CONSTANTS, DATA = range(4)
LARGE = 2 << 20


@pytest.mark.parametrize("seed", range(8))
def test_random_rights(memory: Memory, seed: int) -> None:
    """Ranges of any size over 12 MiB around 4 GiB, the later ones over the earlier ones."""
    random = Random(seed)
    base, pages = (4 << 30) - (6 << 20), (12 << 20) // PAGE
    rights = [NONE] * pages
    operations: list[Operation] = [(0, 64)]
    for _ in range(60):
        first = random.choice([random.randrange(pages), random.randrange(pages) // 512 * 512])
        size = random.choice([1, 1, 3, 511, 512, 513, 1024])
        last = min(first + size, pages)
        chosen = random.choice([NONE, CODE, CONSTANTS, DATA])
        operations.append((MAP, base + first * PAGE + random.choice([0, 5]), base + last * PAGE, chosen))
        rights[first:last] = [chosen] * (last - first)
    probes: list[Operation] = [(RIGHTS, base + page * PAGE + random.randrange(PAGE)) for page in range(pages)]
    answers = memory.call(TABLES, [*operations, *probes])
    assert answers[: len(operations)] == [1] * len(operations)
    assert answers[len(operations) :] == rights
    assert len(set(rights)) == 4


def test_large_pages_are_used_where_they_can_be(memory: Memory) -> None:
    """4 GiB with one hole: the root, one table for 512 GiB, four for a GiB each, one that was split."""
    answers = memory.call(TABLES, [(0, 64), (MAP, 0, 4 << 30, DATA), (TAKEN,), (MAP, LARGE, LARGE + PAGE, NONE),
                                   (TAKEN,), (RIGHTS, LARGE), (RIGHTS, LARGE + PAGE), (RIGHTS, LARGE - 1),
                                   (RIGHTS, 4 << 30)])
    assert answers == [1, 1, 6, 1, 7, NONE, DATA, DATA, NONE]


@pytest.mark.parametrize("limit", range(7))
def test_no_page_for_a_table_is_told(memory: Memory, limit: int) -> None:
    answers = memory.call(TABLES, [(0, limit), (MAP, 0, 4 << 30, DATA), (MAP, LARGE, LARGE + PAGE, NONE)])
    assert answers == [int(limit > 0), int(limit > 5), 0]
