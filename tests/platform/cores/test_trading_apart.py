# SPDX-License-Identifier: MIT
"""Housekeeping beside trading: on a processor of its own in a free run, sharing nothing; in lockstep in the waits of
the trading loop, without a trace. Its faults stop nothing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import layout
from generators.profiles import generate
from tests.firmware.peer import Peer, Run, exit_code
from tests.firmware.records import config_module, parse_export, record_lines
from tests.firmware.streams import predict
from tests.platform import machine
from tests.platform.conftest import BuildKernel
from tests.platform.cores.free_peer import FreePeer

HERE = Path(__file__).resolve().parent
LINE = 64
DEVICES = 0xFEC00000
BUSY_MARK = b"HOUSEKEEPING IS BUSY"
COMES_MARK = b"OTHER PROCESSORS COME"
WAITS_MARK, INTERRUPTS_MARK = b"HOUSEKEEPING WAITS", b"INTERRUPTS ARE TAKEN"
TOO_LONG = "task works: ended by having run for too long without a wait, all else goes on\n"
FAULT, GAVE_UP = (f"task faulty: ended by {what}, all else goes on\n" for what in ("the fault", "its panic"))
LOOP = ("trade_lines", "export_write")  # the product's image, where much is inlined: begin and end of the loop
Trade = Callable[..., Run]


@pytest.fixture(autouse=True)
def _alone(one_loop_at_a_time: None) -> None:
    """No other closed loop beside this one."""


@pytest.fixture
def trade(tmp_path: Path) -> Trade:
    """Boot an image, trade on ``opening``, and compare orders and books with the model's."""

    def run(image: Path, messages: int, processors: int = 2, extra: tuple[str, ...] = (),
            pace_s: float = 0.0, peer: type[FreePeer] = FreePeer) -> Run:
        (tmp_path / "config.bin").write_bytes(config_module())
        traffic = [message for _, message in generate("opening", seed=5, messages=messages)]
        records = [record_lines(message, sequence) for sequence, message in enumerate(traffic, 1)]
        run = peer(records, burst=40, processors=processors, pace_s=pace_s).boot(
            image, tmp_path / "config.bin", tmp_path / "console.log", extra)
        assert run.exit_code == exit_code(layout.EXIT_STATUS_DONE), run.console
        export, model = parse_export(run.export), predict(traffic)
        assert export.statistics["records"] == messages
        assert export.books == model.books.levels()
        assert run.orders == [order.message for order in model.orders]
        assert run.orders
        return run

    return run


@pytest.fixture(scope="module")
def busy_image(build_kernel: BuildKernel) -> Path:
    """The kernel with tasks that keep housekeeping busy, and fault."""
    return build_kernel([HERE / "housekeeping.c"], "-Wl,--wrap=tasks_init,--wrap=smp_start")


def without(image: Path, mark: bytes, result: Path) -> Path:
    """The image without a mark."""
    data = image.read_bytes()
    assert data.count(mark) == 1
    result.write_bytes(data.replace(mark, bytes(len(mark))))
    return result


def test_the_trading_loop_has_a_processor_of_its_own(kernel: Path, trade: Trade) -> None:
    """What it prints comes by the other one, whole."""
    console = trade(kernel, 2000).console
    assert "processors: 2, the trading loop has one of its own\n" in console
    assert re.search(r"^statistics: records 2000$", console, re.MULTILINE)
    assert console.splitlines()[-1].startswith("statistics: instructions ")
    assert "found no room" not in console


def test_without_a_second_processor_it_says_so_and_trades(kernel: Path, trade: Trade) -> None:
    console = trade(kernel, 2000, processors=1).console
    assert "processors: there is no second one, housekeeping runs in the waits of the trading loop\n" in console
    assert console.splitlines()[-1].startswith("statistics: instructions ")


def test_a_second_processor_that_does_not_come_is_told_and_done_without(
        busy_image: Path, trade: Trade, tmp_path: Path) -> None:
    """Housekeeping works, and faults, in the waits then."""
    console = trade(without(busy_image, COMES_MARK, tmp_path / "alone.elf"), 2000).console
    assert "processors: the second one did not come, housekeeping runs in the waits of the trading loop\n" in console
    assert "has one of its own" not in console
    assert FAULT in console


def test_faults_of_housekeeping_do_not_stop_trading(busy_image: Path, trade: Trade) -> None:
    """Tasks fault in four ways, and panic, all the while; every record is traded on, and the result is the model's."""
    console = trade(busy_image, 4000, pace_s=0.004).console
    assert console.count(FAULT) >= 4
    assert console.count(f"panic: housekeeping gives up\n{GAVE_UP}") == console.count(GAVE_UP) >= 1
    assert len(set(re.findall(r"fault: vector (\d+)", console))) >= 2
    told = [line for line in console.splitlines() if re.search("fault:|faulty|panic|statistics", line)]
    assert [line for line in told
            if not line.startswith(("fault: ", "task faulty: ", "panic: housekeeping ", "statistics: "))] == []


