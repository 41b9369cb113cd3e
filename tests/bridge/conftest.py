# SPDX-License-Identifier: MIT
"""Tests of the bridge run kernels and simulators: one at a time."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _alone(one_loop_at_a_time: None) -> None:
    """No other loop beside this one."""
