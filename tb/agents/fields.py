# SPDX-License-Identifier: MIT
"""Where the fields of the layout's structures lie."""

from __future__ import annotations

from typing import Any

import numpy as np


def offset(structure: np.dtype[Any], field: str) -> int:
    """The byte offset of a field."""
    fields = structure.fields
    assert fields is not None
    return fields[field][1]
