# SPDX-License-Identifier: MIT
"""The commands of ``tickloop`` and their options; every error is one line and an exit status, never a traceback."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import tickloop
from bridge import own_parser
from bridge.build import default_simulator
from bridge.interface import BridgeError
from bridge.own_parser import OwnParser
from generators.exchange.config import ExchangeConfig
from generators.faults import Faults
from generators.framing import DEFAULT_GROUP, Group
from generators.profiles import MAX_SYMBOLS, PROFILES
from tickloop import generating
from tickloop.backtest import backtest, backtest_document, print_backtest
from tickloop.config import NicConfig, RunConfig, load_config
from tickloop.console import CONSOLE_SOCKET, join_console
from tickloop.diff import diff
from tickloop.doctor import doctor
from tickloop.exits import ExitStatus, TickloopError, UsageError
from tickloop.inputs import EXCHANGE, FAULTS, Damage, Input, from_capture, from_exchange, from_scenario
from tickloop.inspection import inspect
from tickloop.inspection_table import inspection_text
from tickloop.output import print_json, print_rows, print_text
from tickloop.progress import note_if_slow, until_interrupted
from tickloop.replay import Replay, execute_replay
from tickloop.report.figures import software_rows
from tickloop.report.html import write_report
from tickloop.report.table import print_failures, print_table, run_document
from tickloop.run import Job, Outcome, execute, execute_many, exit_status, no_space
from tickloop.script import read_script
from tickloop.software import parse_in_software
from tickloop.waves import Around, DumpFormat, Views, check_viewer, dumps_of, last_run, open_waves

EXIT_STATUSES = "exit status:\n" + "\n".join(f"  {status.value:>3}  {status.meaning}" for status in ExitStatus)

SEED_HELP = "of all that is random (default: 1)"
CAPTURE_HELP = "a pcap or pcapng file, or a Nasdaq ITCH 5.0 file (.itch, *NASDAQ_ITCH50*); .gz too"
RUNS = Path("out")  # where make leaves runs
WAVES_OF_REPLAY = "waves"  # in a run's directory
LONGEST_SOCKET_PATH = 107  # bytes, unix(7)
LONGEST_HOLD_NS = (1 << 32) - 1  # the HOLD register


class _Parser(argparse.ArgumentParser):
    """Errors on one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message} ({self.prog} --help)")


