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

  // 12 words into 6 numbers, those into 3, those into 2: {carries, partial}. 22 bits hold the sum of 64 words, more than
  // any header or order segment has here. A function, so that a simulation does it in the clocks with `add` only.
  function [39:0] compress;
    input [191:0] words;
    reg [15:0]    a_1, a_2, a_4;      // bits of weight 1, 2, 4 in the counts of bits i of the first six words
    reg [15:0]    b_1, b_2, b_4;      // ... of the other six
    reg [17:0]    count_1, count_2, count_4;
    reg [17:0]    row_1, row_2, row_4, row_5;
    reg [19:0]    twice, four;
    integer       i, k;
    begin
      for (i = 0; i < 16; i = i + 1) begin
        k = i ^ 8;                    // bit i of a big-endian word
        {a_4[i], a_2[i], a_1[i]} = ones({words[k], words[k + 16], words[k + 32],
                                         words[k + 48], words[k + 64], words[k + 80]});
        {b_4[i], b_2[i], b_1[i]} = ones({words[k + 96], words[k + 112], words[k + 128],
                                         words[k + 144], words[k + 160], words[k + 176]});
      end
      row_1 = {1'b0, a_2, 1'b0};
      row_2 = {a_4, 2'b00};
      row_4 = {1'b0, b_2, 1'b0};
      row_5 = {b_4, 2'b00};
      for (i = 0; i < 18; i = i + 1)
        {count_4[i], count_2[i], count_1[i]} = ones({i < 16 && a_1[i & 15], row_1[i], row_2[i],
                                                     i < 16 && b_1[i & 15], row_4[i], row_5[i]});
      twice    = {1'b0, count_2, 1'b0};
      four     = {count_4, 2'b00};
      compress = {({2'd0, count_1} & twice) | ({2'd0, count_1} & four) | (twice & four),
                  {2'd0, count_1} ^ twice ^ four};
    end
  endfunction

  // ---- Sum

  reg         adding;
  reg         restarting;
  reg  [15:0] seeding;
  reg  [19:0] partial;
  reg  [19:0] carries;
  reg  [21:0] sum;

  always @(posedge clk) begin
    adding     <= add;
    if (add) begin
      restarting <= restart;
      seeding    <= seed;
      {carries, partial} <= compress(data);
    end
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
