# SPDX-License-Identifier: MIT
"""OUCH in the kernel: inbound messages to the byte, outbound ones against the tables, and 4.2 against tshark."""

from __future__ import annotations

import shutil
import subprocess
from random import Random
from typing import Any

import pytest

from bridge.layout import AnswerKind, IntentKind, SoupPacket, TxKind
from generators.captures import write_pcap
from generators.exchange.segment import ACK, PSH, Segment, build
from generators.layers import SOUP_LAYERS, ouch_message
from generators.tables import OUCH42_INBOUND, OUCH42_OUTBOUND, OUCH50_INBOUND, OUCH50_OUTBOUND, decode
from tb.model.config import KernelConfig
from tb.model.intent import Intent as ModelIntent
from tb.model.orders import ouch42, ouch50
from tests.session.session_harness import (
    CLIENT,
    CLIENT_MAC,
    CLIENT_PORT,
    SERVER,
    SERVER_MAC,
    SERVER_PORT,
    Answer,
    Intent,
    make_config,
)

VERSIONS = ("4.2", "5.0")
PREFIX = "TKLP"
KINDS_42 = {"S": AnswerKind.SYSTEM_EVENT, "A": AnswerKind.ACCEPTED, "U": AnswerKind.REPLACED,
            "C": AnswerKind.CANCELED, "D": AnswerKind.AIQ_CANCELED, "E": AnswerKind.EXECUTED,
            "G": AnswerKind.EXECUTED, "F": AnswerKind.CORRECTED, "B": AnswerKind.BROKEN, "J": AnswerKind.REJECTED,
            "P": AnswerKind.CANCEL_PENDING, "I": AnswerKind.CANCEL_REJECT, "T": AnswerKind.PRIORITY_UPDATE,
            "M": AnswerKind.MODIFIED, "N": AnswerKind.TRADE_NOW}
KINDS_50 = {kind: answer for kind, answer in KINDS_42.items() if kind not in "GN"} | {
    "R": AnswerKind.RESTATED, "Q": AnswerKind.ACCOUNT}
OUTBOUND = [("4.2", kind) for kind in OUCH42_OUTBOUND] + [("5.0", kind) for kind in OUCH50_OUTBOUND]
APPENDAGES = (b"", b"\x02\x0cP", b"\x05\x02TICK\x02\x04R", b"\x09\x13" + bytes(8), b"\x01\x63")
BAD_APPENDAGES = (b"\x00", b"\x05\x02TIC", b"\x02", b"\x02\x0cP\x00", b"\xff" + bytes(20))

# By type, the bytes of each field behind it up to an appendage, as the Open Markets Initiative's Wireshark dissector
# takes them (Nasdaq Equities Orders Ouch 5.0, in Lua): tshark itself knows OUCH up to 4.2.
DISSECTED_INBOUND = {"O": (4, 1, 4, 8, 8, 1, 1, 1, 1, 1, 14, 2), "U": (4, 4, 4, 8, 1, 1, 1, 14, 2), "X": (4, 4),
                     "M": (4, 1, 4)}
DISSECTED_OUTBOUND = {
    "A": (8, 4, 1, 4, 8, 8, 1, 1, 8, 1, 1, 1, 1, 14, 2), "U": (8, 4, 4, 1, 4, 8, 8, 1, 1, 8, 1, 1, 1, 1, 14, 2),
    "C": (8, 4, 4, 1), "D": (8, 4, 4, 1, 4, 8, 1), "E": (8, 4, 4, 8, 1, 8, 2), "B": (8, 4, 8, 1, 14),
    "F": (8, 4, 4, 8, 1, 8, 1, 14), "J": (8, 4, 2, 14), "P": (8, 4), "I": (8, 4), "T": (8, 4, 8, 1, 8),
    "M": (8, 4, 1, 4), "R": (8, 4, 1, 2),
}

