// SPDX-License-Identifier: MIT
// The MoldUDP64 stream: session, next expected sequence number, gaps and old messages, modulo 2^64. A packet's effect
// is in force 3 clocks after the beat with its header's end, before its first block can end. A frame whose verdict
// turns out bad leaves the stream as it found it.
`include "layout.vh"
`default_nettype none

module stream (
  input  wire        clk,
  input  wire        rst,

  // packet header, and what its frame came to
  input  wire        packet_begins,       // pulse: the header is there
  input  wire [79:0] packet_session,
  input  wire [63:0] packet_sequence,
  input  wire [7:0]  packet_kind,
  input  wire        dropped,             // 2 clocks after packet_begins at the latest
  input  wire        frame_done,          // pulse
  input  wire        frame_good,

  // blocks
  input  wire        block_done,          // pulse
  output reg  [63:0] number,              // its sequence number
  output reg         old,                 // it is behind the stream

  output reg  [63:0] next_expected,
  output reg         next_expected_valid, // a packet has been accepted

  // events of the packet
  output reg         gap,
  output reg  [63:0] gap_from,
  output reg         session_change,
  output reg         end_of_session,      // the first of its session
  output wire        idle
);

  reg  [79:0] session;
  reg         session_ended;

  // ---- clock 1: how far the packet is behind; clock 2: what follows from it

  reg         compared;
  reg         same_session;
  reg  [63:0] behind;                     // next_expected - sequence, modulo 2^64
  reg         low_equal;                  // ... which is 0 or 2^63

  wire        ahead_here  = same_session && behind[63] && !low_equal;
  wire        behind_here = same_session && (behind[63] == low_equal);
  wire        apply       = compared && !dropped;

  reg         touched;                    // by the frame in hand: saved_* hold the stream before it
  reg  [79:0] saved_session;
  reg  [63:0] saved_next_expected;
  reg         saved_valid;
  reg         saved_ended;

  reg         all_old;                    // more old numbers than a packet has
  reg  [15:0] old_left;

  always @(posedge clk) begin
    if (packet_begins) begin
      same_session <= next_expected_valid && session == packet_session;
      behind       <= next_expected - packet_sequence;
      low_equal    <= next_expected[62:0] == packet_sequence[62:0];
    end

    if (packet_begins)
      number <= packet_sequence;
    else if (block_done)
      number <= number + 64'd1;

    if (apply) begin
      saved_session       <= session;
      saved_next_expected <= next_expected;
      saved_valid         <= next_expected_valid;
      saved_ended         <= session_ended;
      session             <= packet_session;
      gap_from            <= next_expected;
      old_left            <= behind[15:0];
      all_old             <= behind[63:16] != 48'd0;
    end else if (frame_done && !frame_good && touched)
      session <= saved_session;
    else if (block_done && old && !all_old)
      old_left <= old_left - 16'd1;
  end

  always @(posedge clk)
    if (rst) begin
      compared            <= 1'b0;
      touched             <= 1'b0;
      old                 <= 1'b0;
      next_expected       <= 64'd0;
      next_expected_valid <= 1'b0;
      session_ended       <= 1'b0;
      gap                 <= 1'b0;
      session_change      <= 1'b0;
      end_of_session      <= 1'b0;
    end else begin
      compared <= packet_begins;

      if (apply) begin
        touched             <= 1'b1;
        old                 <= behind_here;
        next_expected_valid <= 1'b1;
        gap                 <= ahead_here;
        session_change      <= next_expected_valid && !same_session;
        end_of_session      <= packet_kind == `TL_FRAME_KIND_END_OF_SESSION && !(same_session && session_ended);
        session_ended       <= packet_kind == `TL_FRAME_KIND_END_OF_SESSION || (same_session && session_ended);
        if (ahead_here || !same_session)
          next_expected <= packet_sequence;
      end else if (frame_done) begin
        touched <= 1'b0;
        if (!frame_good && touched) begin
          next_expected       <= saved_next_expected;
          next_expected_valid <= saved_valid;
          session_ended       <= saved_ended;
        end
      end else if (block_done) begin
        if (!old)
          next_expected <= number + 64'd1;
        else if (!all_old && old_left == 16'd1)
          old <= 1'b0;
      end
    end

  assign idle = !packet_begins && !compared;

endmodule
`default_nettype wire
