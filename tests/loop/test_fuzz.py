# SPDX-License-Identifier: MIT
"""A slice of `make fuzz`: mutated frames through RTL and model, both simulators; a difference is seen and cut down."""

from __future__ import annotations

import numpy as np
import pytest

from bridge import loop
from bridge.layout import DropReason
from scripts import fuzz
from tickloop.config import NicConfig


@pytest.mark.parametrize(("simulator", "frames"), [("verilator", 3000), ("icarus", 120)])
def test_model_and_rtl_agree_on_mutated_frames(simulator, frames):
    chunks = [fuzz.Chunk(1, number, frames, simulator) for number in range(3)]
    accepted = 0
    for chunk, count, good, found in fuzz.run_chunks(chunks):
        assert found == [], f"repeat with: {chunk.command}"
        assert count > 0
        accepted += good
    assert accepted > 100


def test_a_difference_is_seen(tmp_path):
    """The model is told that a frame's FCS was bad which the RTL got as good."""
    nic = NicConfig(delivery="verified")
    frames = [frame._replace(line="A", bad_fcs=False) for frame in fuzz.case(fuzz.Chunk(7, 1, 200, "verilator")).frames]
    result = loop.run(fuzz.request(nic, frames, "verilator", tmp_path / "run"))
    assert fuzz.differences(nic, frames, result) == []
    good = int(np.flatnonzero(result.frames["reason"] == DropReason.ACCEPT)[0])
    frames[good] = frames[good]._replace(bad_fcs=True)
    assert any("bad_fcs" in line for line in fuzz.differences(nic, frames, result))


def test_a_difference_is_cut_down_to_its_frames(monkeypatch, tmp_path):
    """One that needs two frames of 200 together."""
    chunk = fuzz.Chunk(7, 1, 200, "verilator")
    monkeypatch.setattr(fuzz.Chunk, "directory", property(lambda _: tmp_path / "run"))
    frames = fuzz.case(chunk).frames
    needed = [frames[17], frames[120]]
    monkeypatch.setattr(loop, "run", lambda request: request)
    monkeypatch.setattr(fuzz, "differences", lambda nic, subset, result: all(each in subset for each in needed))
    assert fuzz.shrink(chunk, NicConfig(), frames, budget=200) == needed
