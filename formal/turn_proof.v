// SPDX-License-Identifier: MIT
// Nobody waits for ever at the gate: while frames are at both fronts, none of them owns the stream and the stream stands
// still, one is decided within LIMIT clocks, from any state of `turn` and whatever the frames are like. A pair that is
// parked waits for its time, and for that only. At most one frame becomes the owner in a clock, and none beside one.
`default_nettype none

module turn_proof (
  input wire clk,
  input wire rst,
  input wire a_owner,
  input wire b_owner,
  input wire fresh
);

  localparam [3:0] LIMIT = 4'd5;

  // A frame at each front, and what is said of it, which stays as long as the stream
  (* anyconst *) reg        holding;
  (* anyconst *) reg        a_same;
  (* anyconst *) reg        a_ahead;
  (* anyconst *) reg        a_harmless;
  (* anyconst *) reg        a_over;
  (* anyconst *) reg        a_after;
  (* anyconst *) reg        a_after_wild;
  (* anyconst *) reg [63:0] a_sequence;
  (* anyconst *) reg        b_same;
  (* anyconst *) reg        b_ahead;
  (* anyconst *) reg        b_harmless;
  (* anyconst *) reg        b_over;
  (* anyconst *) reg        b_after;
  (* anyconst *) reg        b_after_wild;
  (* anyconst *) reg [63:0] b_sequence;

  reg  a_waiting;
  reg  a_parked;
  reg  a_released;
  reg  b_waiting;
  reg  b_parked;
  reg  b_released;
  wire a_holds;
  wire a_go;
  wire a_drain;
  wire a_park;
  wire a_release;
  wire b_holds;
  wire b_go;
  wire b_drain;
  wire b_park;
  wire b_release;

  turn u_turn (
    .clk          (clk),
    .rst          (rst),
    .holding      (holding),
    .fresh        (fresh),
    .a_waiting    (a_waiting),
    .a_parked     (a_parked),
    .a_released   (a_released),
    .a_owner      (a_owner),
    .a_same       (a_same),
    .a_ahead      (a_ahead),
    .a_harmless   (a_harmless),
    .a_timed      (1'b1),               // five clocks after a header
    .a_over       (a_over),
    .a_after      (a_after),
    .a_after_wild (a_after_wild),
    .a_sequence   (a_sequence),
    .b_waiting    (b_waiting),
    .b_parked     (b_parked),
    .b_released   (b_released),
    .b_owner      (b_owner),
    .b_same       (b_same),
    .b_ahead      (b_ahead),
    .b_harmless   (b_harmless),
    .b_timed      (1'b1),
    .b_over       (b_over),
    .b_after      (b_after),
    .b_after_wild (b_after_wild),
    .b_sequence   (b_sequence),
    .a_holds      (a_holds),
    .a_go         (a_go),
    .a_drain      (a_drain),
    .a_park       (a_park),
    .a_release    (a_release),
    .b_holds      (b_holds),
    .b_go         (b_go),
    .b_drain      (b_drain),
    .b_park       (b_park),
    .b_release    (b_release)
  );

  reg  [3:0] stuck = 4'd0;

  wire a_pending = a_waiting || a_parked || a_released;
  wire b_pending = b_waiting || b_parked || b_released;
  wire patient   = a_parked && b_parked && !a_over && !b_over;
  wire decided   = a_go || a_drain || a_park || b_go || b_drain || b_park;

  always @(posedge clk) begin
    a_waiting  <= a_waiting && !a_go && !a_drain && !a_park;
    a_parked   <= a_park || (a_parked && !a_go && !a_drain && !a_release);
    a_released <= ((a_release && a_parked) || a_released) && !a_go && !a_drain;
    b_waiting  <= b_waiting && !b_go && !b_drain && !b_park;
    b_parked   <= b_park || (b_parked && !b_go && !b_drain && !b_release);
    b_released <= ((b_release && b_parked) || b_released) && !b_go && !b_drain;
    stuck      <= a_pending && b_pending && fresh && !a_owner && !b_owner && !patient && !decided ? stuck + 4'd1 : 4'd0;
  end

  always @* begin
    assume (!rst);
    assume ({2'd0, a_waiting} + {2'd0, a_parked} + {2'd0, a_released} + {2'd0, a_owner} <= 3'd1);
    assume ({2'd0, b_waiting} + {2'd0, b_parked} + {2'd0, b_released} + {2'd0, b_owner} <= 3'd1);
    // One of the two frames is older (the arbitration's proof), and who waits for nobody does not for a wild one either.
    assume (a_after != b_after && (a_after || !a_after_wild) && (b_after || !b_after_wild));
    // Harmless frames are of the session and not ahead (the arbitration's proof).
    assume (!a_harmless || (a_same && !a_ahead));
    assume (!b_harmless || (b_same && !b_ahead));
    assume (!(a_holds && b_holds));
    assert (stuck <= LIMIT);
    assert (!(a_go && (b_go || b_holds)) && !(b_go && a_holds));
  end

endmodule
`default_nettype wire