# Of a message's fields, what an answer calls otherwise. Fields an answer has no place for are left out.
NAMES = {
    "user_ref_num": "number", "next_user_ref_num": "number", "orig_user_ref_num": "original", "quantity": "shares",
    "decrement_shares": "shares", "executed_shares": "shares", "execution_price": "price",
    "order_reference_number": "reference", "match_number": "match", "buy_sell_indicator": "side",
    "event_code": "reason", "order_token": "number", "replacement_order_token": "number",
    "previous_order_token": "original",
}
UNSAID = {"AIQ Canceled": ("execution_price", "price")}  # the price of a trade that was prevented


def table(version, outbound=True):
    if version == "4.2":
        return OUCH42_OUTBOUND if outbound else OUCH42_INBOUND
    return OUCH50_OUTBOUND if outbound else OUCH50_INBOUND


def random_message(message, random):
    """Fields of a message with every value its table allows, but tokens and prices that can be ours."""
    fields: dict[str, Any] = {}
    for field in message.fields[1:]:
        if field.name.endswith("order_token"):
            fields[field.name] = f"{PREFIX}{random.randrange(1 << 32):010d}"
        elif "price" in field.name and field.is_integer:
            fields[field.name] = random.randrange(1 << 32)
        elif field.name == "appendage":
            fields[field.name] = random.choice(APPENDAGES)
        elif field.is_integer:
            fields[field.name] = random.choice((0, (1 << 8 * field.length) - 1, random.getrandbits(8 * field.length)))
        elif field.name == "order_state":
            fields[field.name] = random.choice("LD")
        else:
            fields[field.name] = "".join(random.choice("ABCXYZ 19") for _ in range(field.length))
    if "appendage" in fields:
        fields["appendage_length"] = len(fields["appendage"])
    return fields


def expected_answer(version, kind, fields):
    """What the fields of a message say, as an answer."""
    values: dict[str, Any] = dict.fromkeys(Answer._fields, 0) | {"side": ""}
    message = table(version)[kind]
    for name, value in fields.items():
        target = NAMES.get(name, name)
        if target not in values or name in UNSAID.get(message.name, ()):
            continue
        values[target] = value
        if name.endswith("order_token"):
            values[target] = int(value[len(PREFIX):])
        elif target == "reason":
            values[target] = ord(value) if isinstance(value, str) else min(value, 255)
    values["kind"] = (KINDS_42 if version == "4.2" else KINDS_50)[kind]
    values["dead"] = int(fields.get("order_state") == "D")
    return Answer(**values)


@pytest.mark.parametrize(("messages", "dissected"), [(OUCH50_INBOUND, DISSECTED_INBOUND),
                                                     (OUCH50_OUTBOUND, DISSECTED_OUTBOUND)], ids=["in", "out"])
def test_fields_of_5_0_are_as_wide_as_another_reader_of_the_specification_has_them(messages, dissected):
    widths = {kind: tuple(field.length for field in messages[kind].fields[1:] if field.name != "appendage")
              for kind in dissected}
    assert widths == dissected


@pytest.mark.parametrize(("version", "kind"), OUTBOUND)
def test_every_message_of_the_exchange_is_understood(session, version, kind):
    random = Random(f"{version}{kind}")
    session.configure(make_config(version))
    message = table(version)[kind]
    for _ in range(60):
        fields = random_message(message, random)
        data = message.encode(fields)
        assert session.parse(data) == expected_answer(version, kind, fields), data.hex()


