# SPDX-License-Identifier: MIT
"""The NIC's filter in the checks: what it must keep back follows from the kernel's register writes; nothing else may
be missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bridge import layout
from bridge.interface import CLOCK_PS
from generators.captures import CapturedFrame
from generators.framing import FrameEncoder, mold_packet
from generators.tables import encode
from tests.tickloop.synthetic import FIRST_CLOCK, FRAME_CLOCKS, loop_result
from tickloop.checks import check_kernel, check_receive, predict
from tickloop.config import parse_config
from tickloop.filtering import FILL_CLOCKS, SETTLE_CLOCKS, FilterHistory
from tickloop.inputs import LineFrame
from tickloop.rundir.observed import observe

CONFIG = parse_config({"kernel": {"subscribe": ["WANTED"]}}, "test")
WANTED, OTHER = 5, 9
BLOCK_AFTER = 3  # frames: directory, directory, one message of each
COUNT = 40


def directory(locate, stock):
    return encode("R", {
        "stock_locate": locate, "tracking_number": 0, "timestamp": 0, "stock": stock.ljust(8), "market_category": "Q",
        "financial_status_indicator": "N", "round_lot_size": 100, "round_lots_only": "N", "issue_classification": "C",
        "issue_sub_type": "Z ", "authenticity": "P", "short_sale_threshold_indicator": "N", "ipo_flag": "N",
        "luld_reference_price_tier": "1", "etp_flag": "N", "etp_leverage_factor": 0, "inverse_indicator": "N"})


def add(locate, stock, reference):
    return encode("A", {
        "stock_locate": locate, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference,
        "buy_sell_indicator": "B", "shares": 100, "stock": stock.ljust(8), "price": 10_000 + 100 * reference})


def sent_frames():
    """Both directories, then adds of either symbol in turn, one packet each."""
    messages = [directory(WANTED, "WANTED"), directory(OTHER, "OTHER")]
    messages += [add(*((OTHER, "OTHER") if index % 2 else (WANTED, "WANTED")), index + 1) for index in range(COUNT)]
    encoder = FrameEncoder()
    return [CapturedFrame(index * 10_000, encoder.encode(mold_packet([message], index + 1)))
            for index, message in enumerate(messages)]


def write_ps(frame):
    """Right after the frame of this number."""
    return (FIRST_CLOCK + frame * FRAME_CLOCKS + FRAME_CLOCKS // 2) * CLOCK_PS


FILL = (0, "FILTER_FILL", 1)
BLOCK = (write_ps(BLOCK_AFTER), "FILTER_UPDATE", OTHER)


def run(blocked, writes=(FILL, BLOCK)):
    """Observed and predicted of a run whose filter blocks the messages for which ``blocked(number)`` is true."""
    frames = sent_frames()
    result = loop_result(frames, CONFIG.kernel, True, CONFIG.nic, writes,
                         lambda number: {OTHER} if blocked(number) else ())
    observed = observe(result, closed_loop=True)
    line_frames = [LineFrame("A", *frame) for frame in frames]
    return result, observed, predict(line_frames, CONFIG, result, observed, closed_loop=True)


def differences(result, observed, prediction):
    comparisons = [*check_receive(prediction, observed),
                   *check_kernel(prediction, observed.orders, result.sent, observed.export)]
    return [text for comparison in comparisons for text in comparison.differences] + observed.problems


def settled(number):
    """From this message on the write of BLOCK has taken effect for sure."""
    return number > BLOCK_AFTER


def test_what_the_kernel_blocked_is_not_missed():
    result, observed, prediction = run(settled)
    assert differences(result, observed, prediction) == []
    kept_back = sum(number > BLOCK_AFTER and number % 2 == 1 for number in range(COUNT + 2))
    assert observed.counters["filtered"] == kept_back == COUNT + 2 - len(observed.messages)
    assert observed.disagreements() == []


@pytest.mark.parametrize("late", range(3))
def test_while_a_write_is_on_its_way_either_is_right(late):
    """The kernel's write may overtake the message behind it, or not."""
    writes = (FILL, ((FIRST_CLOCK + (BLOCK_AFTER + 2) * FRAME_CLOCKS) * CLOCK_PS - 100_000, "FILTER_UPDATE", OTHER))
    result, observed, prediction = run(lambda number: number > BLOCK_AFTER + late, writes)
    assert differences(result, observed, prediction) == []


