# SPDX-License-Identifier: MIT
"""Mutation score of the receive side: Yosys puts faults into it, one at a time, and short simulations must see them.

Yosys flattens `receive` (small queues), draws faults that spread over its cells and source lines (`mutate -list`: a bit
of a port stuck, inverted or swapped), and builds all of them into one netlist, each switched on by its number; so one
Verilator build serves every mutant. Each is then played frames of every kind on both lines (tb/mutation/replay.v) in
several modes, and is killed when anything that leaves the receive side differs from what the sound one does: a line,
event, report, counter, or the clock order of them. That the sound one is right, the suite shows against the model.

Survivors must be explained in tests/rtl/survivors.toml, by place. Results are kept in build/mutate by source.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.build import BUILD, ROOT, VERILATOR_MAKE_FLAGS, rtl_sources, verilator_path
from generators.mutation import Traffic, prototype_traffic, traffic

RTL = ROOT / "rtl"
BENCH = ROOT / "tb/mutation"
EXPLAINED = ROOT / "tests/rtl/survivors.toml"
QUEUES = {"QUEUE_LOG2": 6, "LINES_LOG2": 7}
MUTANTS = 600
PROCESSES = 2
SEED = 1
TIMEOUT_S = 60
LINES_LEAST = 50  # that a vector must bring out
VERIFIED, HOLD, FILTER, PROTOTYPE = 1, 2, 4, 8


@dataclass(frozen=True)
class Vector:
    """Frames to play, and in which mode."""

    seed: int
    frames: int
    mode: int
    jumbo: bool = False

    @property
    def traffic(self) -> Traffic:
        if self.mode & PROTOTYPE:
            made = prototype_traffic(self.seed, self.frames, 0.3)
            made.line = np.random.default_rng(self.seed).integers(0, 2, len(made))
            return made
        return traffic(self.seed, self.frames, 0.4, jumbo=self.jumbo)


VECTORS = (
    Vector(11, 600, 0), Vector(12, 600, VERIFIED), Vector(13, 600, HOLD | FILTER), Vector(14, 40, 0, True),
    Vector(15, 40, VERIFIED | HOLD, True), Vector(16, 400, PROTOTYPE), Vector(17, 400, PROTOTYPE | VERIFIED | FILTER),
    Vector(18, 2000, HOLD), Vector(19, 2000, 0), Vector(20, 2000, VERIFIED | HOLD | FILTER), Vector(21, 2000, FILTER),
    Vector(22, 100, HOLD, True), Vector(23, 1500, PROTOTYPE | FILTER), Vector(24, 2000, VERIFIED),
)


@dataclass(frozen=True)
class Mutant:
    """One fault: its number and the command that Yosys' mutate wrote for it."""

    number: int
    command: str

    @property
    def instance(self) -> str:
        """The innermost instance that the cell lies in."""
        names = re.findall(r"(u_\w+)\.", self.command.partition("-cell ")[2].split(" ")[0])
        return names[-1] if names else "receive"

    @property
    def place(self) -> str:
        """What is done to which bit of which cell, and where that stands in the source."""
        words = dict(re.findall(r"-(mode|port|portbit|ctrlbit|wire|wirebit) (\S+)", self.command))
        sources = [Path(source).name for source in re.findall(r"-src (\S+)", self.command)]
        bit = f"{words['port']}[{words['portbit']}]" + (f" by [{words['ctrlbit']}]" if "ctrlbit" in words else "")
        wire = f" of {words['wire']}[{words.get('wirebit', '0')}]" if "wire" in words else ""
        return f"{self.instance}: {words['mode']} {bit}{wire} at {' '.join(sources)}"


