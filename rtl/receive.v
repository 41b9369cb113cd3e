// SPDX-License-Identifier: MIT
// The receive side: two receive ports in, the ring lines of one stream, a report a frame and counters out. Wiring only.
// A record is sampled behind the outputs at the 4th clock edge after its message's last byte, unless its frame waits.
//
//   port A -> receive_line -\
//                            arbiter -> filter -> lines
//   port B -> receive_line -/              statistics
`include "layout.vh"
`default_nettype none

module receive #(
  parameter QUEUE_LOG2 = 13,          // log2 of the beats that runs of short blocks may pile up, by line
  parameter LINES_LOG2 = 13           // log2 of the entries that may wait for the other line
) (
  input  wire         clk,
  input  wire         rst,
  input  wire [47:0]  time_ns,

  // Set-up; verified and prototype change only while enable is 0 and nothing is under way
  input  wire         enable,         // frames that start while it is 0 are ignored
  input  wire         verified,
  input  wire         prototype,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire [31:0]  hold,
  input  wire [2:0]   event_enable,   // EVENT_ENABLE: STREAM, BAD, DROP

  // Subscription filter
  input  wire         filter_enable,
  input  wire         filter_fill,
  input  wire         filter_fill_value,
  input  wire         filter_update,
  input  wire [15:0]  filter_update_locate,
  input  wire         filter_update_pass,
  output wire         filter_busy,

  // Receive ports
  input  wire [63:0]  rx_a_tdata,
  input  wire [7:0]   rx_a_tkeep,
  input  wire         rx_a_tvalid,
  input  wire         rx_a_tlast,
  input  wire         rx_a_tuser,
  input  wire [63:0]  rx_b_tdata,
  input  wire [7:0]   rx_b_tkeep,
  input  wire         rx_b_tvalid,
  input  wire         rx_b_tlast,
  input  wire         rx_b_tuser,

  // Lines, without backpressure: the continuation lines of a message in order, then its first line
  output wire         line_valid,
  output wire         line_first,
  output wire         line_event,     // with line_first: an rx_event, not a message
  output wire [479:0] line_data,
  output wire         line_abort,     // the message under way will not be completed

  // One report a frame, with or after its last line
  output wire         report_valid,
  output wire         report_line,
  output wire [7:0]   report_reason,
  output wire [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output wire [63:0]  report_gap_from,
  output wire [79:0]  report_session,
  output wire [63:0]  report_sequence,
  output wire [15:0]  report_count,
  output wire [47:0]  report_timestamp,

  // A message of that line is decoded: where the latency of a receive line is measured
  output wire         decoded_a,
  output wire         decoded_b,

  output wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  output wire [63:0]  next_expected,
  output wire         next_expected_valid,
  output wire         overflow,       // pulse: a queue was full, frames are lost
  output wire         idle
);

  // ---- Lines A and B

  wire         a_starts;
  wire [15:0]  a_others_started;
  wire         a_valid;
  wire [1:0]   a_kind;
  wire [479:0] a_data;
  wire         a_ready;
  wire         a_level_high;
  wire         a_overflow;
  wire         a_idle;

  receive_line #(
    .LINE_B     (0),
    .QUEUE_LOG2 (QUEUE_LOG2),
    .LINES_LOG2 (LINES_LOG2)
  ) u_receive_line_a (
    .clk            (clk),
    .rst            (rst),
    .enable         (enable),
    .verified       (verified),
    .prototype      (prototype),
    .group_address  (group_address),
    .group_port     (group_port),
    .time_ns        (time_ns),
    .s_axis_tdata   (rx_a_tdata),
    .s_axis_tkeep   (rx_a_tkeep),
    .s_axis_tvalid  (rx_a_tvalid),
    .s_axis_tlast   (rx_a_tlast),
    .s_axis_tuser   (rx_a_tuser),
    .starts         (a_starts),
    .others_started (a_others_started),
    .x_valid        (a_valid),
    .x_kind         (a_kind),
    .x_data         (a_data),
    .x_ready        (a_ready),
    .x_level_high   (a_level_high),
    .decoded_valid  (decoded_a),
    .overflow       (a_overflow),
    .idle           (a_idle)
  );

  wire         b_starts;
  wire [15:0]  b_others_started;
  wire         b_valid;
  wire [1:0]   b_kind;
  wire [479:0] b_data;
  wire         b_ready;
  wire         b_level_high;
  wire         b_overflow;
  wire         b_idle;

  receive_line #(
    .LINE_B     (1),
    .QUEUE_LOG2 (QUEUE_LOG2),
    .LINES_LOG2 (LINES_LOG2)
  ) u_receive_line_b (
    .clk            (clk),
    .rst            (rst),
    .enable         (enable),
    .verified       (verified),
    .prototype      (prototype),
    .group_address  (group_address),
    .group_port     (group_port),
    .time_ns        (time_ns),
    .s_axis_tdata   (rx_b_tdata),
    .s_axis_tkeep   (rx_b_tkeep),
    .s_axis_tvalid  (rx_b_tvalid),
    .s_axis_tlast   (rx_b_tlast),
    .s_axis_tuser   (rx_b_tuser),
    .starts         (b_starts),
    .others_started (b_others_started),
    .x_valid        (b_valid),
    .x_kind         (b_kind),
    .x_data         (b_data),
    .x_ready        (b_ready),
    .x_level_high   (b_level_high),
    .decoded_valid  (decoded_b),
    .overflow       (b_overflow),
    .idle           (b_idle)
  );

  assign overflow = a_overflow || b_overflow;

  // ---- One stream

  wire         passing_valid;
  wire         passing_abort;
  wire [15:0]  next_locate;
  wire         next_general;
  wire         message_passed;
  wire         message_filtered;
  wire [15:0]  delivered;
  wire         any_delivered;
  wire         report_owner;
  wire         report_gap;
  wire [15:0]  report_duplicates;
  wire         arbiter_idle;

  arbiter u_arbiter (
    .clk                 (clk),
    .rst                 (rst),
    .time_ns             (time_ns),
    .hold                (hold),
    .event_enable        (event_enable),
    .a_starts            (a_starts),
    .a_others_started    (a_others_started),
    .a_valid             (a_valid),
    .a_kind              (a_kind),
    .a_data              (a_data),
    .a_ready             (a_ready),
    .a_level_high        (a_level_high),
    .b_starts            (b_starts),
    .b_others_started    (b_others_started),
    .b_valid             (b_valid),
    .b_kind              (b_kind),
    .b_data              (b_data),
    .b_ready             (b_ready),
    .b_level_high        (b_level_high),
    .line_valid          (passing_valid),
    .line_first          (line_first),
    .line_event          (line_event),
    .line_data           (line_data),
    .line_abort          (passing_abort),
    .next_locate         (next_locate),
    .next_general        (next_general),
    .delivered           (delivered),
    .any_delivered       (any_delivered),
    .report_valid        (report_valid),
    .report_line         (report_line),
    .report_reason       (report_reason),
    .report_kind         (report_kind),
    .report_flags        (report_flags),
    .report_gap_from     (report_gap_from),
    .report_session      (report_session),
    .report_sequence     (report_sequence),
    .report_count        (report_count),
    .report_timestamp    (report_timestamp),
    .report_owner        (report_owner),
    .report_gap          (report_gap),
    .report_duplicates   (report_duplicates),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .idle                (arbiter_idle)
  );

  filter u_filter (
    .clk              (clk),
    .rst              (rst),
    .enable           (filter_enable),
    .fill             (filter_fill),
    .fill_value       (filter_fill_value),
    .update           (filter_update),
    .update_locate    (filter_update_locate),
    .update_pass      (filter_update_pass),
    .busy             (filter_busy),
    .next_locate      (next_locate),
    .next_general     (next_general),
    .line_valid       (passing_valid),
    .line_first       (line_first),
    .line_event       (line_event),
    .line_abort       (passing_abort),
    .passed_valid     (line_valid),
    .passed_abort     (line_abort),
    .message_passed   (message_passed),
    .message_filtered (message_filtered)
  );

  wire statistics_idle;

  statistics u_statistics (
    .clk              (clk),
    .rst              (rst),
    .message_valid    (message_passed),
    .message_status   (line_data[8 * `TL_RX_RECORD_STATUS +: 3]),
    .message_filtered (message_filtered),
    .frame_done       (report_valid),
    .frame_line       (report_line),
    .frame_owner      (report_owner),
    .frame_reason     (report_reason),
    .frame_gap        (report_gap),
    .frame_duplicates (report_duplicates),
    .delivered        (delivered),
    .any_delivered    (any_delivered),
    .counters         (statistics),
    .idle             (statistics_idle)
  );

  assign idle = a_idle && b_idle && arbiter_idle && statistics_idle && !filter_busy;

endmodule
`default_nettype wire
