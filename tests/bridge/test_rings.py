# SPDX-License-Identifier: MIT
"""Host memory under the NIC's writes and reads, and what of it the core takes for a published record."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bridge import layout, record
from bridge.layout import LINE_BYTES, MailboxOp
from bridge.stimulus import Frame
from tests.bridge.core_harness import Core, Kernel, line, run_with_kernel

CONTROL = layout.REGISTER_FIELDS["CONTROL"]
RING, BUFFERS = 0x4000, 0x8000
LATENCY = 40  # of a posted write, in clocks
FRAMES: list[Frame] = [(0, bytes(64), False), (40_000, bytes(64), False)]  # a run of some 6,000 clocks


def _set_up(core: Core, **registers: int) -> None:
    for name, value in registers.items():
        core.native.tl_add_register_write(layout.REGISTERS[name], value)


def _script_of(writes: list[tuple[int, bytes, int]], core: Core, start: int = 1000) -> Callable[[int], None]:
    """``on_clock`` that makes ``writes`` (address, line, strobe), one a clock from ``start`` on."""
    left = list(writes)

    def on_clock(clock: int) -> None:
        if clock >= start and left:
            core.write(clock, *left.pop(0))

    return on_clock


def _write_back(index: int, status: int, base: int = RING) -> tuple[int, bytes, int]:
    """The write of descriptor ``index``'s length and status, as the NIC makes it: the address half stays the host's."""
    address = base + layout.DESCRIPTOR_BYTES * index
    data = bytearray(LINE_BYTES)
    offset = address % LINE_BYTES
    entry = np.zeros(1, layout.DESCRIPTOR)
    entry["length"], entry["status"] = LINE_BYTES, status
    data[offset : offset + layout.DESCRIPTOR_BYTES] = entry.tobytes()
    half = layout.DESCRIPTOR_BYTES // 2
    return address - offset, bytes(data), ((1 << half) - 1) << offset + half


def test_only_the_bytes_of_the_strobe_are_written(tmp_path: Path) -> None:
    """Any strobe; what the NIC reads back is what it has written, whether it is visible to the kernel yet or not."""
    seed = 7
    print(f"seed {seed}")
    rng = random.Random(seed)
    expected = bytearray(4 * LINE_BYTES)
    reads: list[bytes] = []

    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.POLL, 0, work=4_000 * 6400 // 250)
        seen.append(bytes(kernel.ram[RING : RING + len(expected)]))
        kernel.request(MailboxOp.EXIT, 1)

    def on_clock(clock: int) -> None:
        if not 100 <= clock < 3000 or clock % 5:
            return
        place = rng.randrange(4)
        if clock % 2:
            core.read(clock, RING + LINE_BYTES * place)
            reads.append(bytes(expected[LINE_BYTES * place : LINE_BYTES * (place + 1)]))
            return
        strobe = rng.choice([rng.getrandbits(64), (1 << 64) - 1, 0xFFFF << 16 * rng.randrange(4), 1 << 63, 0])
        data = bytearray(rng.randbytes(LINE_BYTES))
        data[60:64] = bytes(4)  # never a publish word
        core.write(clock, RING + LINE_BYTES * place, bytes(data), strobe)
        for i in range(LINE_BYTES):
            if strobe >> i & 1:
                expected[LINE_BYTES * place + i] = data[i]

    seen: list[bytes] = []
    core = Core(tmp_path, FRAMES, kernel=True, read_clocks=1, posted_write_clocks=LATENCY)
    run, _ = run_with_kernel(core, script, on_clock=on_clock, every_clock=True)
    assert run.message == "the kernel ended with status 1"
    assert len(reads) > 200
    assert [data for _, data in run.reads] == reads
    assert seen == [bytes(expected)]
    log = core.log("dma")
    assert len(set(log["strobe"].tolist())) > 10


def test_the_host_gives_lines_back_in_steps(tmp_path: Path) -> None:
    core = Core(tmp_path, FRAMES, give_back=4)
    _set_up(core, CONTROL=CONTROL["RX_ENABLE"], RX_LOG2=4)
    writes = []
    for index in range(6):  # a record of two lines: its continuation first
        slot = RING + 128 * index
        writes += [(slot + 64, line(0), -1), (slot, line(layout.PUBLISH_VALID | index, continuations=1), -1)]
    run = core.run(on_clock=_script_of(writes, core))
    assert run.status == 0, run.message
    assert [value for _, _, address, value in run.accesses if address == layout.REGISTERS["RX_TAIL"]] == [4, 8, 12]


def test_descriptors_are_prepared_taken_and_given_back_clear(tmp_path: Path) -> None:
    """Records of one and of three lines, twice round a ring of 16; each write-back marks a descriptor done, the first
    line's is the last of its record."""
    slots, sizes = 16, [1, 3, 1, 1, 3, 3, 1, 3, 1, 3, 3, 3, 3, 3]
    core = Core(tmp_path, FRAMES, give_back=4)
    core.native.tl_prepare_descriptors(RING, 4, BUFFERS)
    _set_up(core, RX_BASE_LO=RING, RX_LOG2=4)
    _set_up(core, CONTROL=CONTROL["RX_DESCRIPTOR"] | CONTROL["RX_ENABLE"])
    done, end = layout.DESCRIPTOR_DONE, layout.DESCRIPTOR_END
    writes, head = [], 0
    for size in sizes:
        for k in [*range(1, size), 0]:
            index = (head + k) % slots
            publish = layout.PUBLISH_VALID if k == 0 else 0
            writes += [(BUFFERS + LINE_BYTES * index, line(publish), -1)]
            writes += [_write_back(index, done | (end if k == size - 1 else 0))]
        head += size
    prepared: list[bytes] = []
    on_write = _script_of(writes, core, start=400)

    def on_clock(clock: int) -> None:
        if clock in (100, 3000):
            for i in range(4):
                core.read(clock, RING + LINE_BYTES * i)
        on_write(clock)

    run = core.run(on_clock=on_clock, every_clock=True)
    assert run.status == 0, run.message
    prepared = [data for _, data in run.reads]
    assert len(prepared) == 8
    for lines in (prepared[:4], prepared[4:]):
        ring = np.frombuffer(b"".join(lines), layout.DESCRIPTOR)
        assert ring["address"].tolist() == [BUFFERS + LINE_BYTES * i for i in range(slots)]
        assert set(ring["length"].tolist()) == {layout.BUFFER_BYTES}
        assert not ring["status"].any()
    tails = [value for _, _, address, value in run.accesses if address == layout.REGISTERS["RX_TAIL"]]
    counts = np.cumsum(sizes)
    assert tails[0] == 4
    assert set(tails) <= set(counts.tolist()), "whole records"
    assert counts[-1] - tails[-1] < 4


