# SPDX-License-Identifier: MIT
"""Two lines, one stream: first copy wins, bad copies are rescued, held packets wait for the other line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tb.model.receive import HOLD_MARGIN_PS, Arrival, Delivery, FrameResult, ReceiveModel, in_ring_order
from tests.model.frames import GROUP, PORT, FrameSpec, mold

DELIVERIES: tuple[Delivery, ...] = ("verified", "cut-through")
HOLD_NS = 10_000


def block(number: int, copy: str = "") -> bytes:
    """A System Event that tells its sequence number; a copy can be told from another by the event code."""
    return b"S" + (number % 65536).to_bytes(2, "big") + bytes(8) + (copy or "O").encode()


def frame(line: str, start_ns: int, sequence: int, messages: int = 1, *, bad_fcs: bool = False,
          count: int | None = None, session: bytes = b"SESSION001") -> Arrival:
    blocks = [block(sequence + n, line) for n in range(messages)]
    return Arrival(line, start_ns * 1000, FrameSpec(payload=mold(sequence, blocks, session, count)).build(), bad_fcs)


def run(frames: list[Arrival], **options: Any) -> tuple[ReceiveModel, list[FrameResult]]:
    model = ReceiveModel(GROUP, PORT, **options)
    return model, model.run(frames)


def delivered(results: list[FrameResult]) -> list[tuple[str, int]]:
    """Line and sequence number of the good messages, as the host gets them; each copy's own bytes."""
    messages = [(result.line, message) for result, message in in_ring_order(results) if result.disposition == "accept"]
    assert all(message.raw == block(message.sequence, line) for line, message in messages)
    return [(line, message.sequence) for line, message in messages]


def gaps(results: list[FrameResult]) -> list[tuple[int, int]]:
    return [(event["from"], event["to"]) for result in sorted(results, key=lambda result: result.turn)
            for event in result.events if event["event"] == "gap"]


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("hold_ns", [0, HOLD_NS])
def test_the_first_copy_wins(delivery: Delivery, hold_ns: int) -> None:
    model, results = run([frame("A", 0, 1), frame("B", 50, 1), frame("B", 1000, 2), frame("A", 1050, 2)],
                         delivery=delivery, hold_ns=hold_ns)
    assert delivered(results) == [("A", 1), ("B", 2)]
    assert [(result.frame, result.line) for result in results] == [(0, "A"), (1, "B"), (2, "B"), (3, "A")]
    counters = model.counters
    assert (counters["duplicates"], counters["gaps"]) == (2, 0)
    assert (counters["frames_b"], counters["accepted_b"], counters["messages_b"]) == (2, 2, 1)


def test_equal_times_and_equal_clocks_are_line_a_first() -> None:
    for skew_ps in (0, 1, 6399):
        early, late = frame("B", 6, 1), frame("A", 6, 1)
        _, results = run([early._replace(start_ps=6401), late._replace(start_ps=6401 + skew_ps)])
        assert delivered(results) == [("A", 1)], skew_ps
    _, results = run([frame("B", 0, 1), frame("A", 0, 1)._replace(start_ps=1)])
    assert delivered(results) == [("B", 1)]


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_the_other_line_rescues_a_bad_first_copy(delivery: Delivery) -> None:
    model, results = run([frame("A", 0, 1, bad_fcs=True), frame("B", 20, 1), frame("A", 200, 2)], delivery=delivery)
    assert delivered(results) == [("B", 1), ("A", 2)]
    assert [message.verdict for message in results[0].messages] == ([] if delivery == "verified" else ["bad"])
    assert gaps(results) == []
    assert model.counters["bad_messages"] == len(results[0].messages)


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_other_packing_delivers_each_number_once(delivery: Delivery) -> None:
    _, results = run([frame("A", 0, 1, 3), frame("B", 50, 1, 1), frame("B", 150, 2, 4), frame("A", 300, 4, 2)],
                     delivery=delivery)
    assert delivered(results) == [("A", 1), ("A", 2), ("A", 3), ("B", 4), ("B", 5)]


def test_losses_of_either_line_are_filled_by_the_other_while_it_leads() -> None:
    """Without hold the leading line must not lose anything the other one still has."""
    _, results = run([frame("A", 0, 1), frame("B", 10, 1), frame("B", 510, 2), frame("A", 1000, 3),
                      frame("B", 1010, 3)])
    assert delivered(results) == [("A", 1), ("B", 2), ("A", 3)]
    _, results = run([frame("A", 0, 1), frame("A", 1000, 3), frame("B", 1500, 2), frame("B", 2500, 3)])
    assert delivered(results) == [("A", 1), ("A", 3)]
    assert gaps(results) == [(2, 3)]


