# SPDX-License-Identifier: MIT
"""Failures of one cause come together whatever numbers, paths and times they tell; those of two causes do not."""

from __future__ import annotations

import pytest

from scripts.regress.causes import Failure, first_few, grouped, normalised


@pytest.mark.parametrize(("one", "other"), [
    ("message 12: price is 100300, not 100400", "message 7: price is 9, not 1,000,000"),
    ("DMA write to 0xfe00_1240, outside the windows", "DMA write to 0x3F, outside the windows"),
    ("building the kernel failed; see /one/checkout/build/firmware.log",
     "building the kernel failed; see /another/build/firmware.log"),
    ("out/regress/quiet.icarus.7/run: cannot be written", "out/regress/opening.verilator.123/run: cannot be written"),
    ("timeout: not done in 300 s", "timeout: not done in 12.5 s"),
    ("gap at 1.5e-3 ms, seed 88", "gap at 2 ms, seed -9"),
    ("raw 0011223344556677 differs", "raw ffeeddccbbaa9988 differs"),
    ("count is 8'hFF", "count is 16'h01_02"),
    ("orders 1, 2, 3 were lost", "orders 17 were lost"),
    ("began 2026-11-30T00:02:56Z", "began 2027-01-01T12:00:00.5Z"),
    ("tests.rtl.env.x.A: \x1b[31mfailed\x1b[0m  at 3", "tests.rtl.env.x.A: failed at 4"),
])
def test_one_cause(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [
    ("message 12: price is 1, not 2", "message 12: shares is 1, not 2"),
    ("line A: lost", "line B: lost"),
    ("QEMU died (exit status 4)", "the simulator died (exit status 5)"),
    ("test_a: assert 1 == 2", "test_b: assert 1 == 2"),
])
def test_two_causes(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_words_with_numbers_in_them_stay() -> None:
    assert normalised("ring rx_log2 of MoldUDP64 in e1000") == "ring rx_log2 of MoldUDP64 in e1000"
    assert normalised("") == "no message"
    assert normalised("timeout: not done in 3 s") == "timeout"


def failure(job: str, message: str, test: str = "") -> Failure:
    return Failure(job, test, message, f"reproduce {job}")


def test_the_largest_group_comes_first_with_its_failures_in_their_order() -> None:
    told = {"a.1": "rare", "b.1": "lost 3", "c.1": "lost 4", "d.1": "also"}
    causes = grouped(failure(job, message) for job, message in told.items())
    assert [(cause.name, len(cause.failures)) for cause in causes] == [("lost N", 2), ("also", 1), ("rare", 1)]
    assert causes[0].example == "lost 3"
    assert [each.job for each in causes[0].failures] == ["b.1", "c.1"]


def test_waves_go_to_as_many_causes_as_there_are_and_to_no_job_twice() -> None:
    lost = [failure(job, f"lost {number}") for number, job in enumerate("abc")]
    causes = grouped([*lost, failure("c", "rare", "t")])
    assert [each.job for each in first_few(causes, 3)] == ["a", "c", "b"]
    assert [each.job for each in first_few(causes, 9)] == ["a", "c", "b"]
    assert first_few(causes, 0) == []
