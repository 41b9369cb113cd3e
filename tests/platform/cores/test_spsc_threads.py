# SPDX-License-Identifier: MIT
"""The ring between two threads: every message whole and in order, and no data race for the thread sanitizer to find.
Without the release or the acquire that it rests on, the sanitizer finds races."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.sanitized import FIRMWARE

SOURCE = Path(__file__).resolve().parent / "spsc_threads.c"
RACES = 66  # the thread sanitizer's exit status
SEED = 1


def _program(folder: Path, *flags: str) -> Path:
    program = folder / "program"
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin", *flags,
                    f"-I{FIRMWARE}", "-o", program, SOURCE, "-pthread"], check=True)
    return program


def _run(program: Path, messages: int) -> subprocess.CompletedProcess[str]:
    command = ["setarch", "-R", program, str(messages), str(SEED)]  # the sanitizer needs its own addresses
    if subprocess.run(["setarch", "-R", "true"], check=False, capture_output=True).returncode != 0:
        command = command[2:]
    print(*command)
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("sanitizers", ["thread", "address,undefined"])
def test_messages_arrive_whole_and_in_order(tmp_path: Path, sanitizers: str) -> None:
    messages = 100_000
    run = _run(_program(tmp_path, f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"), messages)
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{messages} taken, 0 words wrong, empty\n"


@pytest.mark.parametrize("order", ["RELEASE", "ACQUIRE"])
def test_the_sanitizer_sees_a_missing_order(tmp_path: Path, order: str) -> None:
    relaxed = (f"-U__ATOMIC_{order}", f"-D__ATOMIC_{order}=__ATOMIC_RELAXED")
    run = _run(_program(tmp_path, "-fsanitize=thread", *relaxed), 5000)
    assert run.returncode == RACES
    assert "data race" in run.stderr
