# SPDX-License-Identifier: MIT
"""Exceptions provoked in a test image: vector, error code, RIP and CR2 on the console, and their own exit code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bridge import layout
from tests.firmware.conftest import BuildKernel
from tests.firmware.peer import Peer, exit_code
from tests.firmware.records import config_module


@pytest.fixture(scope="module")
def faulty_kernel(kernel: Path, build_kernel: BuildKernel) -> Path:
    assert kernel.exists()  # skips without QEMU
    return build_kernel([Path(__file__).parent / "fault_injection.c"], "-Wl,--wrap=nic_init")


@pytest.mark.parametrize("expected", [
    pytest.param((0, 0, 0, 0), id="divide error"),
    pytest.param((6, 6, 0, 0), id="invalid opcode"),
    pytest.param((13, 13, 0x1238, 0), id="general protection"),
    pytest.param((14, 14, 0, 0x123456789008), id="page fault, read"),
    pytest.param((1014, 14, 2, 8), id="page fault, write through null"),
    pytest.param((15, 14, 2, 0x12345677FFF8), id="page fault on a lost stack"),
    pytest.param((8, 8, 0, 0), id="double fault on an impossible stack"),
])
def test_fault_is_reported(faulty_kernel: Path, tmp_path: Path, expected: tuple[int, int, int, int]) -> None:
    case, vector, error, cr2 = expected
    config = tmp_path / "config.bin"
    config.write_bytes(config_module())
    run = Peer(epoch=case).boot(faulty_kernel, config, tmp_path / "console.log")
    assert run.exit_code == exit_code(layout.EXIT_STATUS_FAULT)
    found = re.search(r"fault: vector (\d+) \([^)]+\), error 0x([0-9a-f]+)\n"
                      r"fault: rip 0x([0-9a-f]+), cr2 0x([0-9a-f]+),", run.console)
    assert found, run.console
    assert int(found[1]) == vector
    assert int(found[2], 16) == error
    assert int(found[3], 16) == address_of(faulty_kernel, f"culprit_{case}")
    assert int(found[4], 16) == cr2


def address_of(image: Path, symbol: str) -> int:
    listing = subprocess.run(["nm", str(image)], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[0], 16) for line in listing.splitlines() if line.split()[-1] == symbol)


def test_product_has_no_fault_injection(kernel: Path) -> None:
    listing = subprocess.run(["nm", str(kernel)], check=True, capture_output=True, text=True).stdout
    assert "kernel_main" in listing
    assert "culprit" not in listing
