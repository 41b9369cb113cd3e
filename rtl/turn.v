// SPDX-License-Identifier: MIT
// Who goes: decides about the frames at the two lines' fronts from what line_front.v says of them, in the same clock.
//
// A frame's turn comes when no older frame of the other line is undecided. At its turn it becomes the owner of the
// stream, or drains if it is harmless, or is parked if it is ahead and packets are held. A parked frame goes, before
// anything else, as soon as it is no longer ahead, and when a frame of another session comes up, which may not pass
// it. When its time is over it is released: frames of the other line that started before that moment go first. When
// both are parked, the one with the lower sequence number goes then; of equal ones that whose time is over.
`default_nettype none

module turn (
  input  wire        clk,
  input  wire        holding,             // packets that are ahead are parked
  input  wire        fresh,               // what is said of the stream is up to date

  input  wire        a_waiting,
  input  wire        a_parked,
  input  wire        a_released,
  input  wire        a_owner,
  input  wire        a_draining,
  input  wire        a_overtaken,         // silent for too long: not waited for
  input  wire        a_same,              // session
  input  wire        a_ahead,
  input  wire        a_harmless,
  input  wire        a_over,              // its time
  input  wire        a_older,             // frames of B that started before it are not retired
  input  wire        a_older_one,         // ... exactly one
  input  wire [63:0] a_sequence,

  input  wire        b_waiting,
  input  wire        b_parked,
  input  wire        b_released,
  input  wire        b_owner,
  input  wire        b_draining,
  input  wire        b_overtaken,
  input  wire        b_same,
  input  wire        b_ahead,
  input  wire        b_harmless,
  input  wire        b_over,
  input  wire        b_older,
  input  wire        b_older_one,
  input  wire [63:0] b_sequence,

  output wire        a_holds,             // owner that may change the stream
  output wire        a_go,
  output wire        a_drain,
  output wire        a_park,
  output wire        a_release,
  output wire        b_holds,
  output wire        b_go,
  output wire        b_drain,
  output wire        b_park,
  output wire        b_release
);

  // An owner is taken to be harmful for the one clock in which that is not known yet.
  assign a_holds = a_owner && !a_harmless;
  assign b_holds = b_owner && !b_harmless;

  wire a_held = a_parked || a_released;
  wire b_held = b_parked || b_released;

  // A released frame's seniority is newer than what the other line's frames were told: it alone decides between them.
  wire a_after = a_older && !(a_older_one && (b_harmless || b_draining || b_overtaken));
  wire b_after = b_older && !(b_older_one && (a_harmless || a_draining || a_overtaken));
  wire a_turn  = fresh && a_waiting && (b_parked || (b_released ? b_after : !a_after));
  wire b_turn  = fresh && b_waiting && (a_parked || (a_released ? a_after : !b_after));

  // ---- Parked and released frames: settled for a clock at least, as the comparison of the two is a clock late.

  wire [63:0] apart;
  wire        a_higher;
  wire        b_higher;

  sequence_distance u_sequence_distance (
    .clk       (clk),
    .first     (a_sequence),
    .second    (b_sequence),
    .behind    (apart),
    .is_ahead  (a_higher),
    .is_behind (b_higher)
  );

  wire a_equal     = !a_higher && !b_higher;
  wire a_late      = a_over || a_released;
  wire b_late      = b_over || b_released;
  wire a_first     = b_higher || (a_equal && a_late);
  wire a_time_over = b_held ? (a_late || b_late) && a_first  : a_released && !a_after;
  wire b_time_over = a_held ? (a_late || b_late) && !a_first : b_released && !b_after;
  wire a_may       = fresh && a_held && !b_holds && (!a_ahead || a_time_over || (b_waiting && !b_same));
  wire b_may       = fresh && b_held && !a_holds && (!b_ahead || b_time_over || (a_waiting && !a_same));

  // ---- The decision

  assign a_drain = a_harmless && (a_owner || a_turn || (fresh && a_held));
  assign b_drain = b_harmless && (b_owner || b_turn || (fresh && b_held));

  wire a_waits   = holding && a_ahead && !a_over;
  wire b_waits   = holding && b_ahead && !b_over;
  wire a_takes   = a_turn && !b_holds && !a_harmless;
  wire b_takes   = b_turn && !a_holds && !b_harmless;

  assign a_go      = (a_takes && !a_waits && !b_may && !(b_held && !a_same))
                     || (a_may && !a_harmless && !(b_may && !a_first));
  assign b_go      = (b_takes && !b_waits && !a_may && !(a_held && !b_same))
                     || (b_may && !b_harmless && !(a_may && a_first));
  assign a_park    = a_takes && a_waits;
  assign b_park    = b_takes && b_waits;
  assign a_release = a_parked && a_over && !b_held && !a_go && !a_drain;
  assign b_release = b_parked && b_over && !a_held && !b_go && !b_drain;

  wire unused = &{1'b0, apart};

endmodule
`default_nettype wire
