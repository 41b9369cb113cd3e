# SPDX-License-Identifier: MIT
"""Verified delivery: nothing of a bad frame comes out, and its reason is the first in order that applies to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pyuvm

from tb.receive.items import FrameItem
from tests.model.fault_pairs import PAIRS
from tests.rtl.effort import scaled, some
from tests.rtl.receive.bench import ReceiveTest
from tests.rtl.receive.frames import C_TAG, S_TAG, frame, mold
from tests.rtl.receive.message_tests import RunsOfTinyBlocks, UnknownTypesOfEveryLength
from tests.rtl.receive.stream_tests import BadFramesAreForgotten, HeartbeatsAndEnds
from tests.rtl.receive.traffic import Traffic
from tests.rtl.receive.verdict_tests import (
    ChecksumsAtTheirEdges,
    EveryReasonToDrop,
    FramesCutAnywhere,
    LargestFrames,
    PacketsCutAnywhere,
    SmallFrames,
    TheFirstReasonCounts,
    VerdictTest,
)


class PairsOfFaults(VerdictTest):
    """The table of two faults in one frame; a good frame behind each."""

    def frames(self) -> Iterator[FrameItem]:
        self.pairs = list(some(PAIRS, self.random))
        for pair in self.pairs:
            yield FrameItem(pair.frame, pair.bad_fcs)
            yield self.good()

    def check_phase(self) -> None:
        verified = self.delivery == "verified"
        due = [pair.verified if verified else pair.cut_through for pair in self.pairs]
        assert self.judge.verdicts == [verdict for one in due for verdict in (one, "accept")]


@pyuvm.test()
class PairsOfFaultsCutThrough(PairsOfFaults):
    """What the headers have against a frame stands."""


@pyuvm.test()
class PairsOfFaultsVerified(PairsOfFaults):
    """The first in the rules' order counts."""

    delivery = "verified"


@pyuvm.test()
class ShortPayloads(VerdictTest):
    """UDP payloads of 0 to 27 bytes with good and bad checksums, bytes behind them or not: a bad checksum comes before
    a packet header that is too short, so the sum must end exactly where the payload does."""

    delivery = "verified"

    def frames(self) -> Iterator[FrameItem]:
        cases = product(((), (C_TAG,), (S_TAG, C_TAG)), range(28), (0, 1, 5, 9))
        for tags, length, behind in some(cases, self.random):
            payload = mold(self.sequence, [self.random.randbytes(5)])[:length]
            for error in (0, 1, 0x0100):
                yield FrameItem(frame(payload, tags=tags, udp_checksum_error=error,
                                      ip_padding=self.random.randbytes(behind)))
                yield FrameItem(frame(payload, tags=tags, udp_checksum_error=error,
                                      trailer=self.random.randbytes(behind)))
            yield self.good()

    def check_phase(self) -> None:
        assert self.judge.reasons["bad_udp_checksum"] > 0
        assert self.judge.reasons["short_mold_header"] > 0


@pyuvm.test()
class VerifiedReasons(EveryReasonToDrop):
    """Each fault at once followed by a good frame."""

    delivery = "verified"


@pyuvm.test()
class VerifiedFirstReasons(TheFirstReasonCounts):
    """Pairs of faults of the RTL's own list."""

    delivery = "verified"


@pyuvm.test()
class VerifiedChecksums(ChecksumsAtTheirEdges):
    """Every single bit of header and payload counts."""

    delivery = "verified"


@pyuvm.test()
class VerifiedCutFrames(FramesCutAnywhere):
    """Whole messages before the cut of a frame are taken back."""

    delivery = "verified"


@pyuvm.test()
class VerifiedCutPackets(PacketsCutAnywhere):
    """Whole messages before the cut of a packet are delivered: its frame is right."""

    delivery = "verified"


@pyuvm.test()
class VerifiedSmallFrames(SmallFrames):
    """A verdict a clock."""

    delivery = "verified"


@pyuvm.test()
class VerifiedLargestFrames(LargestFrames):
    """9,216 bytes wait for their verdict."""

    delivery = "verified"


@pyuvm.test()
class VerifiedLongMessages(UnknownTypesOfEveryLength):
    """Continuation lines wait with their records."""

    delivery = "verified"


@pyuvm.test()
class VerifiedTinyBlocks(RunsOfTinyBlocks):
    """More entries than beats."""

    delivery = "verified"


@pyuvm.test()
class VerifiedStream(BadFramesAreForgotten):
    """A bad frame leaves no trace in the stream."""

    delivery = "verified"


@pyuvm.test()
class VerifiedHeartbeats(HeartbeatsAndEnds):
    """Packets without messages are a HEADER and an END."""

    delivery = "verified"


@pyuvm.test()
class VerifiedTraffic(ReceiveTest):  # type: ignore[misc]
    """Random traffic: with idle beats, at line rate, without a gap."""

    delivery = "verified"

    def frames(self) -> Iterator[FrameItem]:
        yield from Traffic(self.random).frames(scaled(300))
        yield from Traffic(self.random, pauses=False).frames(scaled(300))
        yield from Traffic(self.random, gap=0, pauses=False).frames(scaled(300))
