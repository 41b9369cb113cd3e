# SPDX-License-Identifier: MIT
"""The RX ring of lines against the ring of descriptors: the same frames, the same host, no kernel.

Streams: `opening` at its own times (what one message costs and how long it takes), `opening` back to back, and full
packets of the shortest messages back to back on both lines (the most that a 10GbE line can carry). Everything printed
is simulated, and so the same on every machine.

    python bench/ring_modes.py [--messages N] [--sim S] [--descriptors LOG2]

Latency counts from the frame's last beat at the port until its last message's record is visible to the host, in clocks;
of that, the posted write across the interconnect takes a fixed part, and in descriptor mode the write-back is one more
transaction behind it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bridge import loop
from bridge.interface import LoopRequest, LoopResult, RingMode
from bridge.stimulus import LINE_A, LINE_B, Frame, write_stimulus
from generators import profiles
from generators.framing import DEFAULT_GROUP, FrameEncoder, mold_packet
from generators.tables import ITCH50
from tickloop.rundir.lines import ring_records

MODES: tuple[RingMode, ...] = ("lines", "descriptors")
PACKET_BYTES = 1472 - 20  # of a UDP payload behind the MoldUDP64 header
LENGTH_BYTES = 2


def _opening(messages: int, back_to_back: bool) -> Iterable[Frame]:
    for time, data in profiles.frames(profiles.generate("opening", seed=1, messages=messages), seed=1):
        yield (0 if back_to_back else time), data, False


def _shortest(messages: int) -> Iterable[Frame]:
    """System events in full packets, the same on both lines."""
    message = b"S" + bytes(ITCH50["S"].length - 1)
    encoder = FrameEncoder(DEFAULT_GROUP)
    a_packet = PACKET_BYTES // (LENGTH_BYTES + len(message))
    for first in range(0, messages, a_packet):
        data = encoder.encode(mold_packet([message] * min(a_packet, messages - first), 1 + first))
        for line in (LINE_A, LINE_B):
            yield 0, data, False, line


def _report(mode: RingMode, result: LoopResult, posted_write_clocks: int) -> str:
    records = ring_records(result)
    if records.problems or not len(records):
        raise SystemExit(f"{mode}: {records.problems or 'no records'}")
    sequence = records.column("sequence").astype(np.int64)
    visible = dict(zip(sequence.tolist(), (records.clock + posted_write_clocks).tolist(), strict=True))
    waits = [
        visible[last] - int(frame["last_clock"])
        for frame in result.frames
        if frame["reason"] == 0 and (last := int(frame["sequence"]) + int(frame["count"]) - 1) in visible
    ]
    lost = result.registers["RX_RING_FULL_DROPPED"] + result.registers["RX_TOO_LARGE_DROPPED"]
    clocks = int(result.frames["last_clock"].max()) - int(result.frames["first_clock"].min())
    spread = f"{min(waits):8}{statistics.median(waits):8.0f}{max(waits):8}"
    return (
        f"  {mode:14}{len(records):10,}{lost:8,}{clocks / len(records):12.2f}"
        f"{len(result.dma) / len(records):10.2f}{len(result.reads) / len(records):10.2f}{spread}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--sim", default="verilator", choices=["verilator", "icarus"])
    parser.add_argument("--descriptors", type=int, default=12, metavar="LOG2", help="log2 of both rings' size")
    options = parser.parse_args()
    streams = {
        "opening, its own times": list(_opening(options.messages, back_to_back=False)),
        "opening, back to back": list(_opening(options.messages, back_to_back=True)),
        "shortest messages, both lines, back to back": list(_shortest(options.messages)),
    }
    print(f"rings of {1 << options.descriptors} slots; clocks are of the frames' passing, a message delivered")
    columns = {"delivered": 10, "lost": 8, "clocks/msg": 12, "writes": 10, "reads": 10, "latency: min, median, max": 27}
    print(" " * 16 + "".join(f"{name:>{width}}" for name, width in columns.items()))
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        for name, frames in streams.items():
            stimulus = out / "stimulus.bin"
            write_stimulus(stimulus, frames)
            requests = [
                LoopRequest(
                    stimulus=stimulus, out=out / mode, simulator=options.sim, rx_mode=mode, rx_log2=options.descriptors
                )
                for mode in MODES
            ]
            print(name)
            for request, result in zip(requests, loop.run_many(requests), strict=True):
                if not isinstance(result, LoopResult):
                    raise result
                posted = -(-request.posted_write_ns * 1000 // request.clock_ps)
                print(_report(request.rx_mode, result, posted))


if __name__ == "__main__":
    main()
