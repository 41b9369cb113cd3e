// SPDX-License-Identifier: MIT
// The frame at the front of one receive line's queue: its header, where it stands in the arbitration, and everything
// that decides about it. What is said of a header holds from the clock after its entry was at the queue's output, so
// that the first message, right behind it, goes through without waiting.
//
//   (none) -> waiting -> parked -> released -> owner     the one frame that may change the stream
//                '---------'-----------'---> draining    harmless: only old messages, passes beside the owner
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module line_front (
  input  wire         clk,
  input  wire         rst,
  input  wire [47:0]  time_ns,
  input  wire [31:0]  hold,               // ns

  // a HEADER, taken, unless it is void
  input  wire         header_valid,
  input  wire [`TL_HEADER_BITS-1:0] header,
  input  wire         level_high,         // the queue behind is nearly full

  // the stream as of the last good frame
  input  wire         stream_valid,
  input  wire [79:0]  stream_session,
  input  wire [63:0]  stream_next,
  input  wire [63:0]  stream_after,       // the number after, some clocks late
  input  wire         stream_ended,
  input  wire         stream_changed,     // one clock ago: what was compared is out of date

  // the other line's frames
  input  wire [15:0]  others_started,
  input  wire [15:0]  others_settled,     // retired, or known to be dropped
  input  wire         other_settles,      // pulse: others_settled counts it from the next clock on

  // what becomes of the frame
  input  wire         go,                 // becomes the owner
  input  wire         drain,
  input  wire         park,
  input  wire         release_hold,
  input  wire         retire,             // its END is taken
  input  wire         message,            // a record is taken
  input  wire         duplicate,          // ... which is old

  output reg          waiting,
  output reg          parked,
  output reg          released,           // its time is over: as if it had started then
  output reg          owner,
  output reg          draining,
  output reg          none,               // no frame is here

  output reg  [79:0]  session,
  output reg  [63:0]  sequence_number,    // of an unnumbered packet: from `go` on
  output reg  [15:0]  count,
  output reg  [7:0]   kind,
  output reg          unnumbered,
  output reg  [47:0]  frame_time,
  output reg  [15:0]  duplicates,         // in the clock after its END

  // against the stream; out of date while stream_changed
  output reg          same_session,
  output wire         ahead,
  output reg          harmless,           // it cannot change the stream, whatever its verdict
  output reg          near,               // ... nor move it by 2^62 numbers
  output wire         first_end,          // the first end of its session
  output wire [63:0]  start_number,       // what the stream expects once the frame owns it
  output wire         old,                // the message at hand
  output wire [63:0]  number,             // ... its number, where the packet has none
  output wire [63:0]  number_after,       // ... and the one after it

  output reg          timed,              // whether its time is over is known
  output reg          over,               // ... and it is, or its queue is full

  // against the other line's frames
  input  wire         other_decided,      // the other line's front frame is, or not waited for
  input  wire         other_tame,         // ... or owns the stream, stays in its session and near
  output wire         after,              // one that started before is undecided
  output wire         after_wild          // ... and might make a harmless frame harmful
);

  wire pending = waiting || parked || released;

  // ---- state and header

  reg  [15:0] numbers;                    // that its messages take
  reg         is_end;                     // end of session
  reg         duplicate_last;

  always @(posedge clk)
    if (rst || retire) begin
      waiting  <= 1'b0;
      parked   <= 1'b0;
      released <= 1'b0;
      owner    <= 1'b0;
      draining <= 1'b0;
      none     <= 1'b1;
    end else begin
      waiting  <= header_valid || (waiting && !go && !drain && !park);
      parked   <= park || (parked && !go && !drain && !release_hold);
      released <= ((release_hold && parked) || released) && !go && !drain;
      owner    <= go || (owner && !drain);
      draining <= drain || draining;
      none     <= none && !header_valid;
    end

  always @(posedge clk)
    if (header_valid) begin
      session    <= header[`TL_HEADER_SESSION +: 80];
      count      <= header[`TL_HEADER_COUNT +: 16];
      kind       <= header[`TL_HEADER_KIND +: 8];
      numbers    <= header[`TL_HEADER_KIND +: 8] == `TL_FRAME_KIND_DATA ? header[`TL_HEADER_COUNT +: 16] : 16'd0;
      is_end     <= header[`TL_HEADER_KIND +: 8] == `TL_FRAME_KIND_END_OF_SESSION;
      unnumbered <= header[`TL_HEADER_UNNUMBERED];
      frame_time <= header[`TL_HEADER_TIME +: 48];
    end

  always @(posedge clk) begin
    duplicate_last <= duplicate;
    if (rst || header_valid)
      duplicates <= 16'd0;
    else if (duplicate_last)
      duplicates <= duplicates + 16'd1;
  end

  // ---- numbers. An unnumbered packet gets the stream's next one, from 1 in a new session; it has one message.

  wire        counts       = pending && unnumbered;
  wire [63:0] counted      = same_session ? stream_next : 64'd1;
  wire [63:0] counted_next = same_session ? stream_after : 64'd2;
  reg  [63:0] own_next;                   // of an unnumbered packet that owns the stream
  wire [63:0] counted_on;

  always @(posedge clk)
    if (header_valid)
      sequence_number <= header[`TL_HEADER_SEQUENCE +: 64];
    else if (go && unnumbered)
      sequence_number <= counted;

  always @(posedge clk)
    if (go)
      own_next <= counted_next;

  sequence_counter u_sequence_counter (
    .clk   (clk),
    .open  (none),
    .load  (header_valid),
    .first (header[`TL_HEADER_SEQUENCE +: 64]),
    .step  (message),
    .value (counted_on)
  );

  assign number       = counts ? counted : sequence_number;
  assign number_after = counts ? counted_next : unnumbered ? own_next : counted_on;
  assign start_number = unnumbered ? counted : ahead || !same_session ? sequence_number : stream_next;

  // ---- against the stream, again and again while the frame is here: the stream may move

  // What is not a header yet is compared as well, to no effect.
  wire [79:0] session_here  = none ? header[`TL_HEADER_SESSION +: 80] : session;
  wire [63:0] sequence_here = none ? header[`TL_HEADER_SEQUENCE +: 64] : sequence_number;
  wire [63:0] behind;
  wire        is_ahead;
  wire        is_behind;

  sequence_distance u_sequence_distance (
    .clk       (clk),
    .first     (sequence_here),
    .second    (stream_next),
    .behind    (behind),
    .is_ahead  (is_ahead),
    .is_behind (is_behind)
  );

  wire        all_old   = behind[63:16] != 48'd0 || behind[15:0] >= numbers;

  // Numbers are compared modulo 2^64, so a frame far behind is ahead of a stream that has moved far: only a frame less
  // than 2^62 behind is harmless, and with the other line's owner `near` (2^61 and a packet at most) it stays behind.
  wire        not_far   = behind[63:62] == 2'b00;

  assign ahead     = same_session && !unnumbered && is_ahead;
  assign first_end = is_end && !(same_session && stream_ended);

  always @(posedge clk) begin
    same_session <= stream_valid && session_here == stream_session;
    harmless     <= !rst && !header_valid && !stream_changed && (pending || owner)
                    && same_session && !unnumbered && not_far && all_old && !first_end;
    near         <= behind[63:61] == 3'b000 || behind[63:61] == 3'b111;
  end

  // ---- its first messages may be old

  reg         owner_old;
  reg  [15:0] owner_left;                 // so many of them
  reg         owner_all;                  // ... and more than a packet has
  wire [15:0] left     = pending ? behind[15:0] : owner_left;
  wire        left_all = pending ? behind[63:16] != 48'd0 : owner_all;
  wire        last_old = !left_all && left == 16'd1;

  assign old = pending ? same_session && !unnumbered && is_behind : owner_old;

  always @(posedge clk) begin
    owner_old  <= old && !(message && last_old);
    owner_left <= message ? left - 16'd1 : left;
    owner_all  <= left_all;
  end

  // ---- hold: the frame's time

  wire [63:0] elapsed;
  reg  [2:0]  elapsed_known;              // of this frame
  reg         late;
  wire        unused_ahead;
  wire        unused_behind;

  sequence_distance u_elapsed (
    .clk       (clk),
    .first     ({16'd0, frame_time}),
    .second    ({16'd0, time_ns}),
    .behind    (elapsed),
    .is_ahead  (unused_ahead),
    .is_behind (unused_behind)
  );

  always @(posedge clk) begin
    elapsed_known <= rst || header_valid ? 3'b000 : {elapsed_known[1:0], 1'b1};
    late          <= elapsed >= {32'd0, hold};
    timed         <= !header_valid && elapsed_known[2];
    over          <= !header_valid && (level_high || (elapsed_known[2] && late));
  end

  // ---- against the other line's frames: by how many of them had started before. Compared with the count of settled
  // ones as it is; one that settles in that clock is allowed for behind the register.

  reg  [15:0] others;
  wire [15:0] others_here = none ? header[`TL_HEADER_OTHERS +: 16] : release_hold ? others_started : others;
  wire [15:0] before_it   = others_here - others_settled;
  reg         one;                        // of those before it was not settled
  reg         two;
  reg         settled_last;

  always @(posedge clk) begin
    others       <= others_here;
    settled_last <= other_settles;
    one          <= !before_it[15] && before_it != 16'd0;
    two          <= !before_it[15] && before_it[15:1] != 15'd0;
  end

  assign after      = settled_last ? two : one && (two || !other_decided);
  assign after_wild = settled_last ? two : one && (two || !(other_decided || other_tame));

  wire unused = &{1'b0, unused_ahead, unused_behind};

endmodule
`default_nettype wire