@pytest.mark.parametrize(("version", "kind"), OUTBOUND)
def test_no_other_length_is_believed(session, version, kind):
    """Shorter or longer by any number of bytes; of OUCH 5.0 only a well-formed appendage may follow."""
    session.configure(make_config(version))
    message = table(version)[kind]
    fields = random_message(message, Random(3)) | ({"appendage": b"", "appendage_length": 0}
                                                   if "appendage" in message.names else {})
    data = message.encode(fields)
    assert session.parse(data).kind != AnswerKind.MALFORMED
    malformed = [data[:length] for length in range(len(data))] + [data + b"A" * more for more in range(1, 40)]
    if version == "5.0":
        base = data[:-2] if "appendage" in message.names else data
        malformed += [base + len(tags).to_bytes(2, "big") + tags for tags in BAD_APPENDAGES]
        malformed += [base + (len(tags) + wrong).to_bytes(2, "big") + tags for tags in APPENDAGES for wrong in (1, 255)]
        for tags in APPENDAGES:
            answer = session.parse(base + len(tags).to_bytes(2, "big") + tags)
            assert answer == session.parse(data)
    for wrong in malformed:
        assert session.parse(wrong).kind == AnswerKind.MALFORMED, wrong.hex()


@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_types_are_malformed(session, version):
    session.configure(make_config(version))
    for kind in range(256):
        if chr(kind) not in table(version):
            for length in (1, 28, 40, 66):
                assert session.parse(bytes([kind]) + bytes(length - 1)).kind == AnswerKind.MALFORMED


@pytest.mark.parametrize("token", [
    "TKLX0000000001", "tklp0000000001", "TKLP000000000a", "TKLP 000000001", "TKLP9999999999", "TKLP4294967296",
    "              ", "TKLP0000000000", "TKLP-000000001",
])
def test_a_token_of_somebody_else_is_no_order_of_ours(session, token):
    session.configure(make_config())
    message = OUCH42_OUTBOUND["P"].encode({"timestamp": 1, "order_token": token})
    assert session.parse(message).number == 0
    largest = OUCH42_OUTBOUND["P"].encode({"timestamp": 1, "order_token": "TKLP4294967295"})
    assert session.parse(largest).number == 0xFFFF_FFFF


def test_a_price_of_more_than_32_bits_is_malformed(session):
    session.configure(make_config("5.0"))
    for kind in "AUETF":
        message = OUCH50_OUTBOUND[kind]
        fields = random_message(message, Random(5))
        assert session.parse(message.encode(fields | {"price": 0xFFFF_FFFF})).price == 0xFFFF_FFFF
        assert session.parse(message.encode(fields | {"price": 1 << 32})).kind == AnswerKind.MALFORMED


