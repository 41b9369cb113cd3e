# SPDX-License-Identifier: MIT
"""Host builds of parts of the kernel's core, once a test session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.recovery_harness import Recovery, build_recovery
from tests.firmware.core_harness import Core, build_core


@pytest.fixture(scope="session")
def recovery_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_recovery(tmp_path_factory.mktemp("recovery"))


@pytest.fixture
def recovery(recovery_program: Path) -> Iterator[Recovery]:
    recovery = Recovery(recovery_program)
    yield recovery
    recovery.close()


@pytest.fixture(scope="session")
def core_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_core(tmp_path_factory.mktemp("core"))


@pytest.fixture
def core(core_program: Path) -> Iterator[Core]:
    """The trading core, to be configured."""
    core = Core(core_program)
    yield core
    core.close()
