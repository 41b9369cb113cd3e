# SPDX-License-Identifier: MIT
"""The entry stream of a receive line, by the positions that rtl/entry.vh gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).resolve().parents[2] / "rtl" / "entry.vh"
_DEFINES = {
    name: int(value)
    for name, value in re.findall(r"^`define TL_(\w+) +(?:2'd)?(\d+)$", _SOURCE.read_text(), re.MULTILINE)
}
HEADER, LINE, RECORD, END = (_DEFINES[f"ENTRY_{kind}"] for kind in ("HEADER", "LINE", "RECORD", "END"))


def _field(entry: int, name: str, width: int) -> int:
    return entry >> _DEFINES[name] & (1 << width) - 1


def _placed(**fields: int) -> int:
    entry = 0
    for name, value in fields.items():
        entry |= value << _DEFINES[name]
    return entry


VOID = 1 << _DEFINES["HEADER_VOID"]  # a HEADER of a frame that its headers drop


@dataclass(frozen=True)
class Header:
    """A packet's header, before its messages."""

    session: bytes
    sequence: int
    count: int
    kind: int
    unnumbered: bool
    others: int
    time: int

    @classmethod
    def decode(cls, entry: int) -> Header:
        return cls(
            _field(entry, "HEADER_SESSION", 80).to_bytes(10, "little"), _field(entry, "HEADER_SEQUENCE", 64),
            _field(entry, "HEADER_COUNT", 16), _field(entry, "HEADER_KIND", 8),
            bool(_field(entry, "HEADER_UNNUMBERED", 1)), _field(entry, "HEADER_OTHERS", 16),
            _field(entry, "HEADER_TIME", 48),
        )

    def encode(self) -> int:
        return _placed(
            HEADER_SESSION=int.from_bytes(self.session, "little"), HEADER_SEQUENCE=self.sequence,
            HEADER_COUNT=self.count, HEADER_KIND=self.kind, HEADER_UNNUMBERED=self.unnumbered,
            HEADER_OTHERS=self.others, HEADER_TIME=self.time,
        )


@dataclass(frozen=True)
class End:
    """A frame's end and verdict."""

    reason: int
    truncated: bool
    extra_data: bool
    others: int
    time: int
    header_seen: bool
    overflow: bool

    @classmethod
    def decode(cls, entry: int) -> End:
        return cls(
            _field(entry, "END_REASON", 8), bool(_field(entry, "END_TRUNCATED", 1)),
            bool(_field(entry, "END_EXTRA_DATA", 1)), _field(entry, "END_OTHERS", 16), _field(entry, "END_TIME", 48),
            bool(_field(entry, "END_HEADER_SEEN", 1)), bool(_field(entry, "END_OVERFLOW", 1)),
        )

    def encode(self) -> int:
        return _placed(
            END_REASON=self.reason, END_TRUNCATED=self.truncated, END_EXTRA_DATA=self.extra_data,
            END_OTHERS=self.others, END_TIME=self.time, END_HEADER_SEEN=self.header_seen, END_OVERFLOW=self.overflow,
        )
