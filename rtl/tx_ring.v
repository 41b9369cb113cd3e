// SPDX-License-Identifier: MIT
// TX ring: after a doorbell, fetches the slots from TX_HEAD up to TX_TAIL one by one, from a ring of 64-byte lines or
// through descriptors, and hands orders to order entry and frames to tx_frame. The next slot is fetched while the order
// before it is sent. From the clock a slot's line is on R to the clock its order is offered: 1.
//
// An order's slot is taken, and may be filled again, once it has been read; a frame's once all of the frame has been.
// In descriptor mode its descriptor is then marked done; what was read from a buffer needs no publish word. A slot that
// is not published as its doorbell said, of unknown kind or of impossible length is skipped and counted, and so is one
// outside the windows or answered with an error: nothing the host writes can stop the slots behind it.
`include "layout.vh"
`default_nettype none

module tx_ring (
  input  wire         clk,
  input  wire         rst,

  // Set-up, stable while enable is 1; start is a pulse in the clock before it
  input  wire         enable,
  input  wire         start,
  input  wire         descriptor,     // ring of descriptors; may change with the enable's fall
  input  wire [57:0]  base_line,      // base / 64
  input  wire [4:0]   log2,
  input  wire [30:0]  epoch,

  // Granted host memory
  input  wire         granted,        // the ring lies in the windows
  input  wire         settled,        // `granted` and the windows hold
  input  wire [58:0]  window_first,
  input  wire [58:0]  window_end,
  input  wire [58:0]  window2_first,
  input  wire [58:0]  window2_end,

  output reg  [31:0]  head,           // slots taken, absolute
  input  wire [31:0]  tail,           // slots filled, absolute: the doorbell

  // DMA reads: of slots, of descriptors
  output wire         slot_read_valid,
  input  wire         slot_read_ready,
  output wire [57:0]  slot_read_line,     // address / 64, here and below
  input  wire         slot_answer,
  output wire         descriptor_read_valid,
  input  wire         descriptor_read_ready,
  output wire [57:0]  descriptor_read_line,
  input  wire         descriptor_answer,
  input  wire [511:0] answer_data,
  input  wire         answer_error,

  // DMA write of a descriptor's status
  output wire         write_valid,
  input  wire         write_ready,
  output wire [57:0]  write_line,
  output wire [511:0] write_data,
  output wire [63:0]  write_strobe,

  // To order entry
  output wire         order_valid,
  input  wire         order_ready,
  output wire [447:0] order_message,  // payload, byte k at bits 8k+7:8k
  output wire [5:0]   order_length,   // 0 to 56
  output wire [7:0]   order_type,     // of its SoupBinTCP packet

  // To tx_frame
  output wire         frame_valid,
  input  wire         frame_done,     // it has been read, or given up
  output wire [57:0]  frame_line,
  output wire [10:0]  frame_length,   // MIN_TX_FRAME_BYTES to MAX_TX_FRAME_BYTES

  // Events, one clock each
  output wire         event_skipped,        // a slot is not sent, for one of the reasons below
  output wire         event_refused,        // a read outside the windows is not issued
  output wire         event_not_published,
  output wire         event_not_ready,      // a descriptor still had DD set
  output wire         event_bad_slot,
  output wire         event_dma_error,

  output wire         in_flight,      // a slot of this run is being fetched or waits for order entry
  output wire         idle
);

  localparam [15:0] MESSAGE_BYTES   = `TL_TX_SLOT_KIND;  // the message fills the slot up to its kind
  localparam [31:0] MIN_FRAME_BYTES = `TL_MIN_TX_FRAME_BYTES;
  localparam [31:0] MAX_FRAME_BYTES = `TL_MAX_TX_FRAME_BYTES;
  localparam [31:0] DONE            = `TL_DESCRIPTOR_DONE;
  localparam [15:0] STATUS_BYTE     = 16'd1 << `TL_DESCRIPTOR_STATUS;

  localparam [2:0] NEXT  = 3'd0;      // addresses follow the head
  localparam [2:0] LOOK  = 3'd1;      // wait for a slot to fetch, and fetch it
  localparam [2:0] WAIT  = 3'd2;      // its line is on its way
  localparam [2:0] JUDGE = 3'd3;
  localparam [2:0] FRAME = 3'd4;      // tx_frame has it
  localparam [2:0] MARK  = 3'd5;      // its descriptor is marked done

  reg  [2:0] step;
  reg        mode;                    // `descriptor`, for the whole way of a slot

  always @(posedge clk)
    if (step == NEXT || step == LOOK)
      mode <= descriptor;

  // ---- Where slots are

  reg  [15:0] slot_mask;
  reg  [57:0] slot_line;
  reg  [57:0] descriptor_line;
  reg  [30:0] publish;                // epoch + head
  wire [15:0] slot = head[15:0] & slot_mask;

  always @(posedge clk) begin
    slot_mask       <= ~(16'hFFFF << log2);
    slot_line       <= base_line + {42'd0, slot};
    descriptor_line <= base_line + {44'd0, slot[15:2]};
    publish         <= epoch + head[30:0];
  end

  // ---- Descriptors

  reg  [31:0] fetched;                // slots whose descriptor has left the store
  wire        store_valid;
  wire        store_ready;
  wire [57:0] store_line;
  wire        store_granted;
  wire        store_done;
  wire        store_whole;
  wire        store_starved;
  wire        fetch_in_flight;
  wire        fetch_idle;

  descriptor_fetch u_descriptor_fetch (
    .clk           (clk),
    .rst           (rst),
    .enable        (enable && descriptor),
    .base_line     (base_line),
    .slot_mask     (slot_mask),
    .limit         (tail),
    .granted       (granted),
    .settled       (settled),
    .window_first  (window_first),
    .window_end    (window_end),
    .window2_first (window2_first),
    .window2_end   (window2_end),
    .rewind        (!settled),        // what was granted may not be any more
    .rewind_to     (fetched),
    .out_valid     (store_valid),
    .out_ready     (store_ready),
    .out_line      (store_line),
    .out_granted   (store_granted),
    .out_done      (store_done),
    .out_whole     (store_whole),
    .starved       (store_starved),
    .read_valid    (descriptor_read_valid),
    .read_ready    (descriptor_read_ready),
    .read_line     (descriptor_read_line),
    .answer_valid  (descriptor_answer),
    .answer_data   (answer_data),
    .answer_error  (answer_error),
    .in_flight     (fetch_in_flight),
    .idle          (fetch_idle)
  );

  // ---- Fetch

  reg  slot_valid;                    // a slot has been fetched and is judged or waits for order entry
  wire order_leaves = order_valid && order_ready;
  reg  filled;                        // of the clock before; the head stands still while it counts
  wire pending      = enable && filled;
  wire look         = step == LOOK && pending && settled && !slot_valid;
  wire present      = !mode || !granted || store_valid;  // without a grant no descriptor ever comes
  wire outside      = !granted || (mode && !store_granted && !store_done);
  wire marked_done  = mode && granted && store_done;
  wire bad_length   = mode && granted && store_granted && !store_done && !store_whole;
  wire rejected     = look && present && (outside || marked_done || bad_length);
  wire fetched_slot = step == WAIT && slot_answer;

  assign slot_read_valid = look && present && !outside && !marked_done && !bad_length;
  assign slot_read_line  = mode ? store_line : slot_line;
  assign store_ready     = mode && granted && (rejected || (slot_read_valid && slot_read_ready));

  always @(posedge clk)
    filled <= head != tail;

  // ---- Check

  wire [7:0]   answer_kind    = answer_data[8 * `TL_TX_SLOT_KIND +: 8];
  wire [15:0]  answer_length  = answer_data[8 * `TL_TX_SLOT_LENGTH +: 16];
  wire [63:0]  answer_address = answer_data[8 * `TL_TX_FRAME_ADDRESS +: 64];
  reg          slot_published;
  reg          is_order;
  reg          is_frame;
  reg  [447:0] slot_message;
  reg  [7:0]   slot_type;
  reg  [10:0]  slot_length;

  always @(posedge clk) begin
    if (fetched_slot) begin
      slot_published <= mode || answer_data[8 * `TL_TX_SLOT_PUBLISH +: 32] == (`TL_PUBLISH_VALID | {1'b0, publish});
      is_order       <= answer_kind == `TL_TX_KIND_ORDER && answer_length <= MESSAGE_BYTES;
      is_frame       <= answer_kind == `TL_TX_KIND_FRAME && answer_address[5:0] == 6'd0
                        && answer_length >= MIN_FRAME_BYTES[15:0] && answer_length <= MAX_FRAME_BYTES[15:0];
      slot_message   <= answer_data[8 * `TL_TX_SLOT_MESSAGE +: 448];
      slot_type      <= answer_data[8 * `TL_TX_SLOT_PACKET_TYPE +: 8];
      slot_length    <= answer_length[10:0];
    end
  end

  wire        judging  = step == JUDGE && slot_valid;
  wire        to_frame = judging && slot_published && is_frame;

  assign event_refused       = rejected && outside;
  assign event_not_ready     = rejected && !outside && marked_done;
  assign event_dma_error     = (fetched_slot || descriptor_answer) && answer_error;
  assign event_not_published = judging && !slot_published;
  assign event_bad_slot      = (judging && slot_published && !is_order && !is_frame) || (rejected && bad_length);
  assign event_skipped       = rejected || (fetched_slot && answer_error) || event_not_published
                               || (judging && event_bad_slot);
  assign order_valid         = slot_valid && slot_published && is_order;
  assign order_message       = slot_message;
  assign order_length        = slot_length[5:0];
  assign order_type          = slot_type;
  assign frame_valid         = step == FRAME;
  assign frame_line          = slot_message[8 * `TL_TX_FRAME_ADDRESS + 6 +: 58];
  assign frame_length        = slot_length;

  // ---- Steps

  wire done   = (rejected && !(mode && granted)) || (step == JUDGE && !to_frame && !mode)
                || (step == FRAME && frame_done && !mode)
                || (step == MARK && settled && (write_ready || !granted));
  wire marks  = (rejected && mode && granted) || (step == JUDGE && !to_frame && mode)
                || (step == FRAME && frame_done && mode);

  always @(posedge clk) begin
    if (rst || start)
      step <= NEXT;
    else if (done)
      step <= NEXT;
    else if (marks)
      step <= MARK;
    else if (step == NEXT)
      step <= LOOK;
    else if (slot_read_valid && slot_read_ready)
      step <= WAIT;
    else if (fetched_slot)
      step <= JUDGE;
    else if (to_frame)
      step <= FRAME;
  end

  always @(posedge clk) begin
    if (rst || start) begin
      head    <= 32'd0;
      fetched <= 32'd0;
    end else begin
      if (done)
        head <= head + 32'd1;
      if (store_valid && store_ready)
        fetched <= fetched + 32'd1;
      else if (done && !granted)
        fetched <= head + 32'd1;
    end
    if (rst)
      slot_valid <= 1'b0;
    else if (fetched_slot)
      slot_valid <= !answer_error;
    else if (order_leaves || (judging && !(slot_published && is_order)))
      slot_valid <= 1'b0;
  end

  // ---- Mark

  wire [3:0] lane = 4'd1 << head[1:0];

  assign write_valid  = step == MARK && settled && granted;
  assign write_line   = descriptor_line;
  assign write_data   = {4{{128 - 8 * `TL_DESCRIPTOR_STATUS - 8{1'b0}}, DONE[7:0], {8 * `TL_DESCRIPTOR_STATUS{1'b0}}}};
  assign write_strobe = {{16{lane[3]}}, {16{lane[2]}}, {16{lane[1]}}, {16{lane[0]}}} & {4{STATUS_BYTE}};

  assign in_flight = (step != NEXT && step != LOOK) || slot_valid || fetch_in_flight;
  assign idle      = !in_flight && step == LOOK && !pending && fetch_idle;

  wire unused = &{1'b0, store_starved, answer_address[63:6]};

endmodule
`default_nettype wire
