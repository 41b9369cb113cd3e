# SPDX-License-Identifier: MIT
"""The kernel's core on the host, under sanitizers: books, orders and every counter equal to the Python model's."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import pytest

from generators.profiles import generate
from generators.tables import encode
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module, record_lines
from tests.firmware.streams import hostile_stream, predict


def assert_equal(core: Core, messages: list[bytes], **config: Any) -> None:
    """Feed the messages and compare everything that the model predicts."""
    assert messages
    orders = core.messages(messages)
    model = predict(messages, **config)
    export = core.export()
    assert export.books == model.books.levels()
    assert orders == [order.message for order in model.orders]
    expected = model.statistics
    assert expected["records"] == len(messages)
    assert {name: export.statistics[name] for name in expected} == expected
    assert core.check().broken == ""


@pytest.mark.parametrize("seed", range(8))
def test_hostile_streams(core: Core, seed: int) -> None:
    messages = hostile_stream(seed, 4000)
    assert_equal(core, messages)
    statistics = core.export().statistics
    refused = ("unknown_references", "duplicate_references", "over_executions", "invalid_messages", "bad_records",
               "suspect_books", "book_messages", "other_messages")
    assert all(statistics[name] > 0 for name in refused), "the stream misses a case"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limits", [{"max_books": 2}, {"max_orders": 3}, {"max_levels": 4}, {"max_orders": 1},
                                    {"max_levels": 1}, {"max_books": 1, "max_levels": 5, "max_orders": 7}])
def test_full_pools_refuse_and_recover(core: Core, seed: int, limits: dict[str, Any]) -> None:
    assert core.configure(config_module(**limits)) == ""
    assert_equal(core, hostile_stream(seed, 3000), **limits)
    assert core.export().statistics["pool_full"] > 0


def test_every_short_sequence(core: Core) -> None:
    """All sequences of four out of 11 messages, each on a locate and references of its own."""
    alphabet: list[tuple[str, dict[str, Any]]] = [
        *[("A", {"order": 1, "side": "B", "shares": 10, "price": price}) for price in (100, 200)],
        ("A", {"order": 1, "side": "S", "shares": 10, "price": 300}),
        ("A", {"order": 2, "side": "B", "shares": 10, "price": 200}),
        *[("E", {"order": 1, "executed": shares}) for shares in (4, 10, 11)],
        ("X", {"order": 2, "canceled": 10}),
        ("D", {"order": 1}),
        ("U", {"order": 1, "new": 2, "shares": 5, "price": 200}),
        ("U", {"order": 1, "new": 1, "shares": 5, "price": 150}),
    ]
    messages = []
    for locate, sequence in enumerate(product(alphabet, repeat=4), 1):
        for kind, values in sequence:
            fields: dict[str, Any] = {"stock_locate": locate, "tracking_number": 0, "timestamp": 0}
            reference = 4 * locate + values["order"]
            match kind:
                case "A":
                    fields |= {"order_reference_number": reference, "buy_sell_indicator": values["side"],
                               "shares": values["shares"], "price": values["price"], "stock": f"S{locate}"}
                case "E":
                    fields |= {"order_reference_number": reference, "executed_shares": values["executed"],
                               "match_number": 0}
                case "X":
                    fields |= {"order_reference_number": reference, "canceled_shares": values["canceled"]}
                case "D":
                    fields |= {"order_reference_number": reference}
                case "U":
                    fields |= {"original_order_reference_number": reference, "shares": values["shares"],
                               "new_order_reference_number": 4 * locate + values["new"], "price": values["price"]}
            messages.append(encode(kind, fields))
    assert len(messages) == 4 * 11**4
    limits: dict[str, Any] = {"max_books": 65535, "max_orders": 1 << 18, "max_levels": 1 << 18}
    assert core.configure(config_module(**limits)) == ""
    assert_equal(core, messages, **limits)


def add(reference: int, price: int, side: str = "B", locate: int = 1, shares: int = 100) -> bytes:
    return encode("A", {
        "stock_locate": locate, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference,
        "buy_sell_indicator": side, "shares": shares, "stock": f"SYM{locate}", "price": price,
    })


def delete(reference: int) -> bytes:
    return encode("D", {"stock_locate": 1, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference})


@pytest.mark.parametrize("order", ["rising", "falling", "random"])
def test_deep_books_stay_balanced(core: Core, order: str) -> None:
    """20,000 levels a side, built and taken down in orders that would make an unbalanced tree a list."""
    count = 20_000
    prices = list(range(1, count + 1))
    if order == "falling":
        prices.reverse()
    if order == "random":
        Random(5).shuffle(prices)
    limits: dict[str, Any] = {"max_levels": 2 * count}
    assert core.configure(config_module(default_strategy=0, **limits)) == ""
    core.messages([add(2 * p + s, p, "BS"[s]) for p in prices for s in (0, 1)])
    invariants = core.check()
    assert invariants.broken == ""
    assert 15 <= invariants.tallest <= 20  # AVL: at most 1.44 log2(n + 2) - 0.33
    (book,) = core.export().books
    assert [level[0] for level in book["bids"]] == list(range(count, 0, -1))
    assert [level[0] for level in book["asks"]] == list(range(1, count + 1))
    survivors = [p for p in prices if p % 100 == 0]
    core.messages([delete(2 * p + s) for p in prices for s in (0, 1) if p % 100])
    assert core.check().broken == ""
    (book,) = core.export().books
    assert sorted(survivors) == [level[0] for level in book["asks"]] == [level[0] for level in book["bids"]][::-1]


def test_level_sums_have_64_bits(core: Core) -> None:
    core.messages([add(reference, 100, shares=(1 << 32) - 1) for reference in range(1, 6)])
    (book,) = core.export().books
    assert book["bids"] == [[100, 5 * ((1 << 32) - 1), 5]]


def test_references_that_share_a_home_are_all_found(core: Core) -> None:
    """References that are multiples of 2^48 differ in few bits of the hash; their runs are long, and must be exact."""
    references = [n << 48 for n in range(1, 3000)]
    messages = [add(reference, 100 + n % 7) for n, reference in enumerate(references)]
    Random(1).shuffle(references)
    messages += [delete(reference) for reference in references[:2500]]
    assert_equal(core, messages)


@pytest.mark.parametrize("seed", [1, 2])
def test_opening_profile(core: Core, seed: int) -> None:
    assert_equal(core, [message for _, message in generate("opening", seed=seed, messages=10_000)])


def test_real_opening(core: Core, real_messages: list[bytes]) -> None:
    assert_equal(core, real_messages)
    statistics = core.export().statistics
    assert (statistics["unknown_references"], statistics["orders_sent"]) == (399, 118)


def test_only_listed_symbols_have_books(core: Core) -> None:
    listed = [("SYM1", 1, 300), ("SYM3", 0, 0)]
    assert core.configure(config_module(listed, subscribe_all=0)) == ""
    orders = core.messages([add(10 * n + locate, 100 * n, locate=locate) for n in (1, 2, 3) for locate in (1, 2, 3)])
    export = core.export()
    assert [book["stock"] for book in export.books] == ["SYM1    ", "SYM3    "]
    assert export.statistics["unsubscribed"] == 3
    assert len(orders) == 3, "SYM3 has no strategy"
    assert {int.from_bytes(order[16:20], "big") for order in orders} == {300}


def test_sequence_gaps_are_counted(core: Core) -> None:
    message = encode("S", {"stock_locate": 0, "tracking_number": 0, "timestamp": 0, "event_code": "Q"})
    core.lines([record_lines(message, sequence)[0] for sequence in (7, 8, 10, 9, 10, (1 << 64) - 1, 0)])
    assert core.export().statistics["sequence_gaps"] == 3


def test_impossible_status_is_a_bad_record(core: Core) -> None:
    core.lines([record_lines(add(1, 100), 1, status=status)[0] for status in (5, 0x7F, 0xFF)])
    statistics = core.export().statistics
    assert (statistics["bad_records"], statistics["book_messages"]) == (3, 0)


def test_tokens_carry_through_all_digits(core: Core) -> None:
    core.set_order_number(1_999_999_999)
    (order,) = core.messages([add(1, 100)])
    assert order[1:15] == b"TEST2000000000"


def test_export_respects_its_buffer(core: Core) -> None:
    core.messages([add(n, n, "BS"[n % 2]) for n in range(1, 50)])
    whole = core.export_bytes(1 << 20)
    assert core.export_bytes(len(whole)) == whole
    assert core.export_bytes(len(whole) - 1) == b""
