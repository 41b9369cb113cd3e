# SPDX-License-Identifier: MIT
"""The GTKWave save file: every signal it names is in the dump, enumerations have names; and the viewer's start."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from bridge.build import rtl_sources
from bridge.layout import DropReason
from waves.save_file import GROUPS, nic_signals, write_save_file


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


def test_every_signal_of_the_view_is_in_the_dump(dump):
    path, missing = write_save_file(dump)
    assert missing == []
    signals = nic_signals(dump)
    assert signals["rx_a_tdata"] == "testbench.nic.rx_a_tdata[63:0]"
    assert signals["clk"] == "testbench.nic.clk"
    text = path.read_text()
    for names in GROUPS.values():
        for name in names:
            assert f"{{{name}}} {signals[name]}" in text


def test_reasons_are_shown_by_name(dump):
    path, _ = write_save_file(dump)
    filters = set(re.findall(r"\^\d+ (\S+)", path.read_text()))
    assert len(filters) == 2
    reasons = next(name for name in filters if "DropReason" in name)
    with open(reasons, encoding="ascii") as file:
        assert file.read().splitlines()[DropReason.BAD_UDP_CHECKSUM] == "0F bad_udp_checksum"


def test_the_viewer_is_missing(command, tmp_path, monkeypatch):
    (tmp_path / "waves.vcd").write_text("$enddefinitions $end\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    finished = command("waves", tmp_path)
    assert finished.status == 3
    assert "gtkwave is missing" in finished.error_line()


def test_the_viewer_gets_dump_and_save_file(command, tmp_path, monkeypatch):
    (tmp_path / "waves.vcd").write_text("$enddefinitions $end\n")
    viewer = tmp_path / "bin" / "gtkwave"
    viewer.parent.mkdir()
    viewer.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    viewer.chmod(0o755)
    monkeypatch.setenv("PATH", f"{viewer.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    assert command("waves", tmp_path).status == 0
    assert (tmp_path / "called").read_text().split() == [str(tmp_path / "waves.vcd"), str(tmp_path / "waves.gtkw")]
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    finished = command("waves", tmp_path)
    assert finished.status == 3
    assert "no display" in finished.error_line()
