# SPDX-License-Identifier: MIT
"""More settings of strategies than the kernel can hold: what there is no room for changes nothing, and one that no
symbol has any more makes room. The model, which says so too, expects every order."""

from __future__ import annotations

from generators.tables import encode
from tb.model.config import KernelConfig, SymbolConfig
from tb.model.kernel import KernelModel
from tb.model.packet import MessageResult
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module
from tests.firmware.streams import predict
from tickloop.config import compile_module

SYMBOLS, SETTINGS = 300, 255
LEAST = 500  # threshold


def add(number: int, symbol: int, side: str, price: int) -> bytes:
    shares = 1000 if side == "S" else 1
    return encode("A", {"stock_locate": symbol, "tracking_number": 0, "timestamp": number, "stock": f"S{symbol}",
                        "order_reference_number": number, "buy_sell_indicator": side, "shares": shares, "price": price})


def test_settings_that_there_is_no_room_for(core: Core) -> None:
    messages = [add(symbol, symbol, "S", 1_000_100) for symbol in range(1, SYMBOLS + 1)]
    assert core.configure(config_module()) == ""
    model = predict(messages, default=SymbolConfig("best_bid", 100))
    core.messages(messages)

    def command(text: str) -> None:
        core.command(text)
        model.command(text)

    def leans(symbol: int) -> tuple[str, int]:
        """A lot of shares on one side: the strategy, by what it sends, and the size of its order."""
        messages.append(add(len(messages) + 1, symbol, "S", 1_000_200 + len(messages)))
        messages.append(add(len(messages) + 1, symbol, "B", 1_000_000 + len(messages)))
        orders = []
        for raw in messages[-2:]:
            theirs = core.messages([raw])
            sent = model.message(MessageResult(raw_sequence(raw), "A", len(raw), "ok", raw))
            assert theirs == [order.message for order in sent]
            orders += sent
        (order,) = orders
        return order.intent.side, order.intent.shares

    for symbol in range(1, SYMBOLS + 1):
        command(f"strategy S{symbol} imbalance threshold={LEAST + symbol} shares={symbol}")
    # The configuration's own is one of them; beyond the last, symbols still have that.
    assert leans(1) == ("T", 1)
    assert leans(SETTINGS - 1) == ("T", SETTINGS - 1)
    assert leans(SETTINGS) == ("B", 100)
    # One that is there already needs no room; one that nobody has any more makes some.
    command(f"strategy S{SETTINGS} imbalance threshold={LEAST + 7} shares=9")
    assert leans(SETTINGS) == ("T", 9)
    command(f"strategy S300 imbalance threshold={LEAST} shares=8")
    assert leans(300) == ("B", 100)
    command(f"strategy S2 imbalance threshold={LEAST + 7}")
    command(f"strategy S300 imbalance threshold={LEAST} shares=8")
    assert leans(300) == ("T", 8)
    assert leans(2) == ("T", 2)


def test_a_symbol_that_has_no_book_yet_begins_with_what_was_set(core: Core) -> None:
    """The last setting of each holds from its first order on; one that is not subscribed is refused."""
    listed = {"S1": SymbolConfig("best_bid", 100), "S2": SymbolConfig("none"), "S3": SymbolConfig("best_bid", 100),
              "S4": SymbolConfig("imbalance", 50), "S5": SymbolConfig("best_bid", 100)}
    config = KernelConfig(subscribe_all=False, symbols=listed)
    assert core.configure(compile_module(config)) == ""
    model = KernelModel(config)
    for text in ("S1 best_bid shares=7", "S1 imbalance threshold=600", "S2 best_bid shares=8", "S3 off",
                 "S4 imbalance shares=9", "S4 off", "S4 on", "S6 best_bid", "S5 best_bid shares=0"):
        core.command(f"strategy {text}")
        model.command(f"strategy {text}")
    sizes = {}
    prices = ("S", 1_000_100), ("S", 1_000_200), ("B", 1_000_000), ("B", 1_000_050)
    for symbol in range(1, 7):
        for place, (side, price) in enumerate(prices, 1):
            raw = add(len(prices) * (symbol - 1) + place, symbol, side, price)
            sent = model.message(MessageResult(raw_sequence(raw), "A", len(raw), "ok", raw))
            assert core.messages([raw]) == [order.message for order in sent]
            for order in sent:
                sizes[symbol] = order.intent.shares
    assert sizes == {1: 7, 2: 8, 4: 9, 5: 100}


def raw_sequence(raw: bytes) -> int:
    """The number that the core's harness gives it: messages are numbered as their orders are."""
    return int.from_bytes(raw[11:19], "big")
