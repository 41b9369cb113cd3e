# SPDX-License-Identifier: MIT
"""Market data on one line while the other one carries frames that are for somebody else: they do not delay it.

A foreign frame that began first is waited for until its headers have come; so what is measured is the time from a
message's last byte, or from the last byte of those headers if that is later, to the RX ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from generators.framing import DEFAULT_GROUP
from tests.rtl.host.bench import CLOCK_PS, RX_BASE, Bench
from tests.rtl.receive.frames import C_TAG, S_TAG, frame
from tests.rtl.top.line_rate_tests import (
    BEAT_BYTES,
    ONE_LINE,
    RING_CLOCKS,
    SETUP,
    SHORTEST,
    Frame,
    enter,
    stream,
    watch_ring,
)

HEADER_CLOCKS = 9       # at most, from the headers' last byte to the ring, for a message that waited for them
LONGEST_CLOCKS = 11     # at most, for the shortest message beside the longest headers
VERIFIED_CLOCKS = 14    # at most, from a frame's last byte to its first message in the ring, and one for each before it
IP_BYTES = 1500


@dataclass
class Foreign:
    """A foreign frame: ``header_beat`` holds the last header byte that says so."""

    data: bytes
    header_beat: int


def foreign(bench: Bench, longest: bool = False) -> Foreign:
    """1,500 bytes of IPv4: behind its headers it looks like a packet far ahead, or of another session."""
    rng = bench.random
    tags = (S_TAG, C_TAG) if longest else rng.choice(((), (C_TAG,), (S_TAG, C_TAG)))
    options = bytes(4 * (10 if longest else rng.randrange(11)))
    fields = rng.choice(({"protocol": 6}, {"protocol": 6}, {"port": DEFAULT_GROUP.port ^ 1}, {"ip_checksum_error": 1},
                         {"destination": "233.54.12.112"}, {"ethertype": 0x0806}))
    if longest:
        fields = {"port": DEFAULT_GROUP.port ^ 1}
    packet = rng.choice((b"SESSION001", rng.randbytes(10))) + rng.randrange(2, 1 << 40).to_bytes(8, "big") + b"\0\1"
    payload = packet.ljust(IP_BYTES - 28 - len(options), b"\0")
    ethertype_ends = 14 + 4 * len(tags)
    last = ethertype_ends + (0 if "ethertype" in fields else 20 + len(options) + 8) - 1
    return Foreign(frame(payload, tags=tags, options=options, **fields), last // BEAT_BYTES)


async def disturb(bench: Bench, line: str, known: list[tuple[int, int]]) -> None:
    """Foreign frames at the minimum gap, without end."""
    while True:
        await send(bench, line, foreign(bench), known)


async def send(bench: Bench, line: str, item: Foreign, known: list[tuple[int, int]]) -> None:
    """One foreign frame and a gap; notes when its first beat and its headers are sampled."""
    begins = Frame(item.data, {0: [0], item.header_beat: [1]})
    sampled: dict[int, int] = {}
    task = cocotb.start_soon(enter(bench, line, [begins], 0, sampled))
    while 1 not in sampled:
        await RisingEdge(bench.clk)
    known.append((sampled[0], sampled[1]))
    await task


@dataclass
class Run:
    """What one run measured, in ps."""

    frames: list[Frame]
    sampled: dict[int, int]             # last byte of each message
    seen: dict[int, int]                # ... and when the RX ring got it
    foreign: list[tuple[int, int]]      # first beat and last header byte of each foreign frame

    def clocks(self, number: int) -> int:
        """From the message's last byte, or from the headers of a foreign frame if those come later."""
        waits = [known for began, known in self.foreign if began < self.sampled[number]]
        return (self.seen[number] - max(self.sampled[number], *waits[-1:], 0)) // CLOCK_PS

    def waited(self, number: int) -> bool:
        """It came later than without foreign frames."""
        return (self.seen[number] - self.sampled[number]) // CLOCK_PS > RING_CLOCKS


