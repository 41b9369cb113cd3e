// SPDX-License-Identifier: MIT
// Counters and sticky error bits of the host side, from one-clock events. Counters wrap at 2^32; an error that
// occurs in the clock it is cleared stays set.
`include "layout.vh"
`default_nettype none

module host_statistics (
  input  wire         clk,
  input  wire         rst,

  input  wire         rx_line,            // a line is written
  input  wire         rx_overrun,         // a message is dropped: the host was too slow for the FIFO
  input  wire         rx_ring_full,       // a message is dropped: no room in the ring
  input  wire         rx_oversize_fifo,   // a message is dropped: more lines than a record can announce
  input  wire         rx_oversize_ring,   // a message is dropped: more lines than the ring has
  input  wire         rx_refused,         // a write outside the window
  input  wire         rx_dma_error,
  input  wire         rx_overflow,        // the receive path could not take a frame
  input  wire         tx_sent,            // a segment has left
  input  wire         tx_skipped,         // a slot is not sent
  input  wire         tx_refused,         // a read outside the window
  input  wire         tx_not_published,
  input  wire         tx_bad_slot,
  input  wire         tx_dma_error,
  input  wire         write_refused,

  input  wire [31:0]  errors_clear,       // bits of ERRORS to clear in this clock

  output reg  [31:0]  errors,
  output reg  [31:0]  rx_ring_full_dropped,
  output reg  [31:0]  dma_refused_count,
  output reg  [31:0]  rx_lines,
  output reg  [31:0]  tx_orders,
  output reg  [31:0]  tx_refused_count,
  output reg  [31:0]  rx_too_large_dropped
);

  // Two causes of one counter can fall on the same clock: acceptance and slot assignment see different messages.
  wire [1:0] dropped   = {1'b0, rx_overrun} + {1'b0, rx_ring_full};
  wire [1:0] too_large = {1'b0, rx_oversize_fifo} + {1'b0, rx_oversize_ring};
  wire [1:0] refused   = {1'b0, rx_refused} + {1'b0, tx_refused};

  wire any = rx_line || rx_overflow || rx_dma_error || tx_sent || tx_skipped || write_refused
             || dropped != 2'd0 || too_large != 2'd0 || refused != 2'd0;

  reg [31:0] occurred;

  always @* begin
    occurred = 32'd0;
    occurred[`TL_BIT_ERRORS_DMA_REFUSED]      = refused != 2'd0;
    occurred[`TL_BIT_ERRORS_WRITE_REFUSED]    = write_refused;
    occurred[`TL_BIT_ERRORS_TX_NOT_PUBLISHED] = tx_not_published;
    occurred[`TL_BIT_ERRORS_TX_BAD_SLOT]      = tx_bad_slot;
    occurred[`TL_BIT_ERRORS_RX_RING_FULL]     = dropped != 2'd0;
    occurred[`TL_BIT_ERRORS_RX_OVERFLOW]      = rx_overflow;
    occurred[`TL_BIT_ERRORS_DMA_ERROR]        = rx_dma_error || tx_dma_error;
  end

  always @(posedge clk) begin
    if (rst) begin
      errors               <= `TL_RESET_ERRORS;
      rx_ring_full_dropped <= `TL_RESET_RX_RING_FULL_DROPPED;
      dma_refused_count    <= `TL_RESET_DMA_REFUSED_COUNT;
      rx_lines             <= `TL_RESET_RX_LINES;
      tx_orders            <= `TL_RESET_TX_ORDERS;
      tx_refused_count     <= `TL_RESET_TX_REFUSED;
      rx_too_large_dropped <= `TL_RESET_RX_TOO_LARGE_DROPPED;
    end else if (any || errors_clear != 32'd0) begin
      errors               <= (errors & ~errors_clear) | occurred;
      rx_ring_full_dropped <= rx_ring_full_dropped + {30'd0, dropped};
      dma_refused_count    <= dma_refused_count + {30'd0, refused};
      rx_lines             <= rx_lines + {31'd0, rx_line};
      tx_orders            <= tx_orders + {31'd0, tx_sent};
      tx_refused_count     <= tx_refused_count + {31'd0, tx_skipped};
      rx_too_large_dropped <= rx_too_large_dropped + {30'd0, too_large};
    end
  end

endmodule
`default_nettype wire
