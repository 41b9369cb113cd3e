// SPDX-License-Identifier: MIT
// The NIC as a cocotbext-axi user would bench it: an AXI4-Stream source on line A, AXI4-Lite registers, and the lines it
// writes to host memory on an AXI4-Stream of 64 bytes a beat, one beat a frame. Every write is answered in the next clock.
`default_nettype none
module axi_stream_bench (
  input  wire         clk,
  input  wire         rst,

  input  wire [63:0]  rx_a_tdata,
  input  wire [7:0]   rx_a_tkeep,
  input  wire         rx_a_tvalid,
  output wire         rx_a_tready,
  input  wire         rx_a_tlast,
  input  wire         rx_a_tuser,

  output wire [511:0] line_tdata,
  output wire         line_tvalid,
  input  wire         line_tready,
  output wire         line_tlast,

  input  wire [11:0]  s_axil_awaddr,
  input  wire [2:0]   s_axil_awprot,
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
  input  wire [2:0]   s_axil_arprot,
  input  wire         s_axil_arvalid,
  output wire         s_axil_arready,
  output wire [31:0]  s_axil_rdata,
  output wire [1:0]   s_axil_rresp,
  output wire         s_axil_rvalid,
  input  wire         s_axil_rready
);

  assign rx_a_tready = 1'b1;
  assign line_tlast  = 1'b1;

  wire       bready;
  reg  [3:0] answers;                 // writes whose answer the NIC has not taken
  wire       bvalid = answers != 4'd0;

  always @(posedge clk)
    if (rst) answers <= 4'd0;
    else     answers <= answers + {3'd0, line_tvalid && line_tready} - {3'd0, bvalid && bready};

  smartnic nic (
    .clk(clk), .rst(rst),
    .rx_a_tdata(rx_a_tdata), .rx_a_tkeep(rx_a_tkeep), .rx_a_tvalid(rx_a_tvalid), .rx_a_tlast(rx_a_tlast),
    .rx_a_tuser(rx_a_tuser),
    .rx_b_tdata(64'd0), .rx_b_tkeep(8'd0), .rx_b_tvalid(1'b0), .rx_b_tlast(1'b0), .rx_b_tuser(1'b0),
    .tx_tdata(), .tx_tkeep(), .tx_tvalid(), .tx_tready(1'b1), .tx_tlast(),
    .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb), .s_axil_wvalid(s_axil_wvalid),
    .s_axil_wready(s_axil_wready), .s_axil_bresp(s_axil_bresp), .s_axil_bvalid(s_axil_bvalid),
    .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr), .s_axil_arvalid(s_axil_arvalid),
    .s_axil_arready(s_axil_arready), .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp),
    .s_axil_rvalid(s_axil_rvalid), .s_axil_rready(s_axil_rready),
    .m_axi_awaddr(), .m_axi_awlen(), .m_axi_awsize(), .m_axi_awburst(), .m_axi_awvalid(), .m_axi_awready(1'b1),
    .m_axi_wdata(line_tdata), .m_axi_wstrb(), .m_axi_wlast(), .m_axi_wvalid(line_tvalid), .m_axi_wready(line_tready),
    .m_axi_bresp(2'b00), .m_axi_bvalid(bvalid), .m_axi_bready(bready),
    .m_axi_araddr(), .m_axi_arlen(), .m_axi_arsize(), .m_axi_arburst(), .m_axi_arvalid(), .m_axi_arready(1'b0),
    .m_axi_rdata(512'd0), .m_axi_rresp(2'b00), .m_axi_rlast(1'b1), .m_axi_rvalid(1'b0), .m_axi_rready(),
    .time_step_valid(1'b0), .time_step_ns(48'd0), .time_ns(),
    .report_valid(), .report_line(), .report_reason(), .report_kind(), .report_flags(), .report_gap_from(),
    .report_session(), .report_sequence(), .report_count(), .report_timestamp(),
    .receive_idle(), .host_idle()
  );

endmodule
`default_nettype wire
