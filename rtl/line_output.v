// SPDX-License-Identifier: MIT
// Everything a frame leads to as one stream of entries, one a clock. Lines come in ring order: continuation lines first,
// the record that completes the message last. A message that ends with a continuation line leaves its record for the next
// clock; if that clock has a record of its own, that one waits in turn. One waiting record is enough: before a message of
// two lines ends, two clocks pass without any end. HEADER and END never meet a line: a packet's first message is decoded
// after its HEADER's clock, a frame's last line is out 2 clocks after its last beat, and its END comes 7 clocks after it.
// Of a frame with `void_valid` nothing else comes from then on; that is between the END before it and its own.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module line_output (
  input  wire         clk,
  input  wire         rst,

  input  wire         header_valid,
  input  wire [`TL_HEADER_BITS-1:0] header,
  input  wire         void_valid,         // the frame is dropped by its headers
  input  wire         continuation_only,  // words is a continuation line of a message that goes on
  input  wire [447:0] words,
  input  wire         message_valid,
  input  wire         message_continued,  // continuation, then record
  input  wire [479:0] record,
  input  wire [479:0] continuation,
  input  wire         prototype_valid,    // a message of the prototype's format: a record alone
  input  wire [479:0] prototype_record,
  input  wire         end_valid,
  input  wire [`TL_END_BITS-1:0] frame_end,

  output wire         entry_valid,
  output wire         entry_header,       // with entry_valid: of that kind
  output wire         entry_void,         // ... HEADER too, a void one
  output wire         entry_end,
  output reg  [1:0]   entry_kind,
  output reg  [479:0] entry_data,
  output wire         idle
);

  reg         waiting;
  reg [479:0] waiting_record;

  assign entry_valid = header_valid || void_valid || continuation_only || message_valid || waiting || prototype_valid
                       || end_valid;

  assign entry_header = header_valid;
  assign entry_void   = void_valid;
  assign entry_end    = end_valid;

  // No two of these at once, but for a message while a record waits.
  wire        message_goes = message_valid && !waiting;

  function [479:0] select (input chosen, input [479:0] data);
    select = data & {480{chosen}};
  endfunction

  always @* begin
    entry_kind = `TL_ENTRY_LINE;
    if (waiting || (message_valid && !message_continued) || prototype_valid)
      entry_kind = `TL_ENTRY_RECORD;
    if (header_valid || void_valid)
      entry_kind = `TL_ENTRY_HEADER;
    if (end_valid)
      entry_kind = `TL_ENTRY_END;

    entry_data = 480'dx;                  // not looked at: spares a simulation the work
    if (entry_valid)
      entry_data = select(message_goes && !message_continued, record)
                   | select(message_goes && message_continued, continuation)
                   | select(waiting, waiting_record)
                   | select(continuation_only, {32'd0, words})
                   | select(prototype_valid, prototype_record)
                   | select(header_valid, {{`TL_ENTRY_BITS - `TL_HEADER_BITS{1'b0}}, header})
                   | select(void_valid, 480'd1 << `TL_HEADER_VOID)
                   | select(end_valid, {{`TL_ENTRY_BITS - `TL_END_BITS{1'b0}}, frame_end});
  end

  always @(posedge clk)
    if (rst)
      waiting <= 1'b0;
    else begin
      waiting <= message_valid && (message_continued || waiting);
      if (message_valid && (message_continued || waiting))
        waiting_record <= record;
    end

  assign idle = !waiting;

endmodule
`default_nettype wire
