# SPDX-License-Identifier: MIT
"""What a strategy wants of the exchange, and what the exchange says of an own order (intent.h, answer.h)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

IntentKind = Literal["enter", "replace", "cancel", "modify"]
INTENTS = 4  # that one change of a book may cause


@dataclass(slots=True)
class Intent:
    """Price, shares and side as far as the kind has them; ``original`` is the own order concerned. A sent one has its
    ``number``, and the shares of a replace or a modify count what the original has executed."""

    kind: IntentKind
    side: str = ""
    shares: int = 0
    price: int = 0
    original: int = 0
    number: int = 0
    stock_locate: int = 0
    stock: str = ""


AnswerKind = Literal["system_event", "accepted", "replaced", "canceled", "aiq_canceled", "executed", "broken",
                     "rejected", "cancel_pending", "cancel_reject", "priority_update", "modified", "restated",
                     "corrected", "trade_now", "account", "malformed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the fields as in struct answer."""

    kind: AnswerKind
    number: int = 0
    original: int = 0
    shares: int = 0
    price: int = 0
    reference: int = 0
    match: int = 0
    side: str = ""
    reason: str = ""
    dead: bool = False
    timestamp: int = 0
