# SPDX-License-Identifier: MIT
"""Which frames are accepted: tags, options, every reason to drop, frames cut anywhere. None harms the next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import cocotb
import pyuvm
from cocotb.triggers import ClockCycles, FallingEdge

from bridge.layout import DropReason
from tb.receive.items import FrameItem
from tests.rtl.effort import one_or_more, some
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import C_TAG, S_TAG, frame, message, mold, unknown

TAGS = ((), (C_TAG,), (S_TAG,), (C_TAG, C_TAG), (S_TAG, C_TAG), (S_TAG, S_TAG))
OPTIONS = tuple(bytes(range(4 * words)) for words in range(11))
NO_FRAGMENT = (0x0000, 0x4000, 0x8000, 0xC000)
OLD_TAG = 0x9100  # of stacked tags before IEEE 802.1ad: not one of the two

# One fault each; those of one header field exclude each other.
FAULTS: tuple[dict[str, Any], ...] = (
    {"tags": (C_TAG, S_TAG, C_TAG)}, {"tags": (C_TAG, C_TAG), "ethertype": C_TAG}, {"tags": (OLD_TAG,)},
    {"tags": (OLD_TAG, C_TAG)}, {"tags": (C_TAG, OLD_TAG)}, {"ethertype": 0x86DD},
    {"ethertype": 0x0801}, {"ethertype": 0x8000}, {"version": 6}, {"version": 5}, {"ihl": 4}, {"ihl": 0},
    {"ip_checksum_error": 0x0100}, {"ip_checksum_error": 1}, {"ip_checksum_error": 0xFFFF}, {"total": 19}, {"total": 0},
    {"fragment": 0x2000}, {"fragment": 1}, {"fragment": 0x1FFF}, {"protocol": 6}, {"protocol": 16},
    {"destination": "233.54.12.110"}, {"destination": "233.55.12.111"}, {"destination": "105.54.12.111"},
    {"total": 20}, {"total": 27}, {"udp_length": 7}, {"udp_length": 0}, {"port": 26476}, {"port": 26477 ^ 0x8000},
    {"udp_length": 1000}, {"udp_length": 0xFFFF}, {"udp_length": 8}, {"udp_length": 27}, {"trailer": bytes(9217)},
    {"bad_fcs": True}, {"cut": 13}, {"cut": 33}, {"total": 1000}, {"total": 0xFFFF}, {"udp_checksum_error": 1},
    {"udp_checksum_error": 0x8000},
)


class VerdictTest(ReceiveTest):  # type: ignore[misc]
    """Every frame of interest has a good one behind it."""

    def build_phase(self) -> None:
        super().build_phase()
        self.sequence = 1

    def payload(self, count: int = 2) -> bytes:
        return mold(self.sequence, [message("X", self.random) for _ in range(count)])

    def good(self, **fields: Any) -> FrameItem:
        item = FrameItem(frame(self.payload(), **fields))
        self.sequence += 2
        return item

    def faulty(self, fault: dict[str, Any], payload: bytes | None = None) -> FrameItem:
        fields = {name: value for name, value in fault.items() if name != "bad_fcs"}
        data = frame(self.payload() if payload is None else payload, **fields)
        return FrameItem(data, fault.get("bad_fcs", False))


@pyuvm.test()
class TagsAndOptions(VerdictTest):
    """0 to 2 tags of both kinds, 0 to 10 words of IPv4 options; padding inside the datagram and behind it; the flags of
    the fragment field that make no fragment, the reserved one and "don't fragment" (RFC 791, 3.1).
    """

    def frames(self) -> Iterator[FrameItem]:
        for tags, options in product(TAGS, OPTIONS):
            yield self.good(tags=tags, options=options)
            yield self.good(tags=tags, options=options, trailer=self.random.randbytes(self.random.randrange(1, 20)))
            yield self.good(tags=tags, options=options, ip_padding=self.random.randbytes(self.random.randrange(1, 20)))
        for flags in NO_FRAGMENT:
            yield self.good(fragment=flags)

    def check_phase(self) -> None:
        assert self.judge.model.counters["accepted"] == 3 * len(TAGS) * len(OPTIONS) + len(NO_FRAGMENT)


@pyuvm.test()
class EveryReasonToDrop(VerdictTest):
    """Each fault under tags and options, at once followed by a good frame; all reasons but overflow occur."""

    def frames(self) -> Iterator[FrameItem]:
        for fault in FAULTS:
            places = product(((), (C_TAG,), (S_TAG, C_TAG)), (b"", bytes(4), bytes(40)))
            for tags, options in one_or_more(places, self.random):
                yield self.faulty({"tags": tags, "options": options, **fault})
                yield self.good()

    def check_phase(self) -> None:
        dropped = self.judge.model.counters["dropped"]
        assert {name.upper() for name, count in dropped.items() if count} \
            == {reason.name for reason in DropReason} - {"ACCEPT", "OVERFLOW"}


@pyuvm.test()
class TheFirstReasonCounts(VerdictTest):
    """Pairs of faults: the stage that sees one first decides, inside a stage the order of the reasons."""

    def frames(self) -> Iterator[FrameItem]:
        for first, second in some(combinations(FAULTS, 2), self.random):
            if first.keys() & second.keys() or self.random.random() < 0.4:
                continue
            yield self.faulty({**first, **second})
            if self.random.random() < 0.2:
                yield self.good()


@pyuvm.test()
class ChecksumsAtTheirEdges(VerdictTest):
    """No UDP checksum, the computed zero sent as 0xFFFF, odd lengths; every single bit of header and payload counts."""

    def frames(self) -> Iterator[FrameItem]:
        for length in range(1, 20):
            yield FrameItem(frame(mold(1, [unknown(length, self.random)], session=b"ODD%7d" % length), udp_checksum=0))
            yield FrameItem(frame(mold(1, [unknown(length, self.random)], session=b"EVEN%6d" % length)))
        # The last two bytes are chosen so that the sum becomes 0xFFFF: the sender computes zero, and sends 0xFFFF.
        plain = frame(mold(9, [b"zzzz" + bytes(2)], session=b"COMPUTED 0"))
        checksum = plain[40:42]
        zero = frame(mold(9, [b"zzzz" + checksum], session=b"COMPUTED 0"))
        assert zero[40:42] == b"\xff\xff"
        yield FrameItem(zero)
        yield FrameItem(zero[:40] + b"\xff\xfe" + zero[42:])
        yield FrameItem(zero[:-1] + bytes([zero[-1] ^ 1]))  # 0xFFFF stands there, and is not "no checksum"
        data = frame(self.payload(1))
        for bit in some(range(8 * 12, 8 * len(data)), self.random):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            yield FrameItem(bytes(flipped))
        yield self.good()


@pyuvm.test()
class FramesCutAnywhere(VerdictTest):
    """A frame that ends after any of its bytes, its good copy at once behind it: from 1 byte to all but one."""

    def frames(self) -> Iterator[FrameItem]:
        for tags, options in (((), b""), ((C_TAG,), bytes(8)), ((S_TAG, C_TAG), bytes(4))):
            blocks = [message("S", self.random), unknown(90, self.random), b"", message("P", self.random)]
            payload = mold(self.sequence, blocks)
            whole = frame(payload, tags=tags, options=options)
            for length in some(range(1, len(whole)), self.random):
                yield FrameItem(whole[:length])
                if length % 5 == 0:
                    yield self.good()
            self.sequence += 10


@pyuvm.test()
class PacketsCutAnywhere(VerdictTest):
    """A right datagram whose packet ends after any of its bytes: whole messages are delivered, the rest is a gap when
    the next packet comes, lines of a message that will not be completed are called off.
    """

    def frames(self) -> Iterator[FrameItem]:
        for options, trailer in product((b"", bytes(4)), (b"", b"\x00" * 6, b"\xff" * 9)):
            blocks = [message("D", self.random), b"", unknown(200, self.random), message("A", self.random)]
            payload = mold(self.sequence, blocks)
            for length in some(range(20, len(payload)), self.random):
                # The zero-length block costs a clock, which the gap gives back.
                yield FrameItem(frame(payload[:length], options=options, trailer=trailer), gap=1)
                payload = mold(self.sequence, blocks)
                self.sequence += 4
                if length % 7 == 0:
                    yield self.good(options=options)

    def check_phase(self) -> None:
        assert self.judge.called_off > 0


@pyuvm.test()
class MoreAndFewerBlocksThanAnnounced(VerdictTest):
    """Counts from 1 to 65,534 over packets of 0 to 5 blocks: truncated or extra data, never more than was announced."""

    def frames(self) -> Iterator[FrameItem]:
        for options, present in product((b"", bytes(4)), range(6)):
            for count in (1, 2, 3, 5, 6, 255, 256, 0x8000, 0xFFFE):
                lengths = [self.random.choice((0, 1, 4, 12, 19, 44)) for _ in range(present)]
                payload = mold(self.sequence, [unknown(length, self.random) for length in lengths], count)
                yield FrameItem(frame(payload, options=options))
                self.sequence += 0x10000
                yield self.good()


@pyuvm.test()
class SmallFrames(VerdictTest):
    """Frames of 1 to 61 bytes of any content without a clock between them: each gets its report."""

    def frames(self) -> Iterator[FrameItem]:
        good = frame(mold(1, []))
        for round_number in range(8):
            for length in self.random.sample(range(1, 62), 61):
                data = self.random.randbytes(length) if round_number % 2 else good[:length]
                yield FrameItem(data, bad_fcs=self.random.random() < 0.2)
            yield self.good()


@pyuvm.test()
class LargestFrames(VerdictTest):
    """9,216 bytes pass, 9,217 do not; a message beyond that many bytes is not delivered."""

    def frames(self) -> Iterator[FrameItem]:
        overhead = len(frame(mold(1, [b""])))
        for size in (9215, 9216, 9217, 9224, 9300):
            yield FrameItem(frame(mold(self.sequence, [unknown(size - overhead, self.random)])))
            yield FrameItem(frame(self.payload(), trailer=bytes(size - len(frame(self.payload())))))
            yield self.good()


@pyuvm.test()
class OnlyWhileEnabled(VerdictTest):
    """A frame that starts while the line is disabled does not exist, however it goes on."""

    async def stimulus(self) -> None:
        enable = self.dut.enable
        for beats in range(1, 13):
            await self.send([self.good()])
            enable.value = 0
            changes = cocotb.start_soon(self.after(beats, 1))        # enabled in the middle of a frame
            await self.send([FrameItem(frame(self.payload()), ignored=True), self.good()])
            await changes
            changes = cocotb.start_soon(self.after(beats, 0))        # disabled in the middle
            await self.send([self.good(), FrameItem(frame(self.payload()), ignored=True)])
            await changes
            enable.value = 1

    async def after(self, clocks: int, enable: int) -> None:
        await ClockCycles(self.dut.clk, clocks)
        await FallingEdge(self.dut.clk)
        self.dut.enable.value = enable
