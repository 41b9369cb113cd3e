// SPDX-License-Identifier: MIT
// SmartNIC: market data in on lines A and B, one stream out of it, a 64-byte line a message into the host's RX ring;
// orders out of the host's TX ring as OUCH over SoupBinTCP on the transmit port. Wiring only; one clock, synchronous
// reset. `idle` says that nothing is in flight: without new input only the time counter changes from then on.
`include "layout.vh"
`default_nettype none

module smartnic #(
  parameter PERIOD_NS    = 6,         // clock period: 6 + 2/5 ns, 156.25 MHz (10GbE); 2 + 14/25 is 390.625 MHz (25GbE)
  parameter PERIOD_NUM   = 2,
  parameter PERIOD_DEN   = 5,
  parameter QUEUE_LOG2   = 13,        // log2 of the beats that runs of short blocks may pile up, by line
  parameter LINES_LOG2   = 13,        // log2 of the entries that may wait for the other line
  parameter RX_FIFO_LOG2 = 6          // log2 of the ring lines a slow host can leave waiting
) (
  input  wire         clk,
  input  wire         rst,

  // Receive ports, lines A and B: a MAC cannot wait; tuser with tlast says that the FCS was bad
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

  // Transmit port
  output wire [63:0]  tx_tdata,
  output wire [7:0]   tx_tkeep,
  output wire         tx_tvalid,
  input  wire         tx_tready,
  output wire         tx_tlast,

  // AXI4-Lite registers
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

  // AXI4 master to host memory: single-beat bursts of a line
  output wire [63:0]  m_axi_awaddr,
  output wire [7:0]   m_axi_awlen,
  output wire [2:0]   m_axi_awsize,
  output wire [1:0]   m_axi_awburst,
  output wire         m_axi_awvalid,
  input  wire         m_axi_awready,
  output wire [511:0] m_axi_wdata,
  output wire [63:0]  m_axi_wstrb,
  output wire         m_axi_wlast,
  output wire         m_axi_wvalid,
  input  wire         m_axi_wready,
  input  wire [1:0]   m_axi_bresp,
  input  wire         m_axi_bvalid,
  output wire         m_axi_bready,
  output wire [63:0]  m_axi_araddr,
  output wire [7:0]   m_axi_arlen,
  output wire [2:0]   m_axi_arsize,
  output wire [1:0]   m_axi_arburst,
  output wire         m_axi_arvalid,
  input  wire         m_axi_arready,
  input  wire [511:0] m_axi_rdata,
  input  wire [1:0]   m_axi_rresp,
  input  wire         m_axi_rlast,
  input  wire         m_axi_rvalid,
  output wire         m_axi_rready,

  // Time: whole nanoseconds added in the clock the step is valid
  input  wire         time_step_valid,
  input  wire [47:0]  time_step_ns,
  output wire [47:0]  time_ns,

  // One report a received frame, at its end
  output wire         report_valid,
  output wire         report_line,    // 0 A, 1 B
  output wire [7:0]   report_reason,
  output wire [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output wire [63:0]  report_gap_from,
  output wire [79:0]  report_session,
  output wire [63:0]  report_sequence,
  output wire [15:0]  report_count,
  output wire [47:0]  report_timestamp,

  // Nothing under way. Two, because either is as deep as a path may be.
  output wire         receive_idle,
  output wire         host_idle
);

  // ---- Time

  timestamp #(
    .PERIOD_NS  (PERIOD_NS),
    .PERIOD_NUM (PERIOD_NUM),
    .PERIOD_DEN (PERIOD_DEN)
  ) u_timestamp (
    .clk        (clk),
    .rst        (rst),
    .step_valid (time_step_valid),
    .step_ns    (time_step_ns),
    .time_ns    (time_ns)
  );

  // ---- Receive side: frames to ring lines

  wire         rx_enable;
  wire         verified;
  wire         prototype;
  wire [31:0]  group_address;
  wire [15:0]  group_port;
  wire [31:0]  hold;
  wire [3:0]   event_enable;
  wire         filter_enable;
  wire         filter_fill;
  wire         filter_fill_value;
  wire         filter_update;
  wire [15:0]  filter_update_locate;
  wire         filter_update_pass;
  wire         filter_busy;
  wire         line_valid;
  wire         line_first;
  wire         line_event;
  wire [479:0] line_data;
  wire         line_abort;
  wire         decoded_a;
  wire         decoded_b;
  wire [32*`TL_STATISTICS_WORDS-1:0] statistics;
  wire [63:0]  next_expected;
  wire         next_expected_valid;
  wire         overflow;

  receive #(
    .QUEUE_LOG2 (QUEUE_LOG2),
    .LINES_LOG2 (LINES_LOG2)
  ) u_receive (
    .clk                  (clk),
    .rst                  (rst),
    .time_ns              (time_ns),
    .enable               (rx_enable),
    .verified             (verified),
    .prototype            (prototype),
    .group_address        (group_address),
    .group_port           (group_port),
    .hold                 (hold),
    .event_enable         (event_enable[2:0]),
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
    .idle                 (receive_idle)
  );

  // ---- Host side: ring lines to host memory, orders and frames out of it, registers


  host_side #(
    .RX_FIFO_LOG2 (RX_FIFO_LOG2)
  ) u_host_side (
    .clk                  (clk),
    .rst                  (rst),
    .line_valid           (line_valid),
    .line_first           (line_first),
    .line_event           (line_event),
    .line_data            (line_data),
    .line_abort           (line_abort),
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
    .report_valid         (report_valid),
    .report_line          (report_line),
    .report_reason        (report_reason),
    .report_timestamp     (report_timestamp),
    .rx_enable            (rx_enable),
    .group_address        (group_address),
    .group_port           (group_port),
    .verified             (verified),
    .prototype            (prototype),
    .hold                 (hold),
    .event_enable         (event_enable),
    .filter_enable        (filter_enable),
    .filter_fill          (filter_fill),
    .filter_fill_value    (filter_fill_value),
    .filter_update        (filter_update),
    .filter_update_locate (filter_update_locate),
    .filter_update_pass   (filter_update_pass),
    .filter_busy          (filter_busy),
    .time_ns              (time_ns),
    .next_expected        (next_expected),
    .next_expected_valid  (next_expected_valid),
    .statistics           (statistics),
    .overflow             (overflow),
    .tx_tdata             (tx_tdata),
    .tx_tkeep             (tx_tkeep),
    .tx_tvalid            (tx_tvalid),
    .tx_tready            (tx_tready),
    .tx_tlast             (tx_tlast),
    .s_axil_awaddr        (s_axil_awaddr),
    .s_axil_awvalid       (s_axil_awvalid),
    .s_axil_awready       (s_axil_awready),
    .s_axil_wdata         (s_axil_wdata),
    .s_axil_wstrb         (s_axil_wstrb),
    .s_axil_wvalid        (s_axil_wvalid),
    .s_axil_wready        (s_axil_wready),
    .s_axil_bresp         (s_axil_bresp),
    .s_axil_bvalid        (s_axil_bvalid),
    .s_axil_bready        (s_axil_bready),
    .s_axil_araddr        (s_axil_araddr),
    .s_axil_arvalid       (s_axil_arvalid),
    .s_axil_arready       (s_axil_arready),
    .s_axil_rdata         (s_axil_rdata),
    .s_axil_rresp         (s_axil_rresp),
    .s_axil_rvalid        (s_axil_rvalid),
    .s_axil_rready        (s_axil_rready),
    .m_axi_awaddr         (m_axi_awaddr),
    .m_axi_awlen          (m_axi_awlen),
    .m_axi_awsize         (m_axi_awsize),
    .m_axi_awburst        (m_axi_awburst),
    .m_axi_awvalid        (m_axi_awvalid),
    .m_axi_awready        (m_axi_awready),
    .m_axi_wdata          (m_axi_wdata),
    .m_axi_wstrb          (m_axi_wstrb),
    .m_axi_wlast          (m_axi_wlast),
    .m_axi_wvalid         (m_axi_wvalid),
    .m_axi_wready         (m_axi_wready),
    .m_axi_bresp          (m_axi_bresp),
    .m_axi_bvalid         (m_axi_bvalid),
    .m_axi_bready         (m_axi_bready),
    .m_axi_araddr         (m_axi_araddr),
    .m_axi_arlen          (m_axi_arlen),
    .m_axi_arsize         (m_axi_arsize),
    .m_axi_arburst        (m_axi_arburst),
    .m_axi_arvalid        (m_axi_arvalid),
    .m_axi_arready        (m_axi_arready),
    .m_axi_rdata          (m_axi_rdata),
    .m_axi_rresp          (m_axi_rresp),
    .m_axi_rlast          (m_axi_rlast),
    .m_axi_rvalid         (m_axi_rvalid),
    .m_axi_rready         (m_axi_rready),
    .idle                 (host_idle)
  );

  // decoded_* are where the latency of a receive line is measured; events of lost messages are the RX ring's.
  wire unused = &{1'b0, decoded_a, decoded_b, event_enable[`TL_BIT_EVENT_ENABLE_LOST]};

endmodule
`default_nettype wire
