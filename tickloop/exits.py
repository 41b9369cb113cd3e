# SPDX-License-Identifier: MIT
"""The exit statuses a user can rely on, and the exception that carries one."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit status of every command; ``meaning`` is its line in ``--help``."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitStatus:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "every check passed"
    CHECKS_FAILED = 1, "a check failed, or nothing was compared"
    USAGE = 2, "usage error, or input that cannot be read"
    TOOL_MISSING = 3, "a tool is missing"
    QEMU_DIED = 4, "QEMU died, or the guest triple-faulted"
    SIMULATOR_DIED = 5, "the simulator died"
    PEER_SILENT = 6, "a peer is silent"
    LAYOUT_DIFFERS = 7, "layout or version differ between kernel, RTL and host"
    NO_SPACE = 8, "out of space"
    KERNEL_PANIC = 9, "kernel panic"
    EXCHANGE_FAILED = 10, "the exchange model failed"
    INTERRUPTED = 130, "interrupted by Ctrl-C"


class TickloopError(Exception):
    """Ends a command: one line for the user, and the exit status."""

    def __init__(self, status: ExitStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class UsageError(TickloopError):
    """The command line, the configuration or an input file is at fault."""

    def __init__(self, message: str) -> None:
        super().__init__(ExitStatus.USAGE, message)
