# SPDX-License-Identifier: MIT
"""What happens in one clock does not move what else is due in it, and every run comes to an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bridge import layout
from bridge.interface import CLOCK_PS
from bridge.layout import MailboxOp
from tests.bridge.core_harness import Core, Kernel, line, run_with_kernel


def test_dma_writes_do_not_delay_beats(tmp_path: Path) -> None:
    """A line written in every clock: each frame still passes in as many clocks as it has beats."""

    def on_clock(clock: int) -> None:
        if clock < 1000:
            core.write(clock, 0x4000, line(0))

    core = Core(tmp_path, [(0, bytes(256), False), (0, bytes(100), False)])
    run = core.run(on_clock=on_clock)
    clocks = [beat.clock for beat in run.beats]
    ends = [beat.clock for beat in run.beats if beat.last]
    assert run.status == 0, run.message
    assert ends[0] - clocks[0] + 1 == 256 // 8
    assert ends[1] - clocks[256 // 8] + 1 == -(-100 // 8)


def test_dma_reads_do_not_delay_beats(tmp_path: Path) -> None:
    def on_clock(clock: int) -> None:
        if clock % 64 == 0:  # at most 64 are under way
            core.read(clock, 0x4000)

    core = Core(tmp_path, [(0, bytes(9216), False)])
    run = core.run(on_clock=on_clock)
    assert run.beats[-1].clock - run.beats[0].clock + 1 == 9216 // 8


def test_a_nic_that_is_never_idle_ends_the_run(tmp_path: Path) -> None:
    run = Core(tmp_path, [(0, bytes(64), False)]).run(idle=False)
    assert (run.status, run.message) == (1, "the NIC never became idle after the last frame")


def test_a_register_access_without_an_answer_ends_the_run(tmp_path: Path) -> None:
    core = Core(tmp_path, [(0, bytes(64), False)])
    core.native.tl_add_register_write(0x10, 1)
    run = core.run(answer=False)
    assert run.status == 1
    assert "register 0x010" in run.message


def test_a_kernel_that_leaves_before_the_end_ends_the_run(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.EXIT, 0)

    run, _ = run_with_kernel(Core(tmp_path, [(0, bytes(64), False)], kernel=True), script)
    assert (run.status, run.message) == (1, "the kernel ended before it was told to stop")


def test_a_kernel_that_does_not_stop_ends_the_run(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        while True:
            kernel.request(MailboxOp.POLL, 0)

    run, _ = run_with_kernel(Core(tmp_path, [(0, bytes(64), False)], kernel=True), script)
    assert (run.status, run.message) == (1, "the kernel polls on after it was told to stop")


def test_a_kernel_that_waits_for_something_else_for_ever_ends_the_run(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        while True:
            kernel.request(MailboxOp.REGISTER_READ, address=0)

    run, _ = run_with_kernel(Core(tmp_path, [(0, bytes(64), False)], kernel=True), script)
    assert (run.status, run.message) == (6, "the kernel makes requests but takes no records from its ring")


def test_host_memory_keeps_order_while_its_queue_wraps_and_grows(tmp_path: Path) -> None:
    """A line a clock while the kernel is busy: at each request it sees exactly the lines that were visible by then."""
    periods, base, latency = [3000, 3000, 9000], 0x4000, 40

    def script(kernel: Kernel) -> None:
        kernel.attach()
        for period in periods:
            _, _, now = kernel.request(MailboxOp.POLL, 0, work=period * CLOCK_PS // 250)
            lines = np.frombuffer(kernel.ram, np.uint32, 15 * 1024 * 16, base).reshape(-1, 16)[:, 0].copy()
            seen.append((now // CLOCK_PS, lines))
        kernel.request(MailboxOp.EXIT, 1)

    def on_clock(clock: int) -> None:
        if clock > 8 and len(written) < 15 * 1024:
            core.write(clock, base + 64 * len(written), clock.to_bytes(4, "little") + line(layout.PUBLISH_VALID)[4:])
            written.append(clock)

    seen: list[tuple[int, Any]] = []
    written: list[int] = []
    core = Core(tmp_path, [(0, bytes(64), False)], kernel=True, posted_write_clocks=latency)
    run, _ = run_with_kernel(core, script, on_clock=on_clock, every_clock=True)
    assert run.message == "the kernel ended with status 1"
    for now, lines in seen:
        expected = [clock if clock + latency <= now else 0 for clock in range(9, 9 + len(lines))]
        assert lines.tolist() == expected
    assert len(seen) == 3
