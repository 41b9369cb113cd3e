# SPDX-License-Identifier: MIT
"""The scapy layers: named fields of the tables, and a byte-exact round trip of whatever is dissected."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from generators.framing import FrameEncoder, Group, end_of_session, heartbeat, mold_packet
from generators.layers import (
    ITCH_LAYERS,
    OUCH_LAYERS,
    SOUP_LAYERS,
    MoldBlock,
    MoldUDP64,
    SoupBinTCP,
    bind_moldudp64,
    bind_soupbintcp,
    itch_message,
    ouch_message,
)
from generators.tables import ITCH50, OUCH42_INBOUND, SOUPBINTCP, Message, decode, encode

Cases = Callable[[Message], list[bytes]]
SOUP_PORT = 18_000


@pytest.mark.parametrize("key", ITCH50)
def test_itch_layer_has_the_tables_fields(key: str, cases: Cases) -> None:
    for data in cases(ITCH50[key]):
        layer = itch_message(data)
        assert isinstance(layer, ITCH_LAYERS[key])
        fields = {name: getattr(layer, name) for name in ITCH50[key].names}
        assert fields == decode(data)
        assert bytes(layer) == bytes(ITCH_LAYERS[key](**fields)) == data


@pytest.mark.parametrize("key", OUCH42_INBOUND)
def test_ouch_layer_has_the_tables_fields(key: str, cases: Cases) -> None:
    for data in cases(OUCH42_INBOUND[key]):
        layer = ouch_message(data)
        assert isinstance(layer, OUCH_LAYERS[key])
        fields = {name: getattr(layer, name) for name in OUCH42_INBOUND[key].names}
        assert fields == decode(data, OUCH42_INBOUND)
        assert bytes(layer) == bytes(OUCH_LAYERS[key](**fields)) == data


def test_layers_know_their_type() -> None:
    assert {key: bytes(layer())[:1].decode() for key, layer in ITCH_LAYERS.items()} == {key: key for key in ITCH50}
    assert bytes(OUCH_LAYERS["X"](order_token="T1", shares=7)) == b"XT1            \x00\x00\x00\x07"


@pytest.mark.parametrize("data", [b"Z", b"Z" * 40, b"A" + bytes(34), b"D"])
def test_what_fits_no_table_is_raw(data: bytes) -> None:
    assert isinstance(itch_message(data), Raw)
    assert bytes(itch_message(data)) == data


def test_too_long_message_keeps_its_tail() -> None:
    layer = itch_message(b"D" + bytes(18) + b"tail")
    assert isinstance(layer, ITCH_LAYERS["D"])
    assert layer.payload.load == b"tail"


def random_packet(random: Random) -> tuple[list[bytes], bytes]:
    messages = []
    for _ in range(random.randint(1, 12)):
        key = random.choice(list(ITCH50))
        length = random.choice([ITCH50[key].length] * 6 + [0, ITCH50[key].length - 1, ITCH50[key].length + 3])
        messages.append((key.encode() + random.randbytes(80))[:length])
    return messages, mold_packet(messages, random.randrange(1 << 64))


def test_mold_round_trip(random: Random) -> None:
    for _ in range(100):
        messages, data = random_packet(random)
        packet = MoldUDP64(data)
        assert [bytes(block.message_data or b"") for block in packet.blocks] == messages
        assert [block.message_length for block in packet.blocks] == [len(message) for message in messages]
        assert bytes(packet) == data
        built = MoldUDP64(sequence_number=packet.sequence_number, blocks=[
            MoldBlock(message_data=itch_message(message) if message else None) for message in messages])
        assert bytes(built) == data


def test_mold_cut_anywhere_round_trips(random: Random) -> None:
    messages, data = random_packet(random)
    for end in range(20, len(data)):
        packet = MoldUDP64(data[:end])
        assert bytes(packet) == data[:end]
        whole = sum(1 for n in range(1, len(messages) + 1) if len(mold_packet(messages[:n], 0)) <= end)
        assert len(packet.blocks) == whole


def test_heartbeat_and_end_of_session() -> None:
    assert bytes(MoldUDP64(message_count=0, sequence_number=7)) == heartbeat(7)
    assert bytes(MoldUDP64(message_count=0xFFFF, sequence_number=7)) == end_of_session(7)
    packet = MoldUDP64(end_of_session(7) + b"\x00\x01A")
    assert packet.blocks == []
    assert packet.payload.load == b"\x00\x01A"


def test_frame_dissects_by_port() -> None:
    message = encode("D", {"stock_locate": 9, "tracking_number": 0, "timestamp": 1, "order_reference_number": 3})
    frame = Ether(FrameEncoder().encode(mold_packet([message], 1)))
    assert frame[UDP].payload.name == "MoldUDP64"
    assert frame[ITCH_LAYERS["D"]].order_reference_number == 3
    other = FrameEncoder(Group("233.54.12.1", 26400)).encode(mold_packet([message], 1))
    assert MoldUDP64 not in Ether(other)
    bind_moldudp64(26400)
    assert MoldUDP64 in Ether(other)


def test_ports_are_set_on_top_of_udp() -> None:
    packet = IP(bytes(IP() / UDP() / MoldUDP64()))
    assert (packet[UDP].sport, packet[UDP].dport, packet[MoldUDP64].message_count) == (26477, 26477, 0)


def soup_segment() -> tuple[list[bytes], bytes]:
    order = encode("O", {
        "order_token": "T1", "buy_sell_indicator": "B", "shares": 100, "stock": "TKAA", "price": 1_000_000,
        "time_in_force": 99998, "firm": "TICK", "display": "Y", "capacity": "P", "intermarket_sweep_eligibility": "N",
        "minimum_quantity": 0, "cross_type": "N", "customer_type": " "}, OUCH42_INBOUND)
    packets = [
        encode("L", {"username": "u", "password": "p", "requested_session": "", "requested_sequence_number": "1"},
               SOUPBINTCP),
        encode("U", {"message": order}, SOUPBINTCP),
        encode("R", {}, SOUPBINTCP),
        encode("+", {"text": b"hello"}, SOUPBINTCP),
        encode("A", {"session": "S1", "sequence_number": "1"}, SOUPBINTCP),
        encode("S", {"message": b"\x01\x02"}, SOUPBINTCP),
        encode("U", {"message": b""}, SOUPBINTCP),
        encode("J", {"reject_reason_code": "A"}, SOUPBINTCP),
        encode("Z", {}, SOUPBINTCP),
        encode("O", {}, SOUPBINTCP),
    ]
    return packets, b"".join(packets)


def test_soup_packets_of_a_segment() -> None:
    bind_soupbintcp(SOUP_PORT)
    packets, data = soup_segment()
    segment = bytes(TCP(dport=SOUP_PORT) / Raw(data))
    layer = TCP(segment)
    assert bytes(layer) == segment
    soup = layer.payload
    for packet in packets:
        assert isinstance(soup, SOUP_LAYERS[packet[2:3].decode()])
        assert bytes(soup).startswith(packet)
        soup = soup.payload
    order = layer[SOUP_LAYERS["U"]].message
    assert (order.order_token.strip(), order.shares, order.display) == ("T1", 100, "Y")
    assert order.getfieldval("display") == "Y"


def test_soup_layers_build_what_the_tables_encode() -> None:
    assert bytes(SOUP_LAYERS["U"](message=ouch_message(b"XT1            \x00\x00\x00\x07"))) == \
        b"\x00\x14UXT1            \x00\x00\x00\x07"
    stack = SOUP_LAYERS["R"]() / SOUP_LAYERS["L"](username="u", password="p", requested_sequence_number="1")
    packets, _ = soup_segment()
    assert bytes(stack) == b"\x00\x01R" + packets[0]


def test_incomplete_soup_packet_is_raw() -> None:
    _, data = soup_segment()
    for end in range(1, len(data)):
        assert bytes(SoupBinTCP(data[:end])) == data[:end]
    assert isinstance(SoupBinTCP(b"\x00\x05Uabc"), Raw)
    assert isinstance(SoupBinTCP(b"\x00\x01?"), Raw)
