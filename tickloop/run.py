# SPDX-License-Identifier: MIT
"""One run from input to verdict: stimulus, the loop, the run directory, the checks.

``sim`` closes the loop with the kernel; ``parse`` runs the RTL alone, with the bridge playing the host.
"""

from __future__ import annotations

import errno
import gc
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from bridge import build, loop, qemu
from bridge.commands import Command
from bridge.interface import BridgeError, LoopRequest, LoopResult, RunMode, Simulator
from bridge.layout import REGISTER_FIELDS
from bridge.own_parser import OwnParser
from bridge.stimulus import write_stimulus
from generators.captures import CaptureError
from tb.scoreboard import Comparison
from tickloop.beside import beside
from tickloop.checks import (
    Prediction,
    check_kernel,
    check_logs,
    check_receive,
    check_set_up,
    check_something,
    predict,
)
from tickloop.config import RunConfig, compile_module, sealed
from tickloop.exits import ExitStatus, TickloopError, UsageError
from tickloop.inputs import Input
from tickloop.kernel_files import module_with_files
from tickloop.own_orders import ledger_of
from tickloop.progress import Progress, note_if_slow
from tickloop.report.html import write_report
from tickloop.rundir.digest import digest, sha256_file
from tickloop.rundir.files import RECORD, STIMULUS, clear, clear_made, is_run_file
from tickloop.rundir.frames import LINES
from tickloop.rundir.observed import Observed, observe
from tickloop.rundir.write import write_logs, write_outcome
from tickloop.session_segments import pushed
from tickloop.settlement import check_ends, check_positions, link_broke
from tickloop.unfinished import keep
from tickloop.versions import check_tables, git_commit, package_versions
from tickloop.waves import NO_VIEWS, Views, check_tools, write_views


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    command: str  # sim or parse
    source: Input
    config: RunConfig
    out: Path
    simulator: Simulator
    seed: int = 1
    waves: Views = NO_VIEWS
    arguments: tuple[str, ...] = ()
    mode: RunMode = "lockstep"
    gdb: str | None = None
    commands: tuple[Command, ...] = ()
    console: str | None = None
    files: Path | None = None  # for the kernel's file system
    parser: OwnParser | None = None  # in the place of the NIC's

    @property
    def closed_loop(self) -> bool:
        return self.command == "sim"


@dataclass(frozen=True)
class Outcome:
    """A run that came to its end, and what the checks say of it; ``causes`` explain differences that follow."""

    job: Job
    run: dict[str, Any]
    observed: Observed
    comparisons: list[Comparison]
    causes: list[str]

    @property
    def passed(self) -> bool:
        return all(comparison.ok for comparison in self.comparisons)


@dataclass(frozen=True)
class _Prepared:
    """A job whose directory and stimulus are there."""

    job: Job
    request: LoopRequest
    frames: int


@contextmanager
def _without_collector() -> Iterator[None]:
    """Garbage collection would walk over all that a run holds, again and again, and find nothing: no cycle is made."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def execute(job: Job) -> Outcome:
    """Runs the job and leaves its directory.

    Raises:
        TickloopError: the job cannot be run.
        BridgeError: the loop failed; the directory holds what was recorded up to then.
    """
    prepared, build_s = _prepare_all([job])
    progress = Progress("frames")
    try:
        if job.gdb:
            _announce_gdb(job.gdb)
        if job.console:
            _announce_console(job.out)
        result = loop.run(replace(prepared[0].request, progress=progress))
        progress.close()
        return _finish(prepared[0], result, build_s)
    except (BridgeError, KeyboardInterrupt) as error:
        progress.close()
        _keep(prepared[0], error)
        raise
    finally:
        if job.gdb and not job.gdb.isdigit():
            Path(job.gdb).unlink(missing_ok=True)


def execute_many(jobs: Sequence[Job]) -> Iterator[Outcome | BridgeError]:
    """Runs several jobs without a kernel from reset each, in one simulator process. A run that fails yields its error
    in its place; the others stand.

    Raises:
        TickloopError: a job cannot be run; none was.
    """
    prepared, build_s = _prepare_all(jobs)
    shown = [Progress(f"{job.source.name}: frames") for job in jobs]
    requests = [replace(each.request, progress=progress) for each, progress in zip(prepared, shown, strict=True)]
    results = loop.run_many(requests)
    for each, progress in zip(prepared, shown, strict=True):
        try:
            result = next(results)
            progress.close()
            outcome = _finish(each, result, build_s) if isinstance(result, LoopResult) else result
        except KeyboardInterrupt as error:
            progress.close()
            _keep(each, error)
            raise
        if isinstance(outcome, BridgeError):
            _keep(each, outcome)
        yield outcome


def _prepare_all(jobs: Sequence[Job]) -> tuple[list[_Prepared], float]:
    """Checks, directories, stimuli and builds of all jobs, which share simulator and command; and the builds' time."""
    for job in jobs:
        for capture in job.source.captures:
            if is_run_file(capture.path, job.out):
                raise UsageError(f"{capture.path}: lies in the run directory, where the run would write over it")
    check_tables()
    counts = []
    for job in jobs:
        prepare(job.out)
        counts.append(0 if job.source.exchange else _stimulus(job, job.out / RECORD / STIMULUS))
        for warning in job.source.warnings:
            print(f"tickloop: warning: {warning}", file=sys.stderr)

    first = jobs[0]
    kernel = None
    check_tools(first.waves)
    if first.closed_loop:
        qemu.executable()  # told before a build that takes longer than its absence
    start = monotonic()
    with note_if_slow(f"building the {first.simulator} simulation; the next run finds it built"):
        build.build_simulator(first.simulator, first.waves.dump is not None, first.config.time.clock_ps,
                              first.parser)
        if first.closed_loop:
            kernel = build.build_kernel()
    build_s = monotonic() - start
    return [_Prepared(job, _request(job, kernel), count) for job, count in zip(jobs, counts, strict=True)], build_s


