# SPDX-License-Identifier: MIT
"""How fast the loop runs: `opening` in lockstep with the kernel; the same without skipping a clock; and the same
executable with DMA into its own memory and no kernel.

The arms run in turn, so that a machine whose speed drifts hits all; medians and a ratio are printed. Simulated clocks
are all that pass, executed ones those in which the RTL was evaluated. Instructions a message are exact, the rest is
wall time.

    python bench/loop_speed.py [--messages N] [--sim S] [--runs N] [--back-to-back]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from bridge import build, loop
from bridge.interface import LoopRequest, LoopResult
from bridge.stimulus import write_stimulus
from generators import profiles
from tickloop.config import compile_module, load_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--sim", default="verilator", choices=["verilator", "icarus"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--back-to-back", action="store_true", help="frames at the line's minimum gap instead of their times"
    )
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        stimulus, module = out / "stimulus.bin", out / "config.bin"
        frames = profiles.frames(profiles.generate("opening", seed=1, messages=options.messages), seed=1)
        write_stimulus(stimulus, ((0 if options.back_to_back else time, data, False) for time, data in frames))
        module.write_bytes(compile_module(load_config(None).kernel))

        def run(name: str, kernel: Path | None, skip_idle: bool = True) -> LoopResult:
            (out / name).mkdir(exist_ok=True)
            request = LoopRequest(
                stimulus=stimulus,
                out=out / name,
                simulator=options.sim,
                kernel=kernel,
                config_module=module if kernel else None,
                skip_idle=skip_idle,
            )
            return loop.run(request)

        kernel = build.build_kernel()
        every_clock = options.sim == "verilator"  # Icarus would take minutes
        arms: dict[str, list[LoopResult]] = {"with the kernel": [], "RTL alone": []}
        if every_clock:
            arms["every clock"] = []
        run("warm-up", None)
        for _ in range(options.runs):
            arms["with the kernel"].append(run("attached", kernel))
            if every_clock:
                arms["every clock"].append(run("every clock", kernel, skip_idle=False))
            arms["RTL alone"].append(run("alone", None))

    pacing = "back to back" if options.back_to_back else "natural pacing"
    print(f"opening, {options.messages} messages, {options.sim}, {pacing}")
    print(f"{'':18}{'loop s':>10}{'messages/s':>14}{'M clocks/s':>12}{'M executed/s':>14}")
    seconds = {}
    for name, results in arms.items():
        median = seconds[name] = statistics.median(r.wall["loop_s"] for r in results)
        clocks, executed = results[0].clocks, results[0].clocks - results[0].clocks_skipped
        rates = f"{options.messages / median:14,.0f}{clocks / median / 1e6:12.2f}{executed / median / 1e6:14.2f}"
        print(f"{name:18}{median:10.3f}{rates}")
    print(f"with the kernel / RTL alone: {seconds['with the kernel'] / seconds['RTL alone']:.2f} x")
    work = arms["with the kernel"][0].trace["done_work"]
    orders = arms["with the kernel"][0].trace["orders"] > 0
    print(
        f"instructions a message, exact: mean {work.mean():.1f}, p50 {int(statistics.median(work))}, max {work.max()}; "
        f"with an order: mean {work[orders].mean():.1f} ({orders.sum()})"
    )


if __name__ == "__main__":
    main()
