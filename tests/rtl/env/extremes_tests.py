# SPDX-License-Identifier: MIT
"""Values of which no bit is usual: addresses, times, groups, sessions, sequence numbers, hold times, epochs."""

from __future__ import annotations

from ipaddress import IPv4Address
from random import Random

import pyuvm

from bridge import layout
from tb.env.environment import NicEnvironment
from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tb.model.config import KernelConfig
from tb.model.segments import SegmentModel
from tests.rtl.effort import scaled
from tests.rtl.env.feed import Schedule, block, idle_beats, packet
from tests.rtl.host.orders import enter_orders, ouch

SEQUENCES = 1 << 64
HIGHEST = (1 << 64) - (1 << 33)        # so that the windows above it end within 64 bits
LATEST = (1 << 47) - (1 << 30)


class Bits:
    """Random values; ``inverted`` gives the same ones again with every bit the other way."""

    def __init__(self, seed: int, inverted: bool) -> None:
        self._random = Random(seed)
        self._inverted = inverted

    def take(self, width: int) -> int:
        value = self._random.getrandbits(width)
        return value ^ ((1 << width) - 1) if self._inverted else value

    def address(self) -> str:
        return str(IPv4Address(self.take(32)))

    def mac(self) -> str:
        return self.take(48).to_bytes(6, "big").hex(":")


@pyuvm.test()
class AnyValue(NicTest):
    """Runs of random bits everywhere, each also with all of them inverted: what goes in on both lines, to the raw ring
    and out of the TX ring must come through as ever."""

    async def runs(self) -> None:
        for index in range(scaled(8)):
            seed = self.random.getrandbits(32)
            for inverted in (False, True):
                setup = self._setup(Bits(seed, inverted), index)
                async with self.run(setup) as env:
                    await self._schedule(setup).send(env)
                    await self._transmit(env, setup)

    def _setup(self, bits: Bits, index: int) -> NicSetup:
        session = KernelConfig(
            source_mac=bits.mac(), destination_mac=bits.mac(), source_address=bits.address(),
            destination_address=bits.address(), source_port=bits.take(16), destination_port=bits.take(16),
            tcp_sequence=bits.take(32), tcp_acknowledge=bits.take(32), tcp_window=bits.take(16),
        )
        return NicSetup(
            group_address=bits.address(), group_port=bits.take(16), epoch=bits.take(31), session=session,
            hold_ns=bits.take(32) if index % 2 else 0, time_ns=min(bits.take(47), LATEST),
            above=min(bits.take(58) << 6, HIGHEST), descriptors=index % 4 < 2, raw=True, transmit=True,
            delivery=self.random.choice(("cut-through", "verified")),
        )

    def _schedule(self, setup: NicSetup) -> Schedule:
        """In order where packets are held, since the time would be over in a far future; with gaps otherwise."""
        random, schedule = self.random, Schedule()
        for _ in range(8):
            session = random.randbytes(10)
            sequence = random.getrandbits(64)
            for _ in range(5):
                blocks = [block(random) for _ in range(random.randint(1, 4))]
                data = packet(sequence, blocks, session, destination=setup.group_address, port=setup.group_port)
                line = random.choice("AB")
                schedule.add(line, schedule.end + 20, data, pauses=idle_beats(random, -(-len(data) // 8)))
                sequence += len(blocks)
                if not setup.hold_ns:
                    sequence += random.choice((0, random.getrandbits(62)))
                sequence %= SEQUENCES
            stranger = setup.own_mac + random.randbytes(6) + b"\x08\x06" + random.randbytes(random.randint(28, 300))
            schedule.add(random.choice("AB"), schedule.end + 20, stranger)
        return schedule

    async def _transmit(self, env: NicEnvironment, setup: NicSetup) -> None:
        """Orders as segments of the session, and a frame from memory."""
        segments = SegmentModel(setup.session)
        for fields in enter_orders(self.random.getrandbits(16), 4):
            order = ouch(fields)
            env.tx_ring.post(order, int(layout.TxKind.ORDER), len(order))
            env.scoreboard.expect_sent("order", segments.segment(order))
        data = self.random.randbytes(self.random.randint(layout.MIN_TX_FRAME_BYTES, layout.MAX_TX_FRAME_BYTES))
        env.tx_ring.post_frame(data, setup.tx_frames)
        env.scoreboard.expect_sent("frame", data)
        await env.tx_ring.doorbell()
        while await env.tx_ring.taken() != env.tx_ring.tail:
            pass
