# SPDX-License-Identifier: MIT
"""Orders that left the NIC: the OUCH messages inside the sent TCP segments, for orders.jsonl and orders.pcap.

Other frames that left are the kernel's own (TX slots of kind ``frame``); the NIC counts the two apart.
"""

from __future__ import annotations

import struct
from typing import Any

from bridge.interface import LoopResult, SentFrame
from generators.framing import ETHERTYPE_IPV4
from generators.tables import OUCH42_INBOUND, SOUPBINTCP, WireError, decode

ETHERNET_BYTES = 14
PROTOCOL_TCP = 6


def is_segment(frame: bytes) -> bool:
    """Whether a sent frame is a TCP segment."""
    return frame[12:14] == ETHERTYPE_IPV4.to_bytes(2, "big") and frame[ETHERNET_BYTES + 9:][:1] == bytes([PROTOCOL_TCP])


def segments_sent(result: LoopResult) -> list[SentFrame]:
    """The frames that carry orders."""
    return [sent for sent in result.sent if is_segment(sent.data)]


def ouch_message(frame: bytes) -> bytes:
    """The OUCH message in a TCP segment: one SoupBinTCP Unsequenced Data packet.

    Raises:
        WireError: the segment holds something else.
    """
    header = 4 * (frame[ETHERNET_BYTES] & 15)
    total = struct.unpack_from(">H", frame, ETHERNET_BYTES + 2)[0]
    tcp = frame[ETHERNET_BYTES + header:ETHERNET_BYTES + total]
    if len(tcp) < 20:
        raise WireError("not a whole TCP segment")
    soup = tcp[4 * (tcp[12] >> 4):]
    packet = decode(soup, SOUPBINTCP)
    if packet["packet_type"] != "U" or packet["packet_length"] != len(soup) - 2:
        raise WireError("not one SoupBinTCP Unsequenced Data packet")
    message: bytes = packet["message"]
    return message


def sent_time_ns(result: LoopResult, sent: SentFrame) -> int:
    """When a frame's first byte left, on the run's time: 0 at the first received frame."""
    origin = int(result.frames["first_clock"][0]) if len(result.frames) else 0
    return (sent.first_clock - origin) * result.clock_ps // 1000


def order_lines(result: LoopResult) -> tuple[list[dict[str, Any]], list[str]]:
    """Lines of orders.jsonl, and what is wrong with what was sent."""
    lines, problems = [], []
    segments = segments_sent(result)
    for name, sent_frames in (("TX_ORDERS", len(segments)), ("TX_FRAMES", len(result.sent) - len(segments))):
        if result.registers[name] != sent_frames:
            problems.append(f"{name} counted {result.registers[name]}, {sent_frames} such frames were sent")
    for index, sent in enumerate(segments):
        try:
            message = ouch_message(sent.data)
            fields = decode(message, OUCH42_INBOUND)
        except WireError as error:
            problems.append(f"sent segment {index}: {error}")
            continue
        lines.append({"time_ns": sent_time_ns(result, sent), "type": fields["message_type"], "fields": fields,
                      "hex": message.hex()})
    return lines, problems