def test_a_message_missing_for_another_reason_fails():
    result, observed, prediction = run(lambda number: settled(number) or number == BLOCK_AFTER)
    assert any("messages: 23 expected, got 22" in text for text in differences(result, observed, prediction))


def test_a_message_that_should_have_been_kept_back_fails():
    result, observed, prediction = run(lambda number: settled(number) and number != COUNT + 1)
    found = differences(result, observed, prediction)
    assert any(text.startswith("messages: ") for text in found)
    assert any("filtered" in text for text in found)


def test_without_the_kernel_s_write_nothing_may_be_missing():
    assert differences(*run(settled, (FILL,)))


def test_an_unblocked_locate_passes_again():
    again = (write_ps(20), "FILTER_UPDATE", OTHER | layout.REGISTER_FIELDS["FILTER_UPDATE"]["PASS"])
    result, observed, prediction = run(lambda number: settled(number) and number < 21, (FILL, BLOCK, again))
    assert differences(result, observed, prediction) == []
    assert differences(*run(settled, (FILL, BLOCK, again)))


class TestHistory:
    def history(self, *writes, enabled=True):
        nic = replace(CONFIG.nic, filter=enabled)
        return FilterHistory(loop_result([], CONFIG.kernel, True, nic, writes), doorbell_ns=64)

    def test_a_filter_that_is_off_passes_all(self):
        assert self.history(enabled=False).passes(OTHER, 0, 10**9) is True

    def test_locate_0_always_passes(self):
        assert self.history((0, "FILTER_FILL", 0)).passes(0, 10**6, 10**6) is True

    def test_times(self):
        """The write at clock 10,000 has effect by then + 10 clocks to the NIC + its settling."""
        history = self.history(FILL, (10_000 * CLOCK_PS, "FILTER_UPDATE", OTHER))
        certain = 10_000 + 10 + SETTLE_CLOCKS
        assert history.passes(OTHER, 9_000, 9_999) is True
        assert history.passes(OTHER, 9_000, 10_000) is None
        assert history.passes(OTHER, certain - 1, certain + 1) is None
        assert history.passes(OTHER, certain, certain) is False
        assert history.passes(WANTED, 9_000, 10_000) is True

    def test_a_fill_takes_its_time(self):
        history = self.history(FILL, (10_000 * CLOCK_PS, "FILTER_FILL", 0))
        assert history.passes(OTHER, 10_000 + SETTLE_CLOCKS + 10, 10_000 + SETTLE_CLOCKS + 20) is None
        assert history.passes(OTHER, 10_000 + SETTLE_CLOCKS + 10 + FILL_CLOCKS, 10**6) is False

    def test_a_fill_undoes_an_update_and_is_changed_by_one(self):
        history = self.history(FILL, (10_000 * CLOCK_PS, "FILTER_UPDATE", OTHER), (30_000 * CLOCK_PS, "FILTER_FILL", 1),
                               (60_000 * CLOCK_PS, "FILTER_UPDATE", WANTED))
        assert history.passes(OTHER, 20_000, 20_001) is False
        assert history.passes(OTHER, 50_000, 50_001) is True
        assert history.passes(WANTED, 70_000, 70_001) is False

    def test_other_requests_are_none_of_its(self):
        result = loop_result([], CONFIG.kernel, True, CONFIG.nic, (FILL, (10_000 * CLOCK_PS, "FILTER_UPDATE", OTHER)))
        guest = result.guest.copy()
        guest["op"][1] = layout.MailboxOp.REGISTER_READ
        history = FilterHistory(replace(result, guest=guest), 64)
        assert history.passes(OTHER, 20_000, 20_001) is True
        assert np.count_nonzero(guest["op"] == layout.MailboxOp.REGISTER_WRITE) == 1
