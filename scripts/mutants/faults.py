# SPDX-License-Identifier: MIT
"""The mutants: Yosys flattens `receive` with small queues, optimises it, so that no fault lies in logic that is nowhere
used, and draws faults that spread over its cells and source lines (`mutate -list`: a bit of a port stuck, inverted, or
mixed with another). All go into one netlist, each switched on by its number at the input `mutant`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.build import ROOT

QUEUES = {"QUEUE_LOG2": 6, "LINES_LOG2": 7}
SEED = 1
NUMBER_BITS = 16


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
    """Standard output of a tool that must succeed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES")}
    finished = subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True,
                              check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{what}: {(finished.stderr or finished.stdout).strip()[-800:]}")
    return finished.stdout


def sources() -> list[Path]:
    """Verilog files of the receive side."""
    listed = (ROOT / "rtl/receive.f").read_text().splitlines()
    return [ROOT / line for line in listed if line.startswith("rtl/")]


def draw(count: int, directory: Path) -> list[Mutant]:
    """Writes mutants.v and mutants.il, the netlist with all mutants in it; returns them."""
    files = " ".join(str(path.relative_to(ROOT)) for path in sources())
    queues = " ".join(f"-chparam {name} {value}" for name, value in QUEUES.items())
    listing, netlist = directory / "mutants.ys", directory / "mutants"
    run(["yosys", "-q", "-p", f"read_verilog -Irtl {files}; hierarchy -top receive {queues}; "
         f"prep -flatten -nordff -nokeepdc; opt -nodffe -nosdff; rename -top receive; design -save flat; "
         f"mutate -list {count} -seed {SEED} -ctrl mutant {NUMBER_BITS} 1 -o {listing}; "
         f"design -load flat; script {listing}; opt_clean; write_verilog -noattr {netlist}.v; "
         f"write_rtlil {netlist}.il"], "yosys")
    commands = [line for line in listing.read_text().splitlines() if line.startswith("mutate ")]
    return [Mutant(number, command) for number, command in enumerate(commands, 1)]
