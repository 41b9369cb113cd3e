# SPDX-License-Identifier: MIT
"""Ctrl-C at the terminal of a run under way: the bar goes, nothing is left running, what was done so far is there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bridge.layout import FRAME_LOG
from bridge.record import read_log
from tests.loop.conftest import RunDirectory, processes_of
from tests.tickloop.terminal import CTRL_C, at_terminal
from tickloop.progress import CLEAR


def test_a_closed_loop_interrupted_at_its_terminal(built: None, tmp_path: Path) -> None:
    """Long enough for a bar: the exchange answers every order."""
    started = at_terminal("sim", "--scenario", "exchange", "--messages", "20000", "--out", tmp_path / "run")
    started.wait_for(rb"frames \[[#-]{30}\]|frames  [\d,]+  \d+ s")
    started.press(CTRL_C)
    assert started.finish() == 130
    *_, last = started.text.decode().split(CLEAR)
    assert last.splitlines() == ["tickloop: interrupted"]
    assert not processes_of(tmp_path)
    run = RunDirectory(tmp_path / "run", "")
    document = run.json("run.json")
    assert (document["passed"], document["exit_status"]) == (False, 130)
    messages, orders = run.lines("messages.jsonl"), run.lines("orders.jsonl")
    assert 0 < len(messages) < 20_000
    assert orders
    page = (run.path / "report.html").read_text()
    assert "The run did not come to its end: interrupted by Ctrl-C" in page
    assert not (run.path / "summary.json").exists()


def interrupted(*arguments: str | Path, when: Callable[[int], bool]) -> str:
    """What a command says on standard error that gets Ctrl-C as soon as ``when(process id)``."""
    command = [sys.executable, "-m", "tickloop", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as job:
        deadline = time.monotonic() + 60
        while not when(job.pid):
            assert job.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        job.send_signal(signal.SIGINT)
        said = job.communicate(timeout=30)[1]
        assert job.returncode == 130
        return said


def test_a_replay_tells_how_far_it_did_the_same(completed: Callable[..., RunDirectory], tmp_path: Path) -> None:
    """On the slower simulator, after its first frames."""
    recorded, again = completed("sim"), RunDirectory(tmp_path / "again", "")
    record = again.path / "record"
    said = interrupted("replay", recorded.path, "--rtl", "--sim", "icarus", "--out", again.path,
                       when=lambda _: len(read_log(record, "frames", FRAME_LOG)) > 10)
    assert not processes_of(tmp_path)
    verdict = again.json("replay.json")
    assert verdict["same"] is False
    assert 10 < verdict["logs"]["received frames"]["replayed"] < len(recorded.lines("frames.jsonl"))
    assert said.startswith("tickloop: interrupted by Ctrl-C\ntickloop: replayed ends before ")


def test_software_leaves_nothing_running(completed: Callable[..., RunDirectory], tmp_path: Path) -> None:
    """Its kernels run one after the other; Ctrl-C comes while the first one does."""
    run, guests = tmp_path / "run", list[str]()
    run.symlink_to(completed("sim").path)
    before = sorted(path.name for path in run.iterdir())

    def is_up(parent: int) -> bool:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        guests.extend(pid for pid in children if b"qemu" in Path(f"/proc/{pid}/cmdline").read_bytes())
        return bool(guests)

    assert interrupted("software", run, when=is_up) == "tickloop: interrupted\n"
    deadline = time.monotonic() + 10  # one that had just been started goes after its parent
    while [pid for pid in guests if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sorted(path.name for path in run.iterdir()) == before
