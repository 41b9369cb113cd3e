# SPDX-License-Identifier: MIT
"""make verify-parser: everything that judges the NIC's parser, against one of the user's own (docs/own-parser.md).

The vectors on one receive line, the pyuvm environment around the whole NIC with its coverage plan, and closed loops
with the kernel; prints a table of what passed and every failure's reason. What holds for our parser alone, its latency
to the clock and the seed prototype's packets, is not asked.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn
from xml.etree import ElementTree

from bridge.build import TOOL_MISSING, rtl_sources
from bridge.interface import BridgeError, Simulator
from bridge.layout import RX_RECORD
from bridge.own_parser import OwnParser, broken_rule, check_ports, find
from scripts.regress.supervise import kill_descendants, take_in_orphans
from tb.coverage import code, functional
from tests.rtl.effort import EFFORT
from tests.rtl.simulation import BUILD_ARGUMENTS, RESULTS, ROOT, Bench, Run, listed
from tickloop.exits import ExitStatus

DIRECTORY = ROOT / "build" / "verify_parser"
LINE = ("message_tests", "matrix_tests", "bug_tests", "storm_tests", "stream_tests", "verdict_tests", "verified_tests",
        "traffic_tests")
NIC = ("stream_tests", "arbitration_tests", "packet_tests", "damage_tests", "ring_tests", "host_tests",
       "extremes_tests")
LOOPS = {"opening": (), "faults": ("--scenario", "faults")}
CHECKS = {f"{group}/{one}" for group, names in (("line", LINE), ("nic", NIC), ("loop", LOOPS)) for one in names}
FOLDERS = {"line": "receive", "nic": "env"}  # of tests/rtl
GROUPS = {check.partition("/")[0] for check in CHECKS}
NOT_ASKED = r"^(?!.*host_tests\.Prototype$)"
FORMAT_NOT_ASKED = "prototype"  # cross of the plan
SIMULATORS: Sequence[Simulator] = ("icarus", "verilator")  # the quick builds first
EFFORTS: dict[Simulator, str] = {"icarus": "12", "verilator": "35"}
# Sources of others may have warnings.
ARGUMENTS: dict[Simulator, tuple[str, ...]] = {
    "icarus": ("-g2012",),
    "verilator": (*BUILD_ARGUMENTS["verilator"], "-Wno-fatal", "-Wno-lint", "-Wno-style"),
}
_RECORDS = re.compile(r"([0-9a-f+]{120,}) is not ([0-9a-f+]{120,})")
_FRAME = re.compile(r"(frame \d+(?: \([^)]*\))?), [0-9a-f]{28,}")  # whole in the log
_LONG_HEX = re.compile(r"[0-9a-f]{40,}")
LONGEST = 300  # characters of a failure's reason


class Outcome(NamedTuple):
    """Of one test; ``reason`` is empty if it passed."""

    test: str
    reason: str


@dataclass(frozen=True)
class Order:
    """What to verify, and how. ``only``: checks by name, "line/bug_tests" or "line/bug_tests.PacketCutInAMessage"."""

    parser: OwnParser
    given: Sequence[Path]
    simulators: Sequence[Simulator] = SIMULATORS
    only: Sequence[str] = ()
    seed: int = 1
    effort: str | None = None
    plusargs: Sequence[str] = ()
    waves: bool = False
    directory: Path = field(default_factory=lambda: DIRECTORY)

    def asks(self, check: str) -> bool:
        """Whether the check, or a test in it, is among those to make."""
        if check.startswith("loop/") and self.plusargs:
            return False  # which are for the benches
        return not self.only or any(one == check or one.startswith(f"{check}.") or check.startswith(f"{one}/")
                                    for one in self.only)

    def tests(self, check: str) -> str:
        """A pattern of the full names of the check's tests to run."""
        names = [one.removeprefix(f"{check}.") for one in self.only if one.startswith(f"{check}.")]
        return rf"\.({'|'.join(names)})$" if names else NOT_ASKED


