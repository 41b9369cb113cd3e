# SPDX-License-Identifier: MIT
"""The wire formats: generators/protocols/*.json as typed objects, with encode and decode by table.

Every offset and length is read from those tables and checked at import: fields must be contiguous and fill the
message. Integers are big-endian on the wire and plain ints here; text keeps its padding and is Latin-1, so byte n is
the character U+00n and every byte string survives a round trip.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

PROTOCOLS = Path(__file__).parent / "protocols"

# MoldUDP64 1.00, message count: the two values that announce no blocks.
MOLD_HEARTBEAT = 0
MOLD_END_OF_SESSION = 0xFFFF

# Prices carry four implied decimals. An order's is at most 199,999.9900 (OUCH, Price); ITCH quotes up to 200,000.0000.
PRICE_SCALE = 10_000
ORDER_PRICE_MAX = 0x7735939C

Value = int | str | bytes
_INTEGER_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class WireError(ValueError):
    """A message that does not fit its table, or values that do not fit a message."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message; length None stands for "the rest of the message" (only ever the last field). ``values``:
    what generated traffic puts there, the least and the most of an integer or texts to choose from; None: not said."""

    name: str
    offset: int
    length: int | None
    type: str
    values: tuple[Any, ...] | None = None

    @property
    def is_integer(self) -> bool:
        return self.type.startswith("uint_be")

    @property
    def is_bytes(self) -> bool:
        return self.type in ("bytes", "tagvalues")

    @property
    def is_text(self) -> bool:
        return not (self.is_integer or self.is_bytes)

    @property
    def pads_left(self) -> bool:
        """SoupBinTCP session and sequence number are right-justified; every other text is left-justified."""
        return "left padded" in self.type.lower()

    @property
    def code(self) -> str:
        """The struct code; struct has no 48-bit integer, so a timestamp travels as its six bytes."""
        if self.length is None:
            raise WireError(f"{self.name} has no fixed length")
        return _INTEGER_CODES.get(self.length, f"{self.length}s") if self.is_integer else f"{self.length}s"


@dataclass(frozen=True)
class Message:
    """One message layout. `struct` packs the fixed fields in table order (text and 48-bit integers as bytes)."""

    type: str
    name: str
    length: int
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        position = 0
        for field in self.fields:
            if field.offset != position:
                raise WireError(f"{self.name}: field {field.name} is at {field.offset}, expected {position}")
            if field.length is None and field is not self.fields[-1]:
                raise WireError(f"{self.name}: only the last field may have no fixed length")
            position += field.length or 0
        if position != self.length:
            raise WireError(f"{self.name}: fields fill {position} bytes of {self.length}")

    @cached_property
    def struct(self) -> struct.Struct:
        return struct.Struct(">" + "".join(field.code for field in self.fields if field.length is not None))

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def _tail(self) -> Field | None:
        return self.fields[-1] if self.fields and self.fields[-1].length is None else None

    @cached_property
    def _text(self) -> tuple[int, ...]:
        return tuple(i for i, field in enumerate(self.fields) if field.is_text and field.length is not None)

    @cached_property
    def _wide(self) -> tuple[int, ...]:
        return tuple(
            i for i, field in enumerate(self.fields)
            if field.is_integer and field.length not in _INTEGER_CODES
        )

    def field(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise WireError(f"{self.name} has no field {name}")

    def decode(self, data: bytes) -> dict[str, Any]:
        """Fields by name. Bytes beyond a fixed-length message are ignored: the known prefix is what counts."""
        if len(data) < self.length:
            raise WireError(f"{self.name} is {self.length} bytes, got {len(data)}")
        values: list[Any] = list(self.struct.unpack_from(data))
        for i in self._text:
            values[i] = values[i].decode("latin-1")
        for i in self._wide:
            values[i] = int.from_bytes(values[i], "big")
        if self._tail is not None:
            rest = data[self.length:]
            values.append(rest.decode("latin-1") if self._tail.is_text else bytes(rest))
        return dict(zip(self.names, values, strict=True))

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The message's bytes. Every field must be given, except the type (implied) and SoupBinTCP's own length."""
        unknown = set(values) - set(self.names)
        if unknown:
            raise WireError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        parts = [_encode_field(self, field, values) for field in self.fields]
        if self.fields and self.fields[0].name == "packet_length" and "packet_length" not in values:
            parts[0] = struct.pack(">H", sum(map(len, parts)) - 2)
        return b"".join(parts)


