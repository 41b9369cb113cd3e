# SPDX-License-Identifier: MIT
"""``tickloop replay``: half of the loop again, against the record of a run, and whether it does the same bit for bit.

``--kernel``: the recorded NIC plays to the kernel in QEMU, without a simulator. ``--rtl``: the recorded host, its
register writes and its answers to DMA reads, plays to the RTL, without QEMU. Times, order and contents must be those of
the record; the record itself must be what its run left, so that a difference is one of the half that is played.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import numpy as np

from bridge import build, loop, qemu
from bridge.commands import COMMANDS, read_commands
from bridge.interface import BridgeError, LoopRequest, LoopResult, Simulator
from bridge.layout import LINE_BYTES, TX_SLOT, TxKind
from bridge.own_parser import OwnParser
from tickloop.config import TimeModel
from tickloop.diff import difference_lines
from tickloop.divergence import KERNEL_LOGS, NIC_LOGS, compare_logs, first_difference
from tickloop.exits import ExitStatus, UsageError
from tickloop.output import print_json, print_rows
from tickloop.progress import Progress, note_if_slow
from tickloop.recorded import INPUTS, RecordedRun, load
from tickloop.run import prepare
from tickloop.rundir.books import parse_export
from tickloop.rundir.digest import digest, sha256_file
from tickloop.rundir.files import RECORD, write_json
from tickloop.rundir.observed import observe
from tickloop.rundir.tick_to_trade import OF_THE_SESSION
from tickloop.waves import NO_VIEWS, Views, check_tools, write_views

Half = Literal["kernel", "rtl"]
VERDICT = "replay.json"
GIVEN = ("seed", "clock_ps", "ps_per_instruction", "posted_write_ns", "read_ns", "doorbell_ns", "hold_ns")
REFUSED = "cannot be replayed"
# Ends of which the record says how far the replay did the same: the other faults are of the machine that it runs on.
TOLD_ENDS = (ExitStatus.CHECKS_FAILED, ExitStatus.QEMU_DIED, ExitStatus.PEER_SILENT, ExitStatus.KERNEL_PANIC,
             ExitStatus.INTERRUPTED)
_INTERRUPTED = BridgeError(ExitStatus.INTERRUPTED, ExitStatus.INTERRUPTED.meaning)


@dataclass(frozen=True)
class Replay:
    """What the user asked for. ``kernel_image``: another kernel than the one built here."""

    directory: Path
    half: Half
    out: Path
    simulator: Simulator = "verilator"
    kernel_image: Path | None = None
    waves: Views = NO_VIEWS
    as_json: bool = False


def execute_replay(job: Replay) -> int:
    """Replays, prints the verdict and leaves it in ``replay.json``.

    Raises:
        TickloopError: there is nothing to replay.
        BridgeError: the replay failed before there was anything to compare.
    """
    if job.out.resolve() == job.directory.resolve():
        raise UsageError("--out: the replay would write over the run that it replays")
    recorded = load(job.directory)
    _check(recorded, job.half)
    check_tools(job.waves)
    prepare(job.out)
    request, kernel_note = _request(job, recorded)
    progress = Progress("frames")
    stopped: BridgeError | None = None
    result: LoopResult | None = None
    try:
        result = loop.run(replace(request, progress=progress))
    except (BridgeError, KeyboardInterrupt) as error:
        stopped = error if isinstance(error, BridgeError) else _INTERRUPTED
        if stopped.exit_status not in TOLD_ENDS or not (job.out / RECORD / "guest.bin").exists():
            raise
    finally:
        progress.close()
    return _verdict(job, recorded, result, stopped, kernel_note)


def _check(recorded: RecordedRun, half: Half) -> None:
    """Raises UsageError unless the record is one of a whole run, as the run left it."""
    directory, run = recorded.directory, recorded.run
    if recorded.given["replay"]:
        raise UsageError(f"{directory} {REFUSED}: it is a replay itself; replay the run that it was made from")
    if half == "kernel" and not recorded.has_kernel:
        raise UsageError(f"{directory} {REFUSED}: it was made without a kernel; --rtl does it")
    if run.get("mode", "lockstep") != "lockstep":
        raise UsageError(f"{directory} {REFUSED}: in mode {run['mode']} times are those of the machine that it ran on")
    if half == "kernel" and run.get("live_input"):
        raise UsageError(f"{directory} {REFUSED}: what was typed at its console is not in the record; --rtl does it")
    if not run.get("digest"):
        raise UsageError(f"{directory} {REFUSED}: the run did not come to its end")
    if digest(recorded.logs) != run["digest"]:
        raise UsageError(f"{directory} {REFUSED}: its record is damaged, it does not have the digest of run.json")
    for name in INPUTS[:1] if half == "rtl" else INPUTS:
        if not (recorded.record / name).exists():
            raise UsageError(f"{directory} {REFUSED}: record/{name} is missing")


def _request(job: Replay, recorded: RecordedRun) -> tuple[LoopRequest, str]:
    """The loop's part, and what there is to say of the kernel."""
    record, given = recorded.record, recorded.given["request"]
    request = LoopRequest(
        stimulus=record / INPUTS[0], out=job.out, replay=record, simulator=job.simulator,
        waves=job.waves.dump is not None,
        **{name: given[name] for name in GIVEN},
    )
    if job.half == "rtl":
        own = recorded.run.get("parser")
        request = replace(request, parser=OwnParser.of_document(own) if own else None)
        with note_if_slow(f"building the {job.simulator} simulation; the next run finds it built"):
            build.build_simulator(job.simulator, request.waves, request.clock_ps, request.parser)
        return request, ""
    qemu.executable()
    kernel = job.kernel_image or build.build_kernel()
    if not kernel.is_file():
        raise UsageError(f"{kernel}: no such kernel image")
    was, now = recorded.run["kernel_sha256"], sha256_file(kernel)
    note = "" if was == now else f"the kernel is not the recorded one ({now[:12]}, recorded {was[:12]})"
    try:
        commands = read_commands(record)
    except ValueError:
        raise UsageError(f"{job.directory} {REFUSED}: record/{COMMANDS} is damaged") from None
    return replace(request, kernel=kernel, config_module=record / INPUTS[1], commands=commands), note


