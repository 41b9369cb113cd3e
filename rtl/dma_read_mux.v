// SPDX-License-Identifier: MIT
// The read channels of the NIC's one AXI4 master: one line a read, from one of its sources a clock, in the order of
// the ports. Answers come in order (one ID) and go to their source in the clock they are on R; a source asks only for
// what it can take.
`default_nettype none

module dma_read_mux (
  input  wire         clk,
  input  wire         rst,

  // Sources: TX slots and descriptors, RX descriptors, frames to send
  input  wire         slot_read_valid,
  output wire         slot_read_ready,
  input  wire [57:0]  slot_read_line,     // address / 64
  output wire         slot_answer,
  input  wire         tx_read_valid,
  output wire         tx_read_ready,
  input  wire [57:0]  tx_read_line,
  output wire         tx_answer,
  input  wire         rx_read_valid,
  output wire         rx_read_ready,
  input  wire [57:0]  rx_read_line,
  output wire         rx_answer,
  input  wire         frame_read_valid,
  output wire         frame_read_ready,
  input  wire [57:0]  frame_read_line,
  output wire         frame_answer,
  output wire [511:0] answer_data,
  output wire         answer_error,   // the host answered with an error; nothing in the data
  output wire         in_flight,      // reads the host has not answered

  // AXI4 read channels
  output wire [63:0]  m_axi_araddr,
  output reg          m_axi_arvalid,
  input  wire         m_axi_arready,
  input  wire [511:0] m_axi_rdata,
  input  wire [1:0]   m_axi_rresp,
  input  wire         m_axi_rvalid,
  output wire         m_axi_rready
);

  // ---- Sources; all but the TX slots through a register stage

  wire        tx_valid;
  wire        tx_ready;
  wire [57:0] tx_line;
  wire        rx_valid;
  wire        rx_ready;
  wire [57:0] rx_line;
  wire        frame_valid;
  wire        frame_ready;
  wire [57:0] frame_line;

  skid_buffer #(
    .WIDTH (58)
  ) u_tx_skid (
    .clk       (clk),
    .rst       (rst),
    .flush     (1'b0),
    .in_valid  (tx_read_valid),
    .in_ready  (tx_read_ready),
    .in_data   (tx_read_line),
    .out_valid (tx_valid),
    .out_ready (tx_ready),
    .out_data  (tx_line)
  );

  skid_buffer #(
    .WIDTH (58)
  ) u_rx_skid (
    .clk       (clk),
    .rst       (rst),
    .flush     (1'b0),
    .in_valid  (rx_read_valid),
    .in_ready  (rx_read_ready),
    .in_data   (rx_read_line),
    .out_valid (rx_valid),
    .out_ready (rx_ready),
    .out_data  (rx_line)
  );

  skid_buffer #(
    .WIDTH (58)
  ) u_frame_skid (
    .clk       (clk),
    .rst       (rst),
    .flush     (1'b0),
    .in_valid  (frame_read_valid),
    .in_ready  (frame_read_ready),
    .in_data   (frame_read_line),
    .out_valid (frame_valid),
    .out_ready (frame_ready),
    .out_data  (frame_line)
  );

  // ---- Whose turn it is, and whose answer

  reg  [57:0] arline;
  reg  [3:0]  source [0:15];          // of the reads outstanding, one bit each; pointers with one bit more
  reg  [4:0]  issued;
  reg  [4:0]  answered;

  wire [4:0]  outstanding = issued - answered;
  reg         full;                   // 14 of the clock before, so at most 16
  wire        free      = (!m_axi_arvalid || m_axi_arready) && !full;
  wire [3:0]  asking    = slot_read_valid ? 4'd1 : tx_valid ? 4'd2 : rx_valid ? 4'd4 : 4'd8;
  wire        issue     = free && (slot_read_valid || tx_valid || rx_valid || frame_valid);
  wire        answer    = m_axi_rvalid && m_axi_rready;

  assign slot_read_ready = free;
  assign tx_ready        = free && !slot_read_valid;
  assign rx_ready        = free && !slot_read_valid && !tx_valid;
  assign frame_ready     = free && !slot_read_valid && !tx_valid && !rx_valid;
  assign {frame_answer, rx_answer, tx_answer, slot_answer} = {4{answer}} & source[answered[3:0]];

  assign answer_data  = m_axi_rdata;
  assign answer_error = m_axi_rresp[1];

  assign m_axi_araddr = {arline, 6'd0};
  assign m_axi_rready = issued != answered;
  assign in_flight    = slot_read_valid || tx_valid || rx_valid || frame_valid || issued != answered;

  always @(posedge clk) begin
    if (rst) begin
      m_axi_arvalid <= 1'b0;
      full          <= 1'b0;
      issued        <= 5'd0;
      answered      <= 5'd0;
    end else begin
      m_axi_arvalid <= issue || (m_axi_arvalid && !m_axi_arready);
      full          <= outstanding >= 5'd14;
      if (issue)
        issued <= issued + 5'd1;
      if (answer)
        answered <= answered + 5'd1;
    end
    if (free) begin
      arline              <= slot_read_valid ? slot_read_line : tx_valid ? tx_line : rx_valid ? rx_line : frame_line;
      source[issued[3:0]] <= asking;
    end
  end

  // SLVERR and DECERR both have bit 1 set (AXI4, A3.4.4); EXOKAY does not answer a normal access.
  wire unused = &{1'b0, m_axi_rresp[0]};

endmodule
`default_nettype wire
