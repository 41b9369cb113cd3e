# SPDX-License-Identifier: MIT
"""best_bid: an improved best bid triggers one buy of the configured size at that price, as exact OUCH 4.2 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generators.tables import ORDER_PRICE_MAX, OUCH42_INBOUND, decode, encode
from tb.model.book import Change
from tb.model.config import TOKEN_DIGITS, KernelConfig, SymbolConfig


@dataclass(frozen=True, slots=True)
class Order:
    """One OUCH message, and the sequence number of the market data message that caused it."""

    cause: int
    message: bytes

    def as_line(self) -> dict[str, Any]:
        """The order's line of orders.jsonl, but for the time at which it left the NIC."""
        fields = decode(self.message, OUCH42_INBOUND)
        return {"type": fields["message_type"], "fields": fields, "hex": self.message.hex()}


class BestBid:
    """Decides on each applied book message. Tokens count the orders of all symbols, from 1."""

    def __init__(self, config: KernelConfig) -> None:
        self._config = config
        self.orders_sent = 0
        self.orders_refused_price = 0

    def decide(self, change: Change, symbol: SymbolConfig, cause: int) -> Order | None:
        if change.bid_after <= change.bid_before:
            return None
        if change.bid_after > ORDER_PRICE_MAX:
            self.orders_refused_price += 1
            return None
        self.orders_sent += 1
        config = self._config
        message = encode("O", {
            "order_token": f"{config.token_prefix}{self.orders_sent:0{TOKEN_DIGITS}d}",
            "buy_sell_indicator": "B",
            "shares": symbol.shares,
            "stock": change.book.stock,
            "price": change.bid_after,
            "time_in_force": config.time_in_force,
            "firm": config.firm,
            "display": config.display,
            "capacity": config.capacity,
            "intermarket_sweep_eligibility": config.intermarket_sweep_eligibility,
            "minimum_quantity": config.minimum_quantity,
            "cross_type": config.cross_type,
            "customer_type": config.customer_type,
        }, OUCH42_INBOUND)
        return Order(cause, message)
