// SPDX-License-Identifier: MIT
// The window check grants a run of lines exactly when every byte of it lies in one of the two windows, given as bytes;
// in arithmetic of a bit more that cannot wrap. Windows stand still, as they do while a ring is on. Address bits far from
// line size, half words and the top of memory are 0, which leaves every carry its way and the solver less to do.
`default_nettype none

module dma_window_proof (
  input wire        clk,
  input wire [63:0] base,
  input wire [63:0] size,
  input wire [63:0] base2,
  input wire [63:0] size2,
  input wire [57:0] line,
  input wire [16:0] lines
);

  wire [58:0] first;
  wire [58:0] beyond;
  wire [58:0] first2;
  wire [58:0] beyond2;
  wire        granted;

  window_lines u_window_lines (
    .clk    (clk),
    .base   (base),
    .size   (size),
    .first  (first),
    .beyond (beyond)
  );

  window_lines u_window2_lines (
    .clk    (clk),
    .base   (base2),
    .size   (size2),
    .first  (first2),
    .beyond (beyond2)
  );

  dma_window u_dma_window (
    .clk           (clk),
    .window_first  (first),
    .window_end    (beyond),
    .window2_first (first2),
    .window2_end   (beyond2),
    .line          (line),
    .lines         (lines),
    .granted       (granted)
  );

  localparam        SETTLED = 3;      // window_lines
  localparam [63:0] MASK    = 64'hE000_0001_8000_01F1;

  reg [2:0]   clocks = 3'd0;
  reg [255:0] windows;
  reg [57:0]  line_1;
  reg [57:0]  line_2;
  reg [16:0]  lines_1;
  reg [16:0]  lines_2;

  // The run asked for two clocks ago, in bytes.
  wire [64:0] run_begin  = {1'b0, line_2, 6'd0};
  wire [64:0] run_end    = run_begin + {42'd0, lines_2, 6'd0};
  wire [64:0] window_end = {1'b0, base} + {1'b0, size};
  wire [64:0] other_end  = {1'b0, base2} + {1'b0, size2};
  wire [64:0] top        = 65'h1_0000_0000_0000_0000;
  wire        in_first     = run_begin >= {1'b0, base} && run_end <= window_end;
  wire        in_second    = run_begin >= {1'b0, base2} && run_end <= other_end;

  always @(posedge clk) begin
    if (clocks != 3'd7)
      clocks <= clocks + 3'd1;
    windows <= {base, size, base2, size2};
    line_1  <= line;
    lines_1 <= lines;
    line_2  <= line_1;
    lines_2 <= lines_1;

    assume (lines != 17'd0 && lines[16:3] == 14'd0);
    assume (((base | size | base2 | size2 | {line, 6'd0}) & ~MASK) == 64'd0);
    if (clocks != 3'd0)
      assume ({base, size, base2, size2} == windows);
    if (clocks > SETTLED + 2)
      assert (granted == (run_end <= top && (in_first || in_second)));
  end

endmodule
`default_nettype wire
