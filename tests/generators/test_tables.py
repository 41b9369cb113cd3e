# SPDX-License-Identifier: MIT
"""The wire tables against itchfeed, an ITCH parser nobody here wrote, and the rules of encode and decode."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from itch.messages import messages as itchfeed_messages

from generators.tables import (
    ITCH50,
    MOLD_HEADER,
    OUCH42_INBOUND,
    OUCH42_OUTBOUND,
    OUCH50_INBOUND,
    OUCH50_OUTBOUND,
    SOUPBINTCP,
    Message,
    WireError,
    decode,
    encode,
)

Cases = Callable[[Message], list[bytes]]

# Where itchfeed names a field differently.
ITCHFEED_NAMES = {
    ("R", "luld_reference_price_tier"): "luld_ref",
    ("V", "level_1"): "level1_price",
    ("V", "level_2"): "level2_price",
    ("V", "level_3"): "level3_price",
    ("K", "ipo_quotation_release_time"): "ipo_release_time",
    ("K", "ipo_quotation_release_qualifier"): "ipo_release_qualifier",
    ("J", "auction_collar_extension"): "auction_collar_extention",
    ("X", "canceled_shares"): "cancelled_shares",
    ("U", "original_order_reference_number"): "order_reference_number",
    ("I", "price_variation_indicator"): "variation_indicator",
}
ITCH_TYPES = "SRHYLVWKJhAFECXDUPQBINO"
TABLES = {"itch50": ITCH50, "ouch42 in": OUCH42_INBOUND, "ouch42 out": OUCH42_OUTBOUND, "ouch50 in": OUCH50_INBOUND,
          "ouch50 out": OUCH50_OUTBOUND}


def test_all_23_itch_types_are_there() -> None:
    assert "".join(ITCH50) == ITCH_TYPES
    assert {key.decode() for key in itchfeed_messages} == set(ITCH_TYPES)


@pytest.mark.parametrize("key", ITCH_TYPES)
def test_itch_fields_equal_itchfeed(key: str, cases: Cases) -> None:
    message = ITCH50[key]
    compared = 0
    for data in cases(message):
        theirs = vars(itchfeed_messages[key.encode()](data))
        ours = decode(data)
        assert ours.pop("message_type") == key
        assert len(ours) == len(theirs)
        for name, value in ours.items():
            other = theirs[ITCHFEED_NAMES.get((key, name), name)]
            assert value == (other.decode("latin-1") if isinstance(other, bytes) else other), (name, data.hex())
            compared += 1
    assert compared > 20 * len(message.fields[1:])


@pytest.mark.parametrize("key", ITCH_TYPES)
def test_itchfeed_encodes_the_same_bytes(key: str, cases: Cases) -> None:
    for data in cases(ITCH50[key]):
        assert itchfeed_messages[key.encode()](data).to_bytes() == encode(key, decode(data)) == data


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, table in TABLES.items() for key in table])
def test_round_trip(name: str, key: str, cases: Cases) -> None:
    table = TABLES[name]
    for data in cases(table[key]):
        assert encode(key, decode(data, table), table) == data


def test_bytes_beyond_a_message_leave_its_fields_alone() -> None:
    data = bytes(range(65, 65 + 19)).replace(b"A", b"D", 1)
    assert decode(data + b"more") == decode(data)


def test_short_text_is_padded_on_the_fields_own_side() -> None:
    stock = encode("N", {"stock_locate": 1, "tracking_number": 0, "timestamp": 0, "stock": "AB", "interest_flag": "N"})
    assert stock[11:19] == b"AB      "
    login = encode("L", {"username": "me", "password": "pw", "requested_session": "S1",
                         "requested_sequence_number": "12"}, SOUPBINTCP)
    assert login == b"\x00\x2fL" + b"me    " + b"pw        " + b"        S1" + b"12".rjust(20)
    assert decode(login, SOUPBINTCP)["requested_sequence_number"] == "12".rjust(20)


def test_soupbintcp_computes_its_length() -> None:
    assert encode("U", {"message": b"order"}, SOUPBINTCP) == b"\x00\x06Uorder"
    assert decode(b"\x00\x06Uorder", SOUPBINTCP) == {"packet_length": 6, "packet_type": "U", "message": b"order"}
    assert encode("R", {}, SOUPBINTCP) == b"\x00\x01R"


def test_mold_header() -> None:
    assert MOLD_HEADER.decode(b"TICKLOOP01" + bytes(7) + b"\x05\xff\xff") == {
        "session": "TICKLOOP01", "sequence_number": 5, "message_count": 0xFFFF}


DELETE = {"stock_locate": 1, "tracking_number": 2, "timestamp": 3, "order_reference_number": 4}


@pytest.mark.parametrize(("change", "text"), [
    ({"stock_locate": 65536}, "stock_locate has 2 bytes, got 65536"),
    ({"timestamp": -1}, "timestamp has 6 bytes, got -1"),
    ({"timestamp": "1"}, "timestamp is an integer"),
    ({"colour": 1}, "has no field colour"),
    ({"message_type": 68}, "message_type is text"),
    ({"message_type": "DD"}, "message_type has 1 bytes"),
    ({"message_type": "\u20ac"}, "message_type is Latin-1 text"),
])
def test_wrong_values_are_refused(change: dict[str, int | str], text: str) -> None:
    with pytest.raises(WireError, match=text):
        encode("D", DELETE | change)


def test_missing_unknown_and_short_are_refused() -> None:
    with pytest.raises(WireError, match="field stock_locate is missing"):
        encode("D", {})
    with pytest.raises(WireError, match="unknown message type 'Z'"):
        encode("Z", {})
    with pytest.raises(WireError, match="unknown message type b'Z'"):
        decode(b"Z123")
    with pytest.raises(WireError, match="unknown message type b''"):
        decode(b"")
    with pytest.raises(WireError, match="is 19 bytes, got 18"):
        decode(encode("D", DELETE)[:-1])