def _announce_gdb(where: str) -> None:
    target = f"localhost:{where}" if where.isdigit() else where
    command = shlex.join(["gdb", "-q", str(build.KERNEL_SYMBOLS), "-ex", f"target remote {target}"])
    print(f"tickloop: the kernel waits for gdb (docs/debugging.md); in another terminal:\n  {command}", file=sys.stderr)


def _announce_console(out: Path) -> None:
    command = shlex.join(["tickloop", "console", str(out)])
    print(f"tickloop: the run waits for its console (docs/console.md); in another terminal:\n  {command}",
          file=sys.stderr)


@_without_collector()
def _finish(prepared: _Prepared, result: LoopResult, build_s: float) -> Outcome:
    """Observes, checks, and writes the directory."""
    job = prepared.job
    result.wall["setup_s"] += build_s
    observed = observe(result, job.closed_loop, job.config.kernel)

    def write() -> list[str]:
        write_logs(job.out, result, observed, job.closed_loop)
        return observed.disagreements()

    with beside(write) as written, note_if_slow("checking the run"):
        prediction = predict(job.source.frames(), job.config, result, observed, job.closed_loop)
        comparisons = _compared(job, result, observed, prediction)
    disagreements = written.result()
    comparisons.append(check_logs([*observed.problems, *disagreements, *prediction.problems], len(observed.messages)))
    comparisons.append(_something(job, prepared.frames, comparisons, observed.counters))
    causes = capacity_exceeded(observed.counters, result.rx_log2)
    if prediction.doubtful:
        causes.append(prediction.doubtful)
    run = _run_document(job, result, prepared.request.kernel, observed, comparisons)
    write_outcome(job.out, result, observed, not disagreements, run, job.closed_loop)
    for warning in write_views(job.out, job.waves, result, observed, job.config.time):
        print(f"tickloop: warning: {warning}", file=sys.stderr)
    with note_if_slow("writing the report"):
        write_report(job.out)
    return Outcome(job, run, observed, comparisons, causes)


def _keep(prepared: _Prepared, error: BridgeError | KeyboardInterrupt) -> None:
    """The directory of a run that did not come to its end, or whose checks did not."""
    job, request = prepared.job, prepared.request

    def describe(result: LoopResult, observed: Observed) -> dict[str, Any]:
        return _run_document(job, result, request.kernel, observed, [])

    if isinstance(error, BridgeError):
        kept = keep(request, job.config.kernel, error.exit_status, str(error), describe)
    else:
        clear_made(job.out)  # it may have come while they were being written
        kept = keep(request, job.config.kernel, ExitStatus.INTERRUPTED, ExitStatus.INTERRUPTED.meaning, describe)
    if kept:
        try:
            write_report(job.out)
        except (TickloopError, OSError) as fault:  # the run's own error is what its user is to see
            print(f"tickloop: warning: no report: {fault}", file=sys.stderr)


def prepare(out: Path) -> None:
    """Makes the directory ready for a run.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        clear(out)
        (out / RECORD).mkdir(parents=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if no_space(error):
            raise
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from None


@_without_collector()
def _stimulus(job: Job, path: Path) -> int:
    progress = Progress("reading frames")
    try:
        return write_stimulus(path, ((frame.time_ns, frame.data, frame.bad_fcs, LINES.index(frame.line))
                                     for frame in progress.over(job.source.frames())))
    except CaptureError as error:
        raise UsageError(str(error)) from None
    finally:
        progress.close()


def _request(job: Job, kernel: Path | None) -> LoopRequest:
    """The loop's part of the job. Without a kernel every event line is asked for, so that all are checked."""
    config, nic = job.config.kernel, job.config.nic
    module = None
    if job.closed_loop:
        module = job.out / RECORD / "config.bin"
        compiled = sealed(compile_module(config, nic))
        module.write_bytes(module_with_files(compiled, job.files) if job.files else compiled)
    return LoopRequest(
        stimulus=job.out / RECORD / STIMULUS, out=job.out, simulator=job.simulator, kernel=kernel,
        config_module=module, group_address=config.group_address, group_port=config.group_port, seed=job.seed,
        mode=job.mode, gdb=job.gdb, live_console=job.console, commands=job.commands, exchange=job.source.exchange,
        waves=job.waves.dump is not None, parser=job.parser, delivery=nic.delivery, hold_ns=nic.hold_ns,
        packet_format=nic.packet_format,
        events=() if job.closed_loop else tuple(REGISTER_FIELDS["EVENT_ENABLE"]), **asdict(job.config.time),
    )


