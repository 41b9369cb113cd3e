# SPDX-License-Identifier: MIT
"""Runs the proofs of formal/proofs.toml: Yosys turns harness and RTL into SMT-LIB, yosys-smtbmc and z3 search.

A proof is done by k-induction where its entry says so (true for any number of clocks), else up to a number of clocks
from reset. The induction step is put to z3 one assertion at a time: what takes too long at once takes seconds so. Each
entry also names faults, as replacements in the RTL: `--faults` shows for every proof that it fails with each of them.
The table in docs/formal.md is written from proofs.toml: what is attempted, not what held.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bridge.build import BUILD, ROOT

FORMAL, RTL = ROOT / "formal", ROOT / "rtl"
PROCESSES = 2
TIMEOUT_S = 1200
PAGE = ROOT / "docs/formal.md"
BEGIN, END = "<!-- written by scripts/formal.py from here on -->\n", "<!-- ... to here -->\n"

# Registers have the values that their initial statements give, or any; each clock is one step. Where a harness names
# words of a memory, memories become registers first. A module that is cut has outputs that do as the solver likes.
WORDS = "memory -nordff;"
PREPARE = """proc; {words} {cut} prep -flatten -nordff -top {top}; memory_map;
  async2sync; dffunmap; setundef -undriven -anyseq; opt_clean;
  write_smt2 -wires {output}"""


@dataclass(frozen=True)
class Fault:
    """A replacement in one RTL file with which a proof must fail."""

    file: str
    old: str
    new: str
    depth: int | None = None
    step: bool = False  # seen by the induction step: too far from reset for a trace

    def apply(self, directory: Path) -> Path:
        """A copy of the file with the fault in it.

        Raises:
            ValueError: the text to be replaced is not there exactly once.
        """
        text = (RTL / self.file).read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has {text.count(self.old)} times: {self.old}")
        copy = directory / self.file
        copy.write_text(text.replace(self.old, self.new))
        return copy


@dataclass(frozen=True)
class Proof:
    """One harness: module `name`_proof in the file of that name; the modules it is made of are found by their names."""

    name: str
    says: str
    faults: tuple[Fault, ...]
    depth: int  # clocks from reset
    induction: int | None = None  # k, where it closes
    cut: tuple[str, ...] = ()  # modules left out: the harness says what it assumes of their outputs
    words: bool = False  # the harness names words of memories

    @property
    def reach(self) -> str:
        return f"k-induction, k = {self.induction}" if self.induction else f"{self.depth} clocks from reset"


def proofs() -> dict[str, Proof]:
    entries = tomllib.loads((FORMAL / "proofs.toml").read_text())["proof"]
    return {
        entry["name"]: Proof(
            entry["name"], entry["says"], tuple(Fault(**fault) for fault in entry["fault"]), entry["depth"],
            entry.get("induction"), tuple(entry.get("cut", ())), entry.get("words", False),
        )
        for entry in entries
    }


class Unproven(Exception):
    """A property fails: carries the solver's last lines and where its trace is."""


def _run(command: Sequence[object], directory: Path) -> str:
    finished = subprocess.run(list(map(str, command)), cwd=directory, capture_output=True, text=True, check=False,
                              timeout=TIMEOUT_S)
    output = finished.stdout + finished.stderr
    if finished.returncode == 0:
        return output
    if re.search(r"Status: (failed|FAILED)", output):
        failed = [line for line in output.splitlines() if "Assert failed" in line or "Status" in line]
        raise Unproven("; ".join(failed) + f" (trace in {directory})")
    raise RuntimeError(f"{command[0]} in {directory}:\n{output[-2000:]}")


def _of_state(text: str, state: int) -> str:
    """SMT-LIB of write_smt2 for one numbered state, and the next one where it speaks of that."""
    text = re.sub(r"\(\(state \|[^|]*\|\)( \(next_state \|[^|]*\|\))?\)", "()", text)
    text = re.sub(r"\(declare-fun (\|[^|]*)\| \(\|[^|]*\|\)", rf"(declare-fun \1@{state}| ()", text)
    text = re.sub(r"\(define-fun (\|[^|]*)\| ", rf"(define-fun \1@{state}| ", text)
    text = re.sub(r"\((\|[^|]*)\| state\)", rf"\1@{state}|", text)
    return re.sub(r"\((\|[^|]*)\| next_state\)", rf"\1@{state + 1}|", text)


