// SPDX-License-Identifier: MIT
// The MoldUDP64 stream of both lines: session, next expected sequence number, whether the session has ended.
//
// What everybody is compared with moves only when the frame that owns the stream ends well; until then its messages
// move a copy of the number. So a frame whose verdict turns out bad leaves nothing behind, and its numbers come again.
`default_nettype none

module stream (
  input  wire        clk,
  input  wire        rst,

  // by line, A in bit 0
  input  wire [1:0]  owns,                // the frame owns the stream, from now on where it only
  input  wire [1:0]  opens,               // ... waits to
  input  wire [1:0]  news,                // the message at hand is new
  input  wire [1:0]  ends,                // the owner ends
  input  wire        commit,              // ... well
  input  wire [63:0] a_start,             // what is expected once the frame owns the stream
  input  wire [63:0] b_start,
  input  wire [63:0] a_after,             // ... and after the message at hand
  input  wire [63:0] b_after,
  input  wire [79:0] a_session,
  input  wire [79:0] b_session,
  input  wire [1:0]  ended,               // the session has, once the frame is good

  // as of the last good frame
  output reg         valid,               // there was one
  output reg  [79:0] session,
  output reg  [63:0] next_expected,
  output reg  [63:0] next_after,          // the number after that, a clock late
  output reg         session_ended,
  output reg         changed              // an owner ended in the clock before
);

  reg  [63:0] own_next;                   // the owner's
  wire [63:0] a_next = news[0] ? a_after : opens[0] ? a_start : own_next;
  wire [63:0] b_next = news[1] ? b_after : opens[1] ? b_start : own_next;

  always @(posedge clk) begin
    next_after <= next_expected + 64'd1;
    own_next   <= owns[1] ? b_next : owns[0] ? a_next : own_next;
  end

  always @(posedge clk)
    if (rst) begin
      valid         <= 1'b0;
      session       <= 80'd0;
      next_expected <= 64'd0;
      session_ended <= 1'b0;
      changed       <= 1'b0;
    end else begin
      changed <= ends != 2'b00;
      if (commit) begin
        valid         <= 1'b1;
        session       <= ends[1] ? b_session : a_session;
        next_expected <= own_next;
        session_ended <= ends[1] ? ended[1] : ended[0];
      end
    end

endmodule
`default_nettype wire
