# SPDX-License-Identifier: MIT
"""Scapy layers for MoldUDP64, ITCH 5.0, SoupBinTCP and OUCH 4.2 (inbound), built from the tables.

No layout is written here: every class takes its fields from tables.py, with the table's names. Text of fixed length
is Latin-1 str with its padding, as everywhere in the project; what has no fixed length is bytes or a packet. Whatever
does not fit its table (unknown type, too short) dissects as Raw, so every byte string survives a round trip.

This is the only module that imports scapy, which costs about a second; hot paths use framing.py.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable
from typing import Any

from scapy.base_classes import BasePacket
from scapy.fields import (
    AnyField,
    ByteField,
    Field,
    FieldLenField,
    IntField,
    LongField,
    NBytesField,
    PacketLenField,
    PacketListField,
    ShortField,
    StrLenField,
)
from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet, Raw, bind_bottom_up, bind_layers

from generators import tables
from generators.framing import DEFAULT_GROUP, FIRST_SEQUENCE, SESSION
from generators.tables import ITCH50, MOLD_BLOCK, MOLD_END_OF_SESSION, MOLD_HEADER, OUCH42_INBOUND, SOUPBINTCP

_INTEGER_FIELDS = {1: ByteField, 2: ShortField, 4: IntField, 8: LongField}


class TextField(Field[str, bytes]):
    """Latin-1 text of fixed length, padded with spaces when built and kept padded when dissected."""

    __slots__ = ["pads_left"]

    def __init__(self, name: str, default: str, length: int, pads_left: bool = False) -> None:
        Field.__init__(self, name, default, f"{length}s")
        self.pads_left = pads_left

    def any2i(self, pkt: Packet | None, x: Any) -> str:
        return x.decode("latin-1") if isinstance(x, bytes) else str(x)

    def i2m(self, pkt: Packet | None, x: str | None) -> bytes:
        data = (x or "").encode("latin-1")
        if len(data) > self.sz:
            raise tables.WireError(f"{self.name} has {self.sz} bytes, got {x!r}")
        return data.rjust(self.sz) if self.pads_left else data.ljust(self.sz)

    def m2i(self, pkt: Packet | None, x: bytes) -> str:
        return x.decode("latin-1")


def _scapy_field(field: tables.Field, default: Any = None) -> Field[Any, Any]:
    if field.length is None:
        raise tables.WireError(f"{field.name} has no fixed length")
    if not field.is_integer:
        return TextField(field.name, default or "", field.length, field.pads_left)
    if field.length in _INTEGER_FIELDS:
        return _INTEGER_FIELDS[field.length](field.name, default or 0)
    return NBytesField(field.name, default or 0, field.length)


def _field_property(name: str) -> property:
    return property(lambda packet: packet.getfieldval(name))


def _layer(prefix: str, message: tables.Message, base: type[Packet], fields: list[AnyField]) -> type[Packet]:
    """A layer class named after the message."""
    name = prefix + "".join(word.capitalize() for word in message.name.replace("-", " ").split())
    members = {"name": f"{prefix} {message.name}", "fields_desc": fields, "__doc__": message.name}
    layer: type[Packet] = types.new_class(name, (base,), exec_body=lambda namespace: namespace.update(members))
    for field in message.names:
        if hasattr(Packet, field):
            # A method of Packet would hide the field (OUCH has a field `display`). Only now, because the metaclass
            # takes members with a field's name for defaults.
            setattr(layer, field, _field_property(field))
    return layer


class _Message(Packet):
    """A message whose extent is known from outside; what exceeds its table is Raw payload."""


def _message_layers(prefix: str, table: tables.Table) -> dict[str, type[Packet]]:
    return {
        key: _layer(prefix, message, _Message, [
            _scapy_field(field, key if field.name == "message_type" else None) for field in message.fields
        ])
        for key, message in table.items()
    }


ITCH_LAYERS = _message_layers("Itch", ITCH50)
OUCH_LAYERS = _message_layers("Ouch", OUCH42_INBOUND)


def _dissect(data: bytes, table: tables.Table, layers: dict[str, type[Packet]]) -> Packet:
    key = data[:1].decode("latin-1")
    if key in table and len(data) >= table[key].length:
        return layers[key](data)
    return Raw(data)


def itch_message(data: bytes, **_: Any) -> Packet:
    """One ITCH 5.0 message as a layer; Raw if its type is unknown or it is too short for its type."""
    return _dissect(data, ITCH50, ITCH_LAYERS)


def ouch_message(data: bytes, **_: Any) -> Packet:
    """One OUCH 4.2 message to the exchange as a layer; Raw if its type is unknown or it is too short for its type."""
    return _dissect(data, OUCH42_INBOUND, OUCH_LAYERS)


def _packet_field(name: str, dissect: Callable[[bytes], Packet], length_name: str, overhead: int) -> AnyField:
    """A packet that fills what its length field says, less `overhead`; None is the packet of no bytes."""
    field: AnyField = PacketLenField(name, None, dissect,  # type: ignore[arg-type]
                                     length_from=lambda outer: outer.getfieldval(length_name) - overhead)
    return field


def _block_fields() -> list[AnyField]:
    length, data = MOLD_BLOCK.fields
    return [
        FieldLenField(length.name, None, fmt="!H", length_of=data.name),
        _packet_field(data.name, itch_message, length.name, 0),
    ]


class MoldBlock(Packet):
    """MoldUDP64 message block: the length of the message, without these two bytes, and the message."""

    name = "MoldUDP64 message block"
    fields_desc = _block_fields()

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s


def _next_block(packet: Packet, blocks: list[BasePacket], _: Packet | None, rest: bytes) -> type[Packet] | None:
    """A block, if one more is announced and complete; all else stays behind the packet as Raw."""
    count = packet.message_count
    if count == MOLD_END_OF_SESSION or len(blocks) >= count or len(rest) < MOLD_BLOCK.length:
        return None
    (length,) = struct.unpack_from(">H", rest)
    return MoldBlock if len(rest) >= MOLD_BLOCK.length + length else None


def _mold_fields() -> list[AnyField]:
    session, sequence, count = MOLD_HEADER.fields
    return [
        _scapy_field(session, SESSION),
        _scapy_field(sequence, FIRST_SEQUENCE),
        FieldLenField(count.name, None, fmt="!H", count_of="blocks"),
        PacketListField("blocks", [], next_cls_cb=_next_block),
    ]


class MoldUDP64(Packet):
    """MoldUDP64 downstream packet. The count is computed unless given: 0 is a heartbeat, 0xFFFF the end of session."""

    name = "MoldUDP64"
    fields_desc = _mold_fields()


_SOUP_FRAMING: list[AnyField] = [ShortField("packet_length", None), TextField("packet_type", "", 1)]


class SoupBinTCP(Packet):
    """Any SoupBinTCP packet; dissection picks the subclass by type. The rest of a segment is the next packet.

    A packet that is incomplete, unknown or not of its type's length dissects as Raw.
    """

    name = "SoupBinTCP"
    fields_desc = _SOUP_FRAMING

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        if _pkt is None:
            return cls
        if len(_pkt) < 3:
            return Raw
        length = int.from_bytes(_pkt[:2], "big") + 2
        packet = SOUPBINTCP.get(_pkt[2:3].decode("latin-1"))
        if packet is None or len(_pkt) < length or length < packet.length:
            return Raw
        return SOUP_LAYERS[packet.type] if packet.fields[-1].length is None or length == packet.length else Raw

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.packet_length is None:
            pkt = struct.pack(">H", len(pkt) - 2) + pkt[2:]
        return pkt + pay

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        return SoupBinTCP


def _soup_field(packet: tables.Message, field: tables.Field) -> AnyField:
    if field.name == "packet_length":
        return ShortField(field.name, None)
    if field.length is not None:
        return _scapy_field(field, packet.type if field.name == "packet_type" else None)
    overhead = packet.length - 2
    if packet.type == "U":
        return _packet_field(field.name, ouch_message, "packet_length", overhead)
    return StrLenField(field.name, b"", length_from=lambda soup: soup.packet_length - overhead)


SOUP_LAYERS = {
    key: _layer("Soup", packet, SoupBinTCP, [_soup_field(packet, field) for field in packet.fields])
    for key, packet in SOUPBINTCP.items()
}


def bind_moldudp64(port: int) -> None:
    """Dissects UDP datagrams to `port` as MoldUDP64."""
    bind_bottom_up(UDP, MoldUDP64, dport=port)


def bind_soupbintcp(port: int) -> None:
    """Dissects TCP segments from and to `port` as SoupBinTCP; there is no assigned port."""
    bind_bottom_up(TCP, SoupBinTCP, dport=port)
    bind_bottom_up(TCP, SoupBinTCP, sport=port)


bind_layers(UDP, MoldUDP64, sport=DEFAULT_GROUP.port, dport=DEFAULT_GROUP.port)
bind_moldudp64(DEFAULT_GROUP.port)