def _choice(option: str, *choices: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            raise UsageError(f"{option} {value}: choose {' or '.join(choices)}")
        return value

    return check


def _integer(option: str, least: int, most: int) -> Callable[[str], int]:
    def check(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise UsageError(f"{option} {value}: must be an integer from {least} to {most}")
        return number

    return check


def _path(option: str) -> Callable[[str], Path]:
    def check(value: str) -> Path:
        if not value:
            raise UsageError(f"{option}: an empty name")
        return Path(value)

    return check


def _group(value: str) -> Group:
    try:
        return Group.parse(value)
    except ValueError as error:
        raise UsageError(f"--group {error}") from None


def _around(value: str) -> Around:
    try:
        return Around.parse(value)
    except ValueError as error:
        raise UsageError(f"--around {error}") from None


def _rates_of(option: str) -> Callable[[str], Faults]:
    def check(value: str) -> Faults:
        try:
            return Faults.parse(value)
        except ValueError as error:
            raise UsageError(f"{option}: {error}") from None

    return check


def command_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tickloop", description="Co-simulation of a market-data SmartNIC: frames through RTL, "
        "into a kernel in QEMU, and out as OUCH orders.",
        epilog=EXIT_STATUSES, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tickloop {tickloop.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, help_text: str, description: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_text, description=description or help_text, epilog=EXIT_STATUSES,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)

    sim = command("sim", "the closed loop: frames, RTL, kernel, orders")
    sim.add_argument("captures", nargs="*", metavar="CAPTURE", type=_path("CAPTURE"),
                     help=f"{CAPTURE_HELP}; without one, the scenario is run")
    sim.add_argument("--scenario", metavar="NAME",
                     help=f"generated traffic: {', '.join(PROFILES)} (default: opening); {FAULTS}, opening on both "
                     f"lines with faults on each; or {EXCHANGE}, an exchange that answers the orders")
    sim.add_argument("--messages", metavar="N", type=_integer("--messages", 1, 10**9), help="length of the scenario")
    sim.add_argument("--config", metavar="FILE", type=Path, help="TOML: subscription, strategy, session, time model")
    sim.add_argument("--mode", metavar="M", default="lockstep", type=_choice("--mode", "lockstep", "free"),
                     help="lockstep (default): one reproducible timeline; free: as fast as it goes")
    sim.add_argument("--gdb", metavar="PORT", nargs="?", const=0, type=_integer("--gdb", 1024, 65_535),
                     help="the kernel waits for gdb, at this localhost port or else at the socket DIR/gdb.sock")
    sim.add_argument("--console", action="store_true",
                     help="somebody types to the kernel: the run is held until \"tickloop console DIR\" says go")
    sim.add_argument("--files", metavar="DIR", type=_path("--files"),
                     help="files for the kernel's console, as for its command run")
    sim.add_argument("--ouch", type=_choice("--ouch", "4.2", "5.0"), metavar="V",
                     help="version of the order-entry protocol: 4.2 (default) or 5.0")
    _faults(sim)
    sim.add_argument("--script", metavar="FILE", type=_path("--script"),
                     help="commands for the kernel at simulated times, a line each: 1.5ms kill")
    _common(sim, "cut-through")

    parse = command("parse", "every frame of a capture through the RTL alone",
                    "Every frame of a capture through the RTL alone, with the subscription filter off.\n"
                    "Several CAPTUREs are each run from reset, into DIR/<file name of the capture>.")
    parse.add_argument("captures", nargs="+", metavar="CAPTURE", type=_path("CAPTURE"), help=CAPTURE_HELP)
    parse.add_argument("--group", type=_group, default=DEFAULT_GROUP, metavar="ADDR:PORT",
                       help=f"market-data group (default: {DEFAULT_GROUP})")
    _common(parse, "verified")

    test = command("backtest", "the trading core over a whole ITCH file, without RTL and kernel",
                   "The trading core, built for this machine, over a whole Nasdaq ITCH 5.0 file: the orders of the\n"
                   "closed loop, positions, profit and loss.")
    test.add_argument("file", metavar="FILE", type=_path("FILE"), help="a Nasdaq ITCH 5.0 file; .gz too")
    test.add_argument("--config", metavar="FILE", type=Path, help="TOML: subscription, strategies, limits")
    test.add_argument("--ouch", type=_choice("--ouch", "4.2", "5.0"), metavar="V",
                      help="4.2 or 5.0 (default: the configuration's)")
    test.add_argument("--out", metavar="DIR", type=_path("--out"),
                      help="leave orders.jsonl, books.json and backtest.json there")
    _json(test)

    look = command("inspect", "what a capture holds: types, sessions, gaps, rates, packing, bad frames",
                   "What a capture holds, as the reference model receives it: verified delivery, no simulator.")
    look.add_argument("capture", metavar="CAPTURE", type=_path("CAPTURE"), help=CAPTURE_HELP)
    look.add_argument("--line-b", metavar="CAPTURE", type=_path("--line-b"), help="the redundant line")
    look.add_argument("--group", type=_group, default=DEFAULT_GROUP, metavar="ADDR:PORT",
                      help=f"market-data group (default: {DEFAULT_GROUP})")
    look.add_argument("--fcs", action="store_true", help="frames carry their 4-byte Ethernet FCS")
    _format(look)
    _json(look)

    generate = command("generate", "writes a capture and, beside it, what a receiver must see (FILE.expect.jsonl)")
    generate.add_argument("profile", metavar="PROFILE", nargs="?",
                          help=f"{', '.join(PROFILES)}, or a .toml file (docs/generate.md)")
    generate.add_argument("--profile-file", metavar="FILE", type=_path("--profile-file"),
                          help="a profile in TOML, whatever its name")
    generate.add_argument("--seed", metavar="N", type=_integer("--seed", 0, 2**32 - 1), default=1, help=SEED_HELP)
    generate.add_argument("--messages", metavar="N", type=_integer("--messages", 1, 10**9),
                          help="messages in all (default: the profile's)")
    generate.add_argument("--symbols", metavar="N", type=_integer("--symbols", 1, MAX_SYMBOLS),
                          help=f"up to {MAX_SYMBOLS:,} (default: the profile's)")
    _faults(generate)
    generate.add_argument("--line-b", metavar="FILE", type=_path("--line-b"),
                          help="write the redundant line too, with faults of its own; what a receiver of both must "
                          "see stands beside --out's FILE in FILE.both.expect.jsonl")
    generate.add_argument("--faults-b", metavar="SPEC", type=_rates_of("--faults-b"),
                          help="faults of line B (default: the rates of --faults)")
    _format(generate)
    _json(generate)
    generate.add_argument("--out", metavar="FILE", type=_path("--out"), required=True,
                          help="pcap to write, or with the name *.itch an ITCH file (.gz: compressed)")

    replay = command("replay", "half of the loop again, against the record of a run",
                     "Half of the loop again, against the record of the run in DIR.\n"
                     "Exit status 0 if it does the same, bit for bit, at the same simulated times.")
    replay.add_argument("directory", metavar="DIR", type=_path("DIR"), help="a finished run")
    half = replay.add_mutually_exclusive_group(required=True)
    half.add_argument("--kernel", action="store_true",
                      help="the kernel in QEMU, played to by the recorded NIC; no simulator")
    half.add_argument("--rtl", action="store_true", help="the RTL, played to by the recorded host; no QEMU")
    replay.add_argument("--kernel-image", metavar="FILE", type=_path("--kernel-image"),
                        help="with --kernel: this kernel (default: the one built here)")
    replay.add_argument("--sim", metavar="S", type=_choice("--sim", "verilator", "icarus"),
                        help="with --rtl: verilator (default) or icarus")
    replay.add_argument("--waves", metavar="[vcd|fst]", type=_choice("--waves", *get_args(DumpFormat)),
                        help="with --rtl: leave waves of RTL and recorded kernel (default: vcd), and trace.json")
    replay.add_argument("--out", metavar="DIR", type=_path("--out"), required=True, help="directory of the replay")
    _json(replay)

    diff = command("diff", "the first event in which two runs differ, and its simulated time",
                   "The first event in which two runs differ, and its simulated time; exit status 0 if they are equal.")
    diff.add_argument("directories", nargs=2, metavar="DIR", type=_path("DIR"), help="a run directory each")
    _json(diff)

    examination = command("doctor", "what of this machine helps or hinders runs and measurements",
                          "What of this machine helps or hinders runs and measurements, and what to do about it.\n"
                          "Looks, measures whether KVM is of use, and changes nothing.")
    _json(examination)

    software = command("software", "a run's frames once more, parsed by the kernel itself: what the SmartNIC saves",
                       "The frames of a finished closed loop once more, into a kernel behind an e1000 that parses them "
                       "itself,\nin C and in assembly: executed instructions a message beside those of the run. Leaves "
                       "DIR/software.json and\nputs the figures into DIR/report.html.")
    software.add_argument("directory", metavar="DIR", type=_path("DIR"), help="a finished run of sim, in lockstep")
    _json(software)

    report = command("report", "(re)builds DIR/report.html")
    report.add_argument("directory", metavar="DIR", type=_path("DIR"), help="a run directory")
    report.add_argument("--against", metavar="DIR", type=_path("--against"),
                        help="tell in it what differs from the run in this directory")
    console = command("console", "types to the kernel of a run that was started with --console",
                      "Joins this terminal to the kernel's console in a run that was started with --console.\n"
                      "Ctrl-] leaves; the run goes on.")
    console.add_argument("directory", metavar="DIR", type=_path("DIR"), help="the run's directory")
    waves = command("waves", "opens GTKWave on a run",
                    "Opens GTKWave on a run. Of one that was made without --waves, the record is played to the RTL\n"
                    f"again, and its waves are left in DIR/{WAVES_OF_REPLAY}.")
    waves.add_argument("directory", metavar="DIR", nargs="?", type=_path("DIR"),
                       help=f"run directory (default: the last run in {RUNS})")
    waves.add_argument("--around", metavar="WHAT", type=_around,
                       help="order:3, the third order, or message:120, the message with that sequence number (default: "
                       "the first order)")
    return parser


def _common(parser: argparse.ArgumentParser, delivery: str) -> None:
    parser.add_argument("--line-b", metavar="CAPTURE", type=_path("--line-b"), help="the redundant line, on port B")
    parser.add_argument("--delivery", metavar="D", default=delivery,
                        type=_choice("--delivery", "verified", "cut-through"),
                        help="verified: frames with a good verdict only; cut-through: each message as its last byte "
                        f"arrives (default: {delivery})")
    parser.add_argument("--hold", metavar="NS", default=0, type=_integer("--hold", 0, LONGEST_HOLD_NS),
                        help="how long a packet that is ahead waits for the other line (default: 0)")
    parser.add_argument("--fcs", action="store_true", help="frames carry their 4-byte Ethernet FCS")
    _format(parser)
    parser.add_argument("--sim", metavar="S", type=_choice("--sim", "verilator", "icarus"), default=default_simulator(),
                        help="verilator (default) or icarus")
    parser.add_argument("--seed", metavar="N", type=_integer("--seed", 0, 2**32 - 1), default=1, help=SEED_HELP)
    parser.add_argument("--parser", metavar="FILE", type=_path("--parser"), action="append",
                        help="a parser of your own in the place of the NIC's: a Verilog source, a file list (.f) or a "
                        "folder; may be given several times (docs/own-parser.md)")
    parser.add_argument("--waves", metavar="[vcd|fst]", type=_choice("--waves", *get_args(DumpFormat)),
                        help="leave waves of RTL and kernel (default: vcd) with a GTKWave save file, and trace.json")
    parser.add_argument("--waves-symbol", metavar="STOCK",
                        help="symbol whose best bid and ask the waves show (default: that of the first order)")
    parser.add_argument("--trace", action="store_true", help="leave trace.json, the timeline for ui.perfetto.dev")
    parser.add_argument("--out", metavar="DIR", type=_path("--out"), required=True, help="run directory")
    _json(parser)


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true",
                        help="one JSON object on standard output instead of a table, and nothing else there")


def _faults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--faults", metavar="SPEC", type=_rates_of("--faults"),
                        help="what goes wrong on each line, as rates of its frames: loss=0.01,reorder=0.002 (also "
                        "duplicate, truncation, bit_flip, bad_length)")


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", metavar="F", default="mold", type=_choice("--format", "mold", "prototype"),
                        help="packets: mold (default), MoldUDP64 and ITCH 5.0; prototype, the seed prototype's own")


