# SPDX-License-Identifier: MIT
"""What a boot takes, each way, and what a page and a block of the heap cost, in executed instructions and in ns.

A boot is QEMU's whole life up to the kernel's last line, firmware included: by the clock, the fastest and the median,
and in time of one processor. A page is taken and given back 1,000 times, in an order that splits and joins blocks; the
instructions are exact (-icount), the ns are those of QEMU's translated code.

    python bench/boot_and_memory.py [--boots N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bridge.build import ROOT, build_kernel
from bridge.images import build_iso, build_os_image
from tests.platform.cases import LINKER_FLAGS, SOURCES, Cases
from tests.platform.machine import DONE, Machine, Setup

COMMAND_LINE = "run=console console=off"


def boot(setup: Setup) -> tuple[float, float]:
    """Seconds by the clock, and of a processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Machine(setup) as machine:
        if machine.wait() != DONE:
            raise SystemExit(machine.console)
        elapsed = machine.ended - machine.started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def boots(directory: Path, count: int) -> dict[str, dict[str, float]]:
    """Milliseconds a boot, by the way it is booted."""
    kernel = build_kernel()
    ways = {
        "PVH": Setup(kernel, command_line=COMMAND_LINE),
        "PVH, microvm": Setup(kernel, command_line=COMMAND_LINE, chipset="microvm"),
        "disk with its own loader": Setup(build_os_image(directory / "disk", COMMAND_LINE, kernel=kernel), "disk"),
        "CD with GRUB": Setup(build_iso(directory / "iso", COMMAND_LINE, kernel=kernel), "cdrom"),
    }
    results = {}
    for name, setup in ways.items():
        taken = [boot(setup) for _ in range(count)]
        results[name] = {"fastest": min(elapsed for elapsed, _ in taken) * 1e3,
                         "median": statistics.median(elapsed for elapsed, _ in taken) * 1e3,
                         "processor": statistics.median(spent for _, spent in taken) * 1e3}
    return results


def costs(directory: Path) -> dict[str, dict[str, float]]:
    """Of each operation: mean and most instructions, mean ns."""
    sources = " ".join(map(str, SOURCES))
    subprocess.run(["make", "--silent", "-j2", "-C", str(ROOT / "firmware"), f"BUILD={directory}",
                    f"EXTRA_SOURCES={sources}", f"EXTRA_LDFLAGS={LINKER_FLAGS}", "LTO="], check=True)
    cases = Cases(directory / "firmware/tickloop.elf", directory)
    results: dict[str, dict[str, float]] = {}
    for case in ("page cost", "heap cost"):
        for lockstep in (True, False):
            console = cases.run(case, DONE, lockstep=lockstep)
            rate = re.search(r"time: TSC (\d+) kHz", console)
            assert rate
            for name, mean, most in re.findall(r"cost: (.*) mean ([\d.]+) most (\d+)", console):  # the last round stays
                entry = results.setdefault(name, {})
                if lockstep:
                    entry |= {"instructions": float(mean), "most": float(most)}
                else:
                    entry["ns"] = float(mean) * 1e6 / int(rate[1])
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boots", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        results: dict[str, Any] = {"boots_ms": boots(directory, arguments.boots), "costs": costs(directory)}
    print(f"{'a boot, ms':28}{'fastest':>10}{'median':>10}{'processor':>11}")
    for way, times in results["boots_ms"].items():
        print(f"{way:28}{times['fastest']:10.0f}{times['median']:10.0f}{times['processor']:11.0f}")
    print(f"{'an operation':28}{'mean':>10}{'most':>10}{'ns':>11}   (instructions, instructions, TCG)")
    for what, cost in results["costs"].items():
        print(f"{what:28}{cost['instructions']:10.1f}{cost['most']:10.0f}{cost['ns']:11.0f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
