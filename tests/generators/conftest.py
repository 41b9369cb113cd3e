# SPDX-License-Identifier: MIT
"""Shared by the tests of the generators: seeded chance, random messages by table, tshark."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from generators.tables import Message

SEED_VARIABLE = "TICKLOOP_TEST_SEED"


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """Chance of one test; what pytest shows of a failing test includes the line that repeats it."""
    seed = int(os.environ.get(SEED_VARIABLE, "1"))
    print(f"repeat with: {SEED_VARIABLE}={seed} pytest '{request.node.nodeid}'")
    return Random(seed)


def extreme_messages(message: Message, random: Random) -> list[bytes]:
    """All-zero and all-one fields, one field at its maximum among zeros (shows a wrong offset), then random bytes."""
    bodies = [bytes(message.length), b"\xff" * message.length, b" " * message.length]
    for field in message.fields[1:]:
        if field.length is None:
            continue
        body = bytearray(message.length)
        body[field.offset:field.offset + field.length] = b"\xff" * field.length
        bodies.append(bytes(body))
    bodies += [random.randbytes(message.length) for _ in range(20)]
    return [message.type.encode() + body[1:] for body in bodies]


@pytest.fixture
def cases(random: Random) -> Callable[[Message], list[bytes]]:
    return lambda message: extreme_messages(message, random)


@pytest.fixture
def tshark() -> Callable[..., list[list[str]]]:
    """Runs tshark on a capture: one row of the asked fields a frame, checksums verified."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")

    def run(path: Path, *fields: str, decode_as: str = "udp.port==26477,moldudp64") -> list[list[str]]:
        command = [program, "-r", str(path), "-d", decode_as, "-o", "ip.check_checksum:TRUE",
                   "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|", "-E", "aggregator=,"]
        for field in fields:
            command += ["-e", field]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line.split("|") for line in result.stdout.splitlines()]

    return run