def _nic(config: NicConfig, options: argparse.Namespace) -> NicConfig:
    if options.format == "prototype" and (options.line_b or options.hold):
        option = "--line-b" if options.line_b else "--hold"
        raise UsageError(f"{option}: --format prototype has no sequence numbers to arbitrate by")
    return replace(config, delivery=options.delivery, hold_ns=options.hold, packet_format=options.format)


def _own_parser(options: argparse.Namespace) -> OwnParser | None:
    if not options.parser:
        return None
    if options.format == "prototype":
        raise UsageError("--parser: --format prototype is parsed by the NIC's own parser alone")
    parser = own_parser.find(options.parser)
    own_parser.check_ports(parser, must_read=options.sim == "icarus")
    return parser


def _gdb(options: argparse.Namespace) -> str | None:
    """Where gdb is waited for: a port, or the path of a socket."""
    if options.gdb is None:
        return None
    if options.gdb:
        return str(options.gdb)
    return _socket(options.out / "gdb.sock", "--gdb", "; give a PORT")


def _socket(path: Path, option: str, remedy: str = "") -> str:
    resolved = str(path.resolve())
    if len(os.fsencode(resolved)) > LONGEST_SOCKET_PATH:
        raise UsageError(f"{option}: {resolved} is too long for the path of a socket{remedy}")
    return resolved


