# SPDX-License-Identifier: MIT
"""The host build of the session, once a test session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session.session_harness import Session, build_session


@pytest.fixture(scope="session")
def session_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_session(tmp_path_factory.mktemp("session"))


@pytest.fixture
def session(session_program: Path) -> Iterator[Session]:
    session = Session(session_program)
    yield session
    session.close()
