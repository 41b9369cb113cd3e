// SPDX-License-Identifier: MIT
// Counters and sticky error bits of the host side, from one-clock events. Counters wrap at 2^32; an error that
// occurs in the clock it is cleared stays set. An event counts one clock after it occurred.
`include "layout.vh"
`default_nettype none

module host_statistics (
  input  wire         clk,
  input  wire         rst,

  input  wire         rx_line,            // a line is written
  input  wire         rx_event,           // it is an event or an rx_lost
  input  wire         rx_queue_full,      // a message is dropped: no room in the queue or the ring
  input  wire         rx_queue_too_large, // a message is dropped: too many lines
  input  wire         rx_ring_full,       // as above, in descriptor mode: both in one clock are two messages
  input  wire         rx_too_large,
  input  wire         rx_not_ready,       // a message is dropped: a descriptor still had DD set
  input  wire         rx_refused,         // a message is dropped: outside the windows
  input  wire         rx_overflow,        // the receive path could not take a frame
  input  wire         raw_frame,          // a frame is in the raw ring
  input  wire         raw_a_dropped,      // a frame found no room: in the store of port A, of port B, in the ring
  input  wire         raw_b_dropped,
  input  wire         raw_ring_dropped,
  input  wire         raw_refused,        // a frame is dropped: outside the windows
  input  wire         tx_order_sent,
  input  wire         tx_frame_sent,
  input  wire         tx_slot_skipped,    // a slot is not sent
  input  wire         tx_frame_skipped,   // a slot of kind frame is not sent
  input  wire         tx_slot_refused,    // a read outside the windows
  input  wire         tx_frame_refused,
  input  wire         tx_not_published,
  input  wire         tx_not_ready,       // a descriptor still had DD set
  input  wire         tx_bad_slot,
  input  wire         dma_error,          // the host answered a read or a write with an error
  input  wire         write_refused,      // of a register

  input  wire [31:0]  errors_clear,       // bits of ERRORS to clear in this clock

  output reg  [31:0]  errors,
  output reg  [31:0]  rx_ring_full_dropped,
  output reg  [31:0]  dma_refused_count,
  output reg  [31:0]  rx_lines,
  output reg  [31:0]  rx_events,
  output reg  [31:0]  rx_too_large_dropped,
  output reg  [31:0]  raw_frames,
  output reg  [31:0]  raw_dropped,
  output reg  [31:0]  tx_orders,
  output reg  [31:0]  tx_frames,
  output reg  [31:0]  tx_refused_count
);

  // Several causes of one counter can fall on the same clock.
  reg         line;
  reg         event_line;
  reg  [1:0]  full;
  reg  [1:0]  too_large;
  reg  [2:0]  refused;
  reg         frame_kept;
  reg  [1:0]  frames_lost;
  reg         order_sent;
  reg         frame_sent;
  reg  [1:0]  skipped;
  reg  [31:0] occurred;

  always @(posedge clk) begin
    line        <= rx_line;
    event_line  <= rx_event;
    full        <= {1'b0, rx_queue_full} + {1'b0, rx_ring_full || rx_not_ready};
    too_large   <= {1'b0, rx_queue_too_large} + {1'b0, rx_too_large};
    refused     <= {2'd0, rx_refused} + {2'd0, raw_refused} + {2'd0, tx_slot_refused} + {2'd0, tx_frame_refused};
    frame_kept  <= raw_frame;
    frames_lost <= {1'b0, raw_a_dropped} + {1'b0, raw_b_dropped} + {1'b0, raw_ring_dropped};
    order_sent  <= tx_order_sent;
    frame_sent  <= tx_frame_sent;
    skipped     <= {1'b0, tx_slot_skipped} + {1'b0, tx_frame_skipped};

    occurred                                      <= 32'd0;
    occurred[`TL_BIT_ERRORS_DMA_REFUSED]          <= rx_refused || raw_refused || tx_slot_refused || tx_frame_refused;
    occurred[`TL_BIT_ERRORS_WRITE_REFUSED]        <= write_refused;
    occurred[`TL_BIT_ERRORS_TX_NOT_PUBLISHED]     <= tx_not_published;
    occurred[`TL_BIT_ERRORS_TX_BAD_SLOT]          <= tx_bad_slot;
    occurred[`TL_BIT_ERRORS_RX_RING_FULL]         <= rx_queue_full || rx_ring_full;
    occurred[`TL_BIT_ERRORS_RX_OVERFLOW]          <= rx_overflow;
    occurred[`TL_BIT_ERRORS_DMA_ERROR]            <= dma_error;
    occurred[`TL_BIT_ERRORS_RAW_DROPPED]          <= raw_a_dropped || raw_b_dropped || raw_ring_dropped;
    occurred[`TL_BIT_ERRORS_DESCRIPTOR_NOT_READY] <= rx_not_ready || tx_not_ready;

    if (rst) begin
      {line, event_line, frame_kept, order_sent, frame_sent} <= 5'd0;
      {full, too_large, frames_lost, skipped}                <= 8'd0;
      refused  <= 3'd0;
      occurred <= 32'd0;
    end
  end

  wire counts = errors_clear != 32'd0 || occurred != 32'd0 || line || frame_kept || frames_lost != 2'd0 || order_sent
                || frame_sent || full != 2'd0 || too_large != 2'd0 || refused != 3'd0 || skipped != 2'd0;

  always @(posedge clk) begin
    if (rst) begin
      errors               <= `TL_RESET_ERRORS;
      rx_ring_full_dropped <= `TL_RESET_RX_RING_FULL_DROPPED;
      dma_refused_count    <= `TL_RESET_DMA_REFUSED_COUNT;
      rx_lines             <= `TL_RESET_RX_LINES;
      rx_events            <= `TL_RESET_RX_EVENTS;
      rx_too_large_dropped <= `TL_RESET_RX_TOO_LARGE_DROPPED;
      raw_frames           <= `TL_RESET_RAW_FRAMES;
      raw_dropped          <= `TL_RESET_RAW_DROPPED;
      tx_orders            <= `TL_RESET_TX_ORDERS;
      tx_frames            <= `TL_RESET_TX_FRAMES;
      tx_refused_count     <= `TL_RESET_TX_REFUSED;
    end else if (counts) begin
      errors               <= (errors & ~errors_clear) | occurred;
      rx_ring_full_dropped <= rx_ring_full_dropped + {30'd0, full};
      dma_refused_count    <= dma_refused_count + {29'd0, refused};
      rx_lines             <= rx_lines + {31'd0, line};
      rx_events            <= rx_events + {31'd0, event_line};
      rx_too_large_dropped <= rx_too_large_dropped + {30'd0, too_large};
      raw_frames           <= raw_frames + {31'd0, frame_kept};
      raw_dropped          <= raw_dropped + {30'd0, frames_lost};
      tx_orders            <= tx_orders + {31'd0, order_sent};
      tx_frames            <= tx_frames + {31'd0, frame_sent};
      tx_refused_count     <= tx_refused_count + {30'd0, skipped};
    end
  end

endmodule
`default_nettype wire