def _sim(options: argparse.Namespace, arguments: tuple[str, ...]) -> ExitStatus:
    if len(options.captures) > 1:
        raise UsageError("sim takes one CAPTURE")
    if options.captures and (options.scenario or options.messages):
        raise UsageError("--scenario and --messages do not go with a CAPTURE")
    if options.format == "prototype":
        raise UsageError("--format prototype: its messages have no order for a book; parse takes them")
    if options.mode == "free" and options.hold:
        raise UsageError("--hold: --mode free has no time to wait for; hold packets in lockstep")
    if options.mode == "free" and options.script:
        raise UsageError("--script: --mode free has no simulated time for the kernel")
    commands = read_script(options.script) if options.script else ()
    config = load_config(options.config)
    config = replace(config, nic=_nic(config.nic, options))
    if options.ouch:
        config = replace(config, kernel=replace(config.kernel, ouch_version=options.ouch))
    if options.mode == "free" and config.kernel.session_mode == "connect":
        raise UsageError("session.mode = connect: --mode free has no simulated time for TCP; connect in lockstep")
    damage = Damage(options.faults, options.seed) if options.faults else None
    if options.scenario == EXCHANGE:
        config, source = _exchange(options, config)
    elif options.captures:
        source = from_capture(options.captures[0], config.group, options.line_b, options.fcs, damage)
    else:
        source = from_scenario(options.scenario, options.seed, options.messages, config.group, options.line_b,
                               options.fcs, damage)
    console = _socket(options.out / CONSOLE_SOCKET, "--console") if options.console else None
    outcome = execute(Job("sim", source, config, options.out, options.sim, options.seed, _views(options), arguments,
                          mode=options.mode, gdb=_gdb(options), commands=commands, console=console,
                          files=options.files, parser=_own_parser(options)))
    return _told(outcome, options.json)