def _induction_step(smt2: Path, top: str, k: int, directory: Path) -> None:
    """k clocks in which every assertion holds, from any state, lead to one in which each holds.

    Raises:
        Unproven: the first assertion of which that is not true.
    """
    text = re.sub(r"\(declare-sort .*\)\n", "", smt2.read_text())
    definitions, transition = text.split(f"(define-fun |{top}_t| ", 1)
    query = ["(set-logic QF_BV)"]
    for state in range(k + 1):  # functions of the state become constants of each state: z3 sees through them
        query.append(_of_state(definitions, state))
        query += [f"(assert (not |{top}_is@{state}|))", f"(assert |{top}_h@{state}|)", f"(assert |{top}_u@{state}|)"]
        if state < k:
            query.append(f"(assert |{top}_a@{state}|)")
    query += [_of_state(f"(define-fun |{top}_t| {transition}", state) + f"(assert |{top}_t@{state}|)"
              for state in range(k)]
    names = dict(re.findall(r"^; yosys-smt2-assert (\d+) (.*)$", text, re.M))
    if not names:
        raise RuntimeError(f"{smt2} has no assertion")
    file = directory / "step.smt2"
    for number, name in names.items():
        file.write_text("\n".join([*query, f"(assert (not |{top}_a {number}@{k}|))", "(check-sat)"]) + "\n")
        answer = _run(["z3", file], directory).strip()
        if answer != "unsat":
            raise Unproven(f"induction: {name.split()[-1]} ({answer}, {file})")


def check(proof: Proof, fault: Fault | None = None) -> float:
    """Carries the proof out; returns the seconds it took.

    Raises:
        Unproven: a property does not hold.
        RuntimeError: a tool failed.
    """
    start = time.monotonic()
    number = "" if fault is None else f".fault{proof.faults.index(fault)}"
    directory = BUILD / "formal" / f"{proof.name}{number}"
    directory.mkdir(parents=True, exist_ok=True)
    libraries = [RTL, FORMAL]
    if fault is not None:
        fault.apply(directory)
        libraries.insert(0, directory)
    smt2 = directory / f"{proof.name}.smt2"
    top = f"{proof.name}_proof"
    read = (f"verilog_defaults -add -formal -I{RTL}; read_verilog -formal -I{RTL} {FORMAL / top}.v; "
            f"hierarchy -top {top} " + " ".join(f"-libdir {library}" for library in libraries))
    # A module with parameters has them in its name.
    cut = " ".join(f"cutpoint {module} $paramod*\\{module}\\*;" for module in proof.cut)
    prepare = PREPARE.format(top=top, output=smt2, cut=cut, words=WORDS if proof.words else "")
    _run(["yosys", "-q", "-p", f"{read}; {prepare}"], directory)
    if fault is None or not fault.step:
        depth = fault.depth if fault is not None and fault.depth else proof.depth
        search = ["yosys-smtbmc", "-s", "z3", "--noincr", "--unroll", "--noprogress", "-t", depth]
        _run([*search, "--dump-vcd", "trace.vcd", smt2], directory)
    if proof.induction is not None and (fault is None or fault.step):
        _induction_step(smt2, top, proof.induction, directory)
    return time.monotonic() - start


def fails_with(proof: Proof, fault: Fault) -> bool:
    """Whether the proof sees the fault."""
    try:
        check(proof, fault)
    except Unproven:
        return True
    return False


def table(chosen: Sequence[Proof]) -> str:
    lines = ["| proof | property | how far it goes | faults in its list |", "|---|---|---|--:|"]
    lines += [f"| `{proof.name}` | {proof.says} | {proof.reach} | {len(proof.faults)} |" for proof in chosen]
    return "\n".join(lines) + "\n"


def _report(proof: Proof, faults: bool) -> bool:
    try:
        seconds = check(proof)
        print(f"{proof.name}: proven ({proof.reach}), {seconds:.1f} s", flush=True)
        missed = [fault for fault in proof.faults if faults and not fails_with(proof, fault)]
    except (Unproven, RuntimeError, ValueError, subprocess.TimeoutExpired) as failure:
        print(f"{proof.name}: NOT PROVEN: {failure}", flush=True)
        return False
    for fault in missed:
        print(f"{proof.name}: does not see the fault in {fault.file}: {fault.new}", flush=True)
    if faults and not missed:
        print(f"{proof.name}: fails with each of its {len(proof.faults)} faults", flush=True)
    return not missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", nargs="*", help="only these")
    parser.add_argument("--faults", action="store_true", help="also show that each proof fails with its faults")
    arguments = parser.parse_args()
    known = proofs()
    unknown = [name for name in arguments.proof if name not in known]
    if unknown:
        print(f"formal: no proof {unknown[0]}; there are {' '.join(known)}", file=sys.stderr)
        return 2
    chosen = [known[name] for name in arguments.proof or known]
    with ThreadPoolExecutor(PROCESSES) as pool:
        good = list(pool.map(lambda proof: _report(proof, arguments.faults), chosen))
    if not arguments.proof:
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        PAGE.write_text(before + BEGIN + table(chosen) + END + rest.split(END)[1])
    print(f"{sum(good)} of {len(good)} proven")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
