# SPDX-License-Identifier: MIT
"""MoldUDP64: framing of blocks, gaps, duplicates, sessions, and what a bad frame must leave untouched."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.framing import DEFAULT_GROUP, FrameEncoder
from generators.tables import ITCH50
from tb.model.receive import ReceiveModel

Packet = Callable[..., bytes]
HALF, WHOLE = 1 << 63, 1 << 64


def block(number: int) -> bytes:
    """A one-of-a-kind System Event."""
    return b"S" + struct.pack(">HH6sc", 0, number % (1 << 16), bytes(6), b"O")


def delivered(result: Any) -> list[int]:
    return [message.sequence for message in result.messages]


def test_the_first_packet_starts_the_stream_wherever_it_is(model: ReceiveModel, packet: Packet) -> None:
    assert model.counters["next_expected"] is None
    result = model.frame(packet(1000, [block(0), block(1)]))
    assert (result.kind, result.session, result.sequence, result.count) == ("data", "SESSION001", 1000, 2)
    assert (delivered(result), result.events) == ([1000, 1001], [])
    assert model.counters["next_expected"] == 1002
    assert model.counters["gaps"] == 0


@pytest.mark.parametrize("count", [0, 0xFFFF])
def test_heartbeat_and_end_of_session_carry_the_next_sequence(model: ReceiveModel, packet: Packet,
                                                              count: int) -> None:
    first = model.frame(packet(5, [], count=count))
    assert first.kind == ("heartbeat" if count == 0 else "end_of_session")
    assert "flag" not in first.as_line()
    assert model.counters["next_expected"] == 5
    model.frame(packet(5, [block(0)]))
    result = model.frame(packet(9, [], count=count))  # reveals 6, 7 and 8 as missing
    assert result.events[0] == {"event": "gap", "from": 6, "to": 9}
    assert (result.gap_from, result.flags.gap) == (6, True)
    assert model.frame(packet(8, [], count=count)).events == []  # old ones say nothing
    assert model.counters["next_expected"] == 9
    assert model.counters["duplicates"] == 0


@pytest.mark.parametrize("count", [0, 0xFFFF])
@pytest.mark.parametrize("extra", [b"\0", b"\x00\x0c" + block(0)])
def test_bytes_after_a_header_without_blocks(model: ReceiveModel, build: Any, mold: Any, count: int,
                                             extra: bytes) -> None:
    result = model.frame(build(payload=mold(1, [], count=count) + extra))
    assert result.disposition == "accept"
    assert (result.flags.truncated, result.flags.extra_data) == (False, True)
    assert result.as_line()["flag"] == "extra_data"
    assert result.messages == []


def test_end_of_session_is_told_once_a_session(model: ReceiveModel, packet: Packet) -> None:
    end = [{"event": "end_of_session", "sequence": 3}]
    assert model.frame(packet(3, [], count=0xFFFF)).events == end
    assert model.frame(packet(3, [], count=0xFFFF)).events == []
    other = model.frame(packet(3, [], session=b"SESSION002", count=0xFFFF))
    assert other.events == [{"event": "session_change", "frame": 2, "session": "SESSION002"}, *end]
    assert other.flags.end_of_session
    assert model.frame(packet(9, [], session=b"SESSION002", count=0xFFFF)).events == [
        {"event": "gap", "from": 3, "to": 9}]


def test_gap_then_late_data_is_old(model: ReceiveModel, packet: Packet) -> None:
    model.frame(packet(1, [block(1)]))
    result = model.frame(packet(4, [block(4)]))
    assert (delivered(result), result.events) == ([4], [{"event": "gap", "from": 2, "to": 4}])
    late = model.frame(packet(2, [block(2), block(3)]))
    assert (delivered(late), late.events, late.disposition) == ([], [], "accept")
    assert model.counters["duplicates"] == 2
    assert model.counters["gaps"] == 1
    assert model.counters["next_expected"] == 5


def test_partly_old_packet_delivers_its_new_part(model: ReceiveModel, packet: Packet) -> None:
    model.frame(packet(1, [block(1), block(2), block(3)]))
    result = model.frame(packet(2, [block(n) for n in range(2, 7)]))
    assert delivered(result) == [4, 5, 6]
    assert [message.raw for message in result.messages] == [block(4), block(5), block(6)]
    assert result.events == []
    assert model.counters["duplicates"] == 2


def test_session_change_restarts_the_stream(model: ReceiveModel, packet: Packet) -> None:
    model.frame(packet(100, [block(0)]))
    result = model.frame(packet(1, [block(1)], session=b"OTHER     "))
    assert result.events == [{"event": "session_change", "frame": 1, "session": "OTHER     "}]
    assert delivered(result) == [1]
    assert model.counters["next_expected"] == 2
    assert model.counters["gaps"] == 0
    back = model.frame(packet(200, []))  # the last accepted packet's session counts, not those before it
    assert back.events == [{"event": "session_change", "frame": 2, "session": "SESSION001"}]
    assert model.counters["next_expected"] == 200


@pytest.mark.parametrize("byte", range(10))
def test_every_byte_of_the_session_counts(model: ReceiveModel, packet: Packet, byte: int) -> None:
    model.frame(packet(1, []))
    session = bytearray(b"SESSION001")
    session[byte] ^= 0x80
    assert model.frame(packet(1, [], session=bytes(session))).flags.session_change


@pytest.mark.parametrize(("following", "distance", "is_gap"), [
    (10, 0, False), (10, 1, True), (10, HALF - 1, True), (10, HALF, False), (10, HALF + 1, False),
    (10, WHOLE - 1, False), (WHOLE - 1, 1, True), (WHOLE - 1, 2, True), (WHOLE - 2, WHOLE - 1, False),
    (0xFFFFFFFF, 1, True), (HALF, HALF - 1, True), (HALF, HALF, False), (HALF - 1, 1, True),
])
def test_sequence_numbers_compare_modulo_2_to_64(model: ReceiveModel, packet: Packet, following: int, distance: int,
                                                 is_gap: bool) -> None:
    model.frame(packet(following, []))
    sequence = (following + distance) % WHOLE
    result = model.frame(packet(sequence, [block(0)]))
    new = is_gap or distance == 0
    assert delivered(result) == ([sequence] if new else [])
    assert result.events == ([{"event": "gap", "from": following, "to": sequence}] if is_gap else [])
    assert model.counters["duplicates"] == (0 if new else 1)
    assert model.counters["next_expected"] == ((sequence + 1) % WHOLE if new else following)


@pytest.mark.parametrize("boundary", [1 << 32, HALF, WHOLE])
def test_a_packet_across_a_boundary(model: ReceiveModel, packet: Packet, boundary: int) -> None:
    result = model.frame(packet(boundary - 2, [block(n) for n in range(4)]))
    assert delivered(result) == [(boundary + n) % WHOLE for n in (-2, -1, 0, 1)]
    assert delivered(model.frame(packet(boundary - 1, [block(n) for n in range(4)]))) == [(boundary + 2) % WHOLE]
    assert model.counters["next_expected"] == (boundary + 3) % WHOLE


def test_a_packet_that_ends_at_every_byte_of_its_blocks(build: Any, mold: Any) -> None:
    blocks = [block(0), b"", b"Z" * 3, block(1), b""]
    payload = mold(1, blocks)
    ends = [20 + sum(2 + len(b) for b in blocks[:n + 1]) for n in range(len(blocks))]
    for length in range(20, len(payload) + 1):
        model = ReceiveModel("233.54.12.111", 26477)
        result = model.frame(build(payload=payload[:length], trailer=payload[length:]))
        whole = sum(end <= length for end in ends)
        assert result.disposition == "accept"
        assert delivered(result) == list(range(1, 1 + whole)), length
        assert result.flags.truncated == (whole < len(blocks)), length
        assert not result.flags.extra_data
        assert result.events == ([{"event": "truncated", "frame": 0}] if whole < len(blocks) else [])
        assert model.counters["next_expected"] == 1 + whole
        # What was lost shows as a gap once the next data come.
        following = model.frame(build(payload=mold(1 + len(blocks), [block(9)])))
        assert following.flags.gap == (whole < len(blocks)), length


@pytest.mark.parametrize("extra", range(1, 20))
def test_bytes_after_the_last_block(model: ReceiveModel, build: Any, mold: Any, extra: int) -> None:
    result = model.frame(build(payload=mold(1, [block(0), b""]) + bytes(extra)))
    assert delivered(result) == [1, 2]
    assert (result.flags.truncated, result.flags.extra_data) == (False, True)
    assert result.events == []
    assert result.as_line() == {
        "frame": 0, "line": "A", "disposition": "accept", "kind": "data", "session": "SESSION001", "sequence": 1,
        "count": 2, "flag": "extra_data"}


def test_a_count_below_the_blocks_leaves_extra_data(model: ReceiveModel, packet: Packet) -> None:
    result = model.frame(packet(1, [block(0), block(1)], count=1))
    assert (delivered(result), result.flags.extra_data) == ([1], True)
    assert delivered(model.frame(packet(2, [block(2)]))) == [2]


def test_a_truncated_packet_still_reveals_the_gap_before_it(model: ReceiveModel, packet: Packet) -> None:
    model.frame(packet(1, [block(1)]))
    result = model.frame(packet(5, [], count=1))
    assert result.events == [{"event": "gap", "from": 2, "to": 5}, {"event": "truncated", "frame": 1}]
    assert model.counters["next_expected"] == 5


def test_very_many_zero_length_blocks(model: ReceiveModel, packet: Packet) -> None:
    result = model.frame(packet(1, [b""] * 700))
    assert len(result.messages) == 700
    assert {message.status for message in result.messages} == {"zero_length"}
    assert model.counters["next_expected"] == 701


@pytest.mark.parametrize("message_type", sorted(ITCH50))
def test_message_status_around_the_length_of_every_type(model: ReceiveModel, packet: Packet,
                                                        message_type: str) -> None:
    length = ITCH50[message_type].length
    lengths = [1, length - 1, length, length + 1, 255, 256, 1000]
    result = model.frame(packet(1, [message_type.encode() + bytes(n - 1) for n in lengths]))
    expected = ["too_short" if n < length else "ok" if n == length else "too_long" for n in lengths]
    assert [message.status for message in result.messages] == expected
    assert [message.length for message in result.messages] == lengths
    assert [message.fields is None for message in result.messages] == [n < length for n in lengths]
    for message in result.messages:
        line = message.as_line(0)
        assert ("raw" in line, "fields" in line) == (message.fields is None, message.fields is not None)


def test_unknown_types_and_zero_length_consume_a_sequence_number(model: ReceiveModel, packet: Packet) -> None:
    unknown = [bytes([n]) for n in range(256) if chr(n) not in ITCH50]
    result = model.frame(packet(1, [*unknown, b"", block(0)]))
    assert [message.status for message in result.messages] == ["unknown_type"] * len(unknown) + ["zero_length", "ok"]
    assert result.messages[-2].as_line(0) == {
        "frame": 0, "line": "A", "sequence": len(unknown) + 1, "type": None, "length": 0, "status": "zero_length",
        "raw": "", "verdict": "good"}
    assert result.messages[-3].as_line(0)["type"] == "\xff"
    assert model.counters["messages"] == {
        "ok": 1, "unknown_type": len(unknown), "zero_length": 1, "too_short": 0, "too_long": 0}


@pytest.mark.parametrize("first", [
    None,
    {"sequence": 10, "blocks": [block(0)]},
    {"sequence": 10, "blocks": [], "count": 0xFFFF},
])
@pytest.mark.parametrize("bad", [
    {"sequence": 11, "blocks": [block(1), block(2)]},
    {"sequence": 50, "blocks": [block(1)]},
    {"sequence": 9, "blocks": [block(1)] * 3},
    {"sequence": 1, "blocks": [block(1)], "session": b"OTHER00001"},
    {"sequence": 1, "blocks": [], "session": b"OTHER00001", "count": 0xFFFF},
    {"sequence": 11, "blocks": [], "count": 0xFFFF},
    {"sequence": 11, "blocks": [block(1)], "count": 3},
    {"sequence": 70, "blocks": [], "count": 0},
])
@pytest.mark.parametrize("fault", ["udp_checksum", "fcs", "length", "oversize"])
def test_a_bad_frame_leaves_the_stream_as_it_was(build: Any, mold: Any, first: Any, bad: Any, fault: str) -> None:
    """Two receivers, of which one sees a bad frame in between, agree on all that comes after it."""
    clean, disturbed = (ReceiveModel("233.54.12.111", 26477) for _ in range(2))
    if first is not None:
        clean.frame(build(payload=mold(**first)))
        disturbed.frame(build(payload=mold(**first)))
    faulty = build(payload=mold(**bad), udp_checksum_error=0x8000 if fault == "udp_checksum" else 0,
                   total=2000 if fault == "length" else None, trailer=bytes(9300 if fault == "oversize" else 0))
    result = disturbed.frame(faulty, bad_fcs=fault == "fcs")
    assert result.reason == {"udp_checksum": "bad_udp_checksum", "fcs": "bad_fcs", "length": "ip_length",
                             "oversize": "oversize"}[fault]
    assert not any(result.flags)
    assert {message.verdict for message in result.messages} <= {"bad"}
    kept = ("messages", "duplicates", "gaps", "next_expected", "accepted")
    assert {k: clean.counters[k] for k in kept} == {k: disturbed.counters[k] for k in kept}
    assert disturbed.counters["bad_messages"] == len(result.messages)
    for following in (build(payload=mold(**bad)), build(payload=mold(11, [block(3)] * 4)),
                      build(payload=mold(60, [], count=0xFFFF))):
        expected, got = clean.frame(following), disturbed.frame(following)
        assert expected.messages == got.messages
        assert expected.flags == got.flags
        assert expected.gap_from == got.gap_from


def test_a_bad_frame_delivers_the_new_part_only_once_a_good_one_has_it(model: ReceiveModel, build: Any,
                                                                       mold: Any) -> None:
    payload = mold(1, [block(1), block(2)])
    bad = model.frame(build(payload=payload, udp_checksum_error=1))
    good = model.frame(build(payload=payload))
    again = model.frame(build(payload=payload))
    assert [(delivered(r), r.disposition) for r in (bad, good, again)] == [
        ([1, 2], "drop"), ([1, 2], "accept"), ([], "accept")]
    assert model.counters["messages"]["ok"] == 2
    assert model.counters["bad_messages"] == 2
    assert model.counters["duplicates"] == 2


packets = st.lists(st.tuples(
    st.integers(0, 30).map(lambda n: (n - 5) % WHOLE),
    st.lists(st.sampled_from([b"", b"?", block(1), b"D" + bytes(18), b"A" * 37]), max_size=6),
    st.sampled_from([b"SESSION001", b"SESSION002"]),
    st.booleans(),
), max_size=12)


@settings(max_examples=150, deadline=None)
@given(packets)
def test_random_streams_never_deliver_twice_and_account_for_every_message(stream: list[Any]) -> None:
    model, encoder = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port), FrameEncoder()
    session, seen, good, bad, old = None, -1, 0, 0, 0
    for sequence, blocks, name, bad_fcs in stream:
        header = struct.pack(">10sQH", name, sequence, len(blocks))
        payload = header + b"".join(struct.pack(">H", len(b)) + b for b in blocks)
        result = model.frame(encoder.encode(payload), bad_fcs)
        if bad_fcs:
            bad += len(result.messages)
            assert result.reason == "bad_fcs"
            continue
        if name != session:
            session, seen = name, (sequence - 1) % WHOLE
        good += len(result.messages)
        old += len(blocks) - len(result.messages)
        for message in result.messages:
            assert 0 < (message.sequence - seen) % WHOLE < HALF
            seen = message.sequence
            assert message.raw == blocks[(message.sequence - sequence) % WHOLE]
    counters = model.counters
    assert sum(counters["messages"].values()) == good
    assert (counters["bad_messages"], counters["duplicates"]) == (bad, old)
    assert counters["frames"] == counters["accepted"] + sum(counters["dropped"].values()) == len(stream)
