# SPDX-License-Identifier: MIT
"""Writes the files of a run directory; their contents are promised to users and described in docs/run-directory.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Every name a run may leave: an earlier run's files go before a new one starts, whatever else is there stays.
RUN_FILES = (
    "frames.jsonl", "messages.jsonl", "events.jsonl", "summary.json", "orders.jsonl", "orders.pcap", "books.json",
    "latency.json", "latency.csv", "run.json", "console.log", "report.html", "waves.vcd", "waves.fst", "waves.gtkw",
    "around.gtkw", "trace.json", "replay.json", "positions.json", "exchange.json", "backtest.json",
    "software.json",
)
STIMULUS = "stimulus.bin"  # of the record: its frames
RECORD = "record"  # raw logs, stimulus and configuration module of the run

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