@dataclass
class Verdict:
    """Outcomes by check and simulator, shown as they come; ``due``: how many there will be."""

    due: int = 0
    outcomes: dict[str, dict[Simulator, list[Outcome]]] = field(default_factory=dict)
    coverage: list[str] = field(default_factory=list)
    waves: str = ""

    @property
    def failures(self) -> list[tuple[str, Simulator, Outcome]]:
        return [(check, simulator, outcome) for check, found in self.outcomes.items()
                for simulator, outcomes in found.items() for outcome in outcomes if outcome.reason]

    @property
    def passed(self) -> bool:
        """Whether there is something that passed, and nothing that failed."""
        return any(self.outcomes.values()) and not self.failures

    @property
    def made(self) -> int:
        return sum(map(len, self.outcomes.values()))

    def add(self, check: str, simulator: Simulator, outcomes: list[Outcome]) -> None:
        self.outcomes.setdefault(check, {})[simulator] = outcomes
        print(f"  {check:24} {simulator:9} {sum(not one.reason for one in outcomes):3} of {len(outcomes):3}")
        for outcome in outcomes:
            if outcome.reason:
                name = f"{check}.{outcome.test}" if outcome.test else check
                print(f"  FAILED {name} ({simulator}): {outcome.reason}")
        sys.stdout.flush()

    def rows(self) -> Iterator[str]:
        """What is told behind the last of them."""
        yield from (f"  {line}" for line in self.coverage)
        if self.waves:
            yield f"  {self.waves}"
        yield f"  {'result':24} {'PASS' if self.passed else 'FAIL'}"


def verify(order: Order, verdict: Verdict) -> None:
    """Makes every check that is asked for; ``verdict`` has those that were made, also after Ctrl-C.

    Raises:
        BridgeError: status 2, the parser's sources or ports are not as they must be; 3, a tool is missing.
    """
    verdict.due = len(order.simulators) * sum(map(order.asks, CHECKS))
    functional_files = order.directory / "functional"
    shutil.rmtree(functional_files, ignore_errors=True)
    for old in order.directory.glob("*-verilator/*.dat"):
        old.unlink()
    for simulator in order.simulators:
        check_ports(order.parser, must_read=simulator == "icarus")
        (functional_files / simulator).mkdir(parents=True)
        _benches(order, simulator, functional_files / simulator, verdict)
        _loops(order, simulator, verdict)
    crosses = sorted(functional_files.glob("*/*.yml"))
    if crosses:
        verdict.coverage.append(_functional(crosses, order.directory))
    verdict.coverage += _lines(order)


def _bench(parser: OwnParser, top: str, source: Path, ours: Sequence[Path], package: str) -> Bench:
    return Bench(top, [source, *parser.sources(ours)], package, includes=parser.includes, arguments=ARGUMENTS)


def _benches(order: Order, simulator: Simulator, functional_files: Path, verdict: Verdict) -> None:
    parser = order.parser
    line = _bench(parser, "receive_bench", ROOT / "tb/receive/receive_bench.v", listed("receive"), "tests.rtl.receive")
    nic = _bench(parser, "smartnic_bench", ROOT / "tb/env/smartnic_bench.v", rtl_sources(), "tests.rtl.env")
    for group, bench, modules in (("line", line, LINE), ("nic", nic, NIC)):
        asked = [module for module in modules if order.asks(f"{group}/{module}")]
        if not asked:
            continue
        build = order.directory / f"{group}-{simulator}"
        build.mkdir(parents=True, exist_ok=True)
        environment = {EFFORT: order.effort or EFFORTS[simulator], "OWN_PARSER": "1",
                       "FUNCTIONAL_COVERAGE": str(functional_files)}
        _make(bench, Run(simulator, [], order.seed, environment, {}), build)
        for module in asked:
            check = f"{group}/{module}"
            run = Run(simulator, [f"{bench.package}.{module}"], order.seed, environment, {}, order.tests(check),
                      order.plusargs)
            with _told(f"{verdict.made + 1} of {verdict.due}: {check}, {simulator}"):
                outcomes = play(bench, run, build)
            verdict.add(check, simulator, outcomes)
            failed = next((one.test for one in outcomes if one.reason), None)
            if failed and order.waves and not verdict.waves:
                with _quiet(build / "waves.log"):
                    verdict.waves = bench.waves_of(run, f"{bench.package}.{module}.{failed}", build)


