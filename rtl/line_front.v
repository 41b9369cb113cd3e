// SPDX-License-Identifier: MIT
// The frame at the front of one receive line's queue: its header, where it stands in the arbitration, and everything
// that decides about it. What is said of a header holds from the clock after its entry was at the queue's output, so
// that the first message, right behind it, goes through without waiting.
//
//   (empty) -> waiting -> parked -> released -> owner    the one frame that may change the stream
//                 '--------'----------'------> draining  harmless: only old messages, passes beside the owner
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module line_front (
  input  wire         clk,
  input  wire         rst,
  input  wire [47:0]  time_ns,
  input  wire [31:0]  hold,               // ns; 0: packets that are ahead do not wait

  // the entry at the queue's output
  input  wire         header_valid,       // a HEADER, taken
  input  wire [`TL_HEADER_BITS-1:0] header,
  input  wire         level_high,         // the queue behind is nearly full

  // the stream as of the last good frame
  input  wire         stream_valid,
  input  wire [79:0]  stream_session,
  input  wire [63:0]  stream_next,
  input  wire         stream_ended,
  input  wire         stream_changed,     // one clock ago: what was compared is out of date

  // the other line's frames
  input  wire [15:0]  others_started,
  input  wire [15:0]  others_retired,
  input  wire         other_retires,      // pulse: others_retired counts it from the next clock on

  // what becomes of the frame
  input  wire         go,                 // becomes the owner
  input  wire         drain,
  input  wire         park,
  input  wire         release_hold,
  input  wire         retire,             // its END is taken
  input  wire         duplicate,          // one of its messages is old

  output reg          waiting,
  output reg          parked,
  output reg          released,           // its time is over: as if it had started then
  output reg          owner,
  output reg          draining,

  output reg  [79:0]  session,
  output reg  [63:0]  sequence_number,
  output reg  [63:0]  sequence_next,      // the number after its first message's
  output reg  [15:0]  count,
  output reg  [7:0]   kind,
  output reg          unnumbered,
  output reg  [47:0]  frame_time,
  output reg  [15:0]  duplicates,

  // against the stream; out of date while stream_changed
  output reg          same_session,
  output wire         ahead,
  output wire         old,                // its first message is
  output wire [63:0]  behind,
  output reg          harmless,           // it cannot change the stream, whatever its verdict
  output reg          over,               // its time is over, or its queue full

  // against the other line's frames
  output wire         older,              // a frame of the other line that started before is not retired
  output wire         older_one           // exactly one
);

  wire pending = waiting || parked || released;

  // ---- header

  always @(posedge clk)
    if (header_valid) begin
      session         <= header[`TL_HEADER_SESSION +: 80];
      sequence_number <= header[`TL_HEADER_SEQUENCE +: 64];
      sequence_next   <= header[`TL_HEADER_SEQUENCE +: 64] + 64'd1;
      count           <= header[`TL_HEADER_COUNT +: 16];
      kind            <= header[`TL_HEADER_KIND +: 8];
      unnumbered      <= header[`TL_HEADER_UNNUMBERED];
      frame_time      <= header[`TL_HEADER_TIME +: 48];
    end else if (go && unnumbered)
      sequence_number <= same_session ? stream_next : 64'd1;

  always @(posedge clk)
    if (rst || retire) begin
      waiting  <= 1'b0;
      parked   <= 1'b0;
      released <= 1'b0;
      owner    <= 1'b0;
      draining <= 1'b0;
    end else if (header_valid) begin
      waiting  <= 1'b1;
    end else if (drain) begin
      waiting  <= 1'b0;
      parked   <= 1'b0;
      released <= 1'b0;
      owner    <= 1'b0;
      draining <= 1'b1;
    end else if (go) begin
      waiting  <= 1'b0;
      parked   <= 1'b0;
      released <= 1'b0;
      owner    <= 1'b1;
    end else if (park) begin
      waiting  <= 1'b0;
      parked   <= 1'b1;
    end else if (release_hold) begin
      parked   <= 1'b0;
      released <= 1'b1;
    end

  always @(posedge clk)
    if (rst || retire)
      duplicates <= 16'd0;
    else if (duplicate)
      duplicates <= duplicates + 16'd1;

  // ---- against the stream, again and again while the frame waits: the stream may move

  wire [79:0] session_here  = header_valid ? header[`TL_HEADER_SESSION +: 80] : session;
  wire [63:0] sequence_here = header_valid ? header[`TL_HEADER_SEQUENCE +: 64] : sequence_number;
  wire        distance_ahead;
  wire        distance_behind;

  sequence_distance u_sequence_distance (
    .clk       (clk),
    .first     (sequence_here),
    .second    (stream_next),
    .behind    (behind),
    .is_ahead  (distance_ahead),
    .is_behind (distance_behind)
  );

  assign ahead = same_session && !unnumbered && distance_ahead;
  assign old   = same_session && !unnumbered && distance_behind;

  wire [15:0] numbers   = kind == `TL_FRAME_KIND_DATA ? count : 16'd0;
  wire        all_old   = behind[63:16] != 48'd0 || behind[15:0] >= numbers;
  wire        first_end = kind == `TL_FRAME_KIND_END_OF_SESSION && !stream_ended;

  always @(posedge clk) begin
    same_session <= stream_valid && session_here == stream_session;
    harmless     <= !rst && !header_valid && !stream_changed && (pending || owner) && !retire
                    && same_session && !unnumbered && !distance_ahead && all_old && !first_end;
  end

  // ---- hold: the frame's time

  reg  [47:0] elapsed;
  reg  [1:0]  elapsed_known;              // of this frame

  always @(posedge clk) begin
    elapsed       <= time_ns - frame_time;
    elapsed_known <= rst || header_valid ? 2'b00 : {elapsed_known[0], 1'b1};
    over          <= !header_valid && (level_high || (elapsed_known[1] && elapsed >= {16'd0, hold}));
  end

  // ---- against the other line's frames: by how many of them had started before. Compared with the count of retired
  // ones as it is; one that retires in that clock is allowed for behind the register.

  reg  [15:0] others;
  wire [15:0] others_here = header_valid ? header[`TL_HEADER_OTHERS +: 16]
                            : release_hold ? others_started : others;
  wire [15:0] started_before = others_here - others_retired;
  reg  [2:0]  started_over;               // more than 0, 1, 2
  reg         retired_last;

  always @(posedge clk) begin
    others       <= others_here;
    retired_last <= other_retires;
    started_over <= started_before[15] ? 3'b000
                    : {started_before[15:2] != 14'd0 || started_before[1:0] == 2'd3, started_before[15:1] != 15'd0,
                       started_before != 16'd0};
  end

  assign older     = retired_last ? started_over[1] : started_over[0];
  assign older_one = older && !(retired_last ? started_over[2] : started_over[1]);

endmodule
`default_nettype wire
