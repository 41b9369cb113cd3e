# SPDX-License-Identifier: MIT
"""Books and best_bid orders against itch-book, a C++ book that nobody here wrote.

It ignores and counts unknown references, lets more than is left remove the order, and rejects zero shares and prices,
all as here. What differs is kept out of the streams: it lets an add onto a live reference replace that order, knows no
reference 0, wraps level sums at 32 bits, counts an unknown reference before it looks at a zero, and removes the
original of a replace by zero shares or at price zero.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from itch_book._core import Session

from generators.tables import ITCH50, OUCH42_INBOUND, decode, encode
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import MessageResult

DEPTH = 400  # levels a side; the deepest book of a test has fewer


def random_stream(seed: int, count: int) -> list[bytes]:
    """Messages on a few symbols: crossing and deep prices, unknown references, over-executions, zero fields."""
    generator = random.Random(seed)
    live: dict[int, int] = {}
    dead: list[int] = []
    messages = []
    reference = 0

    def pick() -> int:
        if not live or generator.random() < 0.05:
            return generator.choice([*dead[-20:], (1 << 20) + generator.randrange(1000)])
        return generator.choice(list(live)[-200:])

    def gone(number: int) -> None:
        if live.pop(number, None) is not None:
            dead.append(number)

    for _ in range(count):
        locate = generator.randrange(1, 9)
        common: dict[str, Any] = {"stock_locate": locate, "tracking_number": 0, "timestamp": len(messages)}
        center = 10_000 * locate
        price = 0 if generator.random() < 0.01 else max(1, int(generator.gauss(center, 40)))
        shares = generator.choice([0, 1, 1, 100, 100, 100, 250, 5000, 999_999]) if generator.random() < 0.3 else 100
        kind = generator.choice("AAAAAAAAFFEECXXDDDUUUU")
        if kind in "AF":
            reference += generator.randrange(1, 5)
            common |= {"order_reference_number": reference, "buy_sell_indicator": generator.choice("BS"),
                       "shares": shares, "stock": f"SYM{locate}", "price": price}
            if kind == "F":
                common["attribution"] = "NSDQ"
            if shares and price:
                live[reference] = shares
        elif kind == "U":
            original = pick()
            shares, price = shares or 1, price or 1
            reference += 1
            common |= {"original_order_reference_number": original, "new_order_reference_number": reference,
                       "shares": shares, "price": price}
            if original in live:
                gone(original)
                live[reference] = shares
        else:
            number = pick()
            shares = shares if number in live else shares or 1
            common["order_reference_number"] = number
            if kind == "X":
                common["canceled_shares"] = shares
            elif kind != "D":
                common |= {"executed_shares": shares, "match_number": 0}
                if kind == "C":
                    common |= {"printable": "Y", "execution_price": 77}
            left = live.get(number, 0) - (shares if kind != "D" else 1 << 40)
            if number in live and left <= 0:
                gone(number)
            elif number in live:
                live[number] = left
        messages.append(encode(kind, common))
    return messages


def run_model(messages: list[bytes]) -> KernelModel:
    kernel = KernelModel(KernelConfig())
    for sequence, raw in enumerate(messages, 1):
        kernel.message(MessageResult(sequence, chr(raw[0]), len(raw), "ok", raw))
    return kernel


def run_itch_book(messages: list[bytes]) -> Session:
    session = Session(tables=["bbo"], depth=DEPTH, symbols=[])
    session.feed(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages))
    return session


def levels_of(session: Session) -> dict[int, tuple[list[list[int]], list[list[int]]]]:
    """Every locate's last row of the depth table, without its empty places."""
    table = session.take_depth()
    last = {int(locate): row for row, locate in enumerate(table["locate"])}
    return {
        locate: tuple(  # type: ignore[misc]
            [level for n in range(DEPTH)
             if (level := [int(table[f"{side}_{column}_{n:02}"][row]) for column in ("px", "sz", "ct")])[2]]
            for side in ("bid", "ask"))
        for locate, row in last.items()
    }


def bid_improvements(table: dict[str, np.ndarray]) -> list[tuple[int, int, int]]:
    """(sequence, locate, price) of every message after which a best bid is higher than before it."""
    best: dict[int, int] = {}
    improvements = []
    for sequence, locate, price in zip(table["seq"], table["locate"], table["bid_px"], strict=True):
        if price > best.get(locate, 0):
            improvements.append((int(sequence), int(locate), int(price)))
        best[locate] = price
    return improvements


