# SPDX-License-Identifier: MIT
"""Frames a second through the whole NIC: this project's batch mode, and cocotbext-axi's source and sink.

The same frames of `opening`, the same Verilog, both simulators, both arms in turn, so that a machine whose speed drifts
hits both. Either arm's time counts from the first frame until every line that the NIC wrote has been compared with the
reference model's; building and starting the simulator count in neither.

At the times of the capture the batch mode also skips the idle clocks, with the same record as if it had not; the peer
has to run them. Back to back there is nothing to skip, and the ratio is what it costs to feed and watch the NIC: the
simulation of the NIC itself is in both arms, and under Icarus it is nearly all of either. So that one has no target.

    python bench/frames_per_second.py [--frames N] [--rounds N] [--sim S]

Exit status 1 if an output is wrong or a ratio is below its target.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from peers.axi_stream import build_peer

from bridge import build, layout, loop, nic_setup
from bridge.interface import LoopRequest, Simulator
from bridge.stimulus import write_stimulus
from generators import profiles
from generators.framing import DEFAULT_GROUP
from tb.agents.fields import offset
from tb.env.records import message_lines
from tb.model.receive import ReceiveModel

Pacing = Literal["back to back", "capture times"]

# Of the medians' ratio, where one is set.
TARGETS: dict[tuple[Simulator, Pacing], float | None] = {
    ("verilator", "back to back"): None,
    ("verilator", "capture times"): 100,
    ("icarus", "back to back"): None,
    ("icarus", "capture times"): 10,
}
PACED_SHARE = 60  # at the times of the capture, one frame in so many is played: there are some 900 clocks to each
RX_LOG2 = 16  # all lines fit: the peer has no driver that would give any back
# A line without the frame's time, which depends on how soon after reset it came, and without its publish word.
_TIME = range(offset(layout.RX_RECORD, "hw_timestamp_ns"), offset(layout.RX_RECORD, "stock_locate"))
COMPARED = [byte for byte in range(offset(layout.RX_RECORD, "publish")) if byte not in _TIME]


@dataclass(frozen=True)
class Work:
    """The frames and what must come of them."""

    frames: list[tuple[int, bytes]]  # ns from the first, bytes
    lines: npt.NDArray[np.uint8]  # (lines, COMPARED)


def _work(frames: int, pacing: Pacing) -> Work:
    generated = profiles.frames(profiles.generate("opening", seed=1, messages=2 * frames), seed=1)
    chosen = [(0 if pacing == "back to back" else time, data) for time, data in generated][:frames]
    model = ReceiveModel(DEFAULT_GROUP.address, DEFAULT_GROUP.port)
    lines = []
    for _, data in chosen:
        for message in model.frame(data).messages:
            continuations, first = message_lines(message, "A", 0)
            lines += [np.frombuffer(line, np.uint8)[COMPARED] for line in (*continuations, first)]
    assert len(chosen) == frames
    assert 0 < len(lines) <= 1 << RX_LOG2
    return Work(chosen, np.array(lines))


def _batch(work: Work, simulator: Simulator, out: Path) -> Callable[[], float]:
    stimulus = out / "stimulus.bin"
    write_stimulus(stimulus, ((time, data, False) for time, data in work.frames))
    request = LoopRequest(stimulus=stimulus, out=out / "batch", simulator=simulator, rx_log2=RX_LOG2)

    def run() -> float:
        result = loop.run(request)
        start = time.perf_counter()
        record = request.out / "record"
        lines = np.fromfile(record / "dma.bin", layout.DMA_LOG)["data"]
        if not np.array_equal(lines[:, COMPARED], work.lines):
            raise SystemExit(f"{simulator}, batch mode: the lines differ from the reference model's")
        return result.wall["loop_s"] + time.perf_counter() - start

    return run


def _peer(work: Work, simulator: Simulator, out: Path) -> Callable[[], float]:
    lines, seconds, order = out / "lines.bin", out / "seconds", out / "peer.json"
    work.lines.tofile(lines)
    setup = nic_setup.register_writes(LoopRequest(stimulus=out, out=out, rx_log2=RX_LOG2), loop.epoch_of(1))
    description: dict[str, Any] = {
        "frames": [(time, data.hex()) for time, data in work.frames], "lines": str(lines), "compared": COMPARED,
        "setup": setup, "seconds": str(seconds),
    }  # fmt: skip
    order.write_text(json.dumps(description))
    simulate = build_peer(simulator, build.BUILD / f"bench-axi-stream-{simulator}")

    def run() -> float:
        seconds.unlink(missing_ok=True)
        simulate(order)
        return float(seconds.read_text())

    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sim", choices=["verilator", "icarus"])
    options = parser.parse_args()
    print(f"{'frames/s, opening':38}{'min':>12}{'median':>12}{'max':>12}")
    missed = False
    for (simulator, pacing), target in TARGETS.items():
        if options.sim in (None, simulator):
            work = _work(options.frames // (1 if pacing == "back to back" else PACED_SHARE), pacing)
            median = _compare(work, simulator, pacing, options.rounds)
            print(f"{'':6}target {target:.0f}x" if target else "")
            missed |= target is not None and median < target
    return int(missed)


def _compare(work: Work, simulator: Simulator, pacing: Pacing, rounds: int) -> float:
    """Both arms in turn; prints what they gave and returns the median ratio."""
    with tempfile.TemporaryDirectory() as directory:
        arms = {
            "batch mode": _batch(work, simulator, Path(directory)),
            "cocotbext-axi": _peer(work, simulator, Path(directory)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in arms}
        for arm in arms.values():
            arm()  # the first run of each warms the file cache up
        for _ in range(rounds):
            for name, arm in arms.items():
                seconds[name].append(arm())
    print(f"{simulator}, {pacing}: {len(work.frames)} frames, {len(work.lines)} lines, {rounds} rounds")
    for name, taken in seconds.items():
        rates = [len(work.frames) / s for s in (max(taken), statistics.median(taken), min(taken))]
        print(f"  {name:36}" + "".join(f"{rate:12,.0f}" for rate in rates))
    ratios = [peer / ours for ours, peer in zip(seconds["batch mode"], seconds["cocotbext-axi"], strict=True)]
    median = statistics.median(ratios)
    print(f"  {'ratio':36}{min(ratios):11.1f}x{median:11.1f}x{max(ratios):11.1f}x", end="")
    return median


if __name__ == "__main__":
    sys.exit(main())
