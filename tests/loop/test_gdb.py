# SPDX-License-Identifier: MIT
"""``--gdb``: the kernel waits, stops at a breakpoint for longer than it may else be silent, shows a record, goes on;
the run does not differ from one without gdb."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.loop import KERNEL_TIMEOUT_S
from tests.loop.conftest import ROOT, RunDirectory

pytestmark = pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
SCENARIO = ("--scenario", "opening", "--messages", "300")


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A run whose kernel waits, and the gdb command that it tells."""
    command = [sys.executable, "-m", "tickloop", "sim", *SCENARIO, "--gdb", "--out", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        gdb: list[str] = []
        while not gdb:
            line = process.stderr.readline()
            assert line, "the run ended"
            if line.startswith("  gdb "):
                gdb = shlex.split(line)
        deadline = time.monotonic() + 30
        while not (tmp_path / "gdb.sock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield process, [gdb[0], "-batch", "-nx", *gdb[1:]]
    finally:
        process.kill()
        process.communicate()


def test_a_stopped_kernel_shows_its_record_and_the_run_stays_the_same(
    waiting: tuple[subprocess.Popen[str], list[str]], completed: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    process, gdb = waiting
    script = ["break process", "continue", "print line->record.sequence", f"shell sleep {KERNEL_TIMEOUT_S + 1}", "next",
              "continue 3", "print line->record.sequence", "delete", "break decide", "continue", "print *book",
              "delete", "break send_intent", "continue", "print *intent", "print kernel->engine.statistics",
              "delete", "break panic", "break engine_book", "delete", "continue"]  # fmt: skip
    told = set(re.findall(r"`((?:break|print) [^`]*)`", (ROOT / "docs/debugging.md").read_text()))
    assert told - {"print line->record", "print line->A"} <= set(script)
    commands = [part for command in script for part in ("-ex", command)]
    shown = subprocess.run([*gdb, *commands], capture_output=True, text=True, timeout=60, check=False).stdout
    assert "Breakpoint 1, process (" in shown
    assert "trading/loop.c" in shown
    assert "$3 = {side = {{" in shown
    assert re.search(r"^\$4 = \{stock = .* side = 66 'B'\}$", shown, re.M)
    assert re.search(r"^\$5 = \{book_messages = \d+, ", shown, re.M)
    assert not re.search(r"No symbol|not defined", shown)
    assert next(line for line in shown.splitlines() if line.startswith("$")) == "$1 = 1"
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    assert not (tmp_path / "gdb.sock").exists()
    digests = {run.json("run.json")["digest"] for run in (RunDirectory(tmp_path, output), completed("sim", *SCENARIO))}
    assert len(digests) == 1


def test_a_kernel_that_is_ended_from_gdb_is_told(waiting: tuple[subprocess.Popen[str], list[str]]) -> None:
    process, gdb = waiting
    subprocess.run([*gdb, "-ex", "break process", "-ex", "continue", "-ex", "kill"], capture_output=True, timeout=60,
                   check=False)  # fmt: skip
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 4, errors
    assert "ended from gdb" in errors
