// SPDX-License-Identifier: MIT
// How far `first` lies behind `second`, modulo 2^64 (MoldUDP64 sequence numbers), one clock after they were given. The
// upper half is computed for both carries and chosen behind the register: half the depth of a 64-bit subtraction.
`default_nettype none

module sequence_distance (
  input  wire        clk,
  input  wire [63:0] first,
  input  wire [63:0] second,

  output wire [63:0] behind,              // second - first
  output wire        is_ahead,            // first is 1 to 2^63 - 1 ahead of second
  output wire        is_behind            // first is 1 to 2^63 behind second
);

  reg  [31:0] low;
  reg         borrow;
  reg  [31:0] high;
  reg  [31:0] high_borrowed;
  reg         low_equal;                  // in all bits but the highest: behind is 0 or 2^63

  always @(posedge clk) begin
    {borrow, low} <= {1'b0, second[31:0]} - {1'b0, first[31:0]};
    high          <= second[63:32] - first[63:32];
    high_borrowed <= second[63:32] + ~first[63:32];
    low_equal     <= second[62:0] == first[62:0];
  end

  assign behind    = {borrow ? high_borrowed : high, low};
  assign is_ahead  = behind[63] && !low_equal;
  assign is_behind = behind[63] == low_equal;

endmodule
`default_nettype wire
