# SPDX-License-Identifier: MIT
"""The timeline of a run for viewers: kernel and RTL in one dump with its save file, trace.json; and ``tickloop waves``.

The dump and trace.json are made of the logs after the run: the run itself, and its digest, do not know of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bridge.interface import LoopResult
from tickloop.config import TimeModel
from tickloop.exits import ExitStatus, TickloopError, UsageError
from tickloop.progress import Progress
from tickloop.rundir.files import RECORD
from tickloop.rundir.lines import ring_records
from tickloop.rundir.observed import Observed
from tickloop.rundir.orders import segments_sent, token_of
from waves.dump import DumpError, read_definitions
from waves.kernel import Activity, kernel_activity, target_locate
from waves.save_file import write_save_file
from waves.timeline import changes, merge
from waves.trace_events import write_trace

VIEWER = "gtkwave"
CONVERTER = "vcd2fst"
TRACE = "trace.json"

DumpFormat = Literal["vcd", "fst"]


@dataclass(frozen=True)
class Views:
    """What of a run's timeline is wanted: the dump, trace.json, and the symbol whose best prices are shown."""

    dump: DumpFormat | None = None
    trace: bool = False
    symbol: str | None = None


NO_VIEWS = Views()


def check_tools(views: Views) -> None:
    """
    Raises:
        TickloopError: a tool that ``views`` needs is missing.
    """
    if views.dump == "fst" and shutil.which(CONVERTER) is None:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{CONVERTER} is missing; on Debian: apt-get install -y {VIEWER}")


def write_views(out: Path, views: Views, result: LoopResult, observed: Observed, time: TimeModel) -> list[str]:
    """Leaves in ``out`` what is wanted of the run; returns what its user should know.

    Raises:
        TickloopError: the simulator's dump cannot be used.
    """
    if views.dump is None and not views.trace:
        return []
    if result.mode == "free":  # what the kernel did has no place on simulated time
        result = replace(result, guest=result.guest[:0], trace=result.trace[:0])
    tokens = [token_of(order["fields"]) for order in observed.orders]
    symbols = {book["stock_locate"]: book["stock"] for book in observed.export.books}
    posted_write_clocks = -(-time.posted_write_ns * 1000 // result.clock_ps)
    ring = ring_records(result)
    activity = kernel_activity(result, ring, tokens, symbols, posted_write_clocks)
    target = target_locate(activity.messages, views.symbol)
    if views.dump is not None and result.waves is not None:
        try:
            _write_dump(out, views.dump, result, result.waves, activity, target)
        except DumpError as error:
            raise TickloopError(ExitStatus.SIMULATOR_DIED, f"{result.waves}: {error}") from None
    if views.trace:
        frame_of = [message["frame"] for message in observed.messages]
        write_trace(out / TRACE, result, ring.select(~ring.is_event), frame_of, activity)
    if views.symbol is not None and target is None:
        return [f"--waves-symbol {views.symbol}: no message of it; best_bid and best_ask stay empty"]
    return []


def _write_dump(out: Path, dump_format: DumpFormat, result: LoopResult, dump: Path, activity: Activity,
                target: int | None) -> None:
    merged = out / RECORD / dump.name
    progress = Progress("waves, MiB")
    has_kernel = len(result.guest) > 0
    definitions, origin = merge(dump, merged, changes(activity, target) if has_kernel else None, progress)
    progress.close()
    final = dump.with_suffix(f".{dump_format}")
    if dump_format == "fst":
        _convert(merged, final)
        merged.unlink()
        dump.unlink()
    else:
        merged.replace(final)
    orders = [origin + sent.first_clock * result.clock_ps for sent in segments_sent(result)]
    write_save_file(final, definitions, orders)


def _convert(source: Path, target: Path) -> None:
    done = subprocess.run([CONVERTER, str(source), str(target)], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not target.exists():
        said = (done.stderr or done.stdout).strip()[-200:]
        raise DumpError(f"{CONVERTER} ended with status {done.returncode}: {said}")


def open_waves(directory: Path) -> None:
    """Opens the viewer in the run directory, to which the save file's paths are relative, and waits for it.

    Raises:
        UsageError: the run has no dump.
        TickloopError: the viewer is missing, or there is no display.
    """
    dumps = sorted(path for pattern in ("*.vcd", "*.fst") for path in directory.glob(pattern))
    if not dumps:
        raise UsageError(f"{directory}: no waves here; run with --waves (make sim WAVES=1)")
    dump = dumps[0]
    arguments = [VIEWER, dump.name]
    if _has_save_file(dump):
        arguments.append(dump.with_suffix(".gtkw").name)
    if shutil.which(VIEWER) is None:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{VIEWER} is missing; on Debian: apt-get install -y {VIEWER}")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise TickloopError(ExitStatus.TOOL_MISSING,
                            f"no display for {VIEWER}; on a desktop: cd {directory} && {' '.join(arguments)}")
    status = subprocess.run(arguments, cwd=directory, check=False).returncode
    if status:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{VIEWER} ended with status {status}")


def _has_save_file(dump: Path) -> bool:
    """A run that failed leaves the dump alone: its save file is made now, if it is a VCD."""
    if dump.with_suffix(".gtkw").exists():
        return True
    if dump.suffix != ".vcd":
        return False
    try:
        with dump.open("rb") as file:
            write_save_file(dump, read_definitions(file)[0])
    except DumpError as error:
        raise UsageError(f"{dump}: {error}") from None
    return True
