# SPDX-License-Identifier: MIT
"""The order session's wire: how often it loses, repeats and delays, and that a seed repeats it."""

from __future__ import annotations

import pytest

from generators.exchange.wire import Wire, WireConfig


def test_frames_suffer_as_often_as_configured() -> None:
    wire = Wire(WireConfig(100_000, 50_000, 30_000, 7), 1)
    fates = [wire.delays() for _ in range(20_000)]
    for fate, share in (((), 0.1), ((0, 7), 0.05), ((7,), 0.03), ((0,), 0.82)):
        assert fates.count(fate) / len(fates) == pytest.approx(share, rel=0.15)
    assert (wire.lost, wire.duplicated, wire.late) == tuple(fates.count(fate) for fate in ((), (0, 7), (7,)))
    again = Wire(wire.config, 1)
    assert [again.delays() for _ in fates] == fates


def test_a_good_wire_passes_everything_and_a_cut_one_nothing() -> None:
    wire = Wire(WireConfig(), 1)
    assert {wire.delays() for _ in range(1_000)} == {(0,)}
    wire.cut = True
    assert {wire.delays() for _ in range(10)} == {()}


@pytest.mark.parametrize("rates", [(-1, 0, 0), (500_000, 500_000, 1)])
def test_impossible_rates_are_refused(rates: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="million"):
        WireConfig(*rates)
