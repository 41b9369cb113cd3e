# SPDX-License-Identifier: MIT
"""Frames as the arbiter sees them: when each starts at its port, and when each of its entries leaves its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from bridge import layout
from tb.model.packet import Kind, Packet
from tb.receive.entries import END, HEADER, LINE, RECORD, VOID, End, Header

LINE_BYTES = 60
VOID_CLOCKS = 14    # from a frame's first beat to the HEADER that says that its headers drop it
HEADER_CLOCKS = 10  # from a frame's first beat to its packet header at the queue's output
END_CLOCKS = 4      # from the last beat to the END there
GAP_CLOCKS = 3      # least distance of two frames on one line
GOOD, OVERFLOW = layout.DropReason.ACCEPT, layout.DropReason.OVERFLOW
KINDS: dict[Kind, int] = {kind: layout.FrameKind[kind.upper()] for kind in ("data", "heartbeat", "end_of_session")}
COUNTS = {"heartbeat": 0, "end_of_session": 0xFFFF}


@dataclass(frozen=True)
class Message:
    """One message of a packet: its ring lines are made of ``tag``, so that each says whose it is."""

    tag: int
    locate: int = 0
    status: int = layout.MessageStatus.OK
    continuations: int = 0
    clocks: int = 2  # from the message before

    def block(self) -> bytes:
        """Stands for the message in the model, which looks only at how many there are."""
        return self.tag.to_bytes(4, "little")

    def lines(self, line: str, sequence: int) -> list[tuple[bytes, bool]]:
        """(bytes, record?) in the order in which they leave the receive line."""
        random = Random(self.tag)
        status = self.status | (layout.STATUS_LINE_B if line == "B" else 0)
        record = bytearray(random.randbytes(LINE_BYTES))
        for name, value, size in (("sequence", sequence, 8), ("stock_locate", self.locate, 2), ("status", status, 1),
                                  ("continuations", self.continuations, 1)):
            offset = layout.RX_RECORD.fields[name][1]
            record[offset:offset + size] = value.to_bytes(size, "little")
        return [(random.randbytes(LINE_BYTES), False) for _ in range(self.continuations)] + [(bytes(record), True)]


@dataclass
class Frame:
    """One frame on one line. Without ``has_header`` only its end is seen; before, if ``void``, that headers drop it."""

    line: str
    start: int
    session: bytes = b"SESSION001"
    sequence: int = 1
    messages: Sequence[Message] = ()
    kind: Kind = "data"
    reason: int = GOOD
    truncated: bool = False
    extra_data: bool = False
    overflow: bool = False
    has_header: bool = True
    void: bool = False
    unnumbered: bool = False
    count: int | None = None
    cut_lines: int = 0            # continuation lines of a message that does not become complete
    verified: bool = False        # its entries come all at once, at its end
    silent_clocks: int = 0        # before its end
    index: int = field(default=0, compare=False)

    @property
    def packet(self) -> Packet | None:
        if not self.has_header:
            return None
        return Packet(self.session, None if self.unnumbered else self.sequence, self.announced, self.kind,
                      [message.block() for message in self.messages], self.truncated, self.extra_data)

    @property
    def announced(self) -> int:
        if self.count is not None:
            return self.count
        return COUNTS.get(self.kind, len(self.messages))

    @property
    def final_reason(self) -> int:
        """An overflow beats every other reason."""
        return OVERFLOW if self.overflow else self.reason

    @property
    def header_clock(self) -> int:
        return self.start + HEADER_CLOCKS

    @property
    def verdict_clock(self) -> int:
        """When nobody waits for it any more."""
        return min(self.start + VOID_CLOCKS, self.end_clock) if self.void else self.end_clock

    @property
    def last_body_clock(self) -> int:
        body = sum(max(message.clocks, message.continuations + 1) for message in self.messages)
        return self.header_clock + body + self.cut_lines

    @property
    def last_beat(self) -> int:
        """The clock of its last beat at the port."""
        return max(self.start + 8, self.last_body_clock - 2) + self.silent_clocks

    @property
    def end_clock(self) -> int:
        return max(self.last_body_clock + 1, self.last_beat + END_CLOCKS)

    def entries(self, others: int) -> list[tuple[int, int, int]]:
        """(clock, kind, data): an entry is at the queue's output at that clock, or behind the one before it."""
        entries: list[tuple[int, int, int]] = []
        if self.has_header:
            header = Header(self.session, 0 if self.unnumbered else self.sequence, self.announced, KINDS[self.kind],
                            self.unnumbered, others, self.start)
            entries.append((self.header_clock, HEADER, header.encode()))
            clock = self.header_clock
            for number, message in enumerate(self.messages):
                clock += max(message.clocks, message.continuations + 1)
                sequence = 0 if self.unnumbered else (self.sequence + number) % (1 << 64)
                lines = message.lines(self.line, sequence)
                for k, (data, is_record) in enumerate(lines):
                    entries.append((clock - len(lines) + 1 + k, RECORD if is_record else LINE,
                                    int.from_bytes(data, "little")))
            for k in range(self.cut_lines):
                entries.append((clock + 1 + k, LINE, Random(k).getrandbits(8 * LINE_BYTES)))
        if self.void:
            entries.append((self.verdict_clock, HEADER, VOID))
        end = End(self.final_reason, self.truncated, self.extra_data, others, self.start, self.has_header,
                  self.overflow)
        entries.append((self.end_clock, END, end.encode()))
        if self.verified:
            entries = [(self.end_clock, kind, data) for _, kind, data in entries]
        return entries


def in_wire_order(frames: Iterable[Frame]) -> list[Frame]:
    """By first byte; at equal clocks A before B."""
    ordered = sorted(frames, key=lambda frame: (frame.start, frame.line))
    for index, frame in enumerate(ordered):
        frame.index = index
    return ordered
