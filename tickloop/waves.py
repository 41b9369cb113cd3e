# SPDX-License-Identifier: MIT
"""``tickloop waves``: GTKWave on a run's dump, with the save file that the run left beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tickloop.exits import ExitStatus, TickloopError, UsageError
from waves.save_file import write_save_file

VIEWER = "gtkwave"


def open_waves(directory: Path) -> None:
    """Opens the viewer and waits for it.

    Raises:
        UsageError: the run has no dump.
        TickloopError: the viewer is missing, or there is no display.
    """
    dumps = sorted(path for pattern in ("*.vcd", "*.fst") for path in directory.glob(pattern))
    if not dumps:
        raise UsageError(f"{directory}: no waves here; run with --waves (make sim WAVES=1)")
    save = dumps[0].with_suffix(".gtkw")
    if not save.exists():
        save, _ = write_save_file(dumps[0])
    if shutil.which(VIEWER) is None:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{VIEWER} is missing; on Debian: apt-get install -y {VIEWER}")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise TickloopError(ExitStatus.TOOL_MISSING,
                            f"no display for {VIEWER}; on a desktop: {VIEWER} {dumps[0]} {save}")
    status = subprocess.run([VIEWER, str(dumps[0]), str(save)], check=False).returncode
    if status:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{VIEWER} ended with status {status}")