def test_a_session_change_on_either_line() -> None:
    new = b"SESSION002"
    _, results = run([frame("A", 0, 9), frame("B", 100, 1, session=new), frame("A", 200, 10),
                      frame("A", 300, 1, session=new)])
    assert delivered(results) == [("A", 9), ("B", 1), ("A", 10), ("A", 1)]
    assert [result.flags.session_change for result in results] == [False, True, True, True]


def test_a_dropped_header_changes_nothing() -> None:
    other = Arrival("A", 40_000, FrameSpec(payload=mold(5, [block(5)]), port=1).build())
    _, results = run([frame("A", 0, 1), other, frame("B", 100, 2)])
    assert delivered(results) == [("A", 1), ("B", 2)]
    assert results[1].reason == "other_port"


# ---- Hold


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_held_packet_waits_for_the_other_line(delivery: Delivery) -> None:
    frames = [frame("A", 0, 1), frame("A", 1000, 3), frame("A", 2000, 4), frame("B", 4000, 2), frame("B", 5000, 3)]
    model, results = run(frames, delivery=delivery, hold_ns=HOLD_NS)
    assert delivered(results) == [("A", 1), ("B", 2), ("A", 3), ("A", 4)]
    assert gaps(results) == []
    assert [result.turn for result in results] == [0, 2, 3, 1, 4]
    assert model.hold_margin_ps is not None
    assert model.hold_margin_ps >= HOLD_MARGIN_PS


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_its_time_ends_with_the_gap(delivery: Delivery) -> None:
    frames = [frame("A", 0, 1), frame("A", 1000, 3), frame("A", 2000, 4), frame("B", 15_000, 2), frame("B", 16_000, 3)]
    model, results = run(frames, delivery=delivery, hold_ns=HOLD_NS)
    assert delivered(results) == [("A", 1), ("A", 3), ("A", 4)]
    assert gaps(results) == [(2, 3)]
    assert model.counters["duplicates"] == 2


@pytest.mark.parametrize(("kind", "count"), [("heartbeat", 0), ("end_of_session", 0xFFFF)])
def test_packets_without_messages_are_held_too(kind: str, count: int) -> None:
    frames = [frame("A", 0, 1), frame("A", 1000, 3, 0, count=count), frame("B", 4000, 2)]
    _, results = run(frames, hold_ns=HOLD_NS)
    assert gaps(results) == []
    assert [result.turn for result in results] == [0, 2, 1]
    assert results[1].kind == kind
    assert gaps(run(frames)[1]) == [(2, 3)]


def test_both_held_the_lower_number_goes_when_the_first_time_is_over() -> None:
    frames = [frame("A", 0, 1), frame("A", 1000, 9), frame("B", 2000, 5), frame("B", 4000, 6), frame("B", 20_000, 7)]
    _, results = run(frames, hold_ns=HOLD_NS)
    # At 11,000 the time of 9 is over: 5 goes with its gap, 6 started before that moment, 7 did not.
    assert delivered(results) == [("A", 1), ("B", 5), ("B", 6), ("A", 9)]
    assert gaps(results) == [(2, 5), (7, 9)]


def test_a_packet_that_starts_after_the_time_is_over_comes_too_late_to_go_first() -> None:
    frames = [frame("A", 0, 1), frame("A", 1000, 9), frame("B", 15_000, 5), frame("B", 16_000, 20)]
    _, results = run(frames, hold_ns=HOLD_NS)
    assert delivered(results) == [("A", 1), ("A", 9), ("B", 20)]
    assert gaps(results) == [(2, 9), (10, 20)]


def test_a_packet_whose_time_is_over_before_its_turn_goes_at_its_turn() -> None:
    """B's long frame is older and undecided until 7,400; the time of A's packet is over before that, or is not."""
    long = Arrival("B", 900_000, FrameSpec(payload=mold(1, [block(1, "B")]), trailer=bytes(8000)).build())
    frames = [frame("A", 0, 0), long, frame("A", 1000, 9), frame("B", 8000, 5)]
    for hold_ns, gap in ((2000, (2, 9)), (10_000, (2, 5))):
        _, results = run(frames, hold_ns=hold_ns)
        assert gaps(results)[0] == gap
    assert delivered(run(frames, hold_ns=2000)[1]) == [("A", 0), ("B", 1), ("A", 9)]


