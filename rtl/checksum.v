// SPDX-License-Identifier: MIT
// Internet checksum (RFC 1071): the complement of the ones' complement sum of 16-bit big-endian words, 24 bytes a
// clock. `checksum` holds the result two clocks after the last 24 bytes; words of zero do not change it.
//
// The words of a clock are counted bit by bit, six at a time (one LUT a bit of a count), until two numbers are left;
// the clock after adds those to the sum: no step is deeper than one carry chain.
`default_nettype none

module checksum (
  input  wire         clk,
  input  wire         add,            // take `data` in this clock
  input  wire         restart,        // with add: begin a new sum, from `seed`
  input  wire [15:0]  seed,
  input  wire [191:0] data,           // byte k at bits 8k+7:8k

  output wire [15:0]  checksum
);

  function [2:0] ones;                // of six bits
    input [5:0] bits;
    ones = {2'd0, bits[0]} + {2'd0, bits[1]} + {2'd0, bits[2]} + {2'd0, bits[3]} + {2'd0, bits[4]} + {2'd0, bits[5]};
  endfunction

  // ---- 12 words into 6 numbers, those into 3, those into 2. 22 bits hold the sum of 64 words, more than any header or
  // order segment has here.

  reg  [95:0]  words_a, words_b;      // six words each, bit by bit: bits 6i+5:6i are their bits i
  reg  [15:0]  a_1, a_2, a_4;         // their counts' bits of weight 1, 2, 4
  reg  [15:0]  b_1, b_2, b_4;
  reg  [17:0]  count_1, count_2, count_4;
  integer      i, k;

  always @* begin
    for (i = 0; i < 16; i = i + 1) begin
      for (k = 0; k < 6; k = k + 1) begin
        words_a[6 * i + k] = data[16 * k + (i ^ 8)];           // bit i of a big-endian word
        words_b[6 * i + k] = data[16 * (k + 6) + (i ^ 8)];
      end
      {a_4[i], a_2[i], a_1[i]} = ones(words_a[6 * i +: 6]);
      {b_4[i], b_2[i], b_1[i]} = ones(words_b[6 * i +: 6]);
    end
  end

  wire [17:0] row_0 = {2'd0, a_1};
  wire [17:0] row_1 = {1'b0, a_2, 1'b0};
  wire [17:0] row_2 = {a_4, 2'b00};
  wire [17:0] row_3 = {2'd0, b_1};
  wire [17:0] row_4 = {1'b0, b_2, 1'b0};
  wire [17:0] row_5 = {b_4, 2'b00};

  always @* begin
    for (i = 0; i < 18; i = i + 1)
      {count_4[i], count_2[i], count_1[i]} = ones({row_0[i], row_1[i], row_2[i], row_3[i], row_4[i], row_5[i]});
  end

  wire [19:0] once  = {2'd0, count_1};
  wire [19:0] twice = {1'b0, count_2, 1'b0};
  wire [19:0] four  = {count_4, 2'b00};

  // ---- Sum

  reg         adding;
  reg         restarting;
  reg  [15:0] seeding;
  reg  [19:0] partial;
  reg  [19:0] carries;
  reg  [21:0] sum;

  always @(posedge clk) begin
    adding     <= add;
    restarting <= restart;
    seeding    <= seed;
    partial    <= once ^ twice ^ four;
    carries    <= (once & twice) | (once & four) | (twice & four);
    if (adding)
      sum <= (restarting ? {6'd0, seeding} : sum) + {2'd0, partial} + {1'b0, carries, 1'b0};
  end

  // ---- The upper bits are added to the lower 16, and so is a carry out of that: both results, then the choice. With
  // the carry the sum cannot carry again: the first leaves at most 0x3F.

  wire [16:0] folded  = {1'b0, sum[15:0]} + {11'd0, sum[21:16]};
  wire [15:0] carried = sum[15:0] + {10'd0, sum[21:16]} + 16'd1;

  assign checksum = folded[16] ? ~carried : ~folded[15:0];

endmodule
`default_nettype wire
