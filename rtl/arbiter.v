// SPDX-License-Identifier: MIT
// Line arbitration: the frames of lines A and B take effect on the one stream in the order of their first bytes,
// one frame at a time. A line sampled here at a clock edge is at the output behind the next one.
//
// The owner is the one frame that may change the stream; it keeps it until its END, which makes its effect final or
// takes it back. So the second copy of a packet waits for the first one's verdict, and stands in for it if that is bad.
// Not waited for: a frame that is known to be harmless (line_front.v), which drains beside the owner, so that a line
// that is ahead never waits for the one behind; and a parked one, which waits for the other line itself (hold).
// Frames that were dropped before their header came through have no turn: their END passes.
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

  // ---- Frames started and retired, by line

  reg  [15:0] a_started;
  reg  [15:0] b_started;
  reg  [15:0] a_retired;
  reg  [15:0] b_retired;
  wire        a_retires;
  wire        b_retires;

  assign a_others_started = b_started;
  assign b_others_started = a_started + {15'd0, a_starts};

  always @(posedge clk)
    if (rst) begin
      a_started <= 16'd0;
      b_started <= 16'd0;
      a_retired <= 16'd0;
      b_retired <= 16'd0;
    end else begin
      a_started <= a_started + {15'd0, a_starts};
      b_started <= b_started + {15'd0, b_starts};
      a_retired <= a_retired + {15'd0, a_retires};
      b_retired <= b_retired + {15'd0, b_retires};
    end

  // ---- The frame at each line's front

  // of a port that fell silent inside its frame
  reg         a_swallow;                  // the frame was retired, the rest of its entries is thrown away
  reg         b_swallow;
  reg         a_overtaken;                // ... or is not waited for
  reg         b_overtaken;

  wire        a_is_header = a_valid && a_kind == `TL_ENTRY_HEADER && !a_swallow;
  wire        b_is_header = b_valid && b_kind == `TL_ENTRY_HEADER && !b_swallow;
  wire        a_is_end    = a_valid && a_kind == `TL_ENTRY_END && !a_swallow;
  wire        b_is_end    = b_valid && b_kind == `TL_ENTRY_END && !b_swallow;
  wire        a_is_body   = a_valid && (a_kind == `TL_ENTRY_LINE || a_kind == `TL_ENTRY_RECORD);
  wire        b_is_body   = b_valid && (b_kind == `TL_ENTRY_LINE || b_kind == `TL_ENTRY_RECORD);

  wire        stream_changed;
  wire        a_go;
  wire        a_drain;
  wire        a_park;
  wire        a_release;
  wire        a_duplicate;
  wire        a_waiting;
  wire        a_parked;
  wire        a_released;
  wire        a_owner;
  wire        a_draining;
  wire [79:0] a_session;
  wire [63:0] a_sequence;
  wire [63:0] a_sequence_next;
  wire [15:0] a_count;
  wire [7:0]  a_frame_kind;
  wire        a_unnumbered;
  wire [47:0] a_frame_time;
  wire [15:0] a_duplicates;
  wire        a_same;
  wire        a_ahead;
  wire        a_old;
  wire [63:0] a_behind;
  wire        a_harmless;
  wire        a_over;
  wire        a_older;
  wire        a_older_one;
  wire        b_go;
  wire        b_drain;
  wire        b_park;
  wire        b_release;
  wire        b_duplicate;
  wire        b_waiting;
  wire        b_parked;
  wire        b_released;
  wire        b_owner;
  wire        b_draining;
  wire [79:0] b_session;
  wire [63:0] b_sequence;
  wire [63:0] b_sequence_next;
  wire [15:0] b_count;
  wire [7:0]  b_frame_kind;
  wire        b_unnumbered;
  wire [47:0] b_frame_time;
  wire [15:0] b_duplicates;
  wire        b_same;
  wire        b_ahead;
  wire        b_old;
  wire [63:0] b_behind;
  wire        b_harmless;
  wire        b_over;
  wire        b_older;
  wire        b_older_one;
  wire [79:0] stream_session;
  wire        stream_ended;

  line_front u_front_a (
    .clk             (clk),
    .rst             (rst),
    .time_ns         (time_ns),
    .hold            (hold),
    .header_valid    (a_is_header),
    .header          (a_data[`TL_HEADER_BITS-1:0]),
    .level_high      (a_level_high),
    .stream_valid    (next_expected_valid),
    .stream_session  (stream_session),
    .stream_next     (next_expected),
    .stream_ended    (stream_ended),
    .stream_changed  (stream_changed),
    .others_started  (b_started),
    .others_retired  (b_retired),
    .other_retires   (b_retires),
    .go              (a_go),
    .drain           (a_drain),
    .park            (a_park),
    .release_hold    (a_release),
    .retire          (a_retires),
    .duplicate       (a_duplicate),
    .waiting         (a_waiting),
    .parked          (a_parked),
    .released        (a_released),
    .owner           (a_owner),
    .draining        (a_draining),
    .session         (a_session),
    .sequence_number (a_sequence),
    .sequence_next   (a_sequence_next),
    .count           (a_count),
    .kind            (a_frame_kind),
    .unnumbered      (a_unnumbered),
    .frame_time      (a_frame_time),
    .duplicates      (a_duplicates),
    .same_session    (a_same),
    .ahead           (a_ahead),
    .old             (a_old),
    .behind          (a_behind),
    .harmless        (a_harmless),
    .over            (a_over),
    .older           (a_older),
    .older_one       (a_older_one)
  );

  line_front u_front_b (
    .clk             (clk),
    .rst             (rst),
    .time_ns         (time_ns),
    .hold            (hold),
    .header_valid    (b_is_header),
    .header          (b_data[`TL_HEADER_BITS-1:0]),
    .level_high      (b_level_high),
    .stream_valid    (next_expected_valid),
    .stream_session  (stream_session),
    .stream_next     (next_expected),
    .stream_ended    (stream_ended),
    .stream_changed  (stream_changed),
    .others_started  (a_started),
    .others_retired  (a_retired),
    .other_retires   (a_retires),
    .go              (b_go),
    .drain           (b_drain),
    .park            (b_park),
    .release_hold    (b_release),
    .retire          (b_retires),
    .duplicate       (b_duplicate),
    .waiting         (b_waiting),
    .parked          (b_parked),
    .released        (b_released),
    .owner           (b_owner),
    .draining        (b_draining),
    .session         (b_session),
    .sequence_number (b_sequence),
    .sequence_next   (b_sequence_next),
    .count           (b_count),
    .kind            (b_frame_kind),
    .unnumbered      (b_unnumbered),
    .frame_time      (b_frame_time),
    .duplicates      (b_duplicates),
    .same_session    (b_same),
    .ahead           (b_ahead),
    .old             (b_old),
    .behind          (b_behind),
    .harmless        (b_harmless),
    .over            (b_over),
    .older           (b_older),
    .older_one       (b_older_one)
  );

  // ---- Whose turn it is

  wire a_holds;                           // owns the stream, and may change it
  wire b_holds;

  turn u_turn (
    .clk          (clk),
    .holding      (hold != 32'd0),
    .fresh        (!stream_changed),
    .a_waiting    (a_waiting),
    .a_parked     (a_parked),
    .a_released   (a_released),
    .a_owner      (a_owner),
    .a_draining   (a_draining),
    .a_overtaken  (a_overtaken),
    .a_same       (a_same),
    .a_ahead      (a_ahead),
    .a_harmless   (a_harmless),
    .a_over       (a_over),
    .a_older      (a_older),
    .a_older_one  (a_older_one),
    .a_sequence   (a_sequence),
    .b_waiting    (b_waiting),
    .b_parked     (b_parked),
    .b_released   (b_released),
    .b_owner      (b_owner),
    .b_draining   (b_draining),
    .b_overtaken  (b_overtaken),
    .b_same       (b_same),
    .b_ahead      (b_ahead),
    .b_harmless   (b_harmless),
    .b_over       (b_over),
    .b_older      (b_older),
    .b_older_one  (b_older_one),
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

  reg         mid_message;                // the owner's: continuation lines are out, the record is not
  wire        old;
  wire        a_delivers = a_holds || a_go;
  wire        b_delivers = b_holds || b_go;
  wire        a_drains   = a_drain || a_draining;
  wire        b_drains   = b_drain || b_draining;
  wire        a_message  = a_is_body && a_kind == `TL_ENTRY_RECORD;
  wire        b_message  = b_is_body && b_kind == `TL_ENTRY_RECORD;
  wire        emit       = !old && ((a_delivers && a_is_body) || (b_delivers && b_is_body));
  wire        emit_first = b_delivers ? b_kind == `TL_ENTRY_RECORD : a_kind == `TL_ENTRY_RECORD;

  assign a_duplicate = a_message && (a_drains || (a_delivers && old));
  assign b_duplicate = b_message && (b_drains || (b_delivers && old));

  // ---- Ends: one a clock, A before B. An owner's end finds its last message whole, or gives it up first. The END of
  // another frame that may have an event line waits for a gap between the owner's messages.

  wire a_silent;                          // for too long, while the other line waits
  wire b_silent;
  wire telling = event_enable != 3'd0;
  wire a_bad   = a_data[`TL_END_REASON +: 8] != `TL_DROP_REASON_ACCEPT || a_data[`TL_END_OVERFLOW];
  wire b_bad   = b_data[`TL_END_REASON +: 8] != `TL_DROP_REASON_ACCEPT || b_data[`TL_END_OVERFLOW];
  wire a_tells = telling && (a_bad || a_data[`TL_END_TRUNCATED]);
  wire b_tells = telling && (b_bad || b_data[`TL_END_TRUNCATED]);
  wire a_busy  = a_delivers && (a_is_body || mid_message);
  wire b_busy  = b_delivers && (b_is_body || mid_message);
  wire a_idle  = !(a_waiting || a_parked || a_released || a_owner || a_draining);
  wire b_idle  = !(b_waiting || b_parked || b_released || b_owner || b_draining);

  wire a_closes = a_idle || a_draining || (a_owner && (a_harmless || !mid_message));
  wire b_closes = b_idle || b_draining || (b_owner && (b_harmless || !mid_message));
  wire a_end    = a_is_end && a_closes && !(a_tells && b_busy);
  wire b_end    = b_is_end && b_closes && !(b_tells && a_busy) && !a_end;
  wire a_revoke = a_holds && a_silent && !a_valid && !mid_message && !b_end;
  wire b_revoke = b_holds && b_silent && !b_valid && !mid_message && !a_end;
  wire abort    = mid_message && ((a_holds && (a_is_end || (a_silent && !a_valid)))
                                  || (b_holds && (b_is_end || (b_silent && !b_valid))));

  assign a_retires = a_end || a_revoke;
  assign b_retires = b_end || b_revoke;
  assign a_ready   = a_is_header || a_end || a_swallow || (a_is_body && (a_delivers || a_drains || a_idle));
  assign b_ready   = b_is_header || b_end || b_swallow || (b_is_body && (b_delivers || b_drains || b_idle));

  always @(posedge clk)
    if (rst || abort)
      mid_message <= 1'b0;
    else if (emit)
      mid_message <= !emit_first;

  // ---- Ports that fall silent inside a frame

  silence #(
    .LIMIT_LOG2 (SILENCE_LOG2)
  ) u_silence_a (
    .clk     (clk),
    .rst     (rst),
    .active  (a_valid),
    .awaited (b_valid && !b_ready && !b_parked),
    .silent  (a_silent)
  );

  silence #(
    .LIMIT_LOG2 (SILENCE_LOG2)
  ) u_silence_b (
    .clk     (clk),
    .rst     (rst),
    .active  (b_valid),
    .awaited (a_valid && !a_ready && !a_parked),
    .silent  (b_silent)
  );

  always @(posedge clk)
    if (rst) begin
      a_swallow   <= 1'b0;
      b_swallow   <= 1'b0;
      a_overtaken <= 1'b0;
      b_overtaken <= 1'b0;
    end else begin
      a_swallow   <= a_revoke || (a_swallow && !(a_valid && a_kind == `TL_ENTRY_END));
      b_swallow   <= b_revoke || (b_swallow && !(b_valid && b_kind == `TL_ENTRY_END));
      a_overtaken <= !a_valid && (a_overtaken || (a_silent && !a_holds));
      b_overtaken <= !b_valid && (b_overtaken || (b_silent && !b_holds));
    end

  // ---- The stream

  wire        gap;
  wire        session_change;
  wire        end_of_session;
  wire [63:0] number;
  wire        a_commits = a_end && a_holds && !a_bad;
  wire        b_commits = b_end && b_holds && !b_bad;

  stream u_stream (
    .clk             (clk),
    .rst             (rst),
    .go              (a_go || b_go),
    .session         (b_go ? b_session : a_session),
    .sequence_number (b_go ? b_sequence : a_sequence),
    .sequence_next   (b_go ? b_sequence_next : a_sequence_next),
    .kind            (b_go ? b_frame_kind : a_frame_kind),
    .unnumbered      (b_go ? b_unnumbered : a_unnumbered),
    .same_session    (b_go ? b_same : a_same),
    .ahead           (b_go ? b_ahead : a_ahead),
    .first_old       (b_go ? b_old : a_old),
    .behind          (b_go ? b_behind : a_behind),
    .message         ((a_delivers && a_message) || (b_delivers && b_message)),
    .commit          (a_commits || b_commits),
    .old             (old),
    .number          (number),
    .valid           (next_expected_valid),
    .stream_session  (stream_session),
    .next_expected   (next_expected),
    .ended           (stream_ended),
    .changed         (stream_changed),
    .gap             (gap),
    .session_change  (session_change),
    .end_of_session  (end_of_session)
  );

  // ---- Reports

  wire         from_b   = b_retires;      // never both in one clock
  wire         revoked  = a_revoke || b_revoke;
  wire [7:0]   a_reason = a_data[`TL_END_OVERFLOW] ? `TL_DROP_REASON_OVERFLOW : a_data[`TL_END_REASON +: 8];
  wire [7:0]   b_reason = b_data[`TL_END_OVERFLOW] ? `TL_DROP_REASON_OVERFLOW : b_data[`TL_END_REASON +: 8];
  wire [47:0]  a_time   = a_revoke ? a_frame_time : a_data[`TL_END_TIME +: 48];
  wire [47:0]  b_time   = b_revoke ? b_frame_time : b_data[`TL_END_TIME +: 48];
  wire         event_valid;
  wire         event_if_delivered;
  wire [479:0] event_data;

  frame_report u_frame_report (
    .clk                (clk),
    .rst                (rst),
    .event_enable       (event_enable),
    .retire             (a_retires || b_retires),
    .line               (from_b),
    .reason             (revoked ? `TL_DROP_REASON_OVERFLOW : from_b ? b_reason : a_reason),
    .truncated          (from_b ? b_data[`TL_END_TRUNCATED] : a_data[`TL_END_TRUNCATED]),
    .extra_data         (from_b ? b_data[`TL_END_EXTRA_DATA] : a_data[`TL_END_EXTRA_DATA]),
    .frame_time         (from_b ? b_time : a_time),
    .has_header         (from_b ? !b_idle : !a_idle),
    .owner              (from_b ? b_holds : a_holds),
    .gap                (gap),
    .gap_from           (next_expected),
    .session_change     (session_change),
    .end_of_session     (end_of_session),
    .session            (from_b ? b_session : a_session),
    .sequence_number    (from_b ? b_sequence : a_sequence),
    .count              (from_b ? b_count : a_count),
    .kind               (from_b ? b_frame_kind : a_frame_kind),
    .duplicates         (from_b ? b_duplicates : a_duplicates),
    .report_valid       (report_valid),
    .report_line        (report_line),
    .report_reason      (report_reason),
    .report_kind        (report_kind),
    .report_flags       (report_flags),
    .report_gap_from    (report_gap_from),
    .report_session     (report_session),
    .report_sequence    (report_sequence),
    .report_count       (report_count),
    .report_timestamp   (report_timestamp),
    .report_owner       (report_owner),
    .report_gap         (report_gap),
    .report_duplicates  (report_duplicates),
    .event_valid        (event_valid),
    .event_if_delivered (event_if_delivered),
    .event_data         (event_data)
  );

  // ---- Lines

  localparam LOCATE = 8 * `TL_RX_RECORD_STOCK_LOCATE;

  wire [479:0] passing = b_delivers ? b_data : a_data;
  reg          emitted;
  reg          emitted_first;
  reg  [479:0] emitted_data;
  reg  [479:0] told_data;

  always @(posedge clk) begin
    emitted       <= emit && !rst;
    emitted_first <= emit_first;
    emitted_data  <= passing;
    line_abort    <= abort && !rst;
    if (b_delivers ? b_unnumbered : a_unnumbered)
      emitted_data[8 * `TL_RX_RECORD_SEQUENCE +: 64] <= number;
  end

  always @* begin
    told_data = event_data;
    told_data[8 * `TL_RX_EVENT_DELIVERED +: 16] = report_owner ? delivered : 16'd0;
  end

  wire told = event_valid && (!event_if_delivered || any_delivered);

  assign next_locate = passing[LOCATE +: 16];
  assign line_valid  = emitted || told;
  assign line_first  = emitted_first || event_valid;
  assign line_event  = event_valid;
  assign line_data   = event_valid ? told_data : emitted_data;

  assign idle = !a_valid && !b_valid && a_idle && b_idle && !emitted && !report_valid && !line_abort
                && !a_swallow && !b_swallow && !stream_changed;

endmodule
`default_nettype wire
