# SPDX-License-Identifier: MIT
"""Runs without a kernel through the bridge, on both simulators: several in one simulator, two lines, ring modes, raw
ring, clock periods. A run's record does not depend on what ran before it, on the simulator, or on idle skipping."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import build, layout, loop
from bridge.interface import CLOCK_PS_25G, BridgeError, LoopRequest, LoopResult, Simulator
from bridge.layout import DropReason
from bridge.stimulus import LINE_A, LINE_B, Frame, write_stimulus
from generators import profiles
from generators.framing import DEFAULT_GROUP, FrameEncoder, mold_packet
from tickloop.rundir.lines import Records, ring_records

SIMULATORS: tuple[Simulator, ...] = ("icarus", "verilator")
LOGS = ("frames", "dma", "sent", "raw")
ENCODER = FrameEncoder(DEFAULT_GROUP)
HOST_MAC = bytes.fromhex("020000000001")
every_simulator = pytest.mark.parametrize("simulator", SIMULATORS)


def _packet(first: int, count: int = 1) -> bytes:
    """A frame with ``count`` system events."""
    return ENCODER.encode(mold_packet([b"S" + bytes([i]) * 11 for i in range(count)], first))


def _opening(messages: int = 80, seed: int = 1) -> list[Frame]:
    generated = profiles.frames(profiles.generate("opening", seed=seed, messages=messages), seed=seed)
    return [(time, data, False) for time, data in generated]


def _request(directory: Path, name: str, frames: list[Frame], simulator: Simulator, **changes: Any) -> LoopRequest:
    stimulus = directory / f"{name}.bin"
    write_stimulus(stimulus, frames)
    return LoopRequest(stimulus=stimulus, out=directory / f"{name}-{simulator}", simulator=simulator, **changes)


def _digest(request: LoopRequest) -> str:
    record = request.out / "record"
    return hashlib.sha256(b"".join((record / f"{name}.bin").read_bytes() for name in LOGS)).hexdigest()


def _messages(result: LoopResult) -> Records:
    records = ring_records(result)
    assert not records.problems
    assert len(records)
    return records


def _contents(records: Records) -> list[bytes]:
    """What a host reads of each record, without its time and without the ring's word."""
    time = layout.RX_RECORD.fields["hw_timestamp_ns"]
    end = layout.RX_RECORD.fields["publish"][1]
    keep = [i for i in range(end) if not time[1] <= i < time[1] + time[0].itemsize]
    return [line[keep].tobytes() + records.continuations.get(i, b"") for i, line in enumerate(records.first)]


def _both_lines(seed: int = 5) -> list[Frame]:
    """A stream on both lines, each with losses of its own, line B some time behind; equal times and bad frames, too."""
    rng = random.Random(seed)
    frames: list[Frame] = []
    sequence = 1
    for i in range(90):
        count = rng.randrange(1, 5)
        data = _packet(sequence, count)
        sequence += count
        skew = rng.choice([0, 0, 300, 5000])
        if rng.random() < 0.85:
            frames.append((1000 * i, data, rng.random() < 0.1, LINE_A))
        if rng.random() < 0.85:
            frames.append((1000 * i + skew, data, rng.random() < 0.1, LINE_B))
    return sorted(frames, key=lambda frame: (frame[0], frame[3:]))


@every_simulator
def test_runs_that_share_a_simulator_are_as_if_alone(tmp_path: Path, simulator: Simulator) -> None:
    """Also behind a run that failed, and behind one that left a packet on hold and half the ring in use."""
    opening, lines = _opening(), _both_lines()
    damaged = _request(tmp_path, "damaged", opening, simulator)
    damaged.stimulus.write_bytes(damaged.stimulus.read_bytes()[:-1])
    together = [
        _request(tmp_path, "one", opening, simulator),
        _request(tmp_path, "two", lines, simulator, hold_ns=3000, events=("STREAM", "BAD", "DROP", "LOST")),
        damaged,
        _request(tmp_path, "three", lines, simulator, delivery="verified", rx_mode="descriptors", rx_log2=6),
        _request(tmp_path, "four", opening, simulator, seed=2),
        _request(tmp_path, "five", opening, simulator),
    ]
    results = list(loop.run_many(together))
    assert [isinstance(result, BridgeError) for result in results] == [False, False, True, False, False, False]
    assert isinstance(results[2], BridgeError)
    assert "is damaged" in str(results[2])
    shared = [_digest(request) for request in together]
    assert shared[5] == shared[0]
    assert len(set(shared)) == 5
    for request, digest in zip(together[:5], shared[:5], strict=True):
        if request is not damaged:
            alone = replace(request, out=tmp_path / "alone" / request.out.name)
            loop.run(alone)
            assert _digest(alone) == digest, request.out.name


