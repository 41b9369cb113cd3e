# SPDX-License-Identifier: MIT
"""The closed loop around a parser of the user's own: the same orders as with the NIC's, and a record that replays."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.own_parser import contract
from tests.examples.bugs import EXAMPLE
from tests.loop.conftest import RunDirectory

HANGS = "assign s_axis_tready = 1'b0;\nassign m_valid = 1'b0;\n"
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


def test_a_rule_that_the_parser_breaks_ends_the_run_with_its_line(tickloop: Callable[..., Any], tmp_path: Path) -> None:
    ports = ", ".join(f"{port.direction} wire [{port.width - 1}:0] {port.name}" for port in contract()[1])
    source = tmp_path / "hangs.v"
    source.write_text(f"module own_parser ({ports});\n{HANGS}endmodule\n")
    finished = tickloop(*ARGUMENTS, "--parser", source, "--out", tmp_path / "run")
    assert finished.returncode == 1
    line = finished.stderr.splitlines()[-1]
    assert re.fullmatch(r"tickloop: own_parser, line A, \d+ ps: rule 5: hangs: .*", line)