def _make(bench: Bench, run: Run, build: Path) -> None:
    log = build / "build.log"
    coverage = "--coverage-line" if run.simulator == "verilator" else ""
    with _told(f"{build.name}: building"), _quiet(build / "runner.log"):
        before = os.environ.get("VERILATOR_COVERAGE")
        os.environ["VERILATOR_COVERAGE"] = coverage
        try:
            bench.make(run, build, log=log)
        except (SystemExit, RuntimeError, subprocess.CalledProcessError):
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            first = next((line for line in lines if "error" in line.lower()), "the build failed")
            raise BridgeError(2, f"--parser: {first}; see {log}") from None
        finally:
            os.environ.pop("VERILATOR_COVERAGE")
            if before is not None:
                os.environ["VERILATOR_COVERAGE"] = before


def play(bench: Bench, run: Run, build: Path) -> list[Outcome]:
    """The outcomes of a built bench's tests. When a simulation ends in a test, those behind it have none."""
    log = build / f"{run.modules[0].rpartition('.')[2]}.log"
    (build / RESULTS).unlink(missing_ok=True)
    (build / "coverage.dat").unlink(missing_ok=True)
    # Whatever it ends with: its outcomes are read below.
    with _quiet(build / "runner.log"), suppress(SystemExit, RuntimeError, subprocess.CalledProcessError):
        bench.play(run, build, log=log)
    if (build / "coverage.dat").exists():
        (build / "coverage.dat").replace(build / f"{log.stem}.dat")
    rule = broken_rule(log.read_text(errors="replace")) if log.exists() else None
    if not (build / RESULTS).exists():
        return [Outcome("", rule or f"the simulation died; see {log}")]
    outcomes = []
    for case in ElementTree.parse(build / RESULTS).iter("testcase"):
        fault = case.find("failure")
        fault = case.find("error") if fault is None else fault
        if case.find("skipped") is not None:
            continue
        reason = "" if fault is None else _first_line(fault.get("message") or fault.text or "failed")
        if "SimFailure" in reason or "shut down the simulation" in reason:
            outcomes.append(Outcome(case.get("name") or "", rule or f"the simulation died; see {log}"))
            break
        outcomes.append(Outcome(case.get("name") or "", reason))
    return outcomes or [Outcome("", f"no test ran; see {log}")]


def _first_line(text: str) -> str:
    """What a failure says, without whole frames in it; of two records, where they differ."""
    line = text.strip().splitlines()[0] if text.strip() else "failed"
    if "base 2" in line:
        return "a bit of what came out is x: nobody has written it"
    line = _RECORDS.sub(lambda both: _difference(both[1], both[2]), line)
    line = _FRAME.sub(r"\1", line)
    line = _LONG_HEX.sub(lambda found: f"{found[0][:16]}...", line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def _difference(found: str, due: str) -> str:
    """Of two messages as ring lines in hex, the record last."""
    lines = [one.rpartition("+") for one in (found, due)]
    records = [bytes.fromhex(record) for _, _, record in lines]
    at = next((at for at, (was, must) in enumerate(zip(*records, strict=True)) if was != must), None)
    if at is None:
        return "its continuation lines differ"
    assert RX_RECORD.fields is not None
    name, start = max(((name, field[1]) for name, field in RX_RECORD.fields.items() if field[1] <= at),
                      key=lambda field: field[1])
    was, must = (record[start if name != "body" else at:][:8].hex() for record in records)
    return f"the record differs from byte {at} on, {name}: {was} is not {must}"


def _loops(order: Order, simulator: Simulator, verdict: Verdict) -> None:
    for name, arguments in LOOPS.items():
        check = f"loop/{name}"
        if not order.asks(check):
            continue
        out = order.directory / f"loop-{simulator}-{name}"
        parser = [word for path in order.given for word in ("--parser", str(path))]
        command = [sys.executable, "-m", "tickloop", "sim", *arguments, *parser, "--seed", str(order.seed), "--sim",
                   simulator, "--messages", "500", "--out", str(out)]
        with _told(f"{verdict.made + 1} of {verdict.due}: {check}, {simulator}"):
            finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd())
        if finished.returncode == TOOL_MISSING:
            raise BridgeError(TOOL_MISSING, finished.stderr.strip().removeprefix("tickloop: "))
        reason = "" if finished.returncode == 0 else _first_line(finished.stderr)
        verdict.add(check, simulator, [Outcome("", reason)])