def _orders(run: RecordedRun) -> list[bytes]:
    """The OUCH messages that the kernel handed to the NIC, in order."""
    slots = run.logs.reads["data"].reshape(-1, LINE_BYTES).copy().view(TX_SLOT)[:, 0]
    orders = slots[(slots["kind"] == TxKind.ORDER) & (slots["length"] <= slots["message"].shape[1])
                   & ~np.isin(slots["packet_type"], OF_THE_SESSION)]
    return [order["message"][:order["length"]].tobytes() for order in orders]


def _decisions(recorded: RecordedRun, replayed: RecordedRun) -> str:
    """Whether the same orders followed from the same records, whatever the times."""
    both = [run.logs.trace[["sequence", "type", "stock_locate", "orders"]].tolist() for run in (recorded, replayed)]
    for was, now in zip_longest(*both):
        if was != now:
            number = (was or now)[0]
            return f"others from message {number} on: {_orders_of(was)} recorded, {_orders_of(now)} replayed"
    return f"the same for all {len(both[0]):,} records"


def _orders_of(entry: tuple[int, int, int, int] | None) -> str:
    return "not taken" if entry is None else f"message {entry[0]} with {entry[3]} order(s)"


def _facts(job: Replay, recorded: RecordedRun, replayed: RecordedRun,
           result: LoopResult) -> Iterator[tuple[str, str]]:
    """What matters of the half that was played, recorded and replayed."""
    both = (recorded, replayed)
    if job.half == "kernel":
        orders = [_orders(run) for run in both]
        alike = "the same contents" if orders[0] == orders[1] else "other contents"
        yield "orders", f"{len(orders[0]):,} recorded, {len(orders[1]):,} replayed, {alike}"
        yield "decisions", _decisions(*both)
        books = [parse_export(run.logs.export).books for run in both]
        yield "books at the end", f"{len(books[0]):,}, {'the same' if books[0] == books[1] else 'others in the replay'}"
        work = [run.logs.trace["done_work"].mean() if len(run.logs.trace) else 0.0 for run in both]
        yield "a message in the kernel", f"mean {work[0]:.2f} recorded, {work[1]:.2f} replayed, executed instructions"
    else:
        counts = [f"{len(run.logs.frames):,} frames, {len(run.logs.dma):,} DMA writes, {len(run.logs.sent):,} sent"
                  for run in both]
        yield "recorded", counts[0]
        yield "replayed", counts[1]
    was, now = recorded.run["wall"]["loop_s"], result.wall["loop_s"]
    yield "time in the loop", f"{was:.2f} s recorded, {now:.2f} s replayed"


