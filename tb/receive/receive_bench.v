// SPDX-License-Identifier: MIT
// A receive line on the bench, by itself (ARBITER 0: `ready` takes the entries) or as line A of an arbiter whose line B
// rests. The clock count is the NIC's time, so timestamps can be checked to the clock; all events stand in one vector, so
// a monitor reads one signal a clock.
`include "layout.vh"
`default_nettype none

module receive_bench #(
  parameter ARBITER    = 1,
  parameter QUEUE_LOG2 = 13,
  parameter LINES_LOG2 = 13,
  parameter LINE_B     = 0
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         enable,
  input  wire         verified,
  input  wire         prototype,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,

  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,

  // without an arbiter
  input  wire         ready,
  input  wire [15:0]  others_started,

  output wire [10:0]  events,             // level high, entry kind, entry, idle, overflow, report, decoded, abort,
                                          // line first, line valid
  output wire [479:0] entry,
  output wire [479:0] line_data,
  output wire [303:0] report,             // timestamp, count, sequence, session, gap_from, flags, kind, reason
  output wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  output wire [63:0]  next_expected,
  output wire         next_expected_valid,
  output wire         has_arbiter,
  output reg  [31:0]  frames_started,
  output reg  [47:0]  clocks              // rising edges so far
);

  assign has_arbiter = ARBITER != 0;

  initial clocks = 48'd0;

  always @(posedge clk)
    clocks <= clocks + 48'd1;

  wire        starts;

  always @(posedge clk)
    frames_started <= rst ? 32'd0 : frames_started + {31'd0, starts};

  wire [15:0] others;
  wire        x_valid;
  wire [1:0]  x_kind;
  wire        x_ready;
  wire        x_level_high;
  wire        line_idle;
  wire        arbiter_idle;
  wire        decoded_valid;
  wire        overflow;
  wire        line_valid;
  wire        line_first;
  wire        line_abort;
  wire        report_valid;

  receive_line #(
    .LINE_B     (LINE_B),
    .QUEUE_LOG2 (QUEUE_LOG2),
    .LINES_LOG2 (LINES_LOG2)
  ) dut (
    .clk            (clk),
    .rst            (rst),
    .enable         (enable),
    .verified       (verified),
    .prototype      (prototype),
    .group_address  (group_address),
    .group_port     (group_port),
    .time_ns        (clocks),
    .s_axis_tdata   (s_axis_tdata),
    .s_axis_tkeep   (s_axis_tkeep),
    .s_axis_tvalid  (s_axis_tvalid),
    .s_axis_tlast   (s_axis_tlast),
    .s_axis_tuser   (s_axis_tuser),
    .starts         (starts),
    .others_started (others),
    .x_valid        (x_valid),
    .x_kind         (x_kind),
    .x_data         (entry),
    .x_ready        (x_ready),
    .x_level_high   (x_level_high),
    .decoded_valid  (decoded_valid),
    .overflow       (overflow),
    .idle           (line_idle)
  );

  assign events = {x_level_high, x_valid ? x_kind : 2'd0, x_valid && x_ready, line_idle && arbiter_idle, overflow,
                   report_valid, decoded_valid, line_abort, line_valid && line_first, line_valid};

  generate
    if (ARBITER != 0) begin : g_arbiter
      wire        line_event;
      wire        report_line;
      wire        report_owner;
      wire        report_gap;
      wire [15:0] report_duplicates;
      wire [15:0] delivered;
      wire        any_delivered;
      wire [15:0] next_locate;
      wire        next_general;
      wire [15:0] b_others_started;
      wire        b_ready;
      wire        turn_idle;
      wire        statistics_idle;

      assign arbiter_idle = turn_idle && statistics_idle;

      arbiter u_arbiter (
        .clk                 (clk),
        .rst                 (rst),
        .time_ns             (clocks),
        .hold                (32'd0),
        .event_enable        (3'd0),
        .a_starts            (starts),
        .a_others_started    (others),
        .a_valid             (x_valid),
        .a_kind              (x_kind),
        .a_data              (entry),
        .a_ready             (x_ready),
        .a_level_high        (x_level_high),
        .b_starts            (1'b0),
        .b_others_started    (b_others_started),
        .b_valid             (1'b0),
        .b_kind              (2'd0),
        .b_data              (480'd0),
        .b_ready             (b_ready),
        .b_level_high        (1'b0),
        .line_valid          (line_valid),
        .line_first          (line_first),
        .line_event          (line_event),
        .line_data           (line_data),
        .line_abort          (line_abort),
        .next_locate         (next_locate),
        .next_general        (next_general),
        .delivered           (delivered),
        .any_delivered       (any_delivered),
        .report_valid        (report_valid),
        .report_line         (report_line),
        .report_reason       (report[7:0]),
        .report_kind         (report[15:8]),
        .report_flags        (report[23:16]),
        .report_gap_from     (report[87:24]),
        .report_session      (report[167:88]),
        .report_sequence     (report[231:168]),
        .report_count        (report[247:232]),
        .report_timestamp    (report[295:248]),
        .report_owner        (report_owner),
        .report_gap          (report_gap),
        .report_duplicates   (report_duplicates),
        .next_expected       (next_expected),
        .next_expected_valid (next_expected_valid),
        .idle                (turn_idle)
      );

      statistics u_statistics (
        .clk              (clk),
        .rst              (rst),
        .message_valid    (line_valid && line_first && !line_event),
        .message_status   (line_data[8 * `TL_RX_RECORD_STATUS +: 3]),
        .message_filtered (1'b0),
        .frame_done       (report_valid),
        .frame_line       (report_line),
        .frame_owner      (report_owner),
        .frame_reason     (report[7:0]),
        .frame_gap        (report_gap),
        .frame_duplicates (report_duplicates),
        .delivered        (delivered),
        .any_delivered    (any_delivered),
        .counters         (statistics),
        .idle             (statistics_idle)
      );

      assign report[303:296] = {7'd0, report_line};

      wire unused = &{1'b0, ready, others_started, next_locate, next_general, b_others_started, b_ready};
    end else begin : g_entries
      assign x_ready             = ready;
      assign others              = others_started;
      assign arbiter_idle        = 1'b1;
      assign line_valid          = 1'b0;
      assign line_first          = 1'b0;
      assign line_abort          = 1'b0;
      assign report_valid        = 1'b0;
      assign line_data           = 480'd0;
      assign report              = 304'd0;
      assign statistics          = {32 * `TL_STATISTICS_WORDS{1'b0}};
      assign next_expected       = 64'd0;
      assign next_expected_valid = 1'b0;
    end
  endgenerate

endmodule
`default_nettype wire
