# SPDX-License-Identifier: MIT
"""tshark, as the tests of the generators call it."""

from __future__ import annotations

from tests.generators.conftest import tshark

__all__ = ["tshark"]
