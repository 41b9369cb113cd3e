// SPDX-License-Identifier: MIT
// The whole NIC on the bench. Every valid and pulse that a monitor waits for stands in one vector, `events`, and every
// ready that the host gives in another, so the environment needs one read and at most one write a clock.
`include "layout.vh"
`default_nettype none

module smartnic_bench #(
  parameter QUEUE_LOG2   = 13,
  parameter LINES_LOG2   = 13,
  parameter RX_FIFO_LOG2 = 6
) (
  input  wire         clk,
  input  wire         rst,

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

  output wire [63:0]  tx_tdata,
  output wire [7:0]   tx_tkeep,
  output wire         tx_tvalid,
  input  wire         tx_tready,
  output wire         tx_tlast,

  input  wire         time_step_valid,
  input  wire [47:0]  time_step_ns,

  input  wire [11:0]  s_axil_awaddr,
  input  wire         s_axil_awvalid,
  output wire         s_axil_awready,
  input  wire [31:0]  s_axil_wdata,
  input  wire [3:0]   s_axil_wstrb,
  input  wire         s_axil_wvalid,
  output wire         s_axil_wready,
  output wire [1:0]   s_axil_bresp,
  output wire         s_axil_bvalid,
  input  wire         s_axil_bready,
  input  wire [11:0]  s_axil_araddr,
  input  wire         s_axil_arvalid,
  output wire         s_axil_arready,
  output wire [31:0]  s_axil_rdata,
  output wire [1:0]   s_axil_rresp,
  output wire         s_axil_rvalid,
  input  wire         s_axil_rready,

  output wire [7:0]   events,          // idle, tx_tvalid, report, rready, bready, arvalid, wvalid, awvalid
  output wire [76:0]  host_aw,         // burst, size, len, addr
  output wire [576:0] host_w,          // last, strb, data
  output wire [76:0]  host_ar,         // as aw
  input  wire [2:0]   host_ready,      // arready, wready, awready
  input  wire [2:0]   host_b,          // resp, valid
  input  wire [515:0] host_r,          // data, last, resp, valid
  output wire [311:0] report,          // line, timestamp, count, sequence, session, gap_from, flags, kind, reason
  output wire [47:0]  time_ns,
  output reg  [47:0]  clocks           // rising edges so far
);

  initial clocks = 48'd0;

  always @(posedge clk)
    clocks <= clocks + 48'd1;

  wire receive_idle;
  wire host_idle;
  assign events[7] = receive_idle && host_idle;

  smartnic #(
    .QUEUE_LOG2   (QUEUE_LOG2),
    .LINES_LOG2   (LINES_LOG2),
    .RX_FIFO_LOG2 (RX_FIFO_LOG2)
  ) dut (
    .clk              (clk),
    .rst              (rst),
    .rx_a_tdata       (rx_a_tdata),
    .rx_a_tkeep       (rx_a_tkeep),
    .rx_a_tvalid      (rx_a_tvalid),
    .rx_a_tlast       (rx_a_tlast),
    .rx_a_tuser       (rx_a_tuser),
    .rx_b_tdata       (rx_b_tdata),
    .rx_b_tkeep       (rx_b_tkeep),
    .rx_b_tvalid      (rx_b_tvalid),
    .rx_b_tlast       (rx_b_tlast),
    .rx_b_tuser       (rx_b_tuser),
    .tx_tdata         (tx_tdata),
    .tx_tkeep         (tx_tkeep),
    .tx_tvalid        (tx_tvalid),
    .tx_tready        (tx_tready),
    .tx_tlast         (tx_tlast),
    .s_axil_awaddr    (s_axil_awaddr),
    .s_axil_awvalid   (s_axil_awvalid),
    .s_axil_awready   (s_axil_awready),
    .s_axil_wdata     (s_axil_wdata),
    .s_axil_wstrb     (s_axil_wstrb),
    .s_axil_wvalid    (s_axil_wvalid),
    .s_axil_wready    (s_axil_wready),
    .s_axil_bresp     (s_axil_bresp),
    .s_axil_bvalid    (s_axil_bvalid),
    .s_axil_bready    (s_axil_bready),
    .s_axil_araddr    (s_axil_araddr),
    .s_axil_arvalid   (s_axil_arvalid),
    .s_axil_arready   (s_axil_arready),
    .s_axil_rdata     (s_axil_rdata),
    .s_axil_rresp     (s_axil_rresp),
    .s_axil_rvalid    (s_axil_rvalid),
    .s_axil_rready    (s_axil_rready),
    .m_axi_awaddr     (host_aw[63:0]),
    .m_axi_awlen      (host_aw[71:64]),
    .m_axi_awsize     (host_aw[74:72]),
    .m_axi_awburst    (host_aw[76:75]),
    .m_axi_awvalid    (events[0]),
    .m_axi_awready    (host_ready[0]),
    .m_axi_wdata      (host_w[511:0]),
    .m_axi_wstrb      (host_w[575:512]),
    .m_axi_wlast      (host_w[576]),
    .m_axi_wvalid     (events[1]),
    .m_axi_wready     (host_ready[1]),
    .m_axi_bresp      (host_b[2:1]),
    .m_axi_bvalid     (host_b[0]),
    .m_axi_bready     (events[3]),
    .m_axi_araddr     (host_ar[63:0]),
    .m_axi_arlen      (host_ar[71:64]),
    .m_axi_arsize     (host_ar[74:72]),
    .m_axi_arburst    (host_ar[76:75]),
    .m_axi_arvalid    (events[2]),
    .m_axi_arready    (host_ready[2]),
    .m_axi_rdata      (host_r[515:4]),
    .m_axi_rresp      (host_r[2:1]),
    .m_axi_rlast      (host_r[3]),
    .m_axi_rvalid     (host_r[0]),
    .m_axi_rready     (events[4]),
    .time_step_valid  (time_step_valid),
    .time_step_ns     (time_step_ns),
    .time_ns          (time_ns),
    .report_valid     (events[5]),
    .report_line      (report[304]),
    .report_reason    (report[7:0]),
    .report_kind      (report[15:8]),
    .report_flags     (report[23:16]),
    .report_gap_from  (report[87:24]),
    .report_session   (report[167:88]),
    .report_sequence  (report[231:168]),
    .report_count     (report[247:232]),
    .report_timestamp (report[295:248]),
    .receive_idle     (receive_idle),
    .host_idle        (host_idle)
  );

  assign events[6]       = tx_tvalid;
  assign report[303:296] = 8'd0;
  assign report[311:305] = 7'd0;

endmodule
`default_nettype wire