def _compared(job: Job, result: LoopResult, observed: Observed, prediction: Prediction) -> list[Comparison]:
    """The set-up, and all that the model predicts."""
    comparisons = [
        check_set_up(job.config.nic, job.config.kernel, result.registers, job.closed_loop),
        *check_receive(prediction, observed),
    ]
    if job.closed_loop:
        comparisons += check_kernel(prediction, observed.orders, pushed(result), observed.export)
    if result.exchange is not None:
        ledger = ledger_of(observed.answers, job.config.kernel.ouch_version)
        comparisons += check_positions(ledger, observed.export, result.exchange)
        comparisons.append(check_ends(ledger, observed.orders, observed.export, result.exchange,
                                      link_broke(result.notes)))
    return comparisons


def _something(job: Job, sent: int, comparisons: list[Comparison], counters: dict[str, Any]) -> Comparison:
    """Whether enough was compared of a run into which ``sent`` frames went; a capture may hold none."""
    required = ["frames"] if sent or job.source.exchange else []
    if job.closed_loop:
        # A capture may hold nothing that makes an order due; the embedded scenario is made to.
        required += ["messages", "orders"] if job.source.scenario else ["messages"]
    return check_something(comparisons, required, _why_nothing(job, counters))


def _why_nothing(job: Job, counters: dict[str, Any]) -> str:
    """The likely reason for having nothing to compare."""
    if counters["accepted"]:
        return f"{job.source.name} has none"
    dropped = ", ".join(f"{count} {reason}" for reason, count in counters["dropped"].items() if count)
    return f"no frame of {job.source.name} was for {job.config.group} (dropped: {dropped or 'none'})"


def _run_document(job: Job, result: LoopResult, kernel: Path | None, observed: Observed,
                  comparisons: list[Comparison]) -> dict[str, Any]:
    return {
        "command": job.command,
        "command_line": shlex.join(["tickloop", *job.arguments]),
        "input": job.source.name,
        "seed": job.seed,
        "mode": job.mode,
        "reproducible": job.mode == "lockstep" and job.console is None,
        "live_input": job.console is not None,
        "simulator": job.simulator,
        "parser": job.parser.document() if job.parser else None,
        "delivery": job.config.nic.delivery,
        "hold_ns": job.config.nic.hold_ns,
        "format": job.config.nic.packet_format,
        "lines": 2 if job.source.two_lines else 1,
        "group": str(job.config.group),
        "passed": all(comparison.ok for comparison in comparisons),
        "checks": [{"name": c.what, "compared": c.compared, "differences": c.differences} for c in comparisons],
        "versions": {**package_versions(), **result.versions},
        "git_commit": git_commit(),
        "clocks": result.clocks,
        "clocks_skipped": result.clocks_skipped,
        "time_model": asdict(job.config.time),
        "exchange": job.source.exchange.arguments if job.source.exchange else None,
        "commands": [command._asdict() for command in job.commands],
        "config": {**asdict(job.config.kernel), "nic": asdict(job.config.nic)},
        "wall": {key: round(value, 3) for key, value in result.wall.items()},
        "kernel_statistics": observed.export.statistics,
        "kernel_sha256": sha256_file(kernel) if kernel else None,
        "digest": digest(result),
    }


def capacity_exceeded(counters: dict[str, Any], rx_log2: int) -> list[str]:
    """What the NIC counted as not fitting: a run that fails because of it has nothing else wrong to look for."""
    ring = f"RX ring of {1 << rx_log2:,} slots (rings.rx_log2 is {rx_log2})"
    causes = (
        (counters["ring_full_dropped"], f"message(s) lost: the {ring} was full"),
        (counters["too_large_dropped"], f"message(s) lost: larger than the {ring}"),
        (counters["dropped"]["overflow"], "frame(s) dropped: the NIC's receive queue was full (docs/limits.md)"),
    )
    return [f"{count:,} {what}" for count, what in causes if count]


def exit_status(outcome: Outcome) -> ExitStatus:
    """0 if every check passed."""
    return ExitStatus.OK if outcome.passed else ExitStatus.CHECKS_FAILED


def no_space(error: OSError) -> TickloopError | None:
    """The error of a full disk, if ``error`` is one."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return TickloopError(ExitStatus.NO_SPACE, f"out of space{where}")
    return None
