# SPDX-License-Identifier: MIT
"""``--config``: a TOML file becomes the values of a run, and the module that is loaded beside the kernel.

Every key has a default (docs/configuration.md); an unknown key, a wrong type or an impossible value is a usage error
that names the key. What is accepted here the kernel accepts too (firmware/core/config.c; the tests compare the two).
The compiled module carries the layout's hash, so that kernel and host of different layouts refuse each other.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from bridge.interface import CLOCK_PS, CLOCK_PS_25G, Delivery, PacketFormat, RingMode
from bridge.layout import (
    CONFIG_HEADER,
    CONFIG_MAGIC,
    CONFIG_STRATEGY,
    CONFIG_SYMBOL,
    LAYOUT_HASH,
    LAYOUT_VERSION,
    OUCH_SHARES_LIMIT,
    OuchVersion,
    SessionMode,
)
from bridge.layout import RingMode as RingModeCode
from generators.exchange.config import Action
from generators.framing import DEFAULT_GROUP, Group
from generators.profiles import MAX_SYMBOLS, instruments
from tb.model.config import STOCK_BYTES, KernelConfig, RiskConfig, SymbolConfig, padded_stock
from tb.model.strategies import strategies
from tickloop.exits import UsageError

MAX_STRATEGIES = 255
LOCATES = 1 << 16  # a feed can have no more symbols
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


@dataclass(frozen=True)
class TimeModel:
    """What guest work and the crossing between NIC and host cost in simulated time; docs/time-model.md."""

    ps_per_instruction: int = 250
    posted_write_ns: int = 250
    read_ns: int = 400
    doorbell_ns: int = 200
    clock_ps: int = CLOCK_PS


@dataclass(frozen=True)
class NicConfig:
    """How the NIC is to deliver: rings and filter from the configuration, the others from the command line."""

    mode: RingMode = "lines"
    filter: bool = True
    raw_log2: int = 8
    delivery: Delivery = "cut-through"
    hold_ns: int = 0
    packet_format: PacketFormat = "mold"


DEFAULT_NIC = NicConfig()


@dataclass(frozen=True)
class RunConfig:
    """The kernel's configuration, the NIC's, and the time model."""

    kernel: KernelConfig
    time: TimeModel = field(default_factory=TimeModel)
    nic: NicConfig = field(default_factory=NicConfig)
    exchange: Mapping[str, Any] = field(default_factory=dict)  # of ExchangeConfig, what the scenario is to have

    @property
    def group(self) -> Group:
        return Group(self.kernel.group_address, self.kernel.group_port)


_MAX_NS = 1_000_000_000_000
_MAX_LIMIT = 10**18

# Table -> key -> (default, smallest, largest) for integers.
_INTEGERS: dict[str, dict[str, tuple[int, int, int]]] = {
    "rings": {"rx_log2": (10, 4, 16), "tx_log2": (10, 4, 16), "raw_log2": (8, 4, 16)},
    "pools": {
        "max_books": (65_535, 1, 65_535), "max_orders": (1 << 20, 1, 1 << 24), "max_levels": (1 << 18, 1, 1 << 24),
        "own_orders_log2": (10, 4, 12),
    },
    "session": {
        "source_port": (40_000, 1, 65_535), "destination_port": (26_400, 1, 65_535),
        "tcp_sequence": (1_000_000, 0, 0xFFFFFFFF), "tcp_acknowledge": (2_000_000, 0, 0xFFFFFFFF),
        "soup_sequence": (1, 0, (1 << 63) - 1), "heartbeat_ns": (1_000_000_000, 1, _MAX_NS),
        "server_timeout_ns": (15_000_000_000, 1, _MAX_NS), "retransmit_ns": (200_000, 1, _MAX_NS),
        "retransmit_limit": (8, 1, 255),
    },
    "recovery": {
        "local_port": (26_500, 1, 65_535), "timeout_ns": (100_000, 1, _MAX_NS), "retries": (5, 0, 255),
        "held": (65_536, 1, 1 << 20), "request": (1000, 1, 65_534),
    },
    "order": {"time_in_force": (99_998, 0, 99_999), "minimum_quantity": (0, 0, OUCH_SHARES_LIMIT - 1)},
    "time": {
        "ps_per_instruction": (250, 1, 1_000_000), "posted_write_ns": (250, 0, 1_000_000),
        "read_ns": (400, 0, 1_000_000), "doorbell_ns": (200, 0, 1_000_000),
    },
}
# Key of [order] -> (default, pattern, what the pattern wants); the codes are those of OUCH 4.2, 2.1.
_TEXTS = {
    "token_prefix": ("TICK", "[0-9A-Za-z]{4}", "4 ASCII letters or digits"),
    "firm": ("TICK", "[ -~]{0,4}", "at most 4 printable ASCII characters"),
    "display": ("Y", "[ -~]", "1 printable ASCII character"),
    "capacity": ("P", "[APRO]", "A, P, R or O"),
    "intermarket_sweep_eligibility": ("N", "[YNy]", "Y, N or y"),
    "cross_type": ("N", "[NOCHSRE]", "N, O, C, H, S, R or E"),
    "customer_type": ("N", "[RN ]", "R, N or a space"),
}
# Key of [session] -> (default, longest); SoupBinTCP fields, padded with spaces.
_LOGIN = {"soup_username": ("TICK", 6), "soup_password": ("TICKLOOP", 10), "soup_session": ("", 10)}
# Key of [risk] -> largest; 0, the default, is no limit.
_LIMITS = {
    "collar_bp": 1_000_000, "order_shares": OUCH_SHARES_LIMIT - 1, "order_notional": _MAX_LIMIT, "position": _MAX_LIMIT,
    "total_position": _MAX_LIMIT, "open_orders": 0xFFFFFFFF, "rate_interval_ns": _MAX_NS,
}
_ADDRESSES = {
    "source_mac": "02:00:00:00:00:01", "destination_mac": "02:00:00:00:00:02",
    "source_address": "10.0.0.1", "destination_address": "10.0.0.2",
}
_PPM = (0, 0, 1_000_000)
# Key of [exchange] -> (default, smallest, largest).
_EXCHANGE = {
    "symbols": (4, 1, MAX_SYMBOLS), "latency_ns": (5_000, 7, 1_000_000_000), "slowness": (1, 1, 10_000),
    "heartbeat_ns": (1_000_000_000, 1_000, _MAX_NS),
    "loss_a_ppm": _PPM, "loss_b_ppm": _PPM, "answer_loss_ppm": _PPM, "order_loss_ppm": _PPM,
    "order_duplicate_ppm": _PPM, "order_late_ppm": _PPM,
}
_OF_A_STOCK = ("halt", "resume", "break", "correct", "reprice")
_TABLES = {"exchange", "feed", "kernel", "nic", "risk", "strategy", "symbol", *_INTEGERS}


def load_config(path: Path | None) -> RunConfig:
    """The configuration in ``path``, or the defaults.

    Raises:
        UsageError: the file cannot be read, or says something impossible.
    """
    if path is None:
        return parse_config({}, "default configuration")
    try:
        return parse_config(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None


def parse_config(document: Mapping[str, Any], source: str) -> RunConfig:
    """Checks a parsed document key by key; ``source`` names it in errors."""
    reader = _Reader(document, source)
    reader.only(document, _TABLES, "")
    values: dict[str, Any] = {}
    for table, integers in _INTEGERS.items():
        others = {"session": {*_ADDRESSES, *_LOGIN, "mode", "ouch"}, "order": set(_TEXTS), "time": {"clock_ps"},
                  "recovery": {"server"}}.get(table, set())
        reader.only(reader.table(table), {*integers, *others}, f"{table}.")
        for key, limits in integers.items():
            values[f"recovery_{key}" if table == "recovery" else key] = reader.integer(table, key, *limits)
    for key, (default, pattern, wanted) in _TEXTS.items():
        values[key] = reader.text("order", key, default, pattern, wanted)
    for key, default in _ADDRESSES.items():
        read = reader.mac if key.endswith("_mac") else reader.ipv4
        values[key] = read("session", key, default)
    for key, (default, longest) in _LOGIN.items():
        values[key] = reader.text("session", key, default, f"[ -~]{{0,{longest}}}",
                                  f"at most {longest} printable ASCII characters")
    values["session_mode"] = reader.choice("session", "mode", ("established", "connect"))
    values["ouch_version"] = reader.choice("session", "ouch", ("4.2", "5.0"))
    server = reader.server()
    values["recovery_address"], values["recovery_port"] = (server.address, server.port) if server else ("", 0)
    values["risk"] = reader.risk()
    time = TimeModel(**{key: values.pop(key) for key in _INTEGERS["time"]}, clock_ps=reader.clock_ps())
    nic = NicConfig(reader.ring_mode(), reader.flag("nic", "filter", True), values.pop("raw_log2"))
    group = reader.group()
    if server and nic.filter and reader.table("kernel").get("subscribe", "all") != "all":
        raise reader.error("nic.filter", "must be false with recovery.server: what it keeps back would look like a gap")
    subscribe_all, default_symbol, symbols = reader.symbols()
    sizes = [symbol.shares for symbol in (*symbols.values(), *([default_symbol] if subscribe_all else ()))
             if symbol.strategy != "none"]
    if sizes and values["minimum_quantity"] > min(sizes):
        raise reader.error("order.minimum_quantity", f"must not exceed an order's size, here {min(sizes)}, "
                                                     f"got {values['minimum_quantity']}")
    return RunConfig(KernelConfig(
        filtered=nic.filter and not subscribe_all, subscribe_all=subscribe_all, default=default_symbol, symbols=symbols,
        group_address=group.address, group_port=group.port, **values,
    ), time, nic, reader.exchange())


class _Reader:
    """Typed access to the document; every error names the key."""

    def __init__(self, document: Mapping[str, Any], source: str) -> None:
        self._document = document
        self._source = source

    def error(self, key: str, message: str) -> UsageError:
        return UsageError(f"{self._source}: {key}: {message}")

    def only(self, table: Mapping[str, Any], known: set[str], prefix: str) -> None:
        for key in table:
            if key not in known:
                raise self.error(f"{prefix}{key}", f"unknown key (known: {', '.join(sorted(known))})")

    def table(self, name: str) -> Mapping[str, Any]:
        value = self._document.get(name, {})
        if not isinstance(value, dict):
            raise self.error(name, "must be a table")
        return value

    def integer(self, table: str, key: str, default: int, least: int, most: int) -> int:
        return self.checked_integer(f"{table}.{key}", self.table(table).get(key, default), least, most)

    def checked_integer(self, key: str, value: Any, least: int, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.error(key, f"must be an integer from {least} to {most}, got {value!r}")
        return value

    def text(self, table: str, key: str, default: str, pattern: str, wanted: str) -> str:
        value = self.table(table).get(key, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.error(f"{table}.{key}", f"must be {wanted}, got {value!r}")
        return value

    def flag(self, table: str, key: str, default: bool) -> bool:
        value = self.table(table).get(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{table}.{key}", f"must be true or false, got {value!r}")
        return value

    def choice(self, table: str, key: str, allowed: tuple[str, ...]) -> str:
        value = self.table(table).get(key, allowed[0])
        if value not in allowed:
            raise self.error(f"{table}.{key}", f"must be {' or '.join(allowed)}, got {value!r}")
        return str(value)

    def risk(self) -> RiskConfig:
        table = self.table("risk")
        self.only(table, {*_LIMITS, "rate_burst", "prevent_self_trade", "short_selling"}, "risk.")
        limits = {key: self.integer("risk", key, 0, 0, most) for key, most in _LIMITS.items()}
        return RiskConfig(
            **limits, rate_burst=self.integer("risk", "rate_burst", 1, 1, 1_000_000),
            prevent_self_trade=self.flag("risk", "prevent_self_trade", False),
            short_selling=self.flag("risk", "short_selling", True),
        )

    def exchange(self) -> dict[str, Any]:
        """What the exchange model is made of, but for what follows from the kernel's side."""
        table = self.table("exchange")
        self.only(table, {*_EXCHANGE, "prevent_self_trades", "event"}, "exchange.")
        values: dict[str, Any] = {key: self.integer("exchange", key, *limits) for key, limits in _EXCHANGE.items()}
        if sum(values[f"order_{what}_ppm"] for what in ("loss", "duplicate", "late")) > _PPM[2]:
            raise self.error("exchange.order_loss_ppm", "a million at most, order_duplicate_ppm and order_late_ppm too")
        values["latency_ps"] = 1_000 * values.pop("latency_ns")
        values["order_heartbeat_ps"] = 1_000 * values.pop("heartbeat_ns")
        values["prevent_self_trades"] = self.flag("exchange", "prevent_self_trades", False)
        events = table.get("event", [])
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise self.error("exchange.event", "must be tables, [[exchange.event]]")
        listed = {stock.decode("ascii").rstrip() for _, stock in instruments(values["symbols"])}
        values["script"] = [self._event(event, f"exchange.event {number}", listed)
                            for number, event in enumerate(events, 1)]
        return values

    def _event(self, table: Mapping[str, Any], key: str, listed: set[str]) -> tuple[int, str, str]:
        self.only(table, {"time_ns", "action", "stock"}, f"{key}: ")
        time_ns = self.checked_integer(f"{key}: time_ns", table.get("time_ns"), 0, _MAX_NS)
        action, stock = table.get("action"), table.get("stock", "")
        if action not in get_args(Action):
            raise self.error(f"{key}: action", f"must be one of {', '.join(get_args(Action))}, got {action!r}")
        if stock not in (listed if action in _OF_A_STOCK else {""}):
            raise self.error(f"{key}: stock", f"must be a symbol of the exchange, got {stock!r}"
                             if action in _OF_A_STOCK else f"{action} has none")
        return 1_000 * time_ns, str(action), str(stock)

    def ring_mode(self) -> RingMode:
        table = self.table("nic")
        self.only(table, {"mode", "filter"}, "nic.")
        value = table.get("mode", "lines")
        if value in ("lines", "descriptors"):
            return cast(RingMode, value)
        raise self.error("nic.mode", f"must be lines or descriptors, got {value!r}")

    def clock_ps(self) -> int:
        value = self.table("time").get("clock_ps", CLOCK_PS)
        if value in (CLOCK_PS, CLOCK_PS_25G) and isinstance(value, int):
            return value
        raise self.error("time.clock_ps", f"must be {CLOCK_PS} (10GbE) or {CLOCK_PS_25G} (25GbE), got {value!r}")

    def mac(self, table: str, key: str, default: str) -> str:
        value = self.table(table).get(key, default)
        if not isinstance(value, str) or not _MAC.fullmatch(value):
            raise self.error(f"{table}.{key}", f"must be a MAC address such as 02:00:00:00:00:01, got {value!r}")
        octets = bytes.fromhex(value.replace(":", ""))
        if octets[0] & 1 or not any(octets):
            raise self.error(f"{table}.{key}", f"must be a station's address, not a group's or 0, got {value!r}")
        return value.lower()

    def ipv4(self, table: str, key: str, default: str) -> str:
        value = self.table(table).get(key, default)
        try:
            address = IPv4Address(value if isinstance(value, str) else "")
        except ValueError:
            raise self.error(f"{table}.{key}", f"must be an IPv4 address, got {value!r}") from None
        if address.is_unspecified:
            raise self.error(f"{table}.{key}", "must not be 0.0.0.0")
        return str(address)

    def group(self) -> Group:
        table = self.table("feed")
        self.only(table, {"group"}, "feed.")
        return self._address_and_port("feed.group", table.get("group", str(DEFAULT_GROUP)))

    def server(self) -> Group | None:
        value = self.table("recovery").get("server", "")
        return None if value == "" else self._address_and_port("recovery.server", value)

    def _address_and_port(self, key: str, value: Any) -> Group:
        try:
            group = Group.parse(value if isinstance(value, str) else "")
        except ValueError:
            raise self.error(key, f"must be ADDRESS:PORT, got {value!r}") from None
        if IPv4Address(group.address).is_unspecified:
            raise self.error(key, "the address must not be 0.0.0.0")
        return group

    def symbols(self) -> tuple[bool, SymbolConfig, dict[str, SymbolConfig]]:
        """Whether all is subscribed, what a symbol does by default, and the symbols that are listed."""
        default = self._symbol(self.table("strategy"), "strategy", SymbolConfig(), {"name", "shares"}, "name")
        kernel = self.table("kernel")
        self.only(kernel, {"subscribe"}, "kernel.")
        subscribe = kernel.get("subscribe", "all")
        symbols: dict[str, SymbolConfig] = {}
        if isinstance(subscribe, list):
            if not 0 < len(subscribe) <= LOCATES:
                raise self.error("kernel.subscribe", f"must list 1 to {LOCATES} symbols, got {len(subscribe)}")
            symbols = {self._stock("kernel.subscribe", stock): default for stock in subscribe}
        elif subscribe != "all":
            raise self.error("kernel.subscribe", f'must be "all" or a list of symbols, got {subscribe!r}')

        entries = self._document.get("symbol", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.error("symbol", "must be [[symbol]] tables")
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            key = f"symbol[{index}]"
            stock = self._stock(f"{key}.stock", entry.get("stock"))
            if stock in seen:
                raise self.error(f"{key}.stock", f"{stock} is listed twice")
            if subscribe != "all" and stock not in symbols:
                raise self.error(f"{key}.stock", f"{stock} is not in kernel.subscribe")
            seen.add(stock)
            symbols[stock] = self._symbol(entry, key, default, {"stock", "strategy", "shares"}, "strategy")
        return subscribe == "all", default, symbols

    def _symbol(self, table: Mapping[str, Any], key: str, default: SymbolConfig, known: set[str],
                name_key: str) -> SymbolConfig:
        name = table.get(name_key, default.strategy)
        names = ("none", *sorted(strategies()))
        if name not in names:
            raise self.error(f"{key}.{name_key}", f"must be one of {', '.join(names)}, got {name!r}")
        declared = () if name == "none" else strategies()[name].PARAMETERS
        self.only(table, {*known, *(parameter.name for parameter in declared)}, f"{key}.")
        shares = self.checked_integer(f"{key}.shares", table.get("shares", default.shares), 1, OUCH_SHARES_LIMIT - 1)
        inherited = default.parameters if name == default.strategy else [parameter.default for parameter in declared]
        return SymbolConfig(name, shares, tuple(
            self.checked_integer(f"{key}.{parameter.name}", table.get(parameter.name, value), parameter.least,
                                 parameter.most)
            for parameter, value in zip(declared, inherited, strict=True)))

    def _stock(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= STOCK_BYTES or not value.isascii() or \
                not value.isprintable() or " " in value:
            raise self.error(key, f"must be a symbol of 1 to {STOCK_BYTES} characters, got {value!r}")
        return value


def compile_module(config: KernelConfig, nic: NicConfig = DEFAULT_NIC) -> bytes:
    """The kernel's configuration module. The NIC's filter has something to keep back only under a list of symbols."""
    header = np.zeros((), CONFIG_HEADER)
    symbols = np.zeros(len(config.symbols), CONFIG_SYMBOL)
    # Symbols that do the same share an entry; number 0 is none.
    numbers = {(symbol.strategy, symbol.parameters): 0 for symbol in (config.default, *config.symbols.values())
               if symbol.strategy != "none"}
    numbers = {key: number for number, key in enumerate(sorted(numbers), 1)}

    def number_of(symbol: SymbolConfig) -> int:
        return 0 if symbol.strategy == "none" else numbers[symbol.strategy, symbol.parameters]

    if len(numbers) > MAX_STRATEGIES:
        raise UsageError(f"at most {MAX_STRATEGIES} different strategies and parameters, got {len(numbers)}")
    table = np.zeros(len(numbers), CONFIG_STRATEGY)
    for entry, (name, parameters) in zip(table, numbers, strict=True):
        entry["name"] = list(name.encode("ascii").ljust(entry["name"].size, b"\0"))
        for index, value in enumerate(parameters):
            entry[f"parameter_{index}"] = value
    for entry, (stock, symbol) in zip(symbols, sorted(config.symbols.items()), strict=True):
        entry["stock"] = _bytes(padded_stock(stock))
        entry["strategy"] = number_of(symbol)
        entry["shares"] = symbol.shares

    header["magic"] = CONFIG_MAGIC
    header["version"] = LAYOUT_VERSION
    header["layout_hash"] = LAYOUT_HASH
    header["size"] = CONFIG_HEADER.itemsize + symbols.nbytes + table.nbytes
    header["symbol_count"] = len(symbols)
    header["subscribe_all"] = config.subscribe_all
    header["strategy_count"] = len(table)
    header["default_strategy"] = number_of(config.default)
    header["default_shares"] = config.default.shares
    for name in ("rx_log2", "tx_log2", "max_books", "max_orders", "max_levels", "own_orders_log2", "group_port",
                 "source_port", "destination_port", "tcp_sequence", "tcp_acknowledge", "time_in_force",
                 "minimum_quantity", "soup_sequence", "heartbeat_ns", "server_timeout_ns", "retransmit_ns",
                 "retransmit_limit", "recovery_port", "recovery_local_port", "recovery_timeout_ns",
                 "recovery_retries", "recovery_held", "recovery_request"):
        header[name] = getattr(config, name)
    for name in ("collar_bp", "order_shares", "order_notional", "position", "total_position", "open_orders",
                 "rate_interval_ns", "rate_burst", "short_selling"):
        header[f"risk_{name}"] = getattr(config.risk, name)
    header["risk_self_trade"] = config.risk.prevent_self_trade
    header["session_mode"] = SessionMode[config.session_mode.upper()]
    header["ouch_version"] = OuchVersion[f"V{config.ouch_version.replace('.', '')}"]
    header["soup_username"] = _bytes(config.soup_username.ljust(6))
    header["soup_password"] = _bytes(config.soup_password.ljust(10))
    header["soup_session"] = _bytes(config.soup_session.rjust(10))
    header["recovery_address"] = int(IPv4Address(config.recovery_address or 0))
    for name in ("group_address", "source_address", "destination_address"):
        header[name] = int(IPv4Address(getattr(config, name)))
    for name in ("source_mac", "destination_mac"):
        header[name] = list(bytes.fromhex(getattr(config, name).replace(":", "")))
    header["rx_mode"] = header["tx_mode"] = RingModeCode[nic.mode.upper()]
    header["filter"] = nic.filter and not config.subscribe_all
    header["raw_log2"] = nic.raw_log2
    header["verified"] = nic.delivery == "verified"
    header["hold_ns"] = nic.hold_ns
    header["firm"] = _bytes(config.firm.ljust(4))
    header["token_prefix"] = _bytes(config.token_prefix)
    header["intermarket_sweep"] = ord(config.intermarket_sweep_eligibility)
    for name in ("display", "capacity", "cross_type", "customer_type"):
        header[name] = ord(getattr(config, name))
    return header.tobytes() + symbols.tobytes() + table.tobytes()


def sealed(module: bytes) -> bytes:
    """The module with its checksum behind it: the kernel refuses one that has changed (firmware/trading/seal.h)."""
    return module + b"SEAL" + zlib.crc32(module).to_bytes(4, "little")


def _bytes(text: str) -> list[int]:
    return list(text.encode("ascii"))
