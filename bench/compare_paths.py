# SPDX-License-Identifier: MIT
"""Handing a message from one processor to another, inside the kernel: by an interrupt and a task that it wakes, by
naive shared memory, and by the ring of firmware/tasks/spsc.h. The comparison that linux_hft makes of its own paths.

One message at a time, the consumer waiting for it; a sample is the time from before the message is written until it has
been read. All samples are kept: DIR/compare.csv, in time-stamp counts; DIR/compare.svg has their distributions,
DIR/compare.json the percentiles (nearest rank).

A busy host takes a processor away for milliseconds, in a few of the turns of 250 messages by which the paths alternate,
and a percentile near the end is nothing else. So there is also the p99 of a turn, the median of all turns: what a path
costs where it is left alone. Under -icount, on one processor, paths cost exact numbers of instructions, p99 included.

The waiting processor halts; with idle=spin it looks for work for 200 us first; on one processor both sides are tasks.
The latter two get a quarter of the samples.

    python bench/compare_paths.py [--samples N] [--processors N] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from tests.platform.compare.samples import PATHS, Samples, measure

MEANING = {"blocking": "interrupt, then a task woken", "interrupt": "of that, until the handler runs",
           "woken": "a task woken by a word, and by an interrupt where nobody looks at that",
           "naive": "shared memory, indices in one line", "ring": "ring, a line a message",
           "switch": "no message: one task yields to another"}
PERCENTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
TURN = 250  # messages of a path at a stretch, as firmware/compare/paths.c has it
# linux_hft's CSVs (dd29539): time-stamp counts, 1,000 samples; its ratios of blocking to ring are 69.7 and 83.0.
SEED = {"blocking": (570_492, 965_693, 1_383_176), "naive": (16_882, 183_610, 366_470), "ring": (8_190, 11_635, 63_281)}


def percentiles(samples: Any) -> dict[str, int]:
    """By nearest rank."""
    ordered = np.sort(samples)
    return {name: int(ordered[math.ceil(share * len(ordered)) - 1]) for name, share in PERCENTILES.items()}


def turn_p99(samples: Any) -> int:
    """The p99 of each whole turn, and of these the median."""
    turns = np.sort(samples[:len(samples) // TURN * TURN].reshape(-1, TURN), axis=1)
    return int(np.median(turns[:, math.ceil(0.99 * TURN) - 1]))


def summarize(taken: Samples, tsc_hz: int) -> dict[str, Any]:
    counts = {name: percentiles(samples) for name, samples in taken.items()}
    ns = {name: {p: round(value * 1e9 / tsc_hz, 1) for p, value in values.items()} for name, values in counts.items()}
    ratios = {name: {p: round(counts[name][p] / counts["ring"][p], 1) for p in PERCENTILES}
              for name in ("blocking", "naive")}
    turns = {name: round(turn_p99(samples) * 1e9 / tsc_hz, 1) for name, samples in taken.items()}
    return {"samples": len(taken["ring"]), "tsc_hz": tsc_hz, "tsc": counts, "ns": ns, "turn_p99_ns": turns,
            "ratio_to_ring": ratios}


def draw(taken: Samples, tsc_hz: int) -> str:
    """The distributions as an SVG: time on a logarithmic scale to the right, share of the samples upwards."""
    width, height, left, bottom, top = 760, 420, 60, 370, 30
    colours = dict(zip(PATHS, ("#b03a2e", "#ca8a04", "#0e7490", "#6b21a8", "#1d6f42", "#1f4e9c"), strict=True))
    ns = {name: np.sort(samples) * 1e9 / tsc_hz for name, samples in taken.items()}
    low = math.floor(math.log10(max(1.0, min(float(values[0]) for values in ns.values()))))
    high = math.ceil(math.log10(max(float(values[-1]) for values in ns.values())))

    def x(value: float) -> float:
        return left + (math.log10(max(value, 1.0)) - low) / (high - low) * (width - left - 20)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             'font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>']
    for exponent in range(low, high + 1):
        at = x(10.0**exponent)
        text = f"{10**exponent:,} ns" if exponent < 3 else f"{10**(exponent - 3):,} us"
        parts += [f'<line x1="{at:.1f}" y1="{top}" x2="{at:.1f}" y2="{bottom}" stroke="#ddd"/>',
                  f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [f'<line x1="{left}" y1="{y(share):.1f}" x2="{width - 20}" y2="{y(share):.1f}" stroke="#ddd"/>',
                  f'<text x="{left - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>']
    for i, (name, values) in enumerate(ns.items()):
        shares = np.unique(np.concatenate([np.linspace(0, 1, 400), 1 - np.geomspace(1e-5, 0.01, 60)]))
        points = " ".join(f"{x(float(values[min(len(values) - 1, int(share * len(values)))])):.1f},{y(share):.1f}"
                          for share in shares)
        parts += [f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="1.6"/>',
                  f'<text x="{left + 115 * i}" y="{height - 10}" fill="{colours[name]}">{name}: '
                  f"p50 {np.median(values):,.0f} ns</text>"]
    return "\n".join([*parts, "</svg>", ""])


def show(result: dict[str, Any], title: str) -> None:
    print(f"{title}: {result['samples']:,} messages a path")
    print(f"{'':11}" + "".join(f"{p:>11}" for p in (*PERCENTILES, "turn p99")) + "  ns")
    for name in PATHS:
        print(f"{name:11}" + "".join(f"{result['ns'][name][p]:11,.0f}" for p in PERCENTILES) +
              f"{result['turn_p99_ns'][name]:11,.0f}  {MEANING[name]}")


def show_seed(result: dict[str, Any], exact: dict[str, Any]) -> None:
    print("executed instructions, one processor: " + "; ".join(
        f"{name} {exact['tsc'][name]['p50']} (p99 {exact['tsc'][name]['p99']})" for name in PATHS))
    for name, ratios in result["ratio_to_ring"].items():
        seed = ", ".join(f"{a / b:.1f}" for a, b in zip(SEED[name], SEED["ring"], strict=True))
        print(f"{name} : ring = " + ", ".join(f"{ratios[p]:.1f} ({p})" for p in PERCENTILES) + f"; linux_hft's {seed}")
    for name, counts in SEED.items():
        print(f"linux_hft, {name}: " + ", ".join(f"{count:,}" for count in counts) + " TSC counts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/compare"))
    options = parser.parse_args()
    taken, tsc_hz, two = measure(options.samples, options.processors)
    result = summarize(taken, tsc_hz)
    exact = summarize(*measure(2000, 1, lockstep=True)[:2])
    fewer = max(TURN, options.samples // 4)
    others = {"one_processor": summarize(*measure(fewer, 1)[:2])}
    if two:
        others["spinning"] = summarize(*measure(fewer, options.processors, idle="spin")[:2])
    options.out.mkdir(parents=True, exist_ok=True)
    np.savetxt(options.out / "compare.csv", np.column_stack([taken[name] for name in PATHS]), fmt="%d", delimiter=",",
               header=",".join(PATHS), comments="")
    (options.out / "compare.svg").write_text(draw(taken, tsc_hz))
    report = {**result, "two_processors": two, **others, "instructions": exact["tsc"], "linux_hft_tsc": SEED}
    (options.out / "compare.json").write_text(json.dumps(report, indent=1) + "\n")
    show(result, "between two processors, TCG" if two else "there is no second processor, TCG")
    for name, other in others.items():
        show(other, {"one_processor": "one processor", "spinning": "between two processors, idle=spin"}[name])
    show_seed(result, exact)
    print(f"samples, distributions and figures: {options.out}/compare.csv, .svg, .json")


if __name__ == "__main__":
    main()
