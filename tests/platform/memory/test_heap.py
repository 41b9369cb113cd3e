# SPDX-License-Identifier: MIT
"""The heap: blocks are disjoint, keep their content, go back to the pages; leaks, overruns, double frees are told."""

from __future__ import annotations

from random import Random

import pytest

from tests.platform.memory.harness import ARENA, ARENA_BYTES, HEAP, PAGE, Memory, Operation

TAKE, FREE, OVERRUN, FREE_ADDRESS, CHECK, BLOCKS, BYTES, PAGE_BYTES, LIVE, TAKEN = range(10)
GOOD, NOT_LIVE, OVERRAN = range(3)
SIZES = (0, 1, 15, 16, 17, 24, 25, 88, 89, 216, 472, 968, 969, 1976, 1977, 4000, 4056, 4057, 20_000, 100_000)


@pytest.mark.parametrize("seed", range(10))
def test_random_operations(memory: Memory, seed: int) -> None:
    """The program fills every block with its number and finds it unchanged when it frees it."""
    random = Random(seed)
    operations: list[Operation] = []
    live: dict[int, int] = {}
    expected: list[tuple[int, int, int]] = []  # index of a statistic, blocks, bytes
    for number in range(1500):
        if live and random.random() < 0.45:
            victim = random.choice(sorted(live))
            live.pop(victim)
            operations.append((FREE, victim))
        else:
            live[number] = random.choice(SIZES) if random.random() < 0.5 else random.randrange(300)
            operations.append((TAKE, live[number], number))
        if number % 50 == 0:
            expected.append((len(operations), len(live), sum(live.values())))
            operations += [(CHECK,), (BLOCKS,), (BYTES,), (LIVE,), (PAGE_BYTES,), (TAKEN,)]
    last = len(operations)
    operations += [(FREE, number) for number in live]
    operations += [(BLOCKS,), (BYTES,), (PAGE_BYTES,), (TAKEN,)]
    answers = memory.call(HEAP, operations)

    held: dict[int, range] = {}
    for operation, answer in zip(operations, answers, strict=True):
        if operation[0] == TAKE:
            assert answer % 16 == 0
            block = range(answer, answer + operation[1])
            assert ARENA <= block.start <= block.stop <= ARENA + ARENA_BYTES
            assert all(block.stop <= other.start or other.stop <= block.start or not block for other in held.values())
            held[operation[2]] = block
        elif operation[0] == FREE:
            assert answer == GOOD
            del held[operation[1]]
    assert not held
    for at, blocks, size in expected:
        assert answers[at : at + 4] == [0, blocks, size, blocks]
        assert answers[at + 4] == answers[at + 5] >= size, "the heap knows how many pages it has"
    assert last > 1500
    assert answers[-4:] == [0, 0, 0, 0], "all pages are back"


def test_a_leak_can_be_named(memory: Memory) -> None:
    answers = memory.call(HEAP, [(TAKE, 10, 0), (TAKE, 5000, 1), (FREE, 0), (LIVE,), (BYTES,)])
    assert answers[3:] == [1, 5000]


@pytest.mark.parametrize("size", [1, 24, 100, 1000, 9000])
def test_an_overrun_is_found(memory: Memory, size: int) -> None:
    answers = memory.call(HEAP, [(TAKE, size, 0), (TAKE, size, 1), (CHECK,), (OVERRUN, 0, 7), (CHECK,), (FREE, 0),
                                 (FREE, 1), (BLOCKS,)])
    assert answers[2] == 0
    assert answers[4] == answers[0]
    assert answers[5:] == [OVERRAN, GOOD, 1]


def test_a_block_is_freed_once(memory: Memory) -> None:
    block = memory.call(HEAP, [(TAKE, 40, 0)])[0]
    answers = memory.call(HEAP, [(TAKE, 40, 0), (TAKE, 40, 1), (FREE, 0), (FREE_ADDRESS, block),
                                 (FREE_ADDRESS, block + 8), (FREE_ADDRESS, block + 16), (BLOCKS,)])
    assert answers[0] == block
    assert answers[2:] == [GOOD, NOT_LIVE, NOT_LIVE, NOT_LIVE, 1]


def test_no_room_is_no_block(memory: Memory) -> None:
    """More than there is, one block or many: refused, counted, and everything before stays good."""
    many = 2000
    answers = memory.call(HEAP, [(TAKE, ARENA_BYTES, 0), (TAKE, 0xFFFFFFFF, 0),
                                 *[(TAKE, 16_000, n) for n in range(many)], (CHECK,), (TAKEN,)])
    assert answers[:2] == [0, 0]
    fits = ARENA_BYTES // (4 * PAGE)
    assert [bool(answer) for answer in answers[2:-2]] == [True] * fits + [False] * (many - fits)
    assert answers[-2:] == [0, ARENA_BYTES]
