# SPDX-License-Identifier: MIT
"""OUCH 4.2 and OUCH 5.0 as the exchange reads and writes them; what they have in common is in requests.py.

Layouts come from the protocol tables. A message of an unknown type, or of another length than its type has, is None.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from generators.exchange.orders import MARKET_PRICE, MAX_PRICE, SELL, Order, Traded
from generators.exchange.requests import (
    AccountQuery,
    Cancel,
    Enter,
    Key,
    Modify,
    Reason,
    Replace,
    Request,
    Terms,
    TradeNow,
)
from generators.tables import OUCH42_INBOUND, OUCH42_OUTBOUND, OUCH50_INBOUND, OUCH50_OUTBOUND, Message, Table

LIVE, DEAD = "L", "D"
IMMEDIATE_SECONDS = 0
LONGEST_SECONDS = 99_997               # OUCH 4.2: above are market hours (99998) and system hours (99999)
SYSTEM_HOURS = 99_999
DAY, IMMEDIATE, EXTENDED, GOOD_TILL_TIME, AFTER_HOURS = "0", "3", "5", "6", "E"
MINIMUM_QUANTITY, EXPIRE_TIME = 3, 15  # OUCH 5.0 tags


class Dialect(Protocol):
    """One version of OUCH."""

    def parse(self, data: bytes) -> Request | None: ...

    def system_event(self, now_ns: int, code: str) -> bytes: ...

    def accepted(self, now_ns: int, request: Enter, order: Order, state: str) -> bytes: ...

    def replaced(self, now_ns: int, first: Enter, side: str, request: Replace, order: Order, state: str) -> bytes: ...

    def canceled(self, now_ns: int, key: Key, shares: int, reason: str) -> bytes: ...

    def executed(self, now_ns: int, key: Key, shares: int, price: int, flag: str, match: int) -> bytes: ...

    def broken(self, now_ns: int, key: Key, match: int, reason: str, fields: dict[str, Any]) -> bytes: ...

    def corrected(self, now_ns: int, key: Key, trade: Traded, flag: str, reason: str, fields: dict[str, Any]
                  ) -> bytes: ...

    def prevented(self, now_ns: int, key: Key, shares: int, reason: str, prevented: int, price: int, flag: str
                  ) -> bytes: ...

    def rejected(self, now_ns: int, key: Key, reason: Reason, fields: dict[str, Any]) -> bytes: ...

    def cancel_pending(self, now_ns: int, key: Key) -> bytes: ...

    def cancel_rejected(self, now_ns: int, key: Key) -> bytes: ...

    def modified(self, now_ns: int, key: Key, side: str, shares: int) -> bytes: ...

    def priority_update(self, now_ns: int, key: Key, order: Order, display: str) -> bytes: ...

    def trade_now(self, now_ns: int, key: Key) -> bytes | None: ...

    def account(self, now_ns: int, next_key: int) -> bytes | None: ...


def limit(price: int, side: bytes) -> int:
    """The limit of an order that may have been entered at the market."""
    if price != MARKET_PRICE:
        return price
    return 1 if side == SELL else MAX_PRICE


def _picked(message: Message, *sources: dict[str, Any]) -> dict[str, Any]:
    """The fields that a message repeats, from the first source that has each."""
    return {name: source[name] for source in reversed(sources) for name in message.names if name in source}


class Ouch42:
    """Tokens of 14 characters, each used once."""

    REASONS: ClassVar[dict[Reason, str]] = {
        Reason.CLOSED: "C", Reason.HALTED: "H", Reason.SIDE: "O", Reason.SYMBOL: "S", Reason.SHARES: "Z",
        Reason.PRICE: "X", Reason.DISPLAY: "D", Reason.CROSS_TYPE: "R", Reason.MINIMUM_QUANTITY: "N",
        Reason.TIME_IN_FORCE: "O", Reason.NOT_NOW: "O",
    }

    def parse(self, data: bytes) -> Request | None:
        kind = data[:1].decode("latin-1")
        layout = OUCH42_INBOUND.get(kind)
        if layout is None or len(data) != layout.length:
            return None
        fields = layout.decode(data)
        if kind == "O":
            return Enter(fields["order_token"], fields["buy_sell_indicator"], fields["stock"].encode("latin-1"),
                         fields["cross_type"], self._terms(fields))
        if kind == "U":
            return Replace(fields["existing_order_token"], fields["replacement_order_token"], self._terms(fields))
        if kind == "X":
            return Cancel(fields["order_token"], fields["shares"])
        if kind == "M":
            return Modify(fields["order_token"], fields["buy_sell_indicator"], fields["shares"])
        return TradeNow(fields["order_token"])

    def _terms(self, fields: dict[str, Any]) -> Terms:
        seconds = fields["time_in_force"]
        timed = 0 < seconds <= LONGEST_SECONDS
        return Terms(fields["shares"], fields["price"], fields["display"], fields["minimum_quantity"],
                     seconds == IMMEDIATE_SECONDS, seconds if timed else None, seconds <= SYSTEM_HOURS, fields)

    def _answer(self, kind: str, now_ns: int, **fields: int | str) -> bytes:
        return OUCH42_OUTBOUND[kind].encode({"timestamp": now_ns, **fields})

    def system_event(self, now_ns: int, code: str) -> bytes:
        return self._answer("S", now_ns, event_code=code)

    def accepted(self, now_ns: int, request: Enter, order: Order, state: str) -> bytes:
        repeated = _picked(OUCH42_OUTBOUND["A"], request.terms.fields)
        return self._answer("A", now_ns, **(repeated | {
            "message_type": "A", "order_reference_number": order.reference, "order_state": state,
            "bbo_weight_indicator": " "}))

    def replaced(self, now_ns: int, first: Enter, side: str, request: Replace, order: Order, state: str) -> bytes:
        repeated = _picked(OUCH42_OUTBOUND["U"], request.terms.fields, first.terms.fields)
        return self._answer("U", now_ns, **(repeated | {
            "message_type": "U", "buy_sell_indicator": side, "shares": order.size,
            "order_reference_number": order.reference, "order_state": state,
            "previous_order_token": request.existing, "bbo_weight_indicator": " "}))

    def canceled(self, now_ns: int, key: Key, shares: int, reason: str) -> bytes:
        return self._answer("C", now_ns, order_token=key, decrement_shares=shares, reason=reason)

    def executed(self, now_ns: int, key: Key, shares: int, price: int, flag: str, match: int) -> bytes:
        return self._answer("E", now_ns, order_token=key, executed_shares=shares, execution_price=price,
                            liquidity_flag=flag, match_number=match)

    def broken(self, now_ns: int, key: Key, match: int, reason: str, fields: dict[str, Any]) -> bytes:
        return self._answer("B", now_ns, order_token=key, match_number=match, reason=reason)

    def corrected(self, now_ns: int, key: Key, trade: Traded, flag: str, reason: str, fields: dict[str, Any]) -> bytes:
        return self._answer("F", now_ns, order_token=key, executed_shares=trade.shares, execution_price=trade.price,
                            liquidity_flag=flag, match_number=trade.match, reason=reason)

    def prevented(self, now_ns: int, key: Key, shares: int, reason: str, prevented: int, price: int, flag: str
                  ) -> bytes:
        return self._answer("D", now_ns, order_token=key, decrement_shares=shares, reason=reason,
                            quantity_prevented_from_trading=prevented, execution_price=price, liquidity_flag=flag)

    def rejected(self, now_ns: int, key: Key, reason: Reason, fields: dict[str, Any]) -> bytes:
        return self._answer("J", now_ns, order_token=key, reason=self.REASONS[reason])

    def cancel_pending(self, now_ns: int, key: Key) -> bytes:
        return self._answer("P", now_ns, order_token=key)

    def cancel_rejected(self, now_ns: int, key: Key) -> bytes:
        return self._answer("I", now_ns, order_token=key)

    def modified(self, now_ns: int, key: Key, side: str, shares: int) -> bytes:
        return self._answer("M", now_ns, order_token=key, buy_sell_indicator=side, shares=shares)

    def priority_update(self, now_ns: int, key: Key, order: Order, display: str) -> bytes:
        return self._answer("T", now_ns, order_token=key, price=order.price, display=display,
                            order_reference_number=order.reference)

    def trade_now(self, now_ns: int, key: Key) -> bytes | None:
        return self._answer("N", now_ns, order_token=key)

    def account(self, now_ns: int, next_key: int) -> bytes | None:
        return None


class Ouch50:
    """User reference numbers that rise, and optional fields in an appendage: u8 length, u8 tag, value, repeated."""

    REASONS: ClassVar[dict[Reason, int]] = {
        Reason.CLOSED: 0x0002, Reason.HALTED: 0x0007, Reason.SIDE: 0x0009, Reason.SYMBOL: 0x0017,
        Reason.SHARES: 0x0013, Reason.PRICE: 0x001D, Reason.DISPLAY: 0x0003, Reason.CROSS_TYPE: 0x0014,
        Reason.MINIMUM_QUANTITY: 0x000D, Reason.TIME_IN_FORCE: 0x000F, Reason.NOT_NOW: 0x0015,
    }

    def parse(self, data: bytes) -> Request | None:
        kind = data[:1].decode("latin-1")
        fields = self._fields(OUCH50_INBOUND, kind, data)
        if fields is None:
            return None
        if kind in "OU":
            terms = self._terms(fields)
            if terms is None:
                return None
            if kind == "O":
                return Enter(fields["user_ref_num"], fields["side"], fields["symbol"].encode("latin-1"),
                             fields["cross_type"], terms)
            return Replace(fields["orig_user_ref_num"], fields["user_ref_num"], terms)
        if kind == "X":
            return Cancel(fields["user_ref_num"], fields["quantity"])
        if kind == "M":
            return Modify(fields["user_ref_num"], fields["side"], fields["quantity"])
        return AccountQuery()

    def _fields(self, table: Table, kind: str, data: bytes) -> dict[str, Any] | None:
        """A message of its type's length; an appendage may follow, with a length that is right."""
        layout = table.get(kind)
        if layout is None or len(data) < layout.length:
            return None
        if "appendage" in layout.names:
            fields = layout.decode(data)
            return fields if fields["appendage_length"] == len(fields["appendage"]) else None
        rest = data[layout.length:]
        if rest and (len(rest) < 2 or int.from_bytes(rest[:2], "big") != len(rest) - 2):
            return None
        return layout.decode(data)

    def _terms(self, fields: dict[str, Any]) -> Terms | None:
        tags = _tags(fields["appendage"])
        if tags is None:
            return None
        force = fields["time_in_force"]
        minimum = int.from_bytes(tags.get(MINIMUM_QUANTITY, b""), "big")
        seconds = int.from_bytes(tags.get(EXPIRE_TIME, b""), "big") if force == GOOD_TILL_TIME else None
        known = force in (DAY, IMMEDIATE, EXTENDED, AFTER_HOURS) or (force == GOOD_TILL_TIME and bool(seconds))
        return Terms(fields["quantity"], fields["price"], fields["display"], minimum, force == IMMEDIATE, seconds,
                     known, fields)

    def _answer(self, kind: str, now_ns: int, **fields: Any) -> bytes:
        layout = OUCH50_OUTBOUND[kind]
        if "appendage" in layout.names:
            fields = {"appendage_length": 0, "appendage": b"", **fields}
        return layout.encode({"timestamp": now_ns, **fields})

    def system_event(self, now_ns: int, code: str) -> bytes:
        return self._answer("S", now_ns, event_code=code)

    def accepted(self, now_ns: int, request: Enter, order: Order, state: str) -> bytes:
        repeated = _picked(OUCH50_OUTBOUND["A"], request.terms.fields)
        return self._answer("A", now_ns, **(repeated | {
            "message_type": "A", "order_reference_number": order.reference, "order_state": state}))

    def replaced(self, now_ns: int, first: Enter, side: str, request: Replace, order: Order, state: str) -> bytes:
        repeated = _picked(OUCH50_OUTBOUND["U"], request.terms.fields, first.terms.fields)
        return self._answer("U", now_ns, **(repeated | {
            "message_type": "U", "side": side, "quantity": order.size, "order_reference_number": order.reference,
            "order_state": state}))

    def canceled(self, now_ns: int, key: Key, shares: int, reason: str) -> bytes:
        return self._answer("C", now_ns, user_ref_num=key, quantity=shares, reason=reason)

    def executed(self, now_ns: int, key: Key, shares: int, price: int, flag: str, match: int) -> bytes:
        return self._answer("E", now_ns, user_ref_num=key, quantity=shares, price=price, liquidity_flag=flag,
                            match_number=match)

    def broken(self, now_ns: int, key: Key, match: int, reason: str, fields: dict[str, Any]) -> bytes:
        return self._answer("B", now_ns, user_ref_num=key, match_number=match, reason=reason,
                            clordid=fields["clordid"])

    def corrected(self, now_ns: int, key: Key, trade: Traded, flag: str, reason: str, fields: dict[str, Any]) -> bytes:
        return self._answer("F", now_ns, user_ref_num=key, quantity=trade.shares, price=trade.price,
                            liquidity_flag=flag, match_number=trade.match, reason=reason, clordid=fields["clordid"])

    def prevented(self, now_ns: int, key: Key, shares: int, reason: str, prevented: int, price: int, flag: str
                  ) -> bytes:
        return self._answer("D", now_ns, user_ref_num=key, decrement_shares=shares, reason=reason,
                            quantity_prevented_from_trading=prevented, execution_price=price, liquidity_flag=flag)

    def rejected(self, now_ns: int, key: Key, reason: Reason, fields: dict[str, Any]) -> bytes:
        return self._answer("J", now_ns, user_ref_num=key, reason=self.REASONS[reason], clordid=fields["clordid"])

    def cancel_pending(self, now_ns: int, key: Key) -> bytes:
        return self._answer("P", now_ns, user_ref_num=key)

    def cancel_rejected(self, now_ns: int, key: Key) -> bytes:
        return self._answer("I", now_ns, user_ref_num=key)

    def modified(self, now_ns: int, key: Key, side: str, shares: int) -> bytes:
        return self._answer("M", now_ns, user_ref_num=key, side=side, quantity=shares)

    def priority_update(self, now_ns: int, key: Key, order: Order, display: str) -> bytes:
        return self._answer("T", now_ns, user_ref_num=key, price=order.price, display=display,
                            order_reference_number=order.reference)

    def trade_now(self, now_ns: int, key: Key) -> bytes | None:
        return None

    def account(self, now_ns: int, next_key: int) -> bytes | None:
        return self._answer("Q", now_ns, next_user_ref_num=next_key)


def _tags(appendage: bytes) -> dict[int, bytes] | None:
    """Values by tag; None if the lengths do not add up."""
    tags: dict[int, bytes] = {}
    at = 0
    while at < len(appendage):
        length = appendage[at]
        if length < 1 or at + 1 + length > len(appendage):
            return None
        tags[appendage[at + 1]] = appendage[at + 2:at + 1 + length]
        at += 1 + length
    return tags


DIALECTS: dict[str, Dialect] = {"4.2": Ouch42(), "5.0": Ouch50()}
