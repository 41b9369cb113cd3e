# SPDX-License-Identifier: MIT
"""What the SmartNIC buys: executed instructions a message in the kernel, exact, with records from the RTL, and with
frames from an e1000 that the kernel parses itself, in C and in assembly.

The same messages go through the closed loop and through run=e1000 under -icount. Their orders, byte for byte, and their
books must be the same, or the script fails. Then the parsers natively: nanoseconds from a frame in the cache to its
first record.

    python bench/software_parser.py [--profile NAME] [--messages N] [--rounds N] [--svg FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scapy.utils import RawPcapReader

from bridge import build, frame_kernel
from bridge.layout import TRACE_LOG
from generators.framing import FrameEncoder, end_of_session, pack_messages
from generators.profiles import generate
from tickloop.config import compile_module, load_config
from tickloop.inputs import from_scenario
from tickloop.run import Job, execute
from tickloop.rundir.books import parse_export

HERE = Path(__file__).resolve().parent
PROFILES = {"opening": "about 1 message a packet", "mass_quote": "38 messages a packet"}
PARSERS = {"c": "C", "asm": "assembly"}
COLOURS = ("#b03a2e", "#1d6f42")


@dataclass(frozen=True)
class Cost:
    """Mean instructions a message: to parse it, and for books, strategy and orders."""

    parsing: float
    trading: float

    @property
    def whole(self) -> float:
        return self.parsing + self.trading


@dataclass(frozen=True)
class Run:
    """What a run sent, the books it ended with, and what a message cost."""

    orders: list[bytes]
    books: list[dict[str, Any]]
    cost: Cost


def frames_of(profile: str, messages: int) -> list[bytes]:
    encoder = FrameEncoder()
    packets = pack_messages(generate(profile, 1, messages))
    return [encoder.encode(packet) for _, packet in packets] + [encoder.encode(end_of_session(messages + 1))]


def through_rtl(profile: str, messages: int, folder: Path) -> Run:
    config = load_config(None)
    out = folder / f"rtl_{profile}"
    source = from_scenario(profile, 1, messages, config.group)
    if not execute(Job("sim", source, config, out, "verilator")).passed:
        raise SystemExit(f"{profile}: the closed loop failed its checks")
    trace = np.fromfile(out / "record/trace.bin", TRACE_LOG)
    trace = trace[trace["type"] >= ord("A")]
    orders = [frame for frame, _ in RawPcapReader(str(out / "orders.pcap"))]
    return Run(orders, json.loads((out / "books.json").read_text()), Cost(0, float(trace["done_work"].mean())))


def in_software(frames: Sequence[bytes], messages: int, parser: str, folder: Path) -> Run:
    """Once in full, and once without books for what parsing alone takes."""
    module = folder / "config.bin"
    module.write_bytes(compile_module(load_config(None).kernel))
    runs = []
    for books in ("on", "off"):
        words = (f"parser={parser}", f"books={books}")
        runs.append(frame_kernel.run(build.build_kernel(), module, frames, words))
        if runs[-1].statistics["messages"] != messages:
            raise SystemExit(f"{' '.join(words)}: {runs[-1].statistics['messages']} of {messages} messages arrived")
    whole, parsing = (run.statistics["work"] / messages for run in runs)
    return Run(runs[0].orders, parse_export(runs[0].export).books, Cost(parsing, whole - parsing))


def compare(profile: str, messages: int, folder: Path) -> dict[str, Cost]:
    """The costs by who parses; fails unless all runs did the same."""
    rtl, frames = through_rtl(profile, messages, folder), frames_of(profile, messages)
    costs = {"SmartNIC": rtl.cost}
    for parser, name in PARSERS.items():
        run = in_software(frames, messages, parser, folder)
        if run.books != rtl.books or run.orders != rtl.orders or not (run.orders or profile != "opening"):
            raise SystemExit(f"{profile}: books or orders of the parser in {name} are not those of the closed loop")
        costs[name] = run.cost
    print(f"{profile}, {messages:,} messages, {PROFILES[profile]}: {len(rtl.orders)} orders and {len(rtl.books)} books "
          "the same in all three")
    print(f"{'instructions a message':24}{'parsing':>10}{'trading':>10}{'in all':>10}")
    for name, cost in costs.items():
        print(f"{name:24}{cost.parsing:10.1f}{cost.trading:10.1f}{cost.whole:10.1f}"
              f"{cost.whole / rtl.cost.whole:8.2f} x")
    return costs


def natively(profile: str, messages: int, rounds: int, folder: Path) -> None:
    path = folder / "frames.bin"
    path.write_bytes(b"".join(len(frame).to_bytes(4, "little") + frame for frame in frames_of(profile, messages)))
    program = build.build_native(HERE / "native/software_parser.c", *(
        str(build.ROOT / "firmware/parser" / name) for name in ("parser.c", "unpack.S")))
    result = json.loads(subprocess.check_output([program, path, str(rounds)]))
    for name, figures in result.items():
        first, frame = figures["first_record"], figures["frame"]
        print(f"{profile}, natively, {name}: frame to first record p50 {first['p50']}, p99 {first['p99']}, "
              f"p99.9 {first['p99_9']} ns; whole frame p50 {frame['p50']}, p99 {frame['p99']} ns; "
              f"best round {figures['mean_ns']} ns a message")


def draw(costs: Mapping[str, Mapping[str, Cost]]) -> str:
    """Bars to the right, one a parser and profile: parsing, then trading."""
    most = max(cost.whole for rows in costs.values() for cost in rows.values())
    left, width, step, y = 110, 560, 30, 34
    parts = []
    for profile, rows in costs.items():
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{profile}: {PROFILES[profile]}</text>')
        for name, cost in rows.items():
            y += step
            x = float(left)
            parts.append(f'<text x="{left - 8}" y="{y}" text-anchor="end">{name}</text>')
            for value, colour in zip((cost.parsing, cost.trading), COLOURS, strict=True):
                length = value / most * width
                if not value:
                    continue
                parts.append(f'<rect x="{x:.1f}" y="{y - 15}" width="{length:.1f}" height="20" fill="{colour}"/>')
                x += length
            parts.append(f'<text x="{x + 8:.1f}" y="{y}">{cost.whole:.0f}</text>')
        y += step + 16
    for row, (what, colour) in enumerate(zip(("parsing", "books, strategy, orders"), COLOURS, strict=True)):
        at = left + 120 * row
        parts += [f'<rect x="{at}" y="{y - 24}" width="12" height="12" fill="{colour}"/>',
                  f'<text x="{at + 18}" y="{y - 13}">{what}</text>']
    parts.append(f'<text x="{left + 330}" y="{y - 13}">executed instructions a message</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {y}" font-family="sans-serif" font-size="13">',
        f'<rect width="760" height="{y}" fill="white"/>', *parts, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, action="append", help="default: all")
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=20, help="of the native measurement")
    parser.add_argument("--svg", type=Path, help="where to draw the costs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = options.profile or list(PROFILES)
        costs = {profile: compare(profile, options.messages, folder) for profile in profiles}
        for profile in profiles:
            natively(profile, options.messages, options.rounds, folder)
    if options.svg:
        options.svg.write_text(draw(costs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
