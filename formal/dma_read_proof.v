// SPDX-License-Identifier: MIT
// AXI4 read channels of the host port: an address stands until it is taken (IHI 0022, A3.2.1); each is one source's,
// once; the answers go to the sources in the order of their questions; never more than 32 reads are open.
`default_nettype none

module dma_read_proof (
  input wire         clk,
  input wire         rst,
  input wire         slot_valid,
  input wire [57:0]  slot_line,
  input wire         tx_valid,
  input wire [57:0]  tx_line,
  input wire         rx_valid,
  input wire [57:0]  rx_line,
  input wire         frame_valid,
  input wire [57:0]  frame_line,
  input wire         m_axi_arready,
  input wire [511:0] m_axi_rdata,
  input wire [1:0]   m_axi_rresp,
  input wire         m_axi_rvalid,
  input wire         watch
);

  wire         slot_ready;
  wire         slot_answer;
  wire         tx_ready;
  wire         tx_answer;
  wire         rx_ready;
  wire         rx_answer;
  wire         frame_ready;
  wire         frame_answer;
  wire [511:0] answer_data;
  wire         answer_error;
  wire [63:0]  m_axi_araddr;
  wire         m_axi_arvalid;
  wire         m_axi_rready;

  dma_read_mux u_dma_read_mux (
    .clk           (clk),
    .rst           (rst),
    .slot_valid    (slot_valid),
    .slot_ready    (slot_ready),
    .slot_line     (slot_line),
    .slot_answer   (slot_answer),
    .tx_valid      (tx_valid),
    .tx_ready      (tx_ready),
    .tx_line       (tx_line),
    .tx_answer     (tx_answer),
    .rx_valid      (rx_valid),
    .rx_ready      (rx_ready),
    .rx_line       (rx_line),
    .rx_answer     (rx_answer),
    .frame_valid   (frame_valid),
    .frame_ready   (frame_ready),
    .frame_line    (frame_line),
    .frame_answer  (frame_answer),
    .answer_data   (answer_data),
    .answer_error  (answer_error),
    .m_axi_araddr  (m_axi_araddr),
    .m_axi_arvalid (m_axi_arvalid),
    .m_axi_arready (m_axi_arready),
    .m_axi_rdata   (m_axi_rdata),
    .m_axi_rresp   (m_axi_rresp),
    .m_axi_rvalid  (m_axi_rvalid),
    .m_axi_rready  (m_axi_rready)
  );

  reg         started = 1'b0;
  reg         old_rst;
  reg         ar_waits;
  reg  [63:0] old_araddr;
  reg  [6:0]  open;                       // reads of sources, not answered
  reg  [6:0]  addresses;                  // taken by the host, not answered
  reg         pending;
  reg  [57:0] pending_line;

  // The read that the solver watches: how many answers come before its own, and whose it is.
  reg         watched;
  reg  [6:0]  earlier;
  reg  [1:0]  owner;

  wire        ar_taken = m_axi_arvalid && m_axi_arready;
  wire        r_taken  = m_axi_rvalid && m_axi_rready;
  wire [3:0]  takes    = {frame_valid && frame_ready, rx_valid && rx_ready, tx_valid && tx_ready,
                          slot_valid && slot_ready};
  wire [3:0]  answers  = {frame_answer, rx_answer, tx_answer, slot_answer};
  wire        one      = takes == 4'd1 || takes == 4'd2 || takes == 4'd4 || takes == 4'd8;

  always @(posedge clk) begin
    started      <= 1'b1;
    old_rst      <= rst;
    ar_waits     <= m_axi_arvalid && !m_axi_arready;
    old_araddr   <= m_axi_araddr;
    open         <= rst ? 7'd0 : open + {6'd0, takes != 4'd0} - {6'd0, r_taken};
    addresses    <= rst ? 7'd0 : addresses + {6'd0, ar_taken} - {6'd0, r_taken};
    pending      <= takes != 4'd0 && !rst;
    pending_line <= slot_valid ? slot_line : tx_valid ? tx_line : rx_valid ? rx_line : frame_line;

    if (rst || (watched && r_taken && earlier == 7'd0))
      watched <= 1'b0;
    else if (watched)
      earlier <= earlier - {6'd0, r_taken};
    else if (watch && takes != 4'd0) begin
      watched <= 1'b1;
      earlier  <= open - {6'd0, r_taken};
      owner   <= takes[3] ? 2'd3 : takes[2] ? 2'd2 : takes[1] ? 2'd1 : 2'd0;
    end

    if (!started)
      assume (rst);
    assume (!m_axi_rvalid || addresses != 7'd0);

    if (started && !rst && !old_rst) begin
      assert (!ar_waits || (m_axi_arvalid && m_axi_araddr == old_araddr));
      assert (takes == 4'd0 || one);
      assert (!pending || (m_axi_arvalid && m_axi_araddr == {pending_line, 6'd0}));
      assert (pending || !m_axi_arvalid || ar_waits);
      assert (open <= 7'd32);
      assert (!m_axi_rvalid || m_axi_rready);
      assert ((answers != 4'd0) == r_taken);
      if (watched && r_taken && earlier == 7'd0)
        assert (answers == 4'd1 << owner);
    end
  end

endmodule
`default_nettype wire