@every_simulator
def test_a_simulator_that_dies_takes_one_run_with_it(
    tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        processes.append(popen(*arguments, **options))
        return processes[-1]

    popen = subprocess.Popen
    requests = [
        _request(tmp_path, "short", _opening(50), simulator),
        _request(tmp_path, "long", _opening(200_000 if simulator == "verilator" else 4000), simulator),
        _request(tmp_path, "last", _opening(50), simulator),
    ]
    results = loop.run_many(requests)
    first = None
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", start)
        first = next(results)
        simulations = [process for process in processes if process.poll() is None]
        assert len(simulations) == 1
        os.kill(simulations[0].pid, signal.SIGKILL)
        second = next(results)
    (third,) = results
    assert isinstance(first, LoopResult)
    assert isinstance(second, BridgeError)
    assert second.exit_status == 5
    assert isinstance(third, LoopResult)
    assert _digest(requests[0]) == _digest(requests[2])


def test_runs_that_cannot_share_a_simulator(tmp_path: Path) -> None:
    request = _request(tmp_path, "one", _opening(1), "icarus")
    for other in (replace(request, simulator="verilator"), replace(request, clock_ps=CLOCK_PS_25G),
                  replace(request, kernel=tmp_path / "kernel")):  # fmt: skip
        with pytest.raises(ValueError, match="share"):
            list(loop.run_many([request, other]))
    assert list(loop.run_many([])) == []


@every_simulator
def test_waves_of_several_runs_are_each_in_its_directory(tmp_path: Path, simulator: Simulator) -> None:
    requests = [_request(tmp_path, f"run{i}", _opening(5), simulator, waves=True) for i in range(2)]
    results = list(loop.run_many(requests))
    for request, result in zip(requests, results, strict=True):
        assert isinstance(result, LoopResult)
        assert result.waves == request.out / "waves.vcd"
        assert result.waves.stat().st_size > 0


@every_simulator
def test_both_lines_are_logged_in_wire_order(tmp_path: Path, simulator: Simulator) -> None:
    """Equal times: A before B, and A's copy is the one delivered."""
    frames: list[Frame] = []
    for i in range(20):
        frames += [(2000 * i, _packet(1 + i), False, LINE_A), (2000 * i, _packet(1 + i), False, LINE_B)]
    result = loop.run(_request(tmp_path, "equal", frames, simulator))
    assert result.frames["line"].tolist() == [0, 1] * 20
    assert result.frames["sequence"].tolist() == [1 + i // 2 for i in range(40)]
    assert np.array_equal(result.frames["first_clock"][::2], result.frames["first_clock"][1::2])
    assert set(result.frames["reason"].tolist()) == {DropReason.ACCEPT}
    records = _messages(result)
    assert records.column("sequence").tolist() == list(range(1, 21))
    assert not (records.column("status") & np.uint64(layout.STATUS_LINE_B)).any()
    assert result.registers["FRAMES"] == 40
    assert result.registers["FRAMES_B"] == 20
    assert result.registers["DUPLICATES"] == 20


def test_two_lines_are_the_same_run_however_it_is_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte: on either simulator, with and without idle skipping, with and without clock gates."""
    digests = set()

    def run(name: str, simulator: Simulator, skip: bool) -> None:
        request = _request(tmp_path, name, _both_lines(), simulator, skip_idle=skip, hold_ns=2000)
        result = loop.run(request)
        assert (result.clocks_skipped > 0) == skip
        assert len(result.frames) > 120
        digests.add((_digest(request), result.clocks))

    for simulator in SIMULATORS:
        for skip in (True, False):
            run(f"skip{skip}", simulator, skip)
    monkeypatch.setattr(build, "build_simulator", lambda *_: build.build_icarus(gates=False))
    run("without gates", "icarus", False)
    assert len(digests) == 1


@every_simulator
@pytest.mark.parametrize("rx_log2", [4, 9])
def test_descriptors_hold_the_same_records(tmp_path: Path, simulator: Simulator, rx_log2: int) -> None:
    """A ring of 16 at a fixed address, too; the NIC touches nothing but descriptors' write-backs and buffers."""
    frames = _opening()
    lines = loop.run(_request(tmp_path, "lines", frames, simulator))
    request = _request(tmp_path, "descriptors", frames, simulator, rx_mode="descriptors", rx_log2=rx_log2)
    descriptors = loop.run(request)
    assert _contents(_messages(descriptors)) == _contents(_messages(lines))
    assert descriptors.rx_base == layout.RESERVED_BASE
    whole = descriptors.dma["strobe"] == np.uint64((1 << layout.LINE_BYTES) - 1)
    back = descriptors.dma[~whole]
    assert len(back) == whole.sum()
    ring_bytes = layout.DESCRIPTOR_BYTES << rx_log2
    assert (back["address"] - np.uint64(descriptors.rx_base) < ring_bytes).all()
    marks = {0xFF << 8 << layout.DESCRIPTOR_BYTES * i for i in range(layout.LINE_BYTES // layout.DESCRIPTOR_BYTES)}
    assert set(back["strobe"].tolist()) == marks, "the half with length and status"
    assert len(descriptors.reads) >= len(back) // 4
    assert len(lines.reads) == 0


@every_simulator
def test_frames_for_the_host_arrive_in_the_raw_ring(tmp_path: Path, simulator: Simulator) -> None:
    """On both lines, between market data; not frames for another host, nor bad ones."""
    rng = random.Random(2)

    def ether(destination: bytes, length: int) -> bytes:
        return destination + bytes(6) + b"\x08\x06" + rng.randbytes(length - 14)

    broadcast, other = b"\xff" * 6, bytes.fromhex("020000000002")
    expected = [(LINE_A, ether(HOST_MAC, 60)), (LINE_B, ether(broadcast, 42)), (LINE_A, ether(HOST_MAC, 1514))]
    frames: list[Frame] = [
        (0, _packet(1), False, LINE_A),
        (1000, expected[0][1], False, LINE_A),
        (4000, ether(other, 60), False, LINE_B),
        (6000, expected[1][1], False, LINE_B),
        (8000, ether(HOST_MAC, 60), True, LINE_A),
        (10_000, expected[2][1], False, LINE_A),
        (14_000, _packet(2), False, LINE_B),
    ]
    result = loop.run(_request(tmp_path, "raw", frames, simulator, raw_ring=True))
    assert [(frame.line, frame.data) for frame in result.raw] == expected
    assert {frame.reason for frame in result.raw} == {DropReason.NOT_IPV4}
    assert _messages(result).column("sequence").tolist() == [1, 2]
    assert result.registers["RAW_FRAMES"] == 3
    assert result.registers["RAW_TAIL"] == result.registers["RAW_HEAD"]


@every_simulator
def test_25_gigabit_ethernet_has_the_same_messages(tmp_path: Path, simulator: Simulator) -> None:
    """The clock period is the only difference: times in ns stay the capture's, to the clock."""
    frames = _opening()
    slow = loop.run(_request(tmp_path, "10g", frames, simulator))
    fast = loop.run(_request(tmp_path, "25g", frames, simulator, clock_ps=CLOCK_PS_25G))
    assert _contents(_messages(fast)) == _contents(_messages(slow))
    for result in (slow, fast):
        ns = result.frames["hw_timestamp_ns"].astype(np.int64)
        captured = np.array([time for time, *_ in frames])
        late = ns - ns[0] - captured
        free = np.append(True, np.diff(captured) > 2000)  # not behind a busy line
        assert free.sum() > 20
        assert (np.abs(late[free]) <= result.clock_ps / 1000 + 1).all()
        played = (result.frames["first_clock"] - result.frames["first_clock"][0]) * result.clock_ps / 1000
        assert (np.abs(ns - ns[0] - played) < 1).all(), "the NIC's time is that of its clocks"


@every_simulator
def test_a_packet_on_hold_at_the_end_is_not_a_hang(tmp_path: Path, simulator: Simulator) -> None:
    """Nothing fills the gap: it is told when the time is over, far behind the last frame."""
    hold_ns = 4_000_000 if simulator == "verilator" else 200_000
    frames: list[Frame] = [(0, _packet(1), False), (1000, _packet(5), False)]
    result = loop.run(_request(tmp_path, "hold", frames, simulator, hold_ns=hold_ns))
    records = _messages(result)
    assert records.column("sequence").tolist() == [1, 5]
    waited = int(records.clock[1]) - int(result.frames["first_clock"][1])
    assert 0 <= waited * result.clock_ps - hold_ns * 1000 < 100 * result.clock_ps
    assert result.registers["GAPS"] == 1


def test_set_up_that_the_nic_refuses_ends_the_run(tmp_path: Path) -> None:
    request = _request(tmp_path, "refused", _opening(1), "icarus", registers=(("RX_LOG2", 17),))
    with pytest.raises(BridgeError, match=f"refused a write to register 0x{layout.REGISTERS['RX_LOG2']:03x}"):
        loop.run(request)