def test_a_first_descriptor_given_back_too_early_ends_the_run(tmp_path: Path) -> None:
    core = Core(tmp_path, FRAMES)
    core.native.tl_prepare_descriptors(RING, 4, BUFFERS)
    _set_up(core, RX_BASE_LO=RING, RX_LOG2=4)
    _set_up(core, CONTROL=CONTROL["RX_DESCRIPTOR"] | CONTROL["RX_ENABLE"])
    run = core.run(on_clock=_script_of([_write_back(0, layout.DESCRIPTOR_DONE)], core))
    assert (run.status, run.message) == (1, "the NIC gave back descriptor 0 before the others of its record")


def test_a_descriptor_ring_outside_host_memory_is_refused(tmp_path: Path) -> None:
    core = Core(tmp_path, FRAMES)
    core.native.tl_prepare_descriptors((1 << 20) - 32, 4, BUFFERS)
    run = core.run()
    assert run.status == 1
    assert "descriptor ring" in run.message


def _raw_lines(index: int, frame: bytes, port: int, slots: int) -> list[tuple[int, bytes, int]]:
    pieces = [frame[i : i + layout.CONTINUATION_BYTES] for i in range(0, len(frame), layout.CONTINUATION_BYTES)]
    writes = [
        (RING + LINE_BYTES * ((index + 1 + k) % slots), piece.ljust(LINE_BYTES, b"\0"), -1)
        for k, piece in enumerate(pieces)
    ]
    head = np.zeros(1, layout.RAW_FRAME)
    head["line"], head["reason"], head["length"] = port, layout.DropReason.NOT_IPV4, len(frame)
    head["status"], head["continuations"] = layout.STATUS_FRAME, len(pieces)
    head["publish"], head["hw_timestamp_ns"][0, 0] = layout.PUBLISH_VALID | index, index
    return [*writes, (RING + LINE_BYTES * (index % slots), head.tobytes(), -1)]