def _export_differences(recorded: RecordedRun, replayed: RecordedRun) -> list[str]:
    """What differs in that which the kernel hands out at the end."""
    if recorded.logs.export == replayed.logs.export or not replayed.logs.export:
        return []
    was, now = (parse_export(run.logs.export) for run in (recorded, replayed))
    unlike = [f"{name} {value} / {now.statistics.get(name, 'none')}" for name, value in was.statistics.items()
              if now.statistics.get(name) != value]
    return [f"the kernel's statistics at the end: {', '.join(unlike)}"] if unlike else \
        ["the kernel's books at the end differ"]


def _write_waves(job: Replay, recorded: RecordedRun, result: LoopResult, same: bool) -> None:
    """Of a replay that does the same, with what the kernel did in the recorded run."""
    if same and recorded.has_kernel:
        result = replace(result, guest=recorded.logs.guest, trace=recorded.logs.trace, export=recorded.logs.export)
    given = recorded.given["request"]
    time = TimeModel(**{field.name: given[field.name] for field in fields(TimeModel)})
    write_views(job.out, job.waves, result, observe(result, recorded.has_kernel), time)


def _verdict(job: Replay, recorded: RecordedRun, result: LoopResult | None, stopped: BridgeError | None,
             kernel_note: str) -> int:
    logs = KERNEL_LOGS if job.half == "kernel" else NIC_LOGS
    replayed = load(job.out)
    difference = first_difference(recorded, replayed, logs)
    if difference and stopped is _INTERRUPTED and difference.sides[1] is None:  # its logs end where they were
        difference = replace(difference, ended=1)
    comparisons = compare_logs(recorded, replayed, logs)
    same_export = job.half == "rtl" or recorded.logs.export == replayed.logs.export
    same = difference is None and same_export and stopped is None
    rows = [("replay", f"{job.half} of {job.directory}")]
    if result:
        rows += _facts(job, recorded, replayed, result)
    rows.append(("result", "the same, bit for bit" if same else "ended early" if stopped else "DIFFERS"))
    if not job.as_json:
        print_rows(rows)
    words = [*filter(None, (kernel_note, str(stopped or "")))]
    if difference:
        words += difference_lines(difference, ("recorded", "replayed"), recorded)
    words += _export_differences(recorded, replayed) if job.half == "kernel" else []
    print("".join(f"tickloop: {word}\n" for word in words), end="", file=sys.stderr)
    document = {
        "replay_of": str(job.directory), "half": job.half, "same": same, "told": words,
        "recorded_digest": recorded.run["digest"],
        "logs": {log.title: {"recorded": log.entries[0], "replayed": log.entries[1], "differing": log.differing}
                 for log in comparisons},
    }
    if result:
        document |= {"clocks": result.clocks, "clocks_skipped": result.clocks_skipped, "wall": result.wall,
                     "versions": result.versions}
    write_json(job.out / VERDICT, document)
    if job.as_json:
        print_json({"command": "replay", **document, "out": str(job.out)})
    if result and result.waves:
        _write_waves(job, recorded, result, same)
    if stopped and stopped.exit_status != ExitStatus.CHECKS_FAILED:
        return stopped.exit_status
    return ExitStatus.OK if same else ExitStatus.CHECKS_FAILED
