# SPDX-License-Identifier: MIT
"""The kernel's run=e1000: frames in and out over a socket pair, in a stock QEMU that ends with this process.

Each datagram is a frame. Once the kernel is ready QEMU takes one only when the device has room for it: the feed waits,
and nothing is lost. What the kernel sends is read meanwhile, or both sides would wait for each other.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge import layout, qemu
from bridge.interface import BridgeError

DEADLINE_S = 600
SILENCE_MS = 60_000  # of the guest's time: the feed ends with an end of session
READY_POLL_S = 0.005
DONE = 2 * layout.EXIT_STATUS_DONE + 1
_STATISTIC = re.compile(r"^statistics: (\w+(?: \w+)?) (\d+)$", re.MULTILINE)
_RESULT_ETHERTYPE = layout.RESULT_ETHERTYPE.to_bytes(2, "big")
_READY = b", ready\n"
_ETHERTYPE = slice(12, 14)


@dataclass(frozen=True)
class FrameRun:
    """What the kernel sent, its export and its counters."""

    orders: list[bytes]
    export: bytes
    statistics: dict[str, int]


def run(kernel: Path, module: Path, frames: Iterable[bytes], words: Sequence[str]) -> FrameRun:
    """Boot, feed all frames, of which the last is an end of session, and wait for the result. Time in the guest is the
    number of executed instructions.

    Raises:
        BridgeError: status 3, QEMU is missing; 4, it died; 9, the kernel panicked.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as name, ours:
        console, log = Path(name) / "console.log", Path(name) / "qemu.log"
        with theirs, log.open("wb") as out:
            process = subprocess.Popen(
                [qemu.executable(), "-nodefaults", "-display", "none", "-no-reboot", "-machine", "pc,accel=tcg",
                 "-cpu", "max", "-m", f"{qemu.RAM_BYTES >> 20}M", "-icount", "shift=0,sleep=off",
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", f"file:{console}",
                 "-netdev", f"socket,id=line,fd={theirs.fileno()}", "-device", "e1000,netdev=line,romfile=",
                 "-kernel", str(kernel), "-initrd", str(module),
                 "-append", " ".join(("run=e1000", f"timeout_ms={SILENCE_MS}", *words))],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=[theirs.fileno()], start_new_session=True,
                preexec_fn=qemu.dies_with(os.getpid()))  # noqa: PLW1509  only C code runs between fork and exec
        sent: list[bytes] = []
        reader = threading.Thread(target=_read, args=(ours, sent), daemon=True)
        reader.start()
        try:
            if _is_ready(process, console):
                _feed(ours, frames)
            status = process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise BridgeError(6, "the kernel does not come to an end") from None
        finally:
            process.kill()
            process.wait()
            ours.shutdown(socket.SHUT_RD)  # what has arrived is still read
            reader.join()
        if status != DONE:
            raise BridgeError(*qemu.explain(status, console, log))
        return _result(sent, console.read_text(errors="replace"))


def _is_ready(process: subprocess.Popen[bytes], console: Path) -> bool:
    """Wait until the kernel's device is set up, or QEMU has ended."""
    while process.poll() is None:
        if console.exists() and _READY in console.read_bytes():
            return True
        time.sleep(READY_POLL_S)
    return False


def _feed(line: socket.socket, frames: Iterable[bytes]) -> None:
    try:
        for frame in frames:
            line.send(frame)
    except OSError:
        return  # the other end is gone: its exit status tells why


def _read(line: socket.socket, sent: list[bytes]) -> None:
    try:
        while data := line.recv(65536):
            sent.append(data)
    except OSError:
        return


def _result(sent: list[bytes], console: str) -> FrameRun:
    orders: list[bytes] = []
    export = bytearray()
    size = layout.RESULT_FRAME.itemsize
    for frame in sent:
        if frame[_ETHERTYPE] != _RESULT_ETHERTYPE:
            orders.append(frame)
            continue
        head = np.frombuffer(frame, layout.RESULT_FRAME, 1)[0]
        if int(head["offset"]) != len(export):
            raise BridgeError(6, "a part of the kernel's result is missing")
        export += frame[size:size + int(head["bytes"])]
    return FrameRun(orders, bytes(export), {name: int(value) for name, value in _STATISTIC.findall(console)})
