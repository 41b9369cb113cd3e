# SPDX-License-Identifier: MIT
"""The digest of a run: SHA-256 over all that the loop did, with its simulated times.

Same kernel image, inputs, options and seed: same digest, on both simulators and whatever the load. Wall times, tool
versions and paths are not part of it.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np

from bridge.interface import LoopResult
from bridge.record import Recording

_SENT = struct.Struct("<QQI")
_NOTE = struct.Struct("<QQQQ")


def digest(result: LoopResult | Recording) -> str:
    """Over all logs but the raw ring's and the export, which are parts of others: rings are part of DMA."""
    sha = hashlib.sha256()
    for name in ("frames", "valid", "dma", "reads", "register_accesses", "guest", "trace"):
        log = np.ascontiguousarray(getattr(result, name))
        sha.update(f"{name} {len(log)}\n".encode())
        sha.update(log.tobytes())
    sha.update(f"notes {len(result.notes)}\n".encode())
    for note in result.notes:
        sha.update(_NOTE.pack(note.records, note.kind, note.value, note.time_ps))
    sha.update(f"sent {len(result.sent)}\n".encode())
    for frame in result.sent:
        sha.update(_SENT.pack(frame.first_clock, frame.last_clock, len(frame.data)))
        sha.update(frame.data)
    return sha.hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
