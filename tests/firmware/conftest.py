# SPDX-License-Identifier: MIT
"""Builds of the kernel and of its core, once a test session."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.firmware.core_harness import Core, build_core
from tests.sanitized import FIRMWARE

BuildKernel = Callable[..., Path]


@pytest.fixture(autouse=True)
def _alone(one_loop_at_a_time: None) -> None:
    """No other kernel beside this one."""


@pytest.fixture(scope="session")
def core_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_core(tmp_path_factory.mktemp("core"))


@pytest.fixture
def core(core_program: Path) -> Iterator[Core]:
    """A core with the default test configuration."""
    core = Core(core_program)
    assert core.configure() == ""
    yield core
    core.close()


@pytest.fixture(scope="session")
def build_kernel(tmp_path_factory: pytest.TempPathFactory) -> BuildKernel:
    """Build the kernel into a directory of its own, with further sources and linker flags if given."""

    def build(sources: Sequence[Path] = (), linker_flags: str = "") -> Path:
        directory = tmp_path_factory.mktemp("kernel")
        subprocess.run(
            ["make", "--silent", "-j2", "-C", str(FIRMWARE), f"BUILD={directory}",
             *([f"EXTRA_SOURCES={' '.join(map(str, sources))}", f"EXTRA_LDFLAGS={linker_flags}", "LTO="]
               if sources else [])],
            check=True, stdout=subprocess.DEVNULL,
        )
        return directory / "firmware" / "tickloop.elf"

    return build


@pytest.fixture(scope="session")
def kernel(build_kernel: BuildKernel) -> Path:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed")
    return build_kernel()


@pytest.fixture(scope="session")
def real_messages(sample: Callable[[str], Path]) -> list[bytes]:
    """The first messages of a real market opening."""
    data, messages, at = sample("itch_12302019_open_1000.itch").read_bytes(), [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        messages.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return messages
