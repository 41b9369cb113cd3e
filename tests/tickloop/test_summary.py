# SPDX-License-Identifier: MIT
"""`agree` of summary.json really compares: each counter against the files, also where the files leave a range."""

from __future__ import annotations

import pytest

from bridge.layout import DropReason, MessageStatus
from tickloop.rundir.summary import SEQUENCES, disagreements


def counters(**changed):
    base = {
        "frames": 0, "accepted": 0, "bad_messages": 0, "duplicates": 0, "filtered": 0, "gaps": 0,
        "next_expected": None, "frames_b": 0, "accepted_b": 0, "messages_b": 0, "ring_full_dropped": 0,
        "too_large_dropped": 0, "raw_frames": 0, "raw_dropped": 0,
        "dropped": {reason.name.lower(): 0 for reason in DropReason if reason}, "messages": dict.fromkeys(
            (status.name.lower() for status in MessageStatus), 0),
    }
    messages = base["messages"] | {"ok": changed.pop("ok", 0)}
    dropped = base["dropped"] | changed.pop("dropped", {})
    return base | {"messages": messages, "dropped": dropped} | changed


def frame(number, sequence, count, line="A", session="S", kind="data", **more):
    return {"frame": number, "line": line, "disposition": "accept", "kind": kind, "session": session,
            "sequence": sequence, "count": count, **more}


def message(number, sequence, line="A", verdict="good"):
    return {"frame": number, "line": line, "sequence": sequence, "status": "ok", "verdict": verdict}


FRAMES = [frame(0, 1, 2), frame(1, 1, 3, "B"), {"frame": 2, "line": "B", "disposition": "drop", "reason": "bad_fcs"}]
MESSAGES = [message(0, 1), message(0, 2), message(1, 3, "B"), message(2, 4, "B", "bad")]
SOUND = {"frames": 3, "accepted": 2, "ok": 3, "bad_messages": 1, "duplicates": 2, "next_expected": 4, "frames_b": 2,
         "accepted_b": 1, "messages_b": 1, "dropped": {"bad_fcs": 1}}


def test_what_agrees():
    assert disagreements(counters(**SOUND), FRAMES, MESSAGES, []) == []
    assert disagreements(counters(), [], [], []) == []


@pytest.mark.parametrize("name", [name for name in SOUND if name not in ("dropped", "ok")] + [
    "gaps", "ring_full_dropped", "too_large_dropped"])
@pytest.mark.parametrize("by", [1, -1])
def test_each_counter_is_compared(name, by):
    wrong = counters(**SOUND | {name: SOUND.get(name, 0) + by})
    (found,) = disagreements(wrong, FRAMES, MESSAGES, [])
    assert found.startswith(f"{name}: ")


def test_reasons_and_statuses_are_compared():
    for wrong in (SOUND | {"ok": 2}, SOUND | {"dropped": {"bad_fcs": 1, "oversize": 1}}):
        assert len(disagreements(counters(**wrong), FRAMES, MESSAGES, [])) == 1


def test_verified_delivery_has_no_verdicts():
    messages = [{key: value for key, value in line.items() if key != "verdict"} for line in MESSAGES[:3]]
    assert disagreements(counters(**SOUND | {"bad_messages": 0}), FRAMES, messages, []) == []


@pytest.mark.parametrize(("duplicates", "filtered", "agree"), [
    (2, 0, True), (1, 1, True), (0, 2, True), (2, 1, True),  # the filter's counter has those of bad frames too
    (3, 0, False), (1, 0, False), (3, 5, False),
])
def test_of_duplicates_and_filtered_messages_the_files_have_the_sum(duplicates, filtered, agree):
    found = disagreements(counters(**SOUND | {"duplicates": duplicates, "filtered": filtered}), FRAMES, MESSAGES, [])
    assert (found == []) is agree


def only(frames, messages, next_expected, filtered=0, duplicates=0):
    """What is said about next_expected."""
    given = counters(frames=len(frames), accepted=len(frames), ok=len(messages), filtered=filtered,
                     duplicates=duplicates, next_expected=next_expected)
    return [text for text in disagreements(given, frames, messages, []) if text.startswith("next_expected")]


class TestNextExpected:
    @pytest.mark.parametrize(("frames", "expected"), [
        ([frame(0, 5, 0, kind="heartbeat")], 5),
        ([frame(0, 5, 3)], 8),
        ([frame(0, 5, 3), frame(1, 20, 0xFFFF, kind="end_of_session")], 20),
        ([frame(0, 5, 3), frame(1, 2, 3)], 8),
        ([frame(0, 5, 3), frame(1, 2, 9)], 11),
        ([frame(0, 5, 3), frame(1, 1, 1, session="T")], 2),
        ([frame(0, SEQUENCES - 1, 3)], 2),
        ([frame(0, 0, 1), frame(1, SEQUENCES // 2, 9)], SEQUENCES // 2 + 9),   # as far ahead as can be
        ([frame(0, 0, 1), frame(1, SEQUENCES // 2 + 1, 9)], 1),                # behind
        ([frame(0, 9, 1), frame(1, 5, 4)], 10),                                # held: 5 to 8 came on the other line
    ])
    def test_replay(self, frames, expected):
        assert only(frames, [], expected) == []
        assert len(only(frames, [], (expected + 1) % SEQUENCES)) == 1
        assert len(only(frames, [], (expected - 1) % SEQUENCES)) == 1
        assert len(only(frames, [], None)) == 1

    def test_a_truncated_packet_moves_it_past_what_was_delivered(self):
        frames = [frame(0, 5, 6, flag="truncated")]
        assert only(frames, [message(0, 5), message(0, 6)], 7) == []
        assert only(frames, [message(0, 5), message(0, 6)], 8)
        assert only(frames, [], 5) == []

    def test_of_a_truncated_packet_the_filter_may_have_kept_some_back(self):
        frames = [frame(0, 5, 6, flag="truncated")]
        for expected in range(7, 11):
            assert only(frames, [message(0, 5), message(0, 6)], expected, filtered=2) == []
        for expected in (6, 11):
            assert only(frames, [message(0, 5), message(0, 6)], expected, filtered=2)
