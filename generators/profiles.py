# SPDX-License-Identifier: MIT
"""Traffic profiles: seeded ITCH 5.0 traffic with the statistics of a real feed, as messages, packets or a capture.

The same seed gives the same bytes on any machine and Python: the only source of chance is random.Random.random(),
whose sequence Python guarantees, and no result depends on hashing or on a platform's math library. Every order
reference resolves (market.py keeps the books), so a receiver that sees all messages never meets an unknown one.

A run has three parts: the start of day (system events, one directory and one trading action a symbol), a warm-up of
slow Add Orders that fills the books, and the timed phase with the profile's mix, bursts and gaps.
"""

from __future__ import annotations

import gzip
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, islice
from math import fsum, inf, isinf
from pathlib import Path
from random import Random
from typing import IO, Any

from generators import prototype
from generators.captures import CapturedFrame, write_pcap
from generators.framing import DEFAULT_GROUP, FIRST_SEQUENCE, FrameEncoder, Group, pack_messages
from generators.market import BUY, SELL, TICK, Order, Symbol, order_size
from generators.tables import ITCH50, MOLD_BLOCK, Message, Value, decode

MAX_SYMBOLS = 8_000
DEFAULT_SEED = 1
MARKET_OPEN_NS = 34_200_000_000_000    # 09:30:00 in ITCH time: the timed phase begins there, or after a long warm-up
SLOW_GAP_NS = (20_000, 46_000)         # start of day and warm-up: uniform around the pre-market median of 33 us
WARM_UP_ORDERS = 20                    # a symbol, unless told; at most a fifth of the run
LOCATE_STRIDE = 131                    # spreads up to 500 symbols over the range of locate codes; more lie closer
MAX_LOCATE = 65_535

# Reference and match numbers grow, with holes: other symbols take theirs.
REFERENCE_STRIDE = 8
ATTRIBUTIONS = (b"NITE", b"VIRT", b"CDRG", b"CTDL")
WITH_ATTRIBUTION = 0.34                # of the adds outside the timed mix that are type F


# What sees the messages go by; it may end them early.
Watched = Callable[[Iterator[tuple[int, bytes]]], Iterator[tuple[int, bytes]]]


@dataclass(frozen=True)
class Profile:
    """Statistics of the timed phase.

    `mix` weighs the single messages; `burst_share` is the share of all messages that comes in bursts of one symbol
    with one timestamp, of `burst_sizes` messages: Add Orders, often led by the cross trade they follow, or with
    `quotes` a market maker's ladder that is entered, replaced or withdrawn as a whole. `gaps` is the inverse
    distribution of the non-zero gaps in ns, as (cumulative probability, gap), linear between the points.
    """

    name: str
    description: str
    mix: Mapping[str, float]
    gaps: tuple[tuple[float, int], ...]
    symbols: int
    messages: int
    burst_share: float = 0.0
    burst_sizes: tuple[int, int] = (12, 39)
    burst_after_cross: float = 0.67
    quotes: bool = False

    @property
    def mean_burst(self) -> float:
        """Mean of the smaller of two uniform draws, which favours short bursts as the measured ones do."""
        low, high = self.burst_sizes
        span = high - low + 1
        return low + (span - 1) * (2 * span - 1) / (6 * span)

    @property
    def singles_per_burst(self) -> float:
        """Mean number of single messages from one burst to the next."""
        return self.mean_burst * (1 - self.burst_share) / self.burst_share if self.burst_share else inf

    @property
    def natural_rate(self) -> float:
        """Messages a second of the timed phase: messages an event (single or burst) over the mean gap of events."""
        points = zip(self.gaps, self.gaps[1:], strict=False)
        # fsum, because sum() of floats rounds differently from Python 3.12 on.
        mean_gap = fsum((p1 - p0) * (gap0 + gap1) / 2 for (p0, gap0), (p1, gap1) in points)
        return 1e9 * (1 + (self.mean_burst - 1) / (1 + self.singles_per_burst)) / mean_gap


