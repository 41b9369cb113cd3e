# SPDX-License-Identifier: MIT
"""The images that boot by themselves, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.images import build_iso, build_os_image

MODULE = bytes(range(256)) * 100 + b"the end"
COMMAND_LINE = "run=console console=off"


@pytest.fixture(scope="package")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("module") / "module"
    path.write_bytes(MODULE)
    return path


@pytest.fixture(scope="package")
def iso(kernel: Path, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_iso(tmp_path_factory.mktemp("iso") / "tickloop.iso", COMMAND_LINE, [module], kernel)


@pytest.fixture(scope="package")
def os_image(kernel: Path, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_os_image(tmp_path_factory.mktemp("disk") / "os-image.bin", COMMAND_LINE, [module], kernel)
