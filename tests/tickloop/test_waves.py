# SPDX-License-Identifier: MIT
"""Kernel and RTL in one dump, wherever its pieces end; the save file, whose every signal is in the dump and whose paths
are relative; and the viewer's start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from random import Random

import pytest
from vcdvcd import VCDVCD

from bridge.build import rtl_sources
from bridge.layout import DropReason
from tickloop.waves import last_run
from waves import timeline
from waves.dump import DumpError, read_definitions
from waves.save_file import GROUPS, KERNEL, write_save_file, write_view_around
from waves.timeline import VARIABLES, merge


@pytest.fixture
def dump(root, tmp_path):
    """A VCD of the idle NIC with the testbench's scopes, made by Icarus Verilog from the NIC's own port list."""
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed")
    ports = re.findall(r"^  (input|output) wire\s+(\[\S+\])?\s*(\w+),?$", (root / "rtl/smartnic.v").read_text(), re.M)
    tied = {"input": "1'b0", "output": ""}
    connections = ", ".join(f".{name}({tied[direction]})" for direction, _, name in ports)
    bench = tmp_path / "testbench.v"
    bench.write_text(f'module testbench;\n  smartnic nic ({connections});\n'
                     f'  initial begin $dumpfile("{tmp_path}/waves.vcd"); $dumpvars(0, testbench); #10 $finish; end\n'
                     "endmodule\n")
    program = tmp_path / "bench.vvp"
    subprocess.run(["iverilog", "-g2012", f"-I{root / 'rtl'}", "-o", program, bench, *rtl_sources()], check=True)
    subprocess.run(["vvp", "-n", program], check=True, capture_output=True)
    return tmp_path / "waves.vcd"


def definitions_of(path):
    with path.open("rb") as file:
        return read_definitions(file)[0]


def test_every_signal_of_the_view_is_in_the_dump(dump):
    definitions = definitions_of(dump)
    path, missing = write_save_file(dump, definitions)
    assert missing == []
    assert definitions["testbench.nic.rx_a_tdata"].viewer_name == "testbench.nic.rx_a_tdata[63:0]"
    assert definitions["testbench.nic.clk"].viewer_name == "testbench.nic.clk"
    text = path.read_text()
    for group in GROUPS.values():
        for name in group.rows:
            assert (f"{{{name}}} testbench.nic.{name}" in text) == (group.scope != KERNEL)


def test_a_signal_that_the_dump_lacks_is_named(dump):
    definitions = definitions_of(dump)
    del definitions["testbench.nic.tx_tlast"]
    _, missing = write_save_file(dump, definitions)
    assert missing == ["testbench.nic.tx_tlast"]


def test_reasons_are_shown_by_name(dump, tmp_path):
    path, _ = write_save_file(dump, definitions_of(dump))
    filters = set(re.findall(r"\^\d+ (\S+)", path.read_text()))
    assert filters == {"record/DropReason.filter", "record/FrameKind.filter"}
    names = (tmp_path / "record/DropReason.filter").read_text(encoding="ascii").splitlines()
    assert names[DropReason.BAD_UDP_CHECKSUM] == "0F bad_udp_checksum"


def test_the_first_orders_are_markers(dump):
    """GTKWave has 26 of them; the view begins just before the first."""
    orders = [5_000_000 + 1000 * number for number in range(40)]
    path, _ = write_save_file(dump, definitions_of(dump), orders)
    text = path.read_text()
    (markers,) = re.findall(r"^\*\S+ \d+((?: -?\d+)+)$", text, re.M)
    assert [int(marker) for marker in markers.split()] == orders[:26]
    (start,) = re.findall(r"^\[timestart\] (\d+)$", text, re.M)
    assert orders[0] - 2_000_000 < int(start) < orders[0]


TESTBENCH = """$date today $end
$timescale 1ps $end
$scope module testbench $end
$var wire 64 $ clock [63:0] $end
$var wire 1 # odd $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
bx $
x#
$end
#3200
b0 $
#67200
b1 $
0#
"""


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_the_kernel_is_merged_at_its_times(tmp_path, monkeypatch, piece):
    """Wherever the pieces of the copy end: no change of the RTL is lost or moved, each of the kernel's is where it was
    put, before the dump's first clock, between its time stamps, on them and behind the last."""
    monkeypatch.setattr(timeline, "PIECE_BYTES", piece)
    random = Random(piece)
    clocks = [(67200 + 6400 * n, n + 1) for n in range(1, 200) if random.random() < 0.4]
    source = tmp_path / "rtl.vcd"
    source.write_text(TESTBENCH + "".join(f"#{time}\nb{clock:b} $\n{clock & 1}#\n" for time, clock in clocks))
    times = sorted({0, 6400 * 30, 6400 * 300, *(random.randrange(6400 * 220) for _ in range(100))})
    states = [(time, "state", number % 6) for number, time in enumerate(times)]
    rest = [(times[3], "symbol", "TKAA"), (times[3], "best_bid", 710400), (times[4], "message_type", ord("A"))]
    kernel = sorted([*states, *rest], key=lambda change: change[0])
    target = tmp_path / "merged.vcd"
    definitions, origin = merge(source, target, kernel)
    assert origin == 67200
    assert {f"{KERNEL}.{name}" for name in VARIABLES} | {"testbench.clock", "testbench.odd"} == set(definitions)

    before, after = VCDVCD(str(source)), VCDVCD(str(target))
    for name in before.signals:
        assert after[name].tv == before[name].tv
    assert len(before["testbench.clock[63:0]"].tv) == len(clocks) + 3
    assert [(t, int(v, 2)) for t, v in after["kernel.state[2:0]"].tv] == [(origin + t, v) for t, _, v in states]
    assert after["kernel.symbol[63:0]"].tv == [(origin + times[3], f"{int.from_bytes(b'TKAA    ', 'big'):b}")]
    assert after["kernel.best_bid[31:0]"].tv == [(origin + times[3], f"{710400:b}")]