# Whole-day mix and mean rate (12.6 thousand messages a second) of Nasdaq on 30 October 2019.
QUIET = Profile(
    name="quiet",
    description="a calm day: one message a packet, the mix of a whole day",
    mix={"A": 43.27, "D": 41.94, "U": 8.68, "E": 2.49, "I": 1.27, "X": 1.21, "P": 0.52, "F": 0.48, "L": 0.073,
         "C": 0.044, "Q": 0.006},
    gaps=((0.0, 1_000), (0.5, 30_000), (0.9, 150_000), (0.99, 500_000), (1.0, 1_000_000)),
    symbols=4,
    messages=1_000,
)

# Measured on the first 2.4 ms after the opening of 30 December 2019. The weights are those of the single messages:
# together with the bursts (half A, half F, led by Q) they give A 36.7 U 22.5 F 19.3 D 16.7 E 2.8 X 0.6 per cent.
OPENING = Profile(
    name="opening",
    description="an opening minute: its mix, bursts and packing, about 423 messages a millisecond",
    mix={"A": 311, "U": 225, "D": 167, "F": 129, "E": 28, "X": 6, "I": 4, "P": 4, "C": 1},
    gaps=((0.0, 100), (0.05, 241), (0.10, 280), (0.25, 557), (0.50, 1_673), (0.75, 3_268), (0.90, 5_658),
          (0.95, 8_207), (0.99, 16_743), (1.0, 24_000)),
    symbols=8,
    messages=2_000,
    burst_share=0.125,
)

# A full packet of a real feed carries 38 Add Orders of one symbol with one timestamp.
QUOTES_A_PACKET = 38
WITHDRAWN = 0.25                       # of the ladders, when they are due; the others are replaced
MASS_QUOTE = Profile(
    name="mass_quote",
    description=f"mass quotes: ladders entered, replaced and withdrawn, {QUOTES_A_PACKET} messages a packet",
    mix={"A": 30, "F": 10, "D": 20, "U": 15, "E": 15, "X": 8, "C": 2},
    gaps=((0.0, 10_000), (0.5, 20_000), (0.9, 40_000), (1.0, 60_000)),
    symbols=8,
    messages=4_000,
    burst_share=0.95,
    burst_sizes=(QUOTES_A_PACKET, QUOTES_A_PACKET),
    quotes=True,
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (QUIET, OPENING, MASS_QUOTE)}


@dataclass(frozen=True)
class Scenario:
    """A profile with all that fixes its bytes."""

    profile: Profile
    seed: int
    messages: int


DEFAULT_SCENARIO = Scenario(OPENING, DEFAULT_SEED, OPENING.messages)


