# SPDX-License-Identifier: MIT
"""Cache lines of the core's tables that a message touches, counted at every access to memory: order, level and book for
one that leaves its level; the figures are those of docs/performance.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from bridge.build import build_native
from generators.profiles import generate
from tb.model.config import KernelConfig
from tickloop.config import compile_module

SOURCE = Path(__file__).parent / "cache_lines.c"
ROW = np.dtype([("type", "<u4"), ("lines", "<u4"), ("levels", "<u4")])


def test_lines_a_message(tmp_path: Path) -> None:
    # The sanitizer instruments, and its library is not linked: the program has its own.
    program = build_native(SOURCE, "-fsanitize=thread", "-fno-lto", "-nodefaultlibs", "-lc", "-lgcc")
    module, feed = tmp_path / "config.bin", tmp_path / "feed.itch"
    module.write_bytes(compile_module(KernelConfig()))
    messages = [raw for _, raw in generate("opening", 1, 20_000)]
    feed.write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages))
    rows = np.frombuffer(subprocess.run([program, module, feed], capture_output=True, check=True).stdout, ROW)
    assert len(rows) > 15_000
    for kind, most in (("D", 4), ("E", 4), ("X", 3)):
        lines = rows["lines"][(rows["type"] == ord(kind)) & (rows["levels"] == 0)]
        assert len(lines) > 50, kind
        assert lines.min() == 3, kind
        assert np.median(lines) == 3, kind
        # The table's next entry tells whether others move up: it begins another line for one order in four.
        assert lines.max() <= most, kind
        print(f"{kind}: mean {lines.mean():.2f}")
    deletes = rows["lines"][rows["type"] == ord("D")]
    print(f"D, all: mean {deletes.mean():.2f}, p50 {np.median(deletes)}, max {deletes.max()}")
