# SPDX-License-Identifier: MIT
"""More settings of strategies than the kernel can hold: what there is no room for changes nothing, and one that no
symbol has any more makes room. The model, which says so too, expects every order."""

from __future__ import annotations

from generators.tables import encode
from tb.model.config import SymbolConfig
from tb.model.packet import MessageResult
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module
from tests.firmware.streams import predict

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


def raw_sequence(raw: bytes) -> int:
    """The number that the core's harness gives it: messages are numbered as their orders are."""
    return int.from_bytes(raw[11:19], "big")
