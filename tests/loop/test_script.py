# SPDX-License-Identifier: MIT
"""``sim --script``: the kernel gets each command at its simulated time, the same run on both simulators, with idle
clocks skipped or not, and again from the record."""

from __future__ import annotations

import re
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
    script.write_text(f"2.3ms strategy {first} off\n2.3ms strategy NOBODYHERE off\n2.4ms strategy {other} off\n"
                      f"3.5ms strategy {first} on\n3.6ms strategy {first} of\n")
    run = completed(*scenario, "--script", script)
    of_first, of_other = ([line["time_ns"] for line in run.lines("orders.jsonl")
                           if line["fields"]["stock"].strip() == symbol] for symbol in (first, other))
    assert not any(2_302_000 < time < 3_500_000 for time in of_first)
    assert not any(time > 2_402_000 for time in of_other)
    assert len(run.lines("orders.jsonl")) > len(of_first) + len(of_other)
    console = (run.path / "console.log").read_text()
    assert [line for line in console.splitlines() if line.startswith("command: ")] == [
        f"command: strategy {first} off", "command: strategy NOBODYHERE off: no symbol of this run",
        f"command: strategy {other} off", f"command: strategy {first} on",
        f"command: strategy {first} of: neither on, off nor a strategy"]


STEERED = """\
2ms strategy TKAH imbalance threshold=501 shares=3
2.1ms strategy TKAH imbalance treshold=501
2.1ms strategy TKAH imbalance threshold
2.1ms strategy TKAH imbalance shares=1 shares=1
2.1ms strategy TKAH imbalance shares=1000000
2.2ms run strategies
4ms run bad
4.1ms resume
20ms netstat
20ms strategy
20ms run long
"""
STRATEGIES = """\
# the afternoon
strategy TKAA market_maker half_spread=300 inventory=2000
strategy TKAB imbalance threshold=700 shares=50
strategy TKAG off
strategy TKAD best_bid shares=7

strategy TKAE market_maker tick=500   # the rest as usual
"""


def test_strategies_and_the_nics_counters_while_the_kernel_trades(
    completed: Callable[..., RunDirectory], tickloop: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """Parameters by command and by file: what is wrong changes nothing, and a file with a wrong line does nothing but
    stop trading; the model, which is told of every line in the kernel's own order, expects each order. The registers
    as the kernel reads them at the end are the NIC's own. The run is its record's, both halves of it."""
    files, script = tmp_path / "files", tmp_path / "script"
    files.mkdir()
    (files / "strategies").write_text(STRATEGIES)
    (files / "bad").write_text("strategy TKAF off\nstrategy TKAA market_maker\nstrategy TKAA imbalance threshold=7\n")
    (files / "long").write_text("resume\n" * 6)
    script.write_text(STEERED)
    run = completed("sim", "--scenario", "opening", "--messages", "400", "--script", script, "--files", files)
    assert run.json("run.json")["reproducible"] is True
    console = (run.path / "console.log").read_text()
    refused = "command: strategy TKAH imbalance "
    assert [line for line in console.splitlines() if line.startswith(("command: ", "run: "))] == [
        f"{refused}threshold=501 shares=3", f"{refused}treshold=501: the strategy has no such parameter",
        f"{refused}threshold: not KEY=NUMBER", f"{refused}shares=1 shares=1: a parameter is named twice",
        f"{refused}shares=1000000: shares are out of range", "command: run strategies",
        *(f"command: {line.split('#')[0].strip()}" for line in STRATEGIES.splitlines() if line.startswith("strategy")),
        "command: run bad", "run: bad, line 3: strategy TKAA imbalance threshold=7: a parameter is out of range",
        "command: kill", "command: resume", "command: netstat", "command: strategy", "command: run long",
        "run: long, line 3: the run is over; what comes behind it is not done"]
    assert "console: the run is over; 3 command(s) came too late\n" in console
    assert re.findall(r"^ +\d+  (\w+) +(\d+) books(.*)$", console, re.MULTILINE)[2:] == [
        ("imbalance", "1", ", threshold 501"),
        ("market_maker", "1", ", half_spread 300, requote 100, inventory 2000, tick 100"),
        ("imbalance", "1", ", threshold 700"),
        ("market_maker", "1", ", half_spread 200, requote 100, inventory 1000, tick 500")]
    entered = [line["fields"] | {"ns": line["time_ns"]} for line in run.lines("orders.jsonl") if line["type"] == "O"]
    assert {(order["stock"].strip(), order["shares"]) for order in entered if order["shares"] != 100} == {
        ("TKAH", 3), ("TKAB", 50), ("TKAD", 7)}
    switched_off = [order["ns"] for order in entered if order["stock"].strip() == "TKAG"]
    assert switched_off
    assert max(switched_off) < 2_250_000
    summary = run.json("summary.json")
    counters = {name: int(count) for name, count in re.findall(r"  ([a-z]\w*(?: [a-z]\w*)*) +(\d+)",
                                                               "\n".join(re.findall("^  NIC .*$", console, re.M)))}
    assert (counters["frames"], counters["accepted"], counters["messages ok"]) == (
        summary["frames"], summary["accepted"], summary["messages"]["ok"])
    assert sum(count for name, count in counters.items() if name.startswith("dropped ")) == sum(
        summary["dropped"].values())
    assert counters["tx orders"] == len(run.lines("orders.jsonl"))
    for half in ("--kernel", "--rtl"):
        replayed = tickloop("replay", run.path, half, "--out", tmp_path / "replayed")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
