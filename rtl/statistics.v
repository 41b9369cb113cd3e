// SPDX-License-Identifier: MIT
// Counters of the receive side, one 32-bit word each in the order of the register map. A frame's messages count when
// its verdict is known: by status if it is good, together as bad if not; a bad frame's duplicates and gap do not count.
`include "layout.vh"
`default_nettype none

module statistics (
  input  wire        clk,
  input  wire        rst,

  input  wire        message_valid,       // delivered
  input  wire [7:0]  message_status,
  input  wire        duplicate,           // an old message, not delivered
  input  wire        frame_done,          // after the frame's last message
  input  wire [7:0]  frame_reason,
  input  wire        frame_gap,

  output reg  [32*`TL_STATISTICS_WORDS-1:0] counters
);

  localparam STATUSES = `TL_STATISTIC_MESSAGES_TOO_LONG - `TL_STATISTIC_MESSAGES_OK + 1;

  localparam [31:0] FIRST_DROPPED = `TL_STATISTIC_DROPPED_OVERSIZE;   // the reasons' words are in the reasons' order

  // ---- of the frame in hand; 16 bits, as a packet has fewer than 2^16 blocks

  reg  [16*STATUSES-1:0] by_status;
  reg  [15:0]            all;
  reg  [15:0]            duplicates;
  integer                i;

  always @(posedge clk)
    if (rst || frame_done) begin
      by_status  <= {16 * STATUSES{1'b0}};
      all        <= 16'd0;
      duplicates <= 16'd0;
    end else if (message_valid) begin
      all <= all + 16'd1;
      for (i = 0; i < STATUSES; i = i + 1)
        if (message_status == i[7:0])
          by_status[16 * i +: 16] <= by_status[16 * i +: 16] + 16'd1;
    end else if (duplicate)
      duplicates <= duplicates + 16'd1;

  // ---- since reset

  wire    good = frame_reason == `TL_DROP_REASON_ACCEPT;
  integer k;

  always @(posedge clk)
    if (rst)
      counters <= {32 * `TL_STATISTICS_WORDS{1'b0}};
    else if (frame_done) begin
      counters[32 * `TL_STATISTIC_FRAMES +: 32] <= counters[32 * `TL_STATISTIC_FRAMES +: 32] + 32'd1;
      if (good) begin
        counters[32 * `TL_STATISTIC_ACCEPTED +: 32] <= counters[32 * `TL_STATISTIC_ACCEPTED +: 32] + 32'd1;
        counters[32 * `TL_STATISTIC_DUPLICATES +: 32]
          <= counters[32 * `TL_STATISTIC_DUPLICATES +: 32] + {16'd0, duplicates};
        counters[32 * `TL_STATISTIC_GAPS +: 32] <= counters[32 * `TL_STATISTIC_GAPS +: 32] + {31'd0, frame_gap};
        for (k = 0; k < STATUSES; k = k + 1)
          counters[32 * (`TL_STATISTIC_MESSAGES_OK + k) +: 32]
            <= counters[32 * (`TL_STATISTIC_MESSAGES_OK + k) +: 32] + {16'd0, by_status[16 * k +: 16]};
      end else begin
        counters[32 * `TL_STATISTIC_MESSAGES_BAD +: 32]
          <= counters[32 * `TL_STATISTIC_MESSAGES_BAD +: 32] + {16'd0, all};
        for (k = `TL_STATISTIC_DROPPED_OVERSIZE; k <= `TL_STATISTIC_DROPPED_OVERFLOW; k = k + 1)
          if (frame_reason - `TL_DROP_REASON_OVERSIZE == k[7:0] - FIRST_DROPPED[7:0])
            counters[32 * k +: 32] <= counters[32 * k +: 32] + 32'd1;
      end
    end

endmodule
`default_nettype wire
