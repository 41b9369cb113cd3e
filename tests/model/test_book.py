# SPDX-License-Identifier: MIT
"""Order books: what each message does to them, and what becomes of messages that cannot be applied."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tb.model.book import Books, BookStatistics, Change
from tb.model.config import KernelConfig, SymbolConfig
from tb.model.symbols import Symbols

STOCK = "TICK    "


def make_books(config: KernelConfig | None = None) -> Books:
    config = config or KernelConfig()
    return Books(Symbols(config), config.max_books, config.max_orders, config.max_levels)


@pytest.fixture
def books() -> Books:
    return make_books()


def add(books: Books, reference: int, side: str = "B", shares: int = 100, price: int = 1000, **other: Any) -> Any:
    return books.apply("A", {"stock_locate": 1, "stock": STOCK, "order_reference_number": reference,
                             "buy_sell_indicator": side, "shares": shares, "price": price} | other)


def reduce(books: Books, kind: str, reference: int, shares: int, locate: int = 1, **other: Any) -> Any:
    name = "canceled_shares" if kind == "X" else "executed_shares"
    return books.apply(kind, {"stock_locate": locate, "order_reference_number": reference, name: shares} | other)


def delete(books: Books, reference: int, locate: int = 1) -> Any:
    return books.apply("D", {"stock_locate": locate, "order_reference_number": reference})


def replace(books: Books, original: int, new: int, shares: int = 100, price: int = 1000) -> Any:
    """With a locate that is not the order's: it says nothing."""
    return books.apply("U", {"stock_locate": 999, "original_order_reference_number": original,
                             "new_order_reference_number": new, "shares": shares, "price": price})


def levels(books: Books) -> tuple[list[list[int]], list[list[int]]]:
    entry = books[1].levels()
    return entry["bids"], entry["asks"]


def assert_counted(books: Books, **expected: int) -> None:
    assert asdict(books.statistics) == asdict(BookStatistics()) | expected


def test_adds_build_levels_best_first(books: Books) -> None:
    for reference, (side, shares, price) in enumerate([("B", 100, 1000), ("B", 50, 1000), ("B", 7, 1001),
                                                       ("S", 10, 1005), ("S", 20, 1004), ("S", 30, 1005)]):
        assert add(books, reference, side, shares, price) is not None
    assert books.levels() == [{"stock_locate": 1, "stock": STOCK, "bids": [[1001, 7, 1], [1000, 150, 2]],
                               "asks": [[1004, 20, 1], [1005, 40, 2]]}]
    assert (books[1].best_bid(), books[1].best_ask()) == (1001, 1004)
    assert (books.live_orders(), books.live_levels()) == (6, 4)
    assert_counted(books, book_messages=6)


def test_attributed_adds_are_adds(books: Books) -> None:
    fields = {"stock_locate": 1, "stock": STOCK, "order_reference_number": 0, "buy_sell_indicator": "S",
              "shares": 1, "price": 1, "attribution": "NSDQ"}
    assert books.apply("F", fields) is not None
    assert levels(books) == ([], [[1, 1, 1]])


@pytest.mark.parametrize("kind", ["E", "C", "X"])
def test_executions_and_cancels_reduce_at_the_orders_own_price(books: Books, kind: str) -> None:
    add(books, 5, shares=100)
    add(books, 6, shares=11)
    reduce(books, kind, 5, 30, execution_price=2000)
    assert levels(books) == ([[1000, 81, 2]], [])
    reduce(books, kind, 5, 70, execution_price=2000)  # to zero: the order has gone
    assert levels(books) == ([[1000, 11, 1]], [])
    reduce(books, kind, 5, 1)
    assert_counted(books, book_messages=4, unknown_references=1)


@pytest.mark.parametrize("kind", ["E", "C", "X"])
def test_more_than_is_left_removes_the_order(books: Books, kind: str) -> None:
    add(books, 5, shares=100)
    reduce(books, kind, 5, 40)
    assert reduce(books, kind, 5, 61) == Change(books[1], "B", 1000)
    assert books.levels() == [{"stock_locate": 1, "stock": STOCK, "bids": [], "asks": []}]
    assert_counted(books, book_messages=3, over_executions=1)


