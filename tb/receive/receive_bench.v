// SPDX-License-Identifier: MIT
// The receive line on the bench. The clock count is the NIC's time, so timestamps can be checked to the clock; all
// events stand in one vector, so a monitor reads one signal a clock.
`include "layout.vh"
`default_nettype none

module receive_bench #(
  parameter QUEUE_LOG2 = 9
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         enable,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,

  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,

  output wire [6:0]   events,             // idle, overflow, report, decoded, abort, line first, line valid
  output wire [479:0] line_data,
  output wire [303:0] report,             // timestamp, count, sequence, session, gap_from, flags, kind, reason
  output wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  output wire [63:0]  next_expected,
  output wire         next_expected_valid,
  output reg  [47:0]  clocks              // rising edges so far
);

  initial clocks = 48'd0;

  always @(posedge clk)
    clocks <= clocks + 48'd1;

  receive_line #(
    .QUEUE_LOG2 (QUEUE_LOG2)
  ) dut (
    .clk                 (clk),
    .rst                 (rst),
    .enable              (enable),
    .group_address       (group_address),
    .group_port          (group_port),
    .time_ns             (clocks),
    .s_axis_tdata        (s_axis_tdata),
    .s_axis_tkeep        (s_axis_tkeep),
    .s_axis_tvalid       (s_axis_tvalid),
    .s_axis_tlast        (s_axis_tlast),
    .s_axis_tuser        (s_axis_tuser),
    .line_valid          (events[0]),
    .line_first          (events[1]),
    .line_data           (line_data),
    .line_abort          (events[2]),
    .decoded_valid       (events[3]),
    .report_valid        (events[4]),
    .report_reason       (report[7:0]),
    .report_kind         (report[15:8]),
    .report_flags        (report[23:16]),
    .report_gap_from     (report[87:24]),
    .report_session      (report[167:88]),
    .report_sequence     (report[231:168]),
    .report_count        (report[247:232]),
    .report_timestamp    (report[295:248]),
    .statistics          (statistics),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .overflow            (events[5]),
    .idle                (events[6])
  );

  assign report[303:296] = 8'd0;

endmodule
`default_nettype wire
