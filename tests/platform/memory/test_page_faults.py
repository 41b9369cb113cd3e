# SPDX-License-Identifier: MIT
"""Forbidden accesses in real boots: each is told with address, access, reason and the function that made it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.platform.conftest import BuildKernel
from tests.platform.machine import DONE, FAULT, Setup, run

PAGE_FAULT = 14


@pytest.fixture(scope="module")
def image(build_kernel: BuildKernel) -> Path:
    return build_kernel([Path(__file__).with_name("fault_injection.c")], "-Wl,--wrap=trading_run")


@pytest.fixture(scope="module")
def symbols(image: Path) -> dict[str, int]:
    listing = subprocess.run(["nm", str(image)], check=True, capture_output=True, text=True).stdout
    return {line.split()[2]: int(line.split()[0], 16) for line in listing.splitlines()}


def boot(image: Path, tmp_path: Path, case: str, chipset: str = "pc") -> tuple[int, str]:
    module = tmp_path / "case"
    module.write_text(case)
    return run(Setup(image, modules=[module], memory_mib=64, chipset=chipset))


@pytest.mark.parametrize(("case", "culprit", "told"), [
    ("r", "read_null", "read of 0x10, not mapped: the guard page of null"),
    ("w", "write_null", "write of 0x8, not mapped: the guard page of null"),
    ("t", "write_text", "write of 0x{kernel_text:x}, not writable"),
    ("c", "write_constant", "write of 0x{constant:x}, not writable"),
    ("x", "bytes_of_data", "execution of 0x{bytes_of_data:x}, not executable"),
    ("g", "write_guard", "write of 0x{guard:x}, not mapped: the guard page of the boot stack"),
    ("h", "read_hole", "read of 0x10000000000, not mapped"),
])
def test_a_forbidden_access_is_told(image: Path, symbols: dict[str, int], tmp_path: Path, case: str, culprit: str,
                                    told: str) -> None:
    status, console = boot(image, tmp_path, case)
    assert status == FAULT, console
    found = re.search(r"fault: vector (\d+) .*\nfault: rip 0x([0-9a-f]+),", console)
    assert found, console
    assert int(found[1]) == PAGE_FAULT
    assert int(found[2], 16) == symbols[culprit]
    lines = console.splitlines()
    assert f"fault: {told.format(**symbols, guard=symbols['stack_guard'] + 100)}" in lines
    place = "outside of the kernel's code" if case == "x" else f"in {culprit}+0x0"
    assert lines[-1] == f"fault: {place}"


def test_a_stack_that_overflows_meets_its_guard_page(image: Path, symbols: dict[str, int], tmp_path: Path) -> None:
    status, console = boot(image, tmp_path, "s")
    assert status == FAULT, console
    found = re.search(r"fault: write of 0x([0-9a-f]+), not mapped: the guard page of the boot stack\n"
                      r"fault: in recurse\+0x([0-9a-f]+)$", console.rstrip())
    assert found, console
    assert symbols["stack_guard"] <= int(found[1], 16) < symbols["stack_guard"] + 4096


def test_nothing_is_writable_and_executable(image: Path, tmp_path: Path) -> None:
    status, console = boot(image, tmp_path, "R")
    assert status == DONE
    rights = dict(line.removeprefix("rights: ").rsplit(" ", 1) for line in console.splitlines() if "rights: " in line)
    assert rights == {
        "null": "none", "low memory": "RW", "code": "RX", "last of code": "RX", "constants": "R",
        "last of constants": "R", "data": "RW", "guard": "none", "stack": "RW", "behind the image": "RW",
        "local APIC": "RW", "above 4 GiB": "none", "nothing": "none"}


@pytest.mark.parametrize(("chipset", "high"), [("pc", False), ("pc,max-ram-below-4g=32M", True), ("q35", False)])
def test_every_page_can_be_taken_and_written(image: Path, tmp_path: Path, chipset: str, high: bool) -> None:
    """All the machine's memory down to 1 MiB, above 4 GiB too; each page holds the address of the one before it."""
    status, console = boot(image, tmp_path, "W", chipset)
    assert status == DONE, console
    free = {zone: int(size) for size, zone in re.findall(r"memory: (\d+) KiB free (.*)", console)}
    assert set(free) == {"below 1 MiB", "below 16 MiB", "below 4 GiB", "above"}
    assert (free["above"] == 32 << 10) == high
    walked = re.search(r"walked: (\d+) pages", console)
    assert walked
    assert int(walked[1]) * 4 == sum(free.values()) - free["below 1 MiB"] > 48 << 10
