# SPDX-License-Identifier: MIT
"""Where the instructions of the loop's simulator go: executed instructions a clock, by module of the RTL.

Counted by callgrind on the RTL alone at `opening`'s natural pacing: exact, whatever the load. The total is that of the
plain build; the shares are those of one with a function a statement (Verilator's ``--prof-cfuncs``), which gcc leaves
where it is.

    python bench/loop_profile.py [--messages N] [--back-to-back]
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from bridge import build, loop
from bridge.interface import LoopRequest, LoopResult
from bridge.stimulus import write_stimulus
from generators import profiles

SIMULATOR, CORE = "Vtestbench", "libtickloop_core.so"
KEEP_FUNCTIONS = "OPT_FAST='-O3 -fno-inline-functions-called-once -fno-inline-small-functions -fno-inline-functions'"
_COST = re.compile(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+\S+?:(.*) \[.*/(.*)\]")
_STATEMENT = re.compile(r"__PROF__(\w+?)__l\d+")


def _counted(stimulus: Path, out: Path) -> tuple[LoopResult, list[tuple[int, str, str]]]:
    """One run under callgrind: its result, and instructions, function and object of every function."""
    out.mkdir()
    counts = out / "callgrind.out"
    plain = build.build_simulator

    def under_callgrind(*arguments: object) -> list[str]:
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", *plain(*arguments)]  # type: ignore[arg-type]

    with mock.patch.object(build, "build_simulator", under_callgrind):
        result = loop.run(LoopRequest(stimulus=stimulus, out=out))
    command = ["callgrind_annotate", "--threshold=100", str(counts)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return result, list(_functions(text))


def _functions(text: str) -> Iterator[tuple[int, str, str]]:
    for match in map(_COST.match, text.splitlines()):
        if match and match.group(3) in (SIMULATOR, CORE):
            yield int(match.group(1).replace(",", "")), match.group(2), match.group(3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--back-to-back", action="store_true", help="frames at the line's minimum gap")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("loop_profile: skipped, valgrind is missing; on Debian: apt-get install -y valgrind", file=sys.stderr)
        return

    with tempfile.TemporaryDirectory() as directory:
        out, stimulus = Path(directory), Path(directory) / "stimulus.bin"
        frames = profiles.frames(profiles.generate("opening", seed=1, messages=options.messages), seed=1)
        write_stimulus(stimulus, ((0 if options.back_to_back else time, data, False) for time, data in frames))
        result, functions = _counted(stimulus, out / "plain")
        with (
            mock.patch.object(build, "SPEED_FLAGS", (*build.SPEED_FLAGS, "--prof-cfuncs")),
            mock.patch.object(build, "VERILATOR_MAKE_FLAGS", f"{build.VERILATOR_MAKE_FLAGS} {KEEP_FUNCTIONS}"),
            mock.patch.object(build, "BUILD", build.BUILD / "bench-profile"),
        ):
            _, statements = _counted(stimulus, out / "profile")

    clocks = result.clocks - result.clocks_skipped
    pacing = "back to back" if options.back_to_back else "natural pacing"
    print(f"opening, {options.messages} messages, {pacing}: {clocks} of {result.clocks} clocks executed")
    for part, name in ((SIMULATOR, "RTL"), (CORE, "native core")):
        cost_of_part = sum(cost for cost, _, where in functions if where == part)
        print(f"  {name:20}{cost_of_part / clocks:9,.0f} instructions a clock")
    shares: Counter[str] = Counter()
    for cost, function, where in statements:
        statement = _STATEMENT.search(function)
        if where == SIMULATOR:
            shares[statement.group(1) if statement else "(scheduling)"] += cost
    total = sum(shares.values())
    for module, cost in shares.most_common():
        if cost * 100 >= total:
            print(f"    {module:20}{100 * cost / total:7.1f} %")


if __name__ == "__main__":
    main()
