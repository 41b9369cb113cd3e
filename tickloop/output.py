# SPDX-License-Identifier: MIT
"""Standard output of the commands: a table for people, or with ``--json`` one JSON object and nothing else.

A reader that has gone, as behind ``| head``, is no error: the verdict is in the exit status all the same.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """(name, value) pairs in two columns."""
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    print_text("\n".join(f"  {name:<{width}}  {value}" for name, value in rows))


def print_json(document: Mapping[str, Any]) -> None:
    """The one object of ``--json``; text is ASCII, so that no terminal's or pipe's encoding can fail it."""
    print_text(json.dumps(document, indent=2))


def print_text(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
