# SPDX-License-Identifier: MIT
"""Malformed input: for each class the counter that moves, the event that the host sees, and the next good frame.

Beside what the scoreboard compares anyway, these tests say in plain words what must happen to each class, so a mistake
that model and hardware share does not pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pyuvm

from tb.env.records import event_line
from tb.env.setup import NicSetup
from tb.env.test import NicTest
from tb.model.receive import Delivery
from tests.rtl.effort import scaled
from tests.rtl.env.feed import Schedule, idle_beats, packet
from tests.rtl.receive.frames import C_TAG, S_TAG, frame, message, mold

SESSION = b"DAMAGE0001"


@dataclass(frozen=True)
class Damage:
    """A class of malformed frames. ``counter`` moves by ``by``; ``event`` is the reason of the event line, or the name
    of its flag, or None; ``delivered`` messages of the two in the frame come through in cut-through and in verified."""

    name: str
    counter: str
    event: str | None
    fields: dict[str, Any] = field(default_factory=dict)
    delivered: tuple[int, int] = (0, 0)
    by: int = 1
    bad_fcs: bool = False
    payload_cut: int = 0
    payload_extra: int = 0
    blocks: tuple[bytes, ...] | None = None


def _dropped(reason: str, delivered: int = 0, **fields: Any) -> Damage:
    """A frame that is dropped, with the header stage's fault, or one that only its end shows."""
    bad_fcs = fields.pop("bad_fcs", False)
    return Damage(f"{reason} {fields or ''}", f"DROPPED_{reason.upper()}", reason, fields, (delivered, 0),
                  bad_fcs=bad_fcs)


CLASSES = (
    _dropped("oversize", 2, trailer=bytes(9217)),
    _dropped("bad_fcs", 2, bad_fcs=True),
    _dropped("vlan_depth", tags=(C_TAG, S_TAG, C_TAG)),
    _dropped("not_ipv4", ethertype=0x86DD),
    _dropped("not_ipv4", cut=13),
    _dropped("truncated_ip", cut=30),
    _dropped("bad_ip_version", version=6),
    _dropped("bad_ihl", ihl=4),
    _dropped("bad_ip_checksum", ip_checksum_error=1),
    _dropped("ip_length", total=19),
    _dropped("ip_length", 2, total=1000),
    _dropped("ip_fragment", fragment=0x2000),
    _dropped("not_udp", protocol=6),
    _dropped("other_destination", destination="233.54.12.110"),
    _dropped("udp_length", udp_length=7),
    _dropped("other_port", port=1),
    _dropped("udp_length", udp_length=2000),
    _dropped("bad_udp_checksum", 2, udp_checksum_error=1),
    _dropped("short_mold_header", udp_length=27),
    Damage("truncated", "ACCEPTED", "truncated", delivered=(1, 1), payload_cut=3),
    Damage("truncated, nothing left", "ACCEPTED", "truncated", payload_cut=70),
    Damage("extra data", "MESSAGES_OK", None, delivered=(2, 2), by=2, payload_extra=7),
    Damage("too short", "MESSAGES_TOO_SHORT", None, delivered=(2, 2), blocks=(b"A" + bytes(20), b"")),
    Damage("too long", "MESSAGES_TOO_LONG", None, delivered=(2, 2), blocks=(b"D" + bytes(60), b"")),
    Damage("unknown type", "MESSAGES_UNKNOWN_TYPE", None, delivered=(2, 2), blocks=(b"z" + bytes(90), b"")),
    Damage("zero length", "MESSAGES_ZERO_LENGTH", None, delivered=(2, 2), by=2, blocks=(b"", b"")),
)


@pyuvm.test()
class EveryClassOfDamage(NicTest):
    """Good, damaged, good, on either line and in both deliveries; one run a class, so every counter is its own."""

    async def runs(self) -> None:
        cases = list(product(CLASSES, "AB", ("cut-through", "verified")))
        self.random.shuffle(cases)
        for damage, line, delivery in cases[:scaled(len(cases))]:
            await self._class(damage, line, delivery)

    async def _class(self, damage: Damage, line: str, delivery: Delivery) -> None:
        random, schedule = self.random, Schedule()
        blocks = [message("A", random), message("E", random)]
        schedule.add(line, 10, packet(1, blocks, SESSION))
        payload = mold(3, blocks if damage.blocks is None else damage.blocks, session=SESSION)
        payload = payload[:len(payload) - damage.payload_cut] + random.randbytes(damage.payload_extra)
        data = frame(payload, **damage.fields)
        schedule.add(line, 0, data, damage.bad_fcs, idle_beats(random, min(60, len(data) // 8)))
        schedule.add(line, 0, packet(5, blocks, SESSION))
        before = dict.fromkeys((damage.counter,), 0)
        async with self.run(NicSetup(delivery=delivery)) as env:
            await schedule.send(env)
            await self.settle()
            for name in before:
                before[name] = await env.registers.read(name)
        good = {"ACCEPTED": 2, "MESSAGES_OK": 4}.get(damage.counter, 0)
        where = f"{damage.name} on line {line}, {delivery}"
        assert before[damage.counter] == good + damage.by, f"{where}: {damage.counter} is {before[damage.counter]}"
        self._events(damage, where)
        first, damaged, last = self.verdicts[-1].frames
        assert [len(one.observed) for one in (first, last)] == [2, 2], f"{where}: a good frame is not whole"
        delivered = len(damaged.observed)
        assert delivered == damage.delivered[delivery == "verified"], f"{where}: {delivered} messages"

    def _events(self, damage: Damage, where: str) -> None:
        """The damaged frame's event, and the gap that a loss leaves at the next packet."""
        _, damaged, last = self.verdicts[-1].frames
        events = {id(one): entry for one, entry in self.verdicts[-1].events}
        entry = events.pop(id(damaged), None)
        if damage.event is None:
            assert entry is None, f"{where}: an event"
        else:
            event = damaged.result.event({"DROP", "STREAM"})
            assert entry is not None, f"{where}: no event"
            assert event is not None
            assert entry.record == event_line(event, damaged.time_ns)
            if damage.event == "truncated":
                assert event.flags.truncated, f"{where}: the event does not say truncated"
            else:
                assert event.reason == damage.event, f"{where}: the event says {event.reason}"
        gap = damage.event is not None
        assert (id(last) in events) == gap, f"{where}: gap behind it"
        if gap:
            assert last.result.flags.gap
