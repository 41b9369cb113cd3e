# SPDX-License-Identifier: MIT
"""When frames enter the NIC: at their capture time, or with the line's minimum gap behind a busy line."""

from __future__ import annotations

import ctypes
import random
from pathlib import Path

import pytest

from bridge.interface import CLOCK_PS, BridgeError
from bridge.stimulus import write_stimulus
from tests.bridge.core_harness import Beat, Core, Run


def _frames(run: Run, line: int = 0) -> list[tuple[int, int, bytes, bool]]:
    """(first clock, last clock, bytes, bad FCS) of each frame on a line."""
    frames: list[tuple[int, int, bytes, bool]] = []
    open_beats: list[Beat] = []
    for beat in (beat for beat in run.beats if beat.line == line):
        assert not open_beats or beat.clock == open_beats[-1].clock + 1, "a frame's beats follow each other"
        open_beats.append(beat)
        if beat.last:
            data = b"".join(part.data for part in open_beats)
            frames.append((open_beats[0].clock, beat.clock, data, beat.bad_fcs))
            open_beats.clear()
    assert not open_beats
    return frames


@pytest.mark.parametrize("length", [14, 15, 60, 63, 64, 65, 71, 72, 1514, 9216])
def test_frame_arrives_as_captured(tmp_path: Path, length: int) -> None:
    data = random.Random(length).randbytes(length)
    core = Core(tmp_path, [(0, data, False), (100_000, data[::-1], True)])
    frames = _frames(core.run())
    assert [(f[2], f[3]) for f in frames] == [(data, False), (data[::-1], True)]
    for first, last, _, _ in frames:
        assert last - first + 1 == -(-length // 8)


def test_times_follow_the_capture_and_the_line(tmp_path: Path) -> None:
    """Against a plain reading of the rule: max(capture time, end of the last frame + 24 bytes), 0.8 ns a byte."""
    seed = 20261120
    print(f"seed {seed}")
    rng = random.Random(seed)
    capture, time_ns = [], 0
    for _ in range(300):
        capture.append((time_ns, rng.randbytes(rng.choice([14, 60, 61, 90, 1000, 1514])), False))
        time_ns += rng.choice([0, 0, 10, 100, 5000, 123_457])
    run = Core(tmp_path, capture).run()
    frames = _frames(run)
    assert len(frames) == len(capture)
    base_ps = frames[0][0] * CLOCK_PS
    free_ps = 0
    for (time, data, _), (first, last, _, _) in zip(capture, frames, strict=True):
        start_ps = max(time * 1000, free_ps)
        free_ps = start_ps + (len(data) + 24) * 800
        assert first == -(-(base_ps + start_ps) // CLOCK_PS)
        assert last == first + -(-len(data) // 8) - 1


def test_log_pairs_reports_with_frames(tmp_path: Path) -> None:
    core = Core(tmp_path, [(i * 50, bytes([i]) * 70, False) for i in range(20)])
    run = core.run()
    log = core.log("frames")
    assert log["sequence"].tolist() == list(range(1, 21))
    assert list(zip(log["first_clock"], log["last_clock"], strict=True)) == [(f[0], f[1]) for f in _frames(run)]


def test_missing_reports_are_an_error(tmp_path: Path) -> None:
    run = Core(tmp_path, [(0, bytes(64), False)]).run(report=False)
    assert run.status == 1
    assert run.message == "the NIC never reported 1 received frames"


def test_damaged_stimulus_is_refused(tmp_path: Path) -> None:
    core = Core(tmp_path, [(0, bytes(64), False)])
    (tmp_path / "stimulus.bin").write_bytes((tmp_path / "stimulus.bin").read_bytes()[:-1])
    assert core.native.tl_open(ctypes.byref(core.config)) == 1
    assert b"damaged" in core.native.tl_message()


def test_a_capture_beyond_the_range_of_the_nics_time_is_refused(tmp_path: Path) -> None:
    day_ns = 86_400 * 10**9
    assert write_stimulus(tmp_path / "three.bin", [(0, bytes(64), False), (3 * day_ns, bytes(64), False)]) == 2
    with pytest.raises(BridgeError, match="frame 1 comes 4") as raised:
        write_stimulus(tmp_path / "four.bin", [(0, bytes(64), False), (4 * day_ns, bytes(64), False)])
    assert raised.value.exit_status == 2
