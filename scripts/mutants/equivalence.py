# SPDX-License-Identifier: MIT
"""Proofs that a mutant cannot be told from the sound receive side, whatever comes in: such mutants are no faults.

Registers and memories are cut: what they hold becomes an input of both sides, what they take an output. So one clock is
combinational logic, and Yosys' SAT solver says whether the sides can show or take different things while they hold the
same. If not, they never will from equal states on (induction). States that cannot be reached count too, and so does a
register that nobody looks at: a mutant may be equivalent without being proven so, never the other way round.
"""

from __future__ import annotations

import re
from pathlib import Path

from scripts.mutants.faults import NUMBER_BITS, run

SAT_TIMEOUT_S = 40

CELL = re.compile(r"(?:^  attribute [^\n]*\n)*^  cell \$(dff|mem_v2) \S+\n(.*?)^  end\n", re.MULTILINE | re.DOTALL)
CONNECT = re.compile(r"^    connect \\(\w+) (.*)\n", re.MULTILINE)
SIZE = re.compile(r"^    parameter \\(WIDTH|ABITS|RD_PORTS|WR_PORTS) (\d+)\n", re.MULTILINE)

# What both sides have in common becomes one, and what is compared with itself is gone.
MERGE = ("opt_expr -mux_undef -undriven; opt_merge; simplemap t:$eqx t:$reduce_and t:$not; "
         "opt_expr; opt_merge; opt_clean")
PROVEN = "no model found"


def prepare(mutants: Path, directory: Path) -> Path:
    """The netlist with all mutants inside replay.v, cut."""
    whole, path = directory / "whole.il", directory / "cut.il"
    run(["yosys", "-q", "-p", f"read_rtlil {mutants}; read_verilog -Irtl tb/mutation/replay.v; "
         f"hierarchy -top replay; proc; flatten; opt_clean; write_rtlil {whole}"], "yosys")
    path.write_text(cut(whole.read_text()))
    return path


def proven(netlist: Path, mutant: int) -> bool:
    """Whether the mutant is proven to be equivalent; not, if no answer is found in time."""
    sides = "; ".join(f"copy replay {side}; cd {side}; delete -input w:mutant; "
                      f"connect -set mutant {NUMBER_BITS}'d{number}; cd .."
                      for side, number in (("gold", 0), ("gate", mutant)))
    answer = run(["yosys", "-p", f"read_rtlil {netlist}; {sides}; delete replay; "
                  f"miter -equiv -flatten gold gate miter; hierarchy -top miter; {MERGE}; "
                  f"sat -timeout {SAT_TIMEOUT_S} -set trigger 1 miter"], "yosys")
    return PROVEN in answer


def cut(text: str) -> str:
    """RTLIL of a module `replay` without its $dff and $mem_v2 cells, with ports in their place."""
    ports: list[str] = []
    joints: list[str] = []

    def port(name: str, width: int, direction: str, signal: str) -> None:
        ports.append(f"  wire width {width} {direction} {1000 + len(ports)} \\{name}\n")
        joints.append(f"  connect \\{name} {signal}\n" if direction == "output" else f"  connect {signal} \\{name}\n")

    for number, (kind, body) in enumerate(CELL.findall(text)):
        signals: dict[str, str] = dict(CONNECT.findall(body))
        sizes = {name: int(value) for name, value in SIZE.findall(body)}
        width = sizes["WIDTH"]
        if kind == "dff":
            port(f"held{number}", width, "input", signals["Q"])
            port(f"taken{number}", width, "output", signals["D"])
            continue
        if sizes["WR_PORTS"] != 1:
            raise RuntimeError("a memory with other than one write port")
        port(f"held{number}", sizes["RD_PORTS"] * width, "input", signals["RD_DATA"])
        port(f"read{number}", sizes["RD_PORTS"] * sizes["ABITS"], "output", signals["RD_ADDR"])
        port(f"write{number}", sizes["ABITS"] + width, "output", f"{{ {signals['WR_ADDR']} {signals['WR_EN']} }}")
        # What would be written counts where it is.
        joints.append(f"  cell $and $cut{number}\n    parameter \\A_SIGNED 0\n    parameter \\B_SIGNED 0\n"
                      + "".join(f"    parameter \\{side}_WIDTH {width}\n" for side in "ABY")
                      + f"    connect \\A {signals['WR_DATA']}\n    connect \\B {signals['WR_EN']}\n"
                      f"    connect \\Y \\written{number}\n  end\n")
        ports.append(f"  wire width {width} output {1000 + len(ports)} \\written{number}\n")
    if not ports:
        raise RuntimeError("the netlist has no state to cut")
    text = CELL.sub("", text)
    begin = text.index("module \\replay\n") + len("module \\replay\n")
    end = text.rindex("end\n")
    return text[:begin] + "".join(ports) + text[begin:end] + "".join(joints) + text[end:]
