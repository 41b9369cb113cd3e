# SPDX-License-Identifier: MIT
"""One run from input to verdict: stimulus, the loop, the run directory, the checks.

``sim`` closes the loop with the kernel; ``parse`` runs the RTL alone, with the bridge playing the host.
"""

from __future__ import annotations

import errno
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from bridge import build, loop, qemu
from bridge.interface import LoopRequest, LoopResult, Simulator
from bridge.stimulus import write_stimulus
from generators.captures import CaptureError
from tb.scoreboard import Comparison
from tickloop.checks import Prediction, check_kernel, check_logs, check_receive, check_something, predict
from tickloop.config import RunConfig, compile_module
from tickloop.exits import ExitStatus, TickloopError, UsageError
from tickloop.inputs import Input
from tickloop.progress import Progress, note_if_slow
from tickloop.report.html import write_report
from tickloop.rundir.digest import digest, sha256_file
from tickloop.rundir.files import RECORD, clear, is_run_file
from tickloop.rundir.observed import Observed, observe
from tickloop.rundir.write import write_run
from tickloop.versions import git_commit, package_versions
from waves.save_file import write_save_file


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    command: str  # sim or parse
    source: Input
    config: RunConfig
    out: Path
    simulator: Simulator
    seed: int = 1
    waves: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def closed_loop(self) -> bool:
        return self.command == "sim"


@dataclass(frozen=True)
class Outcome:
    """A run that came to its end, and what the checks say of it."""

    job: Job
    run: dict[str, Any]
    observed: Observed
    comparisons: list[Comparison]

    @property
    def passed(self) -> bool:
        return all(comparison.ok for comparison in self.comparisons)


def execute(job: Job) -> Outcome:
    """Runs the job and leaves its directory.

    Raises:
        TickloopError: the job cannot be run.
        BridgeError: the loop failed; the directory holds what there is.
    """
    if job.source.capture and is_run_file(job.source.capture.path, job.out):
        raise UsageError(f"{job.source.name}: lies in the run directory, where the run would write over it")
    prepare(job.out)
    record = job.out / RECORD
    stimulus = record / "stimulus.bin"
    frames = _stimulus(job, stimulus)
    for warning in job.source.warnings:
        print(f"tickloop: warning: {warning}", file=sys.stderr)

    kernel = module = None
    if job.closed_loop:
        qemu.executable()  # told before a build that takes longer than its absence
    start = monotonic()
    with note_if_slow(f"building the {job.simulator} simulation; the next run finds it built"):
        build.build_simulator(job.simulator, job.waves)
        if job.closed_loop:
            kernel = build.build_kernel()
    build_s = monotonic() - start
    if job.closed_loop:
        module = record / "config.bin"
        module.write_bytes(compile_module(job.config.kernel))
    progress = Progress("frames")
    try:
        result = loop.run(_request(job, stimulus, kernel, module, progress))
    finally:
        progress.close()

    result.wall["setup_s"] += build_s

    observed = observe(result, job.closed_loop)
    prediction = predict(job.source.frames(), job.config.kernel)
    comparisons = _checks(job, frames, result, observed, prediction)
    run = _run_document(job, result, kernel, observed, comparisons)
    write_run(job.out, result, observed, run, job.closed_loop)
    if result.waves:
        write_save_file(result.waves)
    write_report(job.out)
    return Outcome(job, run, observed, comparisons)


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


def _stimulus(job: Job, path: Path) -> int:
    try:
        return write_stimulus(path, ((time_ns, data, False) for time_ns, data in job.source.frames()))
    except CaptureError as error:
        raise UsageError(str(error)) from None


def _request(job: Job, stimulus: Path, kernel: Path | None, module: Path | None, progress: Progress) -> LoopRequest:
    config = job.config.kernel
    return LoopRequest(
        stimulus=stimulus, out=job.out, simulator=job.simulator, kernel=kernel, config_module=module,
        group_address=config.group_address, group_port=config.group_port, seed=job.seed, waves=job.waves,
        progress=progress, **asdict(job.config.time),
    )


def _checks(job: Job, sent: int, result: LoopResult, observed: Observed, prediction: Prediction) -> list[Comparison]:
    """All comparisons of a run into which ``sent`` frames went; a capture may hold none."""
    comparisons = check_receive(prediction, observed.frames, observed.messages, observed.events, observed.counters)
    required = ["frames"] if sent else []
    if job.closed_loop:
        comparisons += check_kernel(prediction, observed.orders, result.sent, observed.export)
        # A capture may hold nothing that makes an order due; the embedded scenario is made to.
        required += ["messages"] if job.source.is_capture else ["messages", "orders"]
    comparisons.append(check_logs(observed.problems, len(observed.messages)))
    comparisons.append(check_something(comparisons, required, _why_nothing(job, observed.counters)))
    return comparisons


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
        "mode": "lockstep",
        "reproducible": True,
        "simulator": job.simulator,
        "delivery": "cut-through",
        "group": str(job.config.group),
        "passed": all(comparison.ok for comparison in comparisons),
        "checks": [{"name": c.what, "compared": c.compared, "differences": c.differences} for c in comparisons],
        "versions": {**package_versions(), **result.versions},
        "git_commit": git_commit(),
        "clocks": result.clocks,
        "clocks_skipped": result.clocks_skipped,
        "time_model": asdict(job.config.time),
        "config": asdict(job.config.kernel),
        "wall": {key: round(value, 3) for key, value in result.wall.items()},
        "kernel_statistics": observed.export.statistics,
        "kernel_sha256": sha256_file(kernel) if kernel else None,
        "digest": digest(result),
    }


def exit_status(outcome: Outcome) -> ExitStatus:
    """0 if every check passed."""
    return ExitStatus.OK if outcome.passed else ExitStatus.CHECKS_FAILED


def no_space(error: OSError) -> TickloopError | None:
    """The error of a full disk, if ``error`` is one."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return TickloopError(ExitStatus.NO_SPACE, f"out of space{where}")
    return None
