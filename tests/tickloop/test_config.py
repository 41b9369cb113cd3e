# SPDX-License-Identifier: MIT
"""--config: defaults, every key, errors that name the key, and the module the kernel gets."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bridge import layout
from generators.exchange.config import Scripted
from generators.exchange.exchange import make
from tb.model.config import KernelConfig, RiskConfig, SymbolConfig
from tickloop.config import NicConfig, TimeModel, compile_module, load_config, parse_config
from tickloop.exits import UsageError
from tickloop.inputs import from_exchange

EVERYTHING = """
[kernel]
subscribe = ["AAPL", "MSFT", "TSLA"]
[strategy]
name = "best_bid"
shares = 200
[[symbol]]
stock = "MSFT"
shares = 300
[[symbol]]
stock = "TSLA"
strategy = "none"
[feed]
group = "239.1.2.3:5000"
[rings]
rx_log2 = 12
tx_log2 = 4
raw_log2 = 5
[nic]
mode = "descriptors"
filter = false
[pools]
max_books = 10
max_orders = 1000
max_levels = 100
own_orders_log2 = 6
[session]
mode = "connect"
ouch = "5.0"
soup_username = "ME"
soup_password = "SECRET"
soup_session = "DAY1"
soup_sequence = 9
heartbeat_ns = 11
server_timeout_ns = 12
retransmit_ns = 13
retransmit_limit = 14
source_mac = "02:AA:00:00:00:01"
destination_mac = "02:bb:00:00:00:02"
source_address = "192.0.2.1"
destination_address = "192.0.2.2"
source_port = 1234
destination_port = 4321
tcp_sequence = 4294967295
tcp_acknowledge = 7
[recovery]
server = "192.0.2.3:4001"
local_port = 4002
timeout_ns = 15
retries = 16
held = 17
request = 26
[risk]
collar_bp = 18
order_shares = 19
order_notional = 20
position = 21
total_position = 22
open_orders = 23
rate_interval_ns = 24
rate_burst = 25
prevent_self_trade = true
short_selling = true
[order]
token_prefix = "ABCD"
firm = "FI"
time_in_force = 0
minimum_quantity = 10
display = "N"
capacity = "A"
intermarket_sweep_eligibility = "Y"
cross_type = "O"
customer_type = "R"
[time]
ps_per_instruction = 333
posted_write_ns = 1
read_ns = 2
doorbell_ns = 3
"""


def parse(text):
    return parse_config(tomllib.loads(text), "test.toml")


def header_of(module):
    return np.frombuffer(module, layout.CONFIG_HEADER, 1)[0]


def test_defaults_are_the_promised_ones():
    config = load_config(None)
    assert config.kernel.subscribe_all
    assert config.kernel.default == SymbolConfig("best_bid", 100)
    assert str(config.group) == "233.54.12.111:26477"
    assert parse("") == config
    assert (config.kernel, config.time) == (KernelConfig(), TimeModel())


def test_the_documented_defaults_are_the_defaults(root):
    """A file that says what docs/configuration.md says changes nothing."""
    rows = re.findall(r"^\| (`[a-z].*?) \| (.+?) \|", (root / "docs/configuration.md").read_text(), re.M)
    defaults = {}
    for keys, values in rows:
        for key, value in zip(keys.split(", "), values.split(", "), strict=True):
            defaults[key.strip("`")] = value.strip("`")
    assert len(defaults) > 25
    config = load_config(None)
    for key, value in defaults.items():
        table, name = key.split(".")
        text = f"[{table}]\n{name} = {value}"
        assert parse(text) == config, key
    assert {key for key in defaults if key.startswith("order.")} == {f"order.{name}" for name in tomllib.loads(
        EVERYTHING)["order"]}


def test_every_key_reaches_the_run():
    config = parse(EVERYTHING)
    kernel = config.kernel
    assert not kernel.subscribe_all
    assert kernel.symbols == {"AAPL": SymbolConfig("best_bid", 200), "MSFT": SymbolConfig("best_bid", 300),
                              "TSLA": SymbolConfig("none", 200)}
    assert str(config.group) == "239.1.2.3:5000"
    assert (config.time.ps_per_instruction, config.time.posted_write_ns, config.time.read_ns,
            config.time.doorbell_ns) == (333, 1, 2, 3)
    document = tomllib.loads(EVERYTHING)
    assert config.nic == NicConfig("descriptors", False, 5)
    assert (kernel.session_mode, kernel.ouch_version) == ("connect", "5.0")
    assert (kernel.recovery_address, kernel.recovery_port) == ("192.0.2.3", 4001)
    assert kernel.risk == RiskConfig(**document["risk"])
    for table in ("rings", "pools", "session", "recovery", "order"):
        for key, value in document[table].items():
            if key in ("raw_log2", "mode", "ouch", "server"):
                continue
            name = f"recovery_{key}" if table == "recovery" else key
            assert getattr(kernel, name) == (value.lower() if key.endswith("_mac") else value), key


def test_the_module_holds_every_value():
    config = parse(EVERYTHING)
    module = compile_module(config.kernel, replace(config.nic, delivery="verified", hold_ns=0xFFFFFFFF))
    header = header_of(module)
    assert len(module) == header["size"] == layout.CONFIG_HEADER.itemsize + \
        3 * layout.CONFIG_SYMBOL.itemsize + layout.CONFIG_STRATEGY.itemsize
    assert (header["magic"], header["version"], header["layout_hash"]) == \
        (layout.CONFIG_MAGIC, layout.LAYOUT_VERSION, layout.LAYOUT_HASH)
    assert (header["subscribe_all"], header["symbol_count"]) == (0, 3)
    assert (header["default_strategy"], header["default_shares"]) == (1, 200)
    assert (header["session_mode"], header["ouch_version"]) == (layout.SessionMode.CONNECT, 50)
    assert [header[f"soup_{name}"].tobytes() for name in ("username", "password", "session")] == [
        b"ME    ", b"SECRET    ", b"      DAY1"]
    assert (header["recovery_address"], header["recovery_port"]) == (0xC0000203, 4001)
    assert [header[name] for name in layout.CONFIG_HEADER.names if name.startswith("risk_")] == [
        1, 1, 18, 19, 20, 21, 22, 24, 25, 23]
    assert header["group_address"] == 0xEF010203
    assert header["source_mac"].tobytes().hex(":") == "02:aa:00:00:00:01"
    assert header["destination_address"] == 0xC0000202
    assert (header["source_port"], header["destination_port"]) == (1234, 4321)
    assert (header["tcp_sequence"], header["tcp_acknowledge"]) == (0xFFFFFFFF, 7)
    assert (header["rx_log2"], header["tx_log2"]) == (12, 4)
    assert header["rx_mode"] == header["tx_mode"] == layout.RingMode.DESCRIPTORS
    assert (header["filter"], header["raw_log2"]) == (0, 5)
    assert (header["verified"], header["hold_ns"]) == (1, 0xFFFFFFFF)
    assert (header["max_books"], header["max_orders"], header["max_levels"]) == (10, 1000, 100)
    assert header["firm"].tobytes() == b"FI  "
    assert header["token_prefix"].tobytes() == b"ABCD"
    characters = ("display", "capacity", "intermarket_sweep", "cross_type", "customer_type")
    letters = [chr(header[name]) for name in characters]
    assert letters == ["N", "A", "Y", "O", "R"]
    symbols = np.frombuffer(module, layout.CONFIG_SYMBOL, 3, layout.CONFIG_HEADER.itemsize)
    assert [(s["stock"].tobytes(), s["strategy"], s["shares"]) for s in symbols] == [
        (b"AAPL    ", 1, 200), (b"MSFT    ", 1, 300), (b"TSLA    ", 0, 200),
    ]
    strategy, = np.frombuffer(module, layout.CONFIG_STRATEGY, 1, layout.CONFIG_HEADER.itemsize + symbols.nbytes)
    assert strategy["name"].tobytes() == b"best_bid".ljust(16, b"\0")


def test_every_field_of_the_module_is_filled():
    """A field added to the layout must not stay zero unnoticed."""
    config = parse(EVERYTHING)
    header = header_of(compile_module(config.kernel, replace(config.nic, delivery="verified", hold_ns=1)))
    zero = {name for name in layout.CONFIG_HEADER.names if not np.any(header[name])}
    assert zero == {"subscribe_all", "time_in_force", "filter"}


@pytest.mark.parametrize(("text", "filtered"), [
    ("", 0),
    ("[nic]\nfilter = true", 0),  # with everything subscribed there is nothing to keep back
    ("[kernel]\nsubscribe = ['A']", 1),
    ("[kernel]\nsubscribe = ['A']\n[nic]\nfilter = false", 0),
])
def test_the_filter_goes_with_a_list_of_symbols(text, filtered):
    config = parse(text)
    assert header_of(compile_module(config.kernel, config.nic))["filter"] == filtered


def test_the_exchange_is_made_of_its_table():
    text = """[exchange]
