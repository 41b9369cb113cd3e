# SPDX-License-Identifier: MIT
"""The seed prototype's packet, byte by byte, and captures in its format."""

from __future__ import annotations

import json
import struct

import pytest

from generators import prototype
from generators.captures import read_capture
from generators.profiles import PRICED, PROFILES, generate, prototype_messages, write_prototype
from generators.tables import decode

UDP_PAYLOAD = 42


def test_bytes_of_a_packet():
    message = prototype.message("A", 0x0102, 0x03040506, 0x0708090A)
    assert message == bytes.fromhex("41 0201 06050403 0a090807")
    assert prototype.packet(message) == b"TICKLOOP" + bytes.fromhex("0000000b") + message
    assert prototype.decode(message + b"more") == {"stock_locate": 0x0102, "price": 0x03040506, "shares": 0x0708090A}


def test_types_with_price_and_shares():
    assert set("AFPU") == PRICED


@pytest.mark.parametrize("profile", PROFILES)
def test_traffic_is_that_of_the_profile(profile):
    """Every message has the locate, price and shares of a message of the profile's own traffic, in order."""
    own = [decode(message) for _, message in generate(profile, 3, 400, warm_up=20 * PROFILES[profile].symbols)]
    priced = [(fields["message_type"], *(fields[name] for name in prototype.FIELDS))
              for fields in own if fields["message_type"] in PRICED]
    made = list(prototype_messages(profile, 3, len(priced)))
    assert len(priced) > 100
    assert [struct.unpack("<cHII", message) for _, message in made] == [(t.encode(), *rest) for t, *rest in priced]
    times = [time_ns for time_ns, _ in made]
    assert times[0] == 0
    assert times == sorted(times)


def test_capture_and_expectation(tmp_path):
    path = tmp_path / "p.pcap"
    assert write_prototype(path, "quiet", 5, 30) == 30
    lines = [json.loads(line) for line in (tmp_path / "p.pcap.expect.jsonl").read_text().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, 31))
    for frame, line in zip(read_capture(path), lines, strict=True):
        session, length = struct.unpack_from(">8sI", frame.data, UDP_PAYLOAD)
        assert (session, length) == (b"TICKLOOP", 11)
        payload = frame.data[UDP_PAYLOAD + 12:]
        assert len(payload) == 11
        assert line == {"sequence": line["sequence"], "type": chr(payload[0]), "fields": prototype.decode(payload)}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_prototype(tmp_path / name, "quiet", seed, 20)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