def _exchange(options: argparse.Namespace, config: RunConfig) -> tuple[RunConfig, Input]:
    """The configuration of a kernel that connects to the exchange model, and that."""
    refused = {"--faults": options.faults, "--line-b": options.line_b, "--fcs": options.fcs,
               "--mode free": options.mode == "free"}
    for option, given in refused.items():
        if given:
            raise UsageError(f"{option} does not go with --scenario {EXCHANGE}")
    kernel = replace(config.kernel, session_mode="connect")
    if not kernel.recovery_address and not kernel.filtered:
        kernel = replace(kernel, recovery_address=kernel.destination_address, recovery_port=ExchangeConfig.request_port)
    config = replace(config, kernel=kernel)
    return config, from_exchange(config.kernel, config.exchange, options.seed, options.messages, options.out)


def _views(options: argparse.Namespace) -> Views:
    return Views(options.waves, options.trace or options.waves is not None, options.waves_symbol)


def _parse(options: argparse.Namespace, arguments: tuple[str, ...]) -> int:
    names = [capture.name for capture in options.captures]
    if len(set(names)) < len(names):
        raise UsageError("two captures of one name cannot share an output directory")
    if len(names) > 1 and options.line_b:
        raise UsageError("--line-b goes with one CAPTURE")
    base = load_config(None)
    kernel = replace(base.kernel, group_address=options.group.address, group_port=options.group.port)
    config = replace(base, kernel=kernel, nic=_nic(base.nic, options))
    parser = _own_parser(options)
    jobs = []
    for name, capture in zip(names, options.captures, strict=True):
        source = from_capture(capture, options.group, options.line_b, options.fcs)
        out = options.out / name if len(names) > 1 else options.out
        jobs.append(Job("parse", source, config, out, options.sim, options.seed, _views(options), arguments,
                        parser=parser))
    if len(jobs) == 1:
        return _told(execute(jobs[0]), options.json)
    return _report_all(jobs, execute_many(jobs), options.json)


def _told(outcome: Outcome, as_json: bool) -> ExitStatus:
    """The run's table or object, and its status."""
    if as_json:
        print_json(run_document(outcome))
        print_failures(outcome)
    else:
        print_table(outcome)
    return exit_status(outcome)


def _report_all(jobs: list[Job], outcomes: Iterator[Outcome | BridgeError], as_json: bool) -> int:
    """A table a run, an error line for one that failed; the highest exit status of all."""
    status = 0
    documents: list[dict[str, Any]] = []
    for job, outcome in zip(jobs, outcomes, strict=True):
        if isinstance(outcome, BridgeError):
            status = max(status, _fail(outcome.exit_status, f"{job.source.name}: {outcome}"))
            documents.append({"input": job.source.name, "error": str(outcome), "status": int(outcome.exit_status)})
        elif as_json:
            documents.append(run_document(outcome))
            print_failures(outcome)
            status = max(status, exit_status(outcome))
        else:
            status = max(status, _told(outcome, False))
    if as_json:
        print_json({"command": "parse", "passed": status == 0, "runs": documents})
    return status


