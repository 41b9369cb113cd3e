# SPDX-License-Identifier: MIT
"""Python passes ruff and mypy, the RTL Verilator's -Wall: `make lint`, the command that developers run."""

from __future__ import annotations

import subprocess


def test_make_lint_finds_nothing(root):
    finished = subprocess.run(["make", "lint"], cwd=root, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "%Warning" not in finished.stdout + finished.stderr