def run(command: Sequence[object], what: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES")}
    finished = subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True,
                              check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{what}: {(finished.stderr or finished.stdout).strip()[-800:]}")
    return finished.stdout


def draw(count: int, directory: Path) -> list[Mutant]:
    """Writes the netlist with all mutants in it; returns them."""
    sources = " ".join(str(path.relative_to(ROOT)) for path in rtl_sources())
    queues = " ".join(f"-chparam {name} {value}" for name, value in QUEUES.items())
    listing, netlist = directory / "mutants.ys", directory / "mutants.v"
    run(["yosys", "-q", "-p", f"read_verilog -Irtl {sources}; hierarchy -top receive {queues}; proc; flatten; "
         f"opt_expr; opt_clean; rename -top receive; design -save flat; "
         f"mutate -list {count} -seed {SEED} -ctrl mutant 16 1 -o {listing}; "
         f"design -load flat; script {listing}; opt_clean; write_verilog -noattr {netlist}"], "yosys")
    commands = [line for line in listing.read_text().splitlines() if line.startswith("mutate ")]
    return [Mutant(number, command) for number, command in enumerate(commands, 1)]


def build(directory: Path) -> Path:
    run([verilator_path(), "--cc", "--exe", "--build", "-j", "2", "--no-timing", "-O3", "-Wno-fatal", "-Wno-lint",
         "--x-assign", "fast", "--x-initial", "fast", "--top-module", "replay", "--Mdir", directory / "obj", "-Irtl",
         "-MAKEFLAGS", VERILATOR_MAKE_FLAGS, BENCH / "replay.v", directory / "mutants.v", BENCH / "main.cpp"],
        "verilator")
    return directory / "obj/Vreplay"


def write_beats(path: Path, made: Traffic) -> None:
    """A line a beat for $readmemh, in order of the frames."""
    beats = []
    for row in range(len(made)):
        data = made.frames.frame(row)
        for at in range(0, len(data), 8):
            piece = data[at:at + 8]
            last = at + 8 >= len(data)
            bad = last and bool(made.bad_fcs[row])
            flags = int(made.line[row]) << 74 | last << 73 | bad << 72 | ((1 << len(piece)) - 1) << 64
            beats.append(flags | int.from_bytes(piece, "little"))
    path.write_text("\n".join(f"{beat:019x}" for beat in beats) + "\n")


def play(program: Path, beats: Path, mode: int, mutant: int = 0) -> str | None:
    """What left the receive side, as text; None: it did not come to its end."""
    command = [str(program), f"+beats={beats}", f"+mode={mode}", f"+mutant={mutant}"]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return None
    return finished.stdout if finished.returncode == 0 else None


def digest(count: int) -> str:
    """Of everything that a result depends on."""
    value = hashlib.sha256(str(count).encode())
    generators = (ROOT / f"generators/{name}.py" for name in ("mutation", "batch"))
    for path in [Path(__file__), *sorted(BENCH.iterdir()), *rtl_sources(), *sorted(RTL.glob("*.vh")), *generators]:
        value.update(path.read_bytes())
    return value.hexdigest()[:16]


def judge(count: int) -> dict[str, bool]:
    """Of each mutant, by its place, whether it is killed.

    Raises:
        RuntimeError: a tool failed, or the sound receive side delivers nothing to compare.
    """
    directory = BUILD / "mutate" / digest(count)
    cache = directory / "results.json"
    if cache.exists():
        cached: dict[str, bool] = json.loads(cache.read_text())
        return cached
    directory.mkdir(parents=True, exist_ok=True)
    mutants = draw(count, directory)
    program = build(directory)
    expected = []
    for vector in VECTORS:
        beats = directory / f"beats{vector.seed}.hex"
        write_beats(beats, vector.traffic)
        text = play(program, beats, vector.mode)
        if text is None or text.count("line ") < LINES_LEAST or "\nend " not in text:
            raise RuntimeError(f"the sound receive side delivers nothing to compare: {vector}")
        expected.append((beats, vector.mode, text))

    def killed(mutant: Mutant) -> bool:
        return any(play(program, beats, mode, mutant.number) != text for beats, mode, text in expected)

    with ThreadPoolExecutor(PROCESSES) as pool:
        results = dict(zip((mutant.place for mutant in mutants), pool.map(killed, mutants), strict=True))
    cache.write_text(json.dumps(results, indent=1))
    return results


def explained() -> dict[str, str]:
    """Reasons for survivors: a part of the place, and why no test can or need see it."""
    if not EXPLAINED.exists():
        return {}
    return {entry["place"]: entry["reason"] for entry in tomllib.loads(EXPLAINED.read_text())["survivor"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=MUTANTS)
    arguments = parser.parse_args()
    try:
        results = judge(arguments.mutants)
    except RuntimeError as failure:
        print(f"mutate: {failure}", file=sys.stderr)
        return 1
    reasons = explained()
    by_instance: dict[str, list[bool]] = {}
    for place, is_dead in results.items():
        by_instance.setdefault(place.partition(":")[0], []).append(is_dead)
    for instance, outcomes in sorted(by_instance.items()):
        print(f"{instance:28} {sum(outcomes)} of {len(outcomes)} killed")
    survivors = [place for place, is_dead in results.items() if not is_dead]
    unexplained = [place for place in survivors if not any(part in place for part in reasons)]
    for place in survivors:
        print(f"survivor{'' if place in unexplained else ' (explained)'} {place}")
    dead = len(results) - len(survivors)
    print(f"score: {dead} of {len(results)} mutants killed, {100 * dead / len(results):.1f} %; "
          f"{len(survivors)} survivors, {len(unexplained)} not explained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
