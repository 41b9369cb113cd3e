# SPDX-License-Identifier: MIT
"""The MoldUDP64 stream: gaps, old messages, sessions, heartbeats, ends of session; bad frames leave no trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pyuvm

from tb.receive.items import FrameItem
from tests.rtl.effort import one_or_more
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import SESSION, frame, message, mold, unknown

HEARTBEAT, END_OF_SESSION = 0, 0xFFFF
TOP = 1 << 64
OTHER_SESSION = b"SESSION002"


class StreamTest(ReceiveTest):  # type: ignore[misc]
    """Packets with chosen sequence numbers."""

    def data(self, sequence: int, count: int = 3, session: bytes = SESSION, length: int | None = None,
             **fields: object) -> FrameItem:
        """A packet of short messages, of 0 bytes too if ``length`` says so; one fault if ``fields`` say so."""
        blocks = [message("D", self.random) if length is None else unknown(length, self.random) for _ in range(count)]
        bad_fcs = bool(fields.pop("bad_fcs", False))
        return FrameItem(frame(mold(sequence, blocks, session=session), **fields), bad_fcs)  # type: ignore[arg-type]

    def control(self, sequence: int, count: int, session: bytes = SESSION, extra: bytes = b"",
                **fields: object) -> FrameItem:
        bad_fcs = bool(fields.pop("bad_fcs", False))
        payload = mold(sequence, [], count, session) + extra
        return FrameItem(frame(payload, **fields), bad_fcs)  # type: ignore[arg-type]


@pyuvm.test()
class GapsAndOldPackets(StreamTest):
    """Ahead, behind and overlapping, by few, by more than a packet holds, and by just less and just more than 2^63."""

    def frames(self) -> Iterator[FrameItem]:
        next_expected = 1000
        yield self.data(next_expected - 3)
        for start in (0, 1, -1, -2, -3, -4, 5, -10, 65535, 65536, -65535, -65536, -65537, 1 << 32, -(1 << 32),
                      (1 << 63) - 1, 1 << 63, (1 << 63) + 1):
            for count in (1, 3, 12):
                yield self.data(next_expected + start, count)
                offset = start % TOP
                if 0 < offset < 1 << 63:
                    next_expected += start
                yield self.data(next_expected, 2)      # partly old where the packet before was in part new
                next_expected = (next_expected + 60) % TOP
                yield self.data(next_expected, 1)      # a gap: the numbers are known again
                next_expected += 1

    async def stimulus(self) -> None:
        await super().stimulus()
        assert self.judge.model.counters["duplicates"] > 0
        assert self.judge.model.counters["gaps"] > 0


@pyuvm.test()
class SequenceNumbersWrap(StreamTest):
    """2^64 - 1 is followed by 0, inside a packet and between packets."""

    def frames(self) -> Iterator[FrameItem]:
        yield self.data(TOP - 5, 3)
        yield self.data(TOP - 2, 5)
        yield self.data(TOP - 1, 6)      # four old, two new
        yield self.data(8, 1)
        yield self.data(TOP - 1, 1)      # old


@pyuvm.test()
class OldBlocksLeaveNothing(StreamTest):
    """Old zero-length runs, old long messages, of which no line goes out and nothing is called off; new ones behind."""

    def frames(self) -> Iterator[FrameItem]:
        for length in (0, 1, 5, 8, 24, 25, 80, 81, 136, 137, 300):
            session = f"LENGTH{length:4}".encode()
            yield self.data(1, 4, session, length)
            yield self.data(1, 4, session, length)
            yield self.data(3, 4, session, length)
            cut = mold(1, [unknown(length, self.random)] * 4, 5, session) + (256).to_bytes(2, "big") + bytes(200)
            yield FrameItem(frame(cut))


@pyuvm.test()
class Sessions(StreamTest):
    """A new session starts over at its own numbers; the first packet of all is neither change nor gap."""

    def frames(self) -> Iterator[FrameItem]:
        yield self.data(100)
        yield self.data(5, session=OTHER_SESSION)
        yield self.data(8, session=OTHER_SESSION)
        yield self.data(8)
        yield self.control(77, HEARTBEAT, OTHER_SESSION)
        yield self.data(76, 4, OTHER_SESSION)
        for position in range(10):
            changed = bytearray(OTHER_SESSION)
            changed[position] ^= 1
            yield self.data(1, 1, bytes(changed))
            yield self.data(2, 1, bytes(changed))
        yield self.control(9, END_OF_SESSION)


@pyuvm.test()
class HeartbeatsAndEnds(StreamTest):
    """They show gaps and consume no number; an end of session is told once a session; extra data is told."""

    def frames(self) -> Iterator[FrameItem]:
        for options in (b"", bytes(4)):
            session = b"OPTIONS%3d" % len(options)
            yield self.control(50, HEARTBEAT, session, options=options)
            yield self.data(50, 2, session, options=options)
            yield self.control(52, HEARTBEAT, session, options=options)
            yield self.control(55, HEARTBEAT, session, options=options)
            yield self.data(53, 4, session, options=options)
            for sequence, count in ((57, END_OF_SESSION), (57, END_OF_SESSION), (60, END_OF_SESSION), (60, HEARTBEAT)):
                yield self.control(sequence, count, session, options=options)
            for count, length in product((HEARTBEAT, END_OF_SESSION), (1, 2, 3, 9, 30)):
                yield self.control(60, count, session, self.random.randbytes(length), options=options)
                yield self.control(60, count, session, options=options, trailer=self.random.randbytes(length))
            yield self.data(60, 1, session, options=options)


@pyuvm.test()
class BadFramesAreForgotten(StreamTest):
    """After a bad verdict the same numbers come again from a good frame; session, gap and end of session likewise.

    The bad frame comes as the first of all, in the session, with a gap, with a new session and as an end of session.
    """

    def frames(self) -> Iterator[FrameItem]:
        faults: list[dict[str, object]] = [
            {"bad_fcs": True}, {"udp_checksum_error": 1}, {"total": 2000}, {"trailer": bytes(9300)},
        ]
        for fault in faults:
            yield self.data(7, 3, **fault)
            yield self.control(7, END_OF_SESSION, **fault)
        yield self.data(7, 3)
        for fault, bad_count in one_or_more(product(faults, (1, 3, 5)), self.random):
            session = bytes(self.random.choices(b"ABCDEFGH", k=10))
            yield self.data(10, 3, session)
            yield self.data(13, bad_count, session, **fault)
            yield self.data(20, bad_count, session, **fault)
            yield self.data(11, bad_count, session, **fault)
            yield self.data(900, bad_count, OTHER_SESSION, **fault)
            yield self.control(13, END_OF_SESSION, session, **fault)
            yield self.control(30, HEARTBEAT, session, **fault)
            yield self.data(13, 3, session)
            yield self.control(16, END_OF_SESSION, session)
            yield self.control(16, END_OF_SESSION, OTHER_SESSION, **fault)
            yield self.control(16, END_OF_SESSION, session)
            yield self.control(17, HEARTBEAT, session)
