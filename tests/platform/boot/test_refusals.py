# SPDX-License-Identifier: MIT
"""What cannot boot says why, in one line: a poor processor, too little memory, a damaged disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bridge.images import LOADER_CRC_AT, PLAN_MAGIC, SECTOR, disk
from tests.platform.boot.conftest import MODULE
from tests.platform.machine import DONE, PANIC, Setup, run

Damage = Callable[[bytearray], None]


@pytest.mark.parametrize(("cpu", "lacks"), [
    ("max,-lm", "long mode"), ("qemu64,-lm", "long mode"),
    ("max,-nx", "pages that cannot be executed (NX)"), ("max,-tsc", "a time-stamp counter (TSC)"),
    ("max,-apic", "a local APIC"), ("max,-msr", "model-specific registers (MSR)"),
])
def test_a_missing_feature_of_the_processor_is_named(kernel: Path, cpu: str, lacks: str) -> None:
    status, console = run(Setup(kernel, command_line="run=console console=off", cpu=cpu))
    assert status == PANIC
    assert console == f"panic: this processor lacks {lacks}\n"


def test_the_disks_loader_names_a_missing_long_mode(os_image: Path) -> None:
    status, console = run(Setup(os_image, "disk", cpu="max,-lm"))
    assert status == PANIC
    assert console.strip() == "panic: loader: this processor lacks long mode"


def test_the_oldest_processor_with_all_of_it_boots(kernel: Path) -> None:
    status, console = run(Setup(kernel, command_line="run=console console=off", cpu="qemu64"))
    assert status == DONE, console


def at_plan(image: bytearray) -> int:
    return image.index(PLAN_MAGIC, SECTOR)


def at_module(image: bytearray) -> int:
    return image.index(MODULE)


def flip(where: Callable[[bytearray], int]) -> Damage:
    def damage(image: bytearray) -> None:
        image[where(image)] ^= 0x10

    return damage


@pytest.mark.parametrize(("damage", "told"), [
    (flip(lambda image: SECTOR + 700), "the loader is corrupt"),
    (flip(lambda image: LOADER_CRC_AT), "the loader is corrupt"),
    (flip(at_plan), "the plan of what to load is corrupt"),
    (flip(lambda image: at_plan(image) + 13), "the plan of what to load is corrupt"),
    (flip(lambda image: at_plan(image) + 2 * SECTOR - 1), "the plan of what to load is corrupt"),
    (flip(lambda image: at_plan(image) + 2 * SECTOR + 5), "piece 0 is corrupt: its checksum is not the plan's"),
    (flip(at_module), "piece 3 is corrupt: its checksum is not the plan's"),
])
def test_a_damaged_disk_is_told(os_image: Path, tmp_path: Path, damage: Damage, told: str) -> None:
    image = bytearray(os_image.read_bytes())
    damage(image)
    path = tmp_path / "damaged"
    path.write_bytes(image)
    status, console = run(Setup(path, "disk"))
    assert status == PANIC, console
    assert console.strip() == f"panic: loader: {told}"


def test_any_flipped_bit_of_kernel_or_module_is_found(os_image: Path, tmp_path: Path) -> None:
    """Behind the plan; a bit in the padding between two pieces changes nothing, and the kernel boots."""
    random = Random(11)
    good = os_image.read_bytes()
    start = good.index(PLAN_MAGIC, SECTOR) + 2 * SECTOR
    end = good.index(MODULE) + len(MODULE)
    outcomes = []
    for _ in range(8):
        image = bytearray(good)
        image[random.randrange(start, end)] ^= 1 << random.randrange(8)
        path = tmp_path / "damaged"
        path.write_bytes(image)
        status, console = run(Setup(path, "disk"))
        assert status == DONE or console.strip().endswith("is corrupt: its checksum is not the plan's")
        outcomes.append(status)
    assert outcomes.count(PANIC) >= 6


def test_a_disk_that_ends_early_is_told(os_image: Path, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(os_image.read_bytes()[: 40 * SECTOR])
    status, console = run(Setup(path, "disk"))
    assert status == PANIC
    assert console.strip() == "panic: loader: the disk cannot be read"


def test_too_little_memory_for_the_kernel_is_told(kernel: Path, os_image: Path) -> None:
    """By the disk's loader before it loads anything; by the kernel where another loader did not look."""
    status, console = run(Setup(os_image, "disk", memory_mib=16))
    assert status == PANIC
    assert console.strip() == "panic: loader: too little memory: no RAM where the kernel or a module belongs"
    status, console = run(Setup(kernel, command_line="run=console console=off", memory_mib=17))
    assert status == PANIC
    assert re.fullmatch(r"panic: too little memory: the kernel ends at 0x1[0-9a-f]{6}", console.strip())


def test_as_little_memory_as_possible(kernel: Path) -> None:
    """18 MiB are two more than where the kernel lies: it boots."""
    status, console = run(Setup(kernel, command_line="run=console console=off", memory_mib=18))
    assert status == DONE, console


def test_what_does_not_fit_on_a_disk_is_an_error(kernel: Path) -> None:
    image = kernel.read_bytes()
    loader = bytes(3 * SECTOR)
    with pytest.raises(ValueError, match="command line is longer than 255"):
        disk(loader, image, "x" * 256)
    with pytest.raises(ValueError, match="too many modules"):
        disk(loader, image, "", [b"x"] * 24)
    with pytest.raises(ValueError, match="no 64-bit little-endian ELF file"):
        disk(loader, b"not a kernel")
