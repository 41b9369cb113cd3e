# SPDX-License-Identifier: MIT
"""The rest of the host's side: filter, raw ring, what it sends, registers, the seed prototype's packets."""

from __future__ import annotations

from itertools import product

import pyuvm

from bridge import layout
from generators import prototype
from tb.agents.items import RegisterItem
from tb.coverage.plan import ANY_VALUE, READ_ONLY
from tb.env.environment import NicEnvironment
from tb.env.setup import RX_LINES, WINDOW, NicSetup
from tb.env.test import NicTest
from tb.host.registers import OKAY
from tb.model.segments import SegmentModel
from tests.rtl.effort import scaled
from tests.rtl.env.feed import Schedule, idle_beats, packet
from tests.rtl.host.orders import enter_orders, ouch
from tests.rtl.receive.frames import TYPES, frame, message, mold, unknown

ALL_LOCATES = range(1, 1 << 16)
OWN_MAC = NicSetup().own_mac
BROADCAST = b"\xff" * 6
OTHER_MAC = bytes.fromhex("0200000000ff")
BUSY = layout.REGISTER_FIELDS["FILTER_STATUS"]["BUSY"]
PASS = layout.REGISTER_FIELDS["FILTER_UPDATE"]["PASS"]
RX_ENABLE = layout.REGISTER_FIELDS["CONTROL"]["RX_ENABLE"]
CONTROL = layout.REGISTER_FIELDS["CONTROL"]


