// SPDX-License-Identifier: MIT
// The receive side as main.cpp plays it: everything that leaves it in one vector, `seen`, which is 0 where the port
// says that it holds nothing. A mutant whose `seen` differs in one clock from that of the sound receive side is killed.
`include "layout.vh"
`default_nettype none

module replay #(
  parameter STATISTICS_BITS = 32 * `TL_STATISTICS_WORDS,
  parameter SEEN_BITS       = STATISTICS_BITS + 852
) (
  input  wire         clk,
  input  wire [15:0]  mutant,             // the fault that is switched on; 0: none
  input  wire         rst,
  input  wire [47:0]  time_ns,
  input  wire         enable,
  input  wire         verified,
  input  wire         prototype,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire [31:0]  hold,
  input  wire [2:0]   event_enable,
  input  wire         filter_enable,
  input  wire         filter_fill,
  input  wire         filter_fill_value,
  input  wire         filter_update,
  input  wire [15:0]  filter_update_locate,
  input  wire         filter_update_pass,
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

  output wire [SEEN_BITS-1:0] seen,
  output wire         line_valid,
  output wire         report_valid,
  output wire         idle
);

  wire         line_first;
  wire         line_event;
  wire [479:0] line_data;
  wire         line_abort;
  wire         report_line;
  wire [7:0]   report_reason;
  wire [7:0]   report_kind;
  wire [7:0]   report_flags;
  wire [63:0]  report_gap_from;
  wire [79:0]  report_session;
  wire [63:0]  report_sequence;
  wire [15:0]  report_count;
  wire [47:0]  report_timestamp;
  wire         decoded_a;
  wire         decoded_b;
  wire         filter_busy;
  wire [STATISTICS_BITS-1:0] statistics;
  wire [63:0]  next_expected;
  wire         next_expected_valid;
  wire         overflow;

  receive u_receive (
    .clk                  (clk),
    .mutant               (mutant),
    .rst                  (rst),
    .time_ns              (time_ns),
    .enable               (enable),
    .verified             (verified),
    .prototype            (prototype),
    .group_address        (group_address),
    .group_port           (group_port),
    .hold                 (hold),
    .event_enable         (event_enable),
    .filter_enable        (filter_enable),
    .filter_fill          (filter_fill),
    .filter_fill_value    (filter_fill_value),
    .filter_update        (filter_update),
    .filter_update_locate (filter_update_locate),
    .filter_update_pass   (filter_update_pass),
    .filter_busy          (filter_busy),
    .rx_a_tdata           (rx_a_tdata),
    .rx_a_tkeep           (rx_a_tkeep),
    .rx_a_tvalid          (rx_a_tvalid),
    .rx_a_tlast           (rx_a_tlast),
    .rx_a_tuser           (rx_a_tuser),
    .rx_b_tdata           (rx_b_tdata),
    .rx_b_tkeep           (rx_b_tkeep),
    .rx_b_tvalid          (rx_b_tvalid),
    .rx_b_tlast           (rx_b_tlast),
    .rx_b_tuser           (rx_b_tuser),
    .line_valid           (line_valid),
    .line_first           (line_first),
    .line_event           (line_event),
    .line_data            (line_data),
    .line_abort           (line_abort),
    .report_valid         (report_valid),
    .report_line          (report_line),
    .report_reason        (report_reason),
    .report_kind          (report_kind),
    .report_flags         (report_flags),
    .report_gap_from      (report_gap_from),
    .report_session       (report_session),
    .report_sequence      (report_sequence),
    .report_count         (report_count),
    .report_timestamp     (report_timestamp),
    .decoded_a            (decoded_a),
    .decoded_b            (decoded_b),
    .statistics           (statistics),
    .next_expected        (next_expected),
    .next_expected_valid  (next_expected_valid),
    .overflow             (overflow),
    .idle                 (idle)
  );

  wire [481:0] line   = {line_first, line_event, line_data};
  wire [296:0] report = {report_line, report_reason, report_kind, report_flags, report_gap_from, report_session,
                         report_sequence, report_count, report_timestamp};

  assign seen = rst ? {SEEN_BITS{1'b0}}
                : {statistics, next_expected, next_expected_valid, overflow, idle, decoded_a, decoded_b, filter_busy,
                   line_abort, line_valid, line & {482{line_valid}}, report_valid, report & {297{report_valid}}};

endmodule
`default_nettype wire
