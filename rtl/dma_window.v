// SPDX-License-Identifier: MIT
// Whether a run of 64-byte lines lies inside one of the two windows that the host granted. The windows come as line
// numbers (window_lines); the answer stands 2 clocks after the question, one question a clock.
//
// Line numbers have 58 bits, sums and ends 59: nothing wraps, and a run over the top of the address space is never
// inside. A window without a whole line ends at or before its first line: nothing is inside it.
`default_nettype none

module dma_window (
  input  wire        clk,

  input  wire [58:0] window_first,    // first line of the window
  input  wire [58:0] window_end,      // the line behind its last
  input  wire [58:0] window2_first,
  input  wire [58:0] window2_end,

  input  wire [57:0] line,            // first line of the run: address / 64
  input  wire [16:0] lines,           // at least 1
  output reg         granted
);

  reg [57:0] run_first;
  reg [58:0] run_end;

  always @(posedge clk) begin
    run_first <= line;
    run_end   <= {1'b0, line} + {42'd0, lines};
    granted   <= ({1'b0, run_first} >= window_first && run_end <= window_end)
                 || ({1'b0, run_first} >= window2_first && run_end <= window2_end);
  end

endmodule
`default_nettype wire
