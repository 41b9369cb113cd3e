# SPDX-License-Identifier: MIT
"""The parts of the mutation score: proofs of equivalence, the stimulus file, the score, explanations of survivors."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from bridge.build import ROOT
from scripts import mutate
from scripts.mutants import equivalence, faults
from scripts.mutants.stimulus import BAD_FCS, LAST, VALID, Input, Stimulus

DESIGN = """
module replay (input wire clk, input wire [15:0] mutant, input wire [3:0] a, input wire write, output wire [3:0] seen);
  reg [3:0] memory [0:15];
  reg [3:0] sum;
  reg [3:0] word;
  wire [3:0] data = mutant == 4 && !write ? ~a : mutant == 5 ? ~a : a;
  always @(posedge clk) begin
    if (write)
      memory[a] <= data;
    word <= memory[mutant == 6 ? ~a : a];
    sum  <= mutant == 1 ? a + ~word + 4'd1 : mutant == 2 ? a + ~word : a - word;
  end
  assign seen = mutant == 3 ? sum & word : sum | word;
endmodule
"""


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    if shutil.which("yosys") is None:
        pytest.skip("Yosys is not installed")
    directory = tmp_path_factory.mktemp("cut")
    source, whole, path = directory / "replay.v", directory / "whole.il", directory / "cut.il"
    source.write_text(DESIGN)
    faults.run(["yosys", "-q", "-p", f"read_verilog {source}; prep -top replay -nordff; write_rtlil {whole}"], "yosys")
    path.write_text(equivalence.cut(whole.read_text()))
    return path


@pytest.mark.parametrize(("mutant", "equivalent"), [
    (1, True),   # another way to subtract
    (2, False),  # next state
    (3, False),  # output
    (4, True),   # what is not written
    (5, False),  # what is written
    (6, False),  # where is read
])
def test_equivalent_mutants_are_proven_and_no_others(design, mutant, equivalent):
    assert equivalence.proven(design, mutant) is equivalent


def test_a_netlist_without_state_is_refused():
    with pytest.raises(RuntimeError, match="no state"):
        equivalence.cut("module \\replay\nend\n")


def test_a_frame_is_on_its_port_and_junk_is_elsewhere(tmp_path):
    made = Stimulus(1)
    made.set(made.now, ENABLE=1)
    first = made.frame(0, bytes(range(1, 18)), clock=20)
    other = made.frame(1, b"\xAA" * 8, clock=21, bad_fcs=True)
    made.settle(5)
    made.write(tmp_path / "stimulus")
    words = np.fromfile(tmp_path / "stimulus", np.uint64)
    clocks, changes = map(int, words[:2])
    beats = words[2:2 + 3 * clocks].reshape(-1, 3)
    assert len(words) == 2 + 3 * clocks + 2 * changes
    on_a = np.flatnonzero(beats[:, 2] & VALID).tolist()
    assert on_a == [20, 21, 22]
    assert (first, other) == (22, 21)
    assert beats[on_a, 0].astype("<u8").tobytes()[:17] == bytes(range(1, 18))
    assert int(beats[22, 2]) & 0xFFFF == VALID | LAST | 1
    assert int(beats[21, 2]) >> 16 == VALID | LAST | BAD_FCS | 0xFF
    assert len(set(beats[:20, 0].tolist())) == 20
    pairs = words[2 + 3 * clocks:].reshape(-1, 2)
    assert [4 << 8 | Input.ENABLE, 1] in pairs.tolist()


def test_frames_wait_for_their_port():
    made = Stimulus(1)
    assert made.frame(0, bytes(24), clock=10) == 12
    assert made.frame(0, bytes(8), clock=10, gap=0) == 16
    assert made.frame(0, bytes(16), clock=10, pause=(1, 7)) == 17 + 8
    assert made.frame(1, bytes(8), clock=10) == 10


def test_equivalent_mutants_do_not_count():
    outcomes = [mutate.Outcome("u_a: x", mutate.KILLED)] * 3 + [mutate.Outcome("u_a: y", mutate.SURVIVED)]
    assert mutate.score(outcomes) == 75.0
    assert mutate.score([*outcomes, mutate.Outcome("u_a: z", mutate.EQUIVALENT)]) == 75.0


def test_a_survivor_must_be_explained(capsys):
    line = (ROOT / "rtl/silence.v").read_text().splitlines().index("    if (rst || !waits)") + 1
    place = f"u_silence_a: const0 Y[3] at arbiter.v:1.1-1.2 silence.v:{line}.5-9.1"
    outcomes = [mutate.Outcome("u_a: x", mutate.KILLED)] * 30 + [mutate.Outcome(place, mutate.SURVIVED)]
    reason = mutate.Explanation("silence.v", "rst || !waits", "because")
    assert mutate.report(outcomes, [reason])
    assert "because" in capsys.readouterr().out
    for other in (mutate.Explanation("silence.v", "no such code", "because"),
                  mutate.Explanation("turn.v", "rst", "because"),
                  mutate.Explanation("silence.v", "rst || !waits", "because", r"Y\[4\]")):
        assert not mutate.report(outcomes, [other])
    assert not mutate.report(outcomes[-4:], [reason])  # explained, but the score is too low


def test_explanations_are_about_code_that_is_there():
    reasons = mutate.explanations()
    assert reasons
    for reason in reasons:
        assert reason.code in (ROOT / "rtl" / reason.file).read_text(), reason
        assert reason.reason


@pytest.mark.skipif(shutil.which("yosys") is None, reason="Yosys is not installed")
def test_all_mutants_are_in_one_netlist(tmp_path):
    drawn = faults.draw(3, tmp_path)
    assert [mutant.number for mutant in drawn] == [1, 2, 3]
    assert all(mutant.place.startswith(("u_", "receive")) for mutant in drawn)
    text = (tmp_path / "mutants.v").read_text()
    assert "input [15:0] mutant;" in text
    for number in (1, 2, 3):
        assert re.search(rf"mutant == (16'h000|2'h){number}\b", text), number
