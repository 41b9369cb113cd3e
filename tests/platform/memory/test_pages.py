# SPDX-License-Identifier: MIT
"""The page allocator against a set of free pages: blocks are free, aligned, in the zone; it fails only if it must."""

from __future__ import annotations

from random import Random

import pytest

from tests.platform.memory.harness import PAGE, PAGES, ZONE_NAMES, ZONES, Memory, Operation

LOW, DMA, NORMAL, HIGH = range(4)
GIVE, TAKE, RETURN, CLAIM, FREE = range(5)
COUNT = 8192 + 64  # pages of the table: 32 MiB and a little


def zone_of(page: int) -> int:
    return next(n for n, (start, end) in enumerate(ZONES.values()) if start <= page * PAGE < end)


class Model:
    """Free pages one by one; blocks that were given."""

    def __init__(self) -> None:
        self.free: set[int] = set()
        self.taken: dict[int, int] = {}

    def has(self, zone: int, order: int) -> bool:
        size = 1 << order
        starts = {page // size * size for page in self.free if zone_of(page) == zone}
        return any(all(page in self.free and zone_of(page) == zone for page in range(start, start + size))
                   for start in starts)

    def take(self, zone: int, order: int, address: int) -> None:
        zones = [zone] if zone == LOW else list(range(zone, LOW, -1))
        expected = next((z for z in zones if self.has(z, order)), None)
        if expected is None:
            assert address == 0, "a block out of nothing"
            return
        first, size = address // PAGE, 1 << order
        block = set(range(first, first + size))
        assert address % (size * PAGE) == 0
        assert address, f"none of order {order} in {ZONE_NAMES[zone]}, but there is one"
        assert block <= self.free
        assert zone_of(first) == expected
        self.free -= block
        self.taken[first] = order


@pytest.mark.parametrize("seed", range(4))
def test_random_operations(memory: Memory, seed: int) -> None:
    """The answers cannot be known beforehand, so each round runs again from the start with what is known by then."""
    random = Random(seed)
    model = Model()
    done: list[Operation] = [(0, COUNT)]
    for start, end in ((1, 100), (200, 256), (272, 900), (901, 4096), (4096, 4700), (5000, COUNT)):
        done.append((GIVE, start * PAGE, end * PAGE))
        model.free |= set(range(start, end))
    answers = 0
    for _ in range(12):
        batch: list[Operation] = []
        returned = random.sample(sorted(model.taken), len(model.taken) // 2)
        for page in returned:
            batch.append((RETURN, page * PAGE))
        for _ in range(random.randrange(1, 25)):
            batch.append((TAKE, random.choice([LOW, DMA, NORMAL, NORMAL, HIGH]),
                          random.choice([0, 0, 0, 1, 2, 3, 5, 8, 11])))
        words = memory.call(PAGES, [*done, *batch, *[(FREE, zone) for zone in range(4)]])
        news, free = words[answers:-4], words[-4:]
        for operation, answer in zip(batch, news, strict=True):
            if operation[0] == RETURN:
                assert answer == 1
                page = operation[1] // PAGE
                model.free |= set(range(page, page + (1 << model.taken.pop(page))))
            else:
                model.take(operation[1], operation[2], answer)
        assert free == [sum(zone_of(page) == zone for page in model.free) for zone in range(4)]
        done += batch
        answers = len(words) - 4
    assert len(model.taken) > 5


def test_everything_comes_back_joined(memory: Memory) -> None:
    """All single pages of 4 MiB taken and returned in any order: one block of 4 MiB again."""
    base = 16 << 20
    take = [(TAKE, NORMAL, 0)] * 1024
    start: list[Operation] = [(0, COUNT), (GIVE, base, base + (4 << 20))]
    got = memory.call(PAGES, [*start, *take, (TAKE, NORMAL, 0)])
    assert sorted(got[:-1]) == list(range(base, base + (4 << 20), PAGE))
    assert got[-1] == 0
    back = got[:-1]
    Random(3).shuffle(back)
    words = memory.call(PAGES, [*start, *take, *[(RETURN, address) for address in back], (TAKE, NORMAL, 10)])
    assert words[-1] == base


def test_only_what_was_taken_can_be_returned(memory: Memory) -> None:
    base = 16 << 20
    words = memory.call(PAGES, [
        (0, COUNT), (GIVE, base, base + 16 * PAGE), (TAKE, NORMAL, 2),
        (RETURN, base + PAGE), (RETURN, base + 8), (RETURN, base + 8 * PAGE), (RETURN, 1 << 40), (RETURN, 0),
        (RETURN, base), (RETURN, base), (FREE, NORMAL)])
    assert words == [base, 0, 0, 0, 0, 0, 1, 0, 16]


def test_low_memory_is_given_to_nobody_who_did_not_ask(memory: Memory) -> None:
    words = memory.call(PAGES, [(0, COUNT), (GIVE, PAGE, 1 << 20), (TAKE, HIGH, 0), (TAKE, NORMAL, 0), (TAKE, DMA, 0),
                                (TAKE, LOW, 0)])
    assert words[:3] == [0, 0, 0]
    assert 0 < words[3] < 1 << 20


def test_claim_takes_the_longest_run_of_a_zone(memory: Memory) -> None:
    """Across blocks of any size, not across zones; what is left of it can be given back."""
    first, last = (20 << 20) + PAGE, (31 << 20) - PAGE
    words = memory.call(PAGES, [
        (0, COUNT), (GIVE, 1 << 20, 17 << 20), (GIVE, first, last), (CLAIM, NORMAL), (TAKE, NORMAL, 9),
        (FREE, NORMAL), (GIVE, first + (3 << 20), last), (FREE, NORMAL), (TAKE, NORMAL, 9), (CLAIM, HIGH)])
    assert words[:2] == [first, last]
    assert words[2] < 16 << 20  # none of 2 MiB is left but below
    assert words[3] == 256
    assert words[4] == 256 + (last - first - (3 << 20)) // PAGE
    assert words[5] in range(24 << 20, 30 << 20, 2 << 20)
    assert words[6:] == [0, 0]
