# SPDX-License-Identifier: MIT
"""Hold: a packet that is ahead waits for the other line, for a time, and what lies behind it on its line with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cocotb

from bridge import layout
from tb.receive.entries import RECORD
from tests.rtl.arbiter.arbitration_tests import ALL_EVENTS, alien, packet
from tests.rtl.arbiter.bench import Bench
from tests.rtl.arbiter.feed import Feed, Rates
from tests.rtl.arbiter.frames import in_wire_order
from tests.rtl.arbiter.oracle import Oracle
from tests.rtl.effort import scaled

HOLD = 1000
BAD_FCS = layout.DropReason.BAD_FCS


def gaps(run: Any) -> list[tuple[str, int, int]]:
    """(line, from, to) of every gap, in order."""
    return [(outcome.frame.line, outcome.gap_from, outcome.sequence) for outcome in run.oracle.outcomes
            if outcome.flags.gap]


@cocotb.test()
async def the_other_line_fills_the_gap(dut: Any) -> None:
    """A lost packet 4 on line A: 7 waits for it, with 10 behind; nothing is missing."""
    bench = await Bench.start(dut, hold=HOLD)
    run = await bench.play([packet("A", 1, 1), packet("A", 100, 7), packet("A", 140, 10),
                            packet("B", 201, 1), packet("B", 250, 4), packet("B", 300, 7), packet("B", 340, 10)])
    assert not gaps(run)
    assert [outcome.frame.line for outcome in run.oracle.outcomes if outcome.messages] == ["A", "B", "A", "A"]


@cocotb.test()
async def its_time_is_over(dut: Any) -> None:
    """Nobody fills the gap: it goes after HOLD from its first byte, to some clocks."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    run = await bench.play([packet("A", 1, 1), packet("A", 100, 7), packet("B", 110, 1)])
    assert gaps(run) == [("A", 4, 7)]
    assert HOLD - 30 < run.longest < HOLD


@cocotb.test()
async def frames_that_started_before_its_time_is_over_go_first(dut: Any) -> None:
    bench = await Bench.start(dut, hold=HOLD)
    for start, want in ((900, [("B", 4, 5), ("A", 6, 7)]), (1300, [("A", 4, 7)])):
        await bench.reset()
        late = packet("B", start, 5, 1) if start < 1000 else packet("B", start, 10, 1)
        run = await bench.play([packet("A", 1, 1), packet("A", 100, 7), late])
        assert gaps(run) == want


@cocotb.test()
async def both_lines_ahead(dut: Any) -> None:
    """When one's time is over the lower number goes, whoever it is; of equal ones that whose time is over."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    for first, second, want in ((9, 7, [("B", 4, 7)]), (7, 9, [("A", 4, 7)]), (7, 7, [("A", 4, 7)]),
                                (20, 7, [("B", 4, 7), ("A", 10, 20)])):
        for lines in ("AB", "BA"):
            await bench.reset()
            run = await bench.play([packet("A", 1, 1), packet(lines[0], 100, first), packet(lines[1], 300, second)])
            assert gaps(run) == [(lines["AB".index(line)], begin, end) for line, begin, end in want]


@cocotb.test()
async def another_session_does_not_pass(dut: Any) -> None:
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    run = await bench.play([packet("A", 1, 1), packet("A", 100, 7), packet("B", 200, 50, session=b"OTHER     ")])
    assert gaps(run) == [("A", 4, 7)]
    assert run.oracle.outcomes[-1].flags.session_change
    assert run.longest < 200


@cocotb.test()
async def frames_that_their_headers_drop_neither_wait_nor_end_a_wait(dut: Any) -> None:
    """On either line: before the packet that is held, behind it, before the one that fills the gap."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    run = await bench.play([packet("A", 1, 1), alien("B", 90), packet("A", 100, 7), alien("A", 140),
                            alien("B", 300), alien("B", 500, 50), packet("B", 600, 4), packet("B", 660, 7)])
    assert not gaps(run)
    assert [outcome.frame.line for outcome in run.oracle.outcomes if outcome.messages] == ["A", "B", "A"]


