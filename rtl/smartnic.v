// SPDX-License-Identifier: MIT
// SmartNIC: market data in on line A, one 64-byte line a message into the host's RX ring; orders out of the host's
// TX ring as OUCH over SoupBinTCP on the transmit port. Wiring only; one clock, synchronous reset. `idle` says that
// nothing is in flight: without new input only the time counter changes from then on.
`include "layout.vh"
`default_nettype none

module smartnic #(
  parameter PERIOD_NS    = 6,         // clock period: 6 + 2/5 ns, 156.25 MHz
  parameter PERIOD_NUM   = 2,
  parameter PERIOD_DEN   = 5,
  parameter RX_FIFO_LOG2 = 6          // log2 of the ring lines a slow host can leave waiting
) (
  input  wire         clk,
  input  wire         rst,

  // Receive port, line A: a MAC cannot wait; tuser with tlast says that the FCS was bad
  input  wire [63:0]  rx_a_tdata,
  input  wire [7:0]   rx_a_tkeep,
  input  wire         rx_a_tvalid,
  input  wire         rx_a_tlast,
  input  wire         rx_a_tuser,

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
  output wire [7:0]   report_reason,
  output wire [7:0]   report_kind,
  output wire [7:0]   report_flags,
  output wire [63:0]  report_gap_from,
  output wire [79:0]  report_session,
  output wire [63:0]  report_sequence,
  output wire [15:0]  report_count,
  output wire [47:0]  report_timestamp,

  output wire         idle
);

  // A burst of one beat of 64 bytes (AXI4, A3.4.1); INCR is what a single beat is called.
  localparam [2:0] SIZE_64_BYTES = 3'd6;
  localparam [1:0] BURST_INCR    = 2'b01;

  assign m_axi_awlen   = 8'd0;
  assign m_axi_awsize  = SIZE_64_BYTES;
  assign m_axi_awburst = BURST_INCR;
  assign m_axi_wstrb   = {64{1'b1}};
  assign m_axi_wlast   = 1'b1;
  assign m_axi_arlen   = 8'd0;
  assign m_axi_arsize  = SIZE_64_BYTES;
  assign m_axi_arburst = BURST_INCR;

  wire receive_idle;
  wire rx_ring_idle;
  wire tx_ring_idle;
  wire order_entry_idle;
  wire register_idle;

  assign idle = receive_idle && rx_ring_idle && tx_ring_idle && order_entry_idle && register_idle;

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
  wire [31:0]  group_address;
  wire [15:0]  group_port;
  wire         line_valid;
  wire         line_first;
  wire [479:0] line_data;
  wire         line_abort;
  wire         decoded_valid;
  wire [63:0]  next_expected;
  wire         next_expected_valid;
  wire         overflow;
  wire [32*`TL_STATISTICS_WORDS-1:0] statistics;

  receive_line u_receive_line_a (
    .clk                 (clk),
    .rst                 (rst),
    .enable              (rx_enable),
    .group_address       (group_address),
    .group_port          (group_port),
    .time_ns             (time_ns),
    .s_axis_tdata        (rx_a_tdata),
    .s_axis_tkeep        (rx_a_tkeep),
    .s_axis_tvalid       (rx_a_tvalid),
    .s_axis_tlast        (rx_a_tlast),
    .s_axis_tuser        (rx_a_tuser),
    .line_valid          (line_valid),
    .line_first          (line_first),
    .line_data           (line_data),
    .line_abort          (line_abort),
    .decoded_valid       (decoded_valid),
    .report_valid        (report_valid),
    .report_reason       (report_reason),
    .report_kind         (report_kind),
    .report_flags        (report_flags),
    .report_gap_from     (report_gap_from),
    .report_session      (report_session),
    .report_sequence     (report_sequence),
    .report_count        (report_count),
    .report_timestamp    (report_timestamp),
    .statistics          (statistics),
    .next_expected       (next_expected),
    .next_expected_valid (next_expected_valid),
    .overflow            (overflow),
    .idle                (receive_idle)
  );

  // ---- RX ring: lines to host memory

  wire [63:0] window_base;
  wire [63:0] window_size;
  wire        rx_start;
  wire [63:0] rx_base;
  wire [4:0]  rx_log2;
  wire [30:0] rx_publish_epoch;
  wire [31:0] rx_head;
  wire [31:0] rx_tail;
  wire        rx_in_flight;
  wire        event_rx_line;
  wire        event_rx_overrun;
  wire        event_rx_ring_full;
  wire        event_rx_oversize_fifo;
  wire        event_rx_oversize_ring;
  wire        event_rx_refused;
  wire        event_rx_dma_error;

  rx_ring #(
    .FIFO_LOG2 (RX_FIFO_LOG2)
  ) u_rx_ring (
    .clk                 (clk),
    .rst                 (rst),
    .enable              (rx_enable),
    .start               (rx_start),
    .base                (rx_base),
    .log2                (rx_log2),
    .epoch               (rx_publish_epoch),
    .window_base         (window_base),
    .window_size         (window_size),
    .head                (rx_head),
    .tail                (rx_tail),
    .line_valid          (line_valid),
    .line_first          (line_first),
    .line_data           (line_data),
    .line_abort          (line_abort),
    .m_axi_awaddr        (m_axi_awaddr),
    .m_axi_awvalid       (m_axi_awvalid),
    .m_axi_awready       (m_axi_awready),
    .m_axi_wdata         (m_axi_wdata),
    .m_axi_wvalid        (m_axi_wvalid),
    .m_axi_wready        (m_axi_wready),
    .m_axi_bresp         (m_axi_bresp),
    .m_axi_bvalid        (m_axi_bvalid),
    .m_axi_bready        (m_axi_bready),
    .event_line          (event_rx_line),
    .event_overrun       (event_rx_overrun),
    .event_ring_full     (event_rx_ring_full),
    .event_oversize_fifo (event_rx_oversize_fifo),
    .event_oversize_ring (event_rx_oversize_ring),
    .event_refused       (event_rx_refused),
    .event_dma_error     (event_rx_dma_error),
    .in_flight           (rx_in_flight),
    .idle                (rx_ring_idle)
  );

  // ---- TX ring and order entry: host memory to segments

  wire         tx_enable;
  wire         tx_start;
  wire [63:0]  tx_base;
  wire [4:0]   tx_log2;
  wire [30:0]  tx_publish_epoch;
  wire [31:0]  tx_head;
  wire [31:0]  tx_tail;
  wire         tx_in_flight;
  wire         order_valid;
  wire         order_ready;
  wire [447:0] order_message;
  wire [5:0]   order_length;
  wire         event_tx_skipped;
  wire         event_tx_refused;
  wire         event_tx_not_published;
  wire         event_tx_bad_slot;
  wire         event_tx_dma_error;
  wire         event_tx_sent;

  tx_ring u_tx_ring (
    .clk                 (clk),
    .rst                 (rst),
    .enable              (tx_enable),
    .start               (tx_start),
    .base                (tx_base),
    .log2                (tx_log2),
    .epoch               (tx_publish_epoch),
    .window_base         (window_base),
    .window_size         (window_size),
    .head                (tx_head),
    .tail                (tx_tail),
    .m_axi_araddr        (m_axi_araddr),
    .m_axi_arvalid       (m_axi_arvalid),
    .m_axi_arready       (m_axi_arready),
    .m_axi_rdata         (m_axi_rdata),
    .m_axi_rresp         (m_axi_rresp),
    .m_axi_rvalid        (m_axi_rvalid),
    .m_axi_rready        (m_axi_rready),
    .order_valid         (order_valid),
    .order_ready         (order_ready),
    .order_message       (order_message),
    .order_length        (order_length),
    .event_skipped       (event_tx_skipped),
    .event_refused       (event_tx_refused),
    .event_not_published (event_tx_not_published),
    .event_bad_slot      (event_tx_bad_slot),
    .event_dma_error     (event_tx_dma_error),
    .in_flight           (tx_in_flight),
    .idle                (tx_ring_idle)
  );

  wire [47:0] session_source_mac;
  wire [47:0] session_destination_mac;
  wire [31:0] session_source_address;
  wire [31:0] session_destination_address;
  wire [31:0] session_ports;
  wire [31:0] session_sequence;
  wire [31:0] session_acknowledge;
  wire [15:0] session_window;
  wire        segment_taken;
  wire [15:0] segment_length;

  order_entry u_order_entry (
    .clk                 (clk),
    .rst                 (rst),
    .order_valid         (order_valid),
    .order_ready         (order_ready),
    .order_message       (order_message),
    .order_length        (order_length),
    .source_mac          (session_source_mac),
    .destination_mac     (session_destination_mac),
    .source_address      (session_source_address),
    .destination_address (session_destination_address),
    .ports               (session_ports),
    .sequence_number     (session_sequence),
    .acknowledge         (session_acknowledge),
    .window              (session_window),
    .segment_taken       (segment_taken),
    .segment_length      (segment_length),
    .tx_tdata            (tx_tdata),
    .tx_tkeep            (tx_tkeep),
    .tx_tvalid           (tx_tvalid),
    .tx_tready           (tx_tready),
    .tx_tlast            (tx_tlast),
    .event_sent          (event_tx_sent),
    .idle                (order_entry_idle)
  );

  // ---- Registers and counters

  wire        write;
  wire [11:0] write_address;
  wire [31:0] write_data;
  wire        write_whole;
  wire        write_accepted;
  wire        read;
  wire [11:0] read_address;
  wire [31:0] read_data;
  wire        read_accepted;

  axil_port u_axil_port (
    .clk            (clk),
    .rst            (rst),
    .s_axil_awaddr  (s_axil_awaddr),
    .s_axil_awvalid (s_axil_awvalid),
    .s_axil_awready (s_axil_awready),
    .s_axil_wdata   (s_axil_wdata),
    .s_axil_wstrb   (s_axil_wstrb),
    .s_axil_wvalid  (s_axil_wvalid),
    .s_axil_wready  (s_axil_wready),
    .s_axil_bresp   (s_axil_bresp),
    .s_axil_bvalid  (s_axil_bvalid),
    .s_axil_bready  (s_axil_bready),
    .s_axil_araddr  (s_axil_araddr),
    .s_axil_arvalid (s_axil_arvalid),
    .s_axil_arready (s_axil_arready),
    .s_axil_rdata   (s_axil_rdata),
    .s_axil_rresp   (s_axil_rresp),
    .s_axil_rvalid  (s_axil_rvalid),
    .s_axil_rready  (s_axil_rready),
    .write          (write),
    .write_address  (write_address),
    .write_data     (write_data),
    .write_whole    (write_whole),
    .write_accepted (write_accepted),
    .read           (read),
    .read_address   (read_address),
    .read_data      (read_data),
    .read_accepted  (read_accepted),
    .idle           (register_idle)
  );

  wire [31:0] errors;
  wire [31:0] errors_clear;
  wire [31:0] rx_ring_full_dropped;
  wire [31:0] dma_refused_count;
  wire [31:0] rx_lines;
  wire [31:0] tx_orders;
  wire [31:0] tx_refused_count;
  wire [31:0] rx_too_large_dropped;

  csr u_csr (
    .clk                         (clk),
    .rst                         (rst),
    .write                       (write),
    .write_address               (write_address),
    .write_data                  (write_data),
    .write_whole                 (write_whole),
    .write_accepted              (write_accepted),
    .read                        (read),
    .read_address                (read_address),
    .read_data                   (read_data),
    .read_accepted               (read_accepted),
    .rx_enable                   (rx_enable),
    .rx_start                    (rx_start),
    .rx_base                     (rx_base),
    .rx_log2                     (rx_log2),
    .rx_publish_epoch            (rx_publish_epoch),
    .tx_enable                   (tx_enable),
    .tx_start                    (tx_start),
    .tx_base                     (tx_base),
    .tx_log2                     (tx_log2),
    .tx_publish_epoch            (tx_publish_epoch),
    .window_base                 (window_base),
    .window_size                 (window_size),
    .group_address               (group_address),
    .group_port                  (group_port),
    .rx_head                     (rx_head),
    .rx_tail                     (rx_tail),
    .rx_in_flight                (rx_in_flight),
    .tx_head                     (tx_head),
    .tx_tail                     (tx_tail),
    .tx_in_flight                (tx_in_flight),
    .session_source_mac          (session_source_mac),
    .session_destination_mac     (session_destination_mac),
    .session_source_address      (session_source_address),
    .session_destination_address (session_destination_address),
    .session_ports               (session_ports),
    .session_sequence            (session_sequence),
    .session_acknowledge         (session_acknowledge),
    .session_window              (session_window),
    .segment_taken               (segment_taken),
    .segment_length              (segment_length),
    .time_ns                     (time_ns),
    .next_expected               (next_expected),
    .next_expected_valid         (next_expected_valid),
    .statistics                  (statistics),
    .errors                      (errors),
    .errors_clear                (errors_clear),
    .rx_ring_full_dropped        (rx_ring_full_dropped),
    .dma_refused_count           (dma_refused_count),
    .rx_lines                    (rx_lines),
    .tx_orders                   (tx_orders),
    .tx_refused_count            (tx_refused_count),
    .rx_too_large_dropped        (rx_too_large_dropped)
  );

  host_statistics u_host_statistics (
    .clk                  (clk),
    .rst                  (rst),
    .rx_line              (event_rx_line),
    .rx_overrun           (event_rx_overrun),
    .rx_ring_full         (event_rx_ring_full),
    .rx_oversize_fifo     (event_rx_oversize_fifo),
    .rx_oversize_ring     (event_rx_oversize_ring),
    .rx_refused           (event_rx_refused),
    .rx_dma_error         (event_rx_dma_error),
    .rx_overflow          (overflow),
    .tx_sent              (event_tx_sent),
    .tx_skipped           (event_tx_skipped),
    .tx_refused           (event_tx_refused),
    .tx_not_published     (event_tx_not_published),
    .tx_bad_slot          (event_tx_bad_slot),
    .tx_dma_error         (event_tx_dma_error),
    .write_refused        (write && !write_accepted),
    .errors_clear         (errors_clear),
    .errors               (errors),
    .rx_ring_full_dropped (rx_ring_full_dropped),
    .dma_refused_count    (dma_refused_count),
    .rx_lines             (rx_lines),
    .tx_orders            (tx_orders),
    .tx_refused_count     (tx_refused_count),
    .rx_too_large_dropped (rx_too_large_dropped)
  );

  // decoded_valid is where the latency of the receive side is measured; single-beat bursts need no RLAST.
  wire unused = &{1'b0, decoded_valid, m_axi_rlast};

endmodule
`default_nettype wire