def test_frames_of_the_raw_ring_are_read_out_and_given_back(tmp_path: Path) -> None:
    """Round the ring's end too; the RX ring's publish words and tail are another matter."""
    rng = random.Random(3)
    frames = [rng.randbytes(length) for length in (14, 56, 57, 112, 300, 60, 400, 55)]
    core = Core(tmp_path, FRAMES, give_back=1)
    _set_up(core, RX_BASE_LO=BUFFERS, RX_LOG2=4, RAW_BASE_LO=RING, RAW_LOG2=4)
    _set_up(core, CONTROL=CONTROL["RX_ENABLE"] | CONTROL["RAW_ENABLE"])
    writes, index, tails = [], 0, []
    for i, frame in enumerate(frames):
        writes += _raw_lines(index, frame, i % 2, 16)
        index += 1 + -(-len(frame) // layout.CONTINUATION_BYTES)
        tails.append(index)
        writes.append((BUFFERS + LINE_BYTES * i, line(layout.PUBLISH_VALID), -1))
    run = core.run(on_clock=_script_of(writes, core), every_clock=True)
    assert run.status == 0, run.message
    assert [value for _, _, address, value in run.accesses if address == layout.REGISTERS["RAW_TAIL"]] == tails
    rx = [value for _, _, address, value in run.accesses if address == layout.REGISTERS["RX_TAIL"]]
    assert rx == list(range(1, 1 + len(frames)))
    raw = record.read_raw(tmp_path)
    assert [(entry.data, entry.line) for entry in raw] == [(frame, i % 2) for i, frame in enumerate(frames)]
    assert {entry.reason for entry in raw} == {layout.DropReason.NOT_IPV4}
    assert [entry.hw_timestamp_ns for entry in raw][:2] == [0, tails[0]]


def test_a_raw_frame_longer_than_its_lines_ends_the_run(tmp_path: Path) -> None:
    core = Core(tmp_path, FRAMES)
    _set_up(core, RAW_BASE_LO=RING, RAW_LOG2=4, CONTROL=CONTROL["RAW_ENABLE"])
    head = np.zeros(1, layout.RAW_FRAME)
    head["length"], head["continuations"], head["publish"] = 57, 1, layout.PUBLISH_VALID
    run = core.run(on_clock=_script_of([(RING, head.tobytes(), -1)], core))
    assert (run.status, run.message) == (1, "a frame of 57 bytes in the raw ring has 1 lines")


@pytest.mark.parametrize("mode", ["lines", "descriptors"])
def test_a_kernels_poll_ends_with_the_record_not_with_parts_of_it(tmp_path: Path, mode: str) -> None:
    """Of a record of two lines, and in descriptor mode of four writes, the last one lets the kernel go on."""
    publish = line(layout.PUBLISH_VALID, continuations=1)
    if mode == "lines":
        writes = [(RING + 64, line(0), -1), (RING, publish, -1)]
    else:
        done, end = layout.DESCRIPTOR_DONE, layout.DESCRIPTOR_END
        writes = [
            (BUFFERS + 64, line(0), -1), _write_back(1, done | end), (BUFFERS, publish, -1), _write_back(0, done),
        ]  # fmt: skip
    gap = 100
    written: list[int] = []

    def script(kernel: Kernel) -> None:
        kernel.attach()
        control = CONTROL["RX_ENABLE"] | (CONTROL["RX_DESCRIPTOR"] if mode == "descriptors" else 0)
        for name, value in (("RX_BASE_LO", RING), ("RX_LOG2", 4), ("CONTROL", control)):
            kernel.request(MailboxOp.REGISTER_WRITE, value, layout.REGISTERS[name])
        kernel.request(MailboxOp.POLL, 0)
        kernel.request(MailboxOp.POLL, 1)
        kernel.request(MailboxOp.EXIT, 0)

    def on_clock(clock: int) -> None:
        if clock >= 1000 + gap * len(written) and len(written) < len(writes):
            core.write(clock, *writes[len(written)])
            written.append(clock)

    core = Core(tmp_path, [(10_000 * i, bytes(64), False) for i in range(3)], kernel=True, posted_write_clocks=LATENCY)
    run, kernel = run_with_kernel(core, script, on_clock=on_clock, every_clock=True)
    assert run.status == 0, run.message
    assert len(written) == len(writes)
    visible = (written[-1] + LATENCY) * 6400
    assert visible <= kernel.answers[4][2] < visible + 20 * 250
    assert kernel.answers[5][0] == layout.AcknowledgeStatus.STOP


def test_a_packet_on_hold_is_waited_for(tmp_path: Path) -> None:
    """The NIC is not idle for longer than its usual patience allows, as long as it may hold a packet."""
    core = Core(tmp_path, FRAMES, patience_clocks=600_000)
    assert core.run(idle=False).clocks > 1_000_000


@pytest.mark.parametrize("address", [RING + 16, (1 << 20) - 32, 1 << 40])
def test_a_read_that_is_not_of_a_line_of_host_memory_ends_the_run(tmp_path: Path, address: int) -> None:
    core = Core(tmp_path, FRAMES)

    def on_clock(clock: int) -> None:
        if clock == 100:
            core.next_tick = core.native.tl_read(ctypes.c_uint64(clock), ctypes.c_uint64(address))

    run = core.run(on_clock=on_clock, every_clock=True)
    assert run.status == 1
    assert f"read from 0x{address:x}" in run.message
