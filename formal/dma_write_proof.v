// SPDX-License-Identifier: MIT
// AXI4 write channels of the host port: address, data and strobe stand until they are taken (IHI 0022, A3.2.1); each
// pair is one source's, whole and once; never more than 255 writes are open, and an answer is taken only for one of them.
`default_nettype none

module dma_write_proof (
  input wire         clk,
  input wire         rst,
  input wire         line_valid,
  input wire [57:0]  line_line,
  input wire [511:0] line_data,
  input wire         descriptor_valid,
  input wire [57:0]  descriptor_line,
  input wire [511:0] descriptor_data,
  input wire [63:0]  descriptor_strobe,
  input wire         tx_valid,
  input wire [57:0]  tx_line,
  input wire [511:0] tx_data,
  input wire [63:0]  tx_strobe,
  input wire         raw_valid,
  input wire [57:0]  raw_line,
  input wire [511:0] raw_data,
  input wire         m_axi_awready,
  input wire         m_axi_wready,
  input wire [1:0]   m_axi_bresp,
  input wire         m_axi_bvalid
);

  wire         line_ready;
  wire         descriptor_ready;
  wire         tx_ready;
  wire         raw_ready;
  wire         rx_in_flight;
  wire         tx_in_flight;
  wire         raw_in_flight;
  wire         event_error;
  wire [63:0]  m_axi_awaddr;
  wire         m_axi_awvalid;
  wire [511:0] m_axi_wdata;
  wire [63:0]  m_axi_wstrb;
  wire         m_axi_wvalid;
  wire         m_axi_bready;

  dma_write_mux u_dma_write_mux (
    .clk               (clk),
    .rst               (rst),
    .line_valid        (line_valid),
    .line_ready        (line_ready),
    .line_line         (line_line),
    .line_data         (line_data),
    .descriptor_valid  (descriptor_valid),
    .descriptor_ready  (descriptor_ready),
    .descriptor_line   (descriptor_line),
    .descriptor_data   (descriptor_data),
    .descriptor_strobe (descriptor_strobe),
    .tx_valid          (tx_valid),
    .tx_ready          (tx_ready),
    .tx_line           (tx_line),
    .tx_data           (tx_data),
    .tx_strobe         (tx_strobe),
    .raw_valid         (raw_valid),
    .raw_ready         (raw_ready),
    .raw_line          (raw_line),
    .raw_data          (raw_data),
    .rx_in_flight      (rx_in_flight),
    .tx_in_flight      (tx_in_flight),
    .raw_in_flight     (raw_in_flight),
    .event_error       (event_error),
    .m_axi_awaddr      (m_axi_awaddr),
    .m_axi_awvalid     (m_axi_awvalid),
    .m_axi_awready     (m_axi_awready),
    .m_axi_wdata       (m_axi_wdata),
    .m_axi_wstrb       (m_axi_wstrb),
    .m_axi_wvalid      (m_axi_wvalid),
    .m_axi_wready      (m_axi_wready),
    .m_axi_bresp       (m_axi_bresp),
    .m_axi_bvalid      (m_axi_bvalid),
    .m_axi_bready      (m_axi_bready)
  );

  reg          started = 1'b0;
  reg          old_rst;
  reg          aw_waits;
  reg          w_waits;
  reg  [63:0]  old_awaddr;
  reg  [511:0] old_wdata;
  reg  [63:0]  old_wstrb;
  reg  [8:0]   addresses;             // taken by the host, not answered
  reg  [8:0]   writes;                // data, likewise
  reg          pending;               // a source's line was taken one clock ago
  reg  [57:0]  pending_line;
  reg  [511:0] pending_data;

  wire         aw_taken = m_axi_awvalid && m_axi_awready;
  wire         w_taken  = m_axi_wvalid && m_axi_wready;
  wire         b_taken  = m_axi_bvalid && m_axi_bready;
  wire [2:0]   taken    = {2'd0, line_valid && line_ready} + {2'd0, descriptor_valid && descriptor_ready}
                          + {2'd0, tx_valid && tx_ready} + {2'd0, raw_valid && raw_ready};

  always @(posedge clk) begin
    started      <= 1'b1;
    old_rst      <= rst;
    aw_waits     <= m_axi_awvalid && !m_axi_awready;
    w_waits      <= m_axi_wvalid && !m_axi_wready;
    old_awaddr   <= m_axi_awaddr;
    old_wdata    <= m_axi_wdata;
    old_wstrb    <= m_axi_wstrb;
    addresses    <= rst ? 9'd0 : addresses + {8'd0, aw_taken} - {8'd0, b_taken};
    writes       <= rst ? 9'd0 : writes + {8'd0, w_taken} - {8'd0, b_taken};
    pending      <= taken != 3'd0 && !rst;
    pending_line <= line_valid ? line_line : descriptor_valid ? descriptor_line : tx_valid ? tx_line : raw_line;
    pending_data <= line_valid ? line_data : descriptor_valid ? descriptor_data : tx_valid ? tx_data : raw_data;

    if (!started)
      assume (rst);
    // A host answers a write when it has both its address and its data.
    assume (!m_axi_bvalid || (addresses != 9'd0 && writes != 9'd0));

    if (started && !rst && !old_rst) begin
      assert (!aw_waits || (m_axi_awvalid && m_axi_awaddr == old_awaddr));
      assert (!w_waits || (m_axi_wvalid && m_axi_wdata == old_wdata && m_axi_wstrb == old_wstrb));
      assert (taken <= 3'd1);
      assert (!pending || (m_axi_awvalid && m_axi_wvalid && m_axi_awaddr == {pending_line, 6'd0}
                           && m_axi_wdata == pending_data));
      assert (pending || !m_axi_awvalid || aw_waits);   // nothing on AW and W that no source gave
      assert (pending || !m_axi_wvalid || w_waits);
      assert (addresses <= 9'd255 && writes <= 9'd255);
      assert (!m_axi_bvalid || m_axi_bready);
    end
  end

endmodule
`default_nettype wire
