// SPDX-License-Identifier: MIT
// RX ring: takes the lines of the receive side, which cannot wait, and has them written to host memory, as a ring of
// 64-byte lines or of descriptors. In one-line mode a line sampled here at clock t is on AW and W, sampled by a ready
// host, at t + 2; then one line a clock.
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
  input  wire         descriptor,     // ring of descriptors
  input  wire [57:0]  base_line,      // base / 64
  input  wire [4:0]   log2,
  input  wire [30:0]  epoch,
  input  wire         tell_lost,      // EVENT_ENABLE.LOST

  // Granted host memory
  input  wire         granted,        // the ring lies in the windows
  input  wire         settled,        // `granted` and the windows hold
  input  wire [58:0]  window_first,
  input  wire [58:0]  window_end,
  input  wire [58:0]  window2_first,
  input  wire [58:0]  window2_end,

  output wire [31:0]  head,           // slots filled, absolute
  input  wire [31:0]  tail,           // slots given back, absolute

  // Lines, without backpressure: the continuation lines of a message in order, then its first line
  input  wire         line_valid,
  input  wire         line_first,
  input  wire         line_event,     // with line_first: an event, not a message
  input  wire [479:0] line_data,
  input  wire         line_abort,     // the message under way will not be completed

  // DMA writes of one-line mode, always whole lines
  output wire         line_write_valid,
  input  wire         line_write_ready,
  output wire [57:0]  line_write_line,    // address / 64, here and below
  output wire [511:0] line_write_data,

  // DMA writes and reads of descriptor mode
  output wire         descriptor_write_valid,
  input  wire         descriptor_write_ready,
  output wire [57:0]  descriptor_write_line,
  output wire [511:0] descriptor_write_data,
  output wire [63:0]  descriptor_write_strobe,
  output wire         read_valid,
  input  wire         read_ready,
  output wire [57:0]  read_line,
  input  wire         answer_valid,
  input  wire [511:0] answer_data,
  input  wire         answer_error,

  // Events, one clock each
  output wire         event_line,           // a line is written
  output wire         event_event,          // it is an event or an rx_lost
  output wire         event_queue_full,     // a message is dropped: no room in the queue or the ring
  output wire         event_queue_too_large,// a message is dropped: too many lines
  output wire         event_ring_full,      // as above, found by the writer: the same clock may have both
  output wire         event_too_large,
  output wire         event_not_ready,      // a message is dropped: a descriptor still had DD set
  output wire         event_refused,        // a message is dropped: ring or buffer outside the windows

  output wire         in_flight,      // reads not answered
  output wire         idle            // nothing can happen without new input, the host's included
);

  // Set-up: they stand long before the enable.
  reg [16:0] slots;
  reg [15:0] slot_mask;

  always @(posedge clk) begin
    slots     <= 17'd1 << log2;
    slot_mask <= ~(16'hFFFF << log2);
  end

  // ---- Queue

  wire         out_valid;
  wire         out_ready;
  wire         out_first;
  wire         out_event;
  wire         out_lost;
  wire         out_begins;
  wire [7:0]   out_index;
  wire [479:0] out_line;
  wire [8:0]   dropped_lines;
  wire [63:0]  dropped_sequence;
  wire         lines_refused;
  wire         descriptors_dropped;
  wire [63:0]  descriptors_sequence;
  wire         held;
  wire         queue_idle;

  rx_queue #(
    .FIFO_LOG2 (FIFO_LOG2)
  ) u_rx_queue (
    .clk                  (clk),
    .rst                  (rst),
    .enable               (enable),
    .start                (start),
    .descriptor           (descriptor),
    .slots                (slots),
    .tail                 (tail[16:0]),
    .tell_lost            (tell_lost),
    .line_valid           (line_valid),
    .line_first           (line_first),
    .line_event           (line_event),
    .line_data            (line_data),
    .line_abort           (line_abort),
    .out_valid            (out_valid),
    .out_ready            (out_ready),
    .out_first            (out_first),
    .out_event            (out_event),
    .out_lost             (out_lost),
    .out_begins           (out_begins),
    .out_index            (out_index),
    .out_line             (out_line),
    .out_dropped          (lines_refused || descriptors_dropped),
    .out_dropped_sequence (dropped_sequence),
    .out_dropped_lines    (dropped_lines),
    .event_ring_full      (event_queue_full),
    .event_too_large      (event_queue_too_large),
    .held                 (held),
    .idle                 (queue_idle)
  );

  // ---- Ring of lines

  wire        lines_ready;
  wire [31:0] lines_head;
  wire        lines_line;
  wire        lines_event;

  ring_lines u_ring_lines (
    .clk           (clk),
    .rst           (rst),
    .enable        (enable && !descriptor),
    .start         (start),
    .base_line     (base_line),
    .slot_mask     (slot_mask),
    .epoch         (epoch),
    .granted       (granted),
    .settled       (settled),
    .head          (lines_head),
    .line_valid    (out_valid),
    .line_ready    (lines_ready),
    .line_first    (out_first),
    .line_event    (out_event),
    .line_lost     (out_lost),
    .line_begins   (out_begins),
    .line_index    (out_index),
    .line_data     (out_line),
    .write_valid   (line_write_valid),
    .write_ready   (line_write_ready),
    .write_line    (line_write_line),
    .write_data    (line_write_data),
    .event_line    (lines_line),
    .event_event   (lines_event),
    .event_refused (lines_refused),
    .dropped_lines (dropped_lines)
  );

  // ---- Ring of descriptors, behind a register stage

  wire         descriptors_ready;
  wire         stage_ready;
  wire         stage_valid;
  wire         stage_first;
  wire         stage_event;
  wire         stage_lost;
  wire         stage_begins;
  wire [7:0]   stage_index;
  wire [479:0] stage_line;

  skid_buffer #(
    .WIDTH (492)
  ) u_descriptor_stage (
    .clk       (clk),
    .rst       (rst),
    .flush     (!enable),
    .in_valid  (out_valid && descriptor),
    .in_ready  (stage_ready),
    .in_data   ({out_first, out_event, out_lost, out_begins, out_index, out_line}),
    .out_valid (stage_valid),
    .out_ready (descriptors_ready),
    .out_data  ({stage_first, stage_event, stage_lost, stage_begins, stage_index, stage_line})
  );

  wire [31:0] descriptors_head;
  wire        descriptors_line;
  wire        descriptors_event;
  wire        descriptors_refused;
  wire        waits;
  wire        descriptors_idle;

  rx_descriptors u_rx_descriptors (
    .clk              (clk),
    .rst              (rst),
    .enable           (enable && descriptor),
    .start            (start),
    .base_line        (base_line),
    .slots            (slots),
    .slot_mask        (slot_mask),
    .epoch            (epoch),
    .granted          (granted),
    .settled          (settled),
    .window_first     (window_first),
    .window_end       (window_end),
    .window2_first    (window2_first),
    .window2_end      (window2_end),
    .head             (descriptors_head),
    .tail             (tail),
    .line_valid       (stage_valid),
    .line_ready       (descriptors_ready),
    .line_first       (stage_first),
    .line_event       (stage_event),
    .line_lost        (stage_lost),
    .line_begins      (stage_begins),
    .line_index       (stage_index),
    .line_data        (stage_line),
    .write_valid      (descriptor_write_valid),
    .write_ready      (descriptor_write_ready),
    .write_line       (descriptor_write_line),
    .write_data       (descriptor_write_data),
    .write_strobe     (descriptor_write_strobe),
    .read_valid       (read_valid),
    .read_ready       (read_ready),
    .read_line        (read_line),
    .answer_valid     (answer_valid),
    .answer_data      (answer_data),
    .answer_error     (answer_error),
    .event_line       (descriptors_line),
    .event_event      (descriptors_event),
    .event_ring_full  (event_ring_full),
    .event_not_ready  (event_not_ready),
    .event_too_large  (event_too_large),
    .event_refused    (descriptors_refused),
    .dropped          (descriptors_dropped),
    .dropped_sequence (descriptors_sequence),
    .waits            (waits),
    .in_flight        (in_flight),
    .idle             (descriptors_idle)
  );

  assign out_ready     = descriptor ? stage_ready : lines_ready;
  assign head          = descriptor ? descriptors_head : lines_head;
  assign dropped_sequence = descriptor ? descriptors_sequence : out_line[8 * `TL_RX_RECORD_SEQUENCE +: 64];

  assign event_line    = lines_line || descriptors_line;
  assign event_event   = lines_event || descriptors_event;
  assign event_refused = lines_refused || descriptors_refused;
  assign idle          = queue_idle && descriptors_idle && (!held || waits);

endmodule
`default_nettype wire
