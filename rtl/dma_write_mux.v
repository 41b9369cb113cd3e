// SPDX-License-Identifier: MIT
// The write channels of the NIC's one AXI4 master: takes a line from one of its sources a clock, in the order of the
// ports, and keeps address and data together: the next pair when both have left. A line taken at the end of clock t is
// on AW and W from t + 1 on. Answers come in order (one ID) and go back to their source.
//
// The RX ring comes first, so its latency is its own; it cannot starve the others: market data arrive in fewer lines
// than there are clocks.
`default_nettype none

module dma_write_mux (
  input  wire         clk,
  input  wire         rst,

  // Sources: the RX ring's lines, its descriptor mode, TX descriptors, the raw ring
  input  wire         line_valid,
  output wire         line_ready,
  input  wire [57:0]  line_line,      // address / 64
  input  wire [511:0] line_data,
  input  wire         descriptor_valid,
  output wire         descriptor_ready,
  input  wire [57:0]  descriptor_line,
  input  wire [511:0] descriptor_data,
  input  wire [63:0]  descriptor_strobe,
  input  wire         tx_valid,
  output wire         tx_ready,
  input  wire [57:0]  tx_line,
  input  wire [511:0] tx_data,
  input  wire [63:0]  tx_strobe,
  input  wire         raw_valid,
  output wire         raw_ready,
  input  wire [57:0]  raw_line,
  input  wire [511:0] raw_data,

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

  localparam [1:0] RX  = 2'd0;
  localparam [1:0] TX  = 2'd1;
  localparam [1:0] RAW = 2'd2;

  // ---- Whose turn it is

  reg  [57:0] awline;
  reg  [7:0]  issued;                 // writes, modulo 2^8
  reg  [7:0]  answered;
  reg         most_outstanding;       // 255 of them: no further one

  wire free  = (!m_axi_awvalid || m_axi_awready) && (!m_axi_wvalid || m_axi_wready) && !most_outstanding;
  wire above_tx  = line_valid || descriptor_valid;
  wire above_raw = above_tx || tx_valid;
  wire issue     = free && (above_raw || raw_valid);
  wire answer    = m_axi_bvalid && m_axi_bready;

  assign line_ready       = free;
  assign descriptor_ready = free && !line_valid;
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
    if (free) begin
      awline      <= line_valid ? line_line : descriptor_valid ? descriptor_line : tx_valid ? tx_line : raw_line;
      m_axi_wdata <= line_valid ? line_data : descriptor_valid ? descriptor_data : tx_valid ? tx_data : raw_data;
      m_axi_wstrb <= line_valid ? {64{1'b1}} : descriptor_valid ? descriptor_strobe
                     : tx_valid ? tx_strobe : {64{1'b1}};
    end
  end

  assign m_axi_awaddr = {awline, 6'd0};

  // ---- Whose answer it is

  reg  [1:0] source [0:255];
  reg  [7:0] rx_outstanding;
  reg  [7:0] tx_outstanding;
  reg  [7:0] raw_outstanding;
  wire [1:0] asking    = above_tx ? RX : tx_valid ? TX : RAW;
  wire [1:0] answering = source[answered];
  wire [7:0] outstanding_next = issued + {7'd0, issue} - answered - {7'd0, answer};

  assign m_axi_bready  = issued != answered;
  assign event_error   = answer && m_axi_bresp[1];
  assign rx_in_flight  = rx_outstanding != 8'd0;
  assign tx_in_flight  = tx_outstanding != 8'd0;
  assign raw_in_flight = raw_outstanding != 8'd0;

  always @(posedge clk) begin
    if (rst) begin
      issued           <= 8'd0;
      answered         <= 8'd0;
      most_outstanding <= 1'b0;
      rx_outstanding   <= 8'd0;
      tx_outstanding   <= 8'd0;
      raw_outstanding  <= 8'd0;
    end else begin
      issued           <= issued + {7'd0, issue};
      answered         <= answered + {7'd0, answer};
      most_outstanding <= outstanding_next == 8'hFF;
      rx_outstanding   <= rx_outstanding + {7'd0, issue && asking == RX} - {7'd0, answer && answering == RX};
      tx_outstanding   <= tx_outstanding + {7'd0, issue && asking == TX} - {7'd0, answer && answering == TX};
      raw_outstanding  <= raw_outstanding + {7'd0, issue && asking == RAW} - {7'd0, answer && answering == RAW};
    end
    if (free)
      source[issued] <= asking;
  end

  // SLVERR and DECERR both have bit 1 set (AXI4, A3.4.4); EXOKAY does not answer a normal access.
  wire unused = &{1'b0, m_axi_bresp[0]};

endmodule
`default_nettype wire
