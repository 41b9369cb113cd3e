// SPDX-License-Identifier: MIT
// Stand-in for the receive side in the tests of the host side: the same ports, its outputs are registers that the test
// drives by name, so rings and registers are exercised beyond what real frames can do.
`include "layout.vh"
`default_nettype none

module receive_line (
  input  wire         clk,
  input  wire         rst,
  input  wire         enable,
  input  wire [31:0]  group_address,
  input  wire [15:0]  group_port,
  input  wire [47:0]  time_ns,
  input  wire [63:0]  s_axis_tdata,
  input  wire [7:0]   s_axis_tkeep,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tlast,
  input  wire         s_axis_tuser,

  output reg          line_valid,
  output reg          line_first,
  output reg  [479:0] line_data,
  output reg          line_abort,
  output wire         decoded_valid,
  output wire         report_valid,
  output wire [7:0]   report_reason,
  output wire [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output wire [63:0]  report_gap_from,
  output wire [79:0]  report_session,
  output wire [63:0]  report_sequence,
  output wire [15:0]  report_count,
  output wire [47:0]  report_timestamp,
  output reg  [32*`TL_STATISTICS_WORDS-1:0] statistics,
  output reg  [63:0]  next_expected,
  output reg          next_expected_valid,
  output reg          overflow,
  output wire         idle
);

  initial begin
    line_valid          = 1'b0;
    line_first          = 1'b0;
    line_data           = 480'd0;
    line_abort          = 1'b0;
    statistics          = {32*`TL_STATISTICS_WORDS{1'b0}};
    next_expected       = 64'd0;
    next_expected_valid = 1'b0;
    overflow            = 1'b0;
  end

  assign decoded_valid    = line_valid && line_first;
  assign report_valid     = 1'b0;
  assign report_reason    = 8'd0;
  assign report_kind      = 8'd0;
  assign report_flags     = 8'd0;
  assign report_gap_from  = 64'd0;
  assign report_session   = 80'd0;
  assign report_sequence  = 64'd0;
  assign report_count     = 16'd0;
  assign report_timestamp = 48'd0;
  assign idle             = 1'b1;

  wire unused = &{1'b0, clk, rst, enable, group_address, group_port, time_ns,
                  s_axis_tdata, s_axis_tkeep, s_axis_tvalid, s_axis_tlast, s_axis_tuser};

endmodule
`default_nettype wire