def test_a_dump_without_the_testbench_is_refused(tmp_path):
    for text, complaint in (("no dump\n", "no VCD file"), (TESTBENCH.replace("clock", "other"), "not in the dump"),
                            (TESTBENCH.replace("b1 $", "b10 $"), "never started")):
        (tmp_path / "a.vcd").write_text(text)
        with pytest.raises(DumpError, match=complaint):
            merge(tmp_path / "a.vcd", tmp_path / "b.vcd", [])


def test_the_converter_is_missing(command, tmp_path, monkeypatch):
    """Told before the run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    finished = command("sim", "--waves", "fst", "--out", tmp_path / "run")
    assert finished.status == 3
    assert "vcd2fst is missing; on Debian: apt-get install -y gtkwave" in finished.error_line()


@pytest.mark.parametrize(("arguments", "complaint"), [
    (("--waves=xml",), "--waves xml: choose vcd or fst"), (("--waves", "none.pcap"), "none.pcap"),
])
def test_the_format_is_optional(command, tmp_path, arguments, complaint):
    """A CAPTURE behind --waves is a capture."""
    finished = command("sim", *arguments, "--out", tmp_path)
    assert finished.status == 2
    assert complaint in finished.error_line()


def test_the_viewer_is_missing(command, tmp_path, monkeypatch):
    (tmp_path / "waves.vcd").write_text("$enddefinitions $end\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    finished = command("waves", tmp_path)
    assert finished.status == 3
    assert "gtkwave is missing" in finished.error_line()


def test_the_viewer_gets_dump_and_save_file(command, tmp_path, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    (run / "waves.vcd").write_text("$enddefinitions $end\n")
    viewer = tmp_path / "bin" / "gtkwave"
    viewer.parent.mkdir()
    viewer.write_text(f'#!/bin/sh\npwd > {tmp_path}/called\necho "$@" >> {tmp_path}/called\n')
    viewer.chmod(0o755)
    monkeypatch.setenv("PATH", f"{viewer.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    assert command("waves", run).status == 0
    assert (tmp_path / "called").read_text().split() == [str(run), "waves.vcd", "waves.gtkw"]
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    finished = command("waves", run)
    assert finished.status == 3
    assert finished.error_line().endswith(f"; on a desktop: cd {run} && gtkwave waves.vcd waves.gtkw")
    (run / "waves.vcd").unlink()
    (run / "run.json").write_text("{}")  # of a run whose waves would have to be made first
    assert command("waves", run).error_line().endswith(f"; on a desktop: tickloop waves {run}")


@pytest.mark.parametrize("what", ["order", "order:0", "order:x", "message:-1", "frame:3", ""])
def test_a_moment_that_is_none(command, tmp_path, what):
    finished = command("waves", tmp_path, "--around", what)
    assert finished.status == 2
    assert "order:N, the N-th order, or message:N" in finished.error_line()


def test_the_view_around_another_moment(dump):
    """The same signals, from another time on, with the primary marker there; the named markers stay."""
    path, _ = write_save_file(dump, definitions_of(dump), [5_000_000, 9_000_000], origin_ps=67_200)
    around = write_view_around(path, 8_000_000, 100_000)
    assert around == dump.parent / "around.gtkw"
    before, after = (each.read_text().splitlines() for each in (path, around))
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    rest = " ".join(["-1"] * 24)
    assert [b for _, b in changed] == [
        '[savefile] "around.gtkw"', "[timestart] 7967200", f"*-18.000000 8067200 5000000 9000000 {rest}"]


def test_a_view_of_an_earlier_version_has_no_other_moments(dump):
    path, _ = write_save_file(dump, definitions_of(dump))
    with pytest.raises(DumpError, match="make the waves again"):
        write_view_around(path, 0, 0)


def test_the_last_run_is_the_one_that_ended_last(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = command("waves")
    assert finished.status == 2
    assert "out: no run here; make sim makes one" in finished.error_line()
    for age, name in enumerate(("new", "old/of_several", "oldest")):
        run = tmp_path / "out" / name
        run.mkdir(parents=True)
        (run / "run.json").write_text("{}")
        os.utime(run / "run.json", (10_000 - age, 10_000 - age))
    assert last_run(tmp_path / "out") == tmp_path / "out/new"