def test_delete_removes_whatever_is_left(books: Books) -> None:
    add(books, 5)
    reduce(books, "X", 5, 1)
    delete(books, 5)
    assert levels(books) == ([], [])
    assert (books.live_orders(), books.live_levels()) == (0, 0)
    delete(books, 5)
    assert_counted(books, book_messages=3, unknown_references=1)


def test_replace_keeps_side_and_symbol(books: Books) -> None:
    add(books, 5, "S", price=1010)
    change = replace(books, 5, 6, shares=70, price=1020)
    assert change.book is books[1]
    assert levels(books) == ([], [[1020, 70, 1]])
    delete(books, 5)
    delete(books, 6)
    assert levels(books) == ([], [])
    assert_counted(books, book_messages=3, unknown_references=1)


def test_replace_by_the_same_reference_and_price(books: Books) -> None:
    add(books, 5)
    add(books, 6)
    replace(books, 5, 5, shares=1)
    assert levels(books) == ([[1000, 101, 2]], [])
    assert_counted(books, book_messages=3)


def test_replace_of_an_unknown_order_inserts_nothing(books: Books) -> None:
    add(books, 5)
    assert replace(books, 7, 8) is None
    delete(books, 8)
    assert_counted(books, book_messages=1, unknown_references=2)


def test_replace_onto_another_live_order_changes_nothing(books: Books) -> None:
    add(books, 5)
    add(books, 6, price=1001)
    before = books.levels()
    assert replace(books, 5, 6, price=1002) is None
    assert books.levels() == before
    assert_counted(books, book_messages=2, duplicate_references=1)


def test_a_live_reference_is_not_reused_by_any_book_but_a_dead_one_is(books: Books) -> None:
    add(books, 5)
    assert add(books, 5, "S", price=2000) is None
    assert add(books, 5, stock_locate=2, stock="TOCK    ") is None
    assert [entry["stock_locate"] for entry in books.levels()] == [1]  # its first order makes a book
    delete(books, 5)
    assert add(books, 5, stock_locate=2, stock="TOCK    ") is not None
    assert_counted(books, book_messages=3, duplicate_references=2)


@pytest.mark.parametrize("reference", [0, 1, (1 << 64) - 1])
def test_any_64_bit_reference(books: Books, reference: int) -> None:
    assert add(books, reference) is not None
    assert delete(books, reference) is not None


@pytest.mark.parametrize("fields", [{"shares": 0}, {"price": 0}, {"side": " "}, {"side": "b"}, {"side": "\xff"}])
def test_impossible_adds_are_ignored(books: Books, fields: dict[str, Any]) -> None:
    assert add(books, 5, **fields) is None
    assert books.levels() == []
    assert_counted(books, invalid_messages=1)


@pytest.mark.parametrize("kind", ["E", "C", "X"])
@pytest.mark.parametrize("reference", [5, 6])
def test_a_reduction_by_nothing_is_impossible_even_of_an_unknown_order(books: Books, kind: str,
                                                                      reference: int) -> None:
    add(books, 5)
    assert reduce(books, kind, reference, 0) is None
    assert_counted(books, book_messages=1, invalid_messages=1)


@pytest.mark.parametrize(("shares", "price"), [(0, 1000), (100, 0), (0, 0)])
@pytest.mark.parametrize("original", [5, 7])
def test_an_impossible_replace_leaves_the_original(books: Books, original: int, shares: int, price: int) -> None:
    add(books, 5)
    assert replace(books, original, 6, shares, price) is None
    assert levels(books) == ([[1000, 100, 1]], [])
    assert_counted(books, book_messages=1, invalid_messages=1)


def test_level_sums_have_no_width(books: Books) -> None:
    for reference in range(5):
        add(books, reference, shares=0xFFFFFFFF)
    assert levels(books) == ([[1000, 5 * 0xFFFFFFFF, 5]], [])


