# SPDX-License-Identifier: MIT
"""The kernel's pure C as a program on the host: built with sanitizers, and called through a pipe.

A call is a command and a length, 32 bits each, and the payload; an answer is a length and the payload.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"


def build(program: Path, sources: Iterable[Path]) -> Path:
    """Compile ``sources`` with the address and undefined-behaviour sanitizers, and all warnings as errors."""
    subprocess.run(
        ["gcc", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", f"-I{FIRMWARE}", "-o", str(program), *map(str, sources)],
        check=True,
    )
    return program


class Runner:
    """A running program; a sanitizer's finding ends it and fails the next call."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        assert self._process.wait(10) == 0, "the sanitizers found something, leaks included"
        self._process.stdout.close()

    def _call(self, command: int, payload: bytes = b"") -> bytes:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(struct.pack("<II", command, len(payload)) + payload)
        self._process.stdin.flush()
        size = self._process.stdout.read(4)
        assert len(size) == 4, "the program ended: a sanitizer's report is on standard error"
        return self._process.stdout.read(int.from_bytes(size, "little"))
