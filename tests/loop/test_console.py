# SPDX-License-Identifier: MIT
"""``sim --console``: somebody types to the kernel of a running loop. Looking changes nothing, not a bit of the run; a
kill stops trading at once, and the model, which is told of it in the kernel's own order, agrees with what follows."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from bridge.layout import FRAME_LOG, TraceKind
from bridge.record import read_log, read_trace
from tests.loop.conftest import ROOT, RunDirectory

SCENARIO = ("--scenario", "opening", "--messages", "400")
LONG = ("--scenario", "opening", "--messages", "20000")
CROSSING_PS = 2_000_000  # from the kernel's doorbell to the wire, and one message
PATIENCE_S = 30.0


class Session:
    """A run with a console, and a terminal that ``tickloop console`` has joined to it."""

    def __init__(self, out: Path, *arguments: str | Path) -> None:
        self.out = out
        self.shown = ""
        command = [sys.executable, "-m", "tickloop"]
        self._run = subprocess.Popen([*command, "sim", *map(str, arguments), "--console", "--out", str(out)], cwd=ROOT,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._run.stderr
        while "console" not in (line := self._run.stderr.readline()).split():
            assert line, "the run ended"
        self._master, slave = pty.openpty()
        self._terminal = subprocess.Popen([*command, "console", str(out)], cwd=ROOT, stdin=slave, stdout=slave,
                                          stderr=slave, start_new_session=True)
        os.close(slave)
        self.expect("^held: before the first record")  # what is typed before finds no kernel

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.kill()
        self._run.kill()
        self._terminal.wait()
        self._run.communicate()
        os.close(self._master)

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait for it in what has been shown since the last time; what was before it is let go."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.shown, re.MULTILINE)):
            assert time.monotonic() < deadline, f"{pattern!r} did not come: {self.shown}"
            if select.select([self._master], [], [], 0.5)[0]:
                self.shown += os.read(self._master, 65536).decode("latin-1").replace("\r\n", "\n")
        self.shown = self.shown[found.end():]
        return found

    def type(self, text: str) -> None:
        os.write(self._master, text.encode("latin-1"))

    def ask(self, line: str, pattern: str) -> re.Match[str]:
        self.type(line + "\r")
        self.expect(f"> {re.escape(line)}\n")
        return self.expect(pattern)

    def finish(self) -> RunDirectory:
        output, errors = self._run.communicate(timeout=60)
        assert self._run.returncode == 0, output + errors
        assert self._terminal.wait(10) == 0
        return RunDirectory(self.out, output)


def read_counters(at: Session) -> dict[str, int]:
    """What ``netstat`` shows of the NIC, behind the feed's line."""
    shown = at.expect(r"((?:^  NIC .*\n)+)  session ")[1]
    counters = {name: int(count) for name, count in re.findall(r"  ([a-z]\w*(?: [a-z]\w*)*) +(\d+)", shown)}
    assert len(counters) == 41
    return counters


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    sessions: list[Session] = []

    def start(*arguments: str) -> Session:
        sessions.append(Session(tmp_path / "run", *arguments))
        sessions[-1].__enter__()
        return sessions[-1]

    yield start
    for each in sessions:
        each.__exit__()


