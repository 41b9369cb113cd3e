# SPDX-License-Identifier: MIT
"""The whole NIC, receive side included: clocks from the beat with a message's last byte to its DMA write."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from bridge import layout
from generators.framing import DEFAULT_GROUP, FrameEncoder, mold_packet
from generators.tables import ITCH50, MOLD_BLOCK, MOLD_HEADER
from tests.rtl.host.bench import CLOCK_PS, RECEIVE_PORTS, RX_BASE, Bench, publish_word

BEAT_BYTES = 8
LAST_BYTE_TO_HOST_CLOCKS = 6  # at most, to a host that is ready
ONE_LINE = "AFECXDUSH"  # types whose record is one line
UDP_PAYLOAD = 14 + 20 + 8


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def last_byte_to_dma_write(dut: Any) -> None:
    """One-line types back to back, at random places in their beats: each write is on the bus within the limit."""
    bench = await Bench.start(dut, (*RECEIVE_PORTS, "time_step_valid", "time_step_ns"))
    rng = bench.random
    await bench.set_window()
    await bench.write("GROUP_ADDRESS", int.from_bytes(bytes(map(int, DEFAULT_GROUP.address.split("."))), "big"))
    await bench.write("GROUP_PORT", DEFAULT_GROUP.port)
    await bench.start_ring("RX", RX_BASE, 10, 3)
    encoder = FrameEncoder()
    sampled: dict[int, int] = {}  # sequence number -> time at which its last byte is sampled
    sequence = 1
    for _ in range(12):
        types = rng.choices(ONE_LINE, k=30)
        messages = [kind.encode() + rng.randbytes(ITCH50[kind].length - 1) for kind in types]
        frame = encoder.encode(mold_packet(messages, sequence))
        ends = {}
        offset = UDP_PAYLOAD + MOLD_HEADER.length
        for item in messages:
            offset += MOLD_BLOCK.length + len(item)
            ends[(offset - 1) // BEAT_BYTES] = sequence
            sequence += 1
        await send_frame(bench, frame, ends, sampled)
        await bench.clocks(rng.choice((3, 3, 10)))
    await bench.settle()

    latencies: set[int] = set()
    for index, write in enumerate(bench.memory.writes):
        record = write.line
        assert int.from_bytes(record[60:], "little") == publish_word(3, index)
        number = int.from_bytes(record[:8], "little")
        taken = max(write.address_ps, write.data_ps)
        latencies.add((taken - sampled.pop(number)) // CLOCK_PS)
    assert not sampled, f"{len(sampled)} messages were not written"
    assert max(latencies) <= LAST_BYTE_TO_HOST_CLOCKS, latencies
    dut._log.info("clocks from the last byte of a message to its write: %s", sorted(latencies))
    assert await bench.read("MESSAGES_OK") == sequence - 1 == await bench.read("RX_LINES")
    assert await bench.read("ERRORS") == 0
    assert (await bench.registers.read(layout.REGISTERS["NEXT_EXPECTED_LO"])).data == sequence


async def send_frame(bench: Bench, frame: bytes, ends: dict[int, int], sampled: dict[int, int]) -> None:
    """One frame without a pause, noting when the last byte of each message is sampled."""
    dut = bench.dut
    beats = range(-(-len(frame) // BEAT_BYTES))
    for beat in beats:
        chunk = frame[beat * BEAT_BYTES:(beat + 1) * BEAT_BYTES]
        dut.rx_a_tvalid.value = 1
        dut.rx_a_tdata.value = int.from_bytes(chunk, "little")
        dut.rx_a_tkeep.value = (1 << len(chunk)) - 1
        dut.rx_a_tlast.value = int(beat == beats[-1])
        await RisingEdge(bench.clk)
        if beat in ends:
            sampled[ends[beat]] = int(get_sim_time("ps"))
    dut.rx_a_tvalid.value = 0
    dut.rx_a_tlast.value = 0
