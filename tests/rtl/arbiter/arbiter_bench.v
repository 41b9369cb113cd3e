// SPDX-License-Identifier: MIT
// Arbiter, filter and statistics on the bench. The clock count is the NIC's time; what a monitor looks at every clock
// stands in one vector.
`include "layout.vh"
`default_nettype none

module arbiter_bench #(
  parameter SILENCE_LOG2 = 12
) (
  input  wire         clk,
  input  wire         rst,
  input  wire [31:0]  hold,
  input  wire [2:0]   event_enable,
  input  wire         filter_enable,
  input  wire         fill,
  input  wire         fill_value,
  input  wire         update,
  input  wire [15:0]  update_locate,
  input  wire         update_pass,

  input  wire         a_starts,
  input  wire         a_valid,
  input  wire [1:0]   a_kind,
  input  wire [479:0] a_data,
  input  wire         a_level_high,
  input  wire         b_starts,
  input  wire         b_valid,
  input  wire [1:0]   b_kind,
  input  wire [479:0] b_data,
  input  wire         b_level_high,

  // idle, report, abort, event, first, line valid, filter busy, ready of B, of A
  output wire [8:0]   events,
  output wire [31:0]  others_started,     // for line B, for line A
  output wire [479:0] line_data,
  output wire [303:0] report,             // timestamp, count, sequence, session, gap_from, flags, kind, reason, line
  output wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  output wire [63:0]  next_expected,
  output wire         next_expected_valid,
  output reg  [47:0]  clocks
);

  initial clocks = 48'd0;

  always @(posedge clk)
    clocks <= clocks + 48'd1;

  wire        report_valid;
  wire        passing_valid;
  wire        passing_first;
  wire        passing_event;
  wire        passing_abort;
  wire [15:0] next_locate;
  wire        next_general;
  wire [15:0] delivered;
  wire        any_delivered;
  wire        report_owner;
  wire        report_gap;
  wire [15:0] report_duplicates;
  wire        arbiter_idle;
  wire        statistics_idle;

  arbiter #(
    .SILENCE_LOG2 (SILENCE_LOG2)
  ) u_arbiter (
    .clk                 (clk),
    .rst                 (rst),
    .time_ns             (clocks),
    .hold                (hold),
    .event_enable        (event_enable),
    .a_starts            (a_starts),
    .a_others_started    (others_started[15:0]),
    .a_valid             (a_valid),
    .a_kind              (a_kind),
    .a_data              (a_data),
    .a_ready             (events[0]),
    .a_level_high        (a_level_high),
    .b_starts            (b_starts),
    .b_others_started    (others_started[31:16]),
    .b_valid             (b_valid),
    .b_kind              (b_kind),
    .b_data              (b_data),
    .b_ready             (events[1]),
    .b_level_high        (b_level_high),
    .line_valid          (passing_valid),
    .line_first          (passing_first),
    .line_event          (passing_event),
    .line_data           (line_data),
    .line_abort          (passing_abort),
    .next_locate         (next_locate),
    .next_general        (next_general),
    .delivered           (delivered),
    .any_delivered       (any_delivered),
    .report_valid        (report_valid),
    .report_line         (report[0]),
    .report_reason       (report[15:8]),
    .report_kind         (report[23:16]),
    .report_flags        (report[31:24]),
    .report_gap_from     (report[95:32]),
    .report_session      (report[175:96]),
    .report_sequence     (report[239:176]),
    .report_count        (report[255:240]),
    .report_timestamp    (report[303:256]),
    .report_owner        (report_owner),
    .report_gap          (report_gap),
    .report_duplicates   (report_duplicates),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .idle                (arbiter_idle)
  );

  wire message_passed;
  wire message_filtered;

  filter u_filter (
    .clk              (clk),
    .rst              (rst),
    .enable           (filter_enable),
    .fill             (fill),
    .fill_value       (fill_value),
    .update           (update),
    .update_locate    (update_locate),
    .update_pass      (update_pass),
    .busy             (events[2]),
    .next_locate      (next_locate),
    .next_general     (next_general),
    .line_valid       (passing_valid),
    .line_first       (passing_first),
    .line_event       (passing_event),
    .line_abort       (passing_abort),
    .passed_valid     (events[3]),
    .passed_abort     (events[6]),
    .message_passed   (message_passed),
    .message_filtered (message_filtered)
  );

  statistics u_statistics (
    .clk              (clk),
    .rst              (rst),
    .message_valid    (message_passed),
    .message_status   (line_data[8 * `TL_RX_RECORD_STATUS +: 3]),
    .message_filtered (message_filtered),
    .frame_done       (report_valid),
    .frame_line       (report[0]),
    .frame_owner      (report_owner),
    .frame_reason     (report[15:8]),
    .frame_gap        (report_gap),
    .frame_duplicates (report_duplicates),
    .delivered        (delivered),
    .any_delivered    (any_delivered),
    .counters         (statistics),
    .idle             (statistics_idle)
  );

  assign report[7:1] = 7'd0;
  assign events[4]   = passing_first;
  assign events[5]   = passing_event;
  assign events[7]   = report_valid;
  assign events[8]   = arbiter_idle && statistics_idle;

endmodule
`default_nettype wire
