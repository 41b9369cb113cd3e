# SPDX-License-Identifier: MIT
"""Differential fuzz: mutated frames through the RTL in batch mode and through the reference model, chunk by chunk.

Each chunk is a run from reset with a configuration of its own, drawn from the seed: one line or two, either delivery,
hold, jumbo frames, the prototype's format, ring lines or descriptors. Every frame's verdict, every message with all
its fields, event lines and counters must be equal; every DMA write must lie in the windows; the NIC must come to rest
with no error bit set. A difference is cut down to the fewest frames that still show it; the last line says how to
repeat it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bridge import build, layout, loop
from bridge.interface import BridgeError, Delivery, LoopRequest, LoopResult, RingMode, Simulator
from bridge.stimulus import write_stimulus
from generators.captures import write_pcap
from generators.mutation import Traffic, prototype_traffic, traffic
from tb.model.config import KernelConfig
from tickloop.checks import check_logs, check_receive, predict
from tickloop.config import NicConfig, RunConfig
from tickloop.inputs import LineFrame
from tickloop.run import capacity_exceeded
from tickloop.rundir.observed import observe

CHUNK = 10_000  # frames
JUMBO_CHUNK = 500
GROUP = 4  # chunks a simulator process
PROCESSES = 2
DESCRIPTOR_PACE = 8
LINES = ("A", "B")


@dataclass(frozen=True)
class Chunk:
    """One run: everything about it follows from seed, number and size."""

    seed: int
    number: int
    frames: int
    simulator: Simulator

    @property
    def command(self) -> str:
        return (f"python -m scripts.fuzz --seed {self.seed} --chunk {self.number} --frames {self.frames} "
                f"--sim {self.simulator}")

    @property
    def directory(self) -> Path:
        return build.BUILD / "fuzz" / f"{self.simulator}.{self.seed}.{self.number}"


@dataclass(frozen=True)
class Case:
    """A chunk's configuration and frames."""

    nic: NicConfig
    frames: list[LineFrame]


def case(chunk: Chunk) -> Case:
    random = Random(f"{chunk.seed}/{chunk.number}")
    jumbo, prototype = random.random() < 0.1, random.random() < 0.08
    two_lines = random.random() < 0.75
    delivery: Delivery = random.choice(("verified", "cut-through"))
    mode: RingMode = random.choice(("lines", "lines", "descriptors")) if not jumbo else "lines"
    # Line rate is the one-line ring's promise; descriptors cost the host's answer, so their messages come slower.
    pace = 1 if mode == "lines" else DESCRIPTOR_PACE
    number_seed, share = random.getrandbits(64), random.choice((0.05, 0.3, 0.7))
    if prototype:
        frames = _line_frames(prototype_traffic(number_seed, chunk.frames, share), pace)
        return Case(NicConfig(mode=mode, delivery=delivery, packet_format="prototype"), frames)
    count = min(chunk.frames, JUMBO_CHUNK) if jumbo else chunk.frames
    frames = _line_frames(traffic(number_seed, count, share, two_lines, jumbo), pace)
    # What was held comes all at once, which is more than descriptors keep up with.
    hold_ns = random.choice((0, 0, 5_000, 50_000)) if two_lines and mode == "lines" else 0
    return Case(NicConfig(mode=mode, delivery=delivery, hold_ns=hold_ns), frames)


def _line_frames(made: Traffic, pace: int) -> list[LineFrame]:
    return [LineFrame("B" if made.line[i] else "A", pace * int(made.time_ns[i]), made.frames.frame(i),
                      bool(made.bad_fcs[i])) for i in range(len(made))]


