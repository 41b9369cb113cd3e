# SPDX-License-Identifier: MIT
"""The subscription filter behind the arbiter: fill, single bits, locate 0, messages of several lines, counters."""

from __future__ import annotations

from random import Random
from typing import Any

import cocotb

from tests.rtl.arbiter.arbitration_tests import ALL_EVENTS
from tests.rtl.arbiter.bench import BUSY, Bench
from tests.rtl.arbiter.feed import Feed, Rates
from tests.rtl.arbiter.frames import Frame, Message

FILL_CLOCKS = 2048
LOCATES = (1, 2, 31, 32, 33, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)


async def fill(bench: Bench, value: int) -> None:
    """Every bit; the filter is busy from the clock of the command on."""
    dut = bench.dut
    dut.fill.value, dut.fill_value.value = 1, value
    await bench.clocks(1)
    dut.fill.value, dut.fill_value.value = 0, 1 - value
    clocks = 0
    while int(dut.events.value) & BUSY:
        await bench.clocks(1)
        clocks += 1
    assert FILL_CLOCKS <= clocks < FILL_CLOCKS + 4


async def update(bench: Bench, locate: int, passes: bool) -> None:
    dut = bench.dut
    dut.update.value, dut.update_locate.value, dut.update_pass.value = 1, locate, int(passes)
    await bench.clocks(1)
    dut.update.value, dut.update_locate.value, dut.update_pass.value = 0, ~locate & 0xFFFF, int(not passes)
    while int(dut.events.value) & BUSY:
        await bench.clocks(1)


def all_locates(begin: int, random: Random) -> list[Frame]:
    """A message of each interesting locate and some others, of one line or several."""
    locates = [0, *LOCATES, *(random.getrandbits(16) for _ in range(20))]
    random.shuffle(locates)
    messages = [Message(begin + k, locate, continuations=random.choice((0, 1, 3))) for k, locate in enumerate(locates)]
    return [Frame("A", 1, sequence=begin, messages=messages)]


@cocotb.test()
async def off_it_passes_everything(dut: Any) -> None:
    bench = await Bench.start(dut)
    run = await bench.play(all_locates(1, bench.random))
    assert len(run.messages) == 30


@cocotb.test()
async def filled_with_0_only_locate_0_passes(dut: Any) -> None:
    bench = await Bench.start(dut, filtering=True)
    await fill(bench, 0)
    run = await bench.play(all_locates(1, bench.random), blocked=range(1, 1 << 16))
    assert len(run.messages) < 3


@cocotb.test()
async def filled_with_1_everything_passes(dut: Any) -> None:
    bench = await Bench.start(dut, filtering=True)
    await fill(bench, 0)
    await fill(bench, 1)
    run = await bench.play(all_locates(1, bench.random))
    assert len(run.messages) == 30


@cocotb.test()
async def single_bits(dut: Any) -> None:
    """Set in all-clear, cleared in all-set: the neighbours in the word and the words around stay."""
    bench = await Bench.start(dut, filtering=True)
    for value in (0, 1):
        await bench.reset()
        await fill(bench, value)
        changed = {0, *bench.random.sample(LOCATES, 4)}
        for locate in changed:
            await update(bench, locate, passes=not value)
        blocked = set(range(1, 1 << 16)) - changed if value == 0 else changed
        run = await bench.play(all_locates(1, bench.random), blocked=blocked)
        assert run.messages
        assert run.oracle.statistics()["FILTERED"]
        assert run.aborts, "messages of several lines are taken back"
        await update(bench, next(iter(changed - {0})), passes=bool(value))


@cocotb.test()
async def random_traffic(dut: Any) -> None:
    """On two lines, with bad frames: what is kept back counts at once, duplicates do not; events count what passed."""
    bench = await Bench.start(dut, filtering=True, events=ALL_EVENTS)
    await fill(bench, 1)
    blocked = {1, 32, 0xFFFF}
    for locate in blocked:
        await update(bench, locate, passes=False)
    for skew in (0, 12, -70):
        await bench.reset()
        frames = Feed(bench.random, Rates(bad=0.3, overflow=0.1)).frames(60, skew, jitter=10)
        run = await bench.play(frames, blocked=blocked)
        assert run.oracle.statistics()["FILTERED"] > 20
