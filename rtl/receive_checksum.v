// SPDX-License-Identifier: MIT
// Ones' complement sums (RFC 1071) of the IPv4 header and of the UDP datagram with its pseudo header, a beat a clock.
// A right sum is 0xFFFF, also with the bytes of every word swapped (RFC 1071 section 2 B): the lanes are added as they
// stand. The verdicts are about the beat 4 and 6 clocks ago, so frames that follow each other at once never mix.
`default_nettype none

module receive_checksum (
  input  wire         clk,
  input  wire         beat_counts,        // some lanes may belong to a sum
  input  wire         beat_first,         // a frame's first beat; counts for nothing
  input  wire [63:0]  beat_data,
  input  wire [7:0]   payload_lanes,      // lanes that count
  input  wire [2:0]   ip_groups,          // lanes 0-1, 2-5, 6-7 belong to the IPv4 header
  input  wire [2:0]   udp_groups,         // ... to UDP or the addresses
  input  wire [7:0]   udp_lanes,          // one clock later: lanes that count all the same
  input  wire [15:0]  udp_length,         // for the pseudo header

  output wire         ip_sum_good,        // header complete 4 clocks ago
  output wire         udp_sum_good        // frame complete 6 clocks ago
);

  localparam [15:0] PROTOCOL_UDP_SWAPPED = 16'h1100;

  // Sums by bytes, each byte for both carries: shallow where an adder is built of look-up tables alone.
  function [23:0] sum (input [23:0] a, input [23:0] b, input carry);
    reg [8:0] low;
    reg [8:0] middle;
    reg [8:0] middle_1;
    reg [7:0] high;
    reg [7:0] high_1;
    begin
      low      = {1'b0, a[7:0]} + {1'b0, b[7:0]} + {8'd0, carry};
      middle   = {1'b0, a[15:8]} + {1'b0, b[15:8]};
      middle_1 = {1'b0, a[15:8]} + {1'b0, b[15:8]} + 9'd1;
      high     = a[23:16] + b[23:16];
      high_1   = a[23:16] + b[23:16] + 8'd1;
      sum      = {(low[8] ? middle_1[8] : middle[8]) ? high_1 : high, low[8] ? middle_1[7:0] : middle[7:0], low[7:0]};
    end
  endfunction

  // Three 18-bit addends as two.
  function [23:0] sum_of_3 (input [17:0] a, input [17:0] b, input [17:0] c);
    sum_of_3 = sum({6'd0, a ^ b ^ c}, {5'd0, (a & b) | (a & c) | (b & c), 1'b0}, 1'b0);
  endfunction

  // ---- 1: lanes that count

  reg         first_1;
  reg         add_1;
  reg  [2:0]  ip_1;
  reg  [2:0]  udp_1;
  reg  [63:0] data_1;

  function [63:0] bytes_of (input [63:0] data, input [7:0] lanes);
    bytes_of = data & {{8{lanes[7]}}, {8{lanes[6]}}, {8{lanes[5]}}, {8{lanes[4]}},
                       {8{lanes[3]}}, {8{lanes[2]}}, {8{lanes[1]}}, {8{lanes[0]}}};
  endfunction

  always @(posedge clk) begin
    first_1 <= beat_first;
    add_1   <= beat_counts;
    if (beat_counts) begin
      ip_1   <= ip_groups;
      udp_1  <= udp_groups;
      data_1 <= bytes_of(beat_data, payload_lanes);
    end
  end

  // ---- 2: one sum a group

  reg         first_2;
  reg         add_2;
  reg  [2:0]  ip_2;
  reg  [2:0]  udp_2;
  reg  [15:0] sum_2_lanes_0;
  reg  [16:0] sum_2_lanes_2;
  reg  [15:0] sum_2_lanes_6;
  reg  [63:0] counted;
  reg  [23:0] sum_2_here;

  always @* begin
    counted    = 64'dx;                   // not looked at: spares a simulation the work, here and below
    sum_2_here = 24'dx;
    if (add_1) begin
      counted    = bytes_of(data_1, udp_lanes);
      sum_2_here = sum({8'd0, counted[31:16]}, {8'd0, counted[47:32]}, 1'b0);
    end
  end

  always @(posedge clk) begin
    first_2 <= first_1;
    add_2   <= add_1;
    if (add_1) begin
      ip_2          <= ip_1;
      udp_2         <= udp_1;
      sum_2_lanes_0 <= counted[15:0];
      sum_2_lanes_2 <= sum_2_here[16:0];
      sum_2_lanes_6 <= counted[63:48];
    end
  end

  // ---- 3: one sum a beat

  reg         first_3;
  reg         add_3;
  reg  [17:0] ip_sum_3;
  reg  [17:0] udp_sum_3;
  reg  [23:0] ip_sum_3_here;
  reg  [23:0] udp_sum_3_here;

  always @* begin
    ip_sum_3_here  = 24'dx;
    udp_sum_3_here = 24'dx;
    if (add_2) begin
      ip_sum_3_here  = sum_of_3({2'd0, sum_2_lanes_0} & {18{ip_2[0]}}, {1'd0, sum_2_lanes_2} & {18{ip_2[1]}},
                                {2'd0, sum_2_lanes_6} & {18{ip_2[2]}});
      udp_sum_3_here = sum_of_3({2'd0, sum_2_lanes_0} & {18{udp_2[0]}}, {1'd0, sum_2_lanes_2} & {18{udp_2[1]}},
                                {2'd0, sum_2_lanes_6} & {18{udp_2[2]}});
    end
  end

  always @(posedge clk) begin
    first_3 <= first_2;
    add_3   <= add_2;
    if (add_2) begin
      ip_sum_3  <= ip_sum_3_here[17:0];
      udp_sum_3 <= udp_sum_3_here[17:0];
    end
  end

  // ---- 4: one sum a frame. 30 words of header make less than 2^21; 65,535 bytes of UDP and two addresses less than
  //         2^32 - and a frame that goes on behind them is oversize, whatever it sums to. The long sum is kept as two
  //         halves, the carry between them waiting for the next addition.

  reg  [20:0] ip_sum;
  reg  [15:0] udp_sum;
  reg         udp_carry;
  reg  [15:0] udp_sum_high;
  reg  [23:0] ip_sum_here;
  reg  [23:0] udp_sum_here;

  always @* begin
    ip_sum_here  = 24'dx;
    udp_sum_here = 24'dx;
    if (add_3) begin
      ip_sum_here  = sum({3'd0, ip_sum}, {6'd0, ip_sum_3}, 1'b0);
      udp_sum_here = sum({8'd0, udp_sum}, {8'd0, udp_sum_3[15:0]}, 1'b0);
    end
  end

  always @(posedge clk)
    if (first_3) begin
      ip_sum       <= 21'd0;
      udp_sum      <= 16'd0;
      udp_carry    <= 1'b0;
      udp_sum_high <= 16'd0;
    end else if (add_3) begin
      ip_sum               <= ip_sum_here[20:0];
      {udp_carry, udp_sum} <= udp_sum_here[16:0];
      udp_sum_high         <= udp_sum_high + {14'd0, udp_sum_3[17:16]} + {15'd0, udp_carry};
    end

  // Folded once, the carries at most complete 0xFFFF; they cannot carry again and give 0xFFFF.
  assign ip_sum_good = ip_sum[15:5] == 11'h7FF && ip_sum[4:0] == ~ip_sum[20:16];

  // ---- 5 and 6: fold, with the rest of the pseudo header

  reg  [16:0] udp_rest;
  reg  [16:0] udp_halves;
  reg         udp_carry_5;
  reg  [18:0] udp_folded;
  wire [23:0] halves_here = sum({8'd0, udp_sum}, {8'd0, udp_sum_high}, 1'b0);
  wire [23:0] folded_here = sum({7'd0, udp_halves}, {7'd0, udp_rest}, udp_carry_5);

  always @(posedge clk) begin
    udp_rest    <= {1'b0, udp_length[7:0], udp_length[15:8]} + {1'b0, PROTOCOL_UDP_SWAPPED};
    udp_halves  <= halves_here[16:0];
    udp_carry_5 <= udp_carry;
    udp_folded  <= folded_here[18:0];
  end

  wire unused = &{1'b0, sum_2_here[23:17], ip_sum_3_here[23:18], udp_sum_3_here[23:18], ip_sum_here[23:21],
                  udp_sum_here[23:17], halves_here[23:17], folded_here[23:19]};

  assign udp_sum_good = udp_folded[15:3] == 13'h1FFF && udp_folded[2:0] == ~udp_folded[18:16];

endmodule
`default_nettype wire
