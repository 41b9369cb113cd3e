# SPDX-License-Identifier: MIT
"""Streams of ITCH messages that go wrong on purpose, and their prediction by the Python model of the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from generators.tables import encode
from tb.model.config import KernelConfig
from tb.model.kernel import KernelModel
from tb.model.receive import MessageResult
from tests.firmware.records import message_status

# The same values as records.config_module.
MODEL = {"token_prefix": "TEST", "firm": "FIRM", "max_books": 1024, "max_orders": 65536, "max_levels": 32768}


def predict(messages: Iterable[bytes], **config: Any) -> KernelModel:
    """Run the model over messages with consecutive sequence numbers, order entry ready."""
    model = KernelModel(KernelConfig(**{**MODEL, **config}))
    model.link("ready")
    for sequence, raw in enumerate(messages, 1):
        status: Any = message_status(raw).name.lower()
        model.message(MessageResult(sequence, chr(raw[0]) if raw else None, len(raw), status, raw))
    return model


def hostile_stream(seed: int, count: int, *, locates: int = 6, references: int = 60,
                   prices: Sequence[int] = ()) -> list[bytes]:
    """Messages on few references and prices, so that every refusal happens often: duplicates, unknown references,
    over-executions, zero fields, wrong sides, contradicting symbols, extreme prices, every width of price."""
    random = Random(seed)
    choices = list(prices) or [0, 1, 2, 99, 100, 101, 10_000, 10_100, 0x7735939C, 0x7735939D, 0x7FFFFFFF, 0xFFFFFFFF]
    messages = []
    for number in range(count):
        locate = random.randrange(locates)
        stock = f"SYM{locate}" if random.random() < 0.97 else random.choice(["OTHER", "\0BAD", " LEFT", "", "IN SIDE"])
        common: dict[str, Any] = {"stock_locate": locate, "tracking_number": 0, "timestamp": number}
        reference = random.choice([0, (1 << 64) - 1, *(random.randrange(references) for _ in range(20))])
        shares = random.choice([0, 1, 2, 100, 100, 100, 300, (1 << 32) - 1])
        price = random.choice(choices)
        kind = random.choice("AAAAFFECXXDDUUURPS")
        if kind in "AF":
            common |= {"order_reference_number": reference, "buy_sell_indicator": random.choice("BBBBSSSSX"),
                       "shares": shares, "stock": stock, "price": price}
            if kind == "F":
                common["attribution"] = "NSDQ"
        elif kind == "U":
            common |= {"original_order_reference_number": reference, "shares": shares, "price": price,
                       "new_order_reference_number": random.choice([reference, random.randrange(references)])}
        elif kind in "EC":
            common |= {"order_reference_number": reference, "executed_shares": shares, "match_number": number}
            if kind == "C":
                common |= {"printable": "Y", "execution_price": 1}
        elif kind == "X":
            common |= {"order_reference_number": reference, "canceled_shares": shares}
        elif kind == "D":
            common |= {"order_reference_number": reference}
        elif kind == "R":
            common |= {
                "stock": stock, "market_category": "Q", "financial_status_indicator": "N", "round_lot_size": 100,
                "round_lots_only": "N", "issue_classification": "C", "issue_sub_type": "Z", "authenticity": "P",
                "short_sale_threshold_indicator": "N", "ipo_flag": "N", "luld_reference_price_tier": "1",
                "etp_flag": "N", "etp_leverage_factor": 0, "inverse_indicator": "N",
            }
        elif kind == "P":
            common |= {"order_reference_number": 0, "buy_sell_indicator": "B", "shares": 100, "stock": stock,
                       "price": 10_000, "match_number": number}
        else:
            common |= {"event_code": "Q"}
        message = encode(kind, common)
        if random.random() < 0.02:
            message = random.choice([message + b"tail", message[:-1], b"", b"?" + message[1:]])
        messages.append(message)
    return messages