@cocotb.test()
async def a_frame_that_its_headers_drop_does_not_keep_its_time_from_being_over(dut: Any) -> None:
    """It started before, but nobody waits for its end."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    run = await bench.play([packet("A", 1, 1), packet("A", 100, 7), alien("B", 100 + HOLD - 100, 1000)])
    assert gaps(run) == [("A", 4, 7)]
    assert run.longest < HOLD


@cocotb.test()
async def a_packet_whose_time_was_over_before_its_turn_is_not_held(dut: Any) -> None:
    """Behind a bad one that was: it is older than the other line's, whose header is at its front by then."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    for start in range(1261, 1281):
        await bench.reset()
        silent = replace(alien("B", 1050, 200), void=False)
        run = await bench.play([packet("A", 1, 1), packet("A", 100, 7, reason=BAD_FCS), packet("A", 140, 10), silent,
                                packet("B", start, 4)])
        assert gaps(run) == [("A", 4, 10)]


@cocotb.test()
async def heartbeats_and_ends_wait_too(dut: Any) -> None:
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    for kind in ("heartbeat", "end_of_session"):
        await bench.reset()
        run = await bench.play([packet("A", 1, 1), packet("A", 100, 7, 0, kind=kind), packet("B", 300, 4)])
        assert not gaps(run)


@cocotb.test()
async def a_full_queue_ends_the_wait(dut: Any) -> None:
    bench = await Bench.start(dut, hold=1 << 30)
    frames = [packet("A", 1, 1), packet("A", 100, 7)]
    begin = int(dut.clocks.value) + 1

    async def fill() -> None:
        while int(dut.clocks.value) < begin + 700:
            await bench.clocks(1)
        dut.a_level_high.value = 1

    filler = cocotb.start_soon(fill())
    run = await bench.play(frames)
    await filler
    dut.a_level_high.value = 0
    assert gaps(run) == [("A", 4, 7)]
    assert 550 < run.longest < 650


@cocotb.test()
async def a_held_frame_may_turn_out_bad(dut: Any) -> None:
    """It leaves the stream as it was, and its copy is delivered."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    run = await bench.play([packet("A", 1, 1), packet("A", 100, 7, reason=BAD_FCS), packet("B", 200, 4),
                            packet("B", 300, 7)])
    assert not gaps(run)
    assert run.oracle.stream.next_expected == 10


ENOUGH = 5  # gaps that a hold closed
MOST_RUNS = 50


async def play_clear(bench: Bench, count: int, rates: Rates, verified: bool) -> int:
    """Random traffic in which no frame starts close to the end of a hold; returns how many gaps a hold closed.

    Goes on beyond ``count`` runs while those did not close more than ENOUGH.
    """
    closed = 0
    for number in range(MOST_RUNS):
        if number >= count and closed > ENOUGH:
            break
        while True:
            feed = Feed(bench.random, rates, verified=verified, messages=4, pause=400)
            frames = feed.frames(25, bench.random.choice((0, 40, -90, 400, -700)), jitter=bench.random.choice((0, 90)))
            ordered = in_wire_order([replace(frame) for frame in frames])
            if Oracle(ordered, bench.hold).clear:
                break
        await bench.reset()
        run = await bench.play(frames)
        without = Oracle(in_wire_order([replace(frame) for frame in run.frames]))
        closed += sum(outcome.flags.gap for outcome in without.outcomes) - len(gaps(run))
    return closed


@cocotb.test()
async def random_traffic(dut: Any) -> None:
    """Losses and the rest, cut-through; every choice is the model's."""
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    assert await play_clear(bench, scaled(10), Rates(loss=0.25, session=0.05), verified=False) > ENOUGH


@cocotb.test()
async def random_traffic_verified(dut: Any) -> None:
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    assert await play_clear(bench, scaled(10), Rates(loss=0.25, bad=0.2), verified=True) > ENOUGH


@cocotb.test()
async def random_traffic_with_many_foreign_frames(dut: Any) -> None:
    bench = await Bench.start(dut, hold=HOLD, events=ALL_EVENTS)
    for verified in (False, True):
        rates = Rates(loss=0.25, bad=0.2 if verified else 0.1, session=0.05, alien=0.6)
        assert await play_clear(bench, scaled(8), rates, verified=verified) > ENOUGH


@cocotb.test()
async def a_held_frame_is_taken_at_once_when_it_may_go(dut: Any) -> None:
    """Two clocks after the frame that fills the gap has ended."""
    bench = await Bench.start(dut, hold=HOLD)
    filler = packet("B", 300, 4)
    run = await bench.play([packet("A", 1, 1), packet("A", 100, 7), filler])
    first = run.frames[1].entries(0)[1]
    assert first[1] == RECORD
    assert filler.end_clock - first[0] + 2 <= run.longest <= filler.end_clock - first[0] + 6
