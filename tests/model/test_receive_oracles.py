# SPDX-License-Identifier: MIT
"""The receiver model against programs nobody here wrote: itchfeed for ITCH 5.0 fields, tshark for MoldUDP64 framing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from itch import messages as itchfeed

from generators.tables import ITCH50
from tb.model.receive import MessageResult, ReceiveModel
from tests.model.frames import FrameSpec, mold

SEED = 20191230
DECODE_AS = ("-d", "udp.port==26477,moldudp64", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")


def deliver(messages: list[bytes], packet: Callable[..., bytes], size: int = 30) -> Iterator[MessageResult]:
    model = ReceiveModel("233.54.12.111", 26477)
    for start in range(0, len(messages), size):
        result = model.frame(packet(start + 1, messages[start:start + size]))
        assert result.disposition == "accept"
        yield from result.messages


def by_itchfeed(raw: bytes) -> dict[str, Any]:
    """The fields in wire order under itchfeed's names; it sets the timestamp last."""
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in vars(itchfeed.messages[raw[:1]](raw)).items()
    }


def assert_equal_to_itchfeed(message: MessageResult) -> None:
    theirs, fields = by_itchfeed(message.raw), message.fields
    assert fields is not None
    assert fields["message_type"] == message.type
    assert fields["timestamp"] == theirs.pop("timestamp")
    ours = {name: value for name, value in fields.items() if name not in ("message_type", "timestamp")}
    assert list(ours.values()) == list(theirs.values()), message.raw.hex()
    for name in set(ours) & set(theirs):
        assert ours[name] == theirs[name]


def test_both_know_the_same_types_and_lengths() -> None:
    assert {key.decode(): message.message_size for key, message in itchfeed.messages.items()} == {
        key: message.length for key, message in ITCH50.items()}


@pytest.mark.parametrize("message_type", sorted(ITCH50))
def test_every_field_of_every_type_as_itchfeed_reads_it(packet: Callable[..., bytes], message_type: str) -> None:
    generator = random.Random(f"{SEED} {message_type}")
    length = ITCH50[message_type].length - 1
    bodies = [b"\0" * length, b"\xff" * length, b" " * length, b"\x7f" + b"\xff" * (length - 1),
              b"\x80" + b"\0" * (length - 1), *(generator.randbytes(length) for _ in range(40)),
              *((1 << 8 * length - 1 - bit).to_bytes(length, "big") for bit in range(8 * length))]
    count = 0
    for message in deliver([message_type.encode() + body for body in bodies], packet):
        assert message.status == "ok"
        assert_equal_to_itchfeed(message)
        count += 1
    assert count == len(bodies)


@pytest.mark.parametrize("name", ["itch_12302019_open_1000.itch", "itch_start_of_day_1000.itch"])
def test_real_messages_as_itchfeed_reads_them(sample: Callable[[str], Path], packet: Callable[..., bytes],
                                              name: str) -> None:
    data, messages = sample(name).read_bytes(), []
    while data:
        length = int.from_bytes(data[:2], "big")
        messages.append(data[2:2 + length])
        data = data[2 + length:]
    count = 0
    for message in deliver(messages, packet):
        assert message.status == "ok"
        assert_equal_to_itchfeed(message)
        count += 1
    assert count == len(messages) == 1000


def test_framing_as_tshark_reads_it(tshark: Callable[..., Any], build: Callable[..., bytes],
                                    mold: Callable[..., bytes]) -> None:
    """Session, count, lengths and the sequence number of each block, on frames of all shapes."""
    generator = random.Random(SEED)
    frames, sequence = [], (1 << 64) - 300
    for _ in range(300):
        blocks = [generator.randbytes(generator.choice([0, 0, 1, 12, 19, 36, 40, 50, 200]))
                  for _ in range(generator.choice([0, 1, 1, 1, 2, 5, 20]))]
        frames.append(build(
            payload=mold(sequence, blocks), tags=generator.choice([(), (0x8100,), (0x88A8, 0x8100)]),
            options=bytes(4 * generator.choice([0, 0, 1, 10])), trailer=bytes(generator.choice([0, 5]))))
        sequence = (sequence + len(blocks)) % (1 << 64)  # wraps within the first frames
    model = ReceiveModel("233.54.12.111", 26477)
    compared = 0
    for frame, theirs in zip(frames, tshark(frames, [
        "moldudp64.session", "moldudp64.sequence", "moldudp64.count", "moldudp64.msgseq", "moldudp64.msglen",
        "ip.checksum.status", "udp.checksum.status",
    ], *DECODE_AS), strict=True):
        result = model.frame(frame)
        assert result.disposition == "accept"
        assert [result.session] == theirs["moldudp64.session"]
        assert result.sequence == int(theirs["moldudp64.sequence"][0])
        assert result.count == int(theirs["moldudp64.count"][0])
        assert [message.sequence for message in result.messages] == [int(n) for n in theirs["moldudp64.msgseq"]]
        assert [message.length for message in result.messages] == [int(n) for n in theirs["moldudp64.msglen"]]
        assert (theirs["ip.checksum.status"], theirs["udp.checksum.status"]) == (["1"], ["1"])
        compared += len(result.messages)
    assert compared > 500


