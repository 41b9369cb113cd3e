# SPDX-License-Identifier: MIT
"""Entry of the ``tickloop`` command line, light enough that Ctrl-C is heeded before the commands are even imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tickloop.exits import ExitStatus


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    try:
        from tickloop.commands import run  # noqa: PLC0415 (half a second of imports)

        return run(tuple(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        print("tickloop: interrupted", file=sys.stderr)
        return ExitStatus.INTERRUPTED