def _functional(files: Sequence[Path], directory: Path) -> str:
    crosses = [one for one in functional.merge(files, directory / "functional.yml")
               if one.cross.name != FORMAT_NOT_ASKED]
    bins, missing = sum(len(one.hits) for one in crosses), sum(len(one.missing) for one in crosses)
    return f"{'coverage plan':24} {bins - missing:,} of {bins:,} bins"


def _lines(order: Order) -> Iterator[str]:
    """Lines of the parser's own sources that Verilator's benches executed."""
    files = sorted(order.directory.glob("*-verilator/*.dat"))
    for folder in dict.fromkeys(path.parent for path in order.parser.files):
        for name, found in code.read(files, folder).items():
            if folder / name in order.parser.files and found.lines:
                yield f"{'lines of ' + name:24} {sum(found.lines.values())} of {len(found.lines)}"


@contextmanager
def _told(what: str) -> Iterator[None]:
    """One line on standard error that work is under way."""
    print(f"verify_parser: {what}", file=sys.stderr, flush=True)
    yield


@contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """What the runner prints goes into a file."""
    with log.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        yield


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BridgeError(ExitStatus.USAGE, message)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for.

    Raises:
        BridgeError: status 2, there is no such thing.
    """
    parser = _Parser(prog="verify_parser", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="Verilog sources, file lists (.f), folders")
    parser.add_argument("--sim", action="append", choices=SIMULATORS, help="default: both")
    parser.add_argument("--only", action="append", default=[], metavar="CHECK",
                        help="line, nic, loop, line/bug_tests, line/bug_tests.PacketCutInAMessage, ...")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--effort", type=int, metavar="PERCENT",
                        help="of random traffic (default: 12 on Icarus, 35 on Verilator)")
    parser.add_argument("--plusarg", action="append", default=[], metavar="NAME=VALUE", help="for the benches")
    parser.add_argument("--waves", action="store_true", help="run the first failing test again with waves")
    options = parser.parse_args(arguments)
    if options.effort is not None and not 1 <= options.effort <= 100:
        raise BridgeError(ExitStatus.USAGE, f"--effort {options.effort}: it is from 1 to 100")
    for one in options.only:
        check, _, test = one.partition(".")
        if check not in CHECKS | GROUPS:
            raise BridgeError(ExitStatus.USAGE, f"--only {one}: choose of {', '.join(sorted(GROUPS | CHECKS))}")
        if test and test not in (there := _tests_of(check)):
            said = f"its tests are {', '.join(there)}" if there else "it has no tests of its own"
            raise BridgeError(ExitStatus.USAGE, f"--only {one}: {said}")
        if check.partition("/")[0] == "loop" and options.plusarg:
            raise BridgeError(ExitStatus.USAGE, f"--only {one}: --plusarg is for the benches")
    return options


def _tests_of(check: str) -> list[str]:
    """The names of a module's cocotb tests."""
    group, _, module = check.partition("/")
    path = ROOT / "tests/rtl" / FOLDERS.get(group, "") / f"{module}.py"
    if not path.is_file():
        return []
    return re.findall(r"^@pyuvm\.test\(.*\)\nclass (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """The script; returns its exit status: 0 all passed, 1 not, 2 what was asked for is not there or the parser cannot
    be built or has other ports, 130 after Ctrl-C."""
    verdict = Verdict()
    try:
        options = _options(arguments)
        verify(Order(find(options.files), options.files, options.sim or SIMULATORS, options.only, options.seed,
                     options.effort and str(options.effort), [f"+{one}" for one in options.plusarg], options.waves),
               verdict)
    except BridgeError as error:
        print(f"verify_parser: {re.sub('^--parser:? ', '', str(error))}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        kill_descendants()  # a compiler's children too
        print(f"verify_parser: interrupted, {verdict.due - verdict.made} of {verdict.due} checks were not made",
              file=sys.stderr)
        return ExitStatus.INTERRUPTED
    print("\n".join(verdict.rows()))
    return ExitStatus.OK if verdict.passed else ExitStatus.CHECKS_FAILED


if __name__ == "__main__":
    take_in_orphans()
    sys.exit(main())
