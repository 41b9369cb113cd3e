# SPDX-License-Identifier: MIT
"""The kernel image: reproducible, where it says it is, and built without what a kernel must not use."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge import layout
from tests.firmware.conftest import BuildKernel
from tests.sanitized import FIRMWARE


@pytest.fixture(scope="module")
def image(build_kernel: BuildKernel) -> Path:
    return build_kernel()


def tool(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_two_builds_are_identical(image: Path, tmp_path: Path) -> None:
    """Another source path, another output path, another time: the same bytes."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(FIRMWARE, copy)
    subprocess.run(["make", "--silent", "-j2", "-C", str(copy), f"BUILD={tmp_path}/out"], check=True,
                   stdout=subprocess.DEVNULL)
    assert (tmp_path / "out/firmware/tickloop.elf").read_bytes() == image.read_bytes()


def test_lies_above_the_reserved_area(image: Path) -> None:
    segments = [
        (int(found[1], 16), int(found[2], 16))
        for found in re.finditer(r"LOAD\s+0x\w+ 0x\w+ 0x(\w+) 0x\w+ 0x(\w+)", tool("readelf", "-lW", str(image)))
    ]
    assert len(segments) == 3
    assert min(start for start, _ in segments) == layout.KERNEL_BASE
    assert all(start >= layout.RESERVED_BASE + layout.RESERVED_SIZE for start, _ in segments)
    assert sum(size for _, size in segments) < 4 << 20


def test_carries_the_pvh_note(image: Path) -> None:
    notes = tool("readelf", "-nW", str(image))
    assert "Xen" in notes
    assert "0x00000012" in notes  # XEN_ELFNOTE_PHYS32_ENTRY


def test_uses_general_registers_only(image: Path) -> None:
    """No SSE, MMX or x87 register in any instruction: the kernel never saves their state."""
    code = tool("objdump", "-d", "--no-show-raw-insn", str(image))
    assert len(code.splitlines()) > 1000
    assert not re.findall(r"%[xyz]?mm\d|%st\b", code)


def test_everything_is_defined_in_the_image(image: Path) -> None:
    assert not tool("nm", "--undefined-only", str(image))
