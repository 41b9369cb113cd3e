# SPDX-License-Identifier: MIT
"""How much a test does: less inside `make test`, all of it in `make regress` and for coverage."""

from __future__ import annotations

import os

EFFORT = "TEST_EFFORT"  # environment variable: percent


def full_effort() -> bool:
    """Whether everything was asked for."""
    return os.environ.get(EFFORT) == "100"
