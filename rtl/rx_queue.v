// SPDX-License-Identifier: MIT
// Way into the RX ring: decides message by message, as its lines arrive, whether all of it gets in, and queues its
// lines for a slow host. A line sampled at clock t stands at the output at t + 1 if nothing waits before it.
//
// The receive side cannot wait, so a message either gets all its lines in or is dropped whole and counted: when the
// queue is full, when the ring has no room (one-line mode), when it has more lines than the ring or than a record can
// announce. Of a message that is dropped or aborted, continuation lines may already be on their way: they carry their
// number, so the writer behind sees the next message begin and gives it the same slots.
//
// What was dropped is told to the host: an rx_lost line goes in as soon as no message is under way and there is room.
`include "layout.vh"
`default_nettype none

module rx_queue #(
  parameter FIFO_LOG2 = 6             // log2 of the lines a slow host can leave waiting
) (
  input  wire         clk,
  input  wire         rst,

  input  wire         enable,
  input  wire         start,
  input  wire         descriptor,     // descriptor mode: the writer finds out whether there is room
  input  wire [16:0]  slots,
  input  wire [16:0]  tail,           // lines given back, absolute, modulo 2^17
  input  wire         tell_lost,      // EVENT_ENABLE.LOST

  // Lines, without backpressure: the continuation lines of a message in order, then its first line
  input  wire         line_valid,
  input  wire         line_first,
  input  wire         line_event,     // with line_first: an event, not a message
  input  wire [479:0] line_data,
  input  wire         line_abort,     // the message under way will not be completed

  // To the writer
  output wire         out_valid,
  input  wire         out_ready,
  output wire         out_first,
  output wire         out_event,      // with out_first: an event or an rx_lost
  output wire         out_lost,       // with out_first: an rx_lost
  output wire         out_begins,     // out_index is 0
  output wire [7:0]   out_index,      // of a continuation: its number; of a first line: how many came before it
  output wire [479:0] out_line,

  // A message the writer took from here and dropped
  input  wire         out_dropped,
  input  wire [63:0]  out_dropped_sequence,
  input  wire [8:0]   out_dropped_lines,

  // Events, one clock each
  output wire         event_ring_full,      // a message is dropped: no room in the queue or the ring
  output wire         event_too_large,      // a message is dropped: more lines than the ring has or a record announces

  output wire         held,           // lines wait
  output wire         idle            // nothing goes on, but for what waits
);

  localparam [7:0] INDEX_LIMIT = 8'hFF;  // rx_record.continuations is one byte

  reg  [7:0] line_index;              // continuation lines of the message under way
  reg        lost;                    // one of them found no room
  reg        too_many;                // there were more of them than a record announces
  wire       full;

  // ---- Room in the ring: slots promised to lines in the queue and beyond, modulo 2^17, up to a limit that moves with
  // the tail. A message that the writer drops gives its slots back by moving the limit on. Whether the limit is reached
  // is found out a clock ahead, for each of the ways in which the promises can go.

  reg  [16:0] promised;
  reg  [16:0] promised_1;             // and one, two more
  reg  [16:0] promised_2;
  reg  [16:0] begun;                  // when the message under way began
  reg  [16:0] begun_1;
  reg  [16:0] begun_2;
  reg  [16:0] limit;
  reg         no_limit;
  reg         no_slot;
  reg         last_slot;              // one is left: for a first line
  reg         drop_out;               // the writer dropped a message in the clock before
  reg  [8:0]  drop_out_lines;
  reg  [16:0] beyond_tail;            // slots of the ring, and of messages that the writer dropped

  wire        oversize  = !line_first && line_index == INDEX_LIMIT;
  wire        no_room   = full || no_slot || (!line_first && last_slot);
  wire        keep      = line_valid && enable && !lost && !too_many && !oversize && !no_room;
  wire        completes = line_valid && line_first;
  wire        lost_push;
  wire        forget    = line_abort || (completes && !keep);

  wire        larger    = !descriptor && slots[16:8] == 9'd0 && line_index >= slots[7:0];
  wire        drop      = completes && enable && !keep;

  always @(posedge clk) begin
    if (rst || line_abort || completes) begin
      line_index <= 8'd0;
      lost       <= 1'b0;
      too_many   <= 1'b0;
    end else if (line_valid) begin
      if (oversize)
        too_many <= 1'b1;
      else
        line_index <= line_index + 8'd1;
      // A ring that is off loses the line too: a message must not begin in one run of the ring and end in the next.
      if (!enable || no_room)
        lost <= 1'b1;
    end else if (!enable && line_index != 8'd0) begin
      lost <= 1'b1;
    end
  end

  wire        goes_on   = keep || lost_push;
  wire [17:0] end_limit = {no_limit, limit};

  always @(posedge clk) begin
    if (start) begin
      {promised_2, promised_1, promised} <= {17'd2, 17'd1, 17'd0};
      {begun_2, begun_1, begun}       <= {17'd2, 17'd1, 17'd0};
      {no_slot, last_slot}               <= 2'b00;
    end else begin
      if (forget) begin
        {promised_2, promised_1, promised} <= {begun_2, begun_1, begun};
        no_slot   <= {1'b0, begun} == end_limit;
        last_slot <= {1'b0, begun_1} == end_limit;
      end else if (goes_on) begin
        {promised_2, promised_1, promised} <= {promised_2 + 17'd1, promised_2, promised_1};
        no_slot   <= {1'b0, promised_1} == end_limit;
        last_slot <= {1'b0, promised_2} == end_limit;
      end else begin
        no_slot   <= {1'b0, promised} == end_limit;
        last_slot <= {1'b0, promised_1} == end_limit;
      end
      if ((keep && completes) || lost_push)
        {begun_2, begun_1, begun} <= {promised_2 + 17'd1, promised_2, promised_1};
    end
    if (start)
      beyond_tail <= slots;
    else if (drop_out)
      beyond_tail <= beyond_tail + {8'd0, drop_out_lines};
    limit    <= tail + beyond_tail;
    no_limit <= descriptor || start;
  end

  // ---- What the host has lost

  reg         drop_in;                // a message was dropped in the clock before
  reg         drop_in_size;           // because of its size
  reg  [63:0] drop_in_sequence;
  reg  [63:0] drop_out_sequence;
  reg  [31:0] lost_count;
  reg  [63:0] lost_sequence;
  reg         lost_any;
  wire        none_lost = !lost_any || lost_push;
  wire [1:0]  newly_lost = {drop_in && drop_out, drop_in != drop_out};

  assign lost_push = lost_any && enable && !line_valid && !line_abort && line_index == 8'd0 && !full && !no_slot;

  always @(posedge clk) begin
    drop_in_size      <= too_many || larger;
    drop_in_sequence  <= line_data[8 * `TL_RX_RECORD_SEQUENCE +: 64];
    drop_out_sequence <= out_dropped_sequence;
    drop_out_lines    <= out_dropped_lines;
    if (rst || start) begin
      drop_in    <= 1'b0;
      drop_out   <= 1'b0;
      lost_any   <= 1'b0;
      lost_count <= 32'd0;
    end else begin
      drop_in    <= drop;
      drop_out   <= out_dropped;
      lost_any   <= tell_lost && (!none_lost || drop_in || drop_out);
      lost_count <= none_lost ? {30'd0, newly_lost} : lost_count + {30'd0, newly_lost};
    end
    if (none_lost)
      lost_sequence <= drop_out ? drop_out_sequence : drop_in_sequence;
  end

  localparam [31:0] STATUS_LOST = `TL_STATUS_LOST;

  assign event_ring_full = drop_in && !drop_in_size;
  assign event_too_large = drop_in && drop_in_size;

  reg [479:0] lost_line;

  always @* begin
    lost_line = 480'd0;
    lost_line[8 * `TL_RX_LOST_SEQUENCE +: 64] = lost_sequence;
    lost_line[8 * `TL_RX_LOST_COUNT +: 32]    = lost_count;
    lost_line[8 * `TL_RX_LOST_STATUS +: 8]    = STATUS_LOST[7:0];
  end

  // ---- Queue

  wire fifo_idle;

  line_fifo #(
    .WIDTH (492),
    .LOG2  (FIFO_LOG2)
  ) u_line_fifo (
    .clk       (clk),
    .rst       (rst),
    .flush     (!enable),
    .push      (keep || lost_push),
    .in_data   (line_valid
                ? {line_first, line_event && line_first, 1'b0, line_index == 8'd0, line_index, line_data}
                : {1'b1, 1'b1, 1'b1, 1'b1, 8'd0, lost_line}),
    .full      (full),
    .out_valid (out_valid),
    .out_data  ({out_first, out_event, out_lost, out_begins, out_index, out_line}),
    .out_ready (out_ready),
    .idle      (fifo_idle)
  );

  assign held = !fifo_idle;
  assign idle = !line_valid && !drop_in && !drop_out && !(lost_any && enable && !full && !no_slot);

endmodule
`default_nettype wire
