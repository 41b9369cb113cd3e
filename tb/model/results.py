# SPDX-License-Identifier: MIT
"""What becomes of one received frame: its line of frames.jsonl, its messages, its events, and what the host is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from tb.model.packet import SESSION_BYTES, Kind, MessageResult, Packet
from tb.model.stream import NO_FLAGS, Flags

Disposition = Literal["accept", "drop"]


@dataclass(frozen=True, slots=True)
class HostEvent:
    """An event line in the RX ring (rx_event), but for the frame's time, which only the NIC's clock knows."""

    sequence: int
    count: int
    gap_from: int
    delivered: int
    line: str
    reason: str | None
    kind: Kind
    flags: Flags
    session: bytes


@dataclass(slots=True)
class FrameResult:
    """One received frame.

    ``frame`` counts in wire order, ``turn`` in the order in which frames took effect on the stream: they differ only
    where a packet was held. ``messages`` went to the host: in cut-through also those of a frame that is bad.
    ``filtered`` would have gone too, had the filter not kept them back. ``packet`` is what the arbiter saw of the
    frame: None where it was dropped before its header came through.
    """

    frame: int
    disposition: Disposition
    reason: str | None = None
    kind: Kind | None = None
    sequence: int | None = None
    count: int | None = None
    flags: Flags = NO_FLAGS
    gap_from: int | None = None
    messages: list[MessageResult] = field(default_factory=list)
    filtered: tuple[MessageResult, ...] = ()
    events: Sequence[dict[str, Any]] = ()
    line: str = "A"
    turn: int = 0
    duplicates: int = 0
    packet: Packet | None = None
    packet_sequence: int = 0

    @property
    def session(self) -> str | None:
        """Of an accepted frame."""
        return self.packet.session.decode("latin-1") if self.packet and self.disposition == "accept" else None

    def as_line(self) -> dict[str, Any]:
        """The frame's line of frames.jsonl."""
        record: dict[str, Any] = {"frame": self.frame, "line": self.line, "disposition": self.disposition}
        if self.disposition == "drop":
            return record | {"reason": self.reason}
        record |= {"kind": self.kind, "session": self.session, "sequence": self.sequence, "count": self.count}
        if self.flags.truncated:
            record["flag"] = "truncated"
        elif self.flags.extra_data:
            record["flag"] = "extra_data"
        return record

    def told_by(self) -> set[str]:
        """The bits of EVENT_ENABLE of which one suffices for an event line of this frame."""
        if self.disposition == "drop":
            return {"DROP", "BAD"} if self.messages else {"DROP"}
        flags = self.flags
        return {"STREAM"} if flags.gap or flags.session_change or flags.end_of_session or flags.truncated else set()

    def event(self, enabled: Collection[str]) -> HostEvent | None:
        """The event line that the frame leaves in the RX ring when these bits of EVENT_ENABLE are set."""
        if self.told_by().isdisjoint(enabled):
            return None
        # Of a dropped frame's header the host is told only with messages of it.
        packet = self.packet if self.disposition == "accept" or self.messages else None
        return HostEvent(
            self.packet_sequence if packet else 0, packet.count if packet else 0, self.gap_from or 0,
            len(self.messages), self.line, self.reason, self.kind or "data", self.flags,
            packet.session if packet else bytes(SESSION_BYTES),
        )


def in_ring_order(results: Iterable[FrameResult]) -> Iterator[tuple[FrameResult, MessageResult]]:
    """The messages in the order in which the host gets them, each with its frame."""
    for result in sorted(results, key=attrgetter("turn")):
        for message in result.messages:
            yield result, message
