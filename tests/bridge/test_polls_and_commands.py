# SPDX-License-Identifier: MIT
"""Polls with a deadline and host commands at the mailbox: when the kernel goes on, and what it finds then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import layout
from bridge.commands import Command
from bridge.interface import CLOCK_PS
from bridge.layout import MailboxOp
from bridge.stimulus import Frame
from tests.bridge.core_harness import Core, Kernel, Run, line, run_with_kernel

START_PS = 8 * CLOCK_PS  # the first tick: simulated time of the kernel's attach
POLL_PS = 20 * 250
FEED_PS = 162 * CLOCK_PS  # from the first poll to the first frame: 160 clocks, and on to a whole nanosecond
FRAMES: list[Frame] = [(20_000, bytes(64), False)]
OK, STOP = layout.AcknowledgeStatus.OK, layout.AcknowledgeStatus.STOP


def _on_grid(base_ps: int, at_ps: int) -> int:
    """The first poll instant of a poll made at ``base_ps`` that is not before ``at_ps``."""
    return base_ps + -(-(at_ps - base_ps) // POLL_PS) * POLL_PS


def _take(kernel: Kernel) -> bytes:
    """The command in the mailbox; counted as taken."""
    given = int(kernel.box["command_sequence"][0])
    assert given == int(kernel.box["command_taken"][0]) + 1
    kernel.box["command_taken"] = given
    command: bytes = kernel.box["command"][0].tobytes()
    return command.rstrip(b"\0")


def _play(tmp_path: Path, script: Callable[[Kernel], None], *commands: Command,
          every_clock: bool = False, frames: list[Frame] = FRAMES,
          on_clock: Callable[[Core, int], None] | None = None) -> tuple[Run, Kernel]:  # fmt: skip
    core = Core(tmp_path, frames, kernel=True, commands=commands)
    look = (lambda clock: on_clock(core, clock)) if on_clock else (lambda clock: None)
    run, kernel = run_with_kernel(core, script, on_clock=look, every_clock=every_clock)
    assert (run.status, run.message) == (0, "")
    return run, kernel


@pytest.mark.parametrize("every_clock", [False, True], ids=["due clocks", "every clock"])
@pytest.mark.parametrize("deadline_ns", [1, 7, 4_000, 12_345])
def test_a_poll_ends_at_the_first_instant_behind_its_deadline(
    tmp_path: Path, deadline_ns: int, every_clock: bool
) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.POLL, address=deadline_ns, work=77)
        kernel.request(MailboxOp.POLL, address=deadline_ns, work=5)
        kernel.request(MailboxOp.POLL)
        kernel.request(MailboxOp.EXIT)

    _, kernel = _play(tmp_path, script, every_clock=every_clock, frames=[(60_000, bytes(64), False)])
    first = START_PS + 77 * 250
    second = _on_grid(first, first + 1000 * deadline_ns) + 5 * 250
    assert kernel.answers[1] == (OK, 0, second - 5 * 250)
    assert kernel.answers[2] == (OK, 0, _on_grid(second, second + 1000 * deadline_ns))
    assert kernel.answers[3][0] == STOP


def test_a_record_ends_a_poll_before_its_deadline(tmp_path: Path) -> None:
    writes: list[int] = []

    def on_clock(core: Core, clock: int) -> None:
        if clock >= 1000 and not writes:
            writes.append(clock)
            core.write(clock, 0x4000, line(layout.PUBLISH_VALID | 7))

    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.POLL, address=1_000_000)
        kernel.request(MailboxOp.POLL, 1)
        kernel.request(MailboxOp.EXIT)

    _, kernel = _play(tmp_path, script, on_clock=on_clock, frames=[(1_000 * i, bytes(64), False) for i in range(9)])
    assert kernel.answers[1] == (OK, 0, _on_grid(START_PS, (writes[0] + 40) * CLOCK_PS))


def test_a_kernel_that_polls_with_deadlines_does_not_keep_the_run_from_its_end(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        while kernel.request(MailboxOp.POLL, address=3_000_000)[0] != STOP:
            pass
        kernel.request(MailboxOp.EXIT)

    run, kernel = _play(tmp_path, script)
    assert len(kernel.answers) == 3
    assert run.clocks * CLOCK_PS < 30_000_000  # the only frame, and little more


@pytest.mark.parametrize("every_clock", [False, True], ids=["due clocks", "every clock"])
def test_a_command_wakes_a_poll_when_it_is_due(tmp_path: Path, every_clock: bool) -> None:
    taken: list[bytes] = []

    def script(kernel: Kernel) -> None:
        kernel.attach()
        while kernel.request(MailboxOp.POLL)[0] != STOP:
            taken.append(_take(kernel))
        kernel.request(MailboxOp.EXIT)

    commands = [Command(40_000_000, "kill"), Command(2_000_000, "a" * 63)]
    run, kernel = _play(tmp_path, script, *commands, every_clock=every_clock)
    assert taken == [b"a" * 63, b"kill"]
    first = _on_grid(START_PS, START_PS + FEED_PS + 2_000_000)
    assert kernel.answers[1] == (OK, 0, first)
    assert kernel.answers[2] == (OK, 0, _on_grid(first, START_PS + FEED_PS + 40_000_000))
    # The run ends behind the last command, though its only frame came long before.
    assert run.clocks * CLOCK_PS > 40_000_000


def test_a_busy_kernel_is_given_a_command_with_its_next_answer_and_the_one_behind_it_when_it_took_that(
    tmp_path: Path,
) -> None:
    seen: list[tuple[int, int]] = []

    def script(kernel: Kernel) -> None:
        kernel.attach()
        kernel.request(MailboxOp.POLL, address=1)  # now the first frame has its time
        for _ in range(3):
            kernel.request(MailboxOp.REGISTER_READ, address=layout.REGISTERS["VERSION"], work=100_000)
            seen.append((int(kernel.box["command_sequence"][0]), kernel.answers[-1][2]))
        assert _take(kernel) == b"first"
        while kernel.request(MailboxOp.POLL)[0] != STOP:
            assert _take(kernel) == b"second"
        kernel.request(MailboxOp.EXIT)

    due = 30_000_000
    _play(tmp_path, script, Command(due, "first"), Command(due, "second"))
    assert [number for number, _ in seen] == [0, 1, 1]
    assert seen[0][1] < START_PS + FEED_PS + due <= seen[1][1]


def test_a_kernel_that_takes_no_command_is_noticed(tmp_path: Path) -> None:
    def script(kernel: Kernel) -> None:
        kernel.attach()
        while True:
            kernel.request(MailboxOp.POLL)

    core = Core(tmp_path, FRAMES, kernel=True, commands=[Command(0, "kill")])
    run, _ = run_with_kernel(core, script)
    assert run.status == 6
    assert "takes no host command" in run.message
