# SPDX-License-Identifier: MIT
"""Somebody dies, freezes, or the user stops the run, at each state of the protocol: one clear line, the promised exit
status, within ten seconds, nothing left behind, and the run directory holds what was recorded up to then."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bridge import build, layout, record
from generators.profiles import generate, write_profile
from tests.loop import peers
from tests.loop.peers import PeerRun, assert_one_line

SCENARIO, MESSAGES = "quiet", 60_000
SHORT = 300
STATES: dict[str, tuple[Callable[[PeerRun], None], str | None]] = {
    "before the handshake": (peers.before_the_handshake, peers.STOP_AT_ONCE),
    "parked": (peers.parked, None),
    "running": (peers.running, None),
    "in DMA": (peers.in_dma, None),
    "at exit": (peers.at_exit, peers.STOP_AT_THE_END),
}
Start = Callable[..., PeerRun]


@pytest.fixture
def start(tmp_path: Path, built: None) -> Iterator[Start]:
    """``start(state)``: a run in that state; a test that fails leaves none behind either."""
    runs: list[PeerRun] = []

    def begin(state: str, *more: str) -> PeerRun:
        reach, qemu = STATES[state]
        arguments = ("--scenario", SCENARIO, "--messages", str(_messages(state)), *more)
        run = PeerRun(tmp_path / f"run{len(runs)}", *arguments, qemu=qemu)
        runs.append(run)
        reach(run)
        return run

    yield begin
    for run in runs:
        run.close()


def _messages(state: str) -> int:
    """Of the scenario: as many as no run gets through before it is brought to its state."""
    return SHORT if state == "at exit" else MESSAGES


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _assert_recorded(run: PeerRun, state: str, status: int, error: str) -> None:
    """The files hold what the logs do: the beginning of what the scenario sends, with nothing missing in between."""
    document = json.loads((run.out / "run.json").read_text())
    assert (document["passed"], document["exit_status"]) == (False, status)
    assert document["error"] in error or status == 130
    logs = run.out / "record"
    assert not record.incomplete(logs)
    published = record.read_log(logs, "dma", layout.DMA_LOG)["data"].view(layout.RX_RECORD)[:, 0]["publish"]
    messages = _lines(run.out / "messages.jsonl")
    assert len(messages) == (published != 0).sum()
    assert (len(messages) > 0) == (state != "before the handshake")
    sent = generate(SCENARIO, seed=1, messages=_messages(state))
    expected = [(number, chr(message[0])) for number, (_, message) in zip(range(1, len(messages) + 1), sent)]  # noqa: B905
    assert [(message["sequence"], message["type"]) for message in messages] == expected
    assert len(_lines(run.out / "frames.jsonl")) == len(record.read_frames(logs))
    assert len(_lines(run.out / "orders.jsonl")) == len(record.read_sent(logs))
    assert (run.out / "books.json").exists() == (state == "at exit")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("victim", "status", "text"), [("qemu", 4, "QEMU"), ("simulator", 5, "simulator died (SIGKILL)")]
)
def test_a_peer_is_killed(start: Start, state: str, victim: str, status: int, text: str) -> None:
    run = start(state)
    simulator, pid = run.simulator, getattr(run, victim)
    run.fault()
    os.kill(pid, signal.SIGKILL)
    if victim == "qemu":
        os.kill(simulator, signal.SIGCONT)
    returncode, errors = run.ended()
    assert returncode == status, errors
    _assert_recorded(run, state, status, assert_one_line(errors, text))


def test_icarus_is_killed(start: Start) -> None:
    build.build_simulator("icarus", False)
    run = start("in DMA", "--sim", "icarus")
    run.fault()
    os.kill(run.simulator, signal.SIGKILL)
    returncode, errors = run.ended()
    assert returncode == 5, errors
    _assert_recorded(run, "in DMA", 5, assert_one_line(errors, "simulator died (SIGKILL)"))


def test_a_run_without_a_kernel_keeps_its_record_too(tmp_path: Path, built: None) -> None:
    capture = tmp_path / "capture.pcap"
    write_profile(capture, SCENARIO, messages=20_000)
    run = PeerRun(tmp_path / "run", capture, command="parse")
    try:
        run.flowing()
        run.fault()
        os.kill(run.simulator, signal.SIGKILL)
        returncode, errors = run.ended()
        assert returncode == 5, errors
        assert_one_line(errors, "simulator died (SIGKILL)")
        messages = _lines(run.out / "messages.jsonl")
        with (tmp_path / "capture.pcap.expect.jsonl").open() as file:
            expected = [json.loads(line) for line in islice(file, len(messages))]
        assert messages
        assert [message["fields"] for message in messages] == [message["fields"] for message in expected]
    finally:
        run.close()


@pytest.mark.parametrize("state", STATES)
def test_tickloop_itself_is_killed(start: Start, state: str) -> None:
    run = start(state)
    run.fault()
    run.process.kill()
    returncode, errors = run.ended()
    assert (returncode, errors) == (-signal.SIGKILL, "")
    assert (len(run.dma()) > 0) == (state != "before the handshake")


@pytest.mark.parametrize("state", STATES)
def test_ctrl_c(start: Start, state: str) -> None:
    """As from a terminal: to the whole process group."""
    run = start(state)
    run.fault()
    os.killpg(run.process.pid, signal.SIGINT)
    returncode, errors = run.ended()
    assert returncode == 130, errors
    _assert_recorded(run, state, 130, assert_one_line(errors, "interrupted"))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_command_ends_while_it_writes_the_files(start: Start, number: int, status: int) -> None:
    """Behind the loop, too: a pipe that nobody reads stands in the place of a file."""
    run = start("at exit")
    simulator = run.simulator
    os.mkfifo(run.out / "messages.jsonl")
    os.kill(run.qemu, signal.SIGCONT)
    peers.wait_for(lambda: not peers.state_of(simulator), "the simulator does not end")
    peers.wait_for((run.out / "frames.jsonl").exists, "no file is written")
    run.fault()
    if number == signal.SIGINT:
        os.killpg(run.process.pid, number)
    else:
        run.process.kill()
    returncode, errors = run.ended()
    assert returncode == status, errors
    assert "Traceback" not in errors
    assert len(run.dma()) > 0
    assert not record.incomplete(run.out / "record")


@pytest.mark.parametrize(
    "freezes",
    [
        (("before the handshake", "qemu", "the kernel has been silent"),
         ("before the handshake", "simulator", "the simulator has been silent")),
        (("running", "qemu", "the kernel has been silent"), ("parked", "simulator", "the simulator has been silent")),
        (("in DMA", "simulator", "the simulator has been silent"), ("at exit", "qemu", "QEMU does not end")),
    ],
    ids=["before the handshake", "on the way", "at the end"],
)  # fmt: skip
def test_a_frozen_peer_is_noticed(start: Start, freezes: tuple[tuple[str, str, str], ...]) -> None:
    """Frozen runs take no processor, so two wait for their time-outs together; starting more would take as long."""
    runs = []
    for state, victim, text in freezes:
        run = start(state)
        os.kill(getattr(run, victim), signal.SIGSTOP)
        run.fault()
        runs.append((run, state, text))
    for run, state, text in runs:
        returncode, errors = run.ended()
        assert returncode == 6, errors
        _assert_recorded(run, state, 6, assert_one_line(errors, text))


def test_runs_side_by_side_never_meet(start: Start, tmp_path: Path, completed: Callable[..., Any]) -> None:
    """One loses its QEMU, one is stopped by the user; the third has the digest of a run that was alone."""
    arguments = ("--scenario", SCENARIO, "--messages", str(SHORT))
    alone = completed("sim", *arguments).json("run.json")["digest"]
    killed, stopped = start("running"), start("before the handshake")
    third = PeerRun(tmp_path / "third", *arguments)
    try:
        killed.fault()
        stopped.fault()
        os.kill(killed.qemu, signal.SIGKILL)
        os.killpg(stopped.process.pid, signal.SIGINT)
        assert killed.ended()[0] == 4
        assert stopped.ended()[0] == 130
        assert third.process.wait(30) == 0
        assert json.loads((third.out / "run.json").read_text())["digest"] == alone
    finally:
        third.close()