def _generate(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    order = generating.Order(
        generating.find(options.profile, options.profile_file), options.out, options.line_b, options.seed,
        options.messages, options.symbols, options.faults, options.faults_b, options.format)
    written = generating.write(order)
    if options.json:
        print_json(written)
    else:
        for file in written["files"]:
            what = "frames" if "frames" in file else "messages"
            print_text(f"{file['path']}: {file[what]} {what}")
    return ExitStatus.OK


def _inspect(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    if options.format == "prototype" and options.line_b:
        raise UsageError("--line-b: --format prototype has no sequence numbers to arbitrate by")
    with until_interrupted() as going_on:
        found = inspect(options.capture, options.group, options.line_b, options.fcs, options.format, going_on)
        for warning in found.warnings:
            print(f"tickloop: warning: {warning}", file=sys.stderr)
        if options.json:
            print_json(found.document())
        else:
            print_text(inspection_text(found))
    return ExitStatus.OK


def _backtest(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    result = backtest(options.file, options.config, options.out, options.ouch)
    for warning in result.warnings:
        print(f"tickloop: warning: {warning}", file=sys.stderr)
    if options.json:
        print_json(backtest_document(options.file, result, options.out))
    else:
        print_backtest(options.file, result, options.out)
    if result.interrupted:
        raise KeyboardInterrupt
    return ExitStatus.OK


def _replay(options: argparse.Namespace, _: tuple[str, ...]) -> int:
    if options.rtl and options.kernel_image:
        raise UsageError("--kernel-image goes with --kernel")
    if options.kernel and (options.sim or options.waves):
        raise UsageError(f"{'--sim' if options.sim else '--waves'} goes with --rtl")
    return execute_replay(Replay(options.directory, "kernel" if options.kernel else "rtl", options.out,
                                 options.sim or default_simulator(), options.kernel_image,
                                 Views(options.waves, options.waves is not None), options.json))


def _diff(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    first, second = options.directories
    return diff(first, second, options.json)


def _software(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    result = parse_in_software(options.directory)
    if options.json:
        print_json({"command": "software", **result, "out": str(options.directory)})
    else:
        print_rows([*software_rows(result), ("report", str(options.directory / "report.html"))])
    return ExitStatus.OK


def _report(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    with note_if_slow("reading the run"):
        report = write_report(options.directory, options.against)
    print(report)
    return ExitStatus.OK


def _waves(options: argparse.Namespace, _: tuple[str, ...]) -> int:
    run = options.directory or last_run(RUNS)
    waves = run
    if not dumps_of(run) and (run / "run.json").exists():
        # Made once: the record is played to the RTL again.
        waves = run / WAVES_OF_REPLAY
        dumps = dumps_of(waves)
        if not dumps or dumps[0].stat().st_mtime < (run / "run.json").stat().st_mtime:
            check_viewer(f"tickloop waves {run}")
            status = execute_replay(Replay(run, "rtl", waves, default_simulator(), waves=Views("vcd", True)))
            if status:
                return status
    open_waves(waves, run, options.around)
    return ExitStatus.OK


def _doctor(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    return doctor(options.json)


def _console(options: argparse.Namespace, _: tuple[str, ...]) -> ExitStatus:
    join_console(options.directory)
    return ExitStatus.OK


COMMANDS = {"sim": _sim, "parse": _parse, "backtest": _backtest, "inspect": _inspect, "generate": _generate,
            "replay": _replay, "diff": _diff, "software": _software, "report": _report, "console": _console,
            "doctor": _doctor, "waves": _waves}


def _with_formats(arguments: tuple[str, ...]) -> list[str]:
    """``--waves`` needs no format; argparse would take a CAPTURE behind it for one."""
    return ["--waves=vcd" if argument == "--waves" and behind not in get_args(DumpFormat) else argument
            for argument, behind in pairwise([*arguments, ""])]


def run(arguments: tuple[str, ...]) -> int:
    """Runs one command; returns its exit status. Ctrl-C is the caller's."""
    try:
        options = command_parser().parse_args(_with_formats(arguments))
        return COMMANDS[options.command](options, arguments)
    except (TickloopError, BridgeError) as error:
        status = error.status if isinstance(error, TickloopError) else error.exit_status
        return _fail(status, str(error))
    except OSError as error:
        full = no_space(error)
        return _fail(full.status, str(full)) if full else _crash(error)
    except Exception as error:
        return _crash(error)


def _fail(status: int, message: str) -> int:
    print(f"tickloop: {message}", file=sys.stderr)
    return int(status)


def _crash(error: BaseException) -> int:
    """A fault of tickloop itself: one line for the user, the traceback into a file for its developers."""
    with tempfile.NamedTemporaryFile("w", prefix="tickloop-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(error)))
    name = " ".join(f"{type(error).__name__}: {error}".split())
    return _fail(ExitStatus.CHECKS_FAILED, f"internal error: {name} (details: {file.name})")
