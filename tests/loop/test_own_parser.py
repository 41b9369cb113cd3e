# SPDX-License-Identifier: MIT
"""The closed loop around a parser of the user's own: the same orders as with the NIC's, and a record that replays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.examples.bugs import EXAMPLE
from tests.loop.conftest import RunDirectory

ARGUMENTS = ("sim", "--sim", "icarus", "--messages", "150")


def orders(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "orders.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "time_ns"} for line in lines]


def test_the_same_orders_follow_and_the_replay_is_the_same(completed: Callable[..., RunDirectory],
                                                           tickloop: Callable[..., Any], tmp_path: Path) -> None:
    ours = completed(*ARGUMENTS).path
    own = completed(*ARGUMENTS, "--parser", EXAMPLE).path
    assert orders(own) == orders(ours) != []

    document, other = (json.loads((run / "run.json").read_text()) for run in (own, ours))
    assert document["passed"]
    assert document["digest"] != other["digest"]  # its clocks are its own
    assert document["parser"]["files"] == {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
                                           for path in sorted(EXAMPLE.glob("*.v"))}
    assert other["parser"] is None

    replay = tickloop("replay", own, "--rtl", "--sim", "icarus", "--out", tmp_path)
    assert replay.returncode == 0, replay.stderr
    assert "the same, bit for bit" in replay.stdout
