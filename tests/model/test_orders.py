# SPDX-License-Identifier: MIT
"""best_bid orders and the segments that carry them: when, with which bytes, and as tshark reads them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from generators.tables import encode
from tb.model.config import KernelConfig, SymbolConfig
from tb.model.kernel import KernelModel
from tb.model.receive import MessageResult
from tb.model.segments import SegmentModel

LIMIT = 0x7735939D


def add(reference: int, price: int, side: str = "B", locate: int = 1, stock: str = "TICK") -> bytes:
    return encode("A", {
        "stock_locate": locate, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference,
        "buy_sell_indicator": side, "shares": 300, "stock": stock, "price": price})


def run(messages: list[bytes], config: KernelConfig | None = None, first: int = 1) -> KernelModel:
    kernel = KernelModel(config or KernelConfig())
    for sequence, raw in enumerate(messages, first):
        kernel.message(MessageResult(sequence, chr(raw[0]), len(raw), "ok", raw))
    return kernel


def test_the_exact_bytes_of_an_order() -> None:
    order, = run([add(7, 1_000_100)], first=41).orders
    assert order.cause == 41
    assert order.message == (
        b"O" + b"TICK0000000001" + b"B" + b"\x00\x00\x00\x64" + b"TICK    " + b"\x00\x0f\x42\xa4"
        + b"\x00\x01\x86\x9e" + b"TICK" + b"Y" + b"P" + b"N" + b"\x00\x00\x00\x00" + b"N" + b"N")
    assert order.as_line()["type"] == "O"
    assert order.as_line()["hex"] == order.message.hex()
    assert order.as_line()["fields"]["price"] == 1_000_100


def test_every_configured_field_reaches_the_order() -> None:
    config = KernelConfig(default=SymbolConfig(shares=999_999), token_prefix="ab12", firm="F", time_in_force=0,
                          display="N", capacity="A", intermarket_sweep_eligibility="Y", minimum_quantity=7,
                          cross_type="O", customer_type="R")
    order, = run([add(7, 1)], config).orders
    assert order.message == (
        b"O" + b"ab120000000001" + b"B" + b"\x00\x0f\x42\x3f" + b"TICK    " + b"\x00\x00\x00\x01"
        + b"\x00\x00\x00\x00" + b"F   " + b"N" + b"A" + b"Y" + b"\x00\x00\x00\x07" + b"O" + b"R")


def test_only_a_strictly_better_bid_triggers() -> None:
    prices = [(1000, "B"), (999, "B"), (1000, "B"), (1001, "B"), (1500, "S"), (1400, "S"), (1002, "B")]
    kernel = run([add(n, price, side) for n, (price, side) in enumerate(prices)])
    assert [order.cause for order in kernel.orders] == [1, 4, 7]


def test_a_bid_that_falls_and_comes_back_triggers_again() -> None:
    common = {"stock_locate": 1, "tracking_number": 0, "timestamp": 0}
    kernel = run([
        add(1, 1000), add(2, 990),
        encode("D", common | {"order_reference_number": 1}),
        encode("U", common | {"original_order_reference_number": 2, "new_order_reference_number": 3, "shares": 1,
                              "price": 1000}),
        encode("E", common | {"order_reference_number": 3, "executed_shares": 1, "match_number": 0}),
        add(4, 1),
    ])
    assert [order.cause for order in kernel.orders] == [1, 4, 6]


def test_each_symbol_has_its_own_best_bid_and_all_share_the_token_counter() -> None:
    kernel = run([add(1, 1000), add(2, 10, locate=2, stock="TOCK"), add(3, 11, locate=2, stock="TOCK")])
    assert [(order.message[1:15], order.message[20:28]) for order in kernel.orders] == [
        (b"TICK0000000001", b"TICK    "), (b"TICK0000000002", b"TOCK    "), (b"TICK0000000003", b"TOCK    ")]


def test_symbols_have_their_own_strategy_and_size() -> None:
    config = KernelConfig(symbols={"TICK": SymbolConfig(shares=5), "TOCK": SymbolConfig(strategy="none")})
    kernel = run([add(1, 10), add(2, 10, locate=2, stock="TOCK"), add(3, 10, locate=3, stock="TACK")], config)
    assert [(order.cause, order.message[16:20]) for order in kernel.orders] == [
        (1, b"\x00\x00\x00\x05"), (3, b"\x00\x00\x00\x64")]
    assert len(kernel.books.levels()) == 3
    only = replace(config, subscribe_all=False, symbols={"TICK": SymbolConfig()})
    assert len(run([add(1, 10), add(2, 10, locate=2, stock="TOCK")], only).books.levels()) == 1


@pytest.mark.parametrize(("price", "sent"), [(1, True), (LIMIT - 1, True), (LIMIT, False), (0xFFFFFFFF, False)])
def test_a_price_beyond_the_bound_is_in_the_book_but_in_no_order(price: int, sent: bool) -> None:
    kernel = run([add(1, price), add(2, 5, locate=2, stock="TOCK")])
    assert kernel.books[1].best_bid() == price
    assert kernel.statistics["orders_refused_price"] == 1 - sent
    assert kernel.statistics["orders_sent"] == len(kernel.orders) == 1 + sent
    assert kernel.orders[-1].message[1:15] == b"TICK000000000%d" % (1 + sent)  # a refused order takes no token


@pytest.mark.parametrize("fields", [{"token_prefix": "TIC"}, {"token_prefix": "TICKS"}, {"firm": "FIRMS"},
                                    {"symbols": {"": SymbolConfig()}}, {"symbols": {"NINECHARS": SymbolConfig()}},
                                    {"symbols": {"TICK ": SymbolConfig()}}])
def test_impossible_configurations(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        KernelConfig(**fields)


@pytest.mark.parametrize("shares", [0, 1_000_000])
def test_impossible_sizes(shares: int) -> None:
    assert (SymbolConfig(shares=1).shares, SymbolConfig(shares=999_999).shares) == (1, 999_999)
    with pytest.raises(ValueError, match="shares"):
        SymbolConfig(shares=shares)


def test_the_exact_bytes_of_a_segment() -> None:
    config = KernelConfig(
        source_mac="02:00:00:00:00:01", destination_mac="02:00:00:00:00:02", source_address="10.0.0.1",
        destination_address="10.0.0.2", source_port=40000, destination_port=26400, tcp_sequence=1000,
        tcp_acknowledge=2000, tcp_window=0xFFFF)
    frame = SegmentModel(config).segment(b"O" * 49)
    assert frame[:14] == bytes.fromhex("020000000002 020000000001 0800")
    # Version and IHL, total 92, identification 0, DF, TTL 64, TCP; the checksum by hand: words sum to 0xD965.
    assert frame[14:34] == bytes.fromhex("4500 005c 0000 4000 4006 269a 0a000001 0a000002")
    assert frame[34:50] == bytes.fromhex("9c40 6720 000003e8 000007d0 5018 ffff")
    assert frame[52:57] == bytes.fromhex("0000 0032 55")
    assert frame[57:] == b"O" * 49
    assert len(frame) == 106


def test_the_identification_wraps_at_16_bits() -> None:
    segments = SegmentModel(KernelConfig())
    identifications = [segments.segment(b"")[18:20] for _ in range((1 << 16) + 1)]
    assert identifications[-2:] == [b"\xff\xff", b"\x00\x00"]


def test_orders_as_tshark_reads_them(tshark: Callable[..., list[dict[str, list[str]]]]) -> None:
    """SoupBinTCP, OUCH 4.2, TCP sequence and every checksum; random orders, a sequence number that wraps."""
    generator = random.Random(42)
    config = KernelConfig(tcp_sequence=0xFFFFFFFF - 1000, tcp_acknowledge=0x01020304, time_in_force=99998)
    messages = [add(n, 1 + generator.randrange(LIMIT - 1), locate=n, stock=f"S{n:04}Z"[:generator.randrange(2, 7)])
                for n in range(1, 200)]
    kernel, segments = run(messages, config), SegmentModel(config)
    assert len(kernel.orders) == len(messages)
    frames = [segments.segment(order.message) for order in kernel.orders]
    read = tshark(frames, [
        "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.id", "ip.flags.df", "ip.ttl", "ip.checksum.status",
        "tcp.checksum.status", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "tcp.len",
        "tcp.analysis.flags", "soupbintcp.packet_length", "soupbintcp.packet_type", "ouch.packet_type",
        "ouch.order_token", "ouch.buy_sell_indicator", "ouch.shares", "ouch.stock", "ouch.price", "ouch.tif",
        "ouch.firm", "ouch.display", "ouch.capacity", "ouch.iso_eligible", "ouch.min_quantity", "ouch.cross_type",
        "ouch.customer_type",
    ], "-d", f"tcp.port=={config.destination_port},soupbintcp", "-o", "ip.check_checksum:TRUE", "-o",
        "tcp.check_checksum:TRUE")
    for n, (theirs, order) in enumerate(zip(read, kernel.orders, strict=True)):
        fields = order.as_line()["fields"]
        assert {name: values[0].strip("'") if values else None for name, values in theirs.items()} == {
            "eth.src": config.source_mac, "eth.dst": config.destination_mac, "ip.src": config.source_address,
            "ip.dst": config.destination_address, "ip.id": f"0x{n:04x}", "ip.flags.df": "1", "ip.ttl": "64",
            "ip.checksum.status": "1", "tcp.checksum.status": "1",
            "tcp.seq_raw": str((config.tcp_sequence + 52 * n) % (1 << 32)),
            "tcp.ack_raw": str(config.tcp_acknowledge), "tcp.flags": "0x0018", "tcp.window_size_value": "65535",
            "tcp.len": "52", "tcp.analysis.flags": None, "soupbintcp.packet_length": "50",
            "soupbintcp.packet_type": "U", "ouch.packet_type": "O", "ouch.order_token": f"TICK{n + 1:010}",
            "ouch.buy_sell_indicator": "B", "ouch.shares": "100", "ouch.stock": fields["stock"],
            "ouch.price": str(fields["price"]), "ouch.tif": "99998", "ouch.firm": "TICK", "ouch.display": "Y",
            "ouch.capacity": "P", "ouch.iso_eligible": "N", "ouch.min_quantity": "0", "ouch.cross_type": "N",
            "ouch.customer_type": "N",
        }
