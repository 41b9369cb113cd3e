# SPDX-License-Identifier: MIT
"""Free mode: the results of lockstep, without its timeline; nothing is lost while the kernel's processor is taken away;
whoever dies or freezes is noticed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from generators.profiles import write_profile
from tests.loop.conftest import ROOT, SIMULATORS, RunDirectory

Completed = Callable[..., RunDirectory]
SCENARIO = ("--scenario", "opening", "--messages", "300")
FREE = ("--mode", "free")
PCAP_HEADER, PACKET_HEADER = 24, 16
FROM_THE_CLOCK = {"latency_ns", "time_ns", "hw_timestamp_ns"}


def _timeless(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in line.items() if key not in FROM_THE_CLOCK} for line in lines]


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("config", [(), ("--config", "examples/descriptors.toml")], ids=["lines", "descriptors"])
def test_results_are_those_of_lockstep(simulator: str, config: tuple[str, ...], completed: Completed) -> None:
    lockstep = completed("sim", *SCENARIO, *config)
    free = completed("sim", *SCENARIO, *config, *FREE, "--sim", simulator)
    for name in ("frames.jsonl", "messages.jsonl", "events.jsonl", "orders.jsonl"):
        assert _timeless(free.lines(name)) == _timeless(lockstep.lines(name)), name
    assert free.lines("orders.jsonl")
    assert free.json("books.json") == lockstep.json("books.json")


def test_a_free_run_says_that_its_times_do_not_repeat(completed: Completed) -> None:
    run = completed("sim", *SCENARIO, *FREE)
    document = run.json("run.json")
    assert (document["mode"], document["reproducible"]) == ("free", False)
    assert "do not repeat" in run.output
    assert "no other run repeats them" in " ".join((run.path / "report.html").read_text().split())
    stages = run.json("latency.json")["stages"]
    assert stages["dequeue_to_done"]["unit"] == "TSC cycles"
    assert not {"tick_to_trade", "dma_to_dequeue", "doorbell_to_wire"} & set(stages)


@contextmanager
def _running(out: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A free run whose loop goes on, and the process id of its QEMU."""
    command = [sys.executable, "-m", "tickloop", "sim", *FREE, *arguments, "--out", str(out)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process, _qemu_of(out)
    finally:
        process.kill()
        process.communicate()


def _qemu_of(out: Path) -> int:
    for _ in range(1800):
        time.sleep(0.05)
        console = out / "console.log"
        if not console.exists() or b"granted" not in console.read_bytes():
            continue
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if "qemu-system" in command.split("\0")[0] and str(out) in command:
                return int(entry.name)
    raise AssertionError("QEMU did not appear")


def _at_line_rate(capture: Path) -> None:
    """All frames at one time: each follows right after the one before it."""
    data = bytearray(capture.read_bytes())
    at = PCAP_HEADER
    while at < len(data):
        length = int.from_bytes(data[at + 8 : at + 12], "little")
        data[at : at + 8] = bytes(8)
        at += PACKET_HEADER + length
    assert at == len(data)
    capture.write_bytes(data)


def test_nothing_is_lost_while_the_kernel_does_not_run(tmp_path: Path) -> None:
    """QEMU is stopped at random while frames come at line rate into a small ring, mostly for longer than that lasts."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    draw, config = random.Random(seed), tmp_path / "small.toml"
    config.write_text("[rings]\nrx_log2 = 7\n")
    capture = tmp_path / "burst.pcap"
    write_profile(capture, "opening", 1, 20_000)
    _at_line_rate(capture)
    with _running(tmp_path / "run", str(capture), "--config", str(config)) as (process, qemu):
        stops = 0
        with suppress(ProcessLookupError):  # it has ended
            while stops < 100:
                os.kill(qemu, signal.SIGSTOP)
                time.sleep(draw.uniform(0, 0.02))
                os.kill(qemu, signal.SIGCONT)
                time.sleep(draw.uniform(0, 0.01))
                stops += 1
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "PASS" in output
    assert stops > 5


@pytest.mark.parametrize(("number", "status", "text"), [(signal.SIGKILL, 4, "QEMU"), (signal.SIGSTOP, 6, "silent")])
def test_a_kernel_that_is_gone_is_noticed(number: signal.Signals, status: int, text: str, tmp_path: Path) -> None:
    with _running(tmp_path, "--scenario", "quiet", "--messages", "200000") as (process, qemu):
        os.kill(qemu, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert text in errors
    assert "Traceback" not in errors
