# SPDX-License-Identifier: MIT
"""Whatever the guest writes into mailbox and rings, the native core touches nothing outside the shared objects: a
million random words under the address and undefined-behaviour sanitizers, and the checks that this rests on, taken out
one at a time."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import build
from bridge.stimulus import Frame, write_stimulus

SEED = 1
WORDS = 1_000_000
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
WRAPPED = ("mmap", "munmap", "clock_gettime", "nanosleep")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _compile(source: Path, directory: Path) -> Path:
    output = directory / f"{source.stem}.o"
    subprocess.run(
        ["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", *SANITIZERS,
         f"-I{build.ROOT / 'firmware/include'}", f"-I{build.BRIDGE / 'core'}", "-c", "-o", output, source],
        check=True,
    )  # fmt: skip
    return output


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The core and the guest, by source file."""
    directory = tmp_path_factory.mktemp("objects")
    sources = [Path(__file__).parent / "hostile_guest.c", *(build.BRIDGE / "core").glob("*.c")]
    return {source.name: _compile(source, directory) for source in sources}


@pytest.fixture
def run(tmp_path: Path, objects: dict[str, Path]) -> Run:
    """``run(file, check)``: the core with ``check`` taken out of its source ``file``."""

    def go(file: str | None = None, check: str = "") -> subprocess.CompletedProcess[str]:
        chosen = dict(objects)
        if file is not None:
            text = (build.BRIDGE / "core" / file).read_text()
            assert text.count(check) == 1
            (tmp_path / file).write_text(text.replace(check, ""))
            chosen[file] = _compile(tmp_path / file, tmp_path)
        program = tmp_path / "hostile_guest"
        wraps = [f"-Wl,--wrap={name}" for name in WRAPPED]
        subprocess.run(["gcc", *SANITIZERS, *wraps, "-o", program, *chosen.values()], check=True)
        frames: list[Frame] = [(0, bytes(64), False), (400, bytes(64), True, 1), (9000, bytes(80), False)]
        # Some thousand runs, with ten files each: in memory, where there is room for that.
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as record:
            write_stimulus(Path(record) / "stimulus.bin", frames)
            command = [program, record, str(SEED), str(WORDS)]
            print(*command)
            return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return go


def test_a_million_random_words_from_the_guest(run: Run) -> None:
    result = run()
    assert result.returncode == 0, result.stderr
    fields = result.stdout.split(": ")[1].split()
    seen = dict(zip(fields[::2], map(int, fields[1::2]), strict=True))
    assert seen["words"] >= WORDS
    # It got far enough to try everything, and ended in every way: well, refused, silent, of another layout.
    for name in ("exported", "traced", "op1", "op2", "op3", "op4", "op5", "op6", "op7"):
        assert seen[name] > 100, name
    for status in (0, 1, 4, 7):
        assert seen[f"status{status}"] > 10, status
    assert sum(seen[f"status{status}"] for status in (0, 1, 4, 7)) == seen["runs"]


@pytest.mark.parametrize(
    ("file", "check"),
    [
        ("memory.c", "if (bytes > memory.bytes || address > memory.bytes - bytes) return NULL;"),
        ("core.c", "!memory_at(address, LINE_BYTES) ||"),
        ("rings.c", "address % sizeof(struct descriptor) ? NULL :"),
        ("rings.c", "!line || "),
    ],
)
def test_without_a_check_it_is_seen(run: Run, file: str, check: str) -> None:
    result = run(file, check)
    assert result.returncode != 0
    assert "Sanitizer" in result.stderr or "runtime error" in result.stderr
