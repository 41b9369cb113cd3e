// SPDX-License-Identifier: MIT
// Internet checksum (RFC 1071): the complement of the ones' complement sum of 16-bit big-endian words, 24 bytes a
// clock. `checksum` holds the result one clock after the last 24 bytes; words of zero do not change it.
`default_nettype none

module checksum (
  input  wire         clk,
  input  wire         add,            // take `data` in this clock
  input  wire         restart,        // with add: begin a new sum, from `seed`
  input  wire [15:0]  seed,
  input  wire [191:0] data,           // byte k at bits 8k+7:8k

  output wire [15:0]  checksum
);

  // 12 words a clock; 22 bits hold the sum of 64 words, more than any header or order segment has here.
  reg  [21:0] sum;
  reg  [21:0] words;
  integer     i;

  always @* begin
    words = 22'd0;
    for (i = 0; i < 12; i = i + 1)
      words = words + {6'd0, data[16 * i +: 8], data[16 * i + 8 +: 8]};
  end

  always @(posedge clk)
    if (add)
      sum <= (restart ? {6'd0, seed} : sum) + words;

  // The second fold cannot carry again: the first leaves at most 0xFFFF + 0x3F.
  wire [16:0] folded_once  = {1'b0, sum[15:0]} + {11'd0, sum[21:16]};
  wire [15:0] folded_twice = folded_once[15:0] + {15'd0, folded_once[16]};

  assign checksum = ~folded_twice;

endmodule
`default_nettype wire
