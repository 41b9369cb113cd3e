# SPDX-License-Identifier: MIT
"""The instruction budget of the trading core: what a message may cost in the kernel, exactly.

A closed loop of the embedded scenario runs under ``-icount``: the trace holds the executed instructions of each
message, the same on every machine with the same compiler. ``tests/loop/budget.toml`` keeps their sum and the largest
one by message type, with and without an order; a kernel that needs one instruction more exceeds it. Counts of another
compiler version say nothing about this one: they are told and decide nothing.

Where a difference comes from is told by function: callgrind counts the same sources, compiled for the host with the
kernel's flags but without link-time optimization, over the same messages. Those counts are exact too, and not the same
numbers, because the linker's inlining is missing; what differs between two versions of a function is what is looked
for.

    python -m scripts.budget [--write]
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bridge.build import ROOT, build_native
from bridge.layout import TRACE_LOG
from generators.profiles import DEFAULT_SCENARIO, generate
from tb.model.config import KernelConfig
from tickloop.config import compile_module

BUDGET = ROOT / "tests/loop/budget.toml"
TARGETS = {"a message": 150, "a message with an order": 400}  # mean instructions, on `opening`
HOST_FLAGS = ("-march=x86-64", "-mgeneral-regs-only", "-fno-lto", "-fcf-protection=none", "-fno-stack-protector", "-g")
SHOWN = 12

Counts = dict[str, dict[str, int]]


def compiler() -> str:
    """Version of the compiler that builds the kernel."""
    return subprocess.check_output(["gcc", "-dumpfullversion"], text=True).strip()


def measure(run: Path) -> Counts:
    """By message type, with ``+order`` where orders were sent: messages, sum and maximum of their instructions."""
    trace = np.fromfile(run / "record/trace.bin", TRACE_LOG)
    trace = trace[trace["type"] >= ord("A")]  # others are notes of what happened beside messages
    counts: Counts = {}
    for kind, with_order in sorted({(int(e["type"]), bool(e["orders"])) for e in trace}):
        chosen = trace["done_work"][(trace["type"] == kind) & ((trace["orders"] > 0) == with_order)]
        counts[chr(kind) + ("+order" if with_order else "")] = {
            "messages": len(chosen), "total": int(chosen.sum()), "most": int(chosen.max())}
    return counts


def means(counts: Counts) -> dict[str, float]:
    """Mean instructions of all messages, and of those with an order."""
    def mean(chosen: list[dict[str, int]]) -> float:
        return sum(c["total"] for c in chosen) / sum(c["messages"] for c in chosen)

    return {"a message": mean(list(counts.values())),
            "a message with an order": mean([c for name, c in counts.items() if name.endswith("+order")])}


def by_function() -> dict[str, int] | None:
    """Instructions of each function over the same messages; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    program = build_native(ROOT / "bench/native/count.c", *HOST_FLAGS)
    with tempfile.TemporaryDirectory() as name:
        module, feed, out = (Path(name) / file for file in ("config.bin", "feed.itch", "callgrind.out"))
        module.write_bytes(compile_module(replace(KernelConfig(), max_books=1000, max_orders=1 << 16,
                                                  max_levels=1 << 15)))
        messages = [raw for _, raw in generate(DEFAULT_SCENARIO.profile, seed=1, messages=DEFAULT_SCENARIO.messages)]
        feed.write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages))
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=measured*",
                        f"--callgrind-out-file={out}", program, module, feed], check=True, capture_output=True)
        listing = subprocess.check_output(["callgrind_annotate", "--auto=no", "--threshold=100", out], text=True)
    functions: dict[str, int] = {}
    for count, function in re.findall(r"^ *([\d,]+) \([ \d.]+%\)  \S+?:(\S+)", listing, re.MULTILINE):
        name = function.split("'")[0]
        functions[name] = functions.get(name, 0) + int(count.replace(",", ""))
    return functions


def exceeded(counts: Counts, budget: dict[str, Any]) -> list[str]:
    """One line for each count above the budget; another number of messages is another scenario."""
    lines = []
    for name in sorted(set(counts) | set(budget["message"])):
        here, allowed = counts.get(name), budget["message"].get(name)
        if here is None or allowed is None or here["messages"] != allowed["messages"]:
            lines.append(f"{name}: {here and here['messages']} messages, the budget is for "
                         f"{allowed and allowed['messages']}: write it anew")
            continue
        lines += [f"{name}: {what} {here[what]:,} instructions, {here[what] - allowed[what]:,} more than the budget"
                  for what in ("total", "most") if here[what] > allowed[what]]
    return lines


def differences(functions: dict[str, int], budget: dict[str, Any]) -> list[str]:
    """The functions whose counts differ most from those of the budget."""
    before = budget["function"]
    changes = {name: functions.get(name, 0) - before.get(name, 0) for name in set(functions) | set(before)}
    largest = sorted((name for name in changes if changes[name]), key=lambda name: (-abs(changes[name]), name))
    return [f"{name}: {before.get(name, 0):,} -> {functions.get(name, 0):,} ({changes[name]:+,})"
            for name in largest[:SHOWN]]


def write(counts: Counts, functions: dict[str, int]) -> None:
    """The budget as it is measured now."""
    lines = ["# SPDX-License-Identifier: MIT",
             "# Executed instructions of a message in the kernel, from dequeue to done: the embedded scenario, exact.",
             "# Written by `python -m scripts.budget --write`; `function` is callgrind's count on the host.",
             f'compiler = "{compiler()}"', "", "[message]"]
    lines += [f'"{name}" = {{ messages = {c["messages"]}, total = {c["total"]}, most = {c["most"]} }}'
              for name, c in counts.items()]
    lines += ["", "[function]", *(f'"{name}" = {count}' for name, count in sorted(functions.items()))]
    BUDGET.write_text("\n".join(lines) + "\n")


def load() -> dict[str, Any]:
    return tomllib.loads(BUDGET.read_text())


def main() -> int:
    """The script; returns its exit status."""
    parser = argparse.ArgumentParser(description="instruction budget of the trading core")
    parser.add_argument("--write", action="store_true", help="make what is measured now the budget")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, "-m", "tickloop", "sim", "--out", name], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
        counts = measure(Path(name))
    for name, mean in means(counts).items():
        print(f"{name}: mean {mean:.1f} instructions (target: {TARGETS[name]})")
    for name, count in counts.items():
        print(f"  {name:8} {count['messages']:6,} messages, mean {count['total'] / count['messages']:7.1f}, "
              f"most {count['most']:5,}")
    functions = by_function()
    if options.write:
        if functions is None:
            print("valgrind is missing: it counts by function")
            return 1
        write(counts, functions)
        return 0
    lines = exceeded(counts, load())
    for line in lines + (differences(functions, load()) if lines and functions else []):
        print(line)
    return 1 if lines and compiler() == load()["compiler"] else 0


if __name__ == "__main__":
    sys.exit(main())
