# SPDX-License-Identifier: MIT
"""The record in the RX ring against itchfeed: every field of every type is in it, at one place, with itchfeed's value.

Bytes go from the wire format into the record by the generated layout (the same tables from which the RTL's decoder
comes), and from the record by offset and size alone.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from itch import messages as itchfeed

from bridge import layout
from bridge.layout import MessageStatus
from generators.tables import ITCH50
from tb.env.records import message_lines
from tb.model.receive import ReceiveModel
from tests.model.frames import GROUP, PORT, FrameSpec, mold

PREFIX = ("stock_locate", "tracking_number", "timestamp")  # of every type, at their own places in the record
LINE_ENDS = (layout.RX_RECORD.fields["publish"][1], layout.CONTINUATION_BYTES)


def record_bytes(record: bytes, name: str) -> bytes:
    """A field of rx_record."""
    kind, offset = layout.RX_RECORD.fields[name][:2]
    return record[offset:offset + kind.itemsize]


def record_int(record: bytes, name: str) -> int:
    return int.from_bytes(record_bytes(record, name), "little")


def in_record(lines: tuple[bytes, ...], message_type: str) -> dict[str, Any]:
    """The fields as a driver reads them: ``lines[0]`` is the record, then its continuations."""
    fields: dict[str, Any] = {name: record_int(lines[0], name) for name in PREFIX}
    for name, line, offset, size, is_integer in layout.ITCH_BODY[message_type]:
        value = lines[line][offset:offset + size]
        fields[name] = int.from_bytes(value, "little") if is_integer else value.decode("latin-1")
    return fields


@pytest.mark.parametrize("message_type", sorted(ITCH50))
def test_every_field_has_one_place_of_its_own_size(message_type: str) -> None:
    table = {field.name: field for field in ITCH50[message_type].fields}
    body = layout.ITCH_BODY[message_type]
    assert [*PREFIX, *sorted(name for name, *_ in body)] == [*PREFIX, *sorted(
        name for name in table if name not in ("message_type", *PREFIX))]
    taken: set[tuple[int, int]] = set()
    for name, line, offset, size, is_integer in body:
        assert (size, is_integer) == (table[name].length, table[name].is_integer), name
        places = {(line, offset + i) for i in range(size)}
        assert not places & taken, name
        assert offset >= (layout.RX_RECORD.fields["body"][1] if line == 0 else 0)
        assert offset + size <= LINE_ENDS[line]
        taken |= places


@pytest.mark.parametrize("extra", [b"", b"?", b"\xff" * 60])
@pytest.mark.parametrize("message_type", sorted(ITCH50))
def test_the_record_as_itchfeed_reads_the_wire(message_type: str, extra: bytes) -> None:
    random = Random(f"record {message_type}")
    size = ITCH50[message_type].length - 1
    bodies = [bytes(size), b"\xff" * size, bytes(range(size)), *(random.randbytes(size) for _ in range(30))]
    blocks = [message_type.encode() + body for body in bodies]
    model = ReceiveModel(GROUP, PORT)
    last_line = max(line for _, line, *_ in layout.ITCH_BODY[message_type])
    compared = 0
    for number, raw in enumerate(blocks, 1):
        (message,) = model.frame(FrameSpec(payload=mold(number, [raw + extra])).build()).messages
        continuations, record = message_lines(message, "A", 0)
        fields = in_record((record, *continuations), message_type)
        theirs = vars(itchfeed.messages[raw[:1]](raw))
        assert fields.pop("timestamp") == theirs.pop("timestamp")
        ours = [fields[name] for name in ITCH50[message_type].names if name in fields]
        assert ours == [value.decode("latin-1") if isinstance(value, bytes) else value for value in theirs.values()]
        assert len(continuations) == record_int(record, "continuations") == last_line
        assert record_int(record, "length") == len(raw) + len(extra)
        assert record_bytes(record, "type") == raw[:1]
        assert record_int(record, "status") == (MessageStatus.TOO_LONG if extra else MessageStatus.OK)
        compared += len(ours)
    assert compared >= len(blocks) * 2
