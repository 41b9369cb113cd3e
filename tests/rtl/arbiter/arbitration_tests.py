# SPDX-License-Identifier: MIT
"""Two lines, one stream: order, redundancy, rescue, latency, sessions, 64-bit numbers, events, silent ports."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import cocotb

from bridge import layout
from tests.rtl.arbiter.bench import Bench
from tests.rtl.arbiter.feed import Feed, Rates
from tests.rtl.arbiter.frames import GAP_CLOCKS, HEADER_CLOCKS, VOID_CLOCKS, Frame, Message
from tests.rtl.arbiter.oracle import BAD, DROP, STREAM, Oracle
from tests.rtl.effort import scaled

BAD_FCS = layout.DropReason.BAD_FCS
ALL_EVENTS = STREAM | BAD | DROP
SILENCE_CLOCKS = 1 << 12  # arbiter.v, SILENCE_LOG2


def packet(line: str, start: int, sequence: int, messages: int = 3, **fields: Any) -> Frame:
    """A packet of plain messages; tags tell number and line."""
    tag = 1 << 20 if line == "B" else 0
    return Frame(line, start, sequence=sequence,
                 messages=[Message((sequence + k) % (1 << 20) + tag) for k in range(messages)], **fields)


def back_to_back(random: Random, leader: str, skew: int) -> list[Frame]:
    """Packets of 1 to 20 messages, each about as long as the one before, the other line ``skew`` clocks behind."""
    frames: list[Frame] = []
    start = sequence = 1
    messages = 10
    for _ in range(scaled(40)):
        messages = max(1, min(20, messages + random.randint(-1, 1)))
        copies = [packet(line, start + (0 if line == leader else skew), sequence, messages) for line in "AB"]
        frames += copies
        start = copies["AB".index(leader)].last_beat + GAP_CLOCKS
        sequence += messages
    return frames


async def play_random(bench: Bench, rates: Rates, packets: int, **options: Any) -> None:
    """The same packets on both lines, at every kind of skew."""
    for skew in (0, 1, -1, 7, -9, 40, -60, 300):
        await bench.reset()
        feed = Feed(bench.random, rates, **options)
        await bench.play(feed.frames(packets, skew, jitter=bench.random.choice((0, 3, 50))))


@cocotb.test()
async def the_line_ahead_never_waits(dut: Any) -> None:
    """Both lines carry everything; whatever the skew, no message of the leading line is ever kept waiting."""
    bench = await Bench.start(dut)
    for skew in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 200):
        for leader, _signed in (("A", skew), ("B", -skew)):
            if leader == "B" and skew == 0:
                continue
            await bench.reset()
            run = await bench.play(back_to_back(bench.random, leader, skew))
            assert run.waits[leader] == 0, f"line {leader} is {skew} clocks ahead, and waits"
            follower = [outcome for outcome in run.oracle.outcomes if outcome.frame.line != leader]
            assert follower
            assert not any(outcome.messages for outcome in follower)


@cocotb.test()
async def random_traffic(dut: Any) -> None:
    """Losses, bad frames, repetitions, heartbeats, sessions and frames of no interest, cut-through."""
    bench = await Bench.start(dut, events=0)
    await play_random(bench, Rates(), packets=scaled(60))


@cocotb.test()
async def random_traffic_with_events(dut: Any) -> None:
    """As above; every frame tells what there is to tell, between whole messages."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    await play_random(bench, Rates(loss=0.3, bad=0.3, alien=0.3, truncated=0.3), packets=scaled(60), pause=10)


@cocotb.test()
async def each_event_by_itself(dut: Any) -> None:
    bench = await Bench.start(dut)
    for events in (STREAM, BAD, DROP):
        bench.events = dut.event_enable.value = events
        await bench.reset()
        run = await bench.play(Feed(bench.random, Rates(bad=0.3, truncated=0.3)).frames(80, 5))
        assert run.told


