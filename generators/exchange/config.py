# SPDX-License-Identifier: MIT
"""What fixes an exchange's behaviour to the byte: its market, its addresses, what goes wrong, and what is scripted.

The defaults of the addresses are those of the kernel's own defaults, seen from the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generators.framing import DEFAULT_GROUP, DEFAULT_SOURCE, SESSION
from generators.profiles import MAX_SYMBOLS, OPENING

PS_PER_NS = 1_000
PS_PER_US = 1_000_000
PS_PER_MS = 1_000_000_000

# halt, resume: trading in `stock`. break: the last trade of ours in `stock`. reprice: our oldest live order in `stock`,
# a tick away from the market. hold_cancels, refuse_cancels, release_cancels: cancels and replaces of ours from here on.
# drop_link: the order-entry connection is reset. cut_link, mend_link: none of its frames passes, either way.
# correct: the last trade of ours in `stock` was a tick dearer.
Action = Literal["halt", "resume", "break", "correct", "reprice", "hold_cancels", "refuse_cancels", "release_cancels",
                 "drop_link", "cut_link", "mend_link"]


@dataclass(frozen=True, slots=True)
class Scripted:
    """Something that happens at a time; `stock` without padding, where the action has one."""

    time_ps: int
    action: Action
    stock: str = ""


@dataclass(frozen=True)
class ExchangeConfig:
    """One run. `messages` is a budget: trading ends when what is published and what is to be withdrawn reach it."""

    seed: int = 1
    messages: int = OPENING.messages
    symbols: int = 4
    latency_ps: int = 5 * PS_PER_US        # from an order's last byte to its effect and answer
    ouch: str = "4.2"
    script: tuple[Scripted, ...] = ()
    start_ns: int = 34_200_000_000_000     # since midnight, at time 0
    slowness: int = 1                      # factor on the gaps between the participants' events
    preamble_gap_ps: int = 10 * PS_PER_US  # between the messages of the start of day, and of the first orders
    warm_up: int | None = None             # first orders; None: 20 a symbol, at most a fifth of the budget

    # What goes wrong on the way: packets of a million
    loss_a_ppm: int = 0
    loss_b_ppm: int = 0
    answer_loss_ppm: int = 0               # of the re-request server

    # Of the order session's frames, each way
    order_loss_ppm: int = 0
    order_duplicate_ppm: int = 0
    order_late_ppm: int = 0                # and so out of order

    # Market data
    group_address: str = DEFAULT_GROUP.address
    group_port: int = DEFAULT_GROUP.port
    feed_source: str = DEFAULT_SOURCE
    feed_session: str = SESSION
    line_b_delay_ps: int = 250 * PS_PER_NS
    feed_heartbeat_ps: int = 1_000 * PS_PER_MS

    # Our end of the wire, and the client's
    mac: str = "02:00:00:00:00:02"
    address: str = "10.0.0.2"
    port: int = 26_400
    request_port: int = 26_478
    client_address: str = "10.0.0.1"

    # Order entry
    order_heartbeat_ps: int = 1_000 * PS_PER_MS   # without anything else; it also ends a replay
    session: str = "TICKLOOP01"
    username: str = "TICKLP"
    password: str = "PASSWORD"
    firm: str = "TICK"
    retransmit_ps: int = 2 * PS_PER_MS     # TCP's first time-out: the path is a switch, the run some milliseconds
    prevent_self_trades: bool = False      # of the client: what it would meet of its own is canceled

    # The end: withdrawals at a time, and how long after the last word the exchange listens
    withdrawals: int = 20
    withdrawal_gap_ps: int = 10 * PS_PER_US
    linger_ps: int = 2 * PS_PER_MS
    longest_linger_ps: int = 50 * PS_PER_MS

    def __post_init__(self) -> None:
        if not 1 <= self.symbols <= MAX_SYMBOLS:
            raise ValueError(f"an exchange has 1 to {MAX_SYMBOLS} symbols, got {self.symbols}")
        if self.ouch not in ("4.2", "5.0"):
            raise ValueError(f"OUCH is 4.2 or 5.0, got {self.ouch}")
        if self.latency_ps < 1 or self.messages < 1 or self.slowness < 1 or self.withdrawals < 1:
            raise ValueError("latency, messages, slowness and withdrawals must be positive")

    @property
    def first_orders(self) -> int:
        return min(20 * self.symbols, self.messages // 5) if self.warm_up is None else self.warm_up
