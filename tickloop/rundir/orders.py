# SPDX-License-Identifier: MIT
"""Orders that left the NIC: the OUCH messages inside the sent TCP segments, for orders.jsonl and orders.pcap.

Segments that the NIC made of TX slots carry PSH and one SoupBinTCP packet each: an order, a login, a heartbeat. Other
frames that left are the kernel's own (TX slots of kind ``frame``): ARP, and of the session what carries nothing and
what is sent again, without PSH. The NIC counts the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.interface import LoopResult, SentFrame
from bridge.layout import TraceKind
from generators.framing import ETHERTYPE_IPV4
from generators.tables import OUCH42_INBOUND, OUCH50_INBOUND, SOUPBINTCP, WireError, decode, plain

ETHERNET_BYTES = 14
PROTOCOL_TCP = 6
FLAGS_AT, PSH = 13, 8  # of a TCP header
SOUP_TYPE_AT = 2
PACKETS_OF_THE_SESSION = (b"L", b"R", b"O")  # login, heartbeat, logout
OUCH_INBOUND = {"4.2": OUCH42_INBOUND, "5.0": OUCH50_INBOUND}


def is_segment(frame: bytes) -> bool:
    """Whether a sent frame is a TCP segment."""
    return frame[12:14] == ETHERTYPE_IPV4.to_bytes(2, "big") and frame[ETHERNET_BYTES + 9:][:1] == bytes([PROTOCOL_TCP])


def is_pushed(frame: bytes) -> bool:
    """Whether a sent frame is a segment that the NIC made of a TX slot."""
    return is_segment(frame) and len(tcp := tcp_of(frame)) > FLAGS_AT and bool(tcp[FLAGS_AT] & PSH)


def is_order(frame: bytes) -> bool:
    """Whether a sent frame is such a segment with an order, or with what a TX slot for orders must not hold."""
    if not is_pushed(frame):
        return False
    tcp = tcp_of(frame)
    return tcp[4 * (tcp[12] >> 4):][SOUP_TYPE_AT:SOUP_TYPE_AT + 1] not in PACKETS_OF_THE_SESSION


def segments_sent(result: LoopResult) -> list[SentFrame]:
    """The frames that carry orders, each the first time that it left."""
    return [sent for sent in result.sent if is_order(sent.data)]


def last_orders(result: LoopResult) -> npt.NDArray[np.int64]:
    """For each traced record the place, among the orders sent, of its last one; meaningful where it has any."""
    places: npt.NDArray[np.int64] = np.cumsum(result.trace["orders"].astype(np.int64)) - 1
    for note in result.notes:
        if note.kind == TraceKind.CANCELS:
            places[note.records:] += note.value
    return places


def orders_traced(result: LoopResult) -> int:
    """How many orders the kernel says that it has sent."""
    beside = sum(note.value for note in result.notes if note.kind == TraceKind.CANCELS)
    return int(result.trace["orders"].astype(np.int64).sum()) + beside


def tcp_of(frame: bytes) -> bytes:
    """The TCP segment in a frame, without what lies behind it."""
    header = 4 * (frame[ETHERNET_BYTES] & 15)
    total = int.from_bytes(frame[ETHERNET_BYTES + 2:ETHERNET_BYTES + 4], "big")
    return frame[ETHERNET_BYTES + header:ETHERNET_BYTES + total]


def ouch_message(frame: bytes) -> bytes:
    """The OUCH message in a TCP segment: one SoupBinTCP Unsequenced Data packet.

    Raises:
        WireError: the segment holds something else.
    """
    tcp = tcp_of(frame)
    if len(tcp) < 20:
        raise WireError("not a whole TCP segment")
    soup = tcp[4 * (tcp[12] >> 4):]
    packet = decode(soup, SOUPBINTCP)
    if packet["packet_type"] != "U" or packet["packet_length"] != len(soup) - 2:
        raise WireError("not one SoupBinTCP Unsequenced Data packet")
    message: bytes = packet["message"]
    return message


def token_of(fields: Mapping[str, Any]) -> str:
    """What names the order that an OUCH message is about: a replacement's own name where it is one."""
    names = ("order_token", "replacement_order_token", "user_ref_num")
    return str(next((fields[name] for name in names if name in fields), ""))


def sent_time_ns(result: LoopResult, sent: SentFrame) -> int:
    """When a frame's first byte left, on the run's time: 0 at the first received frame."""
    origin = int(result.frames["first_clock"][0]) if len(result.frames) else 0
    return (sent.first_clock - origin) * result.clock_ps // 1000


def order_lines(result: LoopResult, ouch: str = "4.2") -> tuple[list[dict[str, Any]], list[str]]:
    """Lines of orders.jsonl, and what is wrong with what was sent; ``ouch`` is the version."""
    lines, problems = [], []
    segments = segments_sent(result)
    pushed = sum(is_pushed(sent.data) for sent in result.sent)
    for name, sent_frames in (("TX_ORDERS", pushed), ("TX_FRAMES", len(result.sent) - pushed)):
        if result.registers[name] != sent_frames:
            problems.append(f"{name} counted {result.registers[name]}, {sent_frames} such frames were sent")
    for index, sent in enumerate(segments):
        try:
            message = ouch_message(sent.data)
            fields = decode(message, OUCH_INBOUND[ouch])
        except WireError as error:
            problems.append(f"sent segment {index}: {error}")
            continue
        lines.append({"time_ns": sent_time_ns(result, sent), "type": fields["message_type"], "fields": plain(fields),
                      "hex": message.hex()})
    return lines, problems