def test_bad_checksums_as_tshark_finds_them(tshark: Callable[..., Any], build: Callable[..., bytes],
                                            mold: Callable[..., bytes]) -> None:
    generator = random.Random(SEED + 1)
    frames = []
    for n in range(200):
        frame = bytearray(build(payload=mold(n, [generator.randbytes(generator.choice([12, 19, 36]))]),
                                options=bytes(4 * (n % 3))))
        for _ in range(generator.choice([0, 1, 1, 2])):
            # Behind version, IHL and total length, so that both still know where the checksums lie; not the port.
            place = generator.choice([*[19, 22] * 5, *range(len(frame) - 30, len(frame))])
            frame[place] ^= generator.randrange(1, 256)
        frames.append(bytes(frame))
    model = ReceiveModel("233.54.12.111", 26477)
    seen = {"bad_ip_checksum": 0, "bad_udp_checksum": 0, None: 0}
    for frame, theirs in zip(frames, tshark(frames, ["ip.checksum.status", "udp.checksum.status"], *DECODE_AS),
                             strict=True):
        good_ip, good_udp = theirs["ip.checksum.status"] == ["1"], theirs["udp.checksum.status"] == ["1"]
        expected = "bad_ip_checksum" if not good_ip else "bad_udp_checksum" if not good_udp else None
        assert model.frame(frame).reason == expected
        seen[expected] += 1
    assert min(seen.values()) > 20


BEFORE_IP = {"vlan_depth", "not_ipv4", "truncated_ip", "bad_ip_version", "bad_ihl"}
TAG_FIELDS = ("vlan.id", "ieee8021ad.id", "ieee8021ad.svid", "ieee8021ad.cvid")  # one of them a tag
IP_FIELDS = ("frame.len", *TAG_FIELDS, "ip.hdr_len", "ip.len", "ip.flags.mf", "ip.frag_offset", "ip.proto", "ip.dst",
             "ip.checksum.status", "udp.length", "udp.dstport", "udp.checksum.status")


def random_frame(random: random.Random, sequence: int) -> bytes:
    """A frame with no fault, one or several, in any header field, and perhaps a few bytes of noise."""
    blocks = [random.randbytes(random.choice([0, 1, 12, 19, 36, 100])) for _ in range(random.choice([0, 1, 1, 2, 5]))]
    whole = mold(sequence, blocks)
    cut = random.choice([len(whole)] * 4 + [random.randint(0, len(whole))])
    payload = whole[:cut] + bytes(random.choice([0] * 9 + [3]))
    options = bytes(4 * random.choice([0, 0, 0, 1, 10]))
    length = 8 + len(payload)
    total = 20 + len(options) + length
    choices: dict[str, tuple[float, Any]] = {
        "tags": (0.5, random.choice([(0x8100,), (0x88A8,), (0x88A8, 0x8100), (0x8100,) * 3])),
        "ethertype": (0.03, random.choice([0x86DD, 0x0806])),
        "version": (0.03, random.choice([0, 5, 15])),
        "ihl": (0.03, random.randint(0, 4)),
        "ip_checksum_error": (0.05, random.randrange(1, 65535)),
        "total": (0.1, random.choice([1, 19, 20, 27, total - 1, total + 1, 65535])),
        "fragment": (0.1, random.choice([0, 0x4000, 0x2000, 1, 0x1FFF])),
        "protocol": (0.03, random.choice([1, 6, 132])),
        "destination": (0.05, "233.54.12.112"),
        "port": (0.05, 26478),
        "udp_length": (0.1, random.choice([0, 7, 8, 27, length - 1, length + 1, 65535])),
        "udp_checksum_error": (0.05, random.randrange(1, 65535)),
        "udp_checksum": (0.05, 0),
        "trailer": (0.2, bytes(random.choice([1, 5, 60]))),
        "cut": (0.05, random.randint(22, 14 + total)),
    }
    fields = {name: value for name, (chance, value) in choices.items() if random.random() < chance}
    frame = bytearray(FrameSpec(payload=payload, options=options, **fields).build())
    if random.random() < 0.1:
        frame[random.randrange(22, len(frame))] ^= 1 << random.randrange(8)
    return bytes(frame)


