// SPDX-License-Identifier: MIT
// RX ring: gives each line of the receive side its slot and writes it to host memory, a 64-byte line a slot. A line
// sampled here at clock t is on AW and W, sampled by a ready host, at t + 3; then one line a clock.
//
// The receive side cannot wait, so a message either gets all its lines into the ring or is dropped whole and
// counted: when the FIFO is full (slow host), when the ring has no room, when it is longer than the ring.
// Continuation k goes to slot head + 1 + k at once, unpublished; only the first line, written last, carries a
// publish word and moves the head. So a message given up halfway leaves nothing behind: the next one takes the same
// slots. The host must keep one master's writes in order, as PCIe does for posted writes: the first line may not
// overtake.
`include "layout.vh"
`default_nettype none

module rx_ring #(
  parameter FIFO_LOG2 = 6             // log2 of the lines a slow host can leave waiting
) (
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

  output reg  [31:0]  head,           // lines filled, absolute
  input  wire [31:0]  tail,           // lines given back, absolute

  // Lines, without backpressure: the continuation lines of a message in order, then its first line
  input  wire         line_valid,
  input  wire         line_first,
  input  wire [479:0] line_data,
  input  wire         line_abort,     // the message under way will not be completed

  // AXI4 write master
  output reg  [63:0]  m_axi_awaddr,
  output reg          m_axi_awvalid,
  input  wire         m_axi_awready,
  output reg  [511:0] m_axi_wdata,
  output reg          m_axi_wvalid,
  input  wire         m_axi_wready,
  input  wire [1:0]   m_axi_bresp,
  input  wire         m_axi_bvalid,
  output wire         m_axi_bready,

  // Events, one clock each
  output wire         event_line,           // a line is written
  output wire         event_overrun,        // a message is dropped: the FIFO was full
  output wire         event_ring_full,      // a message is dropped: the ring had no room
  output wire         event_oversize_fifo,  // a message is dropped: more lines than a record can announce
  output wire         event_oversize_ring,  // a message is dropped: more lines than the ring has
  output wire         event_refused,        // a write outside the window is not issued
  output wire         event_dma_error,      // the host answered a write with an error

  output wire         in_flight,      // writes of this run that the host has not answered
  output wire         idle
);

  // ---- Acceptance: number the lines of a message; lose the whole message when one of its lines is lost

  localparam [7:0] INDEX_LIMIT = 8'hFF;  // rx_record.continuations is one byte

  reg  [7:0] line_index;              // continuation lines of the message under way
  reg        lost;                    // one of them found the FIFO full
  reg        lost_oversize;           // one of them had a number beyond INDEX_LIMIT
  wire       fifo_full;

  wire oversize = !line_first && line_index == INDEX_LIMIT;
  wire push     = line_valid && enable && !lost && !lost_oversize && !oversize && !fifo_full;
  wire complete = line_valid && line_first && enable;

  assign event_oversize_fifo = complete && lost_oversize;
  assign event_overrun       = complete && !lost_oversize && (lost || fifo_full);

  always @(posedge clk) begin
    if (rst || line_abort || (line_valid && line_first)) begin
      line_index    <= 8'd0;
      lost          <= 1'b0;
      lost_oversize <= 1'b0;
    end else if (line_valid) begin
      if (oversize)
        lost_oversize <= 1'b1;
      else
        line_index <= line_index + 8'd1;
      // A ring that is off loses the line too: a message must not begin in one run of the ring and end in the next.
      if (!enable || fifo_full)
        lost <= 1'b1;
    end else if (!enable && line_index != 8'd0) begin
      lost <= 1'b1;
    end
  end

  // ---- Lines that wait for the host

  wire         out_valid;
  wire         out_first;
  wire [7:0]   out_index;             // of a continuation: its number; of a first line: how many came before it
  wire [479:0] out_line;
  wire         out_ready;
  wire         fifo_idle;

  line_fifo #(
    .WIDTH (489),
    .LOG2  (FIFO_LOG2)
  ) u_line_fifo (
    .clk       (clk),
    .rst       (rst),
    .flush     (!enable),
    .push      (push),
    .in_data   ({line_first, line_index, line_data}),
    .full      (fifo_full),
    .out_valid (out_valid),
    .out_data  ({out_first, out_index, out_line}),
    .out_ready (out_ready),
    .idle      (fifo_idle)
  );

  // ---- Slot of the line at the FIFO's output

  wire [31:0] slots   = 32'd1 << log2;
  wire [31:0] needed  = {24'd0, out_index} + (out_first ? 32'd1 : 32'd2);  // of the message, up to this line
  wire [31:0] free    = slots - (head - tail);
  wire [15:0] offset  = out_first ? 16'd0 : {8'd0, out_index} + 16'd1;
  wire [15:0] slot    = (head[15:0] + offset) & (slots[15:0] - 16'd1);
  wire [63:0] address = base + {42'd0, slot, 6'd0};
  wire        granted;

  dma_window u_dma_window (
    .base          (window_base),
    .size          (window_size),
    .address       (address),
    .length        ({32'd0, `TL_LINE_BYTES}),
    .inside_window (granted)
  );

  // What became of the continuation lines before this one, from continuation 0 on.
  reg  torn;
  reg  torn_refused;
  wire given_up = torn && out_index != 8'd0;
  wire no_room  = needed > free;
  wire refused  = !granted && !given_up && !no_room;
  wire drop     = given_up || no_room || refused;

  // ---- Write channels: AW and W leave independently of each other, the next line when both have left

  localparam [7:0] OUTSTANDING_LIMIT = 8'hFF;

  reg  [7:0] outstanding;             // writes the host has not answered
  wire answered  = m_axi_bvalid && m_axi_bready;
  wire can_issue = (!m_axi_awvalid || m_axi_awready) && (!m_axi_wvalid || m_axi_wready)
                   && outstanding != OUTSTANDING_LIMIT;
  wire issue     = out_valid && enable && !drop && can_issue;
  wire taken     = out_valid && enable && (drop || can_issue);

  wire [30:0] publish = epoch + head[30:0];

  assign out_ready    = drop || can_issue;
  assign m_axi_bready = outstanding != 8'd0;

  assign event_line          = issue;
  assign event_refused       = taken && refused;
  assign event_oversize_ring = taken && out_first && needed > slots;
  assign event_ring_full     = taken && out_first && needed <= slots && (given_up ? !torn_refused : no_room);
  assign event_dma_error     = answered && m_axi_bresp[1];

  assign in_flight = m_axi_awvalid || m_axi_wvalid || outstanding != 8'd0;
  assign idle      = !line_valid && fifo_idle && !in_flight;

  always @(posedge clk) begin
    if (rst || start) begin
      head         <= 32'd0;
      torn         <= 1'b0;
      torn_refused <= 1'b0;
    end else if (taken) begin
      if (out_first) begin
        if (issue)
          head <= head + needed;
      end else begin
        torn         <= drop;
        torn_refused <= given_up ? torn_refused : refused;
      end
    end
  end

  always @(posedge clk) begin
    if (rst) begin
      m_axi_awvalid <= 1'b0;
      m_axi_wvalid  <= 1'b0;
      outstanding   <= 8'd0;
    end else begin
      if (issue) begin
        m_axi_awvalid <= 1'b1;
        m_axi_wvalid  <= 1'b1;
      end else begin
        if (m_axi_awready)
          m_axi_awvalid <= 1'b0;
        if (m_axi_wready)
          m_axi_wvalid <= 1'b0;
      end
      if (issue && !answered)
        outstanding <= outstanding + 8'd1;
      else if (answered && !issue)
        outstanding <= outstanding - 8'd1;
    end
    if (issue) begin
      m_axi_awaddr <= address;
      m_axi_wdata  <= {out_first ? `TL_PUBLISH_VALID | {1'b0, publish} : 32'd0, out_line};
    end
  end

  // SLVERR and DECERR both have bit 1 set (AXI4, A3.4.4); EXOKAY does not answer a normal access.
  wire unused = &{1'b0, m_axi_bresp[0]};

endmodule
`default_nettype wire
