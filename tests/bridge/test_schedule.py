# SPDX-License-Identifier: MIT
"""What happens in one clock does not move what else is due in it, and every run comes to an end."""

from __future__ import annotations

import ctypes
from pathlib import Path

from tests.bridge.core_harness import TICK_TLAST, Core, line


def test_dma_writes_do_not_delay_beats(tmp_path: Path) -> None:
    """A line written in every clock: each frame still passes in as many clocks as it has beats."""
    core = Core(tmp_path, [(0, bytes(256), False), (0, bytes(100), False)], give_back=1 << 30)
    run = core.run(on_clock=lambda clock: core.write(clock, 0x4000, line(0)))
    clocks = [clock for clock, _, _ in run.beats]
    ends = [clock for clock, _, control in run.beats if control & TICK_TLAST]
    assert run.status == 0, run.message
    assert ends[0] - clocks[0] + 1 == 256 // 8
    assert ends[1] - clocks[256 // 8] + 1 == -(-100 // 8)


def test_dma_reads_do_not_delay_beats(tmp_path: Path) -> None:
    def on_clock(clock: int) -> None:
        if clock % 64 == 0:  # at most 64 are under way
            core.next_tick = core.library.tl_read(ctypes.c_uint64(clock), ctypes.c_uint64(0x4000))

    core = Core(tmp_path, [(0, bytes(9216), False)])
    run = core.run(on_clock=on_clock)
    assert run.beats[-1][0] - run.beats[0][0] + 1 == 9216 // 8
