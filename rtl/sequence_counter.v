// SPDX-License-Identifier: MIT
// The number after a message's, counted on through a packet: 64 bits in two halves. The upper half's successor is known
// before a carry needs it, so a step is no deeper than 32 bits.
`default_nettype none

module sequence_counter (
  input  wire        clk,
  input  wire        open,                // may be loaded, not stepped
  input  wire        load,                // value becomes first + 1
  input  wire [63:0] first,
  input  wire        step,
  output wire [63:0] value
);

  reg  [31:0] low;
  reg  [31:0] high;
  reg  [31:0] high_next;                  // right in every clock that can carry into it

  wire [31:0] low_from  = open ? first[31:0] : low;
  wire [31:0] high_from = open ? first[63:32] : high;
  wire [31:0] low_more  = low_from + 32'd1;
  wire [31:0] high_more = high_from + 32'd1;
  wire        carries   = low_from == 32'hFFFF_FFFF;

  always @(posedge clk) begin
    high_next <= high_more;
    if (load || step)
      low <= low_more;
    if (load)
      high <= carries ? high_more : first[63:32];
    else if (step && carries)
      high <= high_next;
  end

  assign value = {high, low};

endmodule
`default_nettype wire