def test_a_run_that_was_looked_at_is_the_same_to_the_bit(
    session: Callable[..., Session], completed: Callable[..., RunDirectory]
) -> None:
    at = session(*SCENARIO)
    at.ask("top", "^top: 0 of 0 books$")
    at.ask("go 2500", r"^held: at 25\d{5} ns$")
    symbol = at.ask("top", r"^  (\w+) +([\d.]+) +([\d.]+) +0  open +best_bid$")
    # The best prices stand first in the symbol's book, and every level of a side is worse than the one before.
    at.ask(f"book {symbol[1]}", rf"^book: {symbol[1]}, locate \d+, open, \d+ bid levels, \d+ ask levels$")
    at.expect(r"^  orders .*\n")
    rows = at.expect(r"((?:[\d. ]{30} \|.*\n)+)")[1].splitlines()
    best = rows[0].split()
    assert best[2:5] == [symbol[2], "|", symbol[3]]
    bids = [float(row[:30].split()[2]) for row in rows if row[:30].strip()]
    asks = [float(row[32:].split()[0]) for row in rows if row[32:].strip()]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    sent = int(at.ask("orders", r"^orders: (\d+) sent, 0 open at the exchange")[1])
    at.ask("risk", "^risk: orders may be sent$")
    at.ask("pos", "^pos: 0 shares, cash 0")
    at.ask("strategy", r"^    1  best_bid +\d+ books$")
    records = int(at.ask("lat", r"^  message +(\d+) +\d+ +\d+ +\d+ +\d+ +\d+ +\d+$")[1])
    at.ask("trace on", "")
    at.ask("go 100", rf"^trace: message {records + 1}, type \w, locate \d+: \d+ instructions")
    at.expect("^held: at ")
    at.ask("trace off", "")
    at.ask("mem", "^  heap: every live block is whole$")
    at.ask("ps", "^ps: no tasks; the trading loop has this processor to itself$")
    at.ask("uptime", r"^uptime: \d+ s")
    at.ask("bok", "^command: bok: not known$")
    at.type("x" * 80 + "\r")
    at.expect("^console: a line has at most 63 characters; this one is not taken$")
    at.type("kill\xff\x00\r")
    at.expect(r"^console: 2 byte\(s\) of this line were no text; it is not taken$")
    at.ask("help", "^  kill +no more orders$")
    at.type("go\r")
    run, usual = at.finish(), completed("sim", *SCENARIO)
    assert run.json("run.json")["digest"] == usual.json("run.json")["digest"]
    assert run.json("run.json")["reproducible"] is False
    assert run.json("run.json")["live_input"] is True
    assert 0 < sent < len(usual.lines("orders.jsonl"))


def test_a_kill_and_what_follows_while_the_run_is_held(
    session: Callable[..., Session], completed: Callable[..., RunDirectory],
    tickloop: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path,
) -> None:
    at = session(*SCENARIO)
    at.ask("go 2500", "^held: at ")
    at.ask("kill", "")
    at.ask("go 1000", "^command: kill\n")
    at.expect("^trading: stopped by the kill switch$")
    at.expect("^held: at ")
    at.ask("risk", "^risk: stopped by the kill switch$")
    at.ask("netstat", r"^  RX ring   1024 slots, \d+ lines taken")
    records = int(at.expect(r"^  feed      (\d+) records")[1])
    counters = read_counters(at)
    assert counters["frames"] == counters["accepted"] + sum(
        count for name, count in counters.items() if name.startswith("dropped "))
    assert counters["messages ok"] >= records > 0
    assert counters["gaps"] == counters["duplicates"] == counters["messages bad"] == 0
    at.ask("resume", "")
    at.ask("cancel  all", "")
    at.type("go\r")
    run, usual = at.finish(), completed("sim", *SCENARIO)
    times, others = ([line["time_ns"] for line in each.lines("orders.jsonl") if line["type"] == "O"]
                     for each in (run, usual))
    assert any(2_500_000 < time < 3_500_000 for time in others)
    assert not any(2_502_000 < time < 3_500_000 for time in times)
    assert any(time > 3_510_000 for time in times)
    assert any(line["type"] == "X" for line in run.lines("orders.jsonl"))
    _, notes = read_trace(run.path / "record")
    assert b"".join(note.value.to_bytes(8, "little") for note in notes if note.kind == TraceKind.CONSOLE) == \
        b"kill\0\0\0\0resume\0\0cancel all\0\0\0\0\0\0"
    refused = tickloop("replay", run.path, "--kernel", "--out", tmp_path / "kernel")
    assert refused.returncode == 2
    assert "what was typed at its console is not in the record" in refused.stderr
    assert tickloop("replay", run.path, "--rtl", "--out", tmp_path / "rtl").returncode == 0


