// SPDX-License-Identifier: MIT
// Fetches the descriptors that the host has given away, ahead of their use: four a read, up to four reads outstanding,
// up to 16 descriptors held. They come out in ring order, one a clock, with the verdict on their buffer.
//
// A descriptor is read only when it is the NIC's (index below `limit`): what the host may still be writing is never
// looked at. `rewind` forgets everything fetched and reads again from index `rewind_to`.
`include "layout.vh"
`default_nettype none

module descriptor_fetch (
  input  wire         clk,
  input  wire         rst,

  input  wire         enable,         // 0: begin at index 0
  input  wire [57:0]  base_line,      // ring base / 64
  input  wire [15:0]  slot_mask,
  input  wire [31:0]  limit,          // index behind the last descriptor given away
  input  wire         granted,        // the ring lies in the granted windows
  input  wire         settled,
  input  wire [58:0]  window_first,
  input  wire [58:0]  window_end,
  input  wire [58:0]  window2_first,
  input  wire [58:0]  window2_end,

  input  wire         rewind,
  input  wire [31:0]  rewind_to,

  // Descriptors
  output wire         out_valid,
  input  wire         out_ready,
  output wire [57:0]  out_line,       // buffer address / 64
  output wire         out_granted,    // the buffer is a line in the windows
  output wire         out_done,       // DD is still set, or the descriptor could not be read
  output wire         out_whole,      // its length is that of a buffer
  output wire         starved,        // none is held or on its way, and none can be fetched

  // DMA read of a line; the answer comes in order, at any later time
  output wire         read_valid,
  input  wire         read_ready,
  output reg  [57:0]  read_line,
  input  wire         answer_valid,
  input  wire [511:0] answer_data,
  input  wire         answer_error,

  output wire         in_flight,      // reads not answered
  output wire         idle
);

  localparam [31:0] DONE_MASK = `TL_DESCRIPTOR_DONE;
  localparam [31:0] WHOLE     = `TL_BUFFER_BYTES;
  localparam [4:0]  HELD      = 5'd12;    // of 16, when there is no room for the four of another read

  // ---- Questions: what is asked for next, a read at a time

  localparam [1:0] LOOK = 2'd0;       // `available` counts from `asked`
  localparam [1:0] ASK  = 2'd1;       // a read waits for the bus
  localparam [1:0] NEXT = 2'd2;       // `available` follows `asked`

  reg  [1:0]  step;
  reg  [31:0] asked;                  // index of the next descriptor to ask for
  reg  [31:0] available;
  reg         any;                    // available is not 0
  reg         draining;               // after a rewind, until the reads before it are answered
  reg  [4:0]  reserved;               // descriptors held or on their way
  reg  [1:0]  lane;                   // of the first descriptor in the line to read
  reg  [2:0]  count;                  // of descriptors to take from it

  // Reads outstanding or not yet unpacked, at most four; pointers with one bit more than an address.
  reg  [2:0]  ask_pointer;
  reg  [2:0]  answer_pointer;
  reg  [2:0]  unpack_pointer;
  reg  [4:0]  shape [0:3];            // lane and count of each
  reg  [4*81-1:0] answers [0:3];      // address, length and done of each descriptor

  wire        forget   = !enable || rewind || draining;
  wire [15:0] slot     = asked[15:0] & slot_mask;
  wire [2:0]  to_end   = 3'd4 - {1'b0, slot[1:0]};
  wire        fewer    = available < {29'd0, to_end};
  wire        room     = reserved <= HELD && ask_pointer != {~unpack_pointer[2], unpack_pointer[1:0]};
  wire        wanted   = enable && granted && settled && !draining && any && room;
  wire        reading  = read_valid && read_ready;
  wire        popped   = out_valid && out_ready;
  wire        answered = ask_pointer == answer_pointer;

  assign read_valid = step == ASK && !forget;
  assign in_flight  = !answered;

  always @(posedge clk) begin
    available <= limit - asked;
    any       <= limit != asked;
    if (step == LOOK) begin
      read_line <= base_line + {44'd0, slot[15:2]};
      lane      <= slot[1:0];
      count     <= fewer ? available[2:0] : to_end;
    end
    if (reading)
      shape[ask_pointer[1:0]] <= {lane, count};
  end

  always @(posedge clk) begin
    if (rst || !enable) begin
      step     <= NEXT;
      draining <= !rst && !answered;
      asked    <= 32'd0;
      reserved <= 5'd0;
    end else if (rewind || draining) begin
      step     <= NEXT;
      draining <= !answered;
      reserved <= 5'd0;
      if (rewind)
        asked <= rewind_to;
    end else begin
      case (step)
        LOOK:    step <= wanted ? ASK : LOOK;
        ASK:     step <= read_ready ? NEXT : ASK;
        default: step <= LOOK;
      endcase
      if (reading)
        asked <= asked + {29'd0, count};
      reserved <= reserved + (reading ? {2'd0, count} : 5'd0) - {4'd0, popped};
    end
  end

  // ---- Answers, unpacked one descriptor a clock

  reg  [2:0]  unpacked;               // descriptors of this answer
  wire        unpack   = unpack_pointer != answer_pointer;
  wire [1:0]  first    = shape[unpack_pointer[1:0]][4:3];
  wire [2:0]  last     = shape[unpack_pointer[1:0]][2:0] - 3'd1;
  wire [1:0]  position = first + unpacked[1:0];
  wire        is_last  = unpacked == last;
  wire [80:0] unpacking = unpack ? answers[unpack_pointer[1:0]][81 * position +: 81] : 81'dx;
  integer     i;

  always @(posedge clk) begin
    if (rst) begin
      ask_pointer    <= 3'd0;
      answer_pointer <= 3'd0;
      unpack_pointer <= 3'd0;
      unpacked       <= 3'd0;
    end else begin
      if (reading)
        ask_pointer <= ask_pointer + 3'd1;
      if (answer_valid)
        answer_pointer <= answer_pointer + 3'd1;
      if (forget) begin
        unpack_pointer <= answer_pointer;
        unpacked       <= 3'd0;
      end else if (unpack) begin
        unpacked <= is_last ? 3'd0 : unpacked + 3'd1;
        if (is_last)
          unpack_pointer <= unpack_pointer + 3'd1;
      end
    end
    if (answer_valid)
      for (i = 0; i < 4; i = i + 1)
        answers[answer_pointer[1:0]][81 * i +: 81] <= {
          answer_error || (answer_data[128 * i + 8 * `TL_DESCRIPTOR_STATUS +: 8] & DONE_MASK[7:0]) != 8'd0,
          answer_data[128 * i + 8 * `TL_DESCRIPTOR_LENGTH +: 16],
          answer_data[128 * i + 8 * `TL_DESCRIPTOR_ADDRESS +: 64]};
  end

  // ---- Buffer check, 2 clocks

  reg  [80:0] checking;
  reg  [80:0] checked;
  reg  [1:0]  checking_valid;
  wire        in_window;

  dma_window u_dma_window (
    .clk           (clk),
    .window_first  (window_first),
    .window_end    (window_end),
    .window2_first (window2_first),
    .window2_end   (window2_end),
    .line          (unpacking[63:6]),
    .lines         (17'd1),
    .granted       (in_window)
  );

  always @(posedge clk) begin
    if (unpack)
      checking <= unpacking;
    if (checking_valid[0])
      checked <= checking;
    checking_valid <= forget ? 2'd0 : {checking_valid[0], unpack};
  end

  // ---- Descriptors held

  wire store_full;
  wire store_idle;

  line_fifo #(
    .WIDTH (61),
    .LOG2  (4)
  ) u_store (
    .clk       (clk),
    .rst       (rst),
    .flush     (forget),
    .push      (checking_valid[1]),
    .in_data   ({checked[80], checked[79:64] == WHOLE[15:0], in_window && checked[5:0] == 6'd0, checked[63:6]}),
    .full      (store_full),
    .out_valid (out_valid),
    .out_data  ({out_done, out_whole, out_granted, out_line}),
    .out_ready (out_ready),
    .idle      (store_idle)
  );

  assign starved = step == LOOK && !any && reserved == 5'd0;
  assign idle    = answered && !draining && !unpack && checking_valid == 2'd0 && (!enable || (step == LOOK && !wanted));

  // The reservation sees to it that there is room.
  wire unused = &{1'b0, store_full, store_idle};

endmodule
`default_nettype wire
