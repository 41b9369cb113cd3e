# SPDX-License-Identifier: MIT
"""The pure parts of memory/, built once with sanitizers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platform.memory.harness import Memory, build_memory


@pytest.fixture(scope="package")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    runner = Memory(build_memory(tmp_path_factory.mktemp("memory")))
    yield runner
    runner.close()
