# SPDX-License-Identifier: MIT
"""trace.json: slices nest on their tracks, every flow begins and ends on a slice, and its times are latency.csv's."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.loop.conftest import SIMULATORS, RunDirectory

CLOCK_US = Decimal("0.0064")
Events = list[dict[str, Any]]


@pytest.fixture(params=SIMULATORS)
def run(request: pytest.FixtureRequest, completed: Callable[..., RunDirectory]) -> RunDirectory:
    return completed("sim", "--scenario", "opening", "--messages", "120", "--sim", request.param, "--trace")


@pytest.fixture
def events(run: RunDirectory) -> Events:
    """Numbers exactly as they are written."""
    document = json.loads((run.path / "trace.json").read_text(), parse_float=Decimal, parse_int=Decimal)
    events: Events = document["traceEvents"]
    return events


def tracks(events: Events) -> dict[Decimal, str]:
    return {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}


def latency(run: RunDirectory, stage: str) -> list[Decimal | None]:
    with (run.path / "latency.csv").open() as file:
        return [Decimal(row[stage]) if row[stage] else None for row in csv.DictReader(file)]


def test_every_event_is_complete(events: Events) -> None:
    names = tracks(events)
    assert set(names.values()) >= {"wire A in", "wire B in", "kernel", "wire out"}
    for event in events:
        assert event["ph"] in "MXbestf"
        assert event["pid"] == 1
        if event["ph"] != "M":
            assert event["ts"] >= 0
        if event["ph"] in "Xstf":
            assert event["tid"] in names
    opened = [(event["id"], event["name"]) for event in events if event["ph"] == "b"]
    closed = [(event["id"], event["name"]) for event in events if event["ph"] == "e"]
    assert opened == closed != []


def test_slices_nest(events: Events) -> None:
    by_track = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            assert event["dur"] >= 0
            by_track[event["tid"]].append((event["ts"], -event["dur"], event["name"]))
    assert sum(len(slices) for slices in by_track.values()) > 500
    for slices in by_track.values():
        open_until: list[Decimal] = []
        for start, minus_length, name in sorted(slices):
            while open_until and open_until[-1] <= start:
                open_until.pop()
            assert not open_until or start - minus_length <= open_until[-1], name
            open_until.append(start - minus_length)


def test_flows_lead_from_frame_to_order_in_the_times_of_latency(run: RunDirectory, events: Events) -> None:
    names = tracks(events)
    slices = {(event["tid"], event["ts"]) for event in events if event["ph"] == "X"}
    flows = defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            assert (event["tid"], event["ts"]) in slices
            flows[event["id"]].append(event)
    messages, orders = run.lines("messages.jsonl"), run.lines("orders.jsonl")
    assert len(flows) == len(messages)
    paths = {number: [(names[event["tid"]], event["ts"]) for event in flow] for number, flow in flows.items()}
    for number, flow in flows.items():
        assert [event["ph"] for event in flow] == ["s", *["t"] * (len(flow) - 2), "f"], number
        assert [event["ts"] for event in flow] == sorted(event["ts"] for event in flow)
    assert all(path[0][0] == "wire A in" for path in paths.values())
    traded = [path for path in paths.values() if path[-1][0] == "wire out"]
    assert (
        [[track for track, _ in path] for path in traded]
        == [["wire A in", "NIC: DMA write, RX ring", "kernel", "wire out"]] * len(orders)
        != []
    )

    ordered = [paths[number] for number in sorted(paths)]
    to_issue = [(path[1][1] - path[0][1]) / CLOCK_US for path in ordered]
    assert to_issue == latency(run, "wire_first_byte_to_dma_issue")
    assert [(path[2][1] - path[1][1]) * 1000 for path in ordered] == latency(run, "dma_to_dequeue")
    trades = [(path[3][1] - path[0][1]) * 1000 if len(path) > 3 else None for path in ordered]
    assert trades == latency(run, "tick_to_trade")


def test_the_kernel_is_cut_into_its_states(run: RunDirectory, events: Events) -> None:
    """Each message's slice holds its states without a gap; an order's token and prices are with it."""
    kernel = next(tid for tid, name in tracks(events).items() if name == "kernel")
    slices = [event for event in events if event["ph"] == "X" and event["tid"] == kernel]
    states = [event for event in slices if event["name"] in ("parsing", "deciding", "sending")]
    messages = [event for event in slices if "args" in event and "symbol" in event["args"]]
    assert len(messages) == len(run.lines("messages.jsonl"))
    tokens = [event["args"]["order_token"] for event in messages if "order_token" in event["args"]]
    assert tokens == [order["fields"]["order_token"] for order in run.lines("orders.jsonl")]
    for message in messages:
        inside = [s for s in states if message["ts"] <= s["ts"] < message["ts"] + message["dur"]]
        at = message["ts"]
        for state in inside:
            assert state["ts"] == at
            at += state["dur"]
        assert inside[0]["name"] == "parsing"
        assert (inside[-1]["name"] == "sending") == ("order_token" in message["args"])
