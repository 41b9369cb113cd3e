# SPDX-License-Identifier: MIT
"""Orders that left the NIC: the OUCH messages inside the sent frames, for orders.jsonl and orders.pcap."""

from __future__ import annotations

import struct
from typing import Any

from bridge.interface import CLOCK_PS, LoopResult, SentFrame
from generators.framing import ETHERTYPE_IPV4
from generators.tables import OUCH42_INBOUND, SOUPBINTCP, WireError, decode

ETHERNET_BYTES = 14
PROTOCOL_TCP = 6


def ouch_message(frame: bytes) -> bytes:
    """The OUCH message in a frame: Ethernet, IPv4, TCP, one SoupBinTCP Unsequenced Data packet.

    Raises:
        WireError: the frame is not that.
    """
    if len(frame) < ETHERNET_BYTES + 20 or struct.unpack_from(">H", frame, 12)[0] != ETHERTYPE_IPV4:
        raise WireError("not an IPv4 frame")
    header = 4 * (frame[ETHERNET_BYTES] & 15)
    total = struct.unpack_from(">H", frame, ETHERNET_BYTES + 2)[0]
    tcp = frame[ETHERNET_BYTES + header:ETHERNET_BYTES + total]
    if frame[ETHERNET_BYTES + 9] != PROTOCOL_TCP or len(tcp) < 20:
        raise WireError("not a TCP segment")
    soup = tcp[4 * (tcp[12] >> 4):]
    packet = decode(soup, SOUPBINTCP)
    if packet["packet_type"] != "U" or packet["packet_length"] != len(soup) - 2:
        raise WireError("not one SoupBinTCP Unsequenced Data packet")
    message: bytes = packet["message"]
    return message


def sent_time_ns(result: LoopResult, sent: SentFrame) -> int:
    """When a frame's first byte left, on the run's time: 0 at the first received frame."""
    origin = int(result.frames["first_clock"][0]) if len(result.frames) else 0
    return (sent.first_clock - origin) * CLOCK_PS // 1000


def order_lines(result: LoopResult) -> tuple[list[dict[str, Any]], list[str]]:
    """Lines of orders.jsonl, and what is wrong with frames that hold no order."""
    lines, problems = [], []
    for index, sent in enumerate(result.sent):
        try:
            message = ouch_message(sent.data)
            fields = decode(message, OUCH42_INBOUND)
        except WireError as error:
            problems.append(f"sent frame {index}: {error}")
            continue
        lines.append({"time_ns": sent_time_ns(result, sent), "type": fields["message_type"], "fields": fields,
                      "hex": message.hex()})
    return lines, problems
