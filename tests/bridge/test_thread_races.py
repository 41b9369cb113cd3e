# SPDX-License-Identifier: MIT
"""RX ring and mailbox under the thread sanitizer, bridge's and kernel's C code in a thread each: no access races with
another. Without the release or the acquire that they rest on, the sanitizer finds races."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bridge import build
from bridge.stimulus import write_stimulus

HERE = Path(__file__).parent
CORE, FIRMWARE = build.BRIDGE / "core", build.ROOT / "firmware"
DRIVER = (FIRMWARE / "drivers/nic.c", FIRMWARE / "core/raw.c")
RACES = 66  # the sanitizer's exit status
SEED = 1
ORDERS = {"as it is": (), "no release": ("RELEASE",), "no acquire": ("ACQUIRE",)}


def _program(directory: Path, weaker: tuple[str, ...], *arguments: str | Path) -> Path:
    """Built with the memory orders ``weaker`` taken for relaxed. An inlined memcpy would escape the sanitizer."""
    relaxed = [f for order in weaker for f in (f"-U__ATOMIC_{order}", f"-D__ATOMIC_{order}=__ATOMIC_RELAXED")]
    program = directory / "program"
    subprocess.run(
        ["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-fsanitize=thread",
         *relaxed, f"-I{FIRMWARE}", f"-I{FIRMWARE / 'include'}", f"-I{CORE}", "-o", program, *arguments, "-pthread"],
        check=True,
    )  # fmt: skip
    return program


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    print(*command)
    # The sanitizer needs its places in the address space: where they are is not left to chance, if that may be said.
    steady = ["setarch", "-R"]
    try:
        subprocess.run([*steady, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        steady = []
    return subprocess.run([*steady, *command], capture_output=True, text=True, timeout=120, check=False)


def _judge(result: subprocess.CompletedProcess[str], orders: str) -> None:
    if orders == "as it is":
        assert result.returncode == 0, result.stderr
    else:
        assert result.returncode == RACES, result.stderr
        assert "data race" in result.stderr


@pytest.fixture(scope="module", params=list(ORDERS))
def ring(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    sources = (HERE / "ring_pair.c", HERE / "kernel_console.c", CORE / "memory.c", CORE / "rings.c", *DRIVER)
    return _program(tmp_path_factory.mktemp("ring"), ORDERS[request.param], *sources), request.param


@pytest.mark.parametrize("mode", ["lines", "descriptors"])
def test_a_ring_between_two_threads(ring: tuple[Path, str], mode: str) -> None:
    """Records of 1 to 16 lines in a ring of 32, whose index and epoch wrap; each must arrive as it was written."""
    program, orders = ring
    _judge(_run(program, mode, str(SEED), "20000"), orders)


@pytest.mark.parametrize(
    ("mode", "orders"), [("lockstep", "as it is"), ("free", "as it is"), ("lockstep", "no release")]
)
def test_the_mailbox_between_two_threads(tmp_path: Path, mode: str, orders: str) -> None:
    """A whole run, from the kernel's search for the device to its exit."""
    sources = (
        HERE / "mailbox_threads.c",
        HERE / "kernel_console.c",
        *sorted(CORE.glob("*.c")),
        FIRMWARE / "drivers/mailbox.c",
        *DRIVER,
    )
    program = _program(tmp_path, ORDERS[orders], "-Wl,--wrap=mmap,--wrap=munmap", *sources)
    write_stimulus(tmp_path / "stimulus.bin", [(0, bytes(64), False)])
    result = _run(program, tmp_path, "1000", mode)
    assert "status 0 taken 1000" in result.stdout, result.stderr
    _judge(result, orders)
