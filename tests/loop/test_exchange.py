# SPDX-License-Identifier: MIT
"""The loop truly closed: an exchange answers the orders, and its feed carries their consequences.

Every run here has passed its own checks: the model predicted what the kernel did with market data, answers and
commands, and three ledgers agreed. The tests look at what the runs leave, and at what must not make a difference.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import build, loop
from bridge.interface import Exchange, LoopRequest
from bridge.record import read_raw
from tb.model.answers import fields_of
from tb.model.config import KernelConfig, OuchVersion
from tests.loop.conftest import RunDirectory
from tickloop.config import load_config
from tickloop.inputs import from_exchange
from tickloop.rundir.answers import sequenced_messages
from tickloop.rundir.digest import digest

Completed = Callable[..., RunDirectory]
Command = Callable[..., subprocess.CompletedProcess[str]]
VERSIONS: tuple[OuchVersion, ...] = ("4.2", "5.0")
LONG = ("sim", "--scenario", "exchange", "--messages", "1500")
SHORT = ("sim", "--scenario", "exchange", "--messages", "100")
LATENCY_NS = 5_000


def _reference(line: dict[str, Any]) -> int:
    fields = line["fields"]
    return int(fields.get("order_reference_number") or 0)


def _answers(run: RunDirectory, version: OuchVersion) -> list[dict[str, Any]]:
    """What the exchange says of its client's orders, as plain fields."""
    messages, problems = sequenced_messages(read_raw(run.path / "record"), KernelConfig())
    assert not problems
    return [fields_of(message, version) for message in messages]


@pytest.mark.parametrize("version", VERSIONS)
def test_our_orders_are_in_the_feed_and_fill_against_it(version: OuchVersion, completed: Completed) -> None:
    run = completed(*LONG, "--ouch", version)
    answers = _answers(run, version)
    accepted = {a["order_reference_number"]: a for a in answers if a["message_type"] in "AU"}
    executed = {a["match_number"] for a in answers if a["message_type"] == "E"}
    feed = run.lines("messages.jsonl")
    ours = [line for line in feed if line["type"] in "AF" and _reference(line) in accepted]
    assert len(ours) > 10
    for line in ours:
        assert line["fields"]["price"] == accepted[_reference(line)]["price"]
    filled = [line for line in feed if line["type"] in "ECP" and line["fields"]["match_number"] in executed]
    assert len(filled) == len(executed) > 5
    # The book held them: an own order at rest is at the best bid until somebody sells to it.
    positions = run.json("positions.json")
    assert positions["executions"] == len([a for a in answers if a["message_type"] == "E"])
    assert sum(abs(symbol["position"]) for symbol in positions["symbols"]) > 0
    assert run.json("exchange.json")["client"]["cash"] == positions["cash"]
    assert run.json("run.json")["passed"]


