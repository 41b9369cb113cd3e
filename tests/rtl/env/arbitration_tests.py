# SPDX-License-Identifier: MIT
"""How two lines meet, each case on purpose and on either line, and random losses under hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pyuvm

from bridge.interface import CLOCK_PS
from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tb.model.receive import HOLD_MARGIN_PS
from tests.rtl.effort import scaled
from tests.rtl.env.feed import Schedule, idle_beats, packet
from tests.rtl.receive.frames import frame, message, mold, unknown

APART = 160        # clocks between two cases, so that they do not mix
HOLD_CLOCKS = 4 * HOLD_MARGIN_PS // CLOCK_PS
HOLD_NS = HOLD_CLOCKS * CLOCK_PS // 1000


class Cases:
    """One case after the other on one schedule: ``first`` is the line of the older frame, ``second`` the other's."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.schedule = Schedule()
        self.sequence = 1
        self.session = b"SESSION001"
        self.now = 20

    def add(self, line: str, offset: int, sequence: int, count: int, bad_fcs: bool = False, slow: bool = False) -> int:
        """A packet with ``count`` messages; ``slow`` has an idle beat before every beat. Returns its beats."""
        blocks = [self.blocks[number % len(self.blocks)] for number in range(sequence, sequence + count)]
        data = packet(sequence, blocks, self.session)
        beats = -(-len(data) // 8)
        pauses = dict.fromkeys(range(1, beats), 1) if slow else idle_beats(self.random, beats)
        self.schedule.add(line, self.now + offset, data, bad_fcs, pauses)
        return beats

    def next(self, consumed: int) -> None:
        """Room, and the numbers that the case used."""
        self.sequence += consumed
        self.now = max(self.now, self.schedule.end) + APART

    def make(self, case: Callable[[Cases, str, str], None]) -> None:
        """Both orders of lines. Copies of a number are copies of one message."""
        for first, second in (("A", "B"), ("B", "A")):
            self.blocks = [message(self.random.choice("AFPQ"), self.random) for _ in range(64)]
            case(self, first, second)


def first_copy_wins(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence, 3)
    cases.add(second, 4, cases.sequence, 3)
    cases.next(3)


def rescue(cases: Cases, first: str, second: str) -> None:
    """A bad copy, whose messages went out already in cut-through; the other line's comes before its verdict."""
    cases.add(first, 0, cases.sequence, 5, bad_fcs=True, slow=True)
    cases.add(second, 3, cases.sequence, 5)
    cases.next(5)


def rescue_of_a_rescue(cases: Cases, first: str, second: str) -> None:
    """Both copies are bad: nothing remains, and the next packet shows the gap."""
    cases.add(first, 0, cases.sequence, 2, bad_fcs=True)
    cases.add(second, 5, cases.sequence, 2, bad_fcs=True)
    cases.next(2)
    cases.add(first, 0, cases.sequence, 1)
    cases.next(1)


def gap(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence + 2, 2)
    cases.next(4)
    cases.add(second, 0, cases.sequence, 1)
    cases.next(1)


def partly_old(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence, 2)
    cases.add(second, 3, cases.sequence, 4)
    cases.next(4)


def equal_time(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence, 2)
    cases.add(second, 0, cases.sequence, 2)
    cases.next(2)


def equal_time_of_different_packets(cases: Cases, first: str, second: str) -> None:
    """Line A counts as first, so B's packet is ahead, in order, or old."""
    cases.add(first, 0, cases.sequence, 2)
    cases.add(second, 0, cases.sequence + 2, 2)
    cases.next(4)


def session_change(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence, 2)
    cases.session = b"SESSION%03d" % cases.random.randrange(1000)
    cases.add(second, 1, cases.sequence, 2)
    cases.next(2)


def session_change_that_is_bad(cases: Cases, first: str, second: str) -> None:
    """A new session in a bad frame is none: the other line's next packet still belongs to the old one."""
    session = cases.session
    cases.session = b"NEVER     "
    cases.add(first, 0, 1, 3, bad_fcs=True)
    cases.session = session
    cases.add(second, 2, cases.sequence, 3)
    cases.next(3)


def harmless_drain(cases: Cases, first: str, second: str) -> None:
    """An old frame, still under way, does not keep the other line's younger one waiting."""
    beats = cases.add(second, 0, cases.sequence, 3)
    cases.add(first, 90 + 2 * beats, cases.sequence, 3, slow=True)
    cases.add(second, 90 + 2 * beats + 12, cases.sequence + 3, 1)
    cases.next(4)


def dropped_by_its_headers(cases: Cases, first: str, second: str) -> None:
    """A frame that is none of the stream's holds nobody up."""
    data = frame(mold(cases.sequence, cases.blocks[:30]), port=1)
    cases.schedule.add(first, cases.now, data, pauses=dict.fromkeys(range(1, 60), 1))
    cases.add(second, 3, cases.sequence, 2)
    cases.next(2)


PLAIN = (first_copy_wins, rescue, rescue_of_a_rescue, gap, partly_old, equal_time, equal_time_of_different_packets,
         session_change, session_change_that_is_bad, harmless_drain, dropped_by_its_headers)


def parked_filled(cases: Cases, first: str, second: str) -> None:
    """A packet ahead waits until the other line brings what is missing; its own line waits behind it."""
    cases.add(first, 0, cases.sequence + 2, 2)
    cases.add(first, 40, cases.sequence + 4, 1)
    cases.add(second, 30, cases.sequence, 2)
    cases.next(5)


def parked_filled_in_parts(cases: Cases, first: str, second: str) -> None:
    """Two packets fill the hole, and the second goes beyond: the parked packet is partly old when it goes."""
    cases.add(first, 0, cases.sequence + 2, 3)
    cases.add(second, 10, cases.sequence, 1)
    cases.add(second, 40, cases.sequence + 1, 2)
    cases.next(5)


def parked_expired(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence + 2, 2)
    cases.next(4)
    cases.now += HOLD_CLOCKS
    cases.add(second, 0, cases.sequence, 1)
    cases.next(1)


def both_parked(cases: Cases, first: str, second: str) -> None:
    """The lower number goes first when a time is over, with its gap."""
    cases.add(first, 0, cases.sequence + 4, 2)
    cases.add(second, 20, cases.sequence + 2, 2)
    cases.now += 2 * HOLD_CLOCKS
    cases.next(6)


def other_session_ends_a_hold(cases: Cases, first: str, second: str) -> None:
    cases.add(first, 0, cases.sequence + 2, 2)
    cases.session = b"SESSION%03d" % cases.random.randrange(1000)
    cases.add(second, 40, cases.sequence, 2)
    cases.now += HOLD_CLOCKS
    cases.next(2)


HELD = (parked_filled, parked_filled_in_parts, parked_expired, both_parked, other_session_ends_a_hold)


class ArbitrationTest(NicTest):
    """Cases in random order, some rounds of each set-up."""

    cases: tuple[Callable[[Cases, str, str], None], ...] = PLAIN
    setups: tuple[NicSetup, ...] = ()

    async def runs(self) -> None:
        for setup in self.setups:
            async with self.run(setup) as env:
                cases = Cases(self.random)
                cases.make(first_copy_wins)
                chosen = [case for _ in range(4) for case in self.random.sample(self.cases, len(self.cases))]
                for case in chosen[:scaled(len(chosen))]:
                    cases.make(case)
                await cases.schedule.send(env)


@pyuvm.test()
class MeetingLines(ArbitrationTest):
    """Both deliveries, no hold."""

    setups = (NicSetup(), NicSetup(delivery="verified"))


@pyuvm.test()
class HeldPackets(ArbitrationTest):
    """Both deliveries with hold; what is held is judged clear of the deadlines (tb/model/arbitration.py)."""

    cases = (*HELD, first_copy_wins, rescue, partly_old, harmless_drain)
    setups = (NicSetup(hold_ns=HOLD_NS), NicSetup(hold_ns=HOLD_NS, delivery="verified"))


@pyuvm.test()
class RandomLosses(NicTest):
    """Packets of both lines, each lost or bad by itself, the lagging line at a fixed distance, with hold and without.

    Frames of A start on a grid, those of B a quarter of its step behind, and a hold ends in the middle of a step: so no
    call is close.
    """

    foreign = 0.0   # chance of a frame that its headers drop between two packets of a line

    async def runs(self) -> None:
        for delivery in ("cut-through", "verified"):
            for hold_steps in (0, 3):
                hold_clocks = (2 * hold_steps + 1) * HOLD_CLOCKS if hold_steps else 0
                setup = NicSetup(delivery=delivery, hold_ns=hold_clocks * CLOCK_PS // 1000)
                async with self.run(setup) as env:
                    await self._clear_schedule(scaled(150), setup).send(env)

    def _clear_schedule(self, packets: int, setup: NicSetup) -> Schedule:
        """A foreign frame that comes before a packet moves it off the grid, so some calls are close after all."""
        while not (schedule := self._schedule(packets)).is_clear(setup):
            pass
        return schedule

    def _schedule(self, packets: int) -> Schedule:
        random, schedule = self.random, Schedule()
        step = 2 * HOLD_CLOCKS
        lag = {"A": 0, "B": random.choice((0, 1, 2)) * step + step // 4}
        for index, data in enumerate(self._packets(packets)):
            for line in ("A", "B"):
                if random.random() < 0.2:
                    continue
                start = 20 + index * step + lag[line] + random.randint(0, 8)
                schedule.add(line, start, data, bad_fcs=random.random() < 0.15)
                if random.random() < self.foreign:
                    schedule.add(line, start + random.randint(38, 48), self._foreign())
        return schedule

    def _foreign(self) -> bytes:
        """Up to 1,500 bytes of IPv4, which may look like a packet far ahead, or of another session."""
        random = self.random
        fields = random.choice(({"protocol": 6}, {"port": 26476}, {"destination": "233.54.12.112"},
                                {"ethertype": 0x0806}, {"ip_checksum_error": 1}))
        options = bytes(4 * random.randrange(11))
        return packet(random.randint(1, 1 << 40), [unknown(random.randint(1, 1380), random)],
                      random.choice((b"SESSION001", random.randbytes(10))), options=options, **fields)

    def _packets(self, packets: int) -> Iterator[bytes]:
        sequence = 1
        for _ in range(packets):
            blocks = [message(self.random.choice("AXD"), self.random) for _ in range(self.random.randint(1, 3))]
            yield packet(sequence, blocks)
            sequence += len(blocks)


@pyuvm.test()
class ForeignFrames(RandomLosses):
    """The same with foreign frames on both lines, many of them longer than what they come before."""

    foreign = 0.7
