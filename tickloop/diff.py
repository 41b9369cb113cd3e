# SPDX-License-Identifier: MIT
"""``tickloop diff``: whether two runs are the same, and if not, the first event that differs and its simulated time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tickloop.divergence import ALL_LOGS, NIC_LOGS, Difference, compare_logs, first_difference, likely_causes
from tickloop.exits import ExitStatus
from tickloop.output import print_json, print_text
from tickloop.recorded import RecordedRun, load


def time_text(time_ps: int, run: RecordedRun) -> str:
    """A simulated time as the waves show it."""
    return f"{time_ps / 1000:,.3f} ns (clock {time_ps // run.clock_ps:,})"


def difference_lines(difference: Difference, names: tuple[str, str], run: RecordedRun) -> list[str]:
    """A first difference, told in lines."""
    when = time_text(difference.time_ps, run)
    if difference.ended is not None:
        head = f"{names[difference.ended]} ends before {when}; up to there the runs are equal"
    else:
        head = f"first difference at {when}: {difference.title}, number {difference.index}"
    width = max(map(len, names))
    sides = [f"  {name:<{width}}  {side or 'nothing more of this kind'}"
             for name, side in zip(names, difference.sides, strict=True)]
    return [head, *sides, *(f"  {field}" for field in difference.fields)]


def diff(first: Path, second: Path, as_json: bool = False) -> ExitStatus:
    """Prints what differs.

    Raises:
        TickloopError: a directory has no record of a run, or one of another layout.
    """
    a, b = load(first), load(second)
    logs = NIC_LOGS if a.is_rtl_replay or b.is_rtl_replay else ALL_LOGS  # such a replay has no kernel to compare
    difference = first_difference(a, b, logs)
    lengths = {log.title: log.entries[0] for log in compare_logs(a, b, logs)} if difference is None or as_json else {}
    causes = [] if difference is None else list(likely_causes(a, b))
    if as_json:
        print_json({"command": "diff", "runs": [str(first), str(second)], "equal": difference is None,
                    "compared": lengths, "likely_causes": causes,
                    "first_difference": _document(difference, a) if difference else None})
    elif difference is None:
        print_text(f"equal: {', '.join(f'{count:,} {title}' for title, count in lengths.items())}")
    else:
        print_text("\n".join([*(f"not the same input: {cause}" for cause in causes),
                              *difference_lines(difference, (str(first), str(second)), a)]))
    return ExitStatus.OK if difference is None else ExitStatus.CHECKS_FAILED


def _document(difference: Difference, run: RecordedRun) -> dict[str, Any]:
    return {"log": difference.title, "index": difference.index, "time_ps": difference.time_ps,
            "clock": difference.time_ps // run.clock_ps,
            "ended": difference.ended, "sides": list(difference.sides), "fields": list(difference.fields)}
