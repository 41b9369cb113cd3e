# SPDX-License-Identifier: MIT
"""Copies of the sources in which a test does what the documentation tells its reader to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def copy_of_sources(root: Path, folder: Path) -> Path:
    """A copy in ``folder``, without tests, with this environment's tools."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True,
                            check=True).stdout.splitlines()
    for name in listed:
        if (root / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def shell(checkout: Path, block: str) -> str:
    """What a block of commands prints; each must succeed."""
    finished = subprocess.run(["bash", "-e", "-c", block], cwd=checkout, capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": str(checkout)})
    assert finished.returncode == 0, f"{block}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout + finished.stderr
