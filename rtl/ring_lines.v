// SPDX-License-Identifier: MIT
// Writes lines into a ring of 64-byte lines, one write a line. The address of a line in hand is ready in the same
// clock, so the line is on AW and W one clock later.
//
// Continuation k goes to slot head + 1 + k at once, unpublished; only the first line, written last, carries a
// publish word and moves the head. So a message given up halfway leaves nothing behind: the next one takes the same
// slots. Who offers a message has seen to it that there is room. The host must keep one master's writes in order, as
// PCIe does for posted writes: the first line may not overtake.
`include "layout.vh"
`default_nettype none

module ring_lines (
  input  wire         clk,
  input  wire         rst,

  // Set-up, stable while enable is 1; start is a pulse in the clock before it
  input  wire         enable,
  input  wire         start,
  input  wire [57:0]  base_line,      // base / 64
  input  wire [15:0]  slot_mask,
  input  wire [30:0]  epoch,
  input  wire         granted,        // the ring lies in the granted windows
  input  wire         settled,        // `granted` holds

  output reg  [31:0]  head,           // lines filled, absolute

  // Lines
  input  wire         line_valid,
  output wire         line_ready,
  input  wire         line_first,
  input  wire         line_event,
  input  wire         line_lost,      // an rx_lost: dropped without a word
  input  wire         line_begins,    // line_index is 0
  input  wire [7:0]   line_index,
  input  wire [479:0] line_data,

  // DMA write of a whole line
  output wire         write_valid,
  input  wire         write_ready,
  output wire [57:0]  write_line,     // address / 64
  output wire [511:0] write_data,

  // Events, one clock each
  output wire         event_line,     // a line is written
  output wire         event_event,    // it is an event or an rx_lost
  output wire         event_refused,  // a message is dropped: the ring is not granted any more
  output wire [8:0]   dropped_lines   // it has so many
);

  // ---- Slots

  reg [15:0] head_slot;               // of the head
  reg [15:0] second_slot;             // behind it
  reg [15:0] next_slot;               // behind the continuation lines of the message under way
  reg [30:0] publish;                 // epoch + head

  wire [15:0] open_slot = line_begins ? second_slot : next_slot;
  wire [15:0] slot      = line_first ? head_slot : open_slot;
  wire [8:0]  lines     = {1'b0, line_index} + 9'd1;

  // A message that lost a line stays lost, whatever becomes of the grant.
  reg         torn;
  wire        refused   = !granted || (torn && !line_begins);
  wire        wanted    = line_valid && enable && settled;
  wire        taken     = wanted && line_ready;
  wire        written   = taken && !refused;

  always @(posedge clk) begin
    if (rst || start) begin
      head        <= 32'd0;
      head_slot   <= 16'd0;
      second_slot <= 16'd1;
      publish     <= epoch;
    end else if (written && line_first) begin
      head        <= head + {23'd0, lines};
      head_slot   <= open_slot;
      second_slot <= (open_slot + 16'd1) & slot_mask;
      publish     <= publish + {22'd0, lines};
    end
    if (taken)
      torn <= refused && !line_first;
    if (written)
      next_slot <= (open_slot + 16'd1) & slot_mask;
  end

  // ---- Address: the carry out of the low 16 bits chooses between two upper parts that are worked out beforehand

  reg  [41:0] upper_carried;
  wire [16:0] lower = {1'b0, base_line[15:0]} + {1'b0, slot};

  always @(posedge clk)
    upper_carried <= base_line[57:16] + 42'd1;

  assign line_ready  = settled && (refused || write_ready);
  assign write_valid = wanted && !refused;
  assign write_line  = {lower[16] ? upper_carried : base_line[57:16], lower[15:0]};
  assign write_data  = {line_first ? `TL_PUBLISH_VALID | {1'b0, publish} : 32'd0, line_data};

  assign event_line    = written;
  assign event_event   = written && line_first && line_event;
  assign event_refused = taken && refused && line_first && !line_lost;
  assign dropped_lines = lines;

endmodule
`default_nettype wire
