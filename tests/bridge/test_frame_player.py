# SPDX-License-Identifier: MIT
"""When frames enter the NIC: at their capture time, or with the line's minimum gap behind a busy line."""

from __future__ import annotations

import ctypes
import random
from pathlib import Path

import pytest

from bridge import record
from bridge.interface import CLOCK_PS, CLOCK_PS_25G, BridgeError
from bridge.stimulus import Frame, write_stimulus
from tests.bridge.core_harness import Beat, Core, Run, frame_report


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


def _wire(capture: list[Frame], base_ps: int, clock_ps: int) -> list[tuple[int, int]]:
    """A plain reading of the rule: max(capture time, end of the line's last frame + 24 bytes), 8 bytes a clock."""
    free_ps, times = [0, 0], []
    for time_ns, data, _, line in capture:
        start_ps = max(time_ns * 1000, free_ps[line])
        free_ps[line] = start_ps + (len(data) + 24) * clock_ps // 8
        first = -(-(base_ps + start_ps) // clock_ps)
        times.append((first, first + -(-len(data) // 8) - 1))
    return times


@pytest.mark.parametrize("clock_ps", [CLOCK_PS, CLOCK_PS_25G])
def test_times_follow_the_capture_and_each_line(tmp_path: Path, clock_ps: int) -> None:
    seed = 20261120
    print(f"seed {seed}")
    rng = random.Random(seed)
    capture: list[Frame] = [(0, rng.randbytes(60), False, line) for line in (0, 1)]
    time_ns = 0
    for _ in range(400):
        capture.append((time_ns, rng.randbytes(rng.choice([14, 60, 61, 90, 1000, 1514])), False, rng.randrange(2)))
        time_ns += rng.choice([0, 0, 10, 100, 2000, 123_457])
    run = Core(tmp_path, capture, clock_ps=clock_ps).run()
    expected = _wire(capture, run.beats[0].clock * clock_ps, clock_ps)
    busy = 0
    for line in (0, 1):
        frames = _frames(run, line)
        assert [(first, last) for first, last, _, _ in frames] == [
            times for times, frame in zip(expected, capture, strict=True) if frame[3] == line
        ]
        assert [data for _, _, data, _ in frames] == [frame[1] for frame in capture if frame[3] == line]
        busy += len(frames)
    assert busy == len(capture)
    both = {beat.clock for beat in run.beats if beat.line == 0} & {beat.clock for beat in run.beats if beat.line == 1}
    assert len(both) > 100, "the lines do not wait for each other"


def test_log_pairs_reports_with_frames(tmp_path: Path) -> None:
    core = Core(tmp_path, [(i * 50, bytes([i]) * 70, False) for i in range(20)])
    run = core.run()
    log = core.log("frames")
    assert log["sequence"].tolist() == list(range(1, 21))
    taken = [(first + 1, last + 1) for first, last, _, _ in _frames(run)]  # the edge after the one that drives a beat
    assert list(zip(log["first_clock"], log["last_clock"], strict=True)) == taken


def test_each_lines_reports_are_its_own_frames(tmp_path: Path) -> None:
    """A long frame on one line while the other has many: reports come as frames end, the log is read in wire order."""
    long = [(0, bytes(1514), False, 1)]
    short = [(10 * i, bytes([i]) * 70, False, 0) for i in range(12)]
    core = Core(tmp_path, [*long, *short])
    run = core.run()
    ends = [(first + 1, last + 1, line) for line in (0, 1) for first, last, _, _ in _frames(run, line)]
    logged = core.log("frames")
    key = [(int(e["first_clock"]), int(e["last_clock"]), int(e["line"])) for e in logged]
    assert sorted(key) == sorted(ends)
    assert key != sorted(key), "the long frame is reported behind shorter ones that started later"
    ordered = record.read_frames(tmp_path)
    places = list(zip(ordered["first_clock"].tolist(), ordered["line"].tolist(), strict=True))
    assert places == sorted(places)
    assert places[0][1] == 0, "equal times: A before B"
    assert places[1] == (places[0][0], 1)


def test_a_report_for_the_other_line_is_an_error(tmp_path: Path) -> None:
    core = Core(tmp_path, [(0, bytes(64), False, 1)])

    def on_clock(clock: int) -> None:
        if clock == 100:
            core.native.tl_report(ctypes.c_uint64(clock), frame_report(0, 1))

    run = core.run(on_clock=on_clock, every_clock=True)
    assert (run.status, run.message) == (1, "the NIC reported a frame on line A that was not sent to it")


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
