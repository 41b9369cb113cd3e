# SPDX-License-Identifier: MIT
"""The kernel's configuration as plain values: what is subscribed, what each symbol does, and how orders leave.

The defaults are the product's: every locate subscribed, best_bid on every symbol, 100 shares an order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from generators.framing import DEFAULT_GROUP
from generators.tables import OUCH42_INBOUND
from tb.model.strategies import strategies

SessionMode = Literal["established", "connect"]
OuchVersion = Literal["4.2", "5.0"]

STOCK_BYTES = 8
TOKEN_PREFIX_BYTES = 4
FIRM_BYTES = 4
SHARES_LIMIT = 1_000_000  # OUCH 4.2: shares must be below


def padded_stock(stock: str) -> str:
    """A symbol as ITCH and OUCH carry it: left-justified, filled with spaces."""
    return stock.ljust(STOCK_BYTES)


@dataclass(frozen=True, slots=True)
class SymbolConfig:
    """What one symbol does. ``parameters`` are those of the strategy, in its order; none: its defaults."""

    strategy: str = "best_bid"
    shares: int = 100
    parameters: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.shares < SHARES_LIMIT:
            raise ValueError(f"an order has 1 to {SHARES_LIMIT - 1} shares, got {self.shares}")
        if self.strategy != "none" and self.strategy not in strategies():
            raise ValueError(f"a strategy is none or one of {', '.join(sorted(strategies()))}, got {self.strategy!r}")
        declared = () if self.strategy == "none" else strategies()[self.strategy].PARAMETERS
        if not self.parameters:
            object.__setattr__(self, "parameters", tuple(parameter.default for parameter in declared))
        if len(self.parameters) != len(declared) or not all(
                parameter.least <= value <= parameter.most
                for parameter, value in zip(declared, self.parameters, strict=False)):
            raise ValueError(f"parameters of {self.strategy} out of range, got {self.parameters}")


@dataclass(frozen=True, slots=True)
class RiskConfig:
    """Limits on every order; 0 is none. Notional in the protocol's 4 implied decimals."""

    collar_bp: int = 0
    order_shares: int = 0
    order_notional: int = 0
    position: int = 0
    total_position: int = 0
    open_orders: int = 0
    rate_interval_ns: int = 0
    rate_burst: int = 1
    prevent_self_trade: bool = False
    short_selling: bool = True


@dataclass(frozen=True)
class KernelConfig:
    """One configuration. ``symbols`` lists those that differ from the default, by unpadded symbol; without
    ``subscribe_all`` they are the only ones subscribed."""

    subscribe_all: bool = True
    default: SymbolConfig = field(default_factory=SymbolConfig)
    symbols: Mapping[str, SymbolConfig] = field(default_factory=dict)

    # Rings and pools
    rx_log2: int = 10
    tx_log2: int = 10
    max_books: int = 65_535
    max_orders: int = 1 << 20
    max_levels: int = 1 << 18
    own_orders_log2: int = 10

    # The NIC keeps messages back: only its event lines tell what is missing
    filtered: bool = False

    risk: RiskConfig = field(default_factory=RiskConfig)

    # Market data
    group_address: str = DEFAULT_GROUP.address
    group_port: int = DEFAULT_GROUP.port

    # Order entry
    session_mode: SessionMode = "established"
    ouch_version: OuchVersion = "4.2"
    soup_username: str = "TICK"
    soup_password: str = "TICKLOOP"
    soup_session: str = ""
    soup_sequence: int = 1
    heartbeat_ns: int = 1_000_000_000
    server_timeout_ns: int = 15_000_000_000
    retransmit_ns: int = 200_000
    retransmit_limit: int = 8
    source_mac: str = "02:00:00:00:00:01"
    destination_mac: str = "02:00:00:00:00:02"
    source_address: str = "10.0.0.1"
    destination_address: str = "10.0.0.2"
    source_port: int = 40_000
    destination_port: int = 26_400
    tcp_sequence: int = 1_000_000
    tcp_acknowledge: int = 2_000_000
    tcp_window: int = 0xFFFF

    # Recovery of lost market data; no server: a gap is a loss
    recovery_address: str = ""
    recovery_port: int = 0
    recovery_local_port: int = 26_500
    recovery_timeout_ns: int = 100_000
    recovery_retries: int = 5
    recovery_held: int = 65_536
    recovery_request: int = 1000

    # What every Enter Order carries
    token_prefix: str = "TICK"
    firm: str = "TICK"
    time_in_force: int = 99998  # market hours
    display: str = "Y"
    capacity: str = "P"
    intermarket_sweep_eligibility: str = "N"
    minimum_quantity: int = 0
    cross_type: str = "N"
    customer_type: str = "N"

    def __post_init__(self) -> None:
        if len(self.token_prefix) != TOKEN_PREFIX_BYTES:
            raise ValueError(f"the token prefix has {TOKEN_PREFIX_BYTES} characters, got {self.token_prefix!r}")
        if len(self.firm) > FIRM_BYTES:
            raise ValueError(f"the firm has at most {FIRM_BYTES} characters, got {self.firm!r}")
        for symbol in self.symbols:
            if not 0 < len(symbol) <= STOCK_BYTES or symbol != symbol.strip():
                raise ValueError(f"a symbol has 1 to {STOCK_BYTES} characters without padding, got {symbol!r}")

    def of_stock(self, stock: str) -> SymbolConfig | None:
        """The configuration of a padded symbol; None if it is not subscribed."""
        listed = self.symbols.get(stock.rstrip(" "))
        if listed is not None:
            return listed
        return self.default if self.subscribe_all else None


# A token is the prefix and the order's number, as many digits as the field leaves.
TOKEN_DIGITS = (OUCH42_INBOUND["O"].field("order_token").length or 0) - TOKEN_PREFIX_BYTES