def other(line: str) -> str:
    return "b" if line == "a" else "a"


async def start(dut: Any, *modes: str) -> Bench:
    bench = await Bench.start(dut, SETUP)
    await bench.set_window()
    await bench.write("GROUP_ADDRESS", int.from_bytes(bytes(map(int, DEFAULT_GROUP.address.split("."))), "big"))
    await bench.write("GROUP_PORT", DEFAULT_GROUP.port)
    await bench.start_ring("RX", RX_BASE, 12, 3, *modes)
    return bench


async def run(dut: Any, line: str, sizes: list[int], *modes: str) -> Run:
    """Market data on ``line``, foreign frames on the other one."""
    bench = await start(dut, *modes)
    result = Run(stream(bench, sizes, ONE_LINE), {}, {}, [])
    watch = cocotb.start_soon(watch_ring(dut, result.seen))
    noise = cocotb.start_soon(disturb(bench, other(line), result.foreign))
    await bench.clocks(100)
    await enter(bench, line, result.frames, 0, result.sampled)
    await bench.clocks(100)
    noise.cancel()
    watch.cancel()
    assert sorted(result.seen) == sorted(result.sampled) == list(range(1, sum(sizes) + 1)), "messages lost"
    assert len(result.foreign) > 2
    return result


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(line=["a", "b"], size=[1, 4, 30])
async def foreign_frames_do_not_delay_market_data(dut: Any, line: str, size: int) -> None:
    """Four clocks, as on its own; a message that waited for foreign headers comes some clocks behind those."""
    result = await run(dut, line, [size] * (120 // size))
    waited = [number for number in result.seen if result.waited(number)]
    late = [result.clocks(number) for number in waited]
    dut._log.info("%d of %d messages waited, until %s clocks after the headers", len(waited), len(result.seen),
                  sorted(set(late)))
    assert len(waited) * 10 < len(result.seen)
    assert max(late, default=0) <= HEADER_CLOCKS


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(line=["a", "b"])
async def the_longest_headers_are_waited_for(dut: Any, line: str) -> None:
    """Two tags and all options of a foreign frame that began a few clocks before: no wait is longer than this."""
    bench = await start(dut)
    result = Run(stream(bench, [1] * 24, SHORTEST), {}, {}, [])
    watch = cocotb.start_soon(watch_ring(dut, result.seen))
    for offset, frame_item in enumerate(result.frames):
        noise = cocotb.start_soon(send(bench, other(line), foreign(bench, longest=True), result.foreign))
        await enter(bench, line, [frame_item], offset // 2, result.sampled)
        await noise
    await bench.clocks(100)
    watch.cancel()
    assert sorted(result.seen) == list(range(1, 25))
    waited = {number: (result.seen[number] - result.sampled[number]) // CLOCK_PS for number in result.seen
              if result.waited(number)}
    dut._log.info("clocks from the last byte to the ring, of those that waited: %s", waited)
    assert waited
    assert max(waited.values()) <= LONGEST_CLOCKS
    assert all(result.clocks(number) <= HEADER_CLOCKS for number in waited)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(line=["a", "b"], size=[1, 4])
async def nor_verified_market_data(dut: Any, line: str, size: int) -> None:
    """A frame's messages follow its verdict."""
    result = await run(dut, line, [size] * (60 // size), "VERIFIED")
    longest = 0
    for item in result.frames:
        numbers = [number for ends in item.ends.values() for number in ends]
        ended = result.sampled[numbers[-1]]
        for index, number in enumerate(numbers):
            clocks = (result.seen[number] - ended) // CLOCK_PS - index
            longest = max(longest, clocks)
            assert clocks > RING_CLOCKS
    dut._log.info("first message up to %d clocks after its frame's last byte", longest)
    assert longest <= VERIFIED_CLOCKS
