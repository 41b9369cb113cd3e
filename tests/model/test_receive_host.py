# SPDX-License-Identifier: MIT
"""What the host sees beside the messages: event lines, the filter, and the seed prototype's packets."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from bridge import layout
from tb.model.receive import Arrival, Delivery, Flags, FrameResult, HostEvent, ReceiveModel, in_ring_order
from tests.model.frames import GROUP, PORT, FrameSpec, mold

ALL = {"STREAM", "BAD", "DROP"}
SESSION = b"SESSION001"


def add(locate: int, number: int = 0) -> bytes:
    """A Delete of this stock locate."""
    return b"D" + struct.pack(">HH6sQ", locate, number, bytes(6), number)


def packet(*args: Any, bad_fcs: bool = False, **kwargs: Any) -> Arrival:
    return Arrival("A", 0, FrameSpec(payload=mold(*args, **kwargs)).build(), bad_fcs)


def receive(model: ReceiveModel, arrival: Arrival) -> FrameResult:
    return model.frame(arrival.data, arrival.bad_fcs)


# ---- Event lines


def test_the_classes_are_those_of_the_register() -> None:
    assert set(layout.REGISTER_FIELDS["EVENT_ENABLE"]) == ALL | {"LOST"}


@pytest.mark.parametrize("delivery", ["verified", "cut-through"])
def test_events_of_the_stream(delivery: Delivery) -> None:
    model = ReceiveModel(GROUP, PORT, delivery=delivery)
    assert receive(model, packet(5, [add(1)])).event(ALL) is None
    assert receive(model, packet(5, [add(1)])).event(ALL) is None  # a duplicate is no news
    gap = receive(model, packet(9, [add(1), add(2)])).event({"STREAM"})
    assert gap == HostEvent(9, 2, 6, 2, "A", None, "data", Flags(gap=True), SESSION)
    truncated = receive(model, packet(11, [add(1)], count=3)).event({"STREAM"})
    assert truncated == HostEvent(11, 3, 0, 1, "A", None, "data", Flags(truncated=True), SESSION)
    change = receive(model, packet(1, [], session=b"OTHER     ")).event({"STREAM"})
    assert change == HostEvent(1, 0, 0, 0, "A", None, "heartbeat", Flags(session_change=True), b"OTHER     ")
    end = packet(1, [], session=b"OTHER     ", count=0xFFFF)
    assert receive(model, end).event(ALL) == HostEvent(
        1, 0xFFFF, 0, 0, "A", None, "end_of_session", Flags(end_of_session=True), b"OTHER     ")
    assert receive(model, end).event(ALL) is None


def test_extra_data_alone_is_no_news_but_shows_in_the_flags() -> None:
    model = ReceiveModel(GROUP, PORT)
    assert receive(model, packet(1, [add(1), add(1)], count=1)).event(ALL) is None
    event = receive(model, packet(5, [add(1), add(1)], count=1)).event(ALL)
    assert event is not None
    assert event.flags == Flags(extra_data=True, gap=True)


@pytest.mark.parametrize(("enabled", "told"), [({"BAD"}, True), ({"DROP"}, True), (ALL, True), ({"STREAM"}, False)])
def test_a_bad_frame_in_cut_through_voids_its_messages(enabled: set[str], told: bool) -> None:
    model = ReceiveModel(GROUP, PORT)
    receive(model, packet(5, [add(1)]))
    event = receive(model, packet(9, [add(1), add(2)], bad_fcs=True)).event(enabled)
    # The packet's header stands in it; kind, flags and gap are those of a good frame only.
    assert event == (HostEvent(9, 2, 0, 2, "A", "bad_fcs", "data", Flags(), SESSION) if told else None)


def test_a_bad_frame_that_delivered_nothing_is_only_a_drop() -> None:
    model = ReceiveModel(GROUP, PORT)
    receive(model, packet(5, [add(1)]))
    old = receive(model, packet(5, [add(1)], bad_fcs=True))
    assert old.event({"BAD", "STREAM"}) is None
    assert old.event({"DROP"}) == HostEvent(0, 0, 0, 0, "A", "bad_fcs", "data", Flags(), bytes(10))
    verified = ReceiveModel(GROUP, PORT, delivery="verified")
    held_back = receive(verified, packet(5, [add(1)], bad_fcs=True))
    assert held_back.event({"BAD", "STREAM"}) is None
    assert held_back.event({"DROP"}) == HostEvent(0, 0, 0, 0, "A", "bad_fcs", "data", Flags(), bytes(10))


def test_a_frame_dropped_by_its_headers_shows_no_packet() -> None:
    result = ReceiveModel(GROUP, PORT).frame(FrameSpec(payload=mold(5, [add(1)]), port=1).build())
    assert result.event({"STREAM", "BAD"}) is None
    assert result.event({"DROP"}) == HostEvent(0, 0, 0, 0, "A", "other_port", "data", Flags(), bytes(10))


# ---- Filter


def test_blocked_locates_are_kept_back_and_counted() -> None:
    model = ReceiveModel(GROUP, PORT, blocked={2, 3})
    blocks = [add(1), add(2), add(3), add(0), b"", b"?", b"D" + bytes([0, 2]), add(2) + b"longer", add(4)]
    result = receive(model, packet(1, blocks))
    # Short, unknown and empty messages have no locate in their record and pass.
    assert [message.sequence for message in result.messages] == [1, 4, 5, 6, 7, 9]
    assert [message.sequence for message in result.filtered] == [2, 3, 8]
    assert model.counters["filtered"] == 3
    assert sum(model.counters["messages"].values()) == 6
    assert model.counters["next_expected"] == 10
    again = receive(model, packet(1, blocks))
    assert (again.messages, again.filtered, again.duplicates) == ([], (), 9)  # old messages are never looked up
    assert model.counters["filtered"] == 3


def test_messages_of_a_bad_frame_are_filtered_too() -> None:
    model = ReceiveModel(GROUP, PORT, blocked={2})
    result = receive(model, packet(1, [add(1), add(2)], bad_fcs=True))
    assert ([m.sequence for m in result.messages], [m.sequence for m in result.filtered]) == ([1], [2])
    assert (model.counters["bad_messages"], model.counters["filtered"]) == (1, 1)
    event = result.event(ALL)
    assert event is not None
    assert event.delivered == 1
    only_blocked = receive(model, packet(1, [add(2)], bad_fcs=True))
    assert only_blocked.event({"BAD"}) is None


def test_the_filter_may_change_by_the_number_of_messages_that_reached_it() -> None:
    model = ReceiveModel(GROUP, PORT, blocked=lambda index: {2} if index < 3 else {1})
    arrivals = [Arrival(line, at, FrameSpec(payload=mold(sequence, [add(1), add(2)])).build())
                for at, (line, sequence) in enumerate([("A", 1), ("B", 1), ("B", 3), ("A", 5)])]
    results = model.run([arrival._replace(start_ps=arrival.start_ps * 10**6) for arrival in arrivals])
    assert [message.sequence for _, message in in_ring_order(results)] == [1, 3, 4, 6]
    assert model.counters["filtered"] == 2


# ---- The seed prototype's packets


def seed(payload: bytes, session: bytes = b"TICKLOOP", length: int | None = None) -> bytes:
    announced = len(payload) if length is None else length
    return FrameSpec(payload=session + struct.pack(">I", announced) + payload).build()


def order(message_type: bytes = b"A", locate: int = 0x0102, price: int = 0x03040506, shares: int = 0x0708090A) -> bytes:
    return struct.pack("<cHII", message_type, locate, price, shares)


@pytest.fixture
def prototype() -> ReceiveModel:
    return ReceiveModel(GROUP, PORT, packet_format="prototype")


def test_prototype_fields(prototype: ReceiveModel) -> None:
    result = prototype.frame(seed(bytes.fromhex("41 0201 06050403 0a090807")))
    assert (result.kind, result.session, result.sequence, result.count) == ("data", "TICKLOOP  ", 1, 1)
    message = result.messages[0]
    assert (message.type, message.length, message.status) == ("A", 11, "ok")
    assert message.fields == {"stock_locate": 0x0102, "price": 0x03040506, "shares": 0x0708090A}
    assert message.raw == order()


@pytest.mark.parametrize("message_type", [b"A", b"P", b"\x00", b"\xff"])
@pytest.mark.parametrize(("length", "status"), [
    (0, "zero_length"), (1, "too_short"), (10, "too_short"), (11, "ok"), (12, "too_long"), (300, "too_long")])
def test_prototype_status_goes_by_length_alone(prototype: ReceiveModel, message_type: bytes, length: int,
                                               status: str) -> None:
    message = prototype.frame(seed(order(message_type).ljust(length, b"x")[:length])).messages[0]
    assert (message.status, message.length) == (status, length)
    assert message.type == (None if length == 0 else message_type.decode("latin-1"))
    line = message.as_line(0)
    assert ("fields" in line, "raw" in line) == (length >= 11, length < 11)
    if length >= 11:
        assert line["fields"]["shares"] == 0x0708090A


def test_prototype_sequence_counts_the_arrivals_of_a_session(prototype: ReceiveModel) -> None:
    sequences = [prototype.frame(seed(order())).messages[0].sequence for _ in range(3)]
    changed = prototype.frame(seed(order(), session=b"OTHER   "))
    back = prototype.frame(seed(order()))
    assert sequences == [1, 2, 3]
    assert [changed.messages[0].sequence, back.messages[0].sequence] == [1, 1]
    assert changed.events == [{"event": "session_change", "frame": 3, "session": "OTHER     "}]
    assert back.flags.session_change
    assert prototype.counters["gaps"] == prototype.counters["duplicates"] == 0
    assert prototype.counters["next_expected"] == 2


def test_prototype_bad_frames_and_cut_ones_consume_no_number(prototype: ReceiveModel) -> None:
    prototype.frame(seed(order()))
    bad = prototype.frame(seed(order(), session=b"OTHER   "), bad_fcs=True)
    assert (bad.messages[0].sequence, bad.messages[0].verdict) == (1, "bad")
    cut = prototype.frame(seed(order(), length=12))
    assert (cut.messages, cut.flags, cut.sequence) == ([], Flags(truncated=True), 2)
    assert cut.events == [{"event": "truncated", "frame": 2}]
    longer = prototype.frame(seed(order(), length=3))
    assert (longer.flags, longer.messages[0].raw, longer.messages[0].sequence) == (
        Flags(extra_data=True), order()[:3], 2)
    huge = prototype.frame(seed(order(), length=0xFFFFFFFF))
    assert (huge.flags.truncated, huge.messages) == (True, [])
    assert prototype.frame(seed(order())).messages[0].sequence == 3


@pytest.mark.parametrize("delivery", ["verified", "cut-through"])
def test_prototype_header_must_be_there(delivery: Delivery) -> None:
    for length in range(13):
        model = ReceiveModel(GROUP, PORT, packet_format="prototype", delivery=delivery)
        result = model.frame(FrameSpec(payload=bytes(length)).build())
        assert result.reason == ("short_mold_header" if length < 12 else None)
        assert [message.status for message in result.messages] == (["zero_length"] if length == 12 else [])
