# SPDX-License-Identifier: MIT
"""Cache lines of the core's tables that a message touches in the kernel's loop, counted at every access to memory:
order and level for one that leaves its level, the side's for one that closes it, the strategy's where it is asked. The
figures are those of docs/performance.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from bridge.build import build_native
from generators.profiles import generate
from tb.model.config import KernelConfig
from tickloop.config import compile_module

SOURCE = Path(__file__).parent / "cache_lines.c"
ROW = np.dtype([(name, "<u4") for name in ("type", "lines", "levels", "beyond", "asked")])


def test_lines_a_message(tmp_path: Path) -> None:
    # The sanitizer instruments, and its library is not linked: the program has its own.
    program = build_native(SOURCE, "-fsanitize=thread", "-fno-lto", "-nodefaultlibs", "-lc", "-lgcc")
    module, feed = tmp_path / "config.bin", tmp_path / "feed.itch"
    module.write_bytes(compile_module(KernelConfig()))
    messages = [raw for _, raw in generate("opening", 1, 20_000)]
    feed.write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages))
    rows = np.frombuffer(subprocess.run([program, module, feed], capture_output=True, check=True).stdout, ROW)
    assert len(rows) > 15_000
    for kind, leaves in (("D", 2_500), ("E", 400), ("X", 50)):
        ours = rows[rows["type"] == ord(kind)]
        left = ours["lines"][ours["levels"] == 0]
        assert len(left) > leaves, kind
        assert np.median(left) == 2, kind
        # The table's next entry tells whether others move up: it begins another line for one order in four.
        assert left.max() <= 3, kind
        # Where a tree holds no level of the side, closing one takes the side's line beside these; and whether anything
        # may be traded on, which is asked behind a change of the best price, stands in one more.
        inside = ours[ours["beyond"] == 0]
        assert inside["lines"][inside["asked"] == 0].max() <= 3, kind
        assert (ours["asked"] <= ours["levels"]).all(), "only where a level came or went"
        assert inside["lines"].max() <= 4, kind
    deletes = rows[rows["type"] == ord("D")]
    assert (deletes["beyond"] == 0).mean() > 0.95
    counts = dict(zip(*np.unique(deletes["lines"], return_counts=True), strict=True))
    print(f"D: mean {deletes['lines'].mean():.2f}, lines {counts}")
    assert deletes["lines"].mean() < 2.2
    assert (deletes["lines"] <= 3).mean() > 0.94
    assert (deletes["lines"] <= 4).mean() > 0.995