symbols = 2
latency_ns = 7000
loss_a_ppm = 5
prevent_self_trades = true
[[exchange.event]]
time_ns = 3
action = "halt"
stock = "TKAB"
[[exchange.event]]
time_ns = 4
action = "drop_link"
"""
    config = parse(text)
    source = from_exchange(config.kernel, config.exchange, 3, 500, Path("out"))
    made = make(**source.exchange.arguments).config
    assert (made.symbols, made.latency_ps, made.loss_a_ppm, made.seed, made.messages) == (2, 7_000_000, 5, 3, 500)
    assert made.prevent_self_trades
    assert made.script == (Scripted(3000, "halt", "TKAB"), Scripted(4000, "drop_link"))
    assert (made.username, made.address, made.client_address) == ("TICK", "10.0.0.2", "10.0.0.1")
    assert make(**from_exchange(parse("").kernel, parse("").exchange, 1, None, Path("out")).exchange.arguments)


@pytest.mark.parametrize(("text", "key"), [
    ("nonsense = 1", "nonsense"),
    ("nic = 'lines'", "nic"),
    ("[nic]\nmode = 'ring'", "nic.mode"),
    ("[nic]\nmode = 1", "nic.mode"),
    ("[nic]\nmode = []", "nic.mode"),
    ("[nic]\nfilter = 1", "nic.filter"),
    ("[nic]\nfilter = 'no'", "nic.filter"),
    ("[nic]\nverified = true", "nic.verified"),
    ("[rings]\nraw_log2 = 3", "rings.raw_log2"),
    ("[exchange]\nsymbols = 0", "exchange.symbols"),
    ("[exchange]\ncolour = 1", "exchange.colour"),
    ("[exchange]\norder_loss_ppm = 600000\norder_late_ppm = 600000", "exchange.order_loss_ppm"),
    ("[exchange]\nevent = 1", "exchange.event"),
    ("[[exchange.event]]\naction = 'drop_link'", "exchange.event 1: time_ns"),
    ("[[exchange.event]]\ntime_ns = 1\naction = 'rain'", "exchange.event 1: action"),
    ("[[exchange.event]]\ntime_ns = 1\naction = 'halt'", "exchange.event 1: stock"),
    ("[[exchange.event]]\ntime_ns = 1\naction = 'cut_link'\nstock = 'TKAA'", "exchange.event 1: stock"),
    ("[order]\nminimum_quantity = 101", "order.minimum_quantity"),
    ("[order]\nminimum_quantity = 6\n[[symbol]]\nstock = 'A'\nshares = 5", "order.minimum_quantity"),
    ("[rings]\nrx_log = 10", "rings.rx_log"),
    ("[rings]\nrx_log2 = 17", "rings.rx_log2"),
    ("[rings]\nrx_log2 = true", "rings.rx_log2"),
    ("[rings]\nrx_log2 = 10.0", "rings.rx_log2"),
    ("rings = 3", "rings"),
    ("[order]\nfirm = 'TOOLONG'", "order.firm"),
    ("[order]\ndisplay = 'é'", "order.display"),
    ("[order]\ntoken_prefix = 'ABC'", "order.token_prefix"),
    ("[order]\ntoken_prefix = 'AB D'", "order.token_prefix"),
    ("[order]\ncapacity = 'X'", "order.capacity"),
    ("[order]\ntime_in_force = 100000", "order.time_in_force"),
    ("[pools]\nmax_orders = 16777217", "pools.max_orders"),
    ("[session]\nsource_mac = '02:00'", "session.source_mac"),
    ("[session]\nsource_mac = '01:00:5e:00:00:01'", "session.source_mac"),
    ("[session]\ndestination_mac = '00:00:00:00:00:00'", "session.destination_mac"),
    ("[session]\ndestination_address = '0.0.0.0'", "session.destination_address"),
    ("[session]\nsource_address = '10.0.0'", "session.source_address"),
    ("[session]\nsource_port = 0", "session.source_port"),
    ("[feed]\ngroup = '1.2.3.4'", "feed.group"),
    ("[feed]\ngroup = '0.0.0.0:5000'", "feed.group"),
    ("[kernel]\nsubscribe = 'some'", "kernel.subscribe"),
    ("[kernel]\nsubscribe = []", "kernel.subscribe"),
    ("[kernel]\nsubscribe = ['TOOLONGNAME']", "kernel.subscribe"),
    ("[strategy]\nname = 'magic'", "strategy.name"),
    ("[strategy]\nshares = 1000000", "strategy.shares"),
    ("[[symbol]]\nshares = 5", "symbol[0].stock"),
    ("[[symbol]]\nstock = 'A'\n[[symbol]]\nstock = 'A'", "symbol[1].stock"),
    ("[kernel]\nsubscribe = ['A']\n[[symbol]]\nstock = 'B'", "symbol[0].stock"),
    ("[symbol]\nstock = 'A'", "symbol"),
    ("[time]\nps_per_instruction = 0", "time.ps_per_instruction"),
    ("[time]\nclock_ps = 3200", "time.clock_ps"),
])
def test_errors_are_one_line_that_names_the_key(text, key):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert str(raised.value).startswith(f"test.toml: {key}: ")
    assert "\n" not in str(raised.value)


def test_files_that_cannot_be_read(command, tmp_path):
    (tmp_path / "bad.toml").write_text("[kernel\n")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    for name in ("bad.toml", "latin.toml", "missing.toml"):
        finished = command("sim", "--config", tmp_path / name, "--out", tmp_path / "out")
        assert finished.status == 2
        assert name in finished.error_line()
