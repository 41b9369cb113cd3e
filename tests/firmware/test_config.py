# SPDX-License-Identifier: MIT
"""The configuration module: every field outside its range is refused, every limit of the ranges is taken."""

from __future__ import annotations

import string
from typing import Any

import pytest

from bridge import layout
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module
from tickloop.config import compile_module, parse_config
from tickloop.exits import UsageError

TOO_MANY_SHARES = layout.OUCH_SHARES_LIMIT
LARGEST_ORDERS = {"shares": TOO_MANY_SHARES - 1}  # a minimum quantity may not exceed an order's size

GOOD: list[dict[str, Any]] = [
    {},
    {"default_strategy": 0, "default_shares": 0},
    {"default_shares": 1}, {"default_shares": TOO_MANY_SHARES - 1},
    {"rx_log2": 4}, {"rx_log2": 16}, {"tx_log2": 4}, {"tx_log2": 16},
    {"max_books": 1}, {"max_books": 65535}, {"max_orders": 1}, {"max_levels": 1},
    {"group_port": 1}, {"group_port": 65535}, {"group_address": 0x7F000001},
    {"time_in_force": 0}, {"time_in_force": 99999}, {"minimum_quantity": TOO_MANY_SHARES - 1},
    {"firm": b"    "}, {"token_prefix": b"aZ09"}, {"customer_type": ord(" ")},
    {"own_orders_log2": 4}, {"own_orders_log2": 12}, {"session_mode": layout.SessionMode.CONNECT},
    {"ouch_version": layout.OuchVersion.V50, "minimum_quantity": 0}, {"soup_sequence": 0},
    {"heartbeat_ns": 1}, {"server_timeout_ns": 10**12}, {"retransmit_ns": 1}, {"retransmit_limit": 255},
    {"recovery_address": 0x0A000003, "recovery_port": 1}, {"recovery_retries": 0}, {"recovery_held": 1},
    {"recovery_request": 65534},
    {"risk_collar_bp": 1_000_000}, {"risk_order_shares": TOO_MANY_SHARES - 1}, {"risk_order_notional": 10**18},
    {"risk_position": 10**18}, {"risk_total_position": 10**18}, {"risk_open_orders": 0xFFFFFFFF},
    {"risk_rate_interval_ns": 10**12}, {"risk_rate_burst": 1_000_000}, {"risk_self_trade": 1},
    {"risk_short_selling": 0},
    *({"capacity": ord(c)} for c in "APRO"), *({"intermarket_sweep": ord(c)} for c in "YNy"),
    *({"cross_type": ord(c)} for c in "NOCHSRE"),
]

