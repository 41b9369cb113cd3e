// SPDX-License-Identifier: MIT
// Carries out one register access at a time on AXI4-Lite: `start` for one clock, `done` for one clock with the answer.
`default_nettype none
module axi_lite_master (
  input  wire        clk,
  input  wire        rst,
  // command
  input  wire        start,
  input  wire        write,
  input  wire [11:0] address,
  input  wire [31:0] data,
  output reg         busy,
  output reg         done,
  output reg  [31:0] answer,
  output reg  [1:0]  response,
  // AXI4-Lite
  output reg  [11:0] m_axil_awaddr,
  output reg         m_axil_awvalid,
  input  wire        m_axil_awready,
  output reg  [31:0] m_axil_wdata,
  output reg         m_axil_wvalid,
  input  wire        m_axil_wready,
  input  wire [1:0]  m_axil_bresp,
  input  wire        m_axil_bvalid,
  output wire        m_axil_bready,
  output reg  [11:0] m_axil_araddr,
  output reg         m_axil_arvalid,
  input  wire        m_axil_arready,
  input  wire [31:0] m_axil_rdata,
  input  wire [1:0]  m_axil_rresp,
  input  wire        m_axil_rvalid,
  output wire        m_axil_rready
);

  assign m_axil_bready = 1'b1;
  assign m_axil_rready = 1'b1;

  always @(posedge clk) if (rst || start || busy || done) begin  // spares the work in all other clocks
    done <= 1'b0;
    if (start) begin
      busy <= 1'b1;
      if (write) begin
        m_axil_awaddr <= address;
        m_axil_wdata <= data;
        m_axil_awvalid <= 1'b1;
        m_axil_wvalid <= 1'b1;
      end else begin
        m_axil_araddr <= address;
        m_axil_arvalid <= 1'b1;
      end
    end
    if (m_axil_awvalid && m_axil_awready) m_axil_awvalid <= 1'b0;
    if (m_axil_wvalid && m_axil_wready) m_axil_wvalid <= 1'b0;
    if (m_axil_arvalid && m_axil_arready) m_axil_arvalid <= 1'b0;
    if (m_axil_bvalid || m_axil_rvalid) begin
      busy <= 1'b0;
      done <= 1'b1;
      answer <= m_axil_rdata;
      response <= m_axil_bvalid ? m_axil_bresp : m_axil_rresp;
    end
    if (rst) begin
      busy <= 1'b0;
      done <= 1'b0;
      m_axil_awvalid <= 1'b0;
      m_axil_wvalid <= 1'b0;
      m_axil_arvalid <= 1'b0;
    end
  end

endmodule
`default_nettype wire
