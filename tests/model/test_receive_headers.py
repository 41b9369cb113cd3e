# SPDX-License-Identifier: MIT
"""Ethernet, IPv4 and UDP: which frames are accepted, and the one reason of each that is not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from tb.model.receive import DROP_REASONS, ReceiveModel

MESSAGE = b"S" + bytes(11)
Build = Callable[..., bytes]

# One fault each, in the order in which cut-through finds them: EtherType, IPv4 header, UDP header, end of the frame.
# (reason, stage, what makes it so; "bad_fcs" goes to the model, the rest to the frame)
FAULTS: list[tuple[str, int, dict[str, Any]]] = [
    ("vlan_depth", 1, {"tags": (0x8100, 0x8100, 0x8100)}),
    ("not_ipv4", 1, {"ethertype": 0x86DD}),
    ("bad_ip_version", 2, {"version": 6}),
    ("bad_ihl", 2, {"ihl": 4}),
    ("bad_ip_checksum", 2, {"ip_checksum_error": 0x0100}),
    ("ip_length", 2, {"total": 19}),
    ("ip_fragment", 2, {"fragment": 0x2000}),
    ("not_udp", 2, {"protocol": 6}),
    ("other_destination", 2, {"destination": "233.54.12.112"}),
    ("udp_length", 2, {"total": 27}),
    ("udp_length", 3, {"udp_length": 7}),
    ("other_port", 3, {"port": 26478}),
    ("udp_length", 3, {"udp_length": 1000}),
    ("short_mold_header", 3, {"udp_length": 27}),
    ("oversize", 4, {"trailer": bytes(9216)}),
    ("bad_fcs", 4, {"bad_fcs": True}),
    ("ip_length", 4, {"total": 1000}),
    ("bad_udp_checksum", 4, {"udp_checksum_error": 1}),
]
NAMES = [f"{reason}-{next(iter(fields))}" for reason, _, fields in FAULTS]


def receive(model: ReceiveModel, build: Build, payload: bytes, fields: dict[str, Any]) -> Any:
    bad_fcs = fields.get("bad_fcs", False)
    return model.frame(build(payload=payload, **{k: v for k, v in fields.items() if k != "bad_fcs"}), bad_fcs)


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_one_fault(model: ReceiveModel, build: Build, mold: Any, fault: tuple[str, int, dict[str, Any]]) -> None:
    reason, stage, fields = fault
    result = receive(model, build, mold(7, [MESSAGE, MESSAGE]), fields)
    assert (result.disposition, result.reason) == ("drop", reason)
    assert (result.kind, result.session, result.sequence, result.count) == (None, None, None, None)
    assert result.events == [{"event": "drop", "frame": 0, "reason": reason}]
    # Only what the end of the frame shows comes too late to hold the messages back.
    assert [message.verdict for message in result.messages] == (["bad", "bad"] if stage == 4 else [])
    counters = model.counters
    assert counters["dropped"] == {name: int(name == reason) for name in DROP_REASONS}
    assert (counters["frames"], counters["accepted"]) == (1, 0)
    assert counters["bad_messages"] == len(result.messages)
    assert not any(counters["messages"].values())
    assert counters["next_expected"] is None


@pytest.mark.parametrize(("first", "second"), [
    (a, b) for a, b in combinations(range(len(FAULTS)), 2) if not set(FAULTS[a][2]) & set(FAULTS[b][2])
], ids=lambda i: NAMES[i])
def test_two_faults_the_first_to_be_seen_decides(model: ReceiveModel, build: Build, mold: Any, first: int,
                                                 second: int) -> None:
    result = receive(model, build, mold(7, [MESSAGE] * 2), FAULTS[second][2] | FAULTS[first][2])
    assert result.reason == FAULTS[first][0]


@pytest.mark.parametrize("tags", [(), (0x8100,), (0x88A8,), (0x88A8, 0x8100), (0x8100, 0x8100), (0x88A8, 0x88A8)])
def test_up_to_two_tags_are_accepted(model: ReceiveModel, build: Build, mold: Any, tags: tuple[int, ...]) -> None:
    result = model.frame(build(payload=mold(1, [MESSAGE]), tags=tags))
    assert result.disposition == "accept"
    assert [message.raw for message in result.messages] == [MESSAGE]


@pytest.mark.parametrize("third", [0x8100, 0x88A8])
def test_a_third_tag_drops_whatever_follows(model: ReceiveModel, build: Build, third: int) -> None:
    frame = build(tags=(0x8100, 0x88A8, third))
    assert model.frame(frame).reason == "vlan_depth"
    assert model.frame(frame[:22]).reason == "vlan_depth"  # its two bytes are all it takes
    assert model.frame(frame[:21]).reason == "not_ipv4"


@pytest.mark.parametrize("ethertype", [0x9100, 0x0806, 0x86DD, 0x0801, 0x002E, 0x0008])
@pytest.mark.parametrize("tags", [(), (0x8100,), (0x8100, 0x8100)])
def test_other_ethertypes(model: ReceiveModel, build: Build, mold: Any, ethertype: int, tags: tuple[int, ...]) -> None:
    assert model.frame(build(payload=mold(1, [MESSAGE]), ethertype=ethertype, tags=tags)).reason == "not_ipv4"


@pytest.mark.parametrize("words", range(11))
def test_options_of_every_size(model: ReceiveModel, build: Build, mold: Any, words: int) -> None:
    frame = build(payload=mold(1, [MESSAGE]), options=bytes(range(4 * words)))
    assert [message.raw for message in model.frame(frame).messages] == [MESSAGE]
    flipped = bytearray(frame)
    flipped[14 + 19 + 4 * words] ^= 1  # the header's last byte: the checksum covers the options
    assert model.frame(bytes(flipped)).reason == "bad_ip_checksum"


@pytest.mark.parametrize("ihl", range(5))
def test_an_impossible_ihl_counts_as_five_words(model: ReceiveModel, build: Build, mold: Any, ihl: int) -> None:
    frame = build(payload=mold(1, [MESSAGE]), ihl=ihl)
    assert model.frame(frame).reason == "bad_ihl"
    assert model.frame(frame[:34]).reason == "bad_ihl"
    assert model.frame(frame[:33]).reason == "truncated_ip"


@pytest.mark.parametrize(("fragment", "accepted"), [
    (0x0000, True), (0x4000, True), (0x8000, True), (0xC000, True),
    (0x2000, False), (0x0001, False), (0x1000, False), (0x1FFF, False), (0x6000, False), (0x2001, False),
])
def test_fragments(model: ReceiveModel, build: Build, mold: Any, fragment: int, accepted: bool) -> None:
    result = model.frame(build(payload=mold(1, [MESSAGE]), fragment=fragment))
    assert result.reason == (None if accepted else "ip_fragment")


@pytest.mark.parametrize(("fields", "reason"), [
    ({"total": 20}, "udp_length"), ({"total": 20, "protocol": 6}, "not_udp"),
    ({"total": 24, "options": bytes(4)}, "udp_length"), ({"total": 23, "options": bytes(4)}, "ip_length"),
])
def test_an_ip_datagram_without_payload_is_not_shorter_than_its_header(model: ReceiveModel, build: Build,
                                                                       fields: dict[str, Any], reason: str) -> None:
    assert model.frame(build(payload=bytes(20), **fields)).reason == reason


@pytest.mark.parametrize("destination", ["233.54.12.110", "234.54.12.111", "233.182.12.111", "127.0.0.1", "0.0.0.0"])
def test_only_the_group_address_counts_not_the_mac(model: ReceiveModel, build: Build, mold: Any,
                                                   destination: str) -> None:
    payload = mold(1, [MESSAGE])
    assert model.frame(build(payload=payload, destination=destination)).reason == "other_destination"
    assert model.frame(bytes(12) + build(payload=payload)[12:]).disposition == "accept"


def test_udp_checksum_zero_is_not_checked_and_a_computed_zero_is_sent_as_ffff(model: ReceiveModel, build: Build,
                                                                             mold: Any) -> None:
    payload = mold(1, [MESSAGE])
    assert model.frame(build(payload=payload, udp_checksum=0)).disposition == "accept"
    for filler in range(1 << 16):
        payload = mold(2, [b"?" + filler.to_bytes(2, "big") + b"!"])
        frame = build(payload=payload)
        if frame[40:42] == b"\xff\xff":
            break
    else:
        pytest.fail("no filler makes the checksum zero")
    assert model.frame(frame).disposition == "accept"
    assert model.frame(build(payload=payload, udp_checksum=0xFFFE)).reason == "bad_udp_checksum"


@pytest.mark.parametrize("length", [12, 13])
def test_every_single_bit_flip_under_the_checksums_is_found(build: Build, mold: Any, length: int) -> None:
    frame = build(payload=mold(1, [b"S" + bytes(length - 1)]))
    for bit in range(8 * 14, 8 * len(frame)):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        model = ReceiveModel("233.54.12.111", 26477)
        model.frame(build(payload=mold(1, [])))
        result = model.frame(bytes(flipped))
        assert result.disposition == "drop", f"bit {bit} flipped: {bytes(flipped).hex()}"
        assert model.counters["next_expected"] == 1


@pytest.mark.parametrize("words", [0, 3])
@pytest.mark.parametrize("tags", [0, 1, 2])
def test_a_frame_that_ends_at_every_byte(build: Build, mold: Any, tags: int, words: int) -> None:
    blocks = [MESSAGE, b"", b"?", MESSAGE]
    frame = build(payload=mold(1, blocks), tags=(0x8100,) * tags, options=bytes(4 * words))
    ip_start = 14 + 4 * tags
    udp_payload = ip_start + 20 + 4 * words + 8
    ends = [udp_payload + 20 + sum(2 + len(block) for block in blocks[:n + 1]) for n in range(len(blocks))]
    assert ends[-1] == len(frame)
    for cut in range(len(frame) + 1):
        model = ReceiveModel("233.54.12.111", 26477)
        result = model.frame(frame[:cut])
        expected = ("not_ipv4" if cut < ip_start else "truncated_ip" if cut < ip_start + 20 + 4 * words
                    else "ip_length" if cut < len(frame) else None)
        assert result.reason == expected, cut
        assert len(result.messages) == sum(end <= cut for end in ends), cut
        # The end of a bad frame is found with its FCS: where both hold, bad_fcs comes first.
        again = model.frame(frame[:cut], bad_fcs=True)
        assert again.reason == "bad_fcs", cut
        assert model.frame(frame).disposition == "accept"


def test_size_limit(model: ReceiveModel, build: Build, mold: Any) -> None:
    frame = build(payload=mold(1, [MESSAGE]))
    assert model.frame(frame + bytes(9216 - len(frame))).disposition == "accept"
    longer = build(payload=mold(2, [MESSAGE])) + bytes(9217 - len(frame))
    assert model.frame(longer).reason == "oversize"
    assert model.frame(longer, bad_fcs=True).reason == "oversize"
    assert model.counters["next_expected"] == 2


def test_an_oversize_frame_delivers_what_lies_within_the_limit(model: ReceiveModel, build: Build, mold: Any) -> None:
    blocks = [MESSAGE] * 700
    within = (9216 - 14 - 20 - 8 - 20) // 14
    result = model.frame(build(payload=mold(1, blocks)))
    assert (result.reason, len(result.messages)) == ("oversize", within)
    assert model.counters["bad_messages"] == within


def test_bytes_after_the_ip_total_length_and_the_udp_length_are_ignored(model: ReceiveModel, build: Build,
                                                                       mold: Any) -> None:
    for sequence, extra in enumerate([{"trailer": b"\x00\x0cS" + bytes(11)}, {"ip_padding": b"\x00\x0cS" + bytes(11)},
                                      {"trailer": b"x"}, {"ip_padding": b"x", "trailer": b"y"}]):
        result = model.frame(build(payload=mold(sequence, [MESSAGE], count=2), **extra))
        assert result.disposition == "accept"
        assert result.flags.truncated  # the second block is not there, whatever follows
        assert [message.sequence for message in result.messages] == [sequence]


@pytest.mark.parametrize("length", range(20))
def test_no_room_for_a_mold_header(model: ReceiveModel, build: Build, length: int) -> None:
    assert model.frame(build(payload=bytes(length))).reason == "short_mold_header"


def test_a_minimum_frame_without_messages(model: ReceiveModel, build: Build, mold: Any) -> None:
    frame = build(payload=mold(1, []))
    assert len(frame) == 62
    assert model.frame(frame).kind == "heartbeat"
    assert model.frame(b"").reason == "not_ipv4"
