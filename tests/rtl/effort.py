# SPDX-License-Identifier: MIT
"""How much random traffic a test makes: less inside `make test`, all of it for coverage."""

from __future__ import annotations

import os

EFFORT = "TEST_EFFORT"  # environment variable: percent


def scaled(count: int) -> int:
    """``count`` at full effort."""
    return max(1, count * int(os.environ.get(EFFORT, "100")) // 100)
