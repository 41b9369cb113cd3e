# SPDX-License-Identifier: MIT
"""What the trading core costs: this machine's nanoseconds beside itch-book, a plain C++ book and the Python model on
the same messages; then the targets of docs/performance.md, natively and in simulated time.

The arms run in turn, round by round; the means are of thread time, so that other load counts as little as it can, and
of the best round, whose percentiles are told too. The core takes records as the NIC leaves them in its ring; itch-book
and the C++ book parse the file's bytes too, which for the core is the NIC's work.

    python bench/book_update.py [--messages N] [--rounds N] [--simulated N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from itch_book._core import Session

from bridge import build
from generators.profiles import generate
from generators.tables import ITCH50
from tb.model.book import BOOK_MESSAGES, Books
from tb.model.config import KernelConfig
from tb.model.symbols import Symbols
from tickloop.config import compile_module, load_config
from tickloop.inputs import from_scenario
from tickloop.run import Job, execute

HERE = Path(__file__).resolve().parent
PYTHON_MESSAGES = 20_000
PERCENTILES = ("p50", "p99", "p99_9", "p99_99")
TARGET_RATIO = 0.4


def prepare(messages: list[bytes], folder: Path) -> None:
    """Input files and programs of the arms."""
    (folder / "config.bin").write_bytes(compile_module(KernelConfig()))
    (folder / "feed.itch").write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages))
    build_core()
    subprocess.run(["g++", "-std=c++17", "-O2", "-o", folder / "reference_book", HERE / "native/reference_book.cpp"],
                   check=True)


def build_core() -> Path:
    """The program of the core's arm, with the parser in software that makes its way from frame to order whole."""
    parser = (str(build.ROOT / "firmware/parser" / name) for name in ("parser.c", "unpack.S"))
    return build.build_native(HERE / "native/book_update.c", *parser, "-lm")


def native(folder: Path) -> dict[str, Any]:
    """A round of the core."""
    output = subprocess.check_output([build_core(), folder / "config.bin", folder / "feed.itch", "1"])
    result: dict[str, Any] = json.loads(output)
    return result


def cpp(folder: Path) -> float:
    """A round of the C++ reference: ns a message."""
    output = subprocess.check_output([folder / "reference_book", folder / "feed.itch", "1"])
    return float(json.loads(output)["mean_ns"])


def itch_book(messages: int, data: bytes) -> float:
    """A round of itch-book, with the least that it can be asked for, no table: ns a message."""
    session = Session(tables=[], depth=0, symbols=[])
    start = time.thread_time()
    session.feed(data)
    return (time.thread_time() - start) / messages * 1e9


def python(messages: list[bytes]) -> float:
    """ns a message of the Python model, decoding included."""
    config = KernelConfig()
    books = Books(Symbols(config), config.max_books, config.max_orders, config.max_levels)
    start = time.thread_time()
    for raw in messages:
        kind = chr(raw[0])
        if kind in BOOK_MESSAGES:
            books.apply(kind, ITCH50[kind].decode(raw))
    return (time.thread_time() - start) / len(messages) * 1e9


def nearest_rank(samples: Any, share: float) -> float:
    ordered = np.sort(samples)
    return float(ordered[max(0, -int(-share * len(ordered) // 1) - 1)])


def simulated(messages: int, folder: Path) -> dict[str, Any]:
    """Stages of a closed loop in simulated ns: samples by name."""
    config = load_config(None)
    source = from_scenario("opening", 1, messages, config.group)
    outcome = execute(Job("sim", source, config, folder / "sim", "verilator"))
    if not outcome.passed:
        raise SystemExit("the simulated run failed its checks")
    ns = config.time.ps_per_instruction / 1000
    table = np.genfromtxt(folder / "sim/latency.csv", delimiter=",", names=True)

    def column(name: str) -> Any:
        values = table[name]
        return values[~np.isnan(values)]

    trace = np.fromfile(folder / "sim/record/trace.bin", dtype=_trace_dtype())
    applied = trace["applied_work"][trace["applied_work"] > 0] * ns
    return {
        "book update": applied,
        "packet processing": column("wire_first_byte_to_dma_issue") * config.time.clock_ps / 1000,
        "market data to order": column("dequeue_to_doorbell") * ns + column("visible_to_dequeue"),
        "end to end": column("tick_to_trade"),
        "risk": column("decision_to_doorbell_ns"),
    }


def _trace_dtype() -> Any:
    from bridge.layout import TRACE_LOG  # noqa: PLC0415 (the layout may be newer than a record)

    return TRACE_LOG


# Row of the table -> (target, what it is natively)
TARGETS: dict[str, tuple[str, str]] = {
    "book update": ("< 500 ns", "book_update"),
    "packet processing": ("< 1 us", "packet"),
    "market data to order": ("< 5 us", "record_to_order"),
    "end to end": ("< 10 us, p99.99 < 50 us", "frame_to_order"),
    "risk": ("< 1 us", "risk_check"),
    "queue operation": ("< 100 ns", "queue"),
}


def print_targets(core: dict[str, Any], stages: dict[str, Any]) -> None:
    print(f"\n{'':24}{'target':26}{'natively, ns':>44}{'simulated, ns':>44}")
    print(f"{'':50}" + 2 * "".join(f"{name.replace('_', '.'):>11}" for name in PERCENTILES))
    for name, (target, key) in TARGETS.items():
        row = [f"{core[key][p]:11.1f}" for p in PERCENTILES]
        samples = stages.get(name)
        if samples is not None:
            row += [f"{nearest_rank(samples, share):11.1f}" for share in (0.5, 0.99, 0.999, 0.9999)]
        print(f"{name:24}{target:26}{''.join(row)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--simulated", type=int, default=20_000, help="messages of the closed loop; 0: none")
    options = parser.parse_args()
    messages = [raw for _, raw in generate("opening", seed=1, messages=options.messages)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(messages, folder)
        data = (folder / "feed.itch").read_bytes()
        rounds = [(native(folder), itch_book(len(messages), data), cpp(folder)) for _ in range(options.rounds)]
        core = min((round_[0] for round_ in rounds), key=lambda figures: float(figures["mean_ns"]))
        oracle, plain = min(round_[1] for round_ in rounds), min(round_[2] for round_ in rounds)
        model = python(messages[:PYTHON_MESSAGES])
        stages = simulated(options.simulated, folder) if options.simulated else {}
    print(f"opening, {len(messages):,} messages, ns a message (mean of the best of {options.rounds} rounds)")
    for what, cost in (("the core", core["mean_ns"]), ("itch-book", oracle), ("C++, std::map", plain),
                       ("Python model", model)):
        print(f"  {what:16}{cost:10.1f}{cost / core['mean_ns']:10.1f} x")
    steps = " ".join(f"{p.replace('_', '.')} {core['message'][p]:.1f}" for p in PERCENTILES)
    print(f"a message in the core, one by one: {steps} ns")
    print(f"the core / itch-book: {core['mean_ns'] / oracle:.2f} x (target: at most {TARGET_RATIO} x)")
    print_targets(core, stages)


if __name__ == "__main__":
    main()