BAD: list[tuple[str, dict[str, Any]]] = [
    ("layout", {"magic": 0}), ("layout", {"magic": layout.EXPORT_MAGIC}),
    ("layout", {"version": layout.LAYOUT_VERSION + 1}), ("layout", {"layout_hash": layout.LAYOUT_HASH ^ 1}),
    ("size", {"size": 0}), ("size", {"size": 191}), ("size", {"size": 193}), ("size", {"size": 208}),
    ("size", {"symbol_count": 1}),
    ("symbol_count", {"symbol_count": 65537}), ("symbol_count", {"symbol_count": 1 << 28}),
    ("subscribe_all", {"subscribe_all": 2}), ("no symbol", {"subscribe_all": 0}),
    ("strategy", {"default_strategy": 2}), ("strategy", {"default_strategy": 0xFFFFFFFF}),
    ("shares", {"default_shares": 0}), ("shares", {"default_shares": TOO_MANY_SHARES}),
    ("shares", {"default_strategy": 0, "default_shares": TOO_MANY_SHARES}),
    ("rx_log2", {"rx_log2": 3}), ("rx_log2", {"rx_log2": 17}),
    ("tx_log2", {"tx_log2": 3}), ("tx_log2", {"tx_log2": 32}),
    ("max_books", {"max_books": 0}), ("max_books", {"max_books": 65536}),
    ("max_orders", {"max_orders": 0}), ("max_orders", {"max_orders": (1 << 24) + 1}),
    ("max_levels", {"max_levels": 0}), ("max_levels", {"max_levels": 0xFFFFFFFF}),
    ("group_address", {"group_address": 0}), ("group_port", {"group_port": 0}), ("group_port", {"group_port": 65536}),
    ("source_mac", {"source_mac": bytes(6)}), ("source_mac", {"source_mac": b"\x01\0\x5e\0\0\1"}),
    ("destination_mac", {"destination_mac": bytes(6)}), ("destination_mac", {"destination_mac": b"\xff" * 6}),
    ("source_address", {"source_address": 0}), ("destination_address", {"destination_address": 0}),
    ("source_port", {"source_port": 0}), ("destination_port", {"destination_port": 0}),
    ("time_in_force", {"time_in_force": 100_000}), ("minimum_quantity", {"minimum_quantity": TOO_MANY_SHARES}),
    ("firm", {"firm": b"AB\0 "}), ("firm", {"firm": b"AB\x7fC"}),
    ("display", {"display": 0}), ("display", {"display": 200}),
    ("capacity", {"capacity": ord("X")}), ("capacity", {"capacity": 0}),
    ("intermarket_sweep", {"intermarket_sweep": ord("n")}), ("cross_type", {"cross_type": ord("X")}),
    ("customer_type", {"customer_type": ord("X")}), ("customer_type", {"customer_type": 0}),
    ("strategy_count", {"strategy_count": 256}), ("size", {"strategy_count": 2}), ("size", {"strategy_count": 0}),
    ("own_orders_log2", {"own_orders_log2": 3}), ("own_orders_log2", {"own_orders_log2": 13}),
    ("session_mode", {"session_mode": 2}), ("ouch_version", {"ouch_version": 43}),
    ("ouch_version", {"ouch_version": 0}),
    ("soup_username", {"soup_username": b"ABCDE\0"}), ("soup_password", {"soup_password": b"\x7f" * 10}),
    ("soup_session", {"soup_session": bytes(10)}),
    ("heartbeat_ns", {"heartbeat_ns": 0}), ("heartbeat_ns", {"heartbeat_ns": 10**12 + 1}),
    ("server_timeout_ns", {"server_timeout_ns": 0}), ("retransmit_ns", {"retransmit_ns": 0}),
    ("retransmit_limit", {"retransmit_limit": 0}), ("retransmit_limit", {"retransmit_limit": 256}),
    ("recovery_port", {"recovery_address": 1}), ("recovery_local_port", {"recovery_local_port": 0}),
    ("recovery and filter", {"recovery_address": 1, "recovery_port": 1, "filter": 1}),
    ("recovery_retries", {"recovery_retries": 256}), ("recovery_timeout_ns", {"recovery_timeout_ns": 0}),
    ("recovery_held", {"recovery_held": 0}), ("recovery_held", {"recovery_held": (1 << 20) + 1}),
    ("recovery_request", {"recovery_request": 0}), ("recovery_request", {"recovery_request": 65535}),
    ("risk_collar_bp", {"risk_collar_bp": 1_000_001}), ("risk_order_shares", {"risk_order_shares": TOO_MANY_SHARES}),
    ("risk_order_notional", {"risk_order_notional": 10**18 + 1}), ("risk_position", {"risk_position": 10**18 + 1}),
    ("risk_total_position", {"risk_total_position": 10**18 + 1}),
    ("risk_rate_interval_ns", {"risk_rate_interval_ns": 10**12 + 1}), ("risk_rate_burst", {"risk_rate_burst": 0}),
    ("risk_rate_burst", {"risk_rate_burst": 1_000_001}), ("risk_self_trade", {"risk_self_trade": 2}),
    ("risk_short_selling", {"risk_short_selling": 2}),
    ("token_prefix", {"token_prefix": b"AB C"}), ("token_prefix", {"token_prefix": b"ABC\0"}),
    ("token_prefix", {"token_prefix": b"ABC@"}), ("token_prefix", {"token_prefix": b"[BCD"}),
]

BAD_SYMBOLS: list[tuple[str, list[tuple[str, int, int]]]] = [
    ("symbol", [("", 1, 100)]), ("symbol", [(" AAPL", 1, 100)]), ("symbol", [("A PL", 1, 100)]),
    ("symbol", [("AAPL\0", 1, 100)]), ("symbol", [("AAPL\x80", 1, 100)]),
    ("strategy", [("AAPL", 2, 100)]), ("shares", [("AAPL", 1, 0)]), ("shares", [("AAPL", 1, TOO_MANY_SHARES)]),
    ("shares", [("AAPL", 0, TOO_MANY_SHARES)]), ("strategy", [("AAPL", 1, 1), ("MSFT", 7, 1)]),
    ("twice", [("AAPL", 1, 100), ("MSFT", 1, 100), ("AAPL", 1, 200)]),
]


BAD_STRATEGIES: list[tuple[str, list[tuple[str, list[int]]]]] = [
    ("name", [("", [])]), ("name", [("best_bi", [])]), ("name", [("best_bidd", [])]), ("name", [("BEST_BID", [])]),
    ("no such parameter", [("best_bid", [1])]), ("no such parameter", [("imbalance", [650, 1])]),
    ("out of range", [("imbalance", [])]), ("out of range", [("imbalance", [499])]),
    ("out of range", [("best_bid", []), ("imbalance", [1001])]),
    ("out of range", [("market_maker", [200, 100, 1000, 0])]),
    ("no such parameter", [("market_maker", [200, 100, 1000, 100, 0, 0, 0, 1])]),
]


@pytest.mark.parametrize(("names", "strategies"), BAD_STRATEGIES, ids=str)
def test_strategies_refused(core: Core, names: str, strategies: list[tuple[str, list[int]]]) -> None:
    assert names in core.configure(config_module(strategies=strategies))


