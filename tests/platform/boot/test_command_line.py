# SPDX-License-Identifier: MIT
"""What the kernel's command line chooses, in real boots, and what it says of a word that it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.platform.machine import DONE, PANIC, Machine, Setup, run


def test_the_console_needs_no_nic(kernel: Path) -> None:
    with Machine(Setup(kernel, command_line="run=console")) as machine:
        machine.expect("^console: ready$")
        machine.send("exit\n")
        assert machine.wait() == DONE
    status, console = run(Setup(kernel, command_line="run=console console=off"))
    assert status == DONE, console
    assert console.splitlines()[-1] == "console: ready"


def test_trading_is_the_default(kernel: Path) -> None:
    for command_line in ("", "run=trade", " \t run=trade "):
        status, console = run(Setup(kernel, command_line=command_line))
        assert status == PANIC
        assert console.splitlines()[-1] == "panic: no NIC: PCI device 1af4:1110 not found"


@pytest.mark.parametrize(("command_line", "told"), [
    ("run=tarde", "run=tarde is not known"),
    ("run", "run= is not known"),
    ("run=console verbose=1", "verbose is not known"),
    ("run=console console=on", "console=on is not known"),
    ("run=console =", " is not known"),
    ("r" * 100, "r" * 31 + " is not known"),
    ("run=" + "r" * 100, "run is not known"),
])
def test_an_unknown_word_is_one_clear_line(kernel: Path, command_line: str, told: str) -> None:
    status, console = run(Setup(kernel, command_line=command_line))
    assert status == PANIC
    assert console.splitlines()[-1] == f"panic: command line: {told}"


def test_a_command_line_without_an_end_is_refused(kernel: Path) -> None:
    status, console = run(Setup(kernel, command_line=" " * 300 + "run=console"))
    assert status == PANIC
    assert console.splitlines()[-1] == "panic: the command line is longer than 255 characters"
