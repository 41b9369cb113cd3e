# SPDX-License-Identifier: MIT
"""A machine of stock QEMU with the kernel in it, for tests of the platform: its serial line, its monitor, its end.

Serial line and monitor are socket pairs that QEMU inherits, and QEMU is killed when the process that started it ends:
nothing is left behind, no port is used, no path can be too long.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from bridge import layout
from bridge.qemu import dies_with, executable

TIMEOUT_S = 20.0
DONE = 2 * layout.EXIT_STATUS_DONE + 1  # QEMU's exit codes for what the kernel writes to isa-debug-exit
PANIC = 2 * layout.EXIT_STATUS_PANIC + 1
FAULT = 2 * layout.EXIT_STATUS_FAULT + 1
LAYOUT = 2 * layout.EXIT_STATUS_LAYOUT + 1


class MachineError(Exception):
    """The machine did not do what was waited for; the text has its console."""


@dataclass
class Setup:
    """What to boot, how, and on which machine."""

    image: Path  # kernel, ISO image or disk image
    way: Literal["pvh", "cdrom", "disk"] = "pvh"
    command_line: str = ""  # pvh: the other images carry their own
    modules: Sequence[Path] = ()  # pvh, where QEMU takes one
    memory_mib: int = 64
    processors: int = 1
    cpu: str = "max"
    chipset: str = "pc"
    accelerator: str = "tcg"
    lockstep: bool = False  # time is the number of executed instructions
    devices: Sequence[str] = ()
    extra: Sequence[str] = ()  # further words of QEMU's command line
    pass_fds: Sequence[int] = ()

    def boot_words(self) -> list[str]:
        """What QEMU's command line says of the image, of what comes with it, and how it is booted."""
        boot = {
            "pvh": ["-kernel", str(self.image), "-append", self.command_line],
            "cdrom": ["-cdrom", str(self.image), "-boot", "d"],
            "disk": ["-drive", f"file={self.image},format=raw,if=ide,snapshot=on"],
        }[self.way]
        for module in self.modules:
            boot += ["-initrd", str(module)]
        return boot

    def words(self) -> list[str]:
        """QEMU's command line but for the serial line and the monitor."""
        return [
            executable(), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", self.chipset, "-accel", self.accelerator, "-cpu", self.cpu, "-m", f"{self.memory_mib}M",
            "-smp", str(self.processors), "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            *(["-icount", "shift=0,sleep=off"] if self.lockstep else []),
            *(word for device in self.devices for word in ("-device", device)),
            *self.extra, *self.boot_words(),
        ]


class Machine:
    """A running machine; leaving the ``with`` block ends it, whatever happened."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._serial, serial = socket.socketpair()
        self._monitor, monitor = socket.socketpair()
        self._monitor.settimeout(TIMEOUT_S)
        self._replies = self._monitor.makefile("rb")
        self._received = bytearray()
        self._arrival = threading.Condition()
        self._negotiated = False
        self.started = time.monotonic()
        command = [
            *setup.words(),
            "-chardev", f"socket,id=serial,fd={serial.fileno()}", "-serial", "chardev:serial",
            "-chardev", f"socket,id=monitor,fd={monitor.fileno()}", "-mon", "chardev=monitor,mode=control",
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=(serial.fileno(), monitor.fileno(), *setup.pass_fds), start_new_session=True,
            preexec_fn=dies_with(os.getpid()))  # noqa: PLW1509  only C code runs between fork and exec
        serial.close()
        monitor.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(TIMEOUT_S)
        assert self._process.stdout
        self._process.stdout.close()
        self._replies.close()
        self._monitor.close()
        self._serial.close()

    def _read(self) -> None:
        while True:
            try:
                data = self._serial.recv(65536)
            except OSError:
                data = b""
            with self._arrival:
                self._received += data
                self._arrival.notify_all()
            if not data:
                return

    @property
    def console(self) -> str:
        """All that came through the serial line so far."""
        with self._arrival:
            return self._received.decode("latin-1")

    def send(self, text: str | bytes) -> None:
        """Type at the serial line."""
        self._serial.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def expect(self, pattern: str, timeout_s: float = TIMEOUT_S, start: int = 0) -> re.Match[str]:
        """Wait until the console from offset ``start`` on matches; ``^`` and ``$`` are those of lines."""
        deadline = time.monotonic() + timeout_s
        expression = re.compile(pattern, re.MULTILINE)
        while True:
            with self._arrival:
                found = expression.search(self._received.decode("latin-1"), start)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    break
                self._arrival.wait(min(left, 0.5))
        raise MachineError(f"{pattern!r} did not come; the console:\n{self.console}{self._last_words()}")

    def ask(self, line: str, pattern: str, timeout_s: float = TIMEOUT_S) -> re.Match[str]:
        """Type a line, and wait for what comes after that."""
        start = len(self.console)
        self.send(line + "\n")
        return self.expect(pattern, timeout_s, start)

    def qmp(self, command: str, **arguments: Any) -> Any:
        """A command of QEMU's machine protocol; returns what it returns."""
        if not self._negotiated:
            self._negotiated = True
            self._reply("QMP")
            self.qmp("qmp_capabilities")
        message = json.dumps({"execute": command, "arguments": arguments})
        self._monitor.sendall(message.encode() + b"\n")
        return self._reply("return")

    def _reply(self, wanted: str) -> Any:
        for line in self._replies:
            reply = json.loads(line)
            if wanted in reply:
                return reply[wanted]
            if "error" in reply:
                raise MachineError(reply["error"]["desc"])
        raise MachineError(f"QEMU has ended\n{self.console}{self._last_words()}")

    def monitor(self, command: str) -> str:
        """A command of the human monitor, as in ``info registers``; returns its text."""
        return str(self.qmp("human-monitor-command", **{"command-line": command}))

    def press(self, *keys: str) -> None:
        """Keys of the emulated keyboard, one after the other, each a QKeyCode; ``shift-a`` holds one down."""
        for key in keys:
            self.monitor(f"sendkey {key} 1")
            time.sleep(0.01)

    def screenshot(self, path: Path) -> Path:
        """The VGA screen as a PPM file."""
        self.qmp("screendump", filename=str(path))
        return path

    def interrupt(self, number: signal.Signals) -> None:
        """Send QEMU a signal."""
        self._process.send_signal(number)

    def _last_words(self) -> str:
        status = self._process.poll()
        if status is None:
            return ""
        assert self._process.stdout
        return f"\nQEMU ended with {status}: {self._process.stdout.read().decode(errors='replace')}"

    def wait(self, timeout_s: float = TIMEOUT_S) -> int:
        """Wait for the machine's end; returns QEMU's exit code. The console is complete then."""
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise MachineError(f"no end within {timeout_s} s; the console:\n{self.console}") from None
        self.ended = time.monotonic()
        self._reader.join(TIMEOUT_S)
        return status


def run(setup: Setup, timeout_s: float = TIMEOUT_S) -> tuple[int, str]:
    """Boot and wait for the end: QEMU's exit code and the console."""
    with Machine(setup) as machine:
        status = machine.wait(timeout_s)
        return status, machine.console