def intents(random, count):
    """Intents of all kinds, numbers as the kernel gives them: increasing, some passed over."""
    number = 0
    for _ in range(count):
        kind = random.choice(list(IntentKind))
        if kind in (IntentKind.ENTER, IntentKind.REPLACE):
            number += random.choice((1, 1, 1, 2, 90, 10_000_000))
        yield Intent(
            stock=random.choice(("A", "TKAAAA", "LONGNAME")).ljust(8).encode(), number=number,
            original=random.choice((1, random.randrange(1, 1 << 32))), shares=random.randrange(1_000_000),
            price=random.choice((1, 0x7735939C, random.randrange(1, 0x7735939D))), kind=kind,
            side=random.choice("BST"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("terms", [
    {}, {"time_in_force": 0, "firm": "    "}, {"time_in_force": 99_999}, {"minimum_quantity": 5, "firm": "    "},
    {"time_in_force": 60, "firm": "    ", "customer_type": "R"},
])
def test_every_order_is_encoded_as_the_tables_have_it(session, version, terms):
    config = KernelConfig(ouch_version=version, token_prefix=PREFIX, **terms)
    header = {name: getattr(config, name) for name in ("time_in_force", "minimum_quantity")} | {
        name: ord(getattr(config, name)) for name in ("display", "capacity", "cross_type", "customer_type")}
    sweep = ord(config.intermarket_sweep_eligibility)
    assert session.configure(make_config(version, firm=config.firm.encode(), intermarket_sweep=sweep, **header)) == ""
    seen = set()
    for intent in intents(Random(1), 200):
        slot = session.encode(intent)
        message = slot["message"].tobytes()[:slot["length"]]
        model = ModelIntent(intent.kind.name.lower(), side=intent.side, shares=intent.shares, price=intent.price,
                            original=intent.original, number=intent.number, stock=intent.stock.decode())
        assert message == (ouch42 if version == "4.2" else ouch50)(model, config)
        assert (slot["kind"], slot["packet_type"]) == (TxKind.ORDER, SoupPacket.UNSEQUENCED)
        fields = decode(message, table(version, outbound=False))
        if version == "4.2":
            layer = ouch_message(message)
            assert {name: layer.getfieldval(name) for name in fields} == fields
        seen.add(intent.kind)
    assert seen == set(IntentKind)


def test_what_does_not_fit_a_slot_is_refused(session):
    assert "do not fit one slot" in session.configure(make_config("5.0", minimum_quantity=1))
    assert "do not fit one slot" in session.configure(make_config("5.0", time_in_force=60))
    assert session.configure(make_config("4.2", minimum_quantity=1)) == ""


def server_frames(messages):
    """The messages as sequenced data, a segment each, from the exchange."""
    sequence = 1
    for message in messages:
        data = bytes(SOUP_LAYERS["S"](message=message))
        yield build(Segment(SERVER_MAC, CLIENT_MAC, SERVER, CLIENT, SERVER_PORT, CLIENT_PORT, sequence, 1, ACK | PSH,
                            65535, data), 0)
        sequence += len(data)


def test_tshark_reads_the_exchanges_messages_as_we_do(session, tmp_path):
    """OUCH 4.2 by a dissector of somebody else's: type, token, shares, price and numbers of every type it knows."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    session.configure(make_config())
    random = Random(7)
    messages = [OUCH42_OUTBOUND[kind].encode(random_message(OUCH42_OUTBOUND[kind], random))
                for _ in range(20) for kind in OUCH42_OUTBOUND]
    capture = tmp_path / "answers.pcap"
    write_pcap(capture, [(number * 1_000, frame) for number, frame in enumerate(server_frames(messages))])
    names = ("packet_type", "order_token", "replacement_order_token", "previous_order_token", "shares",
             "executed_shares", "decrement_shares", "match_number", "order_reference_number")
    command = [tshark, "-n", "-r", str(capture), "-d", f"tcp.port=={SERVER_PORT},soupbintcp", "-T", "fields",
               "-E", "separator=;", "-e", "soupbintcp.packet_type"]
    for name in names:
        command += ["-e", f"ouch.{name}"]
    rows = [row.split(";") for row in
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]
    compared: dict[str, int] = {}
    for message, (soup, kind, *values) in zip(messages, rows, strict=True):
        assert soup == "'S'"
        answer = session.parse(message)
        token, new, old, shares, executed, decrement, match, reference = values
        if kind != f"'{chr(message[0])}'":
            assert chr(message[0]) in "GMN", "a type that the dissector does not know"
            continue
        compared[kind] = compared.get(kind, 0) + 1
        assert answer.number == int((new or token or "0000")[len(PREFIX):] or 0)
        assert answer.original == int(old[len(PREFIX):] or 0)
        for text, value in ((shares or executed or decrement, answer.shares), (match, answer.match),
                            (reference, answer.reference)):
            assert value == int(text, 0) if text else True, (kind, text, value)
    assert len(compared) >= 12, compared
    assert set(compared.values()) == {20}


def test_a_message_of_the_wrong_version_is_malformed(session):
    """Lengths of the versions differ, so that nothing of one is taken for the other."""
    for version, other in (("4.2", OUCH50_OUTBOUND), ("5.0", OUCH42_OUTBOUND)):
        session.configure(make_config(version))
        for kind, message in other.items():
            if kind == "S":
                continue  # the same in both
            data = message.encode(random_message(message, Random(9)) | (
                {"appendage": b"", "appendage_length": 0} if "appendage" in message.names else {}))
            assert session.parse(data).kind == AnswerKind.MALFORMED, (version, kind)
