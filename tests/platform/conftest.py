# SPDX-License-Identifier: MIT
"""Images of the kernel for tests of the platform, built once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bridge import build
from tests.platform.cases import LINKER_FLAGS, SOURCES, Cases
from tests.sanitized import FIRMWARE

BuildKernel = Callable[..., Path]


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The product's image."""
    return build.build_kernel()


@pytest.fixture(scope="session")
def build_kernel(tmp_path_factory: pytest.TempPathFactory) -> BuildKernel:
    """Build the kernel into a directory of its own with further sources and linker flags, as ``-Wl,--wrap=...``."""

    def make(sources: Sequence[Path], linker_flags: str = "") -> Path:
        directory = tmp_path_factory.mktemp("kernel")
        subprocess.run(
            ["make", "--silent", "-j2", "-C", str(FIRMWARE), f"BUILD={directory}",
             f"EXTRA_SOURCES={' '.join(map(str, sources))}", f"EXTRA_LDFLAGS={linker_flags}", "LTO="],
            check=True, stdout=subprocess.DEVNULL)
        return directory / "firmware" / "tickloop.elf"

    return make


@pytest.fixture(scope="session")
def case_image(build_kernel: BuildKernel) -> Path:
    return build_kernel(SOURCES, LINKER_FLAGS)


@pytest.fixture
def cases(case_image: Path, tmp_path: Path) -> Cases:
    """Cases in C that run in the booted kernel."""
    return Cases(case_image, tmp_path)
