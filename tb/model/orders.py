# SPDX-License-Identifier: MIT
"""Orders as exact OUCH 4.2 bytes: what the kernel must put on the wire for an intent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generators.tables import OUCH42_INBOUND, decode, encode
from tb.model.config import TOKEN_DIGITS, KernelConfig
from tb.model.intent import Intent


@dataclass(frozen=True, slots=True)
class Order:
    """One OUCH message, and the sequence number of the market data message that caused it."""

    cause: int
    message: bytes
    intent: Intent

    def as_line(self) -> dict[str, Any]:
        """The order's line of orders.jsonl, but for the time at which it left the NIC."""
        fields = decode(self.message, OUCH42_INBOUND)
        return {"type": fields["message_type"], "fields": fields, "hex": self.message.hex()}


def ouch42(intent: Intent, config: KernelConfig) -> bytes:
    """The message of a sent intent."""
    def token(number: int) -> str:
        return f"{config.token_prefix}{number:0{TOKEN_DIGITS}d}"

    match intent.kind:
        case "enter":
            return encode("O", {
                "order_token": token(intent.number),
                "buy_sell_indicator": intent.side,
                "shares": intent.shares,
                "stock": intent.stock,
                "price": intent.price,
                "time_in_force": config.time_in_force,
                "firm": config.firm,
                "display": config.display,
                "capacity": config.capacity,
                "intermarket_sweep_eligibility": config.intermarket_sweep_eligibility,
                "minimum_quantity": config.minimum_quantity,
                "cross_type": config.cross_type,
                "customer_type": config.customer_type,
            }, OUCH42_INBOUND)
        case "replace":
            return encode("U", {
                "existing_order_token": token(intent.original),
                "replacement_order_token": token(intent.number),
                "shares": intent.shares,
                "price": intent.price,
                "time_in_force": config.time_in_force,
                "display": config.display,
                "intermarket_sweep_eligibility": config.intermarket_sweep_eligibility,
                "minimum_quantity": config.minimum_quantity,
            }, OUCH42_INBOUND)
        case "cancel":
            return encode("X", {"order_token": token(intent.original), "shares": intent.shares}, OUCH42_INBOUND)
        case "modify":
            return encode("M", {"order_token": token(intent.original), "buy_sell_indicator": intent.side,
                                "shares": intent.shares}, OUCH42_INBOUND)
