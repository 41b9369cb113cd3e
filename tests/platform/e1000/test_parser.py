# SPDX-License-Identifier: MIT
"""The software parsers, in C and in assembly: of every frame they make the lines that the RTL writes, byte for byte.

They drop the frames that it drops for its reasons, and count what it counts. The fields are itchfeed's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from itch import messages as itchfeed

from generators.framing import DEFAULT_GROUP, FrameEncoder, heartbeat, mold_packet
from generators.mutation import traffic
from generators.profiles import generate
from generators.tables import ITCH50
from tb.model.receive import DROP_REASONS, MAX_FRAME_BYTES, ReceiveModel
from tests.model.frames import FrameSpec, mold
from tests.model.test_record_oracle import in_record
from tests.platform.e1000.parser_harness import Parser, build_parser, expected_lines, lines_of
from tests.seeds import seed_of

ENCODER = FrameEncoder()
TAGGED = (0x8100, 0x88A8, 0x8100)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_parser(tmp_path_factory.mktemp("parser"))


@pytest.fixture(params=[False, True], ids=["c", "assembly"])
def parser(program: Path, request: pytest.FixtureRequest) -> Iterator[Parser]:
    parser = Parser(program, request.param)
    yield parser
    parser.close()


def model() -> ReceiveModel:
    return ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port, delivery="verified")


def assert_same_counters(parser: Parser, model: ReceiveModel) -> None:
    ours, theirs = parser.counters(), model.counters
    for reason in ("accept", "overflow"):  # no reasons of the model's
        assert ours["dropped"].pop(reason) == 0
    for name, value in ours.items():
        assert value == theirs[name], name


@pytest.mark.parametrize("extra", [b"", b"?", b"\xff" * 60], ids=["", "1 more", "60 more"])
def test_all_types_field_by_field(parser: Parser, extra: bytes) -> None:
    """Against the reference of the RTL's records, and against itchfeed."""
    random = Random(23)
    receiver, sequence, compared = model(), 1, 0
    for message_type in sorted(ITCH50):
        size = ITCH50[message_type].length - 1
        raws = [message_type.encode() + body for body in
                (bytes(size), b"\xff" * size, bytes(range(size)), *(random.randbytes(size) for _ in range(4)))]
        frame = ENCODER.encode(mold_packet([raw + extra for raw in raws], sequence))
        time_ns = random.getrandbits(48)
        sequence += len(raws)
        reason, lines = parser.frame(frame, time_ns)
        assert reason is None
        assert lines == expected_lines(receiver.frame(frame), time_ns), message_type
        at = 0
        for raw in raws:
            record = tuple(lines[at:at + 1 + lines[at][28]])
            at += len(record)
            fields: dict[str, Any] = in_record(record, message_type)
            theirs = vars(itchfeed.messages[raw[:1]](raw))
            assert fields.pop("timestamp") == theirs.pop("timestamp")
            ours = [fields[name] for name in ITCH50[message_type].names if name in fields]
            assert ours == [value.decode("latin-1") if isinstance(value, bytes) else value for value in theirs.values()]
            compared += len(ours)
    assert compared > 7 * 23 * 3
    assert_same_counters(parser, receiver)


def test_messages_that_are_not_decoded(parser: Parser) -> None:
    """Every type code in every length up to the longest known one, and some long messages."""
    receiver, sequence, random = model(), 1, Random(5)
    for length in (*range(52), 79, 80, 81, 136, 1400, 9000):
        kinds = range(256) if length < 52 else (0, 65, 73, 122)
        blocks = [(bytes([kind]) + random.randbytes(length))[:length] for kind in kinds]
        for at in range(0, len(blocks), 128 if length < 52 else 1):
            batch = blocks[at:at + 128] if length < 52 else blocks[at:at + 1]
            frame = ENCODER.encode(mold_packet(batch, sequence))
            sequence += len(batch)
            assert parser.frame(frame) == (None, expected_lines(receiver.frame(frame), 0)), length
    assert_same_counters(parser, receiver)
    assert all(receiver.counters["messages"].values())


GOOD = mold(1, [raw for _, raw in generate("quiet", seed=1, messages=3)])
# One frame for each reason that can be, and near misses.
FRAMES = {
    "accept": [FrameSpec(GOOD), FrameSpec(GOOD, tags=TAGGED[:1]), FrameSpec(GOOD, tags=TAGGED[:2]),
               FrameSpec(GOOD, options=bytes(40)), FrameSpec(GOOD, udp_checksum=0), FrameSpec(GOOD, trailer=b"x" * 30),
               FrameSpec(GOOD, ip_padding=b"y" * 9), FrameSpec(GOOD[:-1])],
    "oversize": [FrameSpec(GOOD, trailer=bytes(MAX_FRAME_BYTES))],
    "vlan_depth": [FrameSpec(GOOD, tags=TAGGED), FrameSpec(GOOD, tags=TAGGED, cut=22)],
    "not_ipv4": [FrameSpec(GOOD, ethertype=0x86DD), FrameSpec(GOOD, cut=13), FrameSpec(GOOD, tags=TAGGED[:2], cut=21),
                 FrameSpec(GOOD, tags=TAGGED[:1], ethertype=0x0806)],
    "truncated_ip": [FrameSpec(GOOD, cut=33), FrameSpec(GOOD, cut=14), FrameSpec(GOOD, options=bytes(40), cut=73)],
    "bad_ip_version": [FrameSpec(GOOD, version=6)],
    "bad_ihl": [FrameSpec(GOOD, ihl=4), FrameSpec(GOOD, ihl=0)],
    "bad_ip_checksum": [FrameSpec(GOOD, ip_checksum_error=1), FrameSpec(GOOD, ip_checksum_error=0x8000)],
    "ip_length": [FrameSpec(GOOD, total=19), FrameSpec(GOOD, cut=100), FrameSpec(GOOD, total=9000)],
    "ip_fragment": [FrameSpec(GOOD, fragment=0x2000), FrameSpec(GOOD, fragment=1)],
    "not_udp": [FrameSpec(GOOD, protocol=6)],
    "other_destination": [FrameSpec(GOOD, destination="233.54.12.112")],
    "udp_length": [FrameSpec(GOOD, udp_length=7), FrameSpec(GOOD, udp_length=200), FrameSpec(GOOD, total=27)],
    "other_port": [FrameSpec(GOOD, port=26478)],
    "bad_udp_checksum": [FrameSpec(GOOD, udp_checksum_error=1), FrameSpec(GOOD, udp_checksum_error=0xFF00)],
    "short_mold_header": [FrameSpec(GOOD[:19]), FrameSpec(b"")],
}