@pyuvm.test()
class SubscriptionFilter(NicTest):
    """Messages of one and two lines, subscribed or not, of locate 0, and such as have no locate at all; the bits set
    at once and one by one."""

    async def runs(self) -> None:
        some = frozenset(self.random.sample(range(1, 60), 25)) | {0xFFFF}
        for blocked, fill, way in ((ALL_LOCATES, 0, "fill"), ((), 1, "fill"), (some, 1, "update"),
                                   (frozenset(ALL_LOCATES) - some, 0, "update")):
            setup = NicSetup(filter_enable=True, blocked=frozenset(blocked), filter_set_by=way,
                             delivery=self.random.choice(("cut-through", "verified")))
            async with self.run(setup) as env:
                await self._fill(env, fill)
                if way == "update":
                    for locate in some:
                        await self._when_free(env)
                        await env.registers.write("FILTER_UPDATE", locate | (0 if fill else PASS))
                await self._when_free(env)
                await self._traffic(scaled(60)).send(env)

    async def _fill(self, env: NicEnvironment, value: int) -> None:
        await env.registers.write("FILTER_FILL", value)
        assert await env.registers.read("FILTER_STATUS") & BUSY
        await env.registers.refuse("FILTER_FILL", value)
        await env.registers.refuse("FILTER_UPDATE", 5)

    async def _when_free(self, env: NicEnvironment) -> None:
        while await env.registers.read("FILTER_STATUS") & BUSY:
            pass

    def _traffic(self, packets: int) -> Schedule:
        random, schedule, sequence = self.random, Schedule(), 1
        for _ in range(packets):
            blocks = []
            for kind in random.choices(list(TYPES), k=random.randint(1, 6)):
                locate = random.choice((0, 0xFFFF, random.randrange(60), random.randrange(60), random.randrange(60)))
                block = message(kind, random)
                blocks.append(block[:1] + locate.to_bytes(2, "big") + block[3:])
            if random.random() < 0.2:
                blocks.append(unknown(random.choice((5, 24, 25, 70)), random))
            for line in "AB":
                data = packet(sequence, blocks)
                schedule.add(line, schedule.end - 20, data, random.random() < 0.1,
                             idle_beats(random, -(-len(data) // 8)))
            sequence += len(blocks)
        return schedule


@pyuvm.test()
class RawRing(NicTest):
    """Frames to this host, to all and to others that are none of the market data, between such as are."""

    async def runs(self) -> None:
        for delivery in ("cut-through", "verified"):
            async with self.run(NicSetup(raw=True, delivery=delivery, raw_log2=10)) as env:
                schedule, sequence = Schedule(), 1
                faults = ({}, {"ethertype": 0x0806}, {"protocol": 6}, {"destination": "10.0.0.1"}, {"port": 1})
                cases = list(product((OWN_MAC, BROADCAST, OTHER_MAC), (*faults, None), "AB")) * 2
                self.random.shuffle(cases)
                for mac, fault, line in cases[:scaled(len(cases))]:
                    size = self.random.choice((0, 1, 40, 60, 700, 1400))
                    payload = mold(sequence, [message("A", self.random), unknown(size, self.random)])
                    data = mac + frame(payload, **(fault or {}))[len(mac):]
                    pauses = idle_beats(self.random, -(-len(data) // 8))
                    schedule.add(line, schedule.end + 60, data, fault is None, pauses)
                    sequence += 2
                    schedule.add(line, 0, packet(sequence, [message("D", self.random)]))
                    sequence += 1
                await schedule.send(env)


@pyuvm.test()
class Transmit(NicTest):
    """Orders and frames of the host in between, to a port that is ready and one that stalls, while frames come in."""

    async def runs(self) -> None:
        for stalling in (False, True):
            if stalling:
                self.env.transmit.stall()
            for descriptors in (False, True):
                setup = NicSetup(transmit=True, descriptors=descriptors)
                async with self.run(setup) as env:
                    await self._send(env, setup)

    async def _send(self, env: NicEnvironment, setup: NicSetup) -> None:
        random, segments = self.random, SegmentModel(setup.session)
        sequence = 1
        for turn in range(scaled(12)):
            for fields in enter_orders(turn + 1, random.randint(1, 4)):
                order = ouch(fields)
                env.tx_ring.post(order, int(layout.TxKind.ORDER), len(order))
                env.scoreboard.expect_sent("order", segments.segment(order))
                if random.random() < 0.3:
                    kind, payload = random.choice((("L", random.randbytes(46)), ("R", b""), ("O", b"")))
                    env.tx_ring.post(payload, int(layout.TxKind.ORDER), len(payload), kind)
                    env.scoreboard.expect_sent("order", segments.segment(payload, kind))
                if random.random() < 0.6:
                    size = random.choice((14, 60, 64, 65, 1513, 1514, random.randint(14, 1514)))
                    data = random.randbytes(size)
                    env.tx_ring.post_frame(data, setup.tx_frames + (env.tx_ring.tail % 16) * 2048)
                    env.scoreboard.expect_sent("frame", data)
            await env.tx_ring.doorbell()
            schedule = Schedule()
            schedule.add(random.choice("AB"), 0, packet(sequence, [message("A", random)]))
            sequence += 1
            await schedule.send(env)
            while await env.tx_ring.taken() != env.tx_ring.tail:
                pass
            await self.settle()


@pyuvm.test()
class Prototype(NicTest):
    """The seed prototype's packets, by every length their payload can have."""

    async def runs(self) -> None:
        for delivery in ("cut-through", "verified"):
            async with self.run(NicSetup(packet_format="prototype", delivery=delivery)) as env:
                random, schedule = self.random, Schedule()
                for index in range(scaled(150)):
                    session = b"PROTO%03d" % (index // 40)
                    size = random.choice((0, 1, 10, 11, 11, 11, 11, 12, 30, 100))
                    body = prototype.message("T", random.getrandbits(16), random.getrandbits(32),
                                             random.getrandbits(32)) + random.randbytes(90)
                    payload = prototype.packet(body[:size], session)
                    damage = random.random()
                    if damage < 0.1:
                        payload = payload[:random.randint(0, len(payload))]
                    elif damage < 0.2:
                        payload += random.randbytes(random.randint(1, 20))
                    data = frame(payload)
                    schedule.add("A", schedule.end, data, random.random() < 0.1,
                                 idle_beats(random, -(-len(data) // 8)))
                await schedule.send(env)


ILLEGAL = {
    "RX_LOG2": (0, 3, 17, 31, 1 << 20), "TX_LOG2": (3, 17), "RAW_LOG2": (3, 17),
    "RX_BASE_LO": (RX_LINES + 1, RX_LINES + 32), "TX_BASE_LO": (RX_LINES + 8,),
    "RAW_BASE_LO": (RX_LINES + 63,), "RX_TAIL": (1,), "TX_TAIL": (17,), "RAW_TAIL": (1,),
}
SET_UP = ("RX_BASE_LO", "RX_BASE_HI", "RX_LOG2", "RX_EPOCH", "TX_BASE_LO", "TX_BASE_HI", "TX_LOG2", "TX_EPOCH",
          "RAW_BASE_LO", "RAW_BASE_HI", "RAW_LOG2", "RAW_EPOCH")


@pyuvm.test()
class Registers(NicTest):
    """Every register is read, takes what it may take, and refuses the rest with an error bit and without effect."""

    async def runs(self) -> None:
        setup = NicSetup(raw=True, transmit=True)
        async with self.run(setup) as env:
            registers = env.registers
            for name in layout.REGISTERS:
                await registers.read(name)
            for name in READ_ONLY:
                await registers.refuse(name, self.random.getrandbits(32))
            before = {name: await registers.read(name) for name in SET_UP}
            for name in SET_UP:
                await registers.refuse(name, before[name] ^ 0x40)
            for name, values in ILLEGAL.items():
                for value in values:
                    await registers.refuse(name, value)
            assert {name: await registers.read(name) for name in SET_UP} == before, "a refused write had an effect"
            await self._accesses(env)
            await self._quiet(env, setup)
            # The enabled rings still work.
            schedule = Schedule()
            schedule.add("A", 0, packet(1, [message("A", self.random)]))
            await schedule.send(env)

    async def _accesses(self, env: NicEnvironment) -> None:
        """Partial words, addresses between registers and where there is none."""
        address = layout.REGISTERS["HOLD"]
        for item in (RegisterItem(address, 1, strobes=0x7), RegisterItem(address + 2, 1), RegisterItem(0xFF0, 1),
                     RegisterItem(0xFF0), RegisterItem(address + 1)):
            await env.registers.access(item)
            assert item.response != OKAY, f"access of {item.address:#x} was accepted"
        assert await env.registers.read("HOLD") == 0
        await env.registers.write("ERRORS", 0xFFFF_FFFF)
        assert await env.registers.read("ERRORS") == 0

    async def _quiet(self, env: NicEnvironment, setup: NicSetup) -> None:
        """With the rings off everything may be written; a ring outside of the windows is not switched on."""
        registers = env.registers
        await registers.write("CONTROL", 0)
        for name in (*SET_UP, *ANY_VALUE):
            value = await registers.read(name)
            other = value ^ (0x40 if "BASE" in name else 1)
            await registers.write(name, 0xFFFF_FFFF if name == "ERRORS" else other)
            if name != "ERRORS":
                assert await registers.read(name) == other, name
                await registers.write(name, value)
        for name in ("RX_TAIL", "TX_TAIL", "RAW_TAIL"):
            await registers.write(name, await registers.read(name))
        for ring, bit in (("RX", "RX_ENABLE"), ("TX", "TX_ENABLE"), ("RAW", "RAW_ENABLE")):
            base = await registers.read(f"{ring}_BASE_LO")
            await registers.write(f"{ring}_BASE_LO", WINDOW[0] - 64)
            await registers.refuse("CONTROL", CONTROL[bit])
            await registers.write(f"{ring}_BASE_LO", base)
        for name, value in (("FILTER_UPDATE", 7 | PASS), ("FILTER_FILL", 1)):
            while await registers.read("FILTER_STATUS") & BUSY:
                pass
            await registers.write(name, value)
        await registers.refuse("FILTER_FILL", 0)
        await registers.refuse("FILTER_UPDATE", 0)
        env.rx_ring.start(setup.rx)
        env.raw_ring.start(setup.raw_ring)
        env.tx_ring.start(setup.tx)
        await registers.write("CONTROL", setup.control)
