# SPDX-License-Identifier: MIT
"""What a run directory holds for its report: the JSON documents that are there, and the record where it can be read.

A run that did not come to its end has neither summary.json nor, perhaps, books; one of another version may have a
record that this version cannot read. The report then has less in it, and says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bridge import loop
from bridge.interface import LoopRequest, LoopResult
from bridge.record import LAYOUT
from tickloop.exits import TickloopError, UsageError
from tickloop.recorded import load
from tickloop.rundir.files import lines_of

# Of what the loop was told, what times come from.
GIVEN = ("clock_ps", "ps_per_instruction", "posted_write_ns", "read_ns", "doorbell_ns")
MOST_RECORDS = 100_000  # of a longer record nothing is drawn: a report is to be there in seconds


@dataclass(frozen=True)
class RunFiles:
    """``result`` None: the record cannot be used, for the reason in ``without_record``."""

    directory: Path
    run: dict[str, Any]
    summary: dict[str, Any] | None
    stages: dict[str, dict[str, Any]]
    result: LoopResult | None
    without_record: str

    @property
    def finished(self) -> bool:
        return self.summary is not None

    @property
    def closed_loop(self) -> bool:
        return bool(self.run["command"] == "sim")

    def lines(self, name: str, most: int | None = None) -> Iterator[dict[str, Any]]:
        """The lines of a JSON Lines file, up to ``most``; none where there is no file."""
        return islice(lines_of(self.directory / name), most)

    def document(self, name: str) -> Any:
        """A JSON document; None where there is none."""
        path = self.directory / name
        return json.loads(path.read_text(encoding="ascii")) if path.exists() else None


def read_run(directory: Path) -> RunFiles:
    """
    Raises:
        UsageError: the directory holds no run, or one that this version cannot read.
    """
    try:
        run = json.loads((directory / "run.json").read_text(encoding="ascii"))
        latency = json.loads((directory / "latency.json").read_text(encoding="ascii"))
        ended_early = "error" in run
        summary = None if ended_early else json.loads((directory / "summary.json").read_text(encoding="ascii"))
        stages = latency["stages"]
    except FileNotFoundError as error:
        raise UsageError(f"{directory}: no finished run here ({Path(error.filename).name} is missing)") from None
    except OSError as error:
        raise UsageError(f"{directory}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{directory}: not a run directory ({error})") from None
    if not isinstance(run, dict):
        raise UsageError(f"{directory}: not a run directory (run.json holds no object)")
    result, why = _result(directory)
    return RunFiles(directory, run, summary, stages, result, why)


def other_version(run: Any) -> str:
    """Of a run of another version, which it was and what to do; empty for one of this version."""
    versions = run.get("versions") if isinstance(run, dict) else None
    if not isinstance(versions, dict) or (layout := versions.get("layout", LAYOUT)) == LAYOUT:
        return ""
    return (f"left by tickloop {versions.get('tickloop', 'of an unknown version')} with layout {layout}, this is "
            f"{LAYOUT}; make the run again, or go back to its version")


def _result(directory: Path) -> tuple[LoopResult | None, str]:
    try:
        recorded = load(directory)
        given = recorded.given["request"]
        if len(recorded.logs.trace) > MOST_RECORDS or len(recorded.logs.dma) > 2 * MOST_RECORDS:
            return None, f"the record is longer than {MOST_RECORDS:,} messages; the waves show any part of it"
        request = LoopRequest(stimulus=recorded.record / "stimulus.bin", out=directory, mode=given["mode"],
                              **{name: given[name] for name in GIVEN})
        return loop.recorded(request), ""
    except TickloopError as error:
        return None, str(error)
    except (OSError, KeyError, TypeError, ValueError):
        return None, f"{directory}: the record is damaged"
