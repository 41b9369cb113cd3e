# SPDX-License-Identifier: MIT
"""Programs in a network namespace of their own, with a TAP device between Linux's TCP and ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 90


def in_namespace(module: str, *arguments: str) -> Any:
    """What the program printed as JSON; the test is skipped where no such namespace can be made."""
    enter = ["unshare", "-rn"]
    missing = [tool for tool in ("unshare", "ip") if shutil.which(tool) is None]
    assert not missing, f"{' and '.join(missing)} is missing; make test installs it"
    if subprocess.run([*enter, "test", "-w", "/dev/net/tun"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace with a TAP device here")
    print(f"repeat with: {' '.join(enter)} python -m {module} {' '.join(arguments)}")
    done = subprocess.run([*enter, sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True,
                          check=True, timeout=TIMEOUT_S)
    return json.loads(done.stdout)
