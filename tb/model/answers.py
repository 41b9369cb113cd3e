# SPDX-License-Identifier: MIT
"""OUCH messages of the exchange as answers: what the kernel must understand of them, whatever the version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from generators.tables import OUCH42_OUTBOUND, OUCH50_OUTBOUND, WireError, decode
from tb.model.config import TOKEN_DIGITS, KernelConfig, OuchVersion
from tb.model.intent import Answer, AnswerKind

KINDS: Mapping[str, AnswerKind] = {
    "S": "system_event", "A": "accepted", "U": "replaced", "C": "canceled", "D": "aiq_canceled", "E": "executed",
    "B": "broken", "J": "rejected", "P": "cancel_pending", "I": "cancel_reject", "T": "priority_update",
    "M": "modified", "R": "restated", "F": "corrected",
    "G": "executed", "N": "trade_now", "Q": "account",
}
DEAD = "D"  # order state
_TABLES = {"4.2": OUCH42_OUTBOUND, "5.0": OUCH50_OUTBOUND}
# Field of an answer -> names that it has in the tables of either version, most telling first.
_FIELDS = {
    "shares": ("executed_shares", "decrement_shares", "shares", "quantity"),
    "price": ("execution_price", "price"),
    "reference": ("order_reference_number",),
    "match": ("match_number",),
    "side": ("buy_sell_indicator", "side"),
    "timestamp": ("timestamp",),
}


def fields_of(message: bytes, version: OuchVersion) -> dict[str, Any]:
    """The message's fields by their names in the protocol's table.

    Raises:
        WireError: it is none of that version.
    """
    return decode(message, _TABLES[version])


def token_number(token: str, config: KernelConfig) -> int:
    """The own order that a token of OUCH 4.2 names; 0: none of ours."""
    prefix, digits = token[:len(config.token_prefix)], token[len(config.token_prefix):]
    ours = prefix == config.token_prefix and len(digits) == TOKEN_DIGITS and digits.isascii() and digits.isdigit()
    number = int(digits) if ours else 0
    return number if number < 1 << 32 else 0


def _numbers(fields: Mapping[str, Any], config: KernelConfig) -> tuple[int, int]:
    """Of the order concerned, and of the one that it replaces."""
    if "user_ref_num" in fields:
        return fields["user_ref_num"], fields.get("orig_user_ref_num", 0)
    name = "replacement_order_token" if "replacement_order_token" in fields else "order_token"
    read: Callable[[str], int] = lambda name: token_number(fields[name], config) if name in fields else 0  # noqa: E731
    return read(name), read("previous_order_token")


def answer_of(message: bytes, config: KernelConfig) -> Answer:
    """The answer; malformed: it is no message of the configured version."""
    try:
        fields = fields_of(message, config.ouch_version)
    except WireError:
        return Answer("malformed")
    kind = KINDS[fields["message_type"]]
    number, original = _numbers(fields, config)
    values = {key: next((fields[name] for name in names if name in fields), None) for key, names in _FIELDS.items()}
    reason = fields.get("reason", fields.get("event_code", ""))
    return Answer(kind=kind, number=number, original=original, reason=str(reason),
                  dead=fields.get("order_state") == DEAD,
                  **{key: value for key, value in values.items() if value is not None})
