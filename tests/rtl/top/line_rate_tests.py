# SPDX-License-Identifier: MIT
"""The whole NIC with both lines at line rate: nothing lost, every message to the RX ring and to the bus in time.

The bench counts clock edges from the one that samples the beat with a message's last byte at the port of the line that
is ahead. The other line carries the same frames, some clocks later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.utils import get_sim_time

from bridge import layout
from generators.framing import DEFAULT_GROUP, FrameEncoder, mold_packet
from generators.tables import ITCH50, MOLD_BLOCK, MOLD_HEADER
from tb.signals import reader
from tests.rtl.effort import scaled
from tests.rtl.host.bench import CLOCK_PS, RECEIVE_PORTS, RX_BASE, Bench, publish_word

BEAT_BYTES = 8
RING_CLOCKS = 4   # at most, to the line sampled by the RX ring
HOST_CLOCKS = 6   # at most, to address and data sampled by a host that is ready
ONE_LINE = "AFECXDUSH"  # types whose record is one line
SHORTEST = "S"
UDP_PAYLOAD = 14 + 20 + 8
GAPS = (2, 3)     # clocks between frames: preamble, FCS and minimum gap are 24 bytes, here now and then 20
SETUP = (*RECEIVE_PORTS, "time_step_valid", "time_step_ns")


@dataclass
class Frame:
    """A frame's bytes, and the beat in which each of its messages ends."""

    data: bytes
    ends: dict[int, list[int]] = field(default_factory=dict)


def stream(bench: Bench, sizes: Sequence[int], types: str) -> list[Frame]:
    """Packets of so many messages each."""
    rng, encoder, sequence = bench.random, FrameEncoder(), 1
    frames = []
    for size in sizes:
        messages = [kind.encode() + rng.randbytes(ITCH50[kind].length - 1) for kind in rng.choices(types, k=size)]
        frame = Frame(encoder.encode(mold_packet(messages, sequence)))
        offset = UDP_PAYLOAD + MOLD_HEADER.length
        for item in messages:
            offset += MOLD_BLOCK.length + len(item)
            frame.ends.setdefault((offset - 1) // BEAT_BYTES, []).append(sequence)
            sequence += 1
        frames.append(frame)
    return frames


async def enter(bench: Bench, line: str, frames: Sequence[Frame], delay: int, sampled: dict[int, int]) -> None:
    """All frames at the minimum gap, noting when the last byte of each message is sampled first."""
    port = {name: getattr(bench.dut, f"rx_{line}_{name}") for name in ("tdata", "tkeep", "tvalid", "tlast")}
    for _ in range(delay):
        await RisingEdge(bench.clk)
    for number, frame in enumerate(frames):
        beats = -(-len(frame.data) // BEAT_BYTES)
        for beat in range(beats):
            chunk = frame.data[beat * BEAT_BYTES:(beat + 1) * BEAT_BYTES]
            port["tvalid"].value = 1
            port["tdata"].value = int.from_bytes(chunk, "little")
            port["tkeep"].value = (1 << len(chunk)) - 1
            port["tlast"].value = int(beat == beats - 1)
            await RisingEdge(bench.clk)
            for sequence in frame.ends.get(beat, ()):
                sampled.setdefault(sequence, int(get_sim_time("ps")))
        port["tvalid"].value = port["tlast"].value = 0
        for _ in range(GAPS[number % 2]):
            await RisingEdge(bench.clk)


async def watch_ring(dut: Any, seen: dict[int, int]) -> None:
    """When the RX ring samples each message's line: looked at half a clock before."""
    valid, first, event, data = (reader(getattr(dut, f"line_{name}")) for name in ("valid", "first", "event", "data"))
    while True:
        await FallingEdge(dut.clk)
        if valid() and first() and not event():
            number = data() & (1 << 64) - 1
            assert number not in seen, f"message {number} twice"
            seen[number] = int(get_sim_time("ps")) + CLOCK_PS // 2


async def both_lines(dut: Any, sizes: Sequence[int], types: str, ahead: str, skew: int) -> None:
    """One run from reset; all of it is judged."""
    bench = await Bench.start(dut, SETUP)
    await bench.set_window()
    await bench.write("GROUP_ADDRESS", int.from_bytes(bytes(map(int, DEFAULT_GROUP.address.split("."))), "big"))
    await bench.write("GROUP_PORT", DEFAULT_GROUP.port)
    await bench.start_ring("RX", RX_BASE, 12, 3)
    sizes = sizes[:scaled(len(sizes))]
    frames = stream(bench, sizes, types)
    total = sum(sizes)
    sampled: dict[int, int] = {}
    seen: dict[int, int] = {}
    watch = cocotb.start_soon(watch_ring(dut, seen))
    lines = [cocotb.start_soon(enter(bench, line, frames, 0 if line == ahead else skew, sampled)) for line in "ab"]
    for line in lines:
        await line
    await bench.settle()
    watch.cancel()

    assert sorted(seen) == sorted(sampled) == list(range(1, total + 1)), "messages lost"
    to_ring = {(seen[number] - sampled[number]) // CLOCK_PS for number in seen}
    to_host = set()
    assert len(bench.memory.writes) == total
    for index, write in enumerate(bench.memory.writes):
        number = int.from_bytes(write.line[:8], "little")
        assert number == index + 1
        assert int.from_bytes(write.line[60:], "little") == publish_word(3, index)
        to_host.add((max(write.address_ps, write.data_ps) - sampled[number]) // CLOCK_PS)
    dut._log.info("clocks from the last byte to the ring: %s, to the host: %s", sorted(to_ring), sorted(to_host))
    assert max(to_ring) <= RING_CLOCKS
    assert max(to_host) <= HOST_CLOCKS
    assert await bench.counters("FRAMES", "FRAMES_B", "ACCEPTED_B", "MESSAGES_OK", "DUPLICATES", "GAPS", "ERRORS") == {
        "FRAMES": 2 * len(sizes), "FRAMES_B": len(sizes), "ACCEPTED_B": len(sizes), "MESSAGES_OK": total,
        "DUPLICATES": total, "GAPS": 0, "ERRORS": 0,
    }
    assert await bench.read("MESSAGES_B") == (total if ahead == "b" else 0)
    assert (await bench.registers.read(layout.REGISTERS["NEXT_EXPECTED_LO"])).data == total + 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(ahead=["a", "b"], skew=[1, 7, 40, 200])
async def full_packets(dut: Any, ahead: str, skew: int) -> None:
    await both_lines(dut, [36, 35, 36, 36, 35, 34], ONE_LINE, ahead, skew)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(ahead=["a", "b"], skew=[1, 12, 100])
async def the_shortest_messages(dut: Any, ahead: str, skew: int) -> None:
    await both_lines(dut, [100, 100, 101], SHORTEST, ahead, skew)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(ahead=["a", "b"], skew=[1, 14, 100])
async def single_messages(dut: Any, ahead: str, skew: int) -> None:
    await both_lines(dut, [1] * 30, ONE_LINE, ahead, skew)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def at_equal_clocks_line_a_is_ahead(dut: Any) -> None:
    await both_lines(dut, [20, 20, 20], ONE_LINE, "a", 0)
