// SPDX-License-Identifier: MIT
// The host side of the NIC: ring lines and frames of the receive side into host memory, orders and frames of the host
// out of it, registers. Wiring only. From a line sampled here to its address and data on AXI, sampled by a ready host:
// 2 clocks to a ring of lines, 4 to a buffer whose descriptor has been fetched. `idle` says that nothing is in flight
// and nothing can begin without new input.
`include "layout.vh"
`default_nettype none

module host_side #(
  parameter RX_FIFO_LOG2   = 6,       // log2 of the ring lines a slow host can leave waiting
  parameter RAW_STORE_LOG2 = 11       // log2 of the beats of frames for the raw ring that can wait, a port
) (
  input  wire         clk,
  input  wire         rst,

  // Lines of the receive side, without backpressure: a message's continuation lines in order, then its first line
  input  wire         line_valid,
  input  wire         line_first,
  input  wire         line_event,     // with line_first: an event, not a message
  input  wire [479:0] line_data,
  input  wire         line_abort,     // the message under way will not be completed

  // Receive ports, observed for frames to this host, and what became of each frame that started while rx_enable
  input  wire [63:0]  rx_a_tdata,
  input  wire [7:0]   rx_a_tkeep,
  input  wire         rx_a_tvalid,
  input  wire         rx_a_tlast,
  input  wire         rx_a_tuser,
  input  wire [63:0]  rx_b_tdata,
  input  wire [7:0]   rx_b_tkeep,
  input  wire         rx_b_tvalid,
  input  wire         rx_b_tlast,
  input  wire         rx_b_tuser,
  input  wire         report_valid,
  input  wire         report_line,    // 0 A, 1 B
  input  wire [7:0]   report_reason,
  input  wire [47:0]  report_timestamp,

  // Set-up of the receive side
  output wire         rx_enable,
  output wire [31:0]  group_address,
  output wire [15:0]  group_port,
  output wire         verified,
  output wire         prototype,
  output wire [31:0]  hold,
  output wire [3:0]   event_enable,
  output wire         filter_enable,
  output wire         filter_fill,            // pulse, filter_fill_value with it
  output wire         filter_fill_value,
  output wire         filter_update,          // pulse, locate and pass with it
  output wire [15:0]  filter_update_locate,
  output wire         filter_update_pass,
  input  wire         filter_busy,            // at the latest in the clock after the pulse

  // State of the receive side
  input  wire [47:0]  time_ns,
  input  wire [63:0]  next_expected,
  input  wire         next_expected_valid,
  input  wire [32*`TL_STATISTICS_WORDS-1:0] statistics,
  input  wire         overflow,               // pulse

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

  output wire         idle
);

  // A burst of one beat of 64 bytes (AXI4, A3.4.1); INCR is what a single beat is called.
  localparam [2:0] SIZE_64_BYTES = 3'd6;
  localparam [1:0] BURST_INCR    = 2'b01;

  assign m_axi_awlen   = 8'd0;
  assign m_axi_awsize  = SIZE_64_BYTES;
  assign m_axi_awburst = BURST_INCR;
  assign m_axi_wlast   = 1'b1;
  assign m_axi_arlen   = 8'd0;
  assign m_axi_arsize  = SIZE_64_BYTES;
  assign m_axi_arburst = BURST_INCR;

  // ---- Clocks: each part's stands still while it has nothing to do. A register write may concern any of them.

  wire control_clk;
  wire lines_clk;
  wire control_active = rst || s_axil_awvalid || s_axil_wvalid || s_axil_arvalid || !registers_idle;
  wire transmitting   = !tx_ring_idle || tx_in_flight || !order_entry_idle || !tx_frame_idle;

  clock_gate u_control_clock (
    .clk    (clk),
    .enable (control_active || transmitting || rx_read_valid || read_in_flight || raw_a_valid || raw_b_valid
             || raw_in_flight || !raw_ring_idle),
    .gated  (control_clk)
  );

  clock_gate u_lines_clock (
    .clk    (clk),
    .enable (control_active || line_valid || line_abort || !rx_ring_idle || rx_in_flight || tx_in_flight
             || raw_in_flight || tx_write_valid || raw_write_valid),
    .gated  (lines_clk)
  );

  // ---- Registers

  wire        write;
  wire [11:0] write_address;
  wire [31:0] write_data;
  wire        write_whole;
  wire        write_wait;
  wire        write_accepted;
  wire        read;
  wire [11:0] read_address;
  wire [31:0] read_data;
  wire        read_accepted;
  wire        register_idle;
  wire        registers_idle;
  wire        rx_start;
  wire        rx_descriptor;
  wire [63:0] rx_base;
  wire [4:0]  rx_log2;
  wire [30:0] rx_publish_epoch;
  wire        tx_enable;
  wire        tx_start;
  wire        tx_descriptor;
  wire [63:0] tx_base;
  wire [4:0]  tx_log2;
  wire [30:0] tx_publish_epoch;
  wire        raw_enable;
  wire        raw_start;
  wire [63:0] raw_base;
  wire [4:0]  raw_log2;
  wire [30:0] raw_publish_epoch;
  wire [63:0] window_base;
  wire [63:0] window_size;
  wire [63:0] window2_base;
  wire [63:0] window2_size;
  wire        grants_change;
  wire        grants_settled;
  wire        rx_lines_granted;
  wire        rx_descriptors_granted;
  wire        tx_lines_granted;
  wire        tx_descriptors_granted;
  wire        raw_granted;
  wire [31:0] rx_head;
  wire [31:0] rx_tail;
  wire        rx_in_flight;
  wire [31:0] tx_head;
  wire [31:0] tx_tail;
  wire        tx_in_flight;
  wire [31:0] raw_head;
  wire [31:0] raw_tail;
  wire        raw_in_flight;
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
  wire [31:0] errors;
  wire [31:0] errors_clear;
  wire [31:0] rx_ring_full_dropped;
  wire [31:0] dma_refused_count;
  wire [31:0] rx_lines;
  wire [31:0] tx_orders;
  wire [31:0] tx_refused_count;
  wire [31:0] rx_too_large_dropped;
  wire [31:0] raw_frames;
  wire [31:0] raw_dropped;
  wire [31:0] tx_frames;
  wire [31:0] rx_events;

  axil_port u_axil_port (
    .clk            (control_clk),
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
    .write_wait     (write_wait),
    .write_accepted (write_accepted),
    .read           (read),
    .read_address   (read_address),
    .read_data      (read_data),
    .read_accepted  (read_accepted),
    .idle           (register_idle)
  );

  csr u_csr (
    .clk                         (control_clk),
    .rst                         (rst),
    .write                       (write),
    .write_address               (write_address),
    .write_data                  (write_data),
    .write_whole                 (write_whole),
    .write_wait                  (write_wait),
    .write_accepted              (write_accepted),
    .read                        (read),
    .read_address                (read_address),
    .read_data                   (read_data),
    .read_accepted               (read_accepted),
    .rx_enable                   (rx_enable),
    .rx_start                    (rx_start),
    .rx_descriptor               (rx_descriptor),
    .rx_base                     (rx_base),
    .rx_log2                     (rx_log2),
    .rx_publish_epoch            (rx_publish_epoch),
    .tx_enable                   (tx_enable),
    .tx_start                    (tx_start),
    .tx_descriptor               (tx_descriptor),
    .tx_base                     (tx_base),
    .tx_log2                     (tx_log2),
    .tx_publish_epoch            (tx_publish_epoch),
    .raw_enable                  (raw_enable),
    .raw_start                   (raw_start),
    .raw_base                    (raw_base),
    .raw_log2                    (raw_log2),
    .raw_publish_epoch           (raw_publish_epoch),
    .group_address               (group_address),
    .group_port                  (group_port),
    .verified                    (verified),
    .prototype                   (prototype),
    .hold                        (hold),
    .event_enable                (event_enable),
    .window_base                 (window_base),
    .window_size                 (window_size),
    .window2_base                (window2_base),
    .window2_size                (window2_size),
    .grants_change               (grants_change),
    .grants_settled              (grants_settled),
    .rx_lines_granted            (rx_lines_granted),
    .rx_descriptors_granted      (rx_descriptors_granted),
    .tx_lines_granted            (tx_lines_granted),
    .tx_descriptors_granted      (tx_descriptors_granted),
    .raw_granted                 (raw_granted),
    .filter_enable               (filter_enable),
    .filter_fill                 (filter_fill),
    .filter_fill_value           (filter_fill_value),
    .filter_update               (filter_update),
    .filter_update_locate        (filter_update_locate),
    .filter_update_pass          (filter_update_pass),
    .filter_busy                 (filter_busy),
    .rx_head                     (rx_head),
    .rx_tail                     (rx_tail),
    .rx_in_flight                (rx_in_flight),
    .tx_head                     (tx_head),
    .tx_tail                     (tx_tail),
    .tx_in_flight                (tx_in_flight),
    .raw_head                    (raw_head),
    .raw_tail                    (raw_tail),
    .raw_in_flight               (raw_in_flight),
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
    .rx_too_large_dropped        (rx_too_large_dropped),
    .raw_frames                  (raw_frames),
    .raw_dropped                 (raw_dropped),
    .tx_frames                   (tx_frames),
    .rx_events                   (rx_events)
  );

  // ---- Granted host memory

  wire [58:0] window_first;
  wire [58:0] window_end;
  wire [58:0] window2_first;
  wire [58:0] window2_end;
  wire        rx_write_in_flight;
  wire        tx_write_in_flight;
  wire        read_in_flight;
  wire        dma_in_flight = rx_write_in_flight || tx_write_in_flight || raw_in_flight || read_in_flight;

  ring_grants u_ring_grants (
    .clk                    (control_clk),
    .rst                    (rst),
    .changed                (grants_change),
    .in_flight              (dma_in_flight),
    .window_base            (window_base),
    .window_size            (window_size),
    .window2_base           (window2_base),
    .window2_size           (window2_size),
    .rx_line                (rx_base[63:6]),
    .rx_log2                (rx_log2),
    .tx_line                (tx_base[63:6]),
    .tx_log2                (tx_log2),
    .raw_line               (raw_base[63:6]),
    .raw_log2               (raw_log2),
    .window_first           (window_first),
    .window_end             (window_end),
    .window2_first          (window2_first),
    .window2_end            (window2_end),
    .rx_lines_granted       (rx_lines_granted),
    .rx_descriptors_granted (rx_descriptors_granted),
    .tx_lines_granted       (tx_lines_granted),
    .tx_descriptors_granted (tx_descriptors_granted),
    .raw_granted            (raw_granted),
    .settled                (grants_settled)
  );

  // ---- Lines into the RX ring

  wire         rx_granted;
  wire         line_write_valid;
  wire         line_write_ready;
  wire [57:0]  line_write_line;
  wire [511:0] line_write_data;
  wire         descriptor_write_valid;
  wire         descriptor_write_ready;
  wire [57:0]  descriptor_write_line;
  wire [511:0] descriptor_write_data;
  wire [63:0]  descriptor_write_strobe;
  wire         rx_read_valid;
  wire         rx_read_ready;
  wire [57:0]  rx_read_line;
  wire         rx_answer;
  wire [511:0] answer_data;
  wire         answer_error;
  wire         rx_event_line;
  wire         rx_event_event;
  wire         rx_event_queue_full;
  wire         rx_event_queue_too_large;
  wire         rx_event_ring_full;
  wire         rx_event_too_large;
  wire         rx_event_not_ready;
  wire         rx_event_refused;
  wire         rx_fetch_in_flight;
  wire         rx_ring_idle;

  assign rx_granted = rx_descriptor ? rx_descriptors_granted : rx_lines_granted;

  rx_ring #(
    .FIFO_LOG2 (RX_FIFO_LOG2)
  ) u_rx_ring (
    .clk                     (lines_clk),
    .rst                     (rst),
    .enable                  (rx_enable),
    .start                   (rx_start),
    .descriptor              (rx_descriptor),
    .base_line               (rx_base[63:6]),
    .log2                    (rx_log2),
    .epoch                   (rx_publish_epoch),
    .tell_lost               (event_enable[`TL_BIT_EVENT_ENABLE_LOST]),
    .granted                 (rx_granted),
    .settled                 (grants_settled),
    .window_first            (window_first),
    .window_end              (window_end),
    .window2_first           (window2_first),
    .window2_end             (window2_end),
    .head                    (rx_head),
    .tail                    (rx_tail),
    .line_valid              (line_valid),
    .line_first              (line_first),
    .line_event              (line_event),
    .line_data               (line_data),
    .line_abort              (line_abort),
    .line_write_valid        (line_write_valid),
    .line_write_ready        (line_write_ready),
    .line_write_line         (line_write_line),
    .line_write_data         (line_write_data),
    .descriptor_write_valid  (descriptor_write_valid),
    .descriptor_write_ready  (descriptor_write_ready),
    .descriptor_write_line   (descriptor_write_line),
    .descriptor_write_data   (descriptor_write_data),
    .descriptor_write_strobe (descriptor_write_strobe),
    .read_valid              (rx_read_valid),
    .read_ready              (rx_read_ready),
    .read_line               (rx_read_line),
    .answer_valid            (rx_answer),
    .answer_data             (answer_data),
    .answer_error            (answer_error),
    .event_line              (rx_event_line),
    .event_event             (rx_event_event),
    .event_queue_full        (rx_event_queue_full),
    .event_queue_too_large   (rx_event_queue_too_large),
    .event_ring_full         (rx_event_ring_full),
    .event_too_large         (rx_event_too_large),
    .event_not_ready         (rx_event_not_ready),
    .event_refused           (rx_event_refused),
    .in_flight               (rx_fetch_in_flight),
    .idle                    (rx_ring_idle)
  );

  // ---- Frames to this host into the raw ring

  wire         raw_a_valid;
  wire [15:0]  raw_a_length;
  wire [7:0]   raw_a_lines;
  wire [7:0]   raw_a_reason;
  wire [47:0]  raw_a_time;
  wire [63:0]  raw_a_beat;
  wire         raw_a_next;
  wire         raw_a_release;
  wire         raw_a_dropped;
  wire         raw_a_idle;
  wire         raw_b_valid;
  wire [15:0]  raw_b_length;
  wire [7:0]   raw_b_lines;
  wire [7:0]   raw_b_reason;
  wire [47:0]  raw_b_time;
  wire [63:0]  raw_b_beat;
  wire         raw_b_next;
  wire         raw_b_release;
  wire         raw_b_dropped;
  wire         raw_b_idle;
  wire         raw_write_valid;
  wire         raw_write_ready;
  wire [57:0]  raw_write_line;
  wire [511:0] raw_write_data;
  wire         raw_event_frame;
  wire         raw_event_dropped;
  wire         raw_event_refused;
  wire         raw_ring_idle;

  raw_frame #(
    .STORE_LOG2 (RAW_STORE_LOG2)
  ) u_raw_frame_a (
    .clk            (clk),
    .rst            (rst),
    .receiving      (rx_enable),
    .enable         (raw_enable),
    .mac            (session_source_mac),
    .s_axis_tdata   (rx_a_tdata),
    .s_axis_tkeep   (rx_a_tkeep),
    .s_axis_tvalid  (rx_a_tvalid),
    .s_axis_tlast   (rx_a_tlast),
    .s_axis_tuser   (rx_a_tuser),
    .verdict_valid  (report_valid && !report_line),
    .verdict_reason (report_reason),
    .verdict_time   (report_timestamp),
    .frame_valid    (raw_a_valid),
    .frame_length   (raw_a_length),
    .frame_lines    (raw_a_lines),
    .frame_reason   (raw_a_reason),
    .frame_time     (raw_a_time),
    .frame_beat     (raw_a_beat),
    .frame_next     (raw_a_next),
    .frame_release  (raw_a_release),
    .event_dropped  (raw_a_dropped),
    .idle           (raw_a_idle)
  );

  raw_frame #(
    .STORE_LOG2 (RAW_STORE_LOG2)
  ) u_raw_frame_b (
    .clk            (clk),
    .rst            (rst),
    .receiving      (rx_enable),
    .enable         (raw_enable),
    .mac            (session_source_mac),
    .s_axis_tdata   (rx_b_tdata),
    .s_axis_tkeep   (rx_b_tkeep),
    .s_axis_tvalid  (rx_b_tvalid),
    .s_axis_tlast   (rx_b_tlast),
    .s_axis_tuser   (rx_b_tuser),
    .verdict_valid  (report_valid && report_line),
    .verdict_reason (report_reason),
    .verdict_time   (report_timestamp),
    .frame_valid    (raw_b_valid),
    .frame_length   (raw_b_length),
    .frame_lines    (raw_b_lines),
    .frame_reason   (raw_b_reason),
    .frame_time     (raw_b_time),
    .frame_beat     (raw_b_beat),
    .frame_next     (raw_b_next),
    .frame_release  (raw_b_release),
    .event_dropped  (raw_b_dropped),
    .idle           (raw_b_idle)
  );

  raw_ring u_raw_ring (
    .clk           (control_clk),
    .rst           (rst),
    .enable        (raw_enable),
    .start         (raw_start),
    .base_line     (raw_base[63:6]),
    .log2          (raw_log2),
    .epoch         (raw_publish_epoch),
    .granted       (raw_granted),
    .settled       (grants_settled),
    .head          (raw_head),
    .tail          (raw_tail),
    .a_valid       (raw_a_valid),
    .a_length      (raw_a_length),
    .a_lines       (raw_a_lines),
    .a_reason      (raw_a_reason),
    .a_time        (raw_a_time),
    .a_beat        (raw_a_beat),
    .a_next        (raw_a_next),
    .a_release     (raw_a_release),
    .b_valid       (raw_b_valid),
    .b_length      (raw_b_length),
    .b_lines       (raw_b_lines),
    .b_reason      (raw_b_reason),
    .b_time        (raw_b_time),
    .b_beat        (raw_b_beat),
    .b_next        (raw_b_next),
    .b_release     (raw_b_release),
    .write_valid   (raw_write_valid),
    .write_ready   (raw_write_ready),
    .write_line    (raw_write_line),
    .write_data    (raw_write_data),
    .event_frame   (raw_event_frame),
    .event_dropped (raw_event_dropped),
    .event_refused (raw_event_refused),
    .idle          (raw_ring_idle)
  );

  // ---- Slots of the TX ring onto the transmit port

  wire         tx_granted;
  wire         slot_read_valid;
  wire         slot_read_ready;
  wire [57:0]  slot_read_line;
  wire         slot_answer;
  wire         tx_read_valid;
  wire         tx_read_ready;
  wire [57:0]  tx_read_line;
  wire         tx_answer;
  wire         tx_write_valid;
  wire         tx_write_ready;
  wire [57:0]  tx_write_line;
  wire [511:0] tx_write_data;
  wire [63:0]  tx_write_strobe;
  wire         order_valid;
  wire         order_ready;
  wire [447:0] order_message;
  wire [5:0]   order_length;
  wire [7:0]   order_type;
  wire         frame_valid;
  wire         frame_done;
  wire [57:0]  frame_line;
  wire [10:0]  frame_length;
  wire         tx_event_skipped;
  wire         tx_event_refused;
  wire         tx_event_not_published;
  wire         tx_event_not_ready;
  wire         tx_event_bad_slot;
  wire         tx_event_dma_error;
  wire         tx_slot_in_flight;
  wire         tx_ring_idle;
  wire [63:0]  order_tdata;
  wire [7:0]   order_tkeep;
  wire         order_tvalid;
  wire         order_tready;
  wire         order_tlast;
  wire         order_event_sent;
  wire         order_entry_idle;
  wire         frame_read_valid;
  wire         frame_read_ready;
  wire [57:0]  frame_read_line;
  wire         frame_answer;
  wire [63:0]  frame_tdata;
  wire [7:0]   frame_tkeep;
  wire         frame_tvalid;
  wire         frame_tready;
  wire         frame_tlast;
  wire         frame_event_refused;
  wire         frame_event_dma_error;
  wire         frame_event_skipped;
  wire         frame_event_sent;
  wire         tx_frame_idle;

  assign tx_granted = tx_descriptor ? tx_descriptors_granted : tx_lines_granted;

  tx_ring u_tx_ring (
    .clk                   (control_clk),
    .rst                   (rst),
    .enable                (tx_enable),
    .start                 (tx_start),
    .descriptor            (tx_descriptor),
    .base_line             (tx_base[63:6]),
    .log2                  (tx_log2),
    .epoch                 (tx_publish_epoch),
    .granted               (tx_granted),
    .settled               (grants_settled),
    .window_first          (window_first),
    .window_end            (window_end),
    .window2_first         (window2_first),
    .window2_end           (window2_end),
    .head                  (tx_head),
    .tail                  (tx_tail),
    .slot_read_valid       (slot_read_valid),
    .slot_read_ready       (slot_read_ready),
    .slot_read_line        (slot_read_line),
    .slot_answer           (slot_answer),
    .descriptor_read_valid (tx_read_valid),
    .descriptor_read_ready (tx_read_ready),
    .descriptor_read_line  (tx_read_line),
    .descriptor_answer     (tx_answer),
    .answer_data           (answer_data),
    .answer_error          (answer_error),
    .write_valid           (tx_write_valid),
    .write_ready           (tx_write_ready),
    .write_line            (tx_write_line),
    .write_data            (tx_write_data),
    .write_strobe          (tx_write_strobe),
    .order_valid           (order_valid),
    .order_ready           (order_ready),
    .order_message         (order_message),
    .order_length          (order_length),
    .order_type            (order_type),
    .frame_valid           (frame_valid),
    .frame_done            (frame_done),
    .frame_line            (frame_line),
    .frame_length          (frame_length),
    .event_skipped         (tx_event_skipped),
    .event_refused         (tx_event_refused),
    .event_not_published   (tx_event_not_published),
    .event_not_ready       (tx_event_not_ready),
    .event_bad_slot        (tx_event_bad_slot),
    .event_dma_error       (tx_event_dma_error),
    .in_flight             (tx_slot_in_flight),
    .idle                  (tx_ring_idle)
  );

  order_entry u_order_entry (
    .clk                 (control_clk),
    .rst                 (rst),
    .order_valid         (order_valid),
    .order_ready         (order_ready),
    .order_message       (order_message),
    .order_length        (order_length),
    .order_type          (order_type),
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
    .tx_tdata            (order_tdata),
    .tx_tkeep            (order_tkeep),
    .tx_tvalid           (order_tvalid),
    .tx_tready           (order_tready),
    .tx_tlast            (order_tlast),
    .event_sent          (order_event_sent),
    .idle                (order_entry_idle)
  );

  tx_frame u_tx_frame (
    .clk             (control_clk),
    .rst             (rst),
    .frame_valid     (frame_valid),
    .frame_done      (frame_done),
    .frame_line      (frame_line),
    .frame_length    (frame_length),
    .settled         (grants_settled),
    .window_first    (window_first),
    .window_end      (window_end),
    .window2_first   (window2_first),
    .window2_end     (window2_end),
    .read_valid      (frame_read_valid),
    .read_ready      (frame_read_ready),
    .read_line       (frame_read_line),
    .answer_valid    (frame_answer),
    .answer_data     (answer_data),
    .answer_error    (answer_error),
    .tx_tdata        (frame_tdata),
    .tx_tkeep        (frame_tkeep),
    .tx_tvalid       (frame_tvalid),
    .tx_tready       (frame_tready),
    .tx_tlast        (frame_tlast),
    .event_refused   (frame_event_refused),
    .event_dma_error (frame_event_dma_error),
    .event_skipped   (frame_event_skipped),
    .event_sent      (frame_event_sent),
    .idle            (tx_frame_idle)
  );

  transmit_mux u_transmit_mux (
    .clk          (control_clk),
    .rst          (rst),
    .order_tdata  (order_tdata),
    .order_tkeep  (order_tkeep),
    .order_tvalid (order_tvalid),
    .order_tready (order_tready),
    .order_tlast  (order_tlast),
    .frame_tdata  (frame_tdata),
    .frame_tkeep  (frame_tkeep),
    .frame_tvalid (frame_tvalid),
    .frame_tready (frame_tready),
    .frame_tlast  (frame_tlast),
    .tx_tdata     (tx_tdata),
    .tx_tkeep     (tx_tkeep),
    .tx_tvalid    (tx_tvalid),
    .tx_tready    (tx_tready),
    .tx_tlast     (tx_tlast)
  );

  // ---- DMA

  wire write_event_error;

  assign rx_in_flight = rx_write_in_flight || rx_fetch_in_flight;
  assign tx_in_flight = tx_write_in_flight || tx_slot_in_flight;

  dma_write_mux u_dma_write_mux (
    .clk                     (lines_clk),
    .rst                     (rst),
    .line_write_valid        (line_write_valid),
    .line_write_ready        (line_write_ready),
    .line_write_line         (line_write_line),
    .line_write_data         (line_write_data),
    .descriptor_write_valid  (descriptor_write_valid),
    .descriptor_write_ready  (descriptor_write_ready),
    .descriptor_write_line   (descriptor_write_line),
    .descriptor_write_data   (descriptor_write_data),
    .descriptor_write_strobe (descriptor_write_strobe),
    .tx_write_valid          (tx_write_valid),
    .tx_write_ready          (tx_write_ready),
    .tx_write_line           (tx_write_line),
    .tx_write_data           (tx_write_data),
    .tx_write_strobe         (tx_write_strobe),
    .raw_write_valid         (raw_write_valid),
    .raw_write_ready         (raw_write_ready),
    .raw_write_line          (raw_write_line),
    .raw_write_data          (raw_write_data),
    .rx_in_flight            (rx_write_in_flight),
    .tx_in_flight            (tx_write_in_flight),
    .raw_in_flight           (raw_in_flight),
    .event_error             (write_event_error),
    .m_axi_awaddr            (m_axi_awaddr),
    .m_axi_awvalid           (m_axi_awvalid),
    .m_axi_awready           (m_axi_awready),
    .m_axi_wdata             (m_axi_wdata),
    .m_axi_wstrb             (m_axi_wstrb),
    .m_axi_wvalid            (m_axi_wvalid),
    .m_axi_wready            (m_axi_wready),
    .m_axi_bresp             (m_axi_bresp),
    .m_axi_bvalid            (m_axi_bvalid),
    .m_axi_bready            (m_axi_bready)
  );

  dma_read_mux u_dma_read_mux (
    .clk              (control_clk),
    .rst              (rst),
    .slot_read_valid  (slot_read_valid),
    .slot_read_ready  (slot_read_ready),
    .slot_read_line   (slot_read_line),
    .slot_answer      (slot_answer),
    .tx_read_valid    (tx_read_valid),
    .tx_read_ready    (tx_read_ready),
    .tx_read_line     (tx_read_line),
    .tx_answer        (tx_answer),
    .rx_read_valid    (rx_read_valid),
    .rx_read_ready    (rx_read_ready),
    .rx_read_line     (rx_read_line),
    .rx_answer        (rx_answer),
    .frame_read_valid (frame_read_valid),
    .frame_read_ready (frame_read_ready),
    .frame_read_line  (frame_read_line),
    .frame_answer     (frame_answer),
    .answer_data      (answer_data),
    .answer_error     (answer_error),
    .in_flight        (read_in_flight),
    .m_axi_araddr     (m_axi_araddr),
    .m_axi_arvalid    (m_axi_arvalid),
    .m_axi_arready    (m_axi_arready),
    .m_axi_rdata      (m_axi_rdata),
    .m_axi_rresp      (m_axi_rresp),
    .m_axi_rvalid     (m_axi_rvalid),
    .m_axi_rready     (m_axi_rready)
  );

  // ---- Counters and errors

  wire dma_error;

  assign dma_error = write_event_error || (rx_answer && answer_error) || tx_event_dma_error || frame_event_dma_error;

  host_statistics u_host_statistics (
    .clk                  (clk),
    .rst                  (rst),
    .rx_line              (rx_event_line),
    .rx_event             (rx_event_event),
    .rx_queue_full        (rx_event_queue_full),
    .rx_queue_too_large   (rx_event_queue_too_large),
    .rx_ring_full         (rx_event_ring_full),
    .rx_too_large         (rx_event_too_large),
    .rx_not_ready         (rx_event_not_ready),
    .rx_refused           (rx_event_refused),
    .rx_overflow          (overflow),
    .raw_frame            (raw_event_frame),
    .raw_a_dropped        (raw_a_dropped),
    .raw_b_dropped        (raw_b_dropped),
    .raw_ring_dropped     (raw_event_dropped),
    .raw_refused          (raw_event_refused),
    .tx_order_sent        (order_event_sent),
    .tx_frame_sent        (frame_event_sent),
    .tx_slot_skipped      (tx_event_skipped),
    .tx_frame_skipped     (frame_event_skipped),
    .tx_slot_refused      (tx_event_refused),
    .tx_frame_refused     (frame_event_refused),
    .tx_not_published     (tx_event_not_published),
    .tx_not_ready         (tx_event_not_ready),
    .tx_bad_slot          (tx_event_bad_slot),
    .dma_error            (dma_error),
    .write_refused        (write && !write_accepted),
    .errors_clear         (errors_clear),
    .errors               (errors),
    .rx_ring_full_dropped (rx_ring_full_dropped),
    .dma_refused_count    (dma_refused_count),
    .rx_lines             (rx_lines),
    .rx_events            (rx_events),
    .rx_too_large_dropped (rx_too_large_dropped),
    .raw_frames           (raw_frames),
    .raw_dropped          (raw_dropped),
    .tx_orders            (tx_orders),
    .tx_frames            (tx_frames),
    .tx_refused_count     (tx_refused_count)
  );

  // ---- Idle

  // What a register write sets going shows after at most 3 clocks: a tail goes through a limit and a comparison.
  reg  [2:0] register_quiet;
  assign     registers_idle = register_idle && (&register_quiet) && grants_settled;
  wire       rings_idle     = rx_ring_idle && raw_a_idle && raw_b_idle && raw_ring_idle && tx_ring_idle;
  wire       writes_idle    = !rx_write_in_flight && !tx_write_in_flight && !raw_in_flight;

  always @(posedge clk)
    register_quiet <= rst ? 3'd0 : {register_quiet[1:0], register_idle};

  assign idle = registers_idle && rings_idle && writes_idle && order_entry_idle && tx_frame_idle;

  // Single-beat bursts need no RLAST; a ring's base is the address of a line.
  wire unused = &{1'b0, m_axi_rlast, rx_base[5:0], tx_base[5:0], raw_base[5:0]};

endmodule
`default_nettype wire
