# SPDX-License-Identifier: MIT
"""The kernel's parser of unicast MoldUDP64: its records are the NIC's, byte for byte, and itchfeed's, field by field;
it accepts what the receiver's model accepts of such frames and nothing else; its requests are scapy's."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from itch import messages as itchfeed
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from bridge import layout
from generators.framing import FrameEncoder, Group, heartbeat, mold_packet
from generators.profiles import generate
from generators.tables import ITCH50
from tb.env.records import message_lines
from tb.model.packet import message
from tb.model.recovery import answer_blocks, request_frame
from tests.core.recovery_harness import PATH, Recovery
from tests.model.test_record_oracle import PREFIX, in_record

SESSION = "TICKLOOP01"
PUBLISH = b"\0" * 4
ENCODER = FrameEncoder(Group(PATH.our_address, PATH.our_port), source=PATH.server_address, source_port=PATH.server_port)


def answer_frame(packet: bytes) -> bytes:
    """A packet from the server to us."""
    return bytes.fromhex(PATH.our_mac.replace(":", "")) + ENCODER.encode(packet)[6:]


def nic_lines(raw: bytes, sequence: int, time_ns: int) -> list[bytes]:
    """The record and its continuation lines as the NIC's reference has them."""
    continuations, first = message_lines(message(sequence, raw, "good", "mold"), "A", time_ns)
    return [line + PUBLISH for line in (first, *continuations)]


@pytest.mark.parametrize("extra", [b"", b"?", b"\xff" * 60], ids=["", "1 more", "60 more"])
@pytest.mark.parametrize("message_type", sorted(ITCH50))
def test_records_are_the_nics_and_itchfeeds(recovery: Recovery, message_type: str, extra: bytes) -> None:
    random = Random(f"parser {message_type}")
    size = ITCH50[message_type].length - 1
    compared = 0
    for body in (bytes(size), b"\xff" * size, bytes(range(size)), *(random.randbytes(size) for _ in range(20))):
        raw = message_type.encode() + body
        sequence, time_ns = random.getrandbits(64), random.getrandbits(48)
        lines = recovery.lines(raw + extra, sequence, time_ns)
        assert lines == nic_lines(raw + extra, sequence, time_ns)
        fields: dict[str, Any] = in_record(tuple(lines), message_type)
        theirs = vars(itchfeed.messages[raw[:1]](raw))
        assert fields.pop("timestamp") == theirs.pop("timestamp")
        ours = [fields[name] for name in ITCH50[message_type].names if name in fields]
        assert ours == [value.decode("latin-1") if isinstance(value, bytes) else value for value in theirs.values()]
        compared += len(ours)
    assert compared >= 23 * (len(PREFIX) - 1)


@pytest.mark.parametrize("length", [0, 1, 11, 23, 24, 25, 79, 80, 81, 82, 136, 1400, 9152])
def test_messages_that_are_not_decoded(recovery: Recovery, length: int) -> None:
    """Empty, of an unknown type, and too short for their type: raw, over as many lines as it takes."""
    random = Random(length)
    kinds = [b"z", b"\0", b"\xff", *(kind.encode() for kind in ITCH50 if ITCH50[kind].length > length)]
    for kind in kinds:
        raw = (kind + random.randbytes(length))[:length]
        assert recovery.lines(raw, length, 5) == nic_lines(raw, length, 5)


def test_a_packets_messages(recovery: Recovery) -> None:
    messages = [raw for _, raw in generate("opening", seed=3, messages=200)]
    for start in range(0, 200, 20):
        blocks = [*messages[start:start + 20], b""]
        parsed = recovery.parse(answer_frame(mold_packet(blocks, start + 1)))
        expected = [line for number, raw in enumerate(blocks, start + 1) for line in nic_lines(raw, number, 0)]
        assert parsed == (SESSION.encode(), expected)


