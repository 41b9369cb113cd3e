# SPDX-License-Identifier: MIT
"""Plays the vectors into all mutants, several at a time; a mutant that was told from the sound receive side plays on in
no further vector."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bridge.build import VERILATOR_MAKE_FLAGS, verilator_path
from scripts.mutants.faults import run
from scripts.mutants.vectors import VECTORS

BENCH = Path("tb/mutation")
LINES_LEAST = 50  # that the sound receive side must bring out

SOUND = re.compile(r"^sound (?P<lines>\d+) \d+ (?P<rests>[01])$", re.MULTILINE)
KILLED = re.compile(r"^killed (\d+) (\d+)$", re.MULTILINE)  # Verilator may put words of its own between them


def build(directory: Path) -> Path:
    """The player, with the netlist of ``directory``."""
    run([verilator_path(), "--cc", "--exe", "--build", "-j", "2", "--no-timing", "-O3", "-Wno-fatal", "-Wno-lint",
         "--x-assign", "fast", "--x-initial", "fast", "--top-module", "replay", "--Mdir", directory / "obj", "-Irtl",
         "-CFLAGS", "-DVL_USER_FATAL", "-MAKEFLAGS", VERILATOR_MAKE_FLAGS, BENCH / "replay.v", directory / "mutants.v",
         BENCH / "main.cpp"], "verilator")
    return directory / "obj/Vreplay"


def play(player: Path, stimulus: Path, mutants: list[int]) -> dict[int, int]:
    """Which mutants differ, and the first clock in which they do.

    Raises:
        RuntimeError: the sound receive side delivers too little to compare, or does not come to rest.
    """
    printed = run([player, stimulus, *mutants], "replay")
    sound = SOUND.search(printed)
    if sound is None or int(sound["lines"]) < LINES_LEAST or sound["rests"] != "1":
        raise RuntimeError(f"{stimulus.name}: nothing to compare, or no rest: {printed[:200]}")
    return {int(mutant): int(clock) for mutant, clock in KILLED.findall(printed)}


def judge(player: Path, directory: Path, mutants: list[int], processes: int) -> dict[int, str]:
    """Mutants that are killed, and where: the vector and the clock."""
    killed: dict[int, str] = {}
    for name, make in VECTORS.items():
        alive = [mutant for mutant in mutants if mutant not in killed]
        stimulus = directory / f"{name.replace(' ', '_')}.bin"
        make().write(stimulus)
        shares = [alive[first::processes] for first in range(processes)]
        with ThreadPoolExecutor(processes) as pool:
            for found in pool.map(partial(play, player, stimulus), shares):
                killed |= {mutant: f"{name}, clock {clock}" for mutant, clock in found.items()}
        stimulus.unlink()
    return killed
