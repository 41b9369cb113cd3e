// SPDX-License-Identifier: MIT
// Counters of the receive side, one 32-bit word each in the order of the register map. A frame's messages count when
// its verdict is known: by status if it is good, together as bad if not; a bad frame's duplicates and gap do not count.
// What the filter kept back counts at once.
//
// Messages come from the one frame that owns the stream, before its report; reports of other frames may come between.
`include "layout.vh"
`default_nettype none

module statistics (
  input  wire        clk,
  input  wire        rst,

  input  wire        message_valid,       // delivered
  input  wire [2:0]  message_status,
  input  wire        message_filtered,

  // a frame is retired
  input  wire        frame_done,
  input  wire        frame_line,          // 1: line B
  input  wire        frame_owner,         // the messages since the last such frame were its
  input  wire [7:0]  frame_reason,
  input  wire        frame_gap,
  input  wire [15:0] frame_duplicates,

  output wire [15:0] delivered,           // messages of the owner so far
  output reg         any_delivered,

  output reg  [32*`TL_STATISTICS_WORDS-1:0] counters,
  output wire        idle                 // counters is up to date
);

  localparam STATUSES = `TL_STATISTIC_MESSAGES_TOO_LONG - `TL_STATISTIC_MESSAGES_OK + 1;

  // The reasons' words are in the reasons' order.
  localparam FIRST_DROPPED = `TL_STATISTIC_DROPPED_OVERSIZE;
  localparam LAST_DROPPED  = `TL_STATISTIC_DROPPED_OVERFLOW;

  // ---- Clock: stands still while there is nothing to count

  wire count_clk;

  clock_gate u_clock_gate (
    .clk    (clk),
    .enable (rst || !idle),
    .gated  (count_clk)
  );

  // ---- of the owner; 16 bits, as a packet has fewer than 2^16 blocks

  reg  [16*STATUSES-1:0] by_status;
  reg  [15:0]            all;
  integer                i;

  assign delivered = all;

  always @(posedge count_clk)
    if (rst || (frame_done && frame_owner)) begin
      by_status     <= {16 * STATUSES{1'b0}};
      all           <= 16'd0;
      any_delivered <= 1'b0;
    end else if (message_valid) begin
      all           <= all + 16'd1;
      any_delivered <= 1'b1;
      for (i = 0; i < STATUSES; i = i + 1)
        if (message_status == i[2:0])
          by_status[16 * i +: 16] <= by_status[16 * i +: 16] + 16'd1;
    end

  // ---- what a frame adds, a clock before it is added

  reg  [16*STATUSES-1:0] add_by_status;
  reg  [15:0]            add_bad;
  reg  [15:0]            add_duplicates;
  reg  [15:0]            add_b;
  reg                    add_frame;
  reg                    add_frame_b;
  reg                    add_accepted;
  reg                    add_accepted_b;
  reg                    add_gap;
  reg                    add_filtered;
  reg  [LAST_DROPPED-FIRST_DROPPED:0] add_dropped;

  wire       done   = frame_done && !rst;
  wire       good   = done && frame_reason == `TL_DROP_REASON_ACCEPT;
  wire [7:0] reason = frame_reason - `TL_DROP_REASON_OVERSIZE;
  integer    j;

  always @(posedge count_clk) begin
    add_frame      <= done;
    add_frame_b    <= done && frame_line;
    add_accepted   <= good;
    add_accepted_b <= good && frame_line;
    add_gap        <= good && frame_gap;
    add_filtered   <= message_filtered && !rst;
    add_duplicates <= good ? frame_duplicates : 16'd0;
    add_by_status  <= good && frame_owner ? by_status : {16 * STATUSES{1'b0}};
    add_b          <= good && frame_owner && frame_line ? all : 16'd0;
    add_bad        <= done && frame_owner && !good ? all : 16'd0;
    for (j = FIRST_DROPPED; j <= LAST_DROPPED; j = j + 1)
      add_dropped[j - FIRST_DROPPED] <= done && {24'd0, reason} == j - FIRST_DROPPED;
  end

  assign idle = !message_valid && !message_filtered && !frame_done && !add_frame && !add_filtered;

  // ---- since reset

  reg  [32*`TL_STATISTICS_WORDS-1:0] add;
  integer k;

  wire adds = add_frame || add_filtered;

  always @* begin
    add = {32 * `TL_STATISTICS_WORDS{1'b0}};
    add[32 * `TL_STATISTIC_FRAMES]             = add_frame;
    add[32 * `TL_STATISTIC_ACCEPTED]           = add_accepted;
    add[32 * `TL_STATISTIC_MESSAGES_BAD +: 16] = add_bad;
    add[32 * `TL_STATISTIC_DUPLICATES +: 16]   = add_duplicates;
    add[32 * `TL_STATISTIC_GAPS]               = add_gap;
    add[32 * `TL_STATISTIC_FILTERED]           = add_filtered;
    add[32 * `TL_STATISTIC_FRAMES_B]           = add_frame_b;
    add[32 * `TL_STATISTIC_ACCEPTED_B]         = add_accepted_b;
    add[32 * `TL_STATISTIC_MESSAGES_B +: 16]   = add_b;
    for (k = 0; k < STATUSES; k = k + 1)
      add[32 * (`TL_STATISTIC_MESSAGES_OK + k) +: 16] = add_by_status[16 * k +: 16];
    for (k = FIRST_DROPPED; k <= LAST_DROPPED; k = k + 1)
      add[32 * k] = add_dropped[k - FIRST_DROPPED];
  end

  integer w;

  always @(posedge count_clk)
    if (rst)
      counters <= {32 * `TL_STATISTICS_WORDS{1'b0}};
    else if (adds)
      for (w = 0; w < `TL_STATISTICS_WORDS; w = w + 1)
        counters[32 * w +: 32] <= counters[32 * w +: 32] + add[32 * w +: 32];

endmodule
`default_nettype wire