def test_heartbeats_and_truncated_packets(recovery: Recovery) -> None:
    """What was cut off the end of a packet is left out, with all that the header announces behind it."""
    assert recovery.parse(answer_frame(heartbeat(7))) == (SESSION.encode(), [])
    messages = [raw for _, raw in generate("opening", seed=4, messages=5)]
    packet = mold_packet(messages, 1)
    found = set()
    for cut in range(20, len(packet)):
        frame = answer_frame(packet[:cut])
        parsed, expected = recovery.parse(frame), answer_blocks(PATH, frame)
        assert parsed is not None
        assert expected is not None
        assert parsed[1] == [line for number, raw in enumerate(expected[2], 1) for line in nic_lines(raw, number, 0)]
        found.add(len(expected[2]))
    assert found == {0, 1, 2, 3, 4}


# Byte of the frame -> what it belongs to.
CHECKED = {0: "destination MAC", 12: "EtherType", 14: "version and IHL", 16: "total length", 20: "fragment",
           23: "protocol", 24: "IP checksum", 26: "source address", 30: "destination address", 34: "source port",
           36: "destination port", 38: "UDP length", 40: "UDP checksum", 61: "MoldUDP64 header", 70: "a message"}


@pytest.mark.parametrize("at", CHECKED, ids=CHECKED.values())
def test_every_header_field_is_checked(recovery: Recovery, at: int) -> None:
    frame = bytearray(answer_frame(mold_packet([raw for _, raw in generate("quiet", seed=1, messages=3)], 1)))
    assert recovery.parse(bytes(frame)) is not None
    frame[at] ^= 0x10
    assert recovery.parse(bytes(frame)) is None


def test_hostile_frames_are_judged_as_the_receivers_model_does(recovery: Recovery) -> None:
    """Bytes changed, with checksums made good again or not; frames cut and lengthened; no byte beyond is ever read."""
    random = Random(5)
    good = answer_frame(mold_packet([raw for _, raw in generate("opening", seed=5, messages=4)], 1))
    verdicts = {True: 0, False: 0}
    for number in range(4000):
        frame = bytearray(good)
        for _ in range(random.choice((0, 1, 1, 2, 4))):
            frame[random.randrange(14, 64)] = random.choice((0, 1, 0x45, 0x46, 0x4F, 0xFF, random.randrange(256)))
        if random.random() < 0.3:
            frame = frame[:random.randrange(len(frame))]
        if random.random() < 0.3:
            frame += random.randbytes(random.randrange(1, 40))
        if random.random() < 0.7 and len(frame) >= 62:
            fixed = Ether(bytes(frame))
            if IP in fixed:
                fixed[IP].chksum = None
                if UDP in fixed:
                    fixed[UDP].chksum = None if random.random() < 0.8 else 0
                frame = bytearray(bytes(fixed))
        parsed, expected = recovery.parse(bytes(frame)), answer_blocks(PATH, bytes(frame))
        verdicts[expected is not None] += 1
        if expected is None:
            assert parsed is None, f"frame {number}: {frame.hex()}"
            continue
        session, sequence, blocks = expected
        lines = [line for offset, raw in enumerate(blocks)
                 for line in nic_lines(raw, (sequence + offset) % (1 << 64), 0)]
        assert parsed == (session, lines), f"frame {number}: {frame.hex()}"
    assert min(verdicts.values()) > 400


def test_requests_are_what_scapy_makes_of_them() -> None:
    random = Random(6)
    for _ in range(200):
        sequence, count = random.getrandbits(64), random.randrange(1, 0xFFFF)
        frame = request_frame(PATH, SESSION.encode(), sequence, count)
        payload = SESSION.encode() + sequence.to_bytes(8, "big") + count.to_bytes(2, "big")
        assert frame == bytes(
            Ether(src=PATH.our_mac, dst=PATH.server_mac)
            / IP(src=PATH.our_address, dst=PATH.server_address, id=0, flags="DF", ttl=64)
            / UDP(sport=PATH.our_port, dport=PATH.server_port) / payload)


def test_a_record_is_one_line_or_two() -> None:
    assert {max(line for _, line, *_ in fields) for fields in layout.ITCH_BODY.values()} == {0, 1}