@pytest.mark.parametrize("interrupts", [True, False])
def test_a_task_that_never_waits_again_does_not_stop_trading(
        interrupts: bool, busy_image: Path, trade: Trade, tmp_path: Path) -> None:
    """With a processor of its own the trading loop goes on, and all that it prints is shown: by the relay, whose task
    goes first as long as interrupts are taken, or else in the end by the loop's own processor."""
    image = without(busy_image, WAITS_MARK, tmp_path / "wild.elf")
    if not interrupts:
        image = without(image, INTERRUPTS_MARK, tmp_path / "deaf.elf")
    console = trade(image, 2000, pace_s=0.004).console
    assert console.count("housekeeping: waits no more\n") == 1
    assert re.search(r"^statistics: records 2000$", console, re.MULTILINE)
    assert console.splitlines()[-1].startswith("statistics: instructions ")
    assert "found no room" not in console


def test_nor_does_one_in_the_waits_of_the_trading_loop(busy_image: Path, trade: Trade, tmp_path: Path) -> None:
    """With one processor it is interrupted there, and ended."""
    console = trade(without(busy_image, WAITS_MARK, tmp_path / "wild.elf"), 2000, processors=1).console
    assert console.count(f"housekeeping: waits no more\n{TOO_LONG}") == 1


class SteppingPeer(Peer):
    """Lockstep; simulated time goes on by the same at each answer."""

    def _now_ps(self) -> int:
        return 200_000_000 * len(self.run.operations)


def test_in_lockstep_tasks_leave_no_trace(busy_image: Path, tmp_path: Path) -> None:
    """With tasks that work and fault in the loop's waits, and without: the same work to the instruction at every
    request, the same trace, orders and books."""
    idle_image = without(busy_image, BUSY_MARK, tmp_path / "idle.elf")
    (tmp_path / "config.bin").write_bytes(config_module())
    traffic = [message for _, message in generate("opening", seed=6, messages=1500)]
    busy, idle = (
        SteppingPeer([record_lines(message, sequence) for sequence, message in enumerate(traffic, 1)]).boot(
            image, tmp_path / "config.bin", tmp_path / "console.log") for image in (busy_image, idle_image))
    assert busy.console.count(FAULT) >= 4
    assert busy.console.count(f"panic: housekeeping gives up\n{GAVE_UP}") >= 1
    assert "task faulty" not in idle.console
    assert busy.exit_code == idle.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    assert len(busy.work) > 200
    assert busy.work == idle.work
    assert busy.operations == idle.operations
    assert [entry.tobytes() for entry in busy.trace] == [entry.tobytes() for entry in idle.trace]
    assert busy.export == idle.export
    assert busy.orders == idle.orders == [order.message for order in predict(traffic).orders]


def symbols(image: Path) -> list[tuple[int, str]]:
    listing = subprocess.run(["nm", "-n", str(image)], check=True, capture_output=True, text=True).stdout
    return [(int(line.split()[0], 16), line.split()[-1]) for line in listing.splitlines()]


class Lines:
    """Lines that both processors access while processor 1 is between two functions, by the symbol they belong to."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._plugin, self._out, self._table = folder / "lines.so", folder / "lines.txt", symbols(image)
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o",
                        self._plugin, HERE / "lines_plugin.c"], check=True)

    def words(self, start: str, stop: str) -> tuple[str, str]:
        """QEMU's words."""
        at = {name.split(".")[0]: address for address, name in reversed(self._table)}
        return "-plugin", f"{self._plugin},start={at[start]:#x},stop={at[stop]:#x},out={self._out}"

    def shared(self) -> dict[str, list[tuple[int, str]]]:
        """Offset in the symbol, and who has read and written it, of lines that one of them has written."""
        *lines, accessed = self._out.read_text().splitlines()
        housekeeping, trading = (int(count) for count in accessed.split()[1:])
        assert housekeeping > 20
        assert trading > 50
        found: dict[str, list[tuple[int, str]]] = {}
        for line in lines:
            address, who = line.split()
            if int(address, 16) >= DEVICES:
                continue  # each processor's own APIC lies at the same address
            start, name = next(entry for entry in reversed(self._table) if entry[0] <= int(address, 16))
            found.setdefault(name.split(".")[0], []).append((int(address, 16) - start, who))
        return found


