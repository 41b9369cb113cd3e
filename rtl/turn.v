// SPDX-License-Identifier: MIT
// Who goes: decides about the frames at the two lines' fronts from what line_front.v says of them, in the same clock.
//
// A frame's turn comes when no older frame of the other line is undecided. At its turn it becomes the owner of the
// stream, or drains if it is harmless, or, if it is ahead and packets are held, is parked unless its time is over:
// which is known some clocks after its header, so it waits for that. Harmless ones need not even wait for an older
// frame that owns the stream and stays in its session and near: that leaves them harmless.
//
// A parked frame goes, before anything else, as soon as it is no longer ahead, and when a frame of another session
// comes up, which may not pass it. When its time is over it is released: frames of the other line that started before
// that moment go first. When both are parked, the one with the lower sequence number goes then; of equal ones that
// whose time is over.
//
// What concerns parked and released frames is worked out a clock ahead; a frame of the other line allows for it.
`default_nettype none

module turn (
  input  wire        clk,
  input  wire        rst,
  input  wire        holding,             // packets that are ahead are parked
  input  wire        fresh,               // what is said of the stream is up to date

  input  wire        a_waiting,
  input  wire        a_parked,
  input  wire        a_released,
  input  wire        a_owner,
  input  wire        a_same,              // session
  input  wire        a_ahead,
  input  wire        a_harmless,
  input  wire        a_timed,             // whether its time is over is known
  input  wire        a_over,              // its time
  input  wire        a_after,             // a frame of B that started before it is undecided
  input  wire        a_after_wild,        // ... and might make a harmless frame harmful
  input  wire [63:0] a_sequence,

  input  wire        b_waiting,
  input  wire        b_parked,
  input  wire        b_released,
  input  wire        b_owner,
  input  wire        b_same,
  input  wire        b_ahead,
  input  wire        b_harmless,
  input  wire        b_timed,
  input  wire        b_over,
  input  wire        b_after,             // a frame of A that started before it is undecided
  input  wire        b_after_wild,        // ... and might make a harmless frame harmful
  input  wire [63:0] b_sequence,

  output wire        a_holds,             // owner that may change the stream
  output wire        a_go,
  output wire        a_drain,
  output wire        a_park,
  output reg         a_release,
  output wire        b_holds,
  output wire        b_go,
  output wire        b_drain,
  output wire        b_park,
  output reg         b_release
);

  // A frame goes before it is known to be harmless, which takes another clock; then it stops being in the way.
  assign a_holds = a_owner && !a_harmless;
  assign b_holds = b_owner && !b_harmless;

  // A released frame's seniority is newer than what the other line's frames were told: it alone decides between them.
  wire a_turn  = fresh && a_waiting && (b_parked || (b_released ? b_after : !a_after));
  wire b_turn  = fresh && b_waiting && (a_parked || (a_released ? a_after : !b_after));

  // ---- Parked and released frames

  wire a_held = a_parked || a_released;
  wire b_held = b_parked || b_released;

  // The lower number: settled when both frames are held for the third clock.
  wire [63:0] apart;
  wire        a_ahead_of_b;
  wire        b_ahead_of_a;
  reg  [1:0]  both_held;
  reg         a_lower;
  reg         b_lower;

  sequence_distance u_sequence_distance (
    .clk       (clk),
    .first     (a_sequence),
    .second    (b_sequence),
    .behind    (apart),
    .is_ahead  (a_ahead_of_b),
    .is_behind (b_ahead_of_a)
  );

  always @(posedge clk) begin
    both_held <= a_held && b_held && !rst ? {both_held[0], 1'b1} : 2'b00;
    a_lower   <= b_ahead_of_a;
    b_lower   <= a_ahead_of_b;
  end

  wire a_late      = a_over || a_released;
  wire b_late      = b_over || b_released;
  wire a_first     = a_lower || (!b_lower && a_late);
  wire one_goes    = both_held[1] && (a_late || b_late);
  wire a_time_over = b_held ? one_goes && a_first  : a_released && !a_after;
  wire b_time_over = a_held ? one_goes && !a_first : b_released && !b_after;

  reg  settled;                           // so may_* hold what came of the last change of the stream
  reg  a_may;
  reg  b_may;
  reg  prefers_a;

  always @(posedge clk) begin
    settled   <= fresh;
    prefers_a <= a_first;
    a_release <= a_parked && a_over && !b_held && !a_release && !rst;
    b_release <= b_parked && b_over && !a_held && !b_release && !rst;
    a_may     <= !rst && fresh && a_held && !a_go && !b_holds && (!a_ahead || a_time_over || (b_waiting && !b_same));
    b_may     <= !rst && fresh && b_held && !b_go && !a_holds && (!b_ahead || b_time_over || (a_waiting && !a_same));
  end

  // ---- The decision

  wire a_passes = a_waiting && (b_parked || (b_released ? b_after : !a_after_wild));
  wire a_waits  = holding && a_ahead && !a_over;
  wire b_passes = b_waiting && (a_parked || (a_released ? a_after : !b_after_wild));
  wire b_waits  = holding && b_ahead && !b_over;
  wire a_yields = b_held && (b_may || !settled || !a_same);
  wire b_yields = a_held && (a_may || !settled || !b_same);
  wire a_steps  = a_turn && !b_holds && !a_harmless && !a_yields;
  wire b_steps  = b_turn && !a_holds && !b_harmless && !b_yields;
  wire a_leaves = a_may && a_held && fresh && !b_holds && !a_harmless && !(b_may && b_held && !prefers_a);
  wire b_leaves = b_may && b_held && fresh && !a_holds && !b_harmless && !(a_may && a_held && prefers_a);

  assign a_go      = (a_steps && !a_waits) || a_leaves;
  assign b_go      = (b_steps && !b_waits) || b_leaves;
  assign a_park    = a_steps && a_waits && a_timed;
  assign b_park    = b_steps && b_waits && b_timed;
  assign a_drain   = a_harmless && (a_owner || (fresh && (a_held || (a_passes && !a_yields))));
  assign b_drain   = b_harmless && (b_owner || (fresh && (b_held || (b_passes && !b_yields))));

  wire unused = &{1'b0, apart};

endmodule
`default_nettype wire
