# SPDX-License-Identifier: MIT
"""Price levels inside and outside of a side's window: long sequences (hypothesis) and drifting prices, with the pools'
own invariants checked and every level compared with the Python model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generators.tables import encode
from tests.firmware.core_harness import Core, build_core
from tests.firmware.streams import predict

TICK = 100
WINDOW = 256 * TICK
# Around ticks, window borders and the ends of what a price can be.
PRICES = st.one_of(
    st.integers(1, 40).map(lambda tick: 1_000_000 + tick * TICK),
    st.integers(-1100, 1100).map(lambda tick: 1_000_000 + tick * TICK),
    st.integers(1, 2 * WINDOW),
    st.integers((1 << 32) - WINDOW, (1 << 32) - 1),
    st.integers(1, (1 << 32) - 1),
)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    core = Core(build_core(tmp_path_factory.mktemp("core")))
    yield core
    core.close()


def message(kind: str, reference: int, **fields: str | int) -> bytes:
    common: dict[str, str | int] = {"stock_locate": 1, "tracking_number": 0, "timestamp": 0}
    name = "original_order_reference_number" if kind == "U" else "order_reference_number"
    return encode(kind, common | {name: reference} | fields)


def add(reference: int, side: str, price: int) -> bytes:
    return message("A", reference, buy_sell_indicator=side, shares=100, stock="LEVELS", price=price)


def assert_as_the_model(core: Core, messages: list[bytes], every: int) -> None:
    """Invariants after every so many messages, the books at the end."""
    assert core.configure() == ""
    for at in range(0, len(messages), every):
        core.messages(messages[at:at + every])
        assert core.check().broken == ""
    model = predict(messages)
    books = [{key: book[key] for key in ("bids", "asks")} for book in core.export().books]
    assert books == [{key: book[key] for key in ("bids", "asks")} for book in model.books.levels()]


STEPS = st.lists(st.tuples(st.sampled_from("AAADU"), st.integers(0, 30), st.sampled_from("BS"), PRICES), min_size=1,
                 max_size=60)


@settings(max_examples=int(os.environ.get("TEST_EFFORT", "20")) * 10, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_sequence(core: Core, steps: list[tuple[str, int, str, int]]) -> None:
    messages = []
    for number, (kind, reference, side, price) in enumerate(steps, 100):
        if kind == "A":
            messages.append(add(reference, side, price))
        elif kind == "D":
            messages.append(message("D", reference))
        else:
            messages.append(message("U", reference, new_order_reference_number=number, shares=10, price=price))
            messages.append(add(reference, side, price))
    assert_as_the_model(core, messages, len(messages))


@pytest.mark.parametrize("direction", [1, -1])
def test_prices_that_drift_out_of_the_window_and_back(core: Core, direction: int) -> None:
    """The best price moves by four windows while old levels stay behind, then all the way back."""
    random, messages, live = Random(direction), [], []
    path = [*range(0, 4 * WINDOW, 7 * TICK), *range(4 * WINDOW, 0, -7 * TICK)]
    for number, offset in enumerate(path, 1):
        price = 2_000_000_000 + direction * offset + random.choice((0, 0, 0, 1, 37))
        for side, away in (("B", -TICK), ("S", TICK)):
            reference = 2 * number + (side == "S")
            messages.append(add(reference, side, price + away * random.randrange(1, 30)))
            live.append(reference)
        while len(live) > 60 or (live and random.random() < 0.3):
            messages.append(message("D", live.pop(random.randrange(len(live)))))
    assert_as_the_model(core, messages, 200)


def test_a_stub_quote_does_not_keep_the_window(core: Core) -> None:
    """The first price of a side may be far from all others."""
    messages = [add(1, "B", 1), add(2, "S", 1_999_999_900)]
    messages += [add(3 + 2 * n + side, "BS"[side], 1_000_000 + (1 if side else -1) * TICK * (1 + n % 50))
                 for n in range(200) for side in (0, 1)]
    messages += [message("D", reference) for reference in range(3, 400)]
    assert_as_the_model(core, messages, 20)
