# SPDX-License-Identifier: MIT
"""Synthesises every RTL module and the whole NIC with Yosys: cells, and LUT levels between registers.

Two runs a module: `synth_xilinx` for cells (7 series; Yosys prints its statistics twice, the last ones count), and
`synth -lut 6` with `ltp -noff` for the longest path in 6-input LUTs between registers, ports and memories. A memory
with a registered read is a register to that path; small ones without are mapped to logic. Paths from and to a module's
ports count too, so a module without registers is no measure by itself: it counts where it is used. Writes the table
into docs/synthesis.md; exit 1 when a module has more levels than the limit. Results are kept in build/synth by source.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bridge.build import BUILD, ROOT, rtl_sources

LEVELS_LIMIT = 6
PROCESSES = 2
PAGE = ROOT / "docs/synthesis.md"
BEGIN, END = "<!-- written by scripts/synth.py from here on -->\n", "<!-- ... to here -->\n"
COLUMNS = ("module", "LUT", "FF", "BRAM36", "LUTRAM", "CARRY4", "levels")

# Up to the LUT mapping as Yosys' own `synth` does it, but memories with a registered read stay memories.
LEVELS = """synth -top {top} -flatten -lut 6 -run begin:fine; opt -fast -full;
  memory_map t:$mem_v2 r:SIZE<=16 %i; opt -full; techmap; opt -fast; abc -fast -lut 6; opt -fast;
  ltp -noff t:$mem_v2 %n"""
CELLS = "synth_xilinx -top {top} -flatten; stat"


def modules() -> list[str]:
    """Every module of the NIC, the top last: the file names are the module names."""
    names = [path.stem for path in rtl_sources()]
    return sorted(names, key=lambda name: (name == "smartnic", name))


def yosys(script: str) -> str:
    sources = " ".join(map(str, rtl_sources()))
    command = ["yosys", "-p", f"read_verilog -I{ROOT / 'rtl'} {sources}; {script}"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{script.partition(';')[0]}: {finished.stderr.strip()}")
    return finished.stdout


def version() -> str:
    told = subprocess.run(["yosys", "-V"], capture_output=True, text=True, check=True).stdout
    return " ".join(told.split()[:2])


def cells(report: str) -> dict[str, int]:
    """The figures of a `synth_xilinx; stat` report."""
    statistics = report[report.rindex("Number of cells:"):]
    counts = {name: int(number) for name, number in re.findall(r"^ +(\w+) +(\d+)$", statistics, re.M)}

    def total(pattern: str) -> int:
        return sum(number for name, number in counts.items() if re.fullmatch(pattern, name))

    return {
        "LUT": total(r"LUT\d|INV"),
        "FF": total(r"FD[RSCP]E(_1)?"),
        "BRAM36": total("RAMB36E1") + -(-total("RAMB18E1") // 2),
        "LUTRAM": total(r"RAM\d+\w*|SRL\w+"),
        "CARRY4": total("CARRY4"),
    }


def measure(module: str) -> dict[str, int]:
    found = re.findall(r"Longest topological path in \S+ \(length=(\d+)\)", yosys(LEVELS.format(top=module)))
    return {**cells(yosys(CELLS.format(top=module))), "levels": int(found[-1]) if found else 0}


def parts(module: str) -> list[Path]:
    """The sources of a module and of everything below it."""
    sources = {path.stem: path for path in rtl_sources()}
    instance = re.compile(rf"^ +({'|'.join(sources)}) (?:#\(|u_)", re.M)
    found, new = set(), {module}
    while new:
        found |= new
        new = {name for known in new for name in instance.findall(sources[known].read_text())} - found
    return [sources[name] for name in sorted(found)]


def measured(module: str) -> dict[str, int]:
    """As `measure`, from the cache if none of its sources has changed."""
    recipe = f"{version()} {LEVELS} {CELLS} {inspect.getsource(cells)}"
    digest = hashlib.sha256(recipe.encode())
    for path in [*parts(module), *sorted((ROOT / "rtl").glob("*.vh"))]:
        digest.update(path.read_bytes())
    cache = BUILD / "synth" / f"{module}.{digest.hexdigest()[:16]}.json"
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(measure(module)))
    figures: dict[str, int] = json.loads(cache.read_text())
    return figures


def table(results: dict[str, dict[str, int]]) -> str:
    lines = [f"{version()}, 7-series cells, default parameters:\n",
             "| " + " | ".join(COLUMNS) + " |", "|---|" + "--:|" * (len(COLUMNS) - 1)]
    for name, row in results.items():
        levels = str(row["levels"]) if row["FF"] else f"({row['levels']})"
        figures = [f"{row[column]:,}" for column in COLUMNS[1:-1]] + [levels]
        lines.append(f"| `{name}` | " + " | ".join(figures) + " |")
    return "\n".join(lines) + "\n"


def write_page(text: str) -> None:
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", nargs="*", help="only these, printed and not written to the page")
    chosen = parser.parse_args().module
    names = chosen or modules()
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = dict(zip(names, pool.map(measured, names), strict=True))
    print(table(results), end="")
    if not chosen:
        write_page(table(results))
    deep = {name: row["levels"] for name, row in results.items() if row["FF"] and row["levels"] > LEVELS_LIMIT}
    for name, levels in deep.items():
        print(f"synth: {name} has {levels} LUT levels between registers, more than {LEVELS_LIMIT}", file=sys.stderr)
    return 1 if deep else 0


if __name__ == "__main__":
    sys.exit(main())
