# SPDX-License-Identifier: MIT
"""Orders for the transmit path, and the frames they must become, built by scapy alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random
from typing import Any

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from bridge import layout
from generators.tables import OUCH42_INBOUND, encode

MESSAGE_BYTES = layout.TX_SLOT.fields["message"][0].itemsize


@dataclass
class Session:
    """The TCP session as its registers describe it; ``segment`` moves it on as the NIC must."""

    source_mac: int = 0x02_00_00_00_00_01
    destination_mac: int = 0x02_FF_80_7F_00_FE
    source_address: int = 0x0A00_0001
    destination_address: int = 0xC0A8_FFFE
    source_port: int = 40001
    destination_port: int = 26400
    sequence: int = 0x0102_0304
    acknowledge: int = 0x1122_3344
    window: int = 0xFFFF
    identification: int = 0

    def registers(self) -> dict[str, int]:
        return {
            "SESSION_SOURCE_MAC_LO": self.source_mac & 0xFFFF_FFFF,
            "SESSION_SOURCE_MAC_HI": self.source_mac >> 32,
            "SESSION_DESTINATION_MAC_LO": self.destination_mac & 0xFFFF_FFFF,
            "SESSION_DESTINATION_MAC_HI": self.destination_mac >> 32,
            "SESSION_SOURCE_ADDRESS": self.source_address,
            "SESSION_DESTINATION_ADDRESS": self.destination_address,
            "SESSION_PORTS": self.source_port << 16 | self.destination_port,
            "SESSION_SEQUENCE": self.sequence,
            "SESSION_ACKNOWLEDGE": self.acknowledge,
            "SESSION_WINDOW": self.window,
        }

    def segment(self, message: bytes, packet_type: int = layout.SoupPacket.UNSEQUENCED) -> bytes:
        """The frame this message, or another payload, must leave in."""
        payload = struct.pack(">HB", 1 + len(message), packet_type) + message
        frame = (
            Ether(src=_mac(self.source_mac), dst=_mac(self.destination_mac), type=0x0800)
            / IP(src=_address(self.source_address), dst=_address(self.destination_address), id=self.identification,
                 flags="DF", ttl=64, proto=6)
            / TCP(sport=self.source_port, dport=self.destination_port, seq=self.sequence, ack=self.acknowledge,
                  flags="PA", window=self.window)
            / Raw(payload)
        )
        self.sequence = (self.sequence + len(payload)) % (1 << 32)
        self.identification = (self.identification + 1) % (1 << 16)
        return bytes(frame)


def slot(message: bytes, publish: int, kind: int = layout.TxKind.ORDER, length: int | None = None,
         packet_type: int = layout.SoupPacket.UNSEQUENCED) -> bytes:
    """A line of the TX ring; bytes behind the message are noise that must not be sent."""
    noise = Random(publish).randbytes(MESSAGE_BYTES - len(message))
    length = len(message) if length is None else length
    return message + noise + struct.pack("<BBHI", kind, packet_type, length, publish)


def enter_orders(seed: int, count: int) -> list[dict[str, Any]]:
    """Fields of OUCH 4.2 Enter Orders."""
    rng = Random(seed)
    return [
        {
            "order_token": f"TL{number:012d}", "buy_sell_indicator": rng.choice("BS"),
            "shares": rng.randint(1, layout.OUCH_SHARES_LIMIT - 1), "stock": rng.choice(("AAPL", "QQQ", "BRK.B")),
            "price": rng.randint(1, layout.PRICE_LIMIT - 1), "time_in_force": rng.choice((0, 99998, 99999)),
            "firm": "TICK", "display": rng.choice("AYNP"), "capacity": rng.choice("APR"),
            "intermarket_sweep_eligibility": rng.choice("YN"), "minimum_quantity": rng.randint(0, 500),
            "cross_type": rng.choice("NOC"), "customer_type": rng.choice("RN "),
        }
        for number in range(count)
    ]


def ouch(fields: dict[str, Any]) -> bytes:
    return encode("O", fields, OUCH42_INBOUND)


def _mac(value: int) -> str:
    return value.to_bytes(6, "big").hex(":")


def _address(value: int) -> str:
    return ".".join(map(str, value.to_bytes(4, "big")))
