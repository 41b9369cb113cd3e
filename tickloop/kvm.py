# SPDX-License-Identifier: MIT
"""Whether KVM is of any use here, by measuring: a /dev/kvm may be there and be an emulation, slower than QEMU's own.

Both accelerators boot the same sector, which counts to a few millions and ends the machine.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TURNS = 20_000_000
PATIENCE_S = 6.0
ENDED = 3  # QEMU's exit status for a 1 written to isa-debug-exit


@dataclass(frozen=True)
class Timing:
    """One accelerator: seconds to the end of the machine, None if it did not come; ``why`` not, in QEMU's words."""

    seconds: float | None
    why: str = ""


def boot_sector(turns: int = TURNS) -> bytes:
    """16-bit code: mov ecx, turns; dec ecx; jnz -4; mov al, 1; out 0xf4, al; hlt."""
    code = b"\x66\xb9" + struct.pack("<I", turns) + b"\x66\x49\x75\xfc\xb0\x01\xe6\xf4\xf4"
    return code.ljust(510, b"\0") + b"\x55\xaa"


def time_loop(accelerator: str) -> Timing:
    """Boot the sector under an accelerator."""
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        return Timing(None, "qemu-system-x86_64 is missing")
    with tempfile.TemporaryDirectory(prefix="tickloop-") as directory:
        image = Path(directory) / "sector.img"
        image.write_bytes(boot_sector())
        command = [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc",
                   "-accel", accelerator, "-m", "16M", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                   "-drive", f"if=ide,format=raw,snapshot=on,file={image}"]
        start = time.monotonic()
        try:
            result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                    timeout=PATIENCE_S, env={**os.environ, "LC_ALL": "C"})
        except subprocess.TimeoutExpired:
            return Timing(None, f"no end within {PATIENCE_S:.0f} s")
        seconds = time.monotonic() - start
    if result.returncode == ENDED:
        return Timing(seconds)
    words = [line for line in result.stderr.splitlines() if line.strip()]
    return Timing(None, words[-1] if words else f"QEMU ended with status {result.returncode}")
