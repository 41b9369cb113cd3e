# SPDX-License-Identifier: MIT
"""A machine whose only network is an e1000 on a socket pair: each datagram is a frame, and QEMU takes one only when the
device has room for it. So nothing is lost between test and device, and no privilege is needed."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from bridge import layout
from tests.platform.machine import DONE, TIMEOUT_S, Machine, Setup

MIN_FRAME_BYTES = 60  # without FCS (IEEE 802.3, 3.2.8): QEMU pads what is shorter, as a sender must
PATIENCE = "timeout_ms=20000"  # of the kernel with a feed that other processes hold up
READY = r"^e1000: .*, ready$"
_RESULT_ETHERTYPE = layout.RESULT_ETHERTYPE.to_bytes(2, "big")


def padded(frame: bytes) -> bytes:
    """As it arrives behind a real sender, and behind QEMU."""
    return frame.ljust(MIN_FRAME_BYTES, b"\0")


@dataclass
class Outcome:
    """What a run left."""

    console: str
    orders: list[bytes]
    export: bytes
    statistics: dict[str, int] = field(default_factory=dict)


class Line:
    """The machine with the kernel's run=e1000 in it, and the other end of its line."""

    def __init__(self, kernel: Path, config: Path, words: Sequence[str] = (), lockstep: bool = True) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._frames: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.machine = Machine(Setup(
            kernel, command_line=" ".join(("run=e1000", PATIENCE, *words)), modules=[config], lockstep=lockstep,
            memory_mib=128, pass_fds=[theirs.fileno()],
            extra=["-netdev", f"socket,id=line,fd={theirs.fileno()}"],
            devices=["e1000,netdev=line,id=nic,mac=02:00:00:00:00:01,romfile="]))
        theirs.close()
        self._reader.start()

    def __enter__(self) -> Self:
        self.machine.expect(READY)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.machine.__exit__(kind, value, trace)
        self._ours.shutdown(socket.SHUT_RD)
        self._reader.join(TIMEOUT_S)
        self._ours.close()

    def _read(self) -> None:
        while data := self._ours.recv(65536):
            self._frames.append(data)

    def send(self, frames: Iterable[bytes]) -> None:
        """In their order; waits while the device takes none. What is left when the machine ends is not sent."""
        try:
            for frame in frames:
                self._ours.send(frame)
        except OSError:
            return

    def finish(self) -> Outcome:
        """Wait for the run's end."""
        status = self.machine.wait()
        console = self.machine.console
        assert status == DONE, console
        self._ours.shutdown(socket.SHUT_RD)  # what has arrived is still read
        self._reader.join(TIMEOUT_S)
        orders, export = [], bytearray()
        for frame in self._frames:
            if frame[12:14] != _RESULT_ETHERTYPE:
                orders.append(frame)
                continue
            head = np.frombuffer(frame, layout.RESULT_FRAME, 1)[0]
            size = layout.RESULT_FRAME.itemsize
            assert head["offset"] == len(export)
            export += frame[size:size + int(head["bytes"])]
        statistics = re.findall(r"^statistics: (\w+(?: \w+)?) (\d+)$", console, re.MULTILINE)
        return Outcome(console, orders, bytes(export), {name: int(value) for name, value in statistics})