@pytest.mark.parametrize(("first", "second"), ["AB", "BA"])
def test_both_held_with_one_number_the_first_copy_goes(first: str, second: str) -> None:
    _, results = run([frame(first, 0, 1), frame(first, 1000, 3), frame(second, 4000, 3)], hold_ns=HOLD_NS)
    assert delivered(results) == [(first, 1), (first, 3)]
    assert gaps(results) == [(2, 3)]


def test_a_frame_of_another_session_ends_the_wait() -> None:
    new = b"SESSION002"
    frames = [frame("A", 0, 1), frame("A", 1000, 3), frame("A", 1500, 4), frame("B", 3000, 1, session=new)]
    _, results = run(frames, hold_ns=HOLD_NS)
    assert delivered(results) == [("A", 1), ("A", 3), ("A", 4), ("B", 1)]
    assert gaps(results) == [(2, 3)]


def test_a_frame_of_another_session_on_its_own_line_waits_behind() -> None:
    new = b"SESSION002"
    frames = [frame("A", 0, 1), frame("A", 1000, 3), frame("A", 2000, 1, session=new), frame("B", 4000, 2)]
    _, results = run(frames, hold_ns=HOLD_NS)
    assert delivered(results) == [("A", 1), ("B", 2), ("A", 3), ("A", 1)]


def test_a_bad_frame_waits_in_cut_through_only() -> None:
    """Its header is known before its verdict; verified delivery never shows it."""
    new = b"SESSION002"
    frames = [frame("A", 0, 1), frame("A", 1000, 3), frame("B", 3000, 1, session=new, bad_fcs=True),
              frame("B", 4000, 2)]
    assert gaps(run(frames, hold_ns=HOLD_NS)[1]) == [(2, 3)]
    assert gaps(run(frames, hold_ns=HOLD_NS, delivery="verified")[1]) == []
    frames = [frame("A", 0, 1), frame("A", 1000, 9, bad_fcs=True), frame("A", 2000, 2), frame("B", 4000, 2)]
    assert delivered(run(frames, hold_ns=HOLD_NS)[1]) == [("A", 1), ("B", 2)]
    assert delivered(run(frames, hold_ns=HOLD_NS, delivery="verified")[1]) == [("A", 1), ("A", 2)]


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("fields", [{"port": 1}, {"destination": "233.54.12.110"}, {"protocol": 6}])
def test_foreign_frames_are_not_held_and_end_no_wait(delivery: Delivery, fields: dict[str, Any]) -> None:
    """What stands where a packet header would be is no session and no sequence number of this stream."""
    def foreign(line: str, start_ns: int, session: bytes) -> Arrival:
        return Arrival(line, start_ns * 1000, FrameSpec(payload=mold(99, [block(99)], session), **fields).build())

    frames = [frame("A", 0, 1), foreign("A", 500, b"SESSION001"), frame("A", 1000, 3),
              foreign("B", 2000, b"GARBAGE!!!"), foreign("B", 3000, b"SESSION001"), frame("B", 4000, 2)]
    _, results = run(frames, delivery=delivery, hold_ns=HOLD_NS)
    assert delivered(results) == [("A", 1), ("B", 2), ("A", 3)]
    assert [result.turn for result in results] == [0, 1, 5, 2, 3, 4]


def test_the_margin_is_the_closest_call() -> None:
    frames = [frame("A", 0, 1), frame("A", 1000, 3)]
    for start_ns in (10_000, 10_990, 11_010, 12_000):
        model, results = run([*frames, frame("B", start_ns, 2)], hold_ns=HOLD_NS)
        assert gaps(results) == ([] if start_ns < 11_000 else [(2, 3)])
        margin_ps = model.hold_margin_ps
        assert margin_ps is not None
        assert abs(margin_ps - abs(11_000 - start_ns) * 1000) <= 12_800
    assert run(frames, hold_ns=HOLD_NS)[0].hold_margin_ps is None
    assert run([*frames, frame("B", 1, 1)], hold_ns=0)[0].hold_margin_ps is None


