# SPDX-License-Identifier: MIT
"""The reference model of the receiver: frames of one line or two in, verdicts, messages, events and counters out.

``frame`` takes the frames of one line one by one; ``run`` takes those of both with their times. How a frame is judged
is in headers.py, packets in packet.py, the stream in stream.py, the order of two lines and hold in arbitration.py.
Not modelled: what depends on the size of a queue (overflow, a full queue that ends a hold, a full ring).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Address
from operator import attrgetter
from typing import Any

from tb.model.arbitration import HOLD_MARGIN_PS, Arbitration, Candidate
from tb.model.headers import (
    DROP_REASONS,
    ETHERTYPE_IPV4,
    ETHERTYPES_VLAN,
    HEADERS_BYTES,
    MAX_FRAME_BYTES,
    UDP_HEADER_BYTES,
    Delivery,
    Inspection,
    inspect,
    ones_complement_sum,
)
from tb.model.packet import HEADER_BYTES, STATUSES, MessageResult, Packet, PacketFormat, Verdict, message, parse
from tb.model.results import FrameResult, HostEvent, in_ring_order
from tb.model.stream import SEQUENCES, Flags, Stream
from tb.model.wire import BYTE_PS, CLOCK_PS, Arrival, first_clock, in_wire_order, on_line

__all__ = [
    "BYTE_PS", "CLOCK_PS", "DROP_REASONS", "ETHERTYPES_VLAN", "ETHERTYPE_IPV4", "HOLD_MARGIN_PS", "MAX_FRAME_BYTES",
    "SEQUENCES", "STATUSES", "UDP_HEADER_BYTES", "Arrival", "Blocked", "Delivery", "Flags", "FrameResult", "HostEvent",
    "MessageResult", "PacketFormat", "ReceiveModel", "in_ring_order", "in_wire_order", "on_line",
    "ones_complement_sum",
]

# The stock locates that the filter blocks: the same for a whole run, or by the number of messages that reached the
# filter before.
Blocked = Collection[int] | Callable[[int], Collection[int]]


class ReceiveModel:
    """The receiver from reset on."""

    def __init__(self, group_address: str, group_port: int, *, delivery: Delivery = "cut-through", hold_ns: int = 0,
                 packet_format: PacketFormat = "mold", blocked: Blocked = (), byte_ps: int = BYTE_PS) -> None:
        self._group = int(IPv4Address(group_address)), group_port
        self._delivery: Delivery = delivery
        self._format: PacketFormat = packet_format
        self._blocked = blocked
        self._byte_ps = byte_ps
        self._clock_ps = 8 * byte_ps
        self._arbitration = Arbitration(hold_ns * 1000, self._clock_ps)
        self._stream = Stream()
        self._frames = {"A": 0, "B": 0}
        self._accepted = {"A": 0, "B": 0}
        self._dropped = dict.fromkeys(DROP_REASONS, 0)
        self._messages: dict[str, int] = dict.fromkeys(STATUSES, 0)
        self._messages_b = 0
        self._bad_messages = 0
        self._duplicates = 0
        self._gaps = 0
        self._filtered = 0
        self._at_filter = 0
        self._turns = 0

    @property
    def counters(self) -> dict[str, Any]:
        """The counters of summary.json; ``messages`` are those of accepted frames, the others are ``bad_messages``."""
        return {
            "frames": sum(self._frames.values()),
            "accepted": sum(self._accepted.values()),
            "dropped": dict(self._dropped),
            "messages": dict(self._messages),
            "bad_messages": self._bad_messages,
            "duplicates": self._duplicates,
            "gaps": self._gaps,
            "filtered": self._filtered,
            "frames_b": self._frames["B"],
            "accepted_b": self._accepted["B"],
            "messages_b": self._messages_b,
            "next_expected": None if self._stream.session is None else self._stream.next_expected,
        }

    @property
    def hold_margin_ps(self) -> int | None:
        """The closest call between the end of a hold and a frame of the other line so far; see arbitration.py."""
        return self._arbitration.margin_ps

    def frame(self, data: bytes, bad_fcs: bool = False) -> FrameResult:
        """Receives one frame on line A, given without its FCS."""
        number = self._turns
        found = self._inspect(data, bad_fcs)
        return self._take(number, "A", found.reason(self._delivery), self._seen(found))

    def run(self, arrivals: Iterable[Arrival]) -> list[FrameResult]:
        """Receives frames of both lines, each line's in its order; returns the results in wire order.

        At the end nothing is held any more. ``in_ring_order`` gives the messages as the host gets them.
        """
        in_order = enumerate(in_wire_order(arrivals, self._clock_ps), self._turns)
        candidates = (self._candidate(number, arrival) for number, arrival in in_order)
        results = [self._take(frame.number, frame.line, frame.reason, frame.packet)
                   for frame in self._arbitration.order(candidates, self._stream)]
        return sorted(results, key=attrgetter("frame"))

    def _inspect(self, data: bytes, bad_fcs: bool) -> Inspection:
        return inspect(data, bad_fcs, *self._group, HEADER_BYTES[self._format])

    def _seen(self, found: Inspection) -> Packet | None:
        """The packet, if its header gets as far as the arbiter: verified delivery holds a bad frame back whole."""
        if found.payload is None or (self._delivery == "verified" and found.reason("verified") is not None):
            return None
        return parse(found.payload, self._format)

    def _candidate(self, number: int, arrival: Arrival) -> Candidate:
        found = self._inspect(arrival.data, arrival.bad_fcs)
        start_ps = first_clock(arrival.start_ps, self._clock_ps) * self._clock_ps
        end_ps = start_ps + len(arrival.data) * self._byte_ps
        header_ps = start_ps + (found.payload_start + HEADER_BYTES[self._format]) * self._byte_ps
        packet = self._seen(found)
        # Header, end, and for each message no more lines than one and those its bytes came in.
        entries = 2 + len(arrival.data) // 8 + (len(packet.blocks) if packet else 0)
        if found.header_reason is not None:
            end_ps = min(end_ps, start_ps + HEADERS_BYTES * self._byte_ps)
        seen_ps = end_ps if self._delivery == "verified" or packet is None else header_ps
        return Candidate(number, arrival.line, start_ps, seen_ps, end_ps, entries, packet, found.reason(self._delivery))

    def _take(self, number: int, line: str, reason: str | None, packet: Packet | None) -> FrameResult:
        """The frame's turn at the stream."""
        result = FrameResult(number, "accept" if reason is None else "drop", reason, line=line, turn=self._turns,
                             packet=packet)
        self._turns += 1
        self._frames[line] += 1
        if packet is None:
            assert reason is not None, "an accepted frame has a packet"
            return self._drop(result)

        before = self._stream.state()
        taken = self._stream.take(packet)
        result.packet_sequence = taken.sequence
        verdict = self._verdict(reason)
        for sequence, block in taken.new:
            self._deliver(message(sequence, block, verdict, self._format), result)
        if reason is not None:
            self._stream.restore(before)
            self._bad_messages += len(result.messages)
            return self._drop(result)

        result.kind, result.count, result.sequence = packet.kind, packet.count, taken.sequence
        result.flags, result.gap_from, result.duplicates = taken.flags, taken.gap_from, taken.duplicates
        result.events = _events(result)
        self._accepted[line] += 1
        self._duplicates += taken.duplicates
        self._gaps += taken.flags.gap
        for delivered in result.messages:
            self._messages[delivered.status] += 1
        if line == "B":
            self._messages_b += len(result.messages)
        return result

    def _verdict(self, reason: str | None) -> Verdict | None:
        if self._delivery == "verified":
            return None
        return "good" if reason is None else "bad"

    def _deliver(self, new: MessageResult, result: FrameResult) -> None:
        """To the host, unless the filter blocks its stock locate; locate 0 always passes."""
        blocked = self._blocked(self._at_filter) if callable(self._blocked) else self._blocked
        self._at_filter += 1
        if blocked and new.stock_locate and new.stock_locate in blocked:
            self._filtered += 1
            result.filtered += (new,)
        else:
            result.messages.append(new)

    def _drop(self, result: FrameResult) -> FrameResult:
        assert result.reason is not None
        self._dropped[result.reason] += 1
        result.events = [{"event": "drop", "frame": result.frame, "reason": result.reason}]
        return result


def _events(result: FrameResult) -> list[dict[str, Any]]:
    """An accepted frame's lines of events.jsonl: what its header says before what its end shows."""
    events: list[dict[str, Any]] = []
    if result.flags.session_change:
        events.append({"event": "session_change", "frame": result.frame, "session": result.session})
    if result.flags.gap:
        events.append({"event": "gap", "from": result.gap_from, "to": result.sequence})
    if result.flags.end_of_session:
        events.append({"event": "end_of_session", "sequence": result.sequence})
    if result.flags.truncated:
        events.append({"event": "truncated", "frame": result.frame})
    return events
