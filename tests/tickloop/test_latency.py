# SPDX-License-Identifier: MIT
"""Latency: nearest-rank percentiles, each stage from the clocks that define it, and the samples beside the summary."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from bridge.interface import CLOCK_PS
from generators.framing import FrameEncoder, mold_packet
from generators.profiles import frames, generate
from tests.tickloop.synthetic import DECISION, DEQUEUE_PS, DMA_CLOCKS, DONE, DOORBELL, PS, loop_result
from tickloop.config import load_config
from tickloop.rundir.latency import statistics
from tickloop.rundir.observed import observe


def test_percentiles_are_nearest_rank():
    samples = np.arange(1, 201, dtype=float)[::-1]
    assert statistics(samples) == {
        "count": 200, "mean": 100.5, "min": 1, "p50": 100, "p99": 198, "p99_9": 200, "p99_99": 200, "max": 200,
    }
    assert statistics(np.array([7.25])) == {
        "count": 1, "mean": 7.25, "min": 7.25, "p50": 7.25, "p99": 7.25, "p99_9": 7.25, "p99_99": 7.25, "max": 7.25,
    }
    assert statistics(np.arange(10_000.0))["p99_99"] == 9_998


def test_no_samples_are_no_figures():
    assert statistics(np.zeros(0)) == dict.fromkeys(("mean", "min", "p50", "p99", "p99_9", "p99_99", "max"), None) | {
        "count": 0,
    }


@pytest.fixture(scope="module")
def measured():
    result = loop_result(frames(generate("opening", 1, 600)), load_config(None).kernel)
    return result, observe(result, closed_loop=True)


def test_stages_are_what_their_definition_says(measured):
    result, observed = measured
    stages = observed.latency.summary()
    messages, orders = len(observed.messages), len(observed.orders)
    assert orders > 5
    assert stages["last_byte_to_dma_issue"]["count"] == len(observed.frames)  # one a frame: its last message
    assert {stages["last_byte_to_dma_issue"][name] for name in ("min", "mean", "max")} == {DMA_CLOCKS}
    beats = int((result.frames["last_clock"] - result.frames["first_clock"]).max())
    assert stages["wire_first_byte_to_dma_issue"]["max"] == beats + DMA_CLOCKS
    assert stages["dma_to_dequeue"]["p50"] == DEQUEUE_PS / 1000
    assert stages["dequeue_to_decision"]["p50"] == DECISION
    assert (stages["dequeue_to_doorbell"]["count"], stages["dequeue_to_doorbell"]["p50"]) == (orders, DOORBELL)
    assert (stages["dequeue_to_done"]["count"], stages["dequeue_to_done"]["p50"]) == (messages, DONE)
    assert stages["doorbell_to_wire"]["count"] == stages["tick_to_trade"]["count"] == orders
    shortest = DMA_CLOCKS * CLOCK_PS + DEQUEUE_PS + DOORBELL * PS
    assert stages["tick_to_trade"]["min"] * 1000 > shortest


def test_tick_to_trade_belongs_to_the_message_that_caused_the_order(measured):
    result, observed = measured
    column = observed.latency.samples["tick_to_trade"]
    causes = np.flatnonzero(~np.isnan(column))
    assert causes.tolist() == np.flatnonzero(result.trace["orders"]).tolist()
    for cause, sent in zip(causes, result.sent, strict=True):
        first = result.frames["first_clock"][observed.messages[cause]["frame"]]
        assert column[cause] * 1000 == (sent.first_clock - int(first)) * CLOCK_PS


def test_bytes_behind_the_last_message_are_not_measured_as_it():
    message = next(message for _, message in generate("quiet", 1, 1))
    encode = FrameEncoder().encode
    sent = [(0, encode(mold_packet([message], 1) + b"extra data")), (1, encode(mold_packet([message], 2)))]
    observed = observe(loop_result(sent, load_config(None).kernel), closed_loop=True)
    assert np.isnan(observed.latency.samples["last_byte_to_dma_issue"]).tolist() == [True, False]


def test_the_csv_holds_the_samples_of_the_summary(command, faultless, tmp_path):
    assert command("sim", "--messages", "600", "--out", tmp_path).status == 0
    stages = json.loads((tmp_path / "latency.json").read_text())["stages"]
    with (tmp_path / "latency.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 600
    for stage, values in stages.items():
        samples = np.array([float(row[stage]) for row in rows if row[stage]])
        assert statistics(samples) == {name: value for name, value in values.items() if name != "unit"}, stage