class _Traffic:
    """One run's state: the symbols, the clock and the running numbers. Each method yields or builds messages."""

    def __init__(self, profile: Profile, seed: int, symbols: int, rate: float | None) -> None:
        self._profile = profile
        self._random = Random(seed)
        self._gap_scale = 1.0 if rate is None else profile.natural_rate / rate
        self._gap_points = [point for point, _ in profile.gaps]
        self._symbols = [Symbol(locate, stock, 2_000 + int(self._random.random() * 38_000))
                         for locate, stock in instruments(symbols)]
        self._ladders: dict[int, list[Order]] = {}
        # Activity falls off with rank: the busiest symbol of the measured opening has a tenth of all messages.
        self._activity = list(accumulate(1 / (rank + 2) for rank in range(symbols)))
        self._types = list(profile.mix)
        self._weights = list(accumulate(profile.mix.values()))
        self._now = 0
        self._stamp = b""
        self._count = 0
        self._reference = 0
        self._match = 0
        self._singles = self._draw_singles()
        self._writers: dict[str, Callable[[Symbol], bytes]] = {
            "A": self._add, "F": self._add_attributed, "E": self._execute, "C": self._execute_with_price,
            "X": self._cancel, "D": self._delete, "U": self._replace, "P": self._trade, "Q": self._cross,
            "I": self._imbalance, "L": self._participant,
            **{kind: partial(self._by_table, ITCH50[kind]) for kind in BY_TABLE},
        }

    def messages(self, warm_up: int) -> Iterator[tuple[int, bytes]]:
        preamble = 3 + 2 * len(self._symbols)
        start = MARKET_OPEN_NS - (preamble + warm_up) * (sum(SLOW_GAP_NS) // 2)
        self._set_clock(start)
        for message in self._slow_part(warm_up):
            yield self._now - start, message
            self._set_clock(self._now + self._uniform(*SLOW_GAP_NS))
        self._set_clock(max(self._now, MARKET_OPEN_NS))
        yield self._now - start, self._system_event(b"Q")
        while True:
            self._set_clock(self._now + self._gap())
            for message in self._event():
                yield self._now - start, message

    def _slow_part(self, warm_up: int) -> Iterator[bytes]:
        yield self._system_event(b"O")
        yield self._system_event(b"S")
        for symbol in self._symbols:
            yield self._directory(symbol)
        for symbol in self._symbols:
            yield self._trading_action(symbol)
        for index in range(warm_up):
            yield self._any_add(self._symbols[index % len(self._symbols)])

    def _event(self) -> Iterator[bytes]:
        """What one timestamp of the timed phase carries: a single message or a burst of one symbol."""
        random = self._random.random
        symbol = self._symbols[self._pick(self._activity)]
        if self._singles:
            self._singles -= 1
            kind = self._types[self._pick(self._weights)]
            if kind in "ECXDU" and not symbol.live:
                kind = "A"
            yield self._writers[kind](symbol)
            return
        self._singles = self._draw_singles()
        low, high = self._profile.burst_sizes
        size = min(self._uniform(low, high), self._uniform(low, high))
        if self._profile.quotes:
            yield from self._quote(symbol, size)
            return
        if random() < self._profile.burst_after_cross:
            yield self._cross(symbol)
            size -= 1
        add = self._add if random() < 0.5 else self._add_attributed
        for _ in range(size):
            yield add(symbol)

    def _quote(self, symbol: Symbol, size: int) -> Iterator[bytes]:
        """A ladder of `size` orders: withdrawn or replaced where they still rest, entered anew where they do not."""
        ladder = self._ladders.get(symbol.locate, [])
        withdraw = self._random.random() < WITHDRAWN
        quoted: list[Order] = []
        for place in range(size):
            order = ladder[place] if place < len(ladder) else None
            if order is None or not order.shares:
                yield self._add(symbol)
                quoted.append(symbol.live[-1])
            elif withdraw:
                yield self._delete_order(symbol, order)
                quoted.append(order)
            else:
                yield self._replace_order(symbol, order)
                quoted.append(symbol.live[-1])
        self._ladders[symbol.locate] = quoted

    # Chance and running numbers

    def _pick(self, cumulative: list[float]) -> int:
        """An index by cumulative weight."""
        return min(bisect_right(cumulative, self._random.random() * cumulative[-1]), len(cumulative) - 1)

    def _uniform(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def _gap(self) -> int:
        """At least 1: two events never share a timestamp, and so never a packet."""
        draw = self._random.random()
        upper = bisect_right(self._gap_points, draw)
        (p0, gap0), (p1, gap1) = self._profile.gaps[upper - 1:upper + 1]
        return max(1, int(self._gap_scale * (gap0 + (gap1 - gap0) * (draw - p0) / (p1 - p0))))

    def _draw_singles(self) -> float:
        """Until the next burst: uniform, so that short runs come nearer to the share than independent draws would."""
        mean = self._profile.singles_per_burst
        return mean if isinf(mean) else self._uniform(0, 2 * round(mean))

    def _set_clock(self, now: int) -> None:
        self._now = now
        self._stamp = now.to_bytes(6, "big")

    def _tracking(self) -> int:
        self._count += 1
        return self._count & 0xFFFF

    def _next_reference(self) -> int:
        self._reference += self._uniform(1, REFERENCE_STRIDE)
        return self._reference

    def _next_match(self) -> int:
        self._match += self._uniform(1, REFERENCE_STRIDE)
        return self._match

    # Messages, in the field order of their tables

    def _system_event(self, code: bytes) -> bytes:
        return _PACK["S"](b"S", 0, self._tracking(), self._stamp, code)

    def _directory(self, symbol: Symbol) -> bytes:
        return _PACK["R"](b"R", symbol.locate, self._tracking(), self._stamp, symbol.stock, b"Q", b"N", 100, b"N",
                          b"C", b"Z ", b"P", b"N", b"N", b"1", b"N", 0, b"N")

    def _trading_action(self, symbol: Symbol) -> bytes:
        return _PACK["H"](b"H", symbol.locate, self._tracking(), self._stamp, symbol.stock, b"T", b" ", b"    ")

    def _participant(self, symbol: Symbol) -> bytes:
        return _PACK["L"](b"L", symbol.locate, self._tracking(), self._stamp, self._attribution(), symbol.stock, b"Y",
                          b"N", b"A")

    def _attribution(self) -> bytes:
        return ATTRIBUTIONS[int(self._random.random() * len(ATTRIBUTIONS))]

    def _side(self) -> bytes:
        return BUY if self._random.random() < 0.5 else SELL

    def _new_order(self, symbol: Symbol) -> Order:
        random, side = self._random, self._side()
        symbol.step(random)
        return symbol.add(self._next_reference(), side, order_size(random), symbol.price(side, random))

    def _any_add(self, symbol: Symbol) -> bytes:
        return self._add_attributed(symbol) if self._random.random() < WITH_ATTRIBUTION else self._add(symbol)

    def _add(self, symbol: Symbol) -> bytes:
        order = self._new_order(symbol)
        return _PACK["A"](b"A", symbol.locate, self._tracking(), self._stamp, order.reference, order.side,
                          order.shares, symbol.stock, order.price)

    def _add_attributed(self, symbol: Symbol) -> bytes:
        order = self._new_order(symbol)
        return _PACK["F"](b"F", symbol.locate, self._tracking(), self._stamp, order.reference, order.side,
                          order.shares, symbol.stock, order.price, self._attribution())

    def _executed_shares(self, order: Order) -> int:
        """Half of the executions take all that is left."""
        return order.shares if self._random.random() < 0.5 else self._uniform(1, order.shares)

    def _execute(self, symbol: Symbol) -> bytes:
        order = symbol.touch(self._random)
        shares = self._executed_shares(order)
        symbol.reduce(order, shares)
        return _PACK["E"](b"E", symbol.locate, self._tracking(), self._stamp, order.reference, shares,
                          self._next_match())

    def _execute_with_price(self, symbol: Symbol) -> bytes:
        """At a price a tick better for the resting order than its own."""
        order = symbol.touch(self._random)
        shares = self._executed_shares(order)
        symbol.reduce(order, shares)
        price = order.price + (-TICK if order.side == BUY else TICK)
        return _PACK["C"](b"C", symbol.locate, self._tracking(), self._stamp, order.reference, shares,
                          self._next_match(), b"Y", price)

    def _cancel(self, symbol: Symbol) -> bytes:
        """Cancels a part; an order of one share has no part, it is deleted."""
        order = symbol.target(self._random)
        if order.shares == 1:
            return self._delete_order(symbol, order)
        shares = self._uniform(1, order.shares - 1)
        symbol.reduce(order, shares)
        return _PACK["X"](b"X", symbol.locate, self._tracking(), self._stamp, order.reference, shares)

    def _delete(self, symbol: Symbol) -> bytes:
        return self._delete_order(symbol, symbol.target(self._random))

    def _delete_order(self, symbol: Symbol, order: Order) -> bytes:
        symbol.remove(order)
        return _PACK["D"](b"D", symbol.locate, self._tracking(), self._stamp, order.reference)

    def _replace(self, symbol: Symbol) -> bytes:
        return self._replace_order(symbol, symbol.target(self._random))

    def _replace_order(self, symbol: Symbol, old: Order) -> bytes:
        random = self._random
        symbol.remove(old)
        symbol.step(random)
        new = symbol.add(self._next_reference(), old.side, order_size(random), symbol.price(old.side, random))
        return _PACK["U"](b"U", symbol.locate, self._tracking(), self._stamp, old.reference, new.reference,
                          new.shares, new.price)

    def _trade(self, symbol: Symbol) -> bytes:
        """Of a non-displayed order; the feed shows reference 0 and side B for each (ITCH 5.0, non-cross trade)."""
        return _PACK["P"](b"P", symbol.locate, self._tracking(), self._stamp, 0, BUY, order_size(self._random),
                          symbol.stock, symbol.fair * TICK, self._next_match())

    def _cross(self, symbol: Symbol) -> bytes:
        return _PACK["Q"](b"Q", symbol.locate, self._tracking(), self._stamp, self._uniform(100, 100_000),
                          symbol.stock, symbol.fair * TICK, self._next_match(), b"O")

    def _imbalance(self, symbol: Symbol) -> bytes:
        price = symbol.fair * TICK
        return _PACK["I"](b"I", symbol.locate, self._tracking(), self._stamp, self._uniform(0, 100_000),
                          self._uniform(1, 10_000), self._side(), symbol.stock, price, price, price, b"O", b"L")

    def _by_table(self, message: Message, symbol: Symbol) -> bytes:
        """A message whose table says what its fields may hold."""
        values: dict[str, Value] = {"stock_locate": symbol.locate, "tracking_number": self._tracking(),
                                    "timestamp": self._now, "stock": symbol.stock}
        for field in message.fields:
            if field.values is not None:
                values[field.name] = (self._uniform(*field.values) if field.is_integer
                                      else field.values[int(self._random.random() * len(field.values))])
        return message.encode({name: value for name, value in values.items() if name in message.names})


# What a writer knows without being told (``_by_table``).
_GIVEN = {"message_type", "stock_locate", "tracking_number", "timestamp", "stock"}
# Types of which the table says what every other field may hold.
BY_TABLE = tuple(kind for kind, message in ITCH50.items()
                 if all(field.values is not None for field in message.fields if field.name not in _GIVEN))
# Types that a profile's mix can weigh: those with a writer above.
MIX_TYPES = "AFECXDUPQIL" + "".join(BY_TABLE)
# Types with a price and shares of 32 bits each, as the seed prototype's message has them.
PRICED = frozenset(kind for kind, message in ITCH50.items()
                   if {"price", "shares"} <= set(message.names) and message.field("shares").length == 4)
_PACK = {kind: message.struct.pack for kind, message in ITCH50.items()}


def symbol_name(index: int) -> bytes:
    """TKAA to TKZZ, then TKAAA to TKZZZ, padded."""
    letters = b""
    rest, width = (index, 2) if index < 26 * 26 else (index - 26 * 26, 3)
    for _ in range(width):
        rest, letter = divmod(rest, 26)
        letters = bytes([65 + letter]) + letters
    return (b"TK" + letters).ljust(8)


def instruments(symbols: int) -> list[tuple[int, bytes]]:
    """(stock locate, padded symbol) of so many symbols."""
    stride = min(LOCATE_STRIDE, (MAX_LOCATE - 1) // symbols)
    return [(1 + stride * index, symbol_name(index)) for index in range(symbols)]


def generate(profile: Profile | str, seed: int = DEFAULT_SEED, messages: int | None = None, *,
             symbols: int | None = None, warm_up: int | None = None,
             rate: float | None = None) -> Iterator[tuple[int, bytes]]:
    """(time_ns, ITCH message): `messages` of them in all, time 0 at the first.

    `symbols` is 1 to 8,000; `warm_up` the number of Add Orders before the timed phase; `rate` the mean messages a
    second of the timed phase (default: the profile's own), which scales its gaps and leaves bursts together.
    """
    if isinstance(profile, str):
        profile = find_profile(profile)
    count = profile.messages if messages is None else messages
    symbols = profile.symbols if symbols is None else symbols
    warm_up = min(WARM_UP_ORDERS * symbols, count // 5) if warm_up is None else warm_up
    if not 1 <= symbols <= MAX_SYMBOLS:
        raise ValueError(f"a profile has 1 to {MAX_SYMBOLS} symbols, got {symbols}")
    if count < 1 or warm_up < 0 or (rate is not None and not 0 < rate < inf):
        raise ValueError("messages and rate must be positive, warm-up not negative")
    return islice(_Traffic(profile, seed, symbols, rate).messages(warm_up), count)


def find_profile(name: str) -> Profile:
    if name not in PROFILES:
        raise ValueError(f"{name}: no such profile ({', '.join(PROFILES)})")
    return PROFILES[name]


def packets(messages: Iterable[tuple[int, bytes]], seed: int = DEFAULT_SEED,
            jitter_ns: int = 0) -> Iterator[tuple[int, bytes]]:
    """(capture time, MoldUDP64 packet). Jitter delays each packet by up to so much, never past its successor: the
    messages, their timestamps and their packing stay as they are."""
    if jitter_ns < 0:
        raise ValueError("jitter must not be negative")
    random = Random(seed)
    last = 0
    for time_ns, packet in pack_messages(messages):
        last = max(last, time_ns + int(random.random() * (jitter_ns + 1)))
        yield last, packet


def frames(messages: Iterable[tuple[int, bytes]], seed: int = DEFAULT_SEED, jitter_ns: int = 0,
           group: Group = DEFAULT_GROUP) -> Iterator[CapturedFrame]:
    encode = FrameEncoder(group).encode
    for time_ns, packet in packets(messages, seed, jitter_ns):
        yield CapturedFrame(time_ns, encode(packet))


def prototype_messages(profile: Profile | str, seed: int = DEFAULT_SEED,
                       messages: int | None = None, symbols: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(time_ns, message of the seed prototype): a profile's traffic as far as it has a price and shares of 32 bits,
    the first of them at time 0."""
    profile = find_profile(profile) if isinstance(profile, str) else profile
    count = profile.messages if messages is None else messages
    symbols = profile.symbols if symbols is None else symbols
    traffic = _Traffic(profile, seed, symbols, None).messages(WARM_UP_ORDERS * symbols)
    first: int | None = None
    for time_ns, message in islice(((t, m) for t, m in traffic if chr(m[0]) in PRICED), count):
        fields = decode(message)
        first = time_ns if first is None else first
        yield time_ns - first, prototype.message(
            fields["message_type"], fields["stock_locate"], fields["price"], fields["shares"])


def write_prototype(path: str | Path, profile: Profile | str, seed: int = DEFAULT_SEED, messages: int | None = None,
                    *, symbols: int | None = None, group: Group = DEFAULT_GROUP, watched: Watched = iter) -> int:
    """As write_profile, in the seed prototype's format: one message a frame."""
    encode = FrameEncoder(group).encode

    def frames_of(expected: IO[str]) -> Iterator[tuple[int, bytes]]:
        traffic = watched(prototype_messages(profile, seed, messages, symbols))
        for sequence, (time_ns, message) in enumerate(traffic, FIRST_SEQUENCE):
            _write_line(expected, sequence, chr(message[0]), prototype.decode(message))
            yield time_ns, encode(prototype.packet(message))

    with Path(f"{path}.expect.jsonl").open("w", encoding="ascii", newline="\n") as expected:
        return write_pcap(path, frames_of(expected))


def write_profile(path: str | Path, profile: Profile | str, seed: int = DEFAULT_SEED, messages: int | None = None,
                  *, symbols: int | None = None, warm_up: int | None = None, rate: float | None = None,
                  jitter_ns: int = 0, group: Group = DEFAULT_GROUP, watched: Watched = iter) -> int:
    """Writes a capture and, beside it, `<path>.expect.jsonl`: one line a message a receiver must see, with its
    sequence, type and fields. Returns the number of frames."""
    traffic = watched(generate(profile, seed, messages, symbols=symbols, warm_up=warm_up, rate=rate))
    with Path(f"{path}.expect.jsonl").open("w", encoding="ascii", newline="\n") as expected:
        return write_pcap(path, frames(_write_expected(traffic, expected), seed, jitter_ns, group))


def write_itch(path: str | Path, profile: Profile | str, seed: int = DEFAULT_SEED, messages: int | None = None,
               *, symbols: int | None = None, warm_up: int | None = None, rate: float | None = None,
               watched: Watched = iter) -> int:
    """Writes the messages alone, as a Nasdaq ITCH 5.0 file (gzip where the name ends so), and `<path>.expect.jsonl`.
    Returns the number of messages."""
    count = 0
    opened = gzip.open if Path(path).suffix == ".gz" else open
    with opened(path, "wb") as file, \
            Path(f"{path}.expect.jsonl").open("w", encoding="ascii", newline="\n") as expected:
        traffic = watched(generate(profile, seed, messages, symbols=symbols, warm_up=warm_up, rate=rate))
        for _, message in _write_expected(traffic, expected):
            file.write(MOLD_BLOCK.struct.pack(len(message)) + message)  # BinaryFILE has the same length prefix
            count += 1
    return count


def _write_expected(messages: Iterable[tuple[int, bytes]], file: IO[str]) -> Iterator[tuple[int, bytes]]:
    for sequence, (time_ns, message) in enumerate(messages, FIRST_SEQUENCE):
        fields = decode(message)
        _write_line(file, sequence, fields["message_type"], fields)
        yield time_ns, message


def _write_line(file: IO[str], sequence: int, message_type: str, fields: Mapping[str, Any]) -> None:
    file.write(json.dumps({"sequence": sequence, "type": message_type, "fields": fields}) + "\n")
