// SPDX-License-Identifier: MIT
// TX ring: after a doorbell, fetches the slots from TX_HEAD up to TX_TAIL one by one and hands the good ones to
// order entry. One read is outstanding at a time; the next slot is fetched while the order before it is sent. From
// the clock a slot's line is on R to the clock its order is offered: 1.
//
// A slot that is not published as its doorbell said, of unknown kind or of impossible length is skipped and counted,
// and so is one outside the window or answered with an error: nothing the host writes can stop the slots behind it.
`include "layout.vh"
`default_nettype none

module tx_ring (
  input  wire         clk,
  input  wire         rst,

  // Set-up, stable while enable is 1; start is a pulse in the clock before it
  input  wire         enable,
  input  wire         start,
  input  wire [63:0]  base,
  input  wire [4:0]   log2,
  input  wire [30:0]  epoch,
  input  wire [63:0]  window_base,
  input  wire [63:0]  window_size,

  output reg  [31:0]  head,           // slots taken, absolute
  input  wire [31:0]  tail,           // slots filled, absolute: the doorbell

  // AXI4 read master
  output reg  [63:0]  m_axi_araddr,
  output reg          m_axi_arvalid,
  input  wire         m_axi_arready,
  input  wire [511:0] m_axi_rdata,
  input  wire [1:0]   m_axi_rresp,
  input  wire         m_axi_rvalid,
  output wire         m_axi_rready,

  // To order entry
  output wire         order_valid,
  input  wire         order_ready,
  output wire [447:0] order_message,  // OUCH message, byte k at bits 8k+7:8k
  output wire [5:0]   order_length,   // 1 to 56

  // Events, one clock each
  output wire         event_skipped,        // a slot is not sent, for one of the reasons below
  output wire         event_refused,        // a read outside the window is not issued
  output wire         event_not_published,
  output wire         event_bad_slot,
  output wire         event_dma_error,

  output wire         in_flight,      // a slot of this run is being fetched or waits for order entry
  output wire         idle
);

  localparam [15:0] MESSAGE_BYTES = `TL_TX_SLOT_KIND;  // the message fills the slot up to its kind

  // ---- Fetch

  wire [15:0] mask    = (16'd1 << log2) - 16'd1;       // log2 of 16: 0 - 1, all ones
  wire [63:0] address = base + {42'd0, head[15:0] & mask, 6'd0};
  wire        granted;

  dma_window u_dma_window (
    .base          (window_base),
    .size          (window_size),
    .address       (address),
    .length        ({32'd0, `TL_LINE_BYTES}),
    .inside_window (granted)
  );

  reg  slot_valid;                    // a slot has been fetched and waits
  reg  reading;                       // AR is issued or about to be, R has not come
  wire order_leaves = order_valid && order_ready;
  wire pending  = enable && head != tail;
  wire fetch    = pending && !reading && (!slot_valid || order_leaves);
  wire fetched  = m_axi_rvalid && m_axi_rready;
  wire rejected = fetch && !granted;

  assign m_axi_rready    = reading;
  assign event_refused   = rejected;
  assign event_dma_error = fetched && m_axi_rresp[1];
  assign in_flight       = reading || slot_valid;
  assign idle            = !in_flight && !pending;

  always @(posedge clk) begin
    if (rst) begin
      m_axi_arvalid <= 1'b0;
      reading       <= 1'b0;
    end else if (fetch && granted) begin
      m_axi_arvalid <= 1'b1;
      m_axi_araddr  <= address;
      reading       <= 1'b1;
    end else begin
      if (m_axi_arready)
        m_axi_arvalid <= 1'b0;
      if (fetched)
        reading <= 1'b0;
    end
  end

  always @(posedge clk) begin
    if (rst || start)
      head <= 32'd0;
    else if (fetched || rejected)
      head <= head + 32'd1;
  end

  // ---- Check

  wire [30:0]  publish = epoch + head[30:0];

  reg          slot_published;
  reg  [447:0] slot_message;
  reg  [7:0]   slot_kind;
  reg  [15:0]  slot_length;

  always @(posedge clk) begin
    if (rst)
      slot_valid <= 1'b0;
    else if (fetched)
      slot_valid <= !m_axi_rresp[1];
    else if (order_leaves || event_skipped)
      slot_valid <= 1'b0;
    if (fetched) begin
      slot_published <= m_axi_rdata[8 * `TL_TX_SLOT_PUBLISH +: 32] == (`TL_PUBLISH_VALID | {1'b0, publish});
      slot_message   <= m_axi_rdata[8 * `TL_TX_SLOT_MESSAGE +: 448];
      slot_kind      <= m_axi_rdata[8 * `TL_TX_SLOT_KIND +: 8];
      slot_length    <= m_axi_rdata[8 * `TL_TX_SLOT_LENGTH +: 16];
    end
  end

  wire well_formed = slot_kind == `TL_TX_KIND_ORDER && slot_length != 16'd0 && slot_length <= MESSAGE_BYTES;

  assign event_not_published = slot_valid && !slot_published;
  assign event_bad_slot      = slot_valid && slot_published && !well_formed;
  assign event_skipped       = event_refused || event_dma_error || event_not_published || event_bad_slot;
  assign order_valid         = slot_valid && slot_published && well_formed;
  assign order_message       = slot_message;
  assign order_length        = slot_length[5:0];

  // The reserved byte is the host's; SLVERR and DECERR both have bit 1 set (AXI4, A3.4.4).
  wire unused = &{1'b0, m_axi_rdata[8 * `TL_TX_SLOT_RESERVED +: 8], m_axi_rresp[0]};

endmodule
`default_nettype wire
