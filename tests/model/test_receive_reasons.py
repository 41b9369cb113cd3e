# SPDX-License-Identifier: MIT
"""The reason of a frame with several faults, in both deliveries, and what verified delivery must hold back."""

from __future__ import annotations

from random import Random

import pytest

from tb.model.receive import DROP_REASONS, Delivery, ReceiveModel
from tests.model.fault_pairs import FAULTS, PAIRS, Fault, FaultPair, faulty
from tests.model.frames import GROUP, PORT, FrameSpec, mold

MESSAGE = b"S" + bytes(11)


def test_the_table_has_every_pair_of_reasons_that_can_meet() -> None:
    assert len(PAIRS) == 158
    assert {fault.reason for fault in FAULTS} == set(DROP_REASONS)
    assert sum(pair.verified != pair.cut_through for pair in PAIRS) == 36


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_two_faults(pair: FaultPair) -> None:
    verified = ReceiveModel(GROUP, PORT, delivery="verified").frame(pair.frame, pair.bad_fcs)
    assert (verified.reason, verified.messages) == (pair.verified, [])
    cut_through = ReceiveModel(GROUP, PORT).frame(pair.frame, pair.bad_fcs)
    assert cut_through.reason == pair.cut_through
    assert [message.verdict for message in cut_through.messages] == ["bad", "bad"] * pair.delivers


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("delivery", ["verified", "cut-through"])
def test_one_fault_and_the_next_good_frame(fault: Fault, delivery: Delivery) -> None:
    model = ReceiveModel(GROUP, PORT, delivery=delivery)
    result = model.frame(faulty(fault), fault.bad_fcs)
    assert (result.disposition, result.reason) == ("drop", fault.reason)
    assert result.events == [{"event": "drop", "frame": 0, "reason": fault.reason}]
    assert bool(result.messages) == (delivery == "cut-through" and fault.at_end and "cut" not in fault.fields)
    assert model.counters["bad_messages"] == len(result.messages)
    good = model.frame(FrameSpec(payload=mold(7, [MESSAGE, MESSAGE])).build())
    assert [message.sequence for message in good.messages] == [7, 8]
    assert not any(good.flags)


def test_verified_messages_have_no_verdict() -> None:
    result = ReceiveModel(GROUP, PORT, delivery="verified").frame(FrameSpec(payload=mold(7, [MESSAGE])).build())
    assert "verdict" not in result.messages[0].as_line(0)
    assert ReceiveModel(GROUP, PORT).frame(FrameSpec(payload=mold(7, [MESSAGE])).build()).messages[0].as_line(0)[
        "verdict"] == "good"


def test_accepting_does_not_depend_on_the_delivery() -> None:
    """Random faults, any number of them: the deliveries may differ in the reason, never in the disposition."""
    random = Random(26477)
    accepted = dropped = 0
    for _ in range(3000):
        fields: dict[str, object] = {}
        bad_fcs = random.random() < 0.1
        for fault in random.sample(FAULTS, random.choice([0, 0, 1, 2, 3])):
            fields |= fault.fields
        frame = FrameSpec(payload=mold(7, [MESSAGE]), **fields).build()  # type: ignore[arg-type]
        verified = ReceiveModel(GROUP, PORT, delivery="verified").frame(frame, bad_fcs)
        cut_through = ReceiveModel(GROUP, PORT).frame(frame, bad_fcs)
        assert verified.disposition == cut_through.disposition
        assert (verified.reason is None) == (cut_through.reason is None)
        if verified.reason is None:
            assert [m.raw for m in verified.messages] == [m.raw for m in cut_through.messages] == [MESSAGE]
            accepted += 1
        else:
            assert cut_through.reason is not None
            assert DROP_REASONS.index(verified.reason) <= DROP_REASONS.index(cut_through.reason)
            dropped += 1
    assert min(accepted, dropped) > 500
