// SPDX-License-Identifier: MIT
// The MoldUDP64 stream of both lines: session, next expected sequence number, gaps and old messages, modulo 2^64.
// The stream that everybody is compared with moves only when the frame that owns it ends well; until then the owner
// moves a copy. So a frame whose verdict turns out bad leaves nothing behind, and its numbers can come again.
//
// `old` and `number` hold for the message at hand in the very clock of `go`: the owner's first may come with it.
`include "layout.vh"
`default_nettype none

module stream (
  input  wire        clk,
  input  wire        rst,

  // the frame that becomes the owner
  input  wire        go,
  input  wire [79:0] session,
  input  wire [63:0] sequence_number,
  input  wire [63:0] sequence_next,       // the number after
  input  wire [7:0]  kind,
  input  wire        unnumbered,          // its message has the number the stream expects
  input  wire        same_session,
  input  wire        ahead,
  input  wire        first_old,
  input  wire [63:0] behind,

  // the owner's messages and its end
  input  wire        message,             // one of them, old or not, in the clock of `go` or later
  input  wire        commit,              // it ended well
  output wire        old,
  output wire [63:0] number,              // of an unnumbered one

  // the stream as of the last good frame
  output reg         valid,               // there was one
  output reg  [79:0] stream_session,
  output reg  [63:0] next_expected,
  output reg         ended,
  output reg         changed,             // in the clock before

  // what the owner's header came to, until its end; the first missing number is next_expected
  output reg         gap,
  output reg         session_change,
  output reg         end_of_session       // the first of its session
);

  // The owner's copy.
  reg  [79:0] own_session;
  reg  [63:0] own_next;
  reg         own_ended;
  reg  [63:0] after;                      // the number after the message at hand's
  reg         owner_old;
  reg  [15:0] old_left;
  reg         all_old;                    // more old ones than a packet has

  // The unnumbered: one message a packet, so next_after has long followed next_expected.
  reg  [63:0] next_after;

  always @(posedge clk)
    next_after <= next_expected + 64'd1;

  wire [63:0] go_number = same_session ? next_expected : 64'd1;

  assign number = go ? go_number : own_next;
  assign old    = go ? first_old : owner_old;

  wire        ends      = kind == `TL_FRAME_KIND_END_OF_SESSION;
  wire        was_ended = same_session && ended;
  wire [63:0] go_after  = !unnumbered ? sequence_next : same_session ? next_after : 64'd2;
  wire [63:0] go_next   = unnumbered ? go_number : ahead || !same_session ? sequence_number : next_expected;
  wire [63:0] after_now = go ? go_after : after;
  wire [15:0] left_now  = go ? behind[15:0] : old_left;
  wire        all_now   = go ? behind[63:16] != 48'd0 : all_old;

  always @(posedge clk) begin
    if (go) begin
      own_session    <= session;
      own_ended      <= ends || was_ended;
      gap            <= ahead;
      session_change <= valid && !same_session;
      end_of_session <= ends && !was_ended;
    end
    if (message && !old)
      own_next <= after_now;
    else if (go)
      own_next <= go_next;
    after     <= after_now + {63'd0, message};
    old_left  <= left_now - {15'd0, message};
    all_old   <= all_now;
    owner_old <= old && !(message && !all_now && left_now == 16'd1);
  end

  always @(posedge clk)
    if (rst) begin
      valid          <= 1'b0;
      stream_session <= 80'd0;
      next_expected  <= 64'd0;
      ended          <= 1'b0;
      changed        <= 1'b0;
    end else begin
      changed <= commit;
      if (commit) begin
        valid          <= 1'b1;
        stream_session <= own_session;
        next_expected  <= own_next;
        ended          <= own_ended;
      end
    end

endmodule
`default_nettype wire
