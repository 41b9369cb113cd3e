# SPDX-License-Identifier: MIT
"""Orders as exact OUCH bytes, of version 4.2 or 5.0: what the kernel must put on the wire for an intent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generators.tables import OUCH42_INBOUND, OUCH50_INBOUND, decode, encode, plain
from tb.model.config import TOKEN_DIGITS, KernelConfig, OuchVersion
from tb.model.intent import Intent


@dataclass(frozen=True, slots=True)
class Order:
    """One OUCH message, and the sequence number of the market data message that caused it."""

    cause: int
    message: bytes
    intent: Intent
    version: OuchVersion = "4.2"

    def as_line(self) -> dict[str, Any]:
        """The order's line of orders.jsonl, but for the time at which it left the NIC."""
        fields = decode(self.message, OUCH42_INBOUND if self.version == "4.2" else OUCH50_INBOUND)
        return {"type": fields["message_type"], "fields": plain(fields), "hex": self.message.hex()}


def order_of(cause: int, intent: Intent, config: KernelConfig) -> Order:
    """The order that an intent becomes when it is sent."""
    encoder = ouch42 if config.ouch_version == "4.2" else ouch50
    return Order(cause, encoder(intent, config), intent, config.ouch_version)


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


# OUCH 5.0: the tags of the appendage that orders carry, and the time in force for OUCH 4.2's seconds.
FIRM, MIN_QTY, CUSTOMER_TYPE, EXPIRE_TIME = 2, 3, 4, 15
GOOD_TILL_TIME = "6"
TIMES_IN_FORCE = {0: "3", 99_998: "0", 99_999: "5"}


def _appendage(tags: list[tuple[int, bytes]]) -> dict[str, Any]:
    data = b"".join(bytes([1 + len(value), tag]) + value for tag, value in tags)
    return {"appendage_length": len(data), "appendage": data}


def ouch50(intent: Intent, config: KernelConfig) -> bytes:
    """The message of a sent intent."""
    time_in_force = TIMES_IN_FORCE.get(config.time_in_force, GOOD_TILL_TIME)
    terms = [(MIN_QTY, config.minimum_quantity.to_bytes(4, "big"))] if config.minimum_quantity else []
    if time_in_force == GOOD_TILL_TIME:
        terms.append((EXPIRE_TIME, config.time_in_force.to_bytes(4, "big")))
    account = [(tag, text.encode("latin-1")) for tag, text in (
        (FIRM, config.firm.ljust(4)), (CUSTOMER_TYPE, config.customer_type)) if text.strip(" ")]
    client_id = f"{config.token_prefix}{intent.number:0{TOKEN_DIGITS}d}"
    common: dict[str, Any] = {
        "user_ref_num": intent.number, "quantity": intent.shares, "price": intent.price,
        "time_in_force": time_in_force, "display": config.display,
        "intermarket_sweep_eligibility": config.intermarket_sweep_eligibility, "clordid": client_id,
    }
    match intent.kind:
        case "enter":
            return encode("O", {**common, "side": intent.side, "symbol": intent.stock, "capacity": config.capacity,
                                "cross_type": config.cross_type, **_appendage(account + terms)}, OUCH50_INBOUND)
        case "replace":
            return encode("U", {**common, "orig_user_ref_num": intent.original, **_appendage(terms)}, OUCH50_INBOUND)
        case "cancel":
            return encode("X", {"user_ref_num": intent.original, "quantity": intent.shares}, OUCH50_INBOUND)
        case "modify":
            return encode("M", {"user_ref_num": intent.original, "side": intent.side, "quantity": intent.shares},
                          OUCH50_INBOUND)