def _encode_field(message: Message, field: Field, values: Mapping[str, Value]) -> bytes:
    value = values.get(field.name)
    if value is None:
        if field.name in ("message_type", "packet_type"):
            value = message.type
        elif field.name == "packet_length":
            value = 0
        else:
            raise WireError(f"{message.name}: field {field.name} is missing")
    if isinstance(value, int):
        if not field.is_integer or field.length is None:
            raise WireError(f"{message.name}.{field.name} is text, got {value!r}")
        if not 0 <= value < 1 << (8 * field.length):
            raise WireError(f"{message.name}.{field.name} has {field.length} bytes, got {value}")
        return value.to_bytes(field.length, "big")
    if field.is_integer:
        raise WireError(f"{message.name}.{field.name} is an integer, got {value!r}")
    try:
        data = value if isinstance(value, bytes) else value.encode("latin-1")
    except UnicodeEncodeError:
        raise WireError(f"{message.name}.{field.name} is Latin-1 text, got {value!r}") from None
    if field.length is None:
        return data
    if len(data) > field.length:
        raise WireError(f"{message.name}.{field.name} has {field.length} bytes, got {value!r}")
    return data.rjust(field.length) if field.pads_left else data.ljust(field.length)


Table = Mapping[str, Message]


def _load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((PROTOCOLS / f"{name}.json").read_text(encoding="utf-8"))
    return document


def _fields(rows: list[dict[str, Any]]) -> tuple[Field, ...]:
    return tuple(
        Field(row["name"], row["offset"], row["length"] if isinstance(row["length"], int) else None, row["type"],
              tuple(row["values"]) if "values" in row else None)
        for row in rows
    )


def _messages(rows: dict[str, dict[str, Any]]) -> Table:
    """Messages by type. OUCH 5.0 states `min_length`, what is fixed before the appendage; its types that only one
    source describes have no fields in the table, and are left out."""
    return {
        key: Message(key, row["name"], row["length"] if "length" in row else row["min_length"], _fields(row["fields"]))
        for key, row in rows.items()
        if "fields" in row
    }


def _soup_packets(rows: dict[str, dict[str, Any]]) -> Table:
    """SoupBinTCP 3.00 logical packets with their framing: u16 length (excludes itself), one type character."""
    framing = (Field("packet_length", 0, 2, "uint_be"), Field("packet_type", 2, 1, "char"))
    packets = {}
    for key, row in rows.items():
        fields = framing + _fields(row["fields"])
        length = sum(field.length or 0 for field in fields)
        if isinstance(row["packet_length"], int) and row["packet_length"] + 2 != length:
            raise WireError(f"{row['name']}: fields fill {length - 2} bytes of {row['packet_length']}")
        packets[key] = Message(key, row["name"], length, fields)
    return packets


ITCH50: Table = _messages(_load("itch50")["messages"])
OUCH42_INBOUND: Table = _messages(_load("ouch42")["inbound"])
OUCH42_OUTBOUND: Table = _messages(_load("ouch42")["outbound"])
OUCH50_INBOUND: Table = _messages(_load("ouch50")["inbound"])
OUCH50_OUTBOUND: Table = _messages(_load("ouch50")["outbound"])
SOUPBINTCP: Table = _soup_packets(_load("soupbintcp")["packets"])

_MOLD = _load("moldudp64")
MOLD_HEADER = Message("", "MoldUDP64 header", _MOLD["header_length"], _fields(_MOLD["downstream_header"]))
MOLD_BLOCK = Message("", "MoldUDP64 message block", _MOLD["message_block"][0]["length"],
                     _fields(_MOLD["message_block"]))

# The prefix common to all ITCH messages ends with the timestamp; readers take the capture time from it.
ITCH_TIMESTAMP = ITCH50["S"].field("timestamp")
if any(message.field("timestamp") != ITCH_TIMESTAMP for message in ITCH50.values()):
    raise WireError("ITCH 5.0: the timestamp is not at the same place in every message")


def encode(message_type: str, values: Mapping[str, Value], table: Table = ITCH50) -> bytes:
    """Encodes one message of `table` (ITCH 5.0 unless told)."""
    if message_type not in table:
        raise WireError(f"unknown message type {message_type!r}")
    return table[message_type].encode(values)


def decode(data: bytes, table: Table = ITCH50) -> dict[str, Any]:
    """Decodes one message of `table`, found by its type character; message_type is among the fields."""
    offset = 2 if table is SOUPBINTCP else 0
    message = table.get(data[offset:offset + 1].decode("latin-1"))
    if message is None:
        raise WireError(f"unknown message type {data[offset:offset + 1]!r}")
    return message.decode(data)


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Decoded fields as JSON can hold them: bytes, OUCH 5.0's appendage, in hexadecimal."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