def test_every_reason_to_drop_a_frame(parser: Parser) -> None:
    assert set(FRAMES) - {"accept"} == set(DROP_REASONS) - {"bad_fcs"}  # the FCS is the NIC's business
    receiver = model()
    for reason, specs in FRAMES.items():
        for spec in specs:
            frame = spec.build()
            result = receiver.frame(frame)
            assert (result.reason or "accept") == reason
            assert parser.frame(frame, 7) == (result.reason, expected_lines(result, 7)), spec
    assert_same_counters(parser, receiver)


def test_a_frame_cut_anywhere(parser: Parser) -> None:
    """Also with a length of the datagram that fits: then messages before the cut are delivered."""
    receiver, whole = model(), FrameSpec(GOOD, tags=TAGGED[:1]).build()
    for cut in range(len(whole)):
        result = receiver.frame(whole[:cut])
        assert parser.frame(whole[:cut]) == (result.reason, expected_lines(result, 0)), cut
    for cut in range(20, len(GOOD)):
        frame = FrameSpec(mold(1000 * cut, [])[:18] + GOOD[18:cut]).build()
        result = receiver.frame(frame)
        assert result.disposition == "accept"
        assert parser.frame(frame) == (result.reason, expected_lines(result, 0)), cut
    assert_same_counters(parser, receiver)


def test_the_stream_at_the_ends_of_its_numbers(parser: Parser) -> None:
    """Gaps, old numbers, partly old packets, other sessions and their ends, around 0 and 2^63."""
    random, receiver, seen = Random(8), model(), Counter[str]()
    messages = [raw for _, raw in generate("quiet", seed=2, messages=6)]
    sequence, session = (1 << 64) - 5, "SESSION001"
    for _ in range(400):
        if random.random() < 0.05:
            session = random.choice(("SESSION001", "SESSION002", "SESSION00"))
        if random.random() < 0.05:
            sequence = random.choice((0, 1 << 63, (1 << 64) - 3, (1 << 63) - 1))
        sequence = (sequence + random.choice((-6, -1, 0, 0, 0, 0, 1, 3))) % (1 << 64)
        count = random.randrange(7)
        packet = mold_packet(messages[:count], sequence, session) if count else heartbeat(sequence, session)
        if random.random() < 0.05:
            packet = packet[:18] + b"\xff\xff" + packet[20:]
        frame = ENCODER.encode(packet)
        result = receiver.frame(frame)
        assert parser.frame(frame, 3) == (None, expected_lines(result, 3))
        seen.update(name for name, value in result.flags._asdict().items() if value)
        sequence += count
    assert_same_counters(parser, receiver)
    assert set(seen) >= {"gap", "session_change", "end_of_session", "extra_data"}


@pytest.mark.parametrize(("count", "jumbo"), [(5000, False), (150, True)], ids=["usual", "jumbo"])
def test_fuzzed_frames(parser: Parser, count: int, jumbo: bool) -> None:
    """Half of the frames mutated; other ones in a run of the tests that draws new seeds."""
    seed = seed_of(f"fuzzed frames, jumbo {jumbo}")
    frames = traffic(seed, count, two_lines=False, jumbo=jumbo).frames
    receiver, reasons = model(), set()
    for number in range(len(frames)):
        frame = frames.frame(number)
        result = receiver.frame(frame)
        reasons.add(result.reason)
        assert parser.frame(frame, number) == (result.reason, expected_lines(result, number)), (
            f"frame {number} of traffic({seed}, {count}, two_lines=False, jumbo={jumbo}): {frame.hex()}")
    assert_same_counters(parser, receiver)
    assert len(reasons) > (2 if jumbo else 12)


def test_nothing_of_a_line_is_left_from_before(parser: Parser) -> None:
    """The runner fills the lines with 0xA5 before each message: bytes that are none of a field's are zero."""
    frame = ENCODER.encode(mold_packet([b"D" + bytes(18)], 0))
    reason, lines = parser.frame(frame)
    assert reason is None
    assert lines == lines_of(bytes(24) + b"\x13\0D" + bytes(37))