@pytest.fixture
def lines(busy_image: Path, tmp_path: Path) -> Lines:
    return Lines(busy_image, tmp_path)


def test_the_two_processors_share_no_line_but_the_relays(busy_image: Path, trade: Trade, lines: Lines) -> None:
    """Every load and store of both, seen by QEMU's own instrumentation, while housekeeping works, prints and faults."""
    trade(busy_image, 1000, pace_s=0.004, extra=lines.words("trading_loop", "trading_finish"))
    assert lines.shared().keys() <= {"relay_ring"}


def test_a_task_that_never_waits_again_is_ended_in_lockstep(busy_image: Path, tmp_path: Path) -> None:
    """And leaves no more trace than any other."""
    (tmp_path / "config.bin").write_bytes(config_module())
    traffic = [message for _, message in generate("opening", seed=6, messages=400)]
    wild, usual = (
        SteppingPeer([record_lines(message, sequence) for sequence, message in enumerate(traffic, 1)]).boot(
            image, tmp_path / "config.bin", tmp_path / "console.log")
        for image in (without(busy_image, WAITS_MARK, tmp_path / "wild.elf"), busy_image))
    assert wild.console.count(f"housekeeping: waits no more\n{TOO_LONG}") == 1
    assert "too long" not in usual.console
    assert wild.exit_code == exit_code(layout.EXIT_STATUS_DONE)
    assert wild.work == usual.work
    assert wild.orders == usual.orders == [order.message for order in predict(traffic).orders]


class AskingPeer(FreePeer):
    """Gives host commands while records go by, one after the other."""

    def __init__(self, *records: Any, **peer: Any) -> None:
        super().__init__(*records, **peer)
        self._commands = ["top", "netstat", "lat"]

    def _meanwhile(self) -> None:
        super()._meanwhile()
        box = self._mailbox
        if self._fed > 500 and self._commands and box["command_taken"] == box["command_sequence"]:
            text = self._commands.pop(0).encode()
            box["command"][:] = np.frombuffer(text.ljust(len(box["command"]), b"\0"), np.uint8)
            box["command_sequence"] += 1


def test_nor_do_they_in_the_products_image_but_the_bells_when_the_loop_prints(
        kernel: Path, trade: Trade, tmp_path: Path) -> None:
    """It prints what the host asks for; the other one looks for that instead of being interrupted. Two words: each is
    written by one of them."""
    lines = Lines(kernel, tmp_path)
    run = trade(kernel, 1000, pace_s=0.004, peer=AskingPeer, extra=(*lines.words(*LOOP), "-append", "idle=spin"))
    assert re.search("^top: 8 of 8 books$", run.console, re.MULTILINE)
    shared = lines.shared()
    assert shared.pop("relay_ring")
    assert shared == {"arrived": [(0, "r0w1")], "listening": [(0, "w0r1")]}


def test_a_console_reads_what_the_trading_loop_writes_and_writes_nothing_to_it(
        kernel: Path, trade: Trade, tmp_path: Path) -> None:
    """The product's image with a live console, which is asked for books, registers and latencies meanwhile. Processor 0
    writes no line that the other touches but a few of the desk's, by which it is asked and asks."""
    lines = Lines(kernel, tmp_path)
    run = trade(kernel, 2000, pace_s=0.004, peer=AskingPeer, extra=(
        *lines.words(*LOOP), "-append", "console=live"))
    assert re.search("^top: 8 of 8 books$", run.console, re.MULTILINE)
    assert re.search("^  NIC  .* 0$", run.console, re.MULTILINE)
    shared = lines.shared()
    written = {name: [at for at, who in where if "w0" in who] for name, where in shared.items() if name != "relay_ring"}
    assert {name for name, where in written.items() if where} == {"kernel"}
    assert len(written["kernel"]) <= 4
    assert not any(0 <= at < LINE for at in written["kernel"]), "the line of the port, which each message writes"


def test_a_message_costs_one_shared_line(busy_image: Path, lines: Lines, tmp_path: Path) -> None:
    """Of the ring nothing is shared but the slots; the naive path's indices are, so the instrumentation does see it."""
    status, console = machine.run(machine.Setup(
        without(busy_image, BUSY_MARK, tmp_path / "idle.elf"), command_line="run=compare samples=600", processors=2,
        extra=lines.words("paths_produce", "smp_main")))
    assert status == machine.DONE, console
    shared = lines.shared()
    assert shared["naive"][0] == (0, "r0w0r1w1")
    slots = [offset for offset, _ in shared["ring"]]
    assert len(slots) == 600
    assert min(slots) >= 2 * LINE
