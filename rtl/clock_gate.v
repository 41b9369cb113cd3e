// SPDX-License-Identifier: MIT
// The clock of a part that is at rest most of the time. `enable` is 1 while anything asks something of the part or is
// under way in it; the clock runs on for TAIL clocks behind that. Stopping it changes nothing that can be seen outside.
//
// As it stands, and in an FPGA, where clock routing is scarce, the clock passes straight through. With
// TICKLOOP_GATE_CLOCKS this is the gating cell of a standard cell library, and a simulator has nothing to do for a part
// whose clock stands. So the NIC is simulated; proofs, synthesis and some benches have it without gates, and tests hold
// the two against each other.
`default_nettype none

module clock_gate #(
  parameter TAIL = 2                  // at least 2
) (
  input  wire clk,
  input  wire enable,
  output wire gated
);

`ifdef TICKLOOP_GATE_CLOCKS
  reg [TAIL-1:0] recent;              // `enable` in the clocks before

  always @(posedge clk)
    recent <= {recent[TAIL-2:0], enable};

`ifdef TICKLOOP_CLOCK_PULSE
  // The clock falls with whatever its rising edge changes: there is no high phase in which `enable` could change.
  assign gated = clk && (enable || recent != {TAIL{1'b0}});
`else
  reg       open;

  // A latch, closed while the clock is high: the gated clock has no glitch.
  /* verilator lint_off LATCH */
  always @*
    if (!clk)
      open = enable || recent != {TAIL{1'b0}};
  /* verilator lint_on LATCH */

  assign gated = clk && open;
`endif
`else
  assign gated = clk;

  wire unused = &{1'b0, enable, TAIL != 0};
`endif

endmodule
`default_nettype wire
