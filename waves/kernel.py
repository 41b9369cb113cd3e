# SPDX-License-Identifier: MIT
"""What the kernel did, message by message, at simulated times: the source of the waves' kernel scope and of trace.json.

The kernel's trace has the taps of each message; the DMA log says when a line became visible in the RX ring, the guest
log when the kernel asked for something and went on. All times are picoseconds from clock 0 of the testbench.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from bridge.interface import LoopResult
from bridge.layout import MailboxOp
from tickloop.rundir.lines import Records
from tickloop.rundir.orders import last_orders

NO_ASK = 0xFFFFFFFF


class State(IntEnum):
    """What the kernel is at."""

    STARTING = 0  # up to its first poll: sets the NIC up
    POLLING = 1  # no message in hand; what follows a decision without an order is counted here, too
    PARSING = 2  # from the dequeue until the book has changed
    DECIDING = 3
    SENDING = 4  # from the decision until the message is done
    STOPPING = 5  # hands out its books


class Message(NamedTuple):
    """One message in the kernel. ``applied`` is None where no book changed, ``decision`` where no strategy ran,
    ``doorbell`` and ``token`` where no order was sent; ``bid`` and ``ask`` are those of the changed book, 0: none."""

    sequence: int
    type: int
    stock_locate: int
    symbol: str  # eight characters; blanks where no book has the locate
    lines: int  # of the RX ring
    dequeue: int
    applied: int | None
    decision: int | None
    doorbell: int | None
    done: int
    bid: int
    ask: int
    orders: int
    token: str | None  # of the (last) order


class Request(NamedTuple):
    """The kernel waits for the bridge from ``start`` to ``end``."""

    op: MailboxOp
    start: int
    end: int
    address: int
    value: int


@dataclass(frozen=True)
class Activity:
    """The kernel from its attach to its exit."""

    messages: list[Message]
    requests: list[Request]
    occupancy: list[tuple[int, int]]  # time, lines of the RX ring visible and not yet consumed


def kernel_activity(result: LoopResult, ring: Records, tokens: list[str], symbols: Mapping[int, str],
                    posted_write_clocks: int) -> Activity:
    """``ring``: the RX ring's records with events; ``tokens``: of the orders sent; ``symbols``: by stock locate."""
    lines = 1 + ring.column("continuations").astype(np.int64)
    is_event = ring.is_event
    messages = _messages(result, lines[~is_event].tolist(), tokens, symbols)
    requests = [
        Request(MailboxOp(int(entry["op"])), int(entry["time_ps"]), int(entry["answered_ps"]), int(entry["address"]),
                int(entry["value"]))
        for entry in result.guest
    ]
    visible = ((ring.clock.astype(np.int64) + posted_write_clocks) * result.clock_ps).tolist()
    consumed = _consumed(messages, requests, is_event.tolist(), visible)
    steps = sorted([*zip(visible, lines.tolist(), strict=True), *zip(consumed, (-lines).tolist(), strict=False)])
    occupancy, level = [], 0
    for time, step in steps:
        level += step
        occupancy.append((time, level))
    return Activity(messages, requests, occupancy)


def _messages(result: LoopResult, lines: list[int], tokens: list[str], symbols: Mapping[int, str]) -> list[Message]:
    messages = []
    for entry, count, last in zip(result.trace, lines, last_orders(result).tolist(), strict=False):
        orders, locate, ask = int(entry["orders"]), int(entry["stock_locate"]), int(entry["ask"])
        applied = bool(entry["applied_work"])
        messages.append(Message(
            int(entry["sequence"]), int(entry["type"]), locate, symbols.get(locate, " " * 8), count,
            int(entry["dequeue_ps"]), int(entry["applied_ps"]) if applied else None,
            int(entry["decision_ps"]) if entry["decision_work"] else None,
            int(entry["doorbell_ps"]) if orders else None, int(entry["done_ps"]), int(entry["bid"]),
            0 if ask == NO_ASK or not applied else ask, orders,
            tokens[last] if orders and last < len(tokens) else None,
        ))
    return messages


def _consumed(messages: list[Message], requests: list[Request], is_event: list[bool],
              visible: list[int]) -> list[int]:
    """When each record's lines left the ring: a message's when it was done. An event line leaves no tap: at the latest
    it is gone at the next dequeue, or at the next poll, for the kernel asks only when it has taken all it can see."""
    times = [request.start for request in requests if request.op == MailboxOp.POLL]
    times_consumed: list[int] = []
    taken = 0
    for record, event in enumerate(is_event):
        if not event:
            if taken == len(messages):
                break
            times_consumed.append(messages[taken].done)
            taken += 1
            continue
        poll = bisect_left(times, visible[record])
        latest = [messages[taken].dequeue] if taken < len(messages) else []
        latest += times[poll:poll + 1]
        if not latest:
            break
        times_consumed.append(min(latest))
    return times_consumed


def target_locate(messages: list[Message], symbol: str | None) -> int | None:
    """The stock locate whose book is shown: that of ``symbol``, else of the first order, else of the first book."""
    if symbol is not None:
        return next((message.stock_locate for message in messages if message.symbol.rstrip() == symbol), None)
    shown = (message.stock_locate for message in messages if message.orders)
    return next(shown, next((message.stock_locate for message in messages if message.applied is not None), None))
