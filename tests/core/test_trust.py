# SPDX-License-Identifier: MIT
"""When a book is traded on: gaps, bad frames, new sessions, lost messages, halts; each by the orders that come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bridge import layout
from bridge.layout import BookFlag
from generators.tables import encode
from tb.model.results import HostEvent
from tb.model.stream import NO_FLAGS
from tests.core.trading import event_line
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module, record_lines
from tickloop.rundir.books import parse_export


class Stream:
    """Adds, each better than any before, so that each is an order unless its book is not to be trusted."""

    def __init__(self, core: Core, **config: Any) -> None:
        self.core = core
        assert core.configure(config_module(**config)) == ""
        self.sequence = 1
        self.price = 100

    def raw(self, raw: bytes) -> int:
        """Orders that one message leads to."""
        self.sequence += 1
        return len(self.core.intents([record_lines(raw, self.sequence - 1)[0]])[0])

    def add(self, locate: int = 1) -> bool:
        self.price += 1
        return bool(self.raw(encode("A", {
            "stock_locate": locate, "tracking_number": 0, "timestamp": 0, "order_reference_number": self.price,
            "buy_sell_indicator": "B", "shares": 100, "stock": f"SYM{locate}", "price": self.price})))

    def event(self, delivered: int, *, bad: bool = False, **flags: bool) -> None:
        self.core.intents([event_line(HostEvent(
            self.sequence - delivered, delivered, 0, delivered, "A", "bad_fcs" if bad else None, "data",
            NO_FLAGS._replace(**flags), b"SESSION   "))])

    def state(self, kind: str, locate: int = 1, **fields: Any) -> None:
        self.raw(encode(kind, {"stock_locate": locate, "tracking_number": 0, "timestamp": 0, "stock": f"SYM{locate}",
                               **fields}))

    def flags(self, locate: int = 1) -> BookFlag | int:
        export = parse_export(self.core.export_bytes(1 << 22))
        return next(int(book["flags"]) for book in export.positions if book["stock_locate"] == locate)


@pytest.fixture
def stream(core: Core) -> Stream:
    stream = Stream(core)
    assert stream.add()
    return stream


def test_a_gap_makes_every_book_of_the_session_stale(stream: Stream) -> None:
    stream.sequence += 1
    assert not stream.add()
    assert not stream.add(2)
    stream.event(2, gap=True)
    assert not stream.add(3)
    assert [stream.flags(locate) for locate in (1, 2, 3)] == [BookFlag.STALE] * 3


def test_a_gap_that_a_heartbeat_shows(stream: Stream) -> None:
    stream.event(0, gap=True)
    assert not stream.add()


def test_lost_messages_are_missing(stream: Stream) -> None:
    line = np.zeros(1, layout.RX_LOST)
    line["status"], line["count"] = layout.STATUS_LOST, 3
    stream.core.intents([bytearray(line.tobytes())])
    assert not stream.add()


def test_a_bad_frame_makes_suspect_what_it_touched_and_nothing_else(stream: Stream) -> None:
    assert stream.add(2)
    assert stream.add(3)
    stream.event(1, bad=True)
    stream.sequence -= 1  # the good copy
    assert not stream.add(3)
    assert stream.add(1)
    assert stream.add(2)
    assert [stream.flags(locate) for locate in (1, 2, 3)] == [0, 0, BookFlag.SUSPECT]


@pytest.mark.parametrize("locate", [1, 7])
@pytest.mark.parametrize("kind", ["H", "h", "Y", "J"])
def test_a_bad_frame_makes_suspect_what_it_tells_of(stream: Stream, kind: str, locate: int) -> None:
    """A symbol's book or, where it has none yet, the one that comes: what was told wrongly stays."""
    states: dict[str, dict[str, Any]] = {
        "H": {"trading_state": "T", "reserved": " ", "reason": ""},
        "h": {"market_code": "Q", "operational_halt_action": "T"}, "Y": {"reg_sho_action": "0"},
        "J": {"auction_collar_reference_price": 0, "upper_auction_collar_price": 0, "lower_auction_collar_price": 0,
              "auction_collar_extension": 0}}
    stream.state(kind, locate, **states[kind])
    stream.event(1, bad=True)
    stream.sequence -= 1
    assert not stream.add(locate)
    assert stream.add(2)
    assert [stream.flags(locate), stream.flags(2)] == [BookFlag.SUSPECT, 0]


def test_a_bad_frame_makes_suspect_what_it_names(stream: Stream) -> None:
    names = {"market_category": "Q", "financial_status_indicator": "N", "round_lot_size": 100, "round_lots_only": "N",
             "issue_classification": "C", "issue_sub_type": "Z", "authenticity": "P",
             "short_sale_threshold_indicator": "N", "ipo_flag": "N", "luld_reference_price_tier": "1",
             "etp_flag": "N", "etp_leverage_factor": 0, "inverse_indicator": "N"}
    for locate in (7, 8):
        stream.state("R", locate, **names)
    stream.event(1, bad=True)
    stream.sequence -= 1
    stream.state("R", 8, **names)
    assert stream.add(7)
    assert not stream.add(8)
    assert [stream.flags(7), stream.flags(8)] == [0, BookFlag.SUSPECT]