def request(nic: NicConfig, frames: Sequence[LineFrame], simulator: Simulator, directory: Path) -> LoopRequest:
    """The run of these frames; its stimulus is written."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    stimulus = directory / "stimulus.bin"
    write_stimulus(stimulus, ((frame.time_ns, frame.data, frame.bad_fcs, LINES.index(frame.line)) for frame in frames))
    return LoopRequest(stimulus, directory, simulator, delivery=nic.delivery, hold_ns=nic.hold_ns, rx_mode=nic.mode,
                       packet_format=nic.packet_format, events=tuple(layout.REGISTER_FIELDS["EVENT_ENABLE"]))


def differences(nic: NicConfig, frames: Sequence[LineFrame], result: LoopResult | BridgeError) -> list[str]:
    """What is wrong with a run. Empty also where model and NIC may differ, because a hold ended too near a frame."""
    if isinstance(result, BridgeError):
        return [f"the run failed ({result.exit_status}): {result}"]
    found = _outside_windows(result) + _error_bits(result)
    observed = observe(result, closed_loop=False)
    config = RunConfig(KernelConfig(), nic=nic)
    prediction = predict(frames, config, result, observed, closed_loop=False)
    problems = [*observed.problems, *observed.disagreements()]
    comparisons = [*check_receive(prediction, observed), check_logs(problems, len(observed.messages))]
    wrong = [line for comparison in comparisons for line in comparison.differences]
    if wrong and prediction.doubtful and not found:
        return []
    if len(observed.frames) != len(frames):
        found.append(f"{len(frames)} frames went in, {len(observed.frames)} were reported")
    return found + capacity_exceeded(observed.counters, result.rx_log2) + wrong


def _windows(result: LoopResult) -> list[tuple[int, int]]:
    wide = {name[:-3]: result.registers[name] | result.registers[f"{name[:-3]}_HI"] << 32
            for name in result.registers if name.endswith("_LO") and name.startswith("WINDOW")}
    return [(wide[f"{name}_BASE"], wide[f"{name}_SIZE"]) for name in ("WINDOW", "WINDOW2")]


def _outside_windows(result: LoopResult) -> list[str]:
    address = result.dma["address"].astype(np.uint64)
    inside = np.zeros(len(address), np.bool_)
    for base, size in _windows(result):
        if size:
            inside |= (address >= base) & (address <= base + size - layout.LINE_BYTES)
    return [f"DMA write to 0x{int(at):x}, outside the windows" for at in address[~inside][:3]]


def _error_bits(result: LoopResult) -> list[str]:
    names = [name for name, mask in layout.REGISTER_FIELDS["ERRORS"].items() if result.registers["ERRORS"] & mask]
    return [f"error bit {name} is set" for name in names]


def run_chunks(chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, int, int, list[str]]]:
    """Runs chunks in one simulator process; yields each with its frames, accepted frames and differences."""
    cases = [case(chunk) for chunk in chunks]
    requests = [request(made.nic, made.frames, chunk.simulator, chunk.directory)
                for chunk, made in zip(chunks, cases, strict=True)]
    for chunk, made, result in zip(chunks, cases, loop.run_many(requests), strict=True):
        found = differences(made.nic, made.frames, result)
        accepted = 0 if isinstance(result, BridgeError) else int(
            np.count_nonzero(result.frames["reason"] == layout.DropReason.ACCEPT))
        yield chunk, len(made.frames), accepted, found
        if not found:
            shutil.rmtree(chunk.directory, ignore_errors=True)


def _run_group(chunks: Sequence[Chunk]) -> list[tuple[Chunk, int, int, list[str]]]:
    return list(run_chunks(chunks))


def shrink(chunk: Chunk, nic: NicConfig, frames: list[LineFrame], budget: int = 40) -> list[LineFrame]:
    """The fewest frames found in ``budget`` runs that still show a difference (delta debugging, halves to singles)."""
    left = budget

    def fails(subset: list[LineFrame]) -> bool:
        nonlocal left
        left -= 1
        try:
            result: LoopResult | BridgeError = loop.run(request(nic, subset, chunk.simulator, chunk.directory))
        except BridgeError as error:
            result = error
        return bool(differences(nic, subset, result))

    size = -(-len(frames) // 2)
    while left > 0:
        start, removed = 0, False
        while start < len(frames) and left > 0 and len(frames) > 1:
            subset = frames[:start] + frames[start + size:]
            if subset and fails(subset):
                frames, removed = subset, True
            else:
                start += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return frames


def tell(chunk: Chunk, found: Sequence[str]) -> None:
    """Prints a chunk's differences, the fewest frames that show one, and how to repeat both."""
    made = case(chunk)
    print(f"chunk {chunk.number} ({made.nic}):")
    for line in found[:10]:
        print(f"  {line}")
    frames = shrink(chunk, made.nic, made.frames)
    kept = request(made.nic, frames, chunk.simulator, chunk.directory)
    for line in LINES:
        write_pcap(kept.out / f"line_{line.lower()}.pcap",
                   ((frame.time_ns, frame.data) for frame in frames if frame.line == line))
    print(f"{len(frames)} of {len(made.frames)} frames show a difference (in {kept.out}, as captures too):")
    for frame in frames[:8]:
        print(f"  line {frame.line} {frame.time_ns} ns{' bad FCS' if frame.bad_fcs else ''} {frame.data.hex()}")
    print(f"repeat with: {chunk.command}")


def fuzz(seed: int, frames: int, simulator: Simulator, only: int | None = None, size: int = CHUNK) -> dict[str, Any]:
    """Runs chunks until ``frames`` frames went through, or one chunk; returns the totals and the first difference."""
    build.build_simulator(simulator, waves=False)
    totals: dict[str, Any] = {"frames": 0, "accepted": 0, "chunks": 0, "failed": None}
    start, number = time.monotonic(), 0
    with ProcessPoolExecutor(PROCESSES) as pool:
        while totals["frames"] < frames and totals["failed"] is None:
            if only is not None:
                groups = [[Chunk(seed, only, frames, simulator)]]
            else:
                chunk_frames = min(size, frames)
                groups = [[Chunk(seed, number + PROCESSES * i + process, chunk_frames, simulator) for i in range(GROUP)]
                          for process in range(PROCESSES)]
                if frames <= size:
                    groups = [groups[0][:1]]
            number += sum(map(len, groups))
            for results in pool.map(_run_group, groups):
                for chunk, count, accepted, found in results:
                    totals["frames"] += count
                    totals["accepted"] += accepted
                    totals["chunks"] += 1
                    if found and totals["failed"] is None:
                        totals["failed"] = (chunk, found)
            rate = totals["frames"] / (time.monotonic() - start)
            print(f"{totals['frames']:,} frames, {totals['accepted']:,} accepted, {rate:,.0f} frames/s", flush=True)
            if only is not None:
                break
    return totals


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000, help="how many, or of one chunk how large it is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sim", choices=("verilator", "icarus"), default="verilator")
    parser.add_argument("--chunk", type=int, help="only this chunk")
    arguments = parser.parse_args()
    if arguments.frames < 1:
        parser.error("--frames: at least 1")
    totals = fuzz(arguments.seed, arguments.frames, arguments.sim, arguments.chunk)
    if totals["failed"]:
        tell(*totals["failed"])
        return 1
    if not totals["accepted"]:
        print("fuzz: no frame was accepted: nothing was compared", file=sys.stderr)
        return 1
    print(f"{totals['frames']:,} frames in {totals['chunks']} chunks: no difference (seed {arguments.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
