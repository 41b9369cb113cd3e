# SPDX-License-Identifier: MIT
"""Writes the files of a run directory; their contents are promised to users and described in docs/run-directory.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Every name a command may leave in its directory, and what it holds: an earlier run's files go before a new one starts,
# whatever else is there stays. docs/run-directory.md shows these tables (scripts/docs_pages.py).
RUN_FILES = {
    "frames.jsonl": "a line a received frame: `frame` (from 0, both lines together), `line` (`A`, `B`), `disposition` "
                    "(`accept`, or `drop` with its `reason`); of accepted ones `kind`, `session`, `sequence`, "
                    "`count`, and `flag` (`truncated`, `extra_data`)",
    "messages.jsonl": "a line a message the host received: `frame` and `line` of the copy that came first, "
                      "`sequence`, `type`, `length`, `status`, `fields` (status `ok` and `too_long`) or `raw` (hex), "
                      "`hw_timestamp_ns` of its frame's first byte, and in cut-through `verdict` (`good`, `bad`) of "
                      "its frame",
    "events.jsonl": "gaps, session changes, ends of sessions, truncated packets, drops",
    "summary.json": "counters as the hardware counted them (below); `agree` tells whether they equal what the files "
                    "above say",
    "orders.jsonl": "(`sim`, `backtest`) a line an OUCH message that left for the first time: `time_ns`, `type`, "
                    "`fields`, `hex`; what the kernel sent again, and what else the session says, is in `orders.pcap` "
                    "only",
    "orders.pcap": "(`sim`) all frames sent, the kernel's own (ARP, TCP without data) too, without FCS, for "
                   "Wireshark; time 0 is the first received frame",
    "books.json": "(`sim`, `backtest`) the kernel's books at the end, full depth; levels are `[price, shares, "
                  "orders]`, best first",
    "positions.json": "(`sim`) what the kernel's own orders came to: `cash`, `profit` and `executions` in all; "
                      "`symbols`: of each book `position`, `cash`, shares `bought` and `sold`, `open_orders`, `mark` "
                      "(the price at which the profit counts the position), and `flags`, why no strategy runs on it "
                      "([layout](layout.md), `book_flag`). Cash and profit in the prices' implied decimals",
    "exchange.json": "(scenario `exchange`) the [exchange's](exchange.md) state at the end: its client's cash, "
                     "positions and orders with the way each ended, and what it counted",
    "latency.json": "[latency](latency.md) by stage",
    "latency.csv": "every sample of it",
    "run.json": "command line, seed, `mode`, `reproducible`, `live_input` (`--console`), `simulator`, `parser` "
                "(`--parser`: its files with their SHA-256), `delivery`, `hold_ns`, `format`, `lines`, configuration, "
                "`commands` (of `--script`, with their times), versions, git commit, checks with what they compared, "
                "`clocks` (simulated; `clocks_skipped` of them idle), `wall` times, `kernel_statistics` (the kernel's "
                "own counters, refused orders by reason among them), `kernel_sha256`, `digest`",
    "console.log": "(`sim`) the kernel's console",
    "report.html": "the same for readers, one file without external resources ([report](report.md)); `tickloop report "
                   "DIR` makes it again",
    "software.json": "(`software`) the run's frames parsed by the kernel itself behind an e1000: `smartnic`, mean "
                     "executed instructions a message in the run; of `parsers` C and assembly `parsing`, `trading` "
                     "and `whole`; whether orders and books were the same (`same_orders`, `same_books`); `frames`, "
                     "`messages`",
    "waves.vcd": "(`--waves`) RTL and kernel on one time axis ([waves](waves.md)); `tickloop waves DIR` opens them",
    "waves.fst": "(`--waves fst`) the same, compressed",
    "waves.gtkw": "(`--waves`) their view for GTKWave",
    "around.gtkw": "(`waves --around`) the view of another moment",
    "trace.json": "(`--waves`, `--trace`) the same timeline for ui.perfetto.dev, with an arrow from each frame to its "
                  "order",
    "replay.json": "(`replay`) the verdict: what was compared, what differed, times ([replay](replay.md))",
    "backtest.json": "(`backtest`) positions, profit and loss, counters, times ([backtest](backtest.md))",
}
RECORD = "record"  # raw logs, stimulus and configuration module of the run
STIMULUS = "stimulus.bin"  # of the record: its frames
# The logs' entries are structures of the layout.
RECORD_FILES = {
    "loop.json": "what the loop was told: layout, clocks, times of the crossing",
    STIMULUS: "frames as they enter (`stimulus_frame`, then the frame's bytes up to a multiple of 8)",
    "config.bin": "the kernel's configuration module (`config_header` and what follows it)",
    "commands.bin": "commands of the host at their times (`host_command`)",
    "frames.bin": "what the NIC said of each received frame (`frame_log`)",
    "dma.bin": "every line that the NIC wrote to host memory (`dma_log`)",
    "valid.bin": "when which line of the RX ring could be seen (`valid_log`)",
    "reads.bin": "every line that the NIC read (`read_log`)",
    "registers.bin": "every access to a register (`register_log`)",
    "sent.bin": "frames sent (`tx_log`, then the frame's bytes up to a multiple of 8)",
    "guest.bin": "every request of the kernel to the bridge (`guest_log`)",
    "trace.bin": "what each message cost in the kernel, on simulated time (`trace_log`)",
    "raw.bin": "frames that the NIC put into the raw ring (`raw_frame`, then the frame's bytes up to a multiple of 8)",
    "export.bin": "the kernel's export (`export_header` and the books)",
    "order.json": "what the simulator's process was told",
    "results.xml": "what cocotb says of it (Icarus)",
    "lengths.bin": "only of a run that goes on, or was cut off: how long each log is (`log_length`)",
    "qemu.log": "what QEMU said",
    "simulator.log": "what the simulator said",
    "exchange.txt": "only if the exchange model failed: its traceback",
    **{f"{values}.filter": f"(`--waves`) names of the values of `{values}`, for GTKWave"
       for values in ("DropReason", "FrameKind", "MailboxOp", "State")},
}

_encode = json.JSONEncoder(separators=(", ", ": "), check_circular=False).encode


def write_json_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(_encode(line) + "\n" for line in lines)


def write_json(path: Path, document: Any) -> None:
    """One JSON document, indented for readers."""
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="ascii")


def write_json_array(path: Path, entries: list[dict[str, Any]]) -> None:
    """A JSON array with one entry a line: readable, and still one document."""
    body = ",\n".join(_encode(entry) for entry in entries)
    path.write_text(f"[\n{body}\n]\n" if entries else "[]\n", encoding="ascii")


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """What ``write_json_lines`` wrote, line by line; nothing where there is no file."""
    if path.exists():
        with path.open(encoding="ascii") as file:
            yield from map(json.loads, file)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """What ``write_json_lines`` wrote."""
    with path.open(encoding="ascii") as file:
        return [json.loads(line) for line in file]


def is_run_file(path: Path, out: Path) -> bool:
    """Whether ``clear`` would remove ``path`` from ``out``."""
    path, out = path.resolve(), out.resolve()
    return out / RECORD in path.parents or (path.parent == out and path.name in RUN_FILES)


def clear_made(out: Path) -> None:
    """Removes what is made of the record after a run, finished or half written; console and waves are the run's own."""
    for name in RUN_FILES:
        if name != "console.log" and not name.startswith("waves."):
            (out / name).unlink(missing_ok=True)


def clear(out: Path) -> None:
    """Removes what an earlier run left in ``out``, its raw logs too."""
    shutil.rmtree(out / RECORD, ignore_errors=True)
    for name in RUN_FILES:
        (out / name).unlink(missing_ok=True)