@cocotb.test()
async def random_traffic_verified(dut: Any) -> None:
    """A frame's entries come all at once and only if it is good."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    await play_random(bench, Rates(loss=0.2, bad=0.2), packets=scaled(60), verified=True)


@cocotb.test()
async def numbers_wrap_at_2_to_64(dut: Any) -> None:
    bench = await Bench.start(dut)
    for sequence in ((1 << 64) - 30, (1 << 63) - 30, (1 << 32) - 30):
        await bench.reset()
        frames = Feed(bench.random, Rates(session=0, heartbeat=0), sequence=sequence).frames(40, 20, jitter=9)
        run = await bench.play(frames)
        assert run.oracle.stream.next_expected < sequence or sequence < (1 << 63)


@cocotb.test()
async def half_the_numbers_are_ahead(dut: Any) -> None:
    """2^63 - 1 ahead is a gap, 2^63 is behind; the carry between the halves of a number counts."""
    bench = await Bench.start(dut)
    base = 0xFFFF_FFF0
    for distance in (0, 1, 0x0F, 0x10, 0x11, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1):
        await bench.reset()
        run = await bench.play([packet("A", 1, base, 1), packet("A", 50, (base + 1 + distance) % (1 << 64), 2)])
        assert run.oracle.outcomes[1].flags.gap == (0 < distance < 1 << 63)


@cocotb.test()
async def a_jump_makes_news_of_what_was_behind(dut: Any) -> None:
    """An owner may move the stream so far that a frame which was behind, and waits for the owner, is ahead of it."""
    bench = await Bench.start(dut)
    base, half = 1 << 20, 1 << 63
    for leader, follower in ("AB", "BA"):
        for behind in (8, half // 2 - 1, half // 2, half // 2 + 9, half - 9, half - 1):
            for jump in (1, half // 4 - 9, half // 4 + 9, half // 2, half - 9, half - behind - 2, half - behind):
                await bench.reset()
                run = await bench.play([
                    packet(leader, 1, base, 1),
                    packet(leader, 60, (base + 1 + jump) % (1 << 64), 5),
                    packet(follower, 65, (base + 1 - behind) % (1 << 64), 2),
                ])
                delivered = run.oracle.outcomes[2].messages
                assert bool(delivered) == (behind + jump + 5 > half), f"{behind} behind, the stream moves on by {jump}"


@cocotb.test()
async def the_second_copy_stands_in_for_a_bad_first(dut: Any) -> None:
    """It waits for the verdict; then its messages are new, at whatever moment it came."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    for offset in range(24):
        for first, second in ("AB", "BA"):
            await bench.reset()
            run = await bench.play([
                packet("A", 1, 1), packet(first, 60, 4, reason=BAD_FCS), packet(second, 60 + offset + 1, 4),
                packet(first, 160, 7), packet(second, 161 + offset, 7),
            ])
            rescued = run.oracle.outcomes[2]
            assert rescued.frame.line == second
            assert len(rescued.messages) == 3
            assert not rescued.flags.gap


@cocotb.test()
async def at_equal_clocks_line_a_comes_first(dut: Any) -> None:
    bench = await Bench.start(dut)
    run = await bench.play([packet("B", 5, 1), packet("A", 5, 1), packet("B", 80, 9), packet("A", 80, 4)])
    assert [outcome.frame.line for outcome in run.oracle.outcomes] == ["A", "B", "A", "B"]


@cocotb.test()
async def an_older_frame_of_another_session_is_waited_for(dut: Any) -> None:
    """It is not harmless; nor is the first end of a session. (Of a frame ahead it shows in what is delivered.)"""
    bench = await Bench.start(dut)
    other = {"session": b"OTHER     "}
    for older in (packet("B", 100, 1, **other), packet("B", 100, 4, 0, kind="end_of_session")):
        await bench.reset()
        run = await bench.play([packet("A", 1, 1), replace(older, silent_clocks=100), packet("A", 103, 4)])
        assert run.waits["A"] > 50


def alien(line: str, start: int, clocks: int = 180) -> Frame:
    """A frame that its headers drop, some time before its end."""
    return Frame(line, start, reason=layout.DropReason.NOT_UDP, has_header=False, void=True, silent_clocks=clocks)


@cocotb.test()
async def nobody_waits_for_a_frame_that_its_headers_drop(dut: Any) -> None:
    """From its void HEADER on, whether the other line's frame is there by then or not; but for one behind it."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    for first, second in ("AB", "BA"):
        for offset in range(1, 20):
            await bench.reset()
            run = await bench.play([packet(first, 1, 1), alien(first, 60), packet(second, 60 + offset, 4)])
            assert run.waits[second] <= max(0, VOID_CLOCKS - HEADER_CLOCKS - offset)
        await bench.reset()
        bad = Frame(first, 260, reason=BAD_FCS, has_header=False, silent_clocks=50)
        run = await bench.play([packet(first, 1, 1), alien(first, 60), bad, packet(second, 263, 4)])
        assert run.waits[second] > 30


@cocotb.test()
async def the_front_frame_counts_once(dut: Any) -> None:
    """Its END counts no more: the frame behind it on its line is waited for."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    for offset in range(2, 30):
        await bench.reset()
        run = await bench.play([packet("A", 1, 1), alien("A", 60, 20), packet("A", 60 + 31, 4, reason=BAD_FCS),
                                packet("B", 60 + 31 + offset, 4)])
        assert run.oracle.outcomes[-1].messages