def tags_by_tshark(theirs: dict[str, list[str]]) -> int:
    return sum(len(theirs[name]) for name in TAG_FIELDS)


def reason_by_tshark(theirs: dict[str, list[str]]) -> str | None:
    """The reason for which the receiving rules drop a frame that has an IPv4 header, by what tshark reads in it.

    tshark does not look at the checksum of a header whose total length is below its own: that is ip_length here.
    """
    number = {name: int(values[0], 0) for name, values in theirs.items()
              if values and name != "ip.dst" and not name.startswith("moldudp64")}
    header = number["ip.hdr_len"]
    end = 14 + 4 * tags_by_tshark(theirs) + number["ip.len"]
    if number.get("ip.checksum.status") == 0:
        return "bad_ip_checksum"
    if number["ip.len"] < header or end > number["frame.len"]:
        return "ip_length"
    if number["ip.flags.mf"] or number["ip.frag_offset"]:
        return "ip_fragment"
    if number["ip.proto"] != 17:
        return "not_udp"
    if theirs["ip.dst"] != ["233.54.12.111"]:
        return "other_destination"
    if number["ip.len"] - header < 8 or number["udp.length"] < 8:
        return "udp_length"
    if number["udp.dstport"] != 26477:
        return "other_port"
    if number["udp.length"] > number["ip.len"] - header:
        return "udp_length"
    if number.get("udp.checksum.status") == 0:
        return "bad_udp_checksum"
    return "short_mold_header" if number["udp.length"] - 8 < 20 else None


def test_verdicts_and_blocks_of_damaged_frames_as_tshark_reads_them(tshark: Callable[..., Any]) -> None:
    """Frames with faults anywhere: the reason in verified delivery and, of accepted ones, every block."""
    generator = random.Random(SEED + 2)
    frames = [random_frame(generator, n) for n in range(2000)]
    reasons: Counter[str | None] = Counter()
    blocks = 0
    for frame, theirs in zip(frames, tshark(frames, [
        *IP_FIELDS, "moldudp64.session", "moldudp64.sequence", "moldudp64.count", "moldudp64.msgseq",
        "moldudp64.msglen",
    ], *DECODE_AS, "-o", "ip.defragment:FALSE"), strict=True):
        result = ReceiveModel("233.54.12.111", 26477, delivery="verified").frame(frame)
        reasons[result.reason] += 1
        if result.reason in BEFORE_IP:
            tags = tags_by_tshark(theirs)
            cut = theirs["ip.hdr_len"] and 14 + 4 * tags + int(theirs["ip.hdr_len"][0]) > len(frame)
            assert not theirs["ip.dst"] or tags > 2 or (result.reason == "truncated_ip" and cut), frame.hex()
            continue
        expected = reason_by_tshark(theirs)
        if expected == "ip_length" and not theirs["ip.checksum.status"]:
            assert result.reason in ("ip_length", "bad_ip_checksum"), frame.hex()
            continue
        assert result.reason == expected, frame.hex()
        if result.reason is not None:
            continue
        assert [result.session] == theirs["moldudp64.session"]
        assert [str(result.sequence), str(result.count)] == theirs["moldudp64.sequence"] + theirs["moldudp64.count"]
        # tshark goes on behind the announced blocks, and shows the one at which a packet is cut.
        found = list(zip(theirs["moldudp64.msgseq"], theirs["moldudp64.msglen"], strict=False))
        ours = [(str(message.sequence), str(message.length)) for message in result.messages]
        assert ours == found[:len(ours)], frame.hex()
        assert len(ours) == result.count or result.flags.truncated or result.kind != "data"
        assert len(found) - len(ours) <= 1 or result.flags.extra_data
        blocks += len(ours)
    assert set(reasons) >= {None, *BEFORE_IP, "ip_length", "ip_fragment", "not_udp", "other_destination", "udp_length",
                            "other_port", "bad_ip_checksum", "bad_udp_checksum", "short_mold_header"}
    assert blocks > 500
