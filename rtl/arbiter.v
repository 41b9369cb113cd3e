// SPDX-License-Identifier: MIT
// Line arbitration: the frames of lines A and B take effect on the one stream in the order of their first bytes,
// one frame at a time. A line sampled here at a clock edge is at the output behind the next one.
//
// The owner is the one frame that may change the stream; it keeps it until its END, which makes its effect final or
// takes it back. So the second copy of a packet waits for the first one's verdict, and stands in for it if that is bad.
// Not waited for: a frame that is known to be harmless (line_front.v), which drains beside the owner, so that the
// line that is ahead does not wait for the one behind; and a parked one, which waits for the other line itself (hold).
// Nor is a frame that its headers drop, as soon as that is known (a void HEADER at the front of its line): it has no
// turn, its END passes.
//
// One case is left in which the line that is ahead waits for the other: a copy that waited for a verdict drains at an
// entry a clock, and what is behind it is not known before. A frame that is so much shorter than the one before it that
// the next one's header comes first makes that one wait, for as many clocks as the copy has entries at most.
//
// Every wait ends. One of two waiting frames is always older, and the older one does not wait for the younger. It waits
// for the owner, whose entries are taken as they come; for a parked frame never; for two clocks after the stream moved.
// A parked frame's time comes to an end, or its queue fills up. What is left is a port that falls silent inside a
// frame: after 2^SILENCE_LOG2 clocks without an entry, while the other line waits, an owner is dropped with `overflow`,
// and any other frame loses its seniority.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module arbiter #(
  parameter SILENCE_LOG2 = 12             // more than a jumbo frame with idle beats takes
) (
  input  wire         clk,
  input  wire         rst,
  input  wire [47:0]  time_ns,
  input  wire [31:0]  hold,               // ns that a packet which is ahead waits for the other line; 0: it does not
  input  wire [2:0]   event_enable,       // EVENT_ENABLE: STREAM, BAD, DROP

  // line A: frames at the port, and the entries behind its queue
  input  wire         a_starts,           // a frame begins at the port
  output wire [15:0]  a_others_started,   // frames of line B so far: goes with that frame
  input  wire         a_valid,
  input  wire [1:0]   a_kind,
  input  wire [479:0] a_data,
  output wire         a_ready,
  input  wire         a_level_high,

  // line B
  input  wire         b_starts,
  output wire [15:0]  b_others_started,   // frames of line A so far, with one that begins in this clock
  input  wire         b_valid,
  input  wire [1:0]   b_kind,
  input  wire [479:0] b_data,
  output wire         b_ready,
  input  wire         b_level_high,

  // lines for the RX ring, and the stock locate of the line that comes behind the next edge
  output wire         line_valid,
  output wire         line_first,
  output wire         line_event,         // with line_first: an rx_event, not a message
  output wire [479:0] line_data,
  output reg          line_abort,
  output wire [15:0]  next_locate,
  output wire         next_general,       // ... which is 0: of no stock

  // messages of the owner that reached the host, from statistics.v
  input  wire [15:0]  delivered,
  input  wire         any_delivered,

  // one report a frame, with or after its last line
  output wire         report_valid,
  output wire         report_line,        // 1: line B
  output wire [7:0]   report_reason,
  output wire [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output wire [63:0]  report_gap_from,
  output wire [79:0]  report_session,
  output wire [63:0]  report_sequence,
  output wire [15:0]  report_count,
  output wire [47:0]  report_timestamp,
  output wire         report_owner,       // the messages delivered since the last such report are its
  output wire         report_gap,
  output wire [15:0]  report_duplicates,

  output wire [63:0]  next_expected,
  output wire         next_expected_valid,
  output wire         idle
);

  // ---- Clock: stands still while no line has anything, also inside the owner's frame

  wire stream_clk;
  wire rests;

  clock_gate u_clock_gate (
    .clk    (clk),
    .enable (rst || !rests),
    .gated  (stream_clk)
  );

  // ---- Frames started and settled, by line: nobody waits for one that is retired or void

  reg  [15:0] a_started;
  reg  [15:0] b_started;
  reg  [15:0] a_settled;
  reg  [15:0] b_settled;
  reg         a_was_void;                 // the frame at the front, so it counts already
  reg         b_was_void;
  assign a_others_started = b_started;
  assign b_others_started = a_started + {15'd0, a_starts};

  // Frames start long before anything else of them is here.
  always @(posedge clk)
    if (rst) begin
      a_started <= 16'd0;
      b_started <= 16'd0;
    end else begin
      if (a_starts)
        a_started <= a_started + 16'd1;
      if (b_starts)
        b_started <= b_started + 16'd1;
    end

  always @(posedge stream_clk)
    if (rst) begin
      a_settled <= 16'd0;
      b_settled <= 16'd0;
    end else begin
      if (a_settles)
        a_settled <= a_settled + 16'd1;
      if (b_settles)
        b_settled <= b_settled + 16'd1;
    end

  always @(posedge stream_clk) begin
    a_was_void <= (a_is_void || (a_was_void && !a_retires)) && !rst;
    b_was_void <= (b_is_void || (b_was_void && !b_retires)) && !rst;
  end

  // ---- The entry at each line's front

  wire         a_header;
  wire         a_body_line;
  wire         a_record;
  wire         a_finish;
  wire [479:0] a_entry;
  wire         a_taken;
  wire         b_header;
  wire         b_body_line;
  wire         b_record;
  wire         b_finish;
  wire [479:0] b_entry;
  wire         b_taken;

  entry_skid u_skid_a (
    .clk       (stream_clk),
    .rst       (rst),
    .x_valid   (a_valid),
    .x_kind    (a_kind),
    .x_data    (a_data),
    .x_ready   (a_ready),
    .is_header (a_header),
    .is_line   (a_body_line),
    .is_record (a_record),
    .is_end    (a_finish),
    .data      (a_entry),
    .taken     (a_taken)
  );

  entry_skid u_skid_b (
    .clk       (stream_clk),
    .rst       (rst),
    .x_valid   (b_valid),
    .x_kind    (b_kind),
    .x_data    (b_data),
    .x_ready   (b_ready),
    .is_header (b_header),
    .is_line   (b_body_line),
    .is_record (b_record),
    .is_end    (b_finish),
    .data      (b_entry),
    .taken     (b_taken)
  );

  // Nothing of a frame that was retired without its END counts any more.
  reg  a_swallow;
  reg  b_swallow;
  wire a_is_record = a_record && !a_swallow;
  wire b_is_record = b_record && !b_swallow;
  wire a_is_body   = (a_record || a_body_line) && !a_swallow;
  wire b_is_body   = (b_record || b_body_line) && !b_swallow;
  wire a_is_end    = a_finish && !a_swallow;
  wire b_is_end    = b_finish && !b_swallow;
  wire a_is_void   = a_header && a_data[`TL_HEADER_VOID];
  wire b_is_void   = b_header && b_data[`TL_HEADER_VOID];
  wire a_active    = a_valid || !a_ready;
  wire b_active    = b_valid || !b_ready;

  // ---- The frame at each line's front

  reg         a_overtaken;                // its port is silent: it is not waited for
  reg         b_overtaken;
  wire [63:0] stream_after;
  wire        stream_changed;
  wire        a_go;
  wire        a_drain;
  wire        a_park;
  wire        a_release;
  wire        a_retires;
  wire        a_settles;
  wire        a_message;
  wire        a_duplicate;
  wire        a_waiting;
  wire        a_parked;
  wire        a_released;
  wire        a_owner;
  wire        a_draining;
  wire        a_none;
  wire [79:0] a_session;
  wire [63:0] a_sequence;
  wire [15:0] a_count;
  wire [7:0]  a_frame_kind;
  wire        a_unnumbered;
  wire [47:0] a_frame_time;
  wire [15:0] a_duplicates;
  wire        a_same;
  wire        a_ahead;
  wire        a_harmless;
  wire        a_near;
  wire        a_first_end;
  wire [63:0] a_start;
  wire        a_old;
  wire [63:0] a_number;
  wire [63:0] a_number_after;
  wire        a_timed;
  wire        a_over;
  wire        a_after;
  wire        a_after_wild;
  wire        b_go;
  wire        b_drain;
  wire        b_park;
  wire        b_release;
  wire        b_retires;
  wire        b_settles;
  wire        b_message;
  wire        b_duplicate;
  wire        b_waiting;
  wire        b_parked;
  wire        b_released;
  wire        b_owner;
  wire        b_draining;
  wire        b_none;
  wire [79:0] b_session;
  wire [63:0] b_sequence;
  wire [15:0] b_count;
  wire [7:0]  b_frame_kind;
  wire        b_unnumbered;
  wire [47:0] b_frame_time;
  wire [15:0] b_duplicates;
  wire        b_same;
  wire        b_ahead;
  wire        b_harmless;
  wire        b_near;
  wire        b_first_end;
  wire [63:0] b_start;
  wire        b_old;
  wire [63:0] b_number;
  wire [63:0] b_number_after;
  wire        b_timed;
  wire        b_over;
  wire        b_after;
  wire        b_after_wild;
  wire [79:0] stream_session;
  wire        stream_ended;

  line_front u_front_a (
    .clk             (stream_clk),
    .rst             (rst),
    .time_ns         (time_ns),
    .hold            (hold),
    .header_valid    (a_header && !a_is_void),
    .header          (a_data[`TL_HEADER_BITS-1:0]),
    .level_high      (a_level_high),
    .stream_valid    (next_expected_valid),
    .stream_session  (stream_session),
    .stream_next     (next_expected),
    .stream_after    (stream_after),
    .stream_ended    (stream_ended),
    .stream_changed  (stream_changed),
    .others_started  (b_started),
    .others_settled  (b_settled),
    .other_settles   (b_settles),
    .go              (a_go),
    .drain           (a_drain),
    .park            (a_park),
    .release_hold    (a_release),
    .retire          (a_retires),
    .message         (a_message),
    .duplicate       (a_duplicate),
    .waiting         (a_waiting),
    .parked          (a_parked),
    .released        (a_released),
    .owner           (a_owner),
    .draining        (a_draining),
    .none            (a_none),
    .session         (a_session),
    .sequence_number (a_sequence),
    .count           (a_count),
    .kind            (a_frame_kind),
    .unnumbered      (a_unnumbered),
    .frame_time      (a_frame_time),
    .duplicates      (a_duplicates),
    .same_session    (a_same),
    .ahead           (a_ahead),
    .harmless        (a_harmless),
    .near            (a_near),
    .first_end       (a_first_end),
    .start_number    (a_start),
    .old             (a_old),
    .number          (a_number),
    .number_after    (a_number_after),
    .timed           (a_timed),
    .over            (a_over),
    .other_decided   (b_harmless || b_draining || b_overtaken),
    .other_tame      (b_owner && b_same && b_near),
    .after           (a_after),
    .after_wild      (a_after_wild)
  );

  line_front u_front_b (
    .clk             (stream_clk),
    .rst             (rst),
    .time_ns         (time_ns),
    .hold            (hold),
    .header_valid    (b_header && !b_is_void),
    .header          (b_data[`TL_HEADER_BITS-1:0]),
    .level_high      (b_level_high),
    .stream_valid    (next_expected_valid),
    .stream_session  (stream_session),
    .stream_next     (next_expected),
    .stream_after    (stream_after),
    .stream_ended    (stream_ended),
    .stream_changed  (stream_changed),
    .others_started  (a_started),
    .others_settled  (a_settled),
    .other_settles   (a_settles),
    .go              (b_go),
    .drain           (b_drain),
    .park            (b_park),
    .release_hold    (b_release),
    .retire          (b_retires),
    .message         (b_message),
    .duplicate       (b_duplicate),
    .waiting         (b_waiting),
    .parked          (b_parked),
    .released        (b_released),
    .owner           (b_owner),
    .draining        (b_draining),
    .none            (b_none),
    .session         (b_session),
    .sequence_number (b_sequence),
    .count           (b_count),
    .kind            (b_frame_kind),
    .unnumbered      (b_unnumbered),
    .frame_time      (b_frame_time),
    .duplicates      (b_duplicates),
    .same_session    (b_same),
    .ahead           (b_ahead),
    .harmless        (b_harmless),
    .near            (b_near),
    .first_end       (b_first_end),
    .start_number    (b_start),
    .old             (b_old),
    .number          (b_number),
    .number_after    (b_number_after),
    .timed           (b_timed),
    .over            (b_over),
    .other_decided   (a_harmless || a_draining || a_overtaken),
    .other_tame      (a_owner && a_same && a_near),
    .after           (b_after),
    .after_wild      (b_after_wild)
  );

  // ---- Whose turn it is

  wire a_holds;                           // owns the stream, and may change it
  wire b_holds;

  reg  holding;

  always @(posedge stream_clk)
    holding <= hold != 32'd0;

  turn u_turn (
    .clk          (stream_clk),
    .rst          (rst),
    .holding      (holding),
    .fresh        (!stream_changed),
    .a_waiting    (a_waiting),
    .a_parked     (a_parked),
    .a_released   (a_released),
    .a_owner      (a_owner),
    .a_same       (a_same),
    .a_ahead      (a_ahead),
    .a_harmless   (a_harmless),
    .a_timed      (a_timed),
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
    .b_timed      (b_timed),
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

  // ---- Messages: delivered as they pass, or old

  reg  mid_message;                       // the owner's: continuation lines are out, the record is not
  wire a_delivers  = a_holds || a_go;
  wire b_delivers  = b_holds || b_go;
  wire a_drains    = a_drain || a_draining;
  wire b_drains    = b_drain || b_draining;
  wire a_emits     = a_delivers && a_is_body && !a_old;
  wire b_emits     = b_delivers && b_is_body && !b_old;
  wire emits_first = (a_emits && a_is_record) || (b_emits && b_is_record);

  assign a_message   = a_is_record && (a_delivers || a_drains);
  assign b_message   = b_is_record && (b_delivers || b_drains);
  assign a_duplicate = a_is_record && (a_drains || (a_delivers && a_old));
  assign b_duplicate = b_is_record && (b_drains || (b_delivers && b_old));

  // ---- Ends: one a clock, A before B. An unfinished message is given up first. An END that may have an event line
  // waits until the event before it is told.

  wire a_silent;                          // for too long, while the other line waits
  wire b_silent;
  wire telling;                           // an event waits for a gap between the owner's messages
  wire a_bad    = a_entry[`TL_END_REASON +: 8] != `TL_DROP_REASON_ACCEPT;
  wire b_bad    = b_entry[`TL_END_REASON +: 8] != `TL_DROP_REASON_ACCEPT;
  wire a_closes = a_none || a_draining || (a_owner && (a_harmless || !mid_message));
  wire b_closes = b_none || b_draining || (b_owner && (b_harmless || !mid_message));
  wire a_end    = a_is_end && a_closes && !telling;
  wire b_end    = b_is_end && b_closes && !telling && !a_end;
  wire a_mute   = a_holds && a_silent && !a_active;
  wire b_mute   = b_holds && b_silent && !b_active;
  wire a_revoke = a_mute && !mid_message && !telling && !b_end;
  wire b_revoke = b_mute && !mid_message && !telling && !a_end;
  wire abort    = mid_message && ((a_holds && a_is_end) || (b_holds && b_is_end) || a_mute || b_mute);

  assign a_retires = a_end || a_revoke;
  assign b_retires = b_end || b_revoke;
  assign a_settles = a_is_void || (a_retires && !a_was_void);
  assign b_settles = b_is_void || (b_retires && !b_was_void);
  assign a_taken   = a_header || a_end || a_swallow || (a_is_body && (a_delivers || a_drains || a_none));
  assign b_taken   = b_header || b_end || b_swallow || (b_is_body && (b_delivers || b_drains || b_none));

  always @(posedge stream_clk)
    if (rst || abort)
      mid_message <= 1'b0;
    else if (a_emits || b_emits)
      mid_message <= !emits_first;

  // ---- Ports that fall silent inside a frame

  silence #(
    .LIMIT_LOG2 (SILENCE_LOG2)
  ) u_silence_a (
    .clk     (stream_clk),
    .rst     (rst),
    .active  (a_active),
    .awaited (!b_ready && !b_parked),
    .silent  (a_silent)
  );

  silence #(
    .LIMIT_LOG2 (SILENCE_LOG2)
  ) u_silence_b (
    .clk     (stream_clk),
    .rst     (rst),
    .active  (b_active),
    .awaited (!a_ready && !a_parked),
    .silent  (b_silent)
  );

  always @(posedge stream_clk)
    if (rst) begin
      a_swallow   <= 1'b0;
      b_swallow   <= 1'b0;
      a_overtaken <= 1'b0;
      b_overtaken <= 1'b0;
    end else begin
      a_swallow   <= a_revoke || (a_swallow && !a_finish);
      b_swallow   <= b_revoke || (b_swallow && !b_finish);
      a_overtaken <= !a_active && (a_overtaken || (a_silent && !a_holds));
      b_overtaken <= !b_active && (b_overtaken || (b_silent && !b_holds));
    end

  // ---- The stream

  wire a_ends = a_retires && a_holds;
  wire b_ends = b_retires && b_holds;

  stream u_stream (
    .clk           (stream_clk),
    .rst           (rst),
    .opens         ({b_waiting || b_parked || b_released, a_waiting || a_parked || a_released}),
    .owns          ({b_delivers, a_delivers}),
    .news          ({b_is_record && !b_old, a_is_record && !a_old}),
    .ends          ({b_ends, a_ends}),
    .commit        ((a_end && a_holds && !a_bad) || (b_end && b_holds && !b_bad)),
    .a_start       (a_start),
    .b_start       (b_start),
    .a_after       (a_number_after),
    .b_after       (b_number_after),
    .a_session     (a_session),
    .b_session     (b_session),
    .ended         ({b_first_end || (b_same && stream_ended), a_first_end || (a_same && stream_ended)}),
    .valid         (next_expected_valid),
    .session       (stream_session),
    .next_expected (next_expected),
    .next_after    (stream_after),
    .session_ended (stream_ended),
    .changed       (stream_changed)
  );

  // ---- Reports and events

  wire         event_due;
  wire         event_told;
  wire [479:0] event_data;
  wire         report_idle;

  frame_report u_frame_report (
    .clk               (stream_clk),
    .rst               (rst),
    .event_enable      (event_enable),
    .retires           ({b_retires, a_retires}),
    .a_end             (a_entry[`TL_END_BITS-1:0]),
    .b_end             (b_entry[`TL_END_BITS-1:0]),
    .revoked           ({b_revoke, a_revoke}),
    .owner             ({b_holds, a_holds}),
    .ahead             ({b_ahead, a_ahead}),
    .session_change    ({!b_same, !a_same} & {2{next_expected_valid}}),
    .first_end         ({b_first_end, a_first_end}),
    .gap_from          (next_expected),
    .a_session         (a_session),
    .b_session         (b_session),
    .a_sequence        (a_sequence),
    .b_sequence        (b_sequence),
    .a_count           (a_count),
    .b_count           (b_count),
    .a_kind            (a_frame_kind),
    .b_kind            (b_frame_kind),
    .a_time            (a_frame_time),
    .b_time            (b_frame_time),
    .a_duplicates      (a_duplicates),
    .b_duplicates      (b_duplicates),
    .delivered         (delivered),
    .any_delivered     (any_delivered),
    .report_valid      (report_valid),
    .report_line       (report_line),
    .report_reason     (report_reason),
    .report_kind       (report_kind),
    .report_flags      (report_flags),
    .report_gap_from   (report_gap_from),
    .report_session    (report_session),
    .report_sequence   (report_sequence),
    .report_count      (report_count),
    .report_timestamp  (report_timestamp),
    .report_owner      (report_owner),
    .report_gap        (report_gap),
    .report_duplicates (report_duplicates),
    .telling           (telling),
    .event_due         (event_due),
    .event_told        (event_told),
    .event_data        (event_data),
    .idle              (report_idle)
  );

  // ---- Lines

  localparam LOCATE = 8 * `TL_RX_RECORD_STOCK_LOCATE;

  reg          emitted;
  reg          emitted_first;
  reg  [479:0] emitted_data;
  wire [479:0] a_line = {a_entry[479:64], a_unnumbered ? a_number : a_entry[63:0]};
  wire [479:0] b_line = {b_entry[479:64], b_unnumbered ? b_number : b_entry[63:0]};

  always @(posedge stream_clk) begin
    emitted       <= (a_emits || b_emits) && !rst;
    emitted_first <= emits_first;
    if (a_is_body || b_is_body)
      emitted_data <= b_delivers ? b_line : a_line;
    line_abort    <= abort && !rst;
  end

  assign event_told = event_due && !emitted && !mid_message && !line_abort;

  assign next_locate  = b_delivers ? b_entry[LOCATE +: 16] : a_entry[LOCATE +: 16];
  assign next_general = b_delivers ? b_entry[LOCATE +: 16] == 16'd0 : a_entry[LOCATE +: 16] == 16'd0;
  assign line_valid   = emitted || event_told;
  assign line_first   = emitted_first || event_told;
  assign line_event   = event_told;
  assign line_data    = emitted ? emitted_data : event_data;

  // Nothing moves before the next entry: the owner waits for it, if there is one.
  wire quiet   = !a_active && !b_active && !a_swallow && !b_swallow && !emitted && !line_abort && !stream_changed
                 && report_idle;
  assign rests = quiet && (a_none || a_holds) && (b_none || b_holds);
  assign idle  = quiet && a_none && b_none;

endmodule
`default_nettype wire
