# SPDX-License-Identifier: MIT
"""``--waves`` leaves RTL and kernel on one time axis, alike on both simulators, and does not change the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vcdvcd import VCDVCD

from tests.loop.conftest import SIMULATORS, RunDirectory
from waves.kernel import State

SCENARIO = ("--scenario", "opening", "--messages", "120")
PORT = ("tx_tvalid", "tx_tlast")
Completed = Callable[..., RunDirectory]


class Dump:
    """The changes of some signals of a run's dump, as (time, value) by name without scope and bit range."""

    def __init__(self, path: Path) -> None:
        names = VCDVCD(str(path), only_sigs=True, store_tvs=False).signals
        self.wanted = [
            name
            for name in names
            if name.startswith("kernel.") or name.removeprefix("testbench.nic.").split("[")[0] in PORT
        ]
        vcd = VCDVCD(str(path), signals=self.wanted)
        self.changes = {name.rsplit(".", 1)[-1].split("[")[0]: vcd[name].tv for name in self.wanted}

    def integers(self, name: str) -> list[tuple[int, int]]:
        return [(time, int(value, 2)) for time, value in self.changes[name] if "x" not in value]

    def texts(self, name: str) -> list[str]:
        values = [value for _, value in self.integers(name)]
        return [value.to_bytes((value.bit_length() + 7) // 8, "big").decode("latin-1").rstrip() for value in values]


@pytest.fixture(params=SIMULATORS)
def run(request: pytest.FixtureRequest, completed: Completed) -> RunDirectory:
    return completed("sim", *SCENARIO, "--sim", request.param, "--waves")


@pytest.fixture
def dump(run: RunDirectory) -> Dump:
    return Dump(run.path / "waves.vcd")


def test_waves_leave_the_run_alone(run: RunDirectory, completed: Completed) -> None:
    quiet = completed("sim", *SCENARIO, "--sim", run.json("run.json")["simulator"])
    assert run.json("run.json")["digest"] == quiet.json("run.json")["digest"]
    assert not list(quiet.path.glob("waves*")) + list(quiet.path.glob("trace.json"))


def test_the_kernel_is_in_the_waves_as_in_the_run_directory(run: RunDirectory, dump: Dump) -> None:
    """Messages in their order with their types, orders with their tokens, the target's best prices at the end."""
    messages, orders = run.lines("messages.jsonl"), run.lines("orders.jsonl")
    assert [value for _, value in dump.integers("sequence")] == [message["sequence"] for message in messages]
    assert dump.texts("message_type") == [message["type"] for message in messages]
    assert dump.texts("order_token") == [order["fields"]["order_token"] for order in orders] != []
    assert [value for _, value in dump.integers("orders_sent")] == list(range(len(orders) + 1))
    (target,) = dump.texts("target")
    assert target == orders[0]["fields"]["stock"].rstrip()
    book = next(book for book in run.json("books.json") if book["stock"].rstrip() == target)
    for name, side in (("best_bid", "bids"), ("best_ask", "asks")):
        assert dump.integers(name)[-1][1] == (book[side][0][0] if book[side] else 0)
    assert any(value for _, value in dump.integers("best_bid"))


def test_the_states_are_at_their_times(run: RunDirectory, dump: Dump) -> None:
    """A message goes through its states in order, the taps of latency.csv apart; the ring is empty at the end."""
    states = [(time, State(value)) for time, value in dump.integers("state")]
    assert [state for _, state in states[:2]] == [State.STARTING, State.POLLING]
    assert states[-1][1] == State.STOPPING
    parsing = [time for time, state in states if state == State.PARSING]
    sending = [time for time, state in states if state == State.SENDING]
    rows = [line.split(",") for line in (run.path / "latency.csv").read_text().splitlines()]
    columns = {name: [row[index] for row in rows[1:]] for index, name in enumerate(rows[0])}
    ps = run.json("run.json")["time_model"]["ps_per_instruction"]
    assert len(parsing) == len(rows) - 1
    assert len(sending) == len(run.lines("orders.jsonl"))
    decided = [
        start + int(work) * ps
        for start, work, orders in zip(
            parsing, columns["dequeue_to_decision"], columns["dequeue_to_doorbell"], strict=True
        )
        if orders
    ]
    assert decided == sending
    occupancy = [value for _, value in dump.integers("rx_occupancy")]
    assert max(occupancy) > 0
    assert min(occupancy) == occupancy[-1] == 0


def test_kernel_and_wire_share_the_time_axis(run: RunDirectory, dump: Dump) -> None:
    """From the kernel's doorbell to the first beat at the transmit port, in the waves, it is what latency.csv says."""
    level, starts = 0, []
    beats = {time: value for time, value in dump.changes["tx_tvalid"] if value in "01"}
    lasts = {time: value for time, value in dump.changes["tx_tlast"] if value in "01"}
    in_frame = last = 0
    for time in sorted({*beats, *lasts}):
        level, last = int(beats.get(time, level)), int(lasts.get(time, last))
        if level and not in_frame:
            starts.append(time)
        in_frame = level and not last
    doorbells = [time for time, _ in dump.integers("order_token")]
    rows = [line.split(",") for line in (run.path / "latency.csv").read_text().splitlines()]
    expected = [float(row[rows[0].index("doorbell_to_wire")]) for row in rows[1:]
                if row[rows[0].index("doorbell_to_wire")]]  # fmt: skip
    clock = 6.4  # the log's clock is that at whose end the beat is taken
    assert [(start - bell) / 1000 + clock for start, bell in zip(starts, doorbells, strict=True)] == \
        pytest.approx(expected, abs=0.001)  # fmt: skip
    assert expected


def test_fst_on_request(completed: Completed, tmp_path: Path) -> None:
    """The same waves in a small part of the space."""
    vcd = completed("sim", *SCENARIO, "--waves")
    fst = completed("sim", *SCENARIO, "--waves", "fst")
    assert not list(fst.path.glob("**/*.vcd"))
    assert (fst.path / "waves.fst").stat().st_size * 4 < (vcd.path / "waves.vcd").stat().st_size
    back = tmp_path / "back.vcd"
    subprocess.run(["fst2vcd", "-f", fst.path / "waves.fst", "-o", back], check=True, capture_output=True)
    one, other = Dump(back), Dump(vcd.path / "waves.vcd")
    for name in ("state", "sequence", "rx_occupancy", "tx_tvalid", "order_token"):
        assert one.integers(name) == other.integers(name)


def test_the_target_can_be_named(completed: Completed) -> None:
    default = Dump(completed("sim", *SCENARIO, "--waves").path / "waves.vcd")
    named = Dump(completed("sim", *SCENARIO, "--waves", "--waves-symbol", "TKAB").path / "waves.vcd")
    assert named.texts("target") == ["TKAB"] != default.texts("target")
    assert named.changes["best_bid"] != default.changes["best_bid"]


SCRIPT = """
set report [open report.txt w]
for {set i 0} {$i < [gtkwave::getTotalNumTraces]} {incr i} {
  puts $report "[gtkwave::getTraceNameFromIndex $i]=[gtkwave::getTraceValueAtMarkerFromIndex $i]"
}
close $report
gtkwave::/File/Print_To_File PS {Letter (8.5" x 11")} Full view.ps
gtkwave::setZoomFactor -14
gtkwave::setWindowStartTime START
gtkwave::/File/Print_To_File PS {Letter (8.5" x 11")} Full close.ps
gtkwave::/File/Quit
"""


@pytest.mark.parametrize("form", ["vcd", "fst"])
def test_gtkwave_renders_the_view(form: str, completed: Completed, tmp_path: Path) -> None:
    """Of a run directory that was moved: the first order's frame leaves at marker A, the kernel's values are shown by
    name and as text, what GTKWave draws has them."""
    vcd = completed("sim", *SCENARIO, "--waves", "vcd")
    moved = tmp_path / "moved"
    shutil.copytree(completed("sim", *SCENARIO, "--waves", form).path, moved)
    sending = next(time for time, state in Dump(vcd.path / "waves.vcd").integers("state") if state == State.SENDING)
    (moved / "view.tcl").write_text(SCRIPT.replace("START", str(sending - 40_000)))
    viewer = ["xvfb-run", "-a", "-s", "-screen 0 1920x1200x24", "gtkwave", f"waves.{form}", "waves.gtkw"]
    subprocess.run([*viewer, "-S", "view.tcl"], cwd=moved, check=True, capture_output=True, timeout=60)
    order = RunDirectory(moved, "").lines("orders.jsonl")[0]["fields"]
    values: dict[str, Any] = dict(
        line.split("=", 1) for line in (moved / "report.txt").read_text().splitlines() if "=" in line
    )
    assert values["tx_tvalid"] == "1"
    assert values["order_token"] == order["order_token"]
    assert values["symbol"].rstrip() == order["stock"].rstrip()
    assert values["message_type"] in "AFU"
    assert values["state"] == "polling"
    assert int(values["best_bid"]) == order["price"]
    drawn = {name: (moved / f"{name}.ps").read_text(encoding="latin-1") for name in ("view", "close")}
    for text in ("(A)", "(kernel {)", "(polling)", f"(best_bid={values['best_bid']})"):
        assert text in drawn["view"], text
    for text in ("(deciding)", "(sending)", f"({values['message_type']})"):
        assert text in drawn["close"], text


LOOK = """
set report [open report.txt w]
puts $report "marker=[gtkwave::getMarker]"
puts $report "start=[gtkwave::getWindowStartTime]"
for {set i 0} {$i < [gtkwave::getTotalNumTraces]} {incr i} {
  puts $report "[gtkwave::getTraceNameFromIndex $i]=[gtkwave::getTraceValueAtMarkerFromIndex $i]"
}
close $report
gtkwave::/File/Quit
"""


def shown_by_gtkwave(directory: Path, waves: Path, folder: Path, *arguments: str) -> dict[str, str]:
    """What ``tickloop waves`` opens, in a GTKWave that tells what it shows and ends; ``waves`` is where its dump is."""
    viewer, script = folder / "bin/gtkwave", folder / "look.tcl"
    viewer.parent.mkdir(exist_ok=True)
    script.write_text(LOOK)
    viewer.write_text(f'#!/bin/sh\nexec {shutil.which("gtkwave")} "$@" -S {script}\n')
    viewer.chmod(0o755)
    command = ["xvfb-run", "-a", "-s", "-screen 0 1920x1200x24", sys.executable, "-m", "tickloop", "waves",
               str(directory), *arguments]  # fmt: skip
    path = f"{viewer.parent}:{os.environ['PATH']}"
    subprocess.run(command, check=True, capture_output=True, timeout=120, env={**os.environ, "PATH": path})
    text = (waves / "report.txt").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_the_view_around_a_chosen_order_or_message(completed: Completed, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(completed("sim", *SCENARIO, "--waves", "vcd").path, run)
    order = RunDirectory(run, "").lines("orders.jsonl")[2]["fields"]
    shown = shown_by_gtkwave(run, run, tmp_path, "--around", "order:3")
    assert (shown["tx_tvalid"], shown["order_token"]) == ("1", order["order_token"])
    assert 0 < int(shown["marker"]) - int(shown["start"]) < 2_000_000

    message = next(line for line in RunDirectory(run, "").lines("messages.jsonl") if line["sequence"] == 60)
    shown = shown_by_gtkwave(run, run, tmp_path, "--around", "message:60")
    assert shown["rx_a_tvalid"] == "1"
    assert int(shown["sequence"]) < 60  # it is just coming in
    # The NIC's times count from the first frame, which holds message 1.
    first = shown_by_gtkwave(run, run, tmp_path, "--around", "message:1")
    assert (int(shown["marker"]) - int(first["marker"])) // 1000 == message["hw_timestamp_ns"]
    for what, says in (("order:1000", "the run sent"), ("message:5000", "no message with that sequence number")):
        refused = subprocess.run([sys.executable, "-m", "tickloop", "waves", str(run), "--around", what], check=False,
                                 capture_output=True, text=True)  # fmt: skip
        assert refused.returncode == 2
        assert says in refused.stderr


def test_waves_of_a_run_without_any_are_made_of_its_record(completed: Completed, tmp_path: Path) -> None:
    """The same signals as those of the run with waves, and made once."""
    run = tmp_path / "run"
    shutil.copytree(completed("sim", *SCENARIO).path, run)
    shown = shown_by_gtkwave(run, run / "waves", tmp_path, "--around", "order:1")
    order = RunDirectory(run, "").lines("orders.jsonl")[0]["fields"]
    assert (shown["tx_tvalid"], shown["order_token"]) == ("1", order["order_token"])
    made = (run / "waves/waves.vcd").stat().st_mtime_ns
    shown_by_gtkwave(run, run / "waves", tmp_path)
    assert (run / "waves/waves.vcd").stat().st_mtime_ns == made
