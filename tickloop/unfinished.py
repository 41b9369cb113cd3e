# SPDX-License-Identifier: MIT
"""What a run leaves that did not come to its end: the files of the run directory as far as its record goes.

No check is made, and nothing is said that only the end of a run tells: no summary.json, no digest. A fault must end
soon, so of a long record the files hold its beginning; all of it stays in ``record/``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bridge import loop, record
from bridge.interface import LoopRequest, LoopResult
from tb.model.config import KernelConfig
from tickloop.rundir.files import RECORD, write_json
from tickloop.rundir.observed import Observed, observe
from tickloop.rundir.write import write_books, write_logs

MOST_LINES = 50_000  # DMA lines of which files are made, in a second or two
ONLY_AT_THE_END = ("clocks_skipped", "wall", "digest", "kernel_statistics")

Describe = Callable[[LoopResult, Observed], dict[str, Any]]


def keep(request: LoopRequest, config: KernelConfig, status: int, error: str, describe: Describe) -> bool:
    """Writes what there is, and into run.json why there is no more; returns whether all could be written. ``describe``
    makes run.json's usual contents."""
    closed_loop = request.kernel is not None
    try:
        for name in record.incomplete(request.out / RECORD):
            _warn(f"the record's {name}.bin ends inside an entry, which is left out")
        result = loop.recorded(request)
        shown = _beginning(result)
        if shown is not result:
            _warn(f"{request.out}: files of the first {MOST_LINES:,} of {len(result.dma):,} lines that the NIC wrote")
        observed = observe(shown, closed_loop, config)
        observed = replace(observed, messages=[
            # One without a frame was delivered before its frame had ended.
            line if line["frame"] >= 0 else line | {"frame": None, "verdict": None} for line in observed.messages
        ])
        run = describe(result, observed)
        for name in ONLY_AT_THE_END:
            run.pop(name)
        write_logs(request.out, shown, observed, closed_loop)
        if result.export:
            write_books(request.out, observed)
        write_json(request.out / "run.json", {**run, "passed": False, "exit_status": status, "error": error})
    except OSError as fault:
        _warn(f"{request.out}: not all files could be made of what {RECORD}/ holds: {fault.strerror}")
        return False
    return True


def _warn(text: str) -> None:
    print(f"tickloop: warning: {text}", file=sys.stderr)


def _beginning(result: LoopResult) -> LoopResult:
    """The run up to the clock of the last line that is shown."""
    if len(result.dma) <= MOST_LINES:
        return result
    clock = result.dma["clock"][MOST_LINES]
    ps = np.uint64(int(clock) * result.clock_ps)
    return replace(
        result,
        frames=result.frames[result.frames["first_clock"] < clock],
        dma=result.dma[:MOST_LINES],
        sent=[sent for sent in result.sent if sent.last_clock < clock],
        guest=result.guest[result.guest["time_ps"] < ps],
        trace=result.trace[result.trace["done_ps"] < ps],
    )
