// SPDX-License-Identifier: MIT
// Watches a line that the other one waits for: `silent` after 2^LIMIT_LOG2 clocks without an entry.
`default_nettype none

module silence #(
  parameter LIMIT_LOG2 = 12
) (
  input  wire clk,
  input  wire rst,
  input  wire active,                     // an entry is there
  input  wire awaited,                    // the other line waits
  output wire silent
);

  reg                waits;
  reg [LIMIT_LOG2:0] clocks;

  always @(posedge clk) begin
    waits <= awaited && !active && !rst;
    if (rst || !waits)
      clocks <= {LIMIT_LOG2 + 1{1'b0}};
    else if (!silent)
      clocks <= clocks + 1'b1;
  end

  assign silent = clocks[LIMIT_LOG2];

endmodule
`default_nettype wire