def test_a_symbol_named_after_messages_of_it_have_passed_is_suspect_and_counted(core: Core) -> None:
    stream = Stream(core, symbols=[("SYM1", 1, 100), ("SYM2", 1, 100)], subscribe_all=0)
    for locate in (2, 3):
        stream.raw(encode("D", {"stock_locate": locate, "tracking_number": 0, "timestamp": 0,
                                "order_reference_number": 7}))
    assert stream.add(1)
    assert core.export().statistics["suspect_books"] == 0, "of no symbol that is known to be ours"
    assert not stream.add(2)
    assert not stream.add(3)
    assert stream.flags(2) == BookFlag.SUSPECT
    assert core.export().statistics["suspect_books"] == 1, "SYM3 is not on the list"


def test_a_market_wide_halt_of_a_bad_frame_is_none(stream: Stream) -> None:
    def halt() -> None:
        stream.raw(encode("W", {"stock_locate": 0, "tracking_number": 0, "timestamp": 0, "breached_level": "1"}))

    halt()
    assert not stream.add()
    stream.event(2, bad=True)  # it and the order behind it, which makes its book suspect
    stream.sequence -= 2
    assert stream.add(2)
    assert [stream.flags(locate) for locate in (1, 2)] == [BookFlag.SUSPECT, 0]
    halt()
    assert not stream.add(2)
    stream.event(1, bad=True)
    stream.sequence -= 1
    assert stream.flags(2) == BookFlag.BREACHED | BookFlag.SUSPECT, "a halt that was told of before stays"


def test_a_bad_frame_with_a_wrong_number_leaves_no_gap(stream: Stream) -> None:
    stream.sequence += 1000
    assert not stream.add(2)
    stream.event(1, bad=True)
    stream.sequence -= 1001
    assert stream.add(1)
    assert stream.flags(2) == BookFlag.SUSPECT


def test_a_bad_frame_does_not_end_a_gap(stream: Stream) -> None:
    stream.sequence += 1
    assert not stream.add()
    stream.sequence += 1000
    assert not stream.add(2)
    stream.event(1, bad=True)
    stream.sequence -= 1001
    assert not stream.add()
    assert stream.flags() == BookFlag.STALE


def test_books_of_a_new_session_are_fresh_and_the_old_ones_stale(stream: Stream) -> None:
    stream.sequence = 500_000
    assert not stream.add(2)  # until the event says that it is a session and no gap
    stream.event(1, session_change=True)
    assert stream.add(2)
    assert stream.add(3)
    assert not stream.add(1)
    assert stream.flags(1) == BookFlag.STALE


def test_a_new_session_ends_a_loss(stream: Stream) -> None:
    stream.event(0, gap=True)
    stream.event(0, session_change=True)
    assert stream.add(2)
    assert not stream.add(1)


def test_what_is_right_again_in_a_new_session_leaves_the_old_books_stale(stream: Stream) -> None:
    stream.event(0, session_change=True)
    assert stream.add(2)
    stream.sequence += 1000
    assert not stream.add(3)
    stream.event(1, bad=True)  # there was no gap
    stream.sequence -= 1001
    assert stream.add(2)
    assert not stream.add(1)
    assert [stream.flags(locate) for locate in (1, 2, 3)] == [BookFlag.STALE, 0, BookFlag.SUSPECT]


def test_under_the_filter_numbers_have_holes_and_the_event_tells(core: Core) -> None:
    stream = Stream(core, filter=1)
    assert stream.add()
    stream.sequence += 5
    assert stream.add()
    stream.event(1, gap=True)
    assert not stream.add()


@pytest.mark.parametrize(("shares", "price"), [(0, 100), (100, 0)])
def test_a_replace_by_nothing_makes_its_book_suspect(stream: Stream, shares: int, price: int) -> None:
    stream.raw(encode("U", {
        "stock_locate": 1, "tracking_number": 0, "timestamp": 0, "original_order_reference_number": stream.price,
        "new_order_reference_number": 1 << 40, "shares": shares, "price": price}))
    assert stream.add(2)
    assert not stream.add(1)
    assert stream.flags(1) == BookFlag.SUSPECT


def test_halts_stop_and_trading_actions_resume(stream: Stream) -> None:
    action = {"reserved": " ", "reason": ""}
    for state in "HPQ":
        stream.state("H", trading_state=state, **action)
        assert not stream.add()
        stream.state("H", trading_state="T", **action)
        assert stream.add()
    stream.state("h", market_code="Q", operational_halt_action="H")
    assert not stream.add()
    stream.state("h", market_code="X", operational_halt_action="T")  # of another market
    assert not stream.add()
    stream.state("h", market_code="Q", operational_halt_action="T")
    assert stream.add()
    stream.state("h", market_code="B", operational_halt_action="H")
    assert stream.add()


def test_a_market_wide_halt_ends_symbol_by_symbol(stream: Stream) -> None:
    assert stream.add(2)
    stream.raw(encode("W", {"stock_locate": 0, "tracking_number": 0, "timestamp": 0, "breached_level": "1"}))
    assert not stream.add(1)
    assert not stream.add(3)  # a book that did not exist yet
    for locate in (1, 4):
        stream.state("H", locate, trading_state="T", reserved=" ", reason="")
        assert stream.add(locate)
    assert not stream.add(2)


def test_a_state_counts_before_its_book_exists(stream: Stream) -> None:
    stream.state("H", 7, trading_state="H", reserved=" ", reason="")
    assert not stream.add(7)
    unknown = {"stock_locate": 8, "tracking_number": 0, "timestamp": 0, "order_reference_number": 1 << 40}
    stream.raw(encode("D", unknown))
    assert not stream.add(8)
    assert [stream.flags(locate) for locate in (7, 8)] == [BookFlag.HALTED, BookFlag.SUSPECT]
