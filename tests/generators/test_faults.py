# SPDX-License-Identifier: MIT
"""Faults of a line: what each does to a frame, how often, and that a seed and a line name always give the same."""

from itertools import pairwise

import pytest

from generators.captures import TimedFrame
from generators.faults import USUAL, Faults, faulty
from generators.framing import DEFAULT_GROUP, internet_sum
from generators.profiles import frames, generate
from tb.model.receive import ReceiveModel, on_line


@pytest.fixture(scope="module")
def traffic():
    return [TimedFrame(*frame) for frame in frames(generate("opening", 1, 2000))]


def made(traffic, seed=1, line="A", **rates):
    return list(faulty(iter(traffic), Faults(**rates), seed, line))


def reasons(arrived):
    model = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, delivery="verified")
    model.run(on_line("A", arrived))
    return {reason for reason, count in model.counters["dropped"].items() if count}, model.counters


def test_without_faults_nothing_changes(traffic):
    assert made(traffic) == traffic


def test_lost_frames_are_missing_and_the_others_are_as_they_were(traffic):
    arrived = made(traffic, loss=0.1)
    rest = iter(traffic)
    assert all(frame in rest for frame in arrived)
    assert 0.07 < 1 - len(arrived) / len(traffic) < 0.13


def test_a_repeated_frame_comes_twice_at_once(traffic):
    arrived = made(traffic, duplicate=0.2)
    twice = [a for a, b in pairwise(arrived) if a == b]
    assert len(arrived) - len(traffic) == len(twice)
    assert 0.16 < len(twice) / len(traffic) < 0.24


def test_a_late_frame_comes_behind_the_next_one_and_times_do_not_go_back(traffic):
    arrived = made(traffic, reorder=0.1)
    assert sorted(frame.data for frame in arrived) == sorted(frame.data for frame in traffic)
    assert arrived != traffic
    assert all(a.time_ns <= b.time_ns for a, b in pairwise(arrived))
    assert reasons(arrived)[1]["gaps"] > 0.05 * len(traffic)


def test_a_frame_cut_short_keeps_its_beginning(traffic):
    arrived = made(traffic, truncation=1)
    assert len(arrived) == len(traffic)
    assert all(14 <= len(b.data) < len(a.data) and a.data.startswith(b.data)
               for a, b in zip(traffic, arrived, strict=True))


def test_one_bit_is_another(traffic):
    arrived = made(traffic, bit_flip=1)
    for a, b in zip(traffic, arrived, strict=True):
        assert len(a.data) == len(b.data)
        assert (int.from_bytes(a.data, "big") ^ int.from_bytes(b.data, "big")).bit_count() == 1


def test_a_wrong_length_has_checksums_that_do_not_show_it(traffic):
    arrived = made(traffic, bad_length=1)
    found, counters = reasons(arrived)
    assert {"ip_length", "udp_length"} <= found
    assert not {"bad_ip_checksum", "bad_udp_checksum"} & found
    assert counters["messages"]["too_short"]
    assert all(internet_sum(frame.data[14:34]) == 0 for frame in arrived)
    changed = sum(a != b for a, b in zip(traffic, arrived, strict=True))
    assert changed == len(traffic)


def test_lines_and_seeds_have_faults_of_their_own(traffic):
    rates = {"loss": 0.1, "bit_flip": 0.1}
    assert made(traffic, **rates) == made(traffic, **rates)
    assert made(traffic, **rates) != made(traffic, line="B", **rates)
    assert made(traffic, **rates) != made(traffic, seed=2, **rates)


def test_rates_are_read_as_they_are_written():
    assert Faults.parse("loss=0.01,bad_length=1") == Faults(loss=0.01, bad_length=1)
    assert Faults.parse(str(USUAL)) == USUAL


@pytest.mark.parametrize(("text", "fault"), [
    ("", "none of"), ("rain=0.1", "none of loss, duplicate"), ("loss", "a rate from 0 to 1"), ("loss=2", "a rate"),
    ("loss=-0.1", "a rate"), ("loss=nan", "a rate"), ("loss=0.1,loss=0.1", "stands twice"),
])
def test_rates_that_are_none(text, fault):
    with pytest.raises(ValueError, match=fault):
        Faults.parse(text)