def test_an_order_is_answered_a_latency_after_its_last_byte(completed: Completed) -> None:
    """On the wire: the answer's frame begins that much later, or when the frame before it has left the line free."""
    run = completed(*LONG)
    sent = _times(run, "orders.jsonl")
    accepted = [line["hw_timestamp_ns"] for line in run.lines("messages.jsonl")
                if line["type"] in "AF" and _reference(line) in _references(run)]
    order_ns = 98 * 0.8  # an Enter Order's frame, without preamble and FCS
    behind = [min(at - LATENCY_NS - time for time in sent if time + LATENCY_NS <= at) for at in accepted]
    assert min(behind) >= order_ns - 7
    assert sorted(behind)[len(behind) // 2] < order_ns + 400


def _times(run: RunDirectory, name: str) -> list[int]:
    return [line["time_ns"] for line in run.lines(name)]


def _references(run: RunDirectory) -> set[int]:
    return {a["order_reference_number"] for a in _answers(run, "4.2") if a["message_type"] in "AU"}


@pytest.mark.parametrize("version", VERSIONS)
def test_both_simulators_do_the_same(version: OuchVersion, completed: Completed) -> None:
    runs = [completed(*SHORT, "--ouch", version, "--sim", simulator) for simulator in ("verilator", "icarus")]
    digests = {run.json("run.json")["digest"] for run in runs}
    assert len(digests) == 1
    assert len(runs[0].lines("orders.jsonl")) > 3
    assert runs[0].json("exchange.json") == runs[1].json("exchange.json")


@pytest.mark.parametrize("variation", [
    {"host_delay": 400, "delay_seed": 1}, {"guest_delay": 400, "delay_seed": 2}, {"skip_idle": False},
], ids=["held up", "stopped", "every clock"])  # fmt: skip
def test_whoever_is_held_up_the_run_is_the_same(
    variation: dict[str, Any], completed: Completed, tmp_path: Path
) -> None:
    run = completed(*SHORT)
    config = load_config(None)
    kernel = replace(config.kernel, session_mode="connect")
    source = from_exchange(kernel, config.exchange, 1, 100, tmp_path)
    assert isinstance(source.exchange, Exchange)
    result = loop.run(
        LoopRequest(stimulus=tmp_path / "record/stimulus.bin", out=tmp_path, kernel=build.build_kernel(),
                    config_module=run.path / "record/config.bin", exchange=source.exchange, **variation)
    )  # fmt: skip
    assert digest(result) == run.json("run.json")["digest"]
    assert (tmp_path / "record/stimulus.bin").read_bytes() == (run.path / "record/stimulus.bin").read_bytes()


@pytest.mark.parametrize("half", ["--kernel", "--rtl"])
def test_either_half_again_from_the_record(half: str, completed: Completed, tickloop: Command, tmp_path: Path) -> None:
    """Without the exchange: its frames are the run's stimulus."""
    result = tickloop("replay", completed(*LONG).path, half, "--out", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((tmp_path / "replay.json").read_text())["same"]


def test_no_order_leaves_behind_a_kill(completed: Completed, tmp_path_factory: pytest.TempPathFactory) -> None:
    usual = completed(*LONG)
    times = _times(usual, "orders.jsonl")
    kill_ns = times[len(times) // 2] - 1_000
    script = tmp_path_factory.mktemp("kill") / "script"
    script.write_text(f"{kill_ns}ns kill\n")
    run = completed(*LONG, "--script", script)
    killed = _times(run, "orders.jsonl")
    assert killed == [time for time in times if time < kill_ns] != times
    assert run.json("run.json")["kernel_statistics"]["orders_refused_kill"] > 0
    assert run.json("exchange.json")["client"]["ends"].get("open", 0) == 0


def test_everything_is_cancelled_on_command(completed: Completed, tmp_path_factory: pytest.TempPathFactory) -> None:
    times = _times(completed(*LONG), "orders.jsonl")
    at_ns = times[len(times) // 2]
    script = tmp_path_factory.mktemp("cancel") / "script"
    script.write_text(f"{at_ns}ns kill\n{at_ns + 20_000}ns cancel all\n")
    run = completed(*LONG, "--script", script)
    cancels = [line for line in run.lines("orders.jsonl") if line["type"] == "X"]
    assert cancels
    assert all(0 < line["time_ns"] - at_ns - 20_000 < 50_000 for line in cancels)
    ended = [order["end"] for order in run.json("exchange.json")["client"]["orders"]]
    assert "canceled" in ended


def test_a_link_that_breaks_is_opened_again_and_what_is_unknown_is_settled(
    completed: Completed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Frames of the session get lost, come twice and out of order, and the exchange resets it in the middle."""
    times = _times(completed(*LONG), "orders.jsonl")
    config = tmp_path_factory.mktemp("link") / "link.toml"
    config.write_text(
        "[exchange]\nheartbeat_ns = 200000\n"
        "order_loss_ppm = 20000\norder_duplicate_ppm = 20000\norder_late_ppm = 20000\n"
        f'[[exchange.event]]\ntime_ns = {times[len(times) // 2]}\naction = "drop_link"\n'
    )
    run = completed(*LONG, "--config", config)
    state = run.json("exchange.json")
    assert state["logins"] >= 2
    console = (run.path / "console.log").read_text()
    assert console.count("session: up") >= 2


def test_what_the_exchange_does_by_itself_and_lost_market_data(
    completed: Completed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A halt, a broken and a corrected trade, priorities; and packets lost on both lines, which the re-request server
    brings, for it is that of the exchange unless told otherwise."""
    times = _times(completed(*LONG), "orders.jsonl")
    config = tmp_path_factory.mktemp("events") / "events.toml"
    events = ["halt", "resume", "break", "correct", "reprice"]
    config.write_text(
        "[exchange]\nloss_a_ppm = 30000\nloss_b_ppm = 30000\nanswer_loss_ppm = 100000\n"
        + "".join(f'[[exchange.event]]\ntime_ns = {times[len(times) // 2] + 50_000 * number}\naction = "{event}"\n'
                  f'stock = "TKAA"\n' for number, event in enumerate(events))
    )  # fmt: skip
    run = completed(*LONG, "--config", config)
    statistics = run.json("run.json")["kernel_statistics"]
    assert statistics["halts"] > 0
    assert {"B", "F"} <= {answer["message_type"] for answer in _answers(run, "4.2")}
    assert "recovery: complete" in (run.path / "console.log").read_text()
    assert statistics["stale"] == 0
