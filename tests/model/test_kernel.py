# SPDX-License-Identifier: MIT
"""From frames to books, orders and statistics: what the kernel model makes of all that is delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generators.tables import ITCH50, encode
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import ReceiveModel


def add(reference: int, price: int = 1000, **other: Any) -> bytes:
    return encode("A", {
        "stock_locate": 1, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference,
        "buy_sell_indicator": "B", "shares": 100, "stock": "TICK", "price": price} | other)


def directory(locate: int, stock: str) -> bytes:
    values: dict[str, Any] = {field.name: 0 if field.is_integer else "N" for field in ITCH50["R"].fields[1:]}
    return encode("R", values | {"stock_locate": locate, "stock": stock})


class Chain:
    """Receiver and kernel model in a row."""

    def __init__(self, config: KernelConfig | None = None) -> None:
        self.receive = ReceiveModel("233.54.12.111", 26477)
        self.kernel = KernelModel(config or KernelConfig())

    def frame(self, data: bytes, bad_fcs: bool = False) -> None:
        frame = self.receive.frame(data, bad_fcs)
        for message in frame.messages:
            self.kernel.message(message)
        if (event := frame.event({"STREAM", "BAD", "LOST"})) is not None:
            self.kernel.event(event)

    def counted(self) -> dict[str, int]:
        return {name: value for name, value in self.kernel.statistics.items() if value}


@pytest.fixture
def chain() -> Chain:
    return Chain()


def test_one_order_from_wire_to_ouch(chain: Chain, packet: Callable[..., bytes]) -> None:
    chain.frame(packet(1, [add(5)]))
    assert [order.cause for order in chain.kernel.orders] == [1]
    assert chain.counted() == {"records": 1, "book_messages": 1, "orders_sent": 1, "live_orders": 1, "live_levels": 1}


def test_only_decoded_book_messages_touch_books(chain: Chain, packet: Callable[..., bytes]) -> None:
    others = [kind.encode() + bytes(ITCH50[kind].length - 1) for kind in sorted(set(ITCH50) - set("AFECXDUR"))]
    broken = [b"", b"?", add(6)[:-1], b"A", b"D"]
    chain.frame(packet(1, [*others, directory(9, "TOCK"), *broken]))
    assert chain.counted() == {"records": 21, "other_messages": 21, "halts": 2}
    assert chain.kernel.books.levels() == []


def test_a_message_that_is_too_long_counts_by_its_known_prefix(chain: Chain, packet: Callable[..., bytes]) -> None:
    chain.frame(packet(1, [add(5) + b"more"]))
    assert chain.kernel.books[1].levels()["bids"] == [[1000, 100, 1]]


def test_messages_of_a_bad_frame_are_applied_and_so_are_their_good_copies(chain: Chain,
                                                                         packet: Callable[..., bytes]) -> None:
    frame = packet(1, [add(5), add(6, 1001)])
    chain.frame(frame, bad_fcs=True)
    assert len(chain.kernel.orders) == 2
    chain.frame(frame)
    assert chain.counted() == {"records": 4, "book_messages": 2, "duplicate_references": 2, "orders_sent": 2,
                               "live_orders": 2, "live_levels": 2, "bad_frames": 1, "suspect_books": 1}


def test_duplicates_do_not_reach_the_kernel(chain: Chain, packet: Callable[..., bytes]) -> None:
    for _ in range(3):
        chain.frame(packet(1, [add(5)]))
    assert chain.kernel.statistics["records"] == 1


def test_gaps_in_the_records(chain: Chain, packet: Callable[..., bytes]) -> None:
    for sequence in (9, 10, 12):
        chain.frame(packet(sequence, [b"?"]))
    chain.frame(packet(1, [b"?"], session=b"OTHER     "))
    chain.frame(packet((1 << 64) - 1, [b"?", b"?"], session=b"THIRD     "))
    assert chain.kernel.statistics["sequence_gaps"] == 3
    assert chain.kernel.statistics["records"] == 6


def test_a_directory_names_the_locate(chain: Chain, packet: Callable[..., bytes]) -> None:
    chain.frame(packet(1, [directory(1, "TOCK"), add(5), add(6, stock="TOCK"), directory(1, "TICK"),
                           directory(2, ""), directory(1, "TOCK")]))
    assert [entry["stock"] for entry in chain.kernel.books.levels()] == ["TOCK    "]
    assert chain.counted() == {"records": 6, "book_messages": 1, "other_messages": 2, "bad_records": 3,
                               "orders_sent": 1, "live_orders": 1, "live_levels": 1}


def test_every_record_is_counted_once(chain: Chain, packet: Callable[..., bytes]) -> None:
    chain.frame(packet(1, [add(5), add(5), add(6, shares=0), b"", b"D" + bytes(18), add(7, stock=" "), b"?"]))
    counted = chain.counted()
    assert counted["records"] == sum(counted.get(name, 0) for name in (
        "book_messages", "other_messages", "unsubscribed", "unknown_references", "duplicate_references", "pool_full",
        "invalid_messages", "bad_records"))
