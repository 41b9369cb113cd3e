// SPDX-License-Identifier: MIT
// Raw ring: writes the frames that raw_frame offers, of one port after the other, into a ring of 64-byte lines: the
// bytes in continuation lines, then a raw_frame line, published last. A frame for which the ring has no room is dropped
// and counted at once; its port's store must not wait for the host.
`include "layout.vh"
`default_nettype none

module raw_ring (
  input  wire         clk,
  input  wire         rst,

  // Set-up, stable while enable is 1; start is a pulse in the clock before it
  input  wire         enable,
  input  wire         start,
  input  wire [57:0]  base_line,      // base / 64
  input  wire [4:0]   log2,
  input  wire [30:0]  epoch,
  input  wire         granted,        // the ring lies in the granted windows
  input  wire         settled,        // `granted` holds

  output wire [31:0]  head,           // lines filled, absolute
  input  wire [31:0]  tail,           // lines given back, absolute

  // Frames of both ports
  input  wire         a_valid,
  input  wire [15:0]  a_length,
  input  wire [7:0]   a_lines,
  input  wire [7:0]   a_reason,
  input  wire [47:0]  a_time,
  input  wire [63:0]  a_beat,
  output wire         a_next,
  output wire         a_release,
  input  wire         b_valid,
  input  wire [15:0]  b_length,
  input  wire [7:0]   b_lines,
  input  wire [7:0]   b_reason,
  input  wire [47:0]  b_time,
  input  wire [63:0]  b_beat,
  output wire         b_next,
  output wire         b_release,

  // DMA write of a whole line
  output wire         write_valid,
  input  wire         write_ready,
  output wire [57:0]  write_line,     // address / 64
  output wire [511:0] write_data,

  // Events, one clock each
  output wire         event_frame,    // a frame is in the ring
  output wire         event_dropped,  // the ring had no room
  output wire         event_refused,  // the ring is not granted any more

  output wire         idle
);

  localparam [31:0] STATUS_FRAME = `TL_STATUS_FRAME;
  localparam [2:0]  LAST_BEAT    = 3'd6;        // of a continuation line: `TL_CONTINUATION_BYTES / 8 - 1

  localparam [2:0] CHOOSE  = 3'd0;
  localparam [2:0] FOLLOW  = 3'd1;    // the room follows the head
  localparam [2:0] MEASURE = 3'd2;    // whether it is enough
  localparam [2:0] DECIDE  = 3'd3;
  localparam [2:0] GATHER  = 3'd4;    // beats into a line
  localparam [2:0] LINE    = 3'd5;    // it is written
  localparam [2:0] FIRST   = 3'd6;    // the frame's first line is written

  reg  [2:0]  step;
  reg         from_b;
  reg  [16:0] slots;
  reg  [15:0] slot_mask;
  reg  [31:0] filled;
  reg  [16:0] room;
  reg         fits;                   // continuation lines and one more

  reg  [15:0] frame_length;
  reg  [7:0]  frame_lines;
  reg  [7:0]  frame_reason;
  reg  [47:0] frame_time;
  wire [63:0] frame_beat   = from_b ? b_beat : a_beat;

  // ---- Lines

  reg  [7:0]  index;                  // continuation lines so far
  reg         begins;                 // index is 0
  reg  [2:0]  beat;                   // in the line under way
  reg  [12:0] beats_left;             // of the frame
  reg  [447:0] bytes;
  reg  [479:0] first_line;
  wire        line_ready;
  wire        line_valid = step == LINE || step == FIRST;
  wire        line_taken = line_valid && line_ready;
  wire        gathers    = step == GATHER;
  wire        line_full  = beat == LAST_BEAT || beats_left == 13'd1;
  wire        drops      = step == DECIDE && !fits;
  wire        over       = drops || (step == FIRST && line_taken);

  assign a_next    = gathers && !from_b;
  assign b_next    = gathers && from_b;
  assign a_release = over && !from_b;
  assign b_release = over && from_b;

  always @* begin
    first_line = 480'd0;
    first_line[8 * `TL_RAW_FRAME_HW_TIMESTAMP_NS +: 48] = frame_time;
    first_line[8 * `TL_RAW_FRAME_LINE +: 8]             = {7'd0, from_b};
    first_line[8 * `TL_RAW_FRAME_REASON +: 8]           = frame_reason;
    first_line[8 * `TL_RAW_FRAME_LENGTH +: 16]          = frame_length;
    first_line[8 * `TL_RAW_FRAME_STATUS +: 8]           = STATUS_FRAME[7:0];
    first_line[8 * `TL_RAW_FRAME_CONTINUATIONS +: 8]    = frame_lines;
  end

  always @(posedge clk) begin
    if (step == FOLLOW)
      {frame_length, frame_lines, frame_reason, frame_time} <= from_b ? {b_length, b_lines, b_reason, b_time}
                                                                      : {a_length, a_lines, a_reason, a_time};
    slots     <= 17'd1 << log2;
    slot_mask <= ~(16'hFFFF << log2);
    filled    <= head - tail;
    room      <= slots - filled[16:0];
    fits      <= {9'd0, frame_lines} < room;
  end

  always @(posedge clk) begin
    if (rst || !enable) begin
      step   <= CHOOSE;
      from_b <= 1'b0;
    end else begin
      case (step)
        CHOOSE: begin
          // The other port's turn, if it has something.
          from_b <= from_b ? !a_valid && b_valid : b_valid;
          if (a_valid || b_valid)
            step <= FOLLOW;
        end
        FOLLOW:  step <= MEASURE;
        MEASURE: step <= DECIDE;
        DECIDE:  step <= drops ? CHOOSE : GATHER;
        GATHER:  step <= line_full ? LINE : GATHER;
        LINE:
          if (line_taken)
            step <= beats_left == 13'd0 ? FIRST : GATHER;
        default:
          if (line_taken)
            step <= CHOOSE;
      endcase
    end

    if (step == DECIDE) begin
      beats_left <= frame_length[15:3] + {12'd0, frame_length[2:0] != 3'd0};
      index      <= 8'd0;
      begins     <= 1'b1;
    end else if (gathers) begin
      beats_left <= beats_left - 13'd1;
    end else if (step == LINE && line_taken) begin
      index  <= index + 8'd1;
      begins <= 1'b0;
    end

    if (step == DECIDE || (step == LINE && line_taken)) begin
      beat  <= 3'd0;
      bytes <= 448'd0;
    end else if (gathers) begin
      beat                   <= beat + 3'd1;
      bytes[64 * beat +: 64] <= frame_beat;
    end
  end

  wire line_written;
  wire event_unused;
  wire [8:0] dropped_lines;

  ring_lines u_ring_lines (
    .clk           (clk),
    .rst           (rst),
    .enable        (enable),
    .start         (start),
    .base_line     (base_line),
    .slot_mask     (slot_mask),
    .epoch         (epoch),
    .granted       (granted),
    .settled       (settled),
    .head          (head),
    .line_valid    (line_valid),
    .line_ready    (line_ready),
    .line_first    (step == FIRST),
    .line_event    (1'b0),
    .line_lost     (1'b0),
    .line_begins   (begins),
    .line_index    (index),
    .line_data     (step == FIRST ? first_line : {32'd0, bytes}),
    .write_valid   (write_valid),
    .write_ready   (write_ready),
    .write_line    (write_line),
    .write_data    (write_data),
    .event_line    (line_written),
    .event_event   (event_unused),
    .event_refused (event_refused),
    .dropped_lines (dropped_lines)
  );

  assign event_frame   = line_written && step == FIRST;
  assign event_dropped = drops;
  assign idle          = step == CHOOSE && !a_valid && !b_valid;

  wire unused = &{1'b0, event_unused, dropped_lines, filled[31:17]};

endmodule
`default_nettype wire