def contradictions(messages: list[bytes], applied: bool = True) -> dict[int, set[int]]:
    """By sequence number, the messages that name an order not known, or take more than is left, and the locates whose
    books they contradict. ``applied``: they take effect; otherwise they are as if they had never come."""
    left: dict[int, tuple[int, int]] = {}  # shares and locate
    found: dict[int, set[int]] = {}
    for sequence, raw in enumerate(messages, 1):
        if raw[:1] not in (b"A", b"F", b"E", b"C", b"X", b"D", b"U"):
            continue
        fields = decode(raw, ITCH50)
        kind, locate = fields["message_type"], fields["stock_locate"]
        if kind in "AF":
            if fields["shares"] and fields["price"]:
                left[fields["order_reference_number"]] = fields["shares"], locate
            continue
        taken = fields.get("executed_shares", fields.get("canceled_shares"))
        if taken == 0 or (kind == "U" and not (fields["shares"] and fields["price"])):
            continue
        reference = fields["original_order_reference_number" if kind == "U" else "order_reference_number"]
        if reference not in left:
            found[sequence] = {locate}
            continue
        shares, holder = left.pop(reference)
        if kind == "U":
            left[fields["new_order_reference_number"]] = fields["shares"], holder
        elif taken is not None and taken > shares:
            found[sequence] = {locate, holder}
            if not applied:
                left[reference] = shares, holder
        elif taken is not None and taken < shares:
            left[reference] = shares - taken, holder
    return found


def contradicted(messages: list[bytes]) -> dict[int, int]:
    """By locate, the first message that contradicts its book: from then on nothing is traded on it."""
    first: dict[int, int] = {}
    for sequence, locates in contradictions(messages).items():
        for locate in locates:
            first.setdefault(locate, sequence)
    return first


def assert_books_and_orders_agree(messages: list[bytes]) -> KernelModel:
    kernel, session = run_model(messages), run_itch_book(messages)
    theirs, statistics = session.stats(), kernel.statistics
    assert theirs["messages"] == statistics["records"] == len(messages)
    assert theirs["dup_ref"] == statistics["duplicate_references"] == 0
    assert theirs["missing_ref"] == statistics["unknown_references"]
    assert theirs["clamped"] == statistics["over_executions"]
    assert theirs["live_orders"] == statistics["live_orders"]

    books = {entry["stock_locate"]: (entry["bids"], entry["asks"]) for entry in kernel.books.levels()}
    assert max((len(side) for book in books.values() for side in book), default=0) < DEPTH
    assert books == levels_of(session)

    locates = {book["stock"]: book["stock_locate"] for book in kernel.books.levels()}
    ours = []
    for order in kernel.orders:
        fields = decode(order.message, OUCH42_INBOUND)
        ours.append((order.cause, locates[fields["stock"]], fields["price"]))
    first = contradicted(messages)
    assert ours == [(sequence, locate, price) for sequence, locate, price in bid_improvements(session.take_bbo())
                    if sequence < first.get(locate, sequence + 1)]
    return kernel


@pytest.mark.parametrize("seed", range(8))
def test_random_streams(seed: int) -> None:
    kernel = assert_books_and_orders_agree(random_stream(seed, 2000))
    statistics = kernel.statistics
    assert len(kernel.orders) > 0
    assert min(statistics[name] for name in (
        "unknown_references", "over_executions", "invalid_messages", "live_orders", "live_levels")) > 10
    assert statistics["records"] == sum(statistics[name] for name in (
        "book_messages", "unknown_references", "invalid_messages"))


@pytest.mark.parametrize("seed", range(8))
def test_random_streams_without_contradictions(seed: int) -> None:
    messages = random_stream(seed, 2000)
    wrong = contradictions(messages, applied=False)
    kernel = assert_books_and_orders_agree([raw for n, raw in enumerate(messages, 1) if n not in wrong])
    assert len(kernel.orders) > 50
    assert kernel.statistics["suspect_books"] == 0


def test_a_deep_book() -> None:
    messages = [
        encode("A", {"stock_locate": 1, "tracking_number": 0, "timestamp": n, "order_reference_number": 1 + n,
                     "buy_sell_indicator": "BS"[n % 2], "shares": 1 + n, "stock": "DEEP", "price": 1 + n * 9 % 700})
        for n in range(700)
    ]
    kernel = assert_books_and_orders_agree(messages)
    assert kernel.statistics["live_levels"] == 700


def test_the_real_opening(sample: Callable[[str], Path]) -> None:
    data, messages = sample("itch_12302019_open_1000.itch").read_bytes(), []
    while data:
        length = int.from_bytes(data[:2], "big")
        messages.append(data[2:2 + length])
        data = data[2 + length:]
    kernel = assert_books_and_orders_agree(messages)
    assert kernel.statistics["unknown_references"] == 399
    assert kernel.statistics["book_messages"] == 588
    assert kernel.orders