def test_change_tells_its_side_and_the_best_price_before(books: Books) -> None:
    def told(change: Change | None) -> tuple[str, int, bool]:
        assert change
        return change.side, change.best_before, change.best_moved

    assert told(add(books, 1, price=1000)) == ("B", 0, True)
    assert told(add(books, 2, price=1002)) == ("B", 1000, True)
    assert told(add(books, 3, price=1001)) == ("B", 1002, False)
    assert told(add(books, 4, "S", price=1003)) == ("S", 0, True)
    assert told(delete(books, 2)) == ("B", 1002, True)
    assert told(replace(books, 1, 5, price=1009)) == ("B", 1001, True)
    assert told(replace(books, 5, 6, price=999)) == ("B", 1009, True)
    assert told(reduce(books, "E", 3, 50)) == ("B", 1001, False)
    assert told(reduce(books, "E", 3, 50)) == ("B", 1001, True)
    assert told(delete(books, 6)) == ("B", 999, True)
    assert told(replace(books, 4, 7, price=1004)) == ("S", 1003, True)


def test_only_listed_symbols_where_not_all_are_subscribed() -> None:
    books = make_books(KernelConfig(subscribe_all=False, symbols={"TICK": SymbolConfig()}))
    assert reduce(books, "E", 5, 1) is None  # a locate nobody has named yet
    assert add(books, 5) is not None
    assert add(books, 6, stock_locate=2, stock="TOCK    ") is None
    assert delete(books, 6, locate=2) is None
    assert delete(books, 7, locate=1) is None
    assert delete(books, 5, locate=2) is not None  # the reference finds it
    assert [entry["stock"] for entry in books.levels()] == [STOCK]
    assert_counted(books, book_messages=2, unsubscribed=3, unknown_references=1)


@pytest.mark.parametrize("stock", ["TOCK    ", "TICKER  ", " TICK   ", "TI CK   ", "        ", "TICK\0\0\0\0",
                                   "T\xffCK    "])
def test_a_locate_keeps_its_first_name_and_a_name_is_text(books: Books, stock: str) -> None:
    add(books, 5)
    assert add(books, 6, stock=stock) is None
    impossible = stock not in ("TOCK    ", "TICKER  ")
    assert (add(books, 6, stock_locate=2, stock=stock) is None) == impossible
    assert books.statistics.bad_records == 1 + impossible


def test_a_full_pool_refuses_and_leaves_the_rest_alone() -> None:
    books = make_books(KernelConfig(max_books=1))
    assert add(books, 1) is not None
    assert add(books, 2, stock_locate=2, stock="TOCK    ") is None
    assert add(books, 3) is not None
    assert_counted(books, book_messages=2, pool_full=1)

    books = make_books(KernelConfig(max_orders=2))
    assert [add(books, reference) is not None for reference in range(3)] == [True, True, False]
    assert replace(books, 0, 9) is not None  # frees what it takes
    assert_counted(books, book_messages=3, pool_full=1)

    books = make_books(KernelConfig(max_levels=2))
    assert [add(books, n, price=1000 + n) is not None for n in range(3)] == [True, True, False]
    assert add(books, 3, price=1001) is not None
    assert replace(books, 0, 4, price=1002) is not None
    # Order 1 leaves order 3 behind on its level, so its successor finds none; the exchange has removed it all the same.
    assert replace(books, 1, 5, price=1003) is None
    assert levels(books) == ([[1002, 100, 1], [1001, 100, 1]], [])
    assert_counted(books, book_messages=4, pool_full=2)


def test_a_refused_first_order_makes_no_book() -> None:
    books = make_books(KernelConfig(max_levels=1))
    add(books, 1)
    assert add(books, 2, stock_locate=2, stock="TOCK    ") is None
    assert [entry["stock_locate"] for entry in books.levels()] == [1]


def test_other_messages_are_an_error_of_the_caller(books: Books) -> None:
    with pytest.raises(ValueError, match="no book message"):
        books.apply("P", {})
