// SPDX-License-Identifier: MIT
// Writes the lines of the RX queue into the buffers of a descriptor ring. A message is complete in its buffers before
// the first of its descriptors is marked done (DD); of several, the first line's descriptor is marked last. So the host
// never sees half a message, and one given up halfway leaves no mark. A message of one line takes 2 writes in 2
// clocks if its descriptor has been fetched.
//
// A message is dropped whole when the host has given away no more descriptors, when a descriptor still has DD set
// although it is read afresh for this message, when it has more lines than the ring, or when a buffer is not a line in
// the windows: then that descriptor and those before it go back to the host done, empty (length 0), and the ring goes
// on behind it. An rx_lost line is never dropped: it waits.
`include "layout.vh"
`default_nettype none

module rx_descriptors (
  input  wire         clk,
  input  wire         rst,

  // Set-up, stable while enable is 1; start is a pulse in the clock before it
  input  wire         enable,
  input  wire         start,
  input  wire [57:0]  base_line,      // base / 64
  input  wire [16:0]  slots,
  input  wire [15:0]  slot_mask,
  input  wire [30:0]  epoch,
  input  wire         granted,        // the ring lies in the granted windows
  input  wire         settled,        // `granted` and the windows hold
  input  wire [58:0]  window_first,
  input  wire [58:0]  window_end,
  input  wire [58:0]  window2_first,
  input  wire [58:0]  window2_end,

  output reg  [31:0]  head,           // descriptors done, absolute
  input  wire [31:0]  tail,           // descriptors given back, absolute

  // Lines
  input  wire         line_valid,
  output wire         line_ready,
  input  wire         line_first,
  input  wire         line_event,
  input  wire         line_lost,
  input  wire         line_begins,    // line_index is 0
  input  wire [7:0]   line_index,
  input  wire [479:0] line_data,

  // DMA write: a line, or with strobes descriptors of one
  output wire         write_valid,
  input  wire         write_ready,
  output wire [57:0]  write_line,     // address / 64
  output wire [511:0] write_data,
  output wire [63:0]  write_strobe,

  // DMA read of a line
  output wire         read_valid,
  input  wire         read_ready,
  output wire [57:0]  read_line,
  input  wire         answer_valid,
  input  wire [511:0] answer_data,
  input  wire         answer_error,

  // Events, one clock each, in the clock after
  output reg          event_line,       // a line is written
  output reg          event_event,      // it is an event or an rx_lost
  output wire         event_ring_full,  // a message is dropped, for one of the reasons above
  output wire         event_not_ready,
  output wire         event_too_large,
  output wire         event_refused,
  output reg          dropped,          // with one of the four
  output reg  [63:0]  dropped_sequence,

  output reg          waits,          // the line in hand is an rx_lost and waits for the host
  output wire         in_flight,      // reads not answered
  output wire         idle            // nothing goes on, but for what waits
);

  localparam [31:0] DONE         = `TL_DESCRIPTOR_DONE;
  localparam [31:0] DONE_AND_END = `TL_DESCRIPTOR_DONE | `TL_DESCRIPTOR_END;
  localparam [31:0] BUFFER_BYTES = `TL_BUFFER_BYTES;
  localparam [15:0] WRITE_BACK   = 16'hFF00;  // bytes of a descriptor: all but the address

  localparam [3:0] FETCH   = 4'd0;      // fetch again from the head
  localparam [3:0] FILL    = 4'd8;      // lines into buffers; the only one with bit 3
  localparam [3:0] SELECT  = 4'd2;      // which descriptors of the message's continuation lines share the next line
  localparam [3:0] COMMIT  = 4'd3;      // mark them done
  localparam [3:0] PUBLISH = 4'd4;      // mark the first line's descriptor done
  localparam [3:0] EMPTY   = 4'd5;      // give a descriptor back unused
  localparam [3:0] EMPTIED = 4'd6;      // and those behind it, `empty_left` more

  localparam [1:0] RING_FULL = 2'd0;
  localparam [1:0] NOT_READY = 2'd1;
  localparam [1:0] TOO_LARGE = 2'd2;
  localparam [1:0] REFUSED   = 2'd3;

  reg  [3:0]  step;

  // ---- Descriptors; that of the head is taken out of the store at once, it is needed last

  reg  [31:0] limit;
  reg         short_ring;              // the ring may have fewer slots than a message lines
  wire        store_valid;
  wire        store_ready;
  wire [57:0] store_line;
  wire        store_granted;
  wire        store_done;
  wire        store_whole;
  wire        starved;
  wire        fetch_idle;

  always @(posedge clk) begin
    limit <= tail + {15'd0, slots};
    short_ring <= slot_mask[15:8] == 8'd0;
  end

  descriptor_fetch u_descriptor_fetch (
    .clk           (clk),
    .rst           (rst),
    .enable        (enable),
    .base_line     (base_line),
    .slot_mask     (slot_mask),
    .limit         (limit),
    .granted       (granted),
    .settled       (settled),
    .window_first  (window_first),
    .window_end    (window_end),
    .window2_first (window2_first),
    .window2_end   (window2_end),
    .rewind        (step == FETCH),
    .rewind_to     (head),
    .out_valid     (store_valid),
    .out_ready     (store_ready),
    .out_line      (store_line),
    .out_granted   (store_granted),
    .out_done      (store_done),
    .out_whole     (store_whole),
    .starved       (starved),
    .read_valid    (read_valid),
    .read_ready    (read_ready),
    .read_line     (read_line),
    .answer_valid  (answer_valid),
    .answer_data   (answer_data),
    .answer_error  (answer_error),
    .in_flight     (in_flight),
    .idle          (fetch_idle)
  );

  wire        next_held;              // a continuation line takes the next descriptor
  reg         first_held;
  reg  [57:0] first_line;
  reg         first_granted;
  reg         first_done;
  wire        take_first = !first_held && step != FETCH;

  assign store_ready = take_first || next_held;

  // ---- What becomes of the line in hand

  reg  [7:0]  used;                   // descriptors taken for continuation lines, behind the head's
  reg         used_any;               // not 0
  reg         dropping;               // the message under way
  reg  [1:0]  why;

  // Numbers come one by one: the first line that is too many has the number of the ring's last slot.
  wire        too_large  = !line_first && short_ring && line_index == slot_mask[7:0];
  wire        in_hand    = line_valid && settled && step[3];
  wire        aborted    = in_hand && line_begins && (used_any || dropping);  // the message before this one was
  wire        lost       = in_hand && dropping && !line_begins;
  wire        wanted     = in_hand && !dropping && !(line_begins && used_any);
  wire        ready      = first_held && (line_first || store_valid);
  wire        still_done = first_done || (!line_first && store_done);
  wire        buffer_ok  = first_granted && (line_first || store_granted);

  // Of a line that is wanted at most one of these; none: it waits.
  wire        too_many   = wanted && too_large;
  wire        ungranted  = wanted && !too_large && !granted;
  wire        not_ready  = wanted && !too_large && granted && ready && still_done;
  wire        refused    = wanted && !too_large && granted && ready && !still_done && !buffer_ok;
  wire        place      = wanted && !too_large && granted && ready && !still_done && buffer_ok;
  wire        exhausted  = wanted && !too_large && granted && !ready && starved;
  wire        full       = exhausted && !line_lost;
  wire        placed     = place && write_ready;

  wire        drop       = too_many || ungranted || full || ((not_ready || refused) && !line_lost);
  wire [1:0]  because    = lost ? why : too_many ? TOO_LARGE : full ? RING_FULL : not_ready ? NOT_READY : REFUSED;
  wire        told       = (drop || lost) && line_first && !line_lost;

  assign next_held  = placed && !line_first;
  assign line_ready = placed || drop || lost;

  reg  [1:0]  dropped_because;

  always @(posedge clk) begin
    dropped          <= told && !rst;
    dropped_because  <= because;
    dropped_sequence <= line_data[8 * `TL_RX_RECORD_SEQUENCE +: 64];
    event_line       <= placed && !rst;
    event_event      <= placed && line_first && line_event && !rst;
  end

  assign event_ring_full = dropped && dropped_because == RING_FULL;
  assign event_not_ready = dropped && dropped_because == NOT_READY;
  assign event_too_large = dropped && dropped_because == TOO_LARGE;
  assign event_refused   = dropped && dropped_because == REFUSED;

  // ---- Marks: continuation descriptors that share a line at once, then the first line's, or an empty one

  reg  [57:0] head_line;              // line of the head's descriptor
  reg  [30:0] publish;                // epoch + head
  reg  [15:0] mark_slot;              // the next continuation descriptor to mark
  reg  [7:0]  mark_left;              // so many
  reg  [57:0] mark_line;
  reg  [3:0]  mark_lanes;             // those in this line
  reg  [3:0]  mark_end;               // the message's last one among them
  wire [2:0]  to_line_end = 3'd4 - {1'b0, mark_slot[1:0]};
  wire        mark_rest   = mark_left <= {5'd0, to_line_end};
  wire [2:0]  mark_count  = mark_rest ? mark_left[2:0] : to_line_end;
  wire [3:0]  mark_upto   = 4'd15 >> (3'd4 - mark_count);
  wire [1:0]  mark_last   = mark_slot[1:0] + mark_count[1:0] - 2'd1;

  wire        marking     = step == COMMIT || step == PUBLISH || step == EMPTY;
  wire        marked      = marking && settled && (write_ready || !granted);  // nothing is written without a grant
  wire        advance     = marked && step != COMMIT;

  // An empty descriptor goes back while `used` is 0. The lowest bits are a carry into the sum: one more.
  wire [32:0] head_next    = {head, 1'b1} + {24'd0, used, 1'b1};
  wire [31:0] publish_next = {publish, 1'b1} + {23'd0, used, 1'b1};

  always @(posedge clk) begin
    if (rst || start) begin
      head    <= 32'd0;
      publish <= epoch;
    end else if (advance) begin
      head    <= head_next[32:1];
      publish <= publish_next[31:1];
    end
    head_line <= base_line + {44'd0, head[15:2] & slot_mask[15:2]};
    if (step == SELECT) begin
      mark_line  <= base_line + {44'd0, mark_slot[15:2]};
      mark_lanes <= mark_upto << mark_slot[1:0];
      mark_end   <= mark_rest ? 4'd1 << mark_last : 4'd0;
      mark_slot  <= (mark_slot + {13'd0, mark_count}) & slot_mask;
      mark_left  <= mark_left - {5'd0, mark_count};
    end else begin
      if (step == FILL) begin
        mark_slot <= (head[15:0] + 16'd1) & slot_mask;
        mark_left <= used;
      end
    end
  end

  // ---- Steps

  reg [8:0] empty_left;
  reg       stale;                    // the windows changed since what is held was fetched

  always @(posedge clk)
    stale <= !settled || (stale && step != FETCH);

  always @(posedge clk) begin
    if (rst || start || !enable) begin
      step     <= FETCH;
      used     <= 8'd0;
      used_any <= 1'b0;
      dropping <= 1'b0;
    end else begin
      case (step)
        FETCH: begin
          if (used_any) begin             // the message under way lost what it had
            dropping <= 1'b1;
            why      <= REFUSED;
          end
          used     <= 8'd0;
          used_any <= 1'b0;
          if (settled)
            step <= FILL;
        end
        FILL: begin
          if (aborted) begin
            used     <= 8'd0;
            used_any <= 1'b0;
            dropping <= 1'b0;
          end
          if (drop || lost) begin
            used     <= 8'd0;
            used_any <= 1'b0;
            dropping <= !line_first;
            why      <= because;
          end
          if (next_held) begin
            used     <= used + 8'd1;
            used_any <= 1'b1;
          end
          empty_left <= first_granted ? {1'b0, used} + 9'd1 : 9'd0;  // up to the refused one
          if (!settled || ((aborted || drop) && used_any) || not_ready)
            step <= FETCH;
          else if (placed && line_first)
            step <= used_any ? SELECT : PUBLISH;
          if (refused)
            step <= EMPTY;
        end
        SELECT:
          step <= COMMIT;
        COMMIT:
          if (marked)
            step <= mark_left == 8'd0 ? PUBLISH : SELECT;
        PUBLISH:
          if (marked) begin
            used     <= 8'd0;
            used_any <= 1'b0;
            step     <= stale ? FETCH : FILL;
          end
        EMPTY:
          if (marked)
            step <= EMPTIED;
        default: begin
          empty_left <= empty_left - 9'd1;
          step       <= empty_left == 9'd0 ? FETCH : EMPTY;
        end
      endcase
    end
  end

  always @(posedge clk) begin
    if (step == FETCH || (placed && line_first))
      first_held <= 1'b0;
    else if (take_first && store_valid)
      first_held <= 1'b1;
    if (take_first) begin
      first_line    <= store_line;
      first_granted <= store_granted;
      first_done    <= store_done;
    end
  end

  // ---- DMA write

  wire [3:0]   lanes = step == COMMIT ? mark_lanes : 4'd1 << head[1:0];
  wire [3:0]   ends  = step == COMMIT ? mark_end : used_any ? 4'd0 : 4'd15;
  reg  [511:0] marks;
  integer      i;

  always @* begin
    marks = 512'd0;
    for (i = 0; i < 4; i = i + 1) begin
      if (step != EMPTY)
        marks[128 * i + 8 * `TL_DESCRIPTOR_LENGTH +: 16] = BUFFER_BYTES[15:0];
      marks[128 * i + 8 * `TL_DESCRIPTOR_STATUS +: 8] = ends[i] ? DONE_AND_END[7:0] : DONE[7:0];
    end
  end

  assign write_valid  = place || (marking && settled && granted);
  assign write_line   = step == COMMIT ? mark_line : marking ? head_line : line_first ? first_line : store_line;
  assign write_data   = marking ? marks : {line_first ? `TL_PUBLISH_VALID | {1'b0, publish} : 32'd0, line_data};
  assign write_strobe = marking ? {{16{lanes[3]}}, {16{lanes[2]}}, {16{lanes[1]}}, {16{lanes[0]}}} & {4{WRITE_BACK}}
                                : {64{1'b1}};

  // Late by a clock; what ends the wait is a register write, and while that goes on the host side is not idle.
  always @(posedge clk)
    waits <= exhausted && line_lost;

  assign idle  = (!line_valid || waits) && fetch_idle && !dropped && !marking && step != SELECT && step != EMPTIED
                 && (!enable || (step == FILL && !(take_first && store_valid)));

  // What an RX descriptor says about its length is not the host's to say.
  wire unused = &{1'b0, store_whole, head_next[0], publish_next[0]};

endmodule
`default_nettype wire
