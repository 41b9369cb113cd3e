# SPDX-License-Identifier: MIT
"""The synthesis report: one row a module, levels as Yosys finds them, and a failure when there are too many."""

from __future__ import annotations

import re
import shutil

import pytest

from scripts import synth

pytestmark = pytest.mark.skipif(shutil.which("yosys") is None, reason="Yosys is not installed")


def table() -> str:
    return synth.PAGE.read_text().split(synth.BEGIN)[1].split(synth.END)[0]


def test_the_page_has_every_module():
    """`make synth` was run after the last module was added or removed."""
    assert re.findall(r"^\| `(\w+)` \|", table(), re.M) == synth.modules()


def test_no_module_of_the_page_has_too_many_levels():
    rows = re.findall(r"^\| `(\w+)` \|.* (\S+) \|$", table(), re.M)
    assert rows
    assert {name: levels for name, levels in rows if levels.isdecimal() and int(levels) > synth.LEVELS_LIMIT} == {}


def test_cells_are_those_of_the_last_statistics():
    """synth_xilinx prints statistics of its own before the ones that are asked for."""
    report = ("Number of cells: 9\n     LUT6  8\n     FDRE  1\n\n"
              "Number of cells: 5\n     LUT2  1\n     LUT6  2\n     FDSE  2\n")
    assert synth.cells(report) == {"LUT": 3, "FF": 2, "BRAM36": 0, "LUTRAM": 0, "CARRY4": 0}


def test_levels_are_counted_between_registers(tmp_path, monkeypatch):
    """A function of 8 inputs is two levels; a memory with a registered read ends a path."""
    source = tmp_path / "deep.v"
    source.write_text("""
module deep (input wire clk, input wire [15:0] a, input wire [15:0] m, output reg q);
  reg [15:0] r;
  reg [15:0] memory [0:1023];
  reg [15:0] word;
  always @(posedge clk) begin
    r <= a ^ m;
    q <= &r[6:0] ^ word[0];
    word <= memory[r[9:0]];
    if (r[10]) memory[m[9:0]] <= a;
  end
endmodule
""")
    monkeypatch.setattr(synth, "rtl_sources", lambda: [source])
    figures = synth.measure("deep")
    assert figures["levels"] == 2
    assert figures["BRAM36"] == 1
