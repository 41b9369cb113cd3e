# SPDX-License-Identifier: MIT
"""A configuration module that is not as it was written is never traded on: the kernel says so in one line."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tb.model.config import KernelConfig
from tests.firmware.peer import Peer, Run
from tests.platform.machine import DONE, LAYOUT, PANIC
from tickloop.config import compile_module, sealed

CORRUPT = "panic: configuration: the module is corrupt: its checksum is not that of its content"
MODULE = sealed(compile_module(KernelConfig()))


def boot(kernel: Path, tmp_path: Path, module: bytes) -> Run:
    path = tmp_path / "config.bin"
    path.write_bytes(module)
    return Peer().boot(kernel, path, tmp_path / "console.log")


def test_as_it_was_written_it_is_taken(kernel: Path, tmp_path: Path) -> None:
    for module in (MODULE, MODULE[:-8]):  # sealed, and without a seal
        run = boot(kernel, tmp_path, module)
        assert run.exit_code == DONE, run.console


def test_any_flipped_bit_is_found(kernel: Path, tmp_path: Path) -> None:
    random = Random(8)
    places = [0, len(MODULE) - 9, *(random.randrange(len(MODULE) - 8) for _ in range(4))]
    for place in places:
        module = bytearray(MODULE)
        module[place] ^= 1 << random.randrange(8)
        run = boot(kernel, tmp_path, module)
        assert run.exit_code == PANIC
        assert run.console.splitlines()[-1] == CORRUPT, place


@pytest.mark.parametrize(("module", "status", "told"), [
    (MODULE[:-1], PANIC, "panic: configuration: "),
    (MODULE[:-4] + bytes(4), PANIC, CORRUPT),
    (MODULE[:-8] + b"SEAM" + MODULE[-4:], PANIC, "panic: configuration: "),
    (MODULE[:100], LAYOUT, "layout: module 0 is no configuration"),
    (MODULE[-8:], PANIC, CORRUPT),
], ids=["last byte", "checksum", "mark", "middle", "all but the seal"])
def test_what_is_cut_is_told(kernel: Path, tmp_path: Path, module: bytes, status: int, told: str) -> None:
    run = boot(kernel, tmp_path, module)
    assert run.exit_code == status
    assert run.console.splitlines()[-1].startswith(told)
