// SPDX-License-Identifier: MIT
// The write channels of the NIC's one AXI4 master: takes a line from one of its sources a clock, in the order of the
// ports, and keeps address and data together: the next pair when both have left. A line taken at the end of clock t is
// on AW and W from t + 1 on. Answers come in order (one ID).
//
// The RX ring comes first, so its latency is its own; it cannot starve the others: market data arrive in fewer lines
// than there are clocks.
`default_nettype none

module dma_write_mux (
  input  wire         clk,
  input  wire         rst,

  // Sources: the RX ring's lines, its descriptor mode, TX descriptors, the raw ring
  input  wire         line_write_valid,
  output wire         line_write_ready,
  input  wire [57:0]  line_write_line,    // address / 64
  input  wire [511:0] line_write_data,
  input  wire         descriptor_write_valid,
  output wire         descriptor_write_ready,
  input  wire [57:0]  descriptor_write_line,
  input  wire [511:0] descriptor_write_data,
  input  wire [63:0]  descriptor_write_strobe,
  input  wire         tx_write_valid,
  output wire         tx_write_ready,
  input  wire [57:0]  tx_write_line,
  input  wire [511:0] tx_write_data,
  input  wire [63:0]  tx_write_strobe,
  input  wire         raw_write_valid,
  output wire         raw_write_ready,
  input  wire [57:0]  raw_write_line,
  input  wire [511:0] raw_write_data,

  output wire         rx_in_flight,   // writes the host has not answered, of either mode
  output wire         tx_in_flight,
  output wire         raw_in_flight,
  output wire         event_error,    // the host answered a write with an error

  // AXI4 write channels
  output wire [63:0]  m_axi_awaddr,
  output reg          m_axi_awvalid,
  input  wire         m_axi_awready,
  output reg  [511:0] m_axi_wdata,
  output reg  [63:0]  m_axi_wstrb,
  output reg          m_axi_wvalid,
  input  wire         m_axi_wready,
  input  wire [1:0]   m_axi_bresp,
  input  wire         m_axi_bvalid,
  output wire         m_axi_bready
);

  // ---- Sources; all but the RX ring's lines through a register stage

  wire         descriptor_valid;
  wire         descriptor_ready;
  wire [57:0]  descriptor_line;
  wire [511:0] descriptor_data;
  wire [63:0]  descriptor_strobe;
  wire         tx_valid;
  wire         tx_ready;
  wire [57:0]  tx_line;
  wire [511:0] tx_data;
  wire [63:0]  tx_strobe;
  wire         raw_valid;
  wire         raw_ready;
  wire [57:0]  raw_line;
  wire [511:0] raw_data;

  skid_buffer #(
    .WIDTH (634)
  ) u_descriptor_skid (
    .clk       (clk),
    .rst       (rst),
    .flush     (1'b0),
    .in_valid  (descriptor_write_valid),
    .in_ready  (descriptor_write_ready),
    .in_data   ({descriptor_write_strobe, descriptor_write_line, descriptor_write_data}),
    .out_valid (descriptor_valid),
    .out_ready (descriptor_ready),
    .out_data  ({descriptor_strobe, descriptor_line, descriptor_data})
  );

  skid_buffer #(
    .WIDTH (634)
  ) u_tx_skid (
    .clk       (clk),
    .rst       (rst),
    .flush     (1'b0),
    .in_valid  (tx_write_valid),
    .in_ready  (tx_write_ready),
    .in_data   ({tx_write_strobe, tx_write_line, tx_write_data}),
    .out_valid (tx_valid),
    .out_ready (tx_ready),
    .out_data  ({tx_strobe, tx_line, tx_data})
  );

  skid_buffer #(
    .WIDTH (570)
  ) u_raw_skid (
    .clk       (clk),
    .rst       (rst),
    .flush     (1'b0),
    .in_valid  (raw_write_valid),
    .in_ready  (raw_write_ready),
    .in_data   ({raw_write_line, raw_write_data}),
    .out_valid (raw_valid),
    .out_ready (raw_ready),
    .out_data  ({raw_line, raw_data})
  );

  // ---- Whose turn it is

  reg  [57:0] awline;
  reg  [7:0]  issued;                 // writes, modulo 2^8
  reg  [7:0]  answered;
  reg  [7:0]  outstanding;
  reg         most_outstanding;       // 255 of them: no further one

  wire free  = (!m_axi_awvalid || m_axi_awready) && (!m_axi_wvalid || m_axi_wready) && !most_outstanding;
  wire above_tx  = line_write_valid || descriptor_valid;
  wire above_raw = above_tx || tx_valid;
  wire issue     = free && (above_raw || raw_valid);
  wire answer    = m_axi_bvalid && m_axi_bready;

  assign line_write_ready = free;
  assign descriptor_ready = free && !line_write_valid;
  assign tx_ready         = free && !above_tx;
  assign raw_ready        = free && !above_raw;

  always @(posedge clk) begin
    if (rst) begin
      m_axi_awvalid <= 1'b0;
      m_axi_wvalid  <= 1'b0;
    end else begin
      m_axi_awvalid <= issue || (m_axi_awvalid && !m_axi_awready);
      m_axi_wvalid  <= issue || (m_axi_wvalid && !m_axi_wready);
    end
    if (issue) begin
      if (line_write_valid)
        {m_axi_wstrb, awline, m_axi_wdata} <= {{64{1'b1}}, line_write_line, line_write_data};
      else if (descriptor_valid)
        {m_axi_wstrb, awline, m_axi_wdata} <= {descriptor_strobe, descriptor_line, descriptor_data};
      else if (tx_valid)
        {m_axi_wstrb, awline, m_axi_wdata} <= {tx_strobe, tx_line, tx_data};
      else
        {m_axi_wstrb, awline, m_axi_wdata} <= {{64{1'b1}}, raw_line, raw_data};
    end
  end

  assign m_axi_awaddr = {awline, 6'd0};

  // ---- What is unanswered: a source has nothing in flight once its last write is answered

  reg  [7:0] rx_last;
  reg  [7:0] tx_last;
  reg  [7:0] raw_last;
  reg        rx_issued;               // and not all answered
  reg        tx_issued;
  reg        raw_issued;
  wire       issue_rx  = free && above_tx;
  wire       issue_tx  = free && !above_tx && tx_valid;
  wire       issue_raw = free && !above_raw && raw_valid;

  assign m_axi_bready  = outstanding != 8'd0;
  assign event_error   = answer && m_axi_bresp[1];
  assign rx_in_flight  = rx_issued || descriptor_valid;
  assign tx_in_flight  = tx_issued || tx_valid;
  assign raw_in_flight = raw_issued || raw_valid;

  always @(posedge clk) begin
    if (rst) begin
      issued           <= 8'd0;
      answered         <= 8'd0;
      outstanding      <= 8'd0;
      most_outstanding <= 1'b0;
      rx_issued        <= 1'b0;
      tx_issued        <= 1'b0;
      raw_issued       <= 1'b0;
    end else begin
      issued           <= issued + {7'd0, issue};
      answered         <= answered + {7'd0, answer};
      outstanding      <= outstanding + {7'd0, issue} - {7'd0, answer};
      most_outstanding <= !answer && outstanding == (issue ? 8'hFE : 8'hFF);
      rx_issued        <= issue_rx || (rx_issued && !(answer && answered == rx_last));
      tx_issued        <= issue_tx || (tx_issued && !(answer && answered == tx_last));
      raw_issued       <= issue_raw || (raw_issued && !(answer && answered == raw_last));
    end
    if (issue_rx)
      rx_last <= issued;
    if (issue_tx)
      tx_last <= issued;
    if (issue_raw)
      raw_last <= issued;
  end

  // SLVERR and DECERR both have bit 1 set (AXI4, A3.4.4); EXOKAY does not answer a normal access.
  wire unused = &{1'b0, m_axi_bresp[0]};

endmodule
`default_nettype wire
