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
    ("order", "minimum_quantity", 0, TOO_MANY_SHARES - 1),
])
def test_the_command_line_takes_the_ranges_that_the_kernel_takes(
    core: Core, table: str, key: str, least: int, most: int
) -> None:
    field_limit = (1 << 8 * layout.CONFIG_HEADER[key].itemsize) - 1
    for value in (least - 1, most + 1):
        with pytest.raises(UsageError, match=key):
            parse_config({"strategy": LARGEST_ORDERS, table: {key: value}}, "test")
        if 0 <= value <= field_limit:
            assert key in core.configure(config_module(**{key: value}))
    for value in (least, most):
        config = parse_config({"strategy": LARGEST_ORDERS, table: {key: value}}, "test").kernel
        assert getattr(config, key) == value
        if table != "pools":  # the largest pools need more memory than a test should take
            assert core.configure(compile_module(config)) == ""
