# SPDX-License-Identifier: MIT
"""Best levels after every message against itch-book: price, shares and orders of both sides of the touched symbol's
book, row for row, on generated and on real messages."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from itch_book._core import Session

from bridge.build import build_native
from generators.profiles import generate
from tb.model.config import KernelConfig
from tickloop.config import compile_module

SOURCE = Path(__file__).parent / "best_levels.c"
ROW = np.dtype([("message", "<u8"), ("shares", "<u8", 2), ("price", "<u4", 2), ("orders", "<u4", 2), ("locate", "<u4"),
                ("zero", "<u4")])


def ours(tmp_path: Path, data: bytes) -> Any:
    module, feed = tmp_path / "config.bin", tmp_path / "feed.itch"
    module.write_bytes(compile_module(KernelConfig()))
    feed.write_bytes(data)
    finished = subprocess.run([build_native(SOURCE), module, feed], capture_output=True, check=True)
    return np.frombuffer(finished.stdout, ROW)


def assert_rows_agree(tmp_path: Path, data: bytes) -> int:
    """Every change of a best level in the same message with the same values; returns how many there were."""
    session = Session(tables=["bbo"], depth=0, symbols=[])
    session.feed(data)
    theirs, rows = session.take_bbo(), ours(tmp_path, data)
    # itch-book numbers messages from 0.
    first = int(rows["message"][0]) - int(theirs["seq"][0])
    assert first in (0, 1)
    columns = {"seq": rows["message"] - first, "locate": rows["locate"]}
    for side, name in enumerate(("bid", "ask")):
        columns |= {f"{name}_px": rows["price"][:, side], f"{name}_sz": rows["shares"][:, side],
                    f"{name}_ct": rows["orders"][:, side]}
    assert len(rows) == len(theirs["seq"])
    for name, column in columns.items():
        different = np.flatnonzero(column.astype(np.int64) != theirs[name].astype(np.int64))
        assert not len(different), f"{name} differs first after message {rows['message'][different[0]]}"
    return len(rows)


@pytest.mark.parametrize(("profile", "seed", "symbols"), [("opening", 21, None), ("opening", 22, 500),
                                                          ("mass_quote", 23, None), ("quiet", 24, None)])
def test_generated(tmp_path: Path, profile: str, seed: int, symbols: int | None) -> None:
    messages = (raw for _, raw in generate(profile, seed, 20_000, symbols=symbols))
    data = b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages)
    assert assert_rows_agree(tmp_path, data) > 1000


@pytest.mark.parametrize("name", ["itch_12302019_open_1000.itch", "itch_start_of_day_1000.itch"])
def test_real(tmp_path: Path, sample: Callable[[str], Path], name: str) -> None:
    data = sample(name).read_bytes()
    if "start" in name:
        assert not len(ours(tmp_path, data))  # no order yet
    else:
        assert assert_rows_agree(tmp_path, data) == 384
