# SPDX-License-Identifier: MIT
"""The seed prototype's packets: session, length, one message; at both start lanes, of every length, cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pyuvm

from bridge.layout import DropReason
from generators import prototype
from tb.receive.items import FrameItem
from tests.rtl.effort import one_or_more, some
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import C_TAG, S_TAG, frame
from tests.rtl.receive.verdict_tests import FAULTS

TAGS: tuple[Sequence[int], ...] = ((), (C_TAG,), (S_TAG, C_TAG))
BYTES = prototype.MESSAGE.size


class PrototypeTest(ReceiveTest):  # type: ignore[misc]
    """Packets with a message of random bytes."""

    packet_format = "prototype"

    def packet(self, length: int = BYTES, session: bytes = prototype.SESSION, announced: int | None = None,
               behind: bytes = b"") -> bytes:
        payload = self.random.randbytes(length)
        header = prototype.HEADER.pack(session, length if announced is None else announced)
        return header + payload + behind

    def item(self, *args: Any, tags: Sequence[int] = (), gap: int = 0, pauses: dict[int, int] | None = None,
             trailer: bytes = b"", **kwargs: Any) -> FrameItem:
        return FrameItem(frame(self.packet(*args, **kwargs), tags=tags, trailer=trailer), gap=gap, pauses=pauses)


@pyuvm.test()
class PrototypeMessages(PrototypeTest):
    """Of 11 bytes and longer, with idle beats anywhere, back to back: decoded 2 clocks after their last byte."""

    exact_latency = True

    def frames(self) -> Iterator[FrameItem]:
        for tags, length in one_or_more(product(TAGS, (*range(BYTES, 40), 100, 1000, 9000)), self.random):
            yield self.item(length, tags=tags)
            yield self.item(length, tags=tags, trailer=self.random.randbytes(self.random.randrange(1, 9)))
            yield self.item(length, tags=tags, behind=self.random.randbytes(self.random.randrange(1, 9)))
            for beat in some(range(1, 9), self.random):
                yield self.item(length, tags=tags, pauses={beat: self.random.randrange(1, 4)})

    def check_phase(self) -> None:
        self.judge.check_latencies()
        assert self.judge.model.counters["duplicates"] == 0


@pyuvm.test()
class PrototypeShortMessages(PrototypeTest):
    """Of 0 to 10 bytes: too short, or none at all."""

    def frames(self) -> Iterator[FrameItem]:
        for tags, length, behind in some(product(TAGS, range(BYTES), range(12)), self.random):
            yield self.item(length, tags=tags, behind=self.random.randbytes(behind))
            yield self.item(length, tags=tags, trailer=self.random.randbytes(behind), gap=behind)
            yield self.item(tags=tags)

    def check_phase(self) -> None:
        messages = self.judge.model.counters["messages"]
        assert messages["too_short"] > 0
        assert messages["zero_length"] > 0


@pyuvm.test()
class PrototypeCutMessages(PrototypeTest):
    """More announced than there is, up to 2^32 - 1: truncated, nothing delivered, no number consumed; packets too short
    for a header are dropped."""

    def frames(self) -> Iterator[FrameItem]:
        cases = product(TAGS, range(14), (1, 2, 8, 256, 0xFF00, 0x10000, 0xFFFF0000))
        for tags, present, more in some(cases, self.random):
            yield self.item(present, announced=present + more, tags=tags)
            yield self.item(present, announced=present + more, tags=tags, trailer=self.random.randbytes(20))
            yield self.item(tags=tags)
        for tags, length in product(TAGS, range(prototype.HEADER.size)):
            yield FrameItem(frame(self.packet()[:length], tags=tags))
            yield self.item(tags=tags)

    def check_phase(self) -> None:
        assert self.judge.reasons["short_mold_header"] > 0


@pyuvm.test()
class PrototypeSessions(PrototypeTest):
    """A session counts its own arrivals from 1; a change begins again."""

    def frames(self) -> Iterator[FrameItem]:
        for session in (b"FIRST   ", b"SECOND  ", b"SECOND  ", b"FIRST   ", b"\0" * 8, b"\xff" * 8):
            for _ in range(3):
                yield self.item(session=session)


@pyuvm.test()
class PrototypeFaults(PrototypeTest):
    """Each fault under each tag stack, frames cut after any byte; a good packet behind each."""

    def frames(self) -> Iterator[FrameItem]:
        for tags, fault in product(TAGS, FAULTS):
            fields = {"tags": tags, **fault}
            bad_fcs = fields.pop("bad_fcs", False)
            yield FrameItem(frame(self.packet(30), **fields), bad_fcs)
            yield self.item(tags=tags)
        for tags, length in product(TAGS, (0, 3, 11, 30)):
            whole = frame(self.packet(length), tags=tags)
            for cut in some(range(1, len(whole)), self.random):
                yield FrameItem(whole[:cut])
                if cut % 4 == 0:
                    yield self.item(tags=tags)

    def check_phase(self) -> None:
        assert set(self.judge.reasons) >= {reason.name.lower() for reason in DropReason} - {"overflow"}


@pyuvm.test()
class PrototypeVerified(PrototypeFaults):
    """The same, verified."""

    delivery = "verified"


@pyuvm.test()
class PrototypeShortPayloadsVerified(PrototypeShortMessages):
    """Payloads that end in the second beat of the packet, whose checksum must end there too."""

    delivery = "verified"
