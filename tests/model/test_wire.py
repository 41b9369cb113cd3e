# SPDX-License-Identifier: MIT
"""When frames enter: capture times, a busy line, the minimum gap, and the order of two lines."""

from __future__ import annotations

from tb.model.wire import BYTE_PS, CLOCK_PS, Arrival, first_clock, in_wire_order, on_line


def starts(line: list[Arrival]) -> list[int]:
    return [arrival.start_ps for arrival in line]


def test_a_free_line_takes_a_frame_at_its_capture_time() -> None:
    line = list(on_line("B", [(0, bytes(62)), (1000, bytes(62)), (5000, bytes(9216))]))
    assert starts(line) == [0, 1_000_000, 5_000_000]
    assert {arrival.line for arrival in line} == {"B"}


def test_a_busy_line_takes_it_after_the_minimum_gap() -> None:
    # 67.2 ns is what a 60-byte frame takes on 10GbE: preamble 8, FCS 4 and gap 12 bytes with it (IEEE 802.3).
    line = list(on_line("A", [(0, bytes(60))] * 4 + [(250, bytes(60)), (300, b"x" * 14)]))
    assert starts(line) == [0, 67_200, 134_400, 201_600, 268_800, 336_000]
    assert starts(list(on_line("A", [(0, bytes(60))] * 3, byte_ps=320))) == [0, 26_880, 53_760]


def test_fcs_verdicts_go_with_their_frames() -> None:
    line = list(on_line("A", [(0, b"a", True), (0, b"b", False), (0, b"c")]))
    assert [(arrival.data, arrival.bad_fcs) for arrival in line] == [(b"a", True), (b"b", False), (b"c", False)]


def test_the_port_sees_a_frame_at_the_next_clock_edge() -> None:
    assert CLOCK_PS == 8 * BYTE_PS == 6400
    assert [first_clock(start_ps) for start_ps in (0, 1, 6399, 6400, 6401)] == [0, 1, 1, 1, 2]


def test_wire_order_is_by_clock_then_line_a_first() -> None:
    a = [Arrival("A", start_ps, b"a") for start_ps in (6400, 6400, 20_000)]
    b = [Arrival("B", start_ps, b"b") for start_ps in (0, 1, 12_801)]
    assert in_wire_order([*b, *a]) == [b[0], a[0], a[1], b[1], b[2], a[2]]