def test_a_line_alone_delivers_the_same_held_or_not() -> None:
    frames = [frame("A", 1000 * n, n + n // 3) for n in range(1, 30)]
    held, plain = run(frames, hold_ns=HOLD_NS)[1], run(frames)[1]
    assert delivered(held) == delivered(plain)
    assert gaps(held) == gaps(plain) != []
    assert [result.turn for result in held] == list(range(29))


# ---- Properties over random losses, damage and skews

GAP_NS = 1000
copies = st.sampled_from(["good", "good", "good", "lost", "bad"])
streams = st.lists(st.tuples(st.integers(1, 4), copies, copies), min_size=1, max_size=40)


def feed(stream: list[tuple[int, str, str]], skew_ns: int) -> tuple[list[Arrival], set[int]]:
    """Both lines' frames, line B later by ``skew_ns``; and the numbers of which a good copy arrived somewhere."""
    frames = [frame("A", 0, 1, 0), frame("B", max(skew_ns, 0), 1, 0)]
    union: set[int] = set()
    sequence = 1
    for n, (messages, *states) in enumerate(stream, 1):
        for line, state, offset_ns in zip("AB", states, (max(-skew_ns, 0), max(skew_ns, 0)), strict=True):
            if state != "lost":
                frames.append(frame(line, n * GAP_NS + offset_ns, sequence, messages, bad_fcs=state == "bad"))
            if state == "good":
                union |= set(range(sequence, sequence + messages))
        sequence += messages
    return frames, union


@settings(max_examples=150, deadline=None)
@given(streams, st.integers(-5000, 5000), st.sampled_from(DELIVERIES), st.sampled_from([0, 700, HOLD_NS]))
def test_each_number_at_most_once_in_order_and_every_loss_is_told(stream: list[tuple[int, str, str]], skew_ns: int,
                                                                  delivery: Delivery, hold_ns: int) -> None:
    frames, union = feed(stream, skew_ns)
    model, results = run(frames, delivery=delivery, hold_ns=hold_ns)
    numbers = [number for _, number in delivered(results)]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= union
    missing = {number for start, end in gaps(results) for number in range(start, end)}
    assert missing.isdisjoint(numbers)
    next_expected = model.counters["next_expected"]
    assert set(range(1, next_expected)) == missing | set(numbers)
    assert sorted(result.turn for result in results) == list(range(len(frames)))
    for line in "AB":
        turns = [result.turn for result in results if result.line == line]
        assert turns == sorted(turns)
    counters = model.counters
    assert counters["frames"] == counters["accepted"] + sum(counters["dropped"].values()) == len(frames)
    assert counters["dropped"]["bad_fcs"] == sum(arrival.bad_fcs for arrival in frames)


@settings(max_examples=150, deadline=None)
@given(streams, st.integers(-5000, 5000), st.sampled_from(DELIVERIES))
def test_a_hold_longer_than_the_skew_loses_only_what_both_lines_lost(stream: list[tuple[int, str, str]], skew_ns: int,
                                                                     delivery: Delivery) -> None:
    frames, union = feed(stream, skew_ns)
    model, results = run(frames, delivery=delivery, hold_ns=abs(skew_ns) + GAP_NS)
    assert [number for _, number in delivered(results)] == sorted(union)
    missing = {number for start, end in gaps(results) for number in range(start, end)}
    assert missing == set(range(1, model.counters["next_expected"])) - union


@settings(max_examples=150, deadline=None)
@given(streams, st.integers(-5000, 5000), st.sampled_from(DELIVERIES))
def test_without_hold_a_number_is_lost_only_to_a_later_one_that_came_first(stream: list[tuple[int, str, str]],
                                                                           skew_ns: int, delivery: Delivery) -> None:
    """The oracle is a receiver of five lines: the highest number of all good frames so far decides."""
    frames, _ = feed(stream, skew_ns)
    highest, due = 0, []
    for arrival in sorted(frames, key=lambda arrival: (-(-arrival.start_ps // 6400), arrival.line)):
        sequence, count = (int.from_bytes(arrival.data[52:60], "big"), int.from_bytes(arrival.data[60:62], "big"))
        if not arrival.bad_fcs:
            due += [(arrival.line, n) for n in range(sequence, sequence + count) if n > highest]
            highest = max(highest, sequence + count - 1)
    _, results = run(frames, delivery=delivery)
    assert delivered(results) == due


@settings(max_examples=100, deadline=None)
@given(streams, st.integers(-5000, 5000), st.integers(0, 2000))
def test_a_clear_margin_means_that_a_few_clocks_change_nothing(stream: list[tuple[int, str, str]], skew_ns: int,
                                                               hold_ns: int) -> None:
    """The outcome is the same for every hold within the margin: what the margin is for."""
    frames, _ = feed(stream, skew_ns)
    model, results = run(frames, hold_ns=5000 + hold_ns)
    margin_ps = model.hold_margin_ps
    assume(margin_ps is not None and margin_ps >= HOLD_MARGIN_PS)
    for other_ns in (-300, 300):
        assert delivered(run(frames, hold_ns=5000 + hold_ns + other_ns)[1]) == delivered(results)
