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
from tickloop.recorded import load
from tickloop.rundir.files import RECORD, lines_of
from tickloop.rundir.lines import ring_records
from tickloop.rundir.observed import Observed
from tickloop.rundir.orders import is_order, segments_sent, token_of
from waves.dump import DumpError, read_definitions
from waves.kernel import Activity, kernel_activity, target_locate
from waves.save_file import BEFORE_MESSAGE_PS, BEFORE_PS, write_save_file, write_view_around
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
    write_save_file(final, definitions, orders, origin)


def _convert(source: Path, target: Path) -> None:
    done = subprocess.run([CONVERTER, str(source), str(target)], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not target.exists():
        said = (done.stderr or done.stdout).strip()[-200:]
        raise DumpError(f"{CONVERTER} ended with status {done.returncode}: {said}")


@dataclass(frozen=True)
class Around:
    """A moment of the run: its ``number``-th order, from 1, or the message with that sequence number."""

    kind: Literal["order", "message"]
    number: int

    @classmethod
    def parse(cls, text: str) -> Around:
        """
        Raises:
            ValueError: ``text`` is neither order:N nor message:N.
        """
        kind, _, number = text.partition(":")
        if kind not in ("order", "message") or not number.isascii() or not number.isdigit() or not int(number):
            raise ValueError(f"{text}: order:N, the N-th order, or message:N, the message with that sequence number")
        return cls("order" if kind == "order" else "message", int(number))

    def __str__(self) -> str:
        return f"--around {self.kind}:{self.number}"


def last_run(folder: Path) -> Path:
    """The run directory in ``folder`` in which a run came to its end last.

    Raises:
        UsageError: there is none.
    """
    ended = [path for depth in ("*", "*/*") for path in folder.glob(f"{depth}/run.json")]
    if not ended:
        raise UsageError(f"{folder}: no run here; make sim makes one, or give its DIR")
    return max(ended, key=lambda path: path.stat().st_mtime).parent


def dumps_of(directory: Path) -> list[Path]:
    """The dumps in a directory."""
    return sorted(path for pattern in ("*.vcd", "*.fst") for path in directory.glob(pattern))


def check_viewer(elsewhere: str) -> None:
    """``elsewhere``: the command that shows the waves where there is a display.

    Raises:
        TickloopError: the viewer is missing, or there is no display.
    """
    if shutil.which(VIEWER) is None:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{VIEWER} is missing; on Debian: apt-get install -y {VIEWER}")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise TickloopError(ExitStatus.TOOL_MISSING, f"no display for {VIEWER}; on a desktop: {elsewhere}")


def open_waves(directory: Path, run: Path, around: Around | None = None) -> None:
    """Opens the viewer in the directory of a dump, to which the save file's paths are relative, and waits for it.
    ``run``: the run directory, which of a replay's dump is another.

    Raises:
        UsageError: there is no dump, or not the order or message that is wanted.
        TickloopError: the viewer is missing, or there is no display.
    """
    dumps = dumps_of(directory)
    if not dumps:
        raise UsageError(f"{directory}: no waves here; run with --waves (make sim WAVES=1)")
    dump = dumps[0]
    arguments = [VIEWER, dump.name]
    if _has_save_file(dump):
        view = dump.with_suffix(".gtkw")
        arguments.append((view if around is None else _view_around(view, run, around)).name)
    check_viewer(f"cd {directory} && {' '.join(arguments)}")
    status = subprocess.run(arguments, cwd=directory, check=False).returncode
    if status:
        raise TickloopError(ExitStatus.TOOL_MISSING, f"{VIEWER} ended with status {status}")


def _view_around(view: Path, run: Path, around: Around) -> Path:
    time_ps = _time_of(run, around)
    try:
        return write_view_around(view, time_ps, BEFORE_PS if around.kind == "order" else BEFORE_MESSAGE_PS)
    except DumpError as error:
        raise UsageError(f"{view}: {error}") from None
    except OSError as error:
        raise UsageError(f"{view.parent}: cannot be written: {os.strerror(error.errno or 0)}") from None


def _time_of(directory: Path, around: Around) -> int:
    """When an order's first beat left, or a message's frame began, on the logs' time."""
    run = load(directory)
    if around.kind == "order":
        sent = [frame for frame in run.logs.sent if is_order(frame.data)]
        if around.number > len(sent):
            raise UsageError(f"{around}: the run sent {len(sent):,} orders")
        return sent[around.number - 1].first_clock * run.clock_ps
    for line in lines_of(directory / "messages.jsonl"):
        if line["sequence"] == around.number and line["frame"] is not None:
            return int(run.logs.frames["first_clock"][line["frame"]]) * run.clock_ps
    raise UsageError(f"{around}: no message with that sequence number reached the host")


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
