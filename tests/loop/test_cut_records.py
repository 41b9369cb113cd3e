# SPDX-License-Identifier: MIT
"""A record that ends anywhere, each log at another place and inside an entry too: the files are made as far as it goes,
and say nothing that the whole run did not."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import layout, record
from bridge.interface import LoopRequest
from tb.model.config import KernelConfig
from tests.loop.conftest import RunDirectory
from tickloop import unfinished

LOGS = ("frames", "dma", "reads", "registers", "sent", "guest", "trace", "export", "raw", "valid")
CUTS = 25


def _describe(*_: object) -> dict[str, Any]:
    return dict.fromkeys(unfinished.ONLY_AT_THE_END)


def _cut(directory: Path, lengths: dict[str, int], by_file: bool) -> None:
    """What is left of a file, or what ``lengths.bin`` says that a killed simulator wrote into a longer one."""
    entries = np.zeros(len(lengths), layout.LOG_LENGTH)
    for entry, (name, length) in zip(entries, lengths.items(), strict=True):
        path = directory / f"{name}.bin"
        if by_file:
            path.write_bytes(path.read_bytes()[:length])
        else:
            path.write_bytes(path.read_bytes()[:length] + b"\xff" * 1000)
            entry["name"][: len(name)] = np.frombuffer(name.encode(), np.uint8)
            entry["length"] = length
    if not by_file:
        entries.tofile(directory / record.LENGTHS)


@pytest.mark.parametrize("by_file", [True, False])
def test_files_are_made_as_far_as_the_record_goes(
    completed: Callable[..., RunDirectory], tmp_path: Path, capsys: pytest.CaptureFixture[str], by_file: bool
) -> None:
    whole = completed("sim", "--scenario", "opening", "--messages", "400")
    lines = {name: (whole.path / name).read_text().splitlines() for name in ("frames.jsonl", "orders.jsonl")}
    messages = [(m["sequence"], m["type"], m["fields"]) for m in whole.lines("messages.jsonl")]
    seen = set()
    for seed in range(CUTS):
        print(f"seed {seed}")
        rng, out = random.Random(seed), tmp_path / str(seed)
        shutil.copytree(whole.path / "record", out / "record")
        sizes = {name: (out / "record" / f"{name}.bin").stat().st_size for name in LOGS}
        # The set-up is whole more often than not, or no line of the ring would ever be known.
        keep = {name: rng.random() < (0.8 if name == "registers" else 0.1) for name in LOGS}
        lengths = {name: size if keep[name] else rng.randint(0, size) for name, size in sizes.items()}
        _cut(out / "record", lengths, by_file)
        capsys.readouterr()
        request = LoopRequest(out / "record/stimulus.bin", out, kernel=out / "kernel")
        unfinished.keep(request, KernelConfig(), 5, "the simulator died", _describe)
        warnings = capsys.readouterr().err
        for name in record.incomplete(out / "record"):
            assert f"{name}.bin ends inside an entry" in warnings
            seen.add(name)
        for name, expected in lines.items():
            found = (out / name).read_text().splitlines()
            assert found == expected[: len(found)] if name == "frames.jsonl" else len(found) <= len(expected)
        found = [json.loads(line) for line in (out / "messages.jsonl").read_text().splitlines()]
        assert [(m["sequence"], m["type"], m["fields"]) for m in found] == messages[: len(found)]
        seen.update(["messages"] if found else [])
        seen.update(["unreported"] if any(m["frame"] is None for m in found) else [])
        assert json.loads((out / "run.json").read_text())["exit_status"] == 5
    assert {"frames", "dma", "registers", "sent", "guest", "trace", "reads", "valid"} <= seen
    assert {"messages", "unreported"} <= seen