def test_many_strategies_taken(core: Core) -> None:
    strategies = [("imbalance", [500 + n]) for n in range(255)]
    assert core.configure(config_module([("LAST", 255, 100)], strategies)) == ""
    assert "strategy" in core.configure(config_module([("LAST", 256, 100)], strategies))
    assert core.configure(config_module(strategies=[], default_strategy=0)) == ""
    with pytest.raises(UsageError, match="255"):
        compile_module(parse_config({"symbol": [
            {"stock": f"S{n}", "strategy": "market_maker", "inventory": n} for n in range(255)]}, "test").kernel)


@pytest.mark.parametrize("fields", GOOD, ids=str)
def test_taken(core: Core, fields: dict[str, Any]) -> None:
    assert core.configure(config_module(**fields)) == ""


@pytest.mark.parametrize(("names", "fields"), BAD, ids=str)
def test_refused(core: Core, names: str, fields: dict[str, Any]) -> None:
    """The one line names the field."""
    assert names in core.configure(config_module(**fields))


@pytest.mark.parametrize(("names", "symbols"), BAD_SYMBOLS, ids=str)
def test_symbols_refused(core: Core, names: str, symbols: list[tuple[str, int, int]]) -> None:
    assert names in core.configure(config_module(symbols))


def test_many_symbols_taken(core: Core) -> None:
    assert core.configure(config_module([(f"S{n}", 1, n % 1000 + 1) for n in range(20_000)], subscribe_all=0)) == ""


@pytest.mark.parametrize("size", [0, 1, 8, 16, 191])
def test_cut_module_refused(core: Core, size: int) -> None:
    assert core.configure(config_module()[:size]) == "layout"


def test_module_with_a_tail_refused(core: Core) -> None:
    assert "size" in core.configure(config_module([("AAPL", 1, 100)]) + b"\0")
    assert "size" in core.configure(config_module([("AAPL", 1, 100)])[:-1])


@pytest.mark.parametrize("key", ["display", "capacity", "intermarket_sweep_eligibility", "cross_type", "customer_type"])
def test_the_command_line_takes_the_codes_that_the_kernel_takes(core: Core, key: str) -> None:
    """All of ASCII's text: a value refused only here would be a panic after the boot instead of a usage error."""
    field = {"intermarket_sweep_eligibility": "intermarket_sweep"}.get(key, key)
    taken = 0
    for character in string.ascii_letters + string.digits + string.punctuation + " ":
        by_kernel = core.configure(config_module(**{field: ord(character)})) == ""
        try:
            module = compile_module(parse_config({"order": {key: character}}, "test").kernel)
        except UsageError:
            assert not by_kernel, character
        else:
            assert by_kernel, character
            assert core.configure(module) == ""
            taken += 1
    assert taken > 0


@pytest.mark.parametrize(("table", "key", "least", "most"), [
    ("rings", "rx_log2", 4, 16), ("rings", "tx_log2", 4, 16), ("pools", "max_books", 1, 65535),
    ("pools", "max_orders", 1, 1 << 24), ("pools", "max_levels", 1, 1 << 24), ("session", "source_port", 1, 65535),
    ("session", "destination_port", 1, 65535), ("order", "time_in_force", 0, 99999),
    ("order", "minimum_quantity", 0, TOO_MANY_SHARES - 1), ("pools", "own_orders_log2", 4, 12),
    ("session", "heartbeat_ns", 1, 10**12), ("session", "server_timeout_ns", 1, 10**12),
    ("session", "retransmit_ns", 1, 10**12), ("session", "retransmit_limit", 1, 255),
    ("recovery", "local_port", 1, 65535), ("recovery", "timeout_ns", 1, 10**12), ("recovery", "retries", 0, 255),
    ("recovery", "held", 1, 1 << 20), ("recovery", "request", 1, 65534),
    ("risk", "collar_bp", 0, 1_000_000), ("risk", "order_shares", 0, TOO_MANY_SHARES - 1),
    ("risk", "order_notional", 0, 10**18), ("risk", "position", 0, 10**18), ("risk", "total_position", 0, 10**18),
    ("risk", "open_orders", 0, 0xFFFFFFFF), ("risk", "rate_interval_ns", 0, 10**12), ("risk", "rate_burst", 1, 10**6),
])
def test_the_command_line_takes_the_ranges_that_the_kernel_takes(
    core: Core, table: str, key: str, least: int, most: int
) -> None:
    field = f"{table}_{key}" if table in ("recovery", "risk") else key
    field_limit = (1 << 8 * layout.CONFIG_HEADER[field].itemsize) - 1
    for value in (least - 1, most + 1):
        with pytest.raises(UsageError, match=key):
            parse_config({"strategy": LARGEST_ORDERS, table: {key: value}}, "test")
        if 0 <= value <= field_limit:
            assert field in core.configure(config_module(**{field: value}))
    for value in (least, most):
        config = parse_config({"strategy": LARGEST_ORDERS, table: {key: value}}, "test").kernel
        assert getattr(config.risk if table == "risk" else config, key if table == "risk" else field) == value
        if table != "pools":  # the largest pools need more memory than a test should take
            assert core.configure(compile_module(config)) == ""