@cocotb.test()
async def frames_without_a_header_have_no_turn(dut: Any) -> None:
    """Their end passes while the other line owns the stream, and is told between its messages."""
    bench = await Bench.start(dut, events=DROP)
    long = packet("A", 10, 1, 120)
    long = replace(long, messages=[replace(message, continuations=k % 4) for k, message in enumerate(long.messages)])
    aliens = [Frame("B", 5 + 15 * k, reason=layout.DropReason.NOT_UDP, has_header=False) for k in range(20)]
    run = await bench.play([long, *aliens])
    assert len(run.told) == len(aliens)


@cocotb.test()
async def an_unfinished_message_is_taken_back(dut: Any) -> None:
    """Its continuation lines, before the event of its frame and the next frame's messages."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    frames = [packet("A", 1, 1, cut_lines=3, truncated=True, count=5)]
    frames += [packet("A", 60, 4, cut_lines=1, overflow=True, count=9), packet("B", 65, 4), packet("A", 130, 7)]
    run = await bench.play(frames)
    assert run.aborts == 2


@cocotb.test()
async def prototype_packets_are_counted(dut: Any) -> None:
    """No numbers of their own: the stream's next one; from 1 in a new session; a truncated one takes none."""
    bench = await Bench.start(dut, events=STREAM)
    frames = []
    for k in range(12):
        whole = k % 5 != 3
        frames.append(Frame("A", 1 + 40 * k, session=b"PROTO%d    " % (k // 8), unnumbered=True, truncated=not whole,
                            count=1, messages=[Message(k)] if whole else (), reason=BAD_FCS if k == 6 else 0))
    run = await bench.play(frames)
    assert [outcome.sequence for outcome in run.oracle.outcomes] == [1, 2, 3, 4, 4, 5, 6, 6, 1, 1, 2, 3][:12]


@cocotb.test()
async def a_silent_port_does_not_stop_the_other_line(dut: Any) -> None:
    """Line B falls silent inside a frame. Before its header it loses its seniority; as owner it is dropped."""
    bench = await Bench.start(dut, events=ALL_EVENTS)
    await bench.play([packet("A", 1, 1)])
    for owner in (False, True):
        waited = await silent_frame(bench, owner)
        assert SILENCE_CLOCKS <= waited < SILENCE_CLOCKS + 20


async def silent_frame(bench: Bench, owner: bool) -> int:
    """Line B starts a frame and, as ``owner``, gives its header and a message; goes on only when A's frame is through.

    Returns how long A's frame waited.
    """
    dut = bench.dut
    await bench.reset()
    clock = int(dut.clocks.value) + 1
    stalled, follower = packet("B", clock, 50, 2).entries(0), packet("A", clock + 1, 50, 2).entries(1)
    for line in "ba":
        start = getattr(dut, f"{line}_starts")
        start.value = 1
        await bench.clocks(1)
        start.value = 0
    before = 2 if owner else 0
    for _, kind, data in stalled[:before]:
        assert await bench.offer("B", kind, data) == 0
    waited = [await bench.offer("A", kind, data) for _, kind, data in follower]
    for _, kind, data in stalled[before:]:
        assert await bench.offer("B", kind, data) <= 3
    await bench.clocks(20)
    assert int(dut.next_expected.value) == 52, "A's packet counts, B's copy of it does not"
    if owner:
        want = {"DROPPED_OVERFLOW": 1, "MESSAGES_BAD": 1, "ACCEPTED": 1}
    else:
        want = {"ACCEPTED": 2, "ACCEPTED_B": 1, "DUPLICATES": 2}
    assert bench.statistics() == want | {"FRAMES": 2, "FRAMES_B": 1, "MESSAGES_OK": 2}
    return sum(waited)


@cocotb.test()
async def the_oracle_is_not_empty(dut: Any) -> None:
    """Every case that the random traffic is there for does occur in it."""
    del dut
    seen: set[str] = set()
    for seed in range(80):
        frames = Feed(Random(seed), Rates()).frames(60, seed % 7 * 30 - 90, jitter=40)
        for index, frame in enumerate(sorted(frames, key=lambda frame: (frame.start, frame.line))):
            frame.index = index
        for outcome in Oracle(sorted(frames, key=lambda frame: frame.index)).outcomes:
            line = outcome.frame.line
            seen |= {f"{line} {name}" for name, flag in outcome.flags._asdict().items() if flag}
            seen |= {f"{line} delivers"} if outcome.good and outcome.messages else set()
            seen |= {f"{line} bad"} if not outcome.good and outcome.messages else set()
            seen |= {f"{line} partly old"} if outcome.messages and outcome.duplicates else set()
    names = ("truncated", "extra_data", "gap", "session_change", "end_of_session", "delivers", "bad", "partly old")
    assert not {f"{line} {name}" for line in "AB" for name in names} - seen