def test_files_of_commands(session: Callable[..., Session], tmp_path: Path) -> None:
    """One whose every line is right is carried out; with a line that is not, none is, and the kernel stops trading."""
    files = tmp_path / "files"
    (files / "days").mkdir(parents=True)
    (files / "days/good").write_text("# at the open\n\nrisk   # first\nstrategy TKAA off\n"
                                   "strategy TKAB  market_maker tick=500\nkill\n")
    (files / "bad").write_text("resume\ntop\nkil\ncancel all\n")
    at = session(*SCENARIO, "--files", files)
    at.ask("ls", "^ +\\d+  config.bin$")
    at.expect("^          days/$")
    at.ask("cat bad", "^kil$")
    at.ask("go 2500", "^held: at ")
    at.ask("run days/good", "^risk: orders may be sent$")
    at.ask("top", "^top: 8 of 8 books$")
    at.ask("strategy TKAB market_maker tick=0", "tick=0: a parameter is out of range$")
    at.ask("resume", "")  # a file leaves a place free
    at.ask("resume", "^resume: 4 commands wait already; this one is not taken$")
    at.ask("add late strategy TKAA best_bid shares=9", "")
    at.ask("add late strategy TKAA best_bid share=9", "")
    at.ask("run late", "^run: late, line 2: strategy TKAA best_bid share=9: the strategy has no such parameter$")
    at.ask("run bad", "^run: bad, line 3: kil: not a command of this run$")  # its kill finds room when the run goes on
    at.type("go\r")
    run = at.finish()
    _, notes = read_trace(run.path / "record")
    typed = b"".join(note.value.to_bytes(8, "little") for note in notes if note.kind == TraceKind.CONSOLE)
    assert typed.replace(b"\0", b" ").split() == \
        b"strategy TKAA off strategy TKAB market_maker tick=500 kill resume kill".split()
    assert run.json("run.json")["kernel_statistics"]["orders_refused_kill"] > 0


def test_a_kill_typed_into_a_running_loop_stops_trading(
    session: Callable[..., Session], completed: Callable[..., RunDirectory]
) -> None:
    """The kill switch while nothing is held: wherever the run has come to, no order leaves after it."""
    at = session(*LONG)
    at.ask("go 2500", "^held: at ")
    at.type("go\rkill\r")
    at.expect("^command: kill$")
    at.expect("^trading: stopped by the kill switch$")
    run = at.finish()
    _, notes = read_trace(run.path / "record")
    (kill,) = (note for note in notes if note.kind == TraceKind.CONSOLE)
    origin_ps = (int(read_log(run.path / "record", "frames", FRAME_LOG)["first_clock"].min()) - 1) * 6400
    times = [line["time_ns"] for line in run.lines("orders.jsonl")]
    assert times
    assert max(times) * 1000 + origin_ps < kill.time_ps + CROSSING_PS
    assert run.json("run.json")["kernel_statistics"]["commands"] == 1
    assert run.json("run.json")["kernel_statistics"]["orders_refused_kill"] > 0


def test_a_free_run_is_looked_at_from_the_other_processor(session: Callable[..., Session]) -> None:
    """Histograms and trace belong to the console's task there: looking neither hangs nor stops the trading loop."""
    at = session(*SCENARIO, "--mode", "free")
    at.ask("ps", r"^  console +1  running ")
    at.ask("lat", "^lat: of 0 entries of the trace$")
    at.ask("go 5", "^go: a free run has no simulated time to stop at$")
    at.ask("netstat", r"^  feed      0 records")
    read_counters(at)
    at.ask("trace on", "")
    at.ask("resume", "")
    at.ask("go", r"^trace: message \d+, type \w, locate \d+: \d+ instructions")
    at.type("lat\rlat\rtop\r")
    run = at.finish()
    assert run.json("run.json")["kernel_statistics"]["commands"] == 1
    assert run.json("run.json")["kernel_statistics"]["records"] == 400
