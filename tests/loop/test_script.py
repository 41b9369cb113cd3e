# SPDX-License-Identifier: MIT
"""``sim --script``: the kernel gets each command at its simulated time, the same run on both simulators, with idle
clocks skipped or not, and again from the record."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import build, loop
from bridge.commands import Command, read_commands
from bridge.interface import LoopRequest
from bridge.layout import FRAME_LOG, GUEST_LOG, MailboxOp
from bridge.record import read_log
from tests.loop.conftest import RunDirectory
from tickloop.rundir.digest import digest

SCENARIO = ("sim", "--scenario", "opening", "--messages", "150")
SCRIPT = "0.2ms no such command\n2ms the end comes later\n"
COMMANDS = (Command(200_000_000, "no such command"), Command(2_000_000_000, "the end comes later"))


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "script"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def run(completed: Callable[..., RunDirectory], script: Path) -> RunDirectory:
    return completed(*SCENARIO, "--script", script)


def test_the_kernel_is_given_each_command_when_it_is_due(run: RunDirectory) -> None:
    console = (run.path / "console.log").read_text().splitlines()
    assert [line for line in console if line.startswith("command: ")] == [
        f"command: {command.text}: not known" for command in COMMANDS
    ]
    assert run.json("run.json")["commands"] == [command._asdict() for command in COMMANDS]
    # A poll ends with each of them: at most a poll's turn later, and one of the kernel's messages at the worst.
    guest, frames = (
        read_log(run.path / "record", name, dtype) for name, dtype in (("guest", GUEST_LOG), ("frames", FRAME_LOG))
    )
    origin = (int(frames["first_clock"].min()) - 1) * 6400
    polls = guest["answered_ps"][guest["op"] == MailboxOp.POLL]
    for command in COMMANDS:
        due = origin + command.time_ps
        assert any(due <= int(at) < due + 1_000_000 for at in polls)


def test_both_simulators_do_the_same(completed: Callable[..., RunDirectory], run: RunDirectory, script: Path) -> None:
    other = completed(*SCENARIO, "--script", script, "--sim", "icarus")
    assert other.json("run.json")["digest"] == run.json("run.json")["digest"]
    assert run.json("run.json")["digest"] != completed(*SCENARIO).json("run.json")["digest"]


def test_skipped_clocks_change_nothing(run: RunDirectory, tmp_path: Path) -> None:
    record = run.path / "record"
    assert read_commands(record) == COMMANDS
    result = loop.run(
        LoopRequest(stimulus=record / "stimulus.bin", out=tmp_path, kernel=build.build_kernel(), skip_idle=False,
                    config_module=record / "config.bin", commands=read_commands(record), host_delay=300)
    )  # fmt: skip
    assert digest(result) == run.json("run.json")["digest"]


@pytest.mark.parametrize("half", ["--kernel", "--rtl"])
def test_a_replay_has_the_commands(
    half: str, run: RunDirectory, tickloop: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    result = tickloop("replay", run.path, half, "--out", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_order_leaves_between_kill_and_resume(
    completed: Callable[..., RunDirectory], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The script's times are those of orders.jsonl; the model, which is told when the kernel took each, agrees."""
    script = tmp_path_factory.mktemp("kill") / "script"
    script.write_text("2.5ms kill\n3.5ms resume\n")
    scenario = ("sim", "--scenario", "opening", "--messages", "400")
    run, usual = completed(*scenario, "--script", script), completed(*scenario)
    times, others = ([line["time_ns"] for line in each.lines("orders.jsonl")] for each in (run, usual))
    crossing = 2_000  # from the kernel's doorbell to the wire, and one message
    assert any(2_500_000 + crossing < time < 3_500_000 for time in others)
    assert not any(2_500_000 + crossing < time < 3_500_000 for time in times)
    assert any(time > 3_500_000 for time in times)
    statistics = run.json("run.json")["kernel_statistics"]
    assert statistics["commands"] == 2
    assert statistics["orders_refused_kill"] == sum(2_500_000 + crossing < time < 3_500_000 for time in others)


def test_a_symbols_strategy_is_switched_off_and_on(
    completed: Callable[..., RunDirectory], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No order of that symbol meanwhile, all the others' as usual; the books at the end say which stayed off."""
    scenario = ("sim", "--scenario", "opening", "--messages", "400")
    usual = completed(*scenario)
    symbols = [line["fields"]["stock"] for line in usual.lines("orders.jsonl") if line["time_ns"] > 2_500_000]
    first, other = (name.strip() for name in list(dict.fromkeys(symbols))[:2])
    script = tmp_path_factory.mktemp("strategy") / "script"
    script.write_text(f"2.3ms strategy {first} off\n2.3ms strategy NOBODY off\n2.4ms strategy {other} off\n"
                      f"3.5ms strategy {first} on\n3.6ms strategy {first} of\n")
    run = completed(*scenario, "--script", script)
    of_first, of_other = ([line["time_ns"] for line in run.lines("orders.jsonl")
                           if line["fields"]["stock"].strip() == symbol] for symbol in (first, other))
    assert not any(2_302_000 < time < 3_500_000 for time in of_first)
    assert not any(time > 2_402_000 for time in of_other)
    assert len(run.lines("orders.jsonl")) > len(of_first) + len(of_other)
    console = (run.path / "console.log").read_text()
    assert [line for line in console.splitlines() if line.startswith("command: ")] == [
        f"command: strategy {first} off", "command: strategy NOBODY off: not known", f"command: strategy {other} off",
        f"command: strategy {first} on", f"command: strategy {first} of: not known"]
