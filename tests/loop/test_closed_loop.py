# SPDX-License-Identifier: MIT
"""The embedded scenario through the whole loop, half of it: every file of the run directory says the same, on both
simulators. Both have all of it in the README's commands."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

from generators.tables import ITCH50
from tests.loop.conftest import SIMULATORS, RunDirectory

Completed = Callable[..., RunDirectory]
SCENARIO = ("--messages", "1100")


@pytest.fixture(params=SIMULATORS)
def run(request: pytest.FixtureRequest, completed: Completed) -> RunDirectory:
    return completed("sim", *SCENARIO, "--sim", request.param)


def test_messages_and_orders_were_compared(run: RunDirectory) -> None:
    assert len(run.lines("messages.jsonl")) == run.json("summary.json")["messages"]["ok"] > 1000
    assert run.json("summary.json")["agree"] is True
    assert len(run.lines("orders.jsonl")) > 10


def test_every_frame_is_accounted_for(run: RunDirectory) -> None:
    frames, summary = run.lines("frames.jsonl"), run.json("summary.json")
    assert [f["frame"] for f in frames] == list(range(summary["frames"]))
    assert {f["disposition"] for f in frames} == {"accept"}
    messages = Counter(m["frame"] for m in run.lines("messages.jsonl"))
    assert all(messages[f["frame"]] == f["count"] for f in frames if f["kind"] == "data")


def test_message_fields_are_those_of_the_tables(run: RunDirectory) -> None:
    messages = run.lines("messages.jsonl")
    for message in messages:
        if "fields" in message:
            assert list(message["fields"]) == [f.name for f in ITCH50[message["type"]].fields]
    assert messages[0]["hw_timestamp_ns"] == 0
    times = [m["hw_timestamp_ns"] for m in messages]
    assert times == sorted(times)
    assert [m["sequence"] for m in messages] == list(range(1, len(messages) + 1))


def test_orders_follow_the_bids_that_cause_them(run: RunDirectory) -> None:
    """Most orders buy at the price of a bid that was added to their symbol at most 20 us before (others: a replace)."""
    bids = [
        (m["fields"]["stock"], m["fields"]["price"], m["hw_timestamp_ns"])
        for m in run.lines("messages.jsonl")
        if m["type"] in ("A", "F") and m["fields"]["buy_sell_indicator"] == "B"
    ]
    orders = run.lines("orders.jsonl")
    caused = 0
    for order in orders:
        assert order["type"] == "O"
        stock, price, time = order["fields"]["stock"], order["fields"]["price"], order["time_ns"]
        caused += any(b[:2] == (stock, price) and b[2] < time < b[2] + 20_000 for b in bids)
    assert caused > len(orders) / 2
    tokens = [order["fields"]["order_token"] for order in orders]
    assert len(set(tokens)) == len(tokens)
    assert tokens == sorted(tokens)


def test_costs_are_counted_exactly(run: RunDirectory) -> None:
    stages = run.json("latency.json")["stages"]
    cost = stages["dequeue_to_done"]
    assert cost["unit"] == "executed instructions"
    assert cost["count"] == len(run.lines("messages.jsonl"))
    assert 10 <= cost["min"] <= cost["p50"] <= cost["p99"] <= cost["max"] < 100_000
    assert stages["tick_to_trade"]["count"] == len(run.lines("orders.jsonl"))


def test_instructions_are_the_same_on_both_simulators(completed: Completed) -> None:
    first, second = (completed("sim", *SCENARIO, "--sim", s) for s in SIMULATORS)
    assert first.json("latency.json") == second.json("latency.json")
    for name in ("frames.jsonl", "messages.jsonl", "events.jsonl", "orders.jsonl", "books.json", "summary.json"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes(), name


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_the_order_capture(run: RunDirectory) -> None:
    """TCP, SoupBinTCP and OUCH 4.2 by somebody else's dissectors: good checksums, no lost segment, the same orders."""
    fields = [
        "ip.checksum.status",
        "tcp.checksum.status",
        "tcp.analysis.lost_segment",
        "soupbintcp.packet_type",
        "ouch.order_token",
        "ouch.shares",
        "ouch.price",
        "ouch.stock",
    ]
    port = run.json("run.json")["config"]["destination_port"]
    command = [
        "tshark",
        "-r",
        str(run.path / "orders.pcap"),
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
        "-d",
        f"tcp.port=={port},soupbintcp",
        "--enable-heuristic",
        "ouch_soupbintcp",
        "-T",
        "fields",
        "-E",
        "separator=;",
    ]
    for name in fields:
        command += ["-e", name]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [dict(zip(fields, line.split(";"), strict=True)) for line in result.stdout.splitlines()]
    orders = run.lines("orders.jsonl")
    assert len(rows) == len(orders) > 0
    for row, order in zip(rows, orders, strict=True):
        expected = order["fields"]
        assert (row["ip.checksum.status"], row["tcp.checksum.status"]) == ("1", "1")
        assert row["tcp.analysis.lost_segment"] == ""
        assert row["ouch.order_token"].strip() == expected["order_token"].strip()
        assert int(row["ouch.shares"]) == expected["shares"]
        assert row["ouch.stock"].strip() == expected["stock"].strip()
