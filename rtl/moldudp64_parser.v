// SPDX-License-Identifier: MIT
// MoldUDP64: captures the packet header and walks the message blocks, one beat a clock whatever their alignment. In one
// clock at most one block ends, and the next one's length is read; a block that ends in the very beat that holds its
// length (0 to 5 bytes) takes another clock of that beat.
//
// A block is known by two lanes: `turn`, that of its length's low byte (its data begin behind it), and `end_lane`, that
// of its last byte. With turn + length = 8 n + end_lane it ends n beats after the one that holds lane `turn`.
`include "layout.vh"
`default_nettype none

module moldudp64_parser (
  input  wire        clk,
  input  wire        rst,

  // the beat in hand, and the one that comes into hand
  input  wire        load,
  input  wire [63:0] load_data,
  input  wire        beat_valid,
  input  wire        beat_fresh,
  input  wire        beat_first,
  input  wire        beat_ends,           // the frame's last beat leaves
  input  wire [63:0] beat_data,
  input  wire [7:0]  previous_lane_7,     // of the beat before
  input  wire [7:0]  payload_lanes,       // lanes of the beat that do not lie behind the payload
  input  wire        payload_begins,      // in this beat, at lane 6 or 2
  input  wire        payload_at_lane_6,
  input  wire        dropped,             // the frame is not for us
  output wire        hold,                // the beat is needed for another clock

  // packet header; stays until 7 clocks after the frame's end at least. A first block ends with packet_begins at the earliest.
  output reg         packet_begins,       // pulse: header captured
  output reg  [79:0] session,             // byte k at bits 8k+7:8k
  output reg  [63:0] sequence_number,
  output reg  [15:0] count,
  output reg  [7:0]  kind,

  // blocks, in the clock of the beat
  output wire        block_begins,        // a length is read
  output wire        block_ends,          // the beat holds the open block's last byte
  output wire        word_ends,           // the beat completes the 8-byte word of the block that the beat before began
  output wire        word_begins,         // the beat holds bytes of the word after that
  output reg  [2:0]  turn,                // of the open block
  output reg  [15:0] length,              // of the open block
  output reg  [7:0]  message_type,        // first byte of the open block, from its second beat's end on
  output wire [7:0]  message_type_here,   // with block_ends, if the block has any byte
  input  wire        line_full,           // the word that this beat completes fills a line: no other word in this clock

  // at the frame's end
  output reg         truncated,
  output reg         extra_data,
  output wire        idle
);

  // ---- packet header. It begins at lane 6 or lane 2; `step` counts the beats since.

  reg  [1:0] step;
  reg        last_step;
  reg        from_lane_6;

  wire [15:0] half_0 = {beat_data[7:0],   beat_data[15:8]};
  wire [15:0] half_2 = {beat_data[23:16], beat_data[31:24]};
  wire [15:0] half_4 = {beat_data[39:32], beat_data[47:40]};
  wire [15:0] half_6 = {beat_data[55:48], beat_data[63:56]};

  wire        header_ends = beat_fresh && !beat_first && last_step && payload_lanes[from_lane_6 ? 1 : 5];
  wire [15:0] count_here  = from_lane_6 ? half_0 : half_4;
  wire        heartbeat   = count_here == 16'h0000;

  // Whether a packet announces blocks decides at once how far its beat is walked: known as the beat comes into hand.
  reg         blocks_if_0;
  reg         blocks_if_4;
  wire        has_blocks  = from_lane_6 ? blocks_if_0 : blocks_if_4;
  wire        starts      = header_ends && has_blocks;

  always @(posedge clk)
    if (load) begin
      blocks_if_0 <= load_data[15:0]  != 16'h0000 && load_data[15:0]  != 16'hFFFF;
      blocks_if_4 <= load_data[47:32] != 16'h0000 && load_data[47:32] != 16'hFFFF;
    end

  always @(posedge clk) begin
    if (rst) begin
      step      <= 2'd0;
      last_step <= 1'b0;
    end else if (beat_fresh) begin
      last_step <= !beat_first && (from_lane_6 ? step == 2'd2 : step == 2'd1);
      if (beat_first || last_step)
        step <= 2'd0;
      else if (payload_begins)
        step <= 2'd1;
      else if (step != 2'd0)
        step <= step + 2'd1;
    end
  end

  always @(posedge clk) begin
    if (payload_begins) begin
      from_lane_6 <= payload_at_lane_6;
      if (payload_at_lane_6)
        session[15:0] <= beat_data[63:48];
      else
        session[47:0] <= beat_data[63:16];
    end
    if (beat_fresh)
      case ({from_lane_6, step})
        {1'b1, 2'd1}: session[79:16] <= beat_data;
        {1'b1, 2'd2}: sequence_number <= {half_0, half_2, half_4, half_6};
        {1'b0, 2'd1}: begin
          session[79:48]  <= beat_data[31:0];
          sequence_number[63:32] <= {half_4, half_6};
        end
        {1'b0, 2'd2}: sequence_number[31:0] <= {half_0, half_2};
        default: ;
      endcase
    if (header_ends) begin
      count <= count_here;
      kind  <= has_blocks ? `TL_FRAME_KIND_DATA
               : heartbeat ? `TL_FRAME_KIND_HEARTBEAT : `TL_FRAME_KIND_END_OF_SESSION;
    end
  end

  // ---- for each lane, were it the next block's `turn`: that block ends in the same beat, or in this or the next. Computed
  //      as the beat comes into hand, because it decides in the same clock whether the beat leaves.

  reg  [7:0]  short_from;
  reg  [7:0]  last_from;
  wire [71:0] load_lanes = {load_data, beat_data[63:56]};   // lane i at bits 8i+15:8i+8
  integer     i;

  always @(posedge clk)
    if (load)
      for (i = 0; i < 8; i = i + 1) begin
        last_from[i]  <= load_lanes[8 * i +: 8] == 8'd0 && load_lanes[8 * i + 12 +: 4] == 4'd0
                         && load_lanes[8 * i + 8 +: 4] <= 4'd15 - i[3:0];
        short_from[i] <= load_lanes[8 * i +: 8] == 8'd0 && load_lanes[8 * i + 11 +: 5] == 5'd0
                         && load_lanes[8 * i + 8 +: 3] <= 3'd7 - i[2:0];
      end

  // ---- the walk. The next block's turn is always two lanes behind the last block's end: in the beat with that end, or
  //      where that is at lane 6 or 7, in the one after it; then no block is open while its lanes 0 and 1 are awaited.

  reg         in_packet;                  // from the header's last beat to the clock after the frame's end
  reg         walking;                    // ... while announced blocks are to come
  reg         finished;                   // all announced blocks are complete
  reg         open;                       // a block's length has been read and its end not yet seen
  reg         same_beat;                  // ... in the beat in hand
  reg  [2:0]  end_lane;                   // of the open block; if none is open, of the last one
  reg  [2:0]  turn_after;                 // two lanes behind it: the next block's turn
  reg         block_last;                 // it ends in the beat in hand
  reg         two_words;                  // its last beat completes a word and begins another
  reg  [15:0] blocks_left;                // lengths not read yet, and one more if first_read
  reg         first_read;                 // the first length came in the header's last beat
  reg         more;                       // there are lengths not read yet
  reg  [12:0] beats_left;                 // to the open block's last byte: beats_left + carry
  reg         carry;
  reg         ended;

  wire        walks       = beat_valid && walking && !beat_first;
  wire        splits      = walks && open && block_last && !same_beat && two_words && line_full;

  assign word_ends   = walks && open && !same_beat;
  assign word_begins = walks && open && block_last && (same_beat || (two_words && !line_full));
  assign block_ends  = walks && open && block_last && payload_lanes[end_lane] && !splits;

  // A lane of the payload has only lanes of the payload before it: where a length ends, the block before it has ended.
  wire        in_next_beat = turn_after[2:1] == 2'b00;
  wire        begins_first = starts && payload_lanes[from_lane_6 ? 3 : 7];
  wire        begins_next  = walks && more && (!open || (block_last && !in_next_beat && !splits))
                             && payload_lanes[turn_after];
  wire        short_first  = short_from[from_lane_6 ? 3 : 7];
  wire        short_next   = short_from[turn_after];

  assign block_begins = begins_first || begins_next;

  // The same as these with short_first and short_next, or splits; but it decides what the queue does in this clock.
  wire [7:0]  holds_from   = short_from & payload_lanes;
  wire        first_holds  = from_lane_6 ? blocks_if_0 && holds_from[3] : blocks_if_4 && holds_from[7];

  assign hold = (beat_fresh && !beat_first && last_step && first_holds)
                || (walks && more && (!open || (block_last && !in_next_beat)) && holds_from[turn_after])
                || splits;

  reg  [15:0] length_after;

  // Looked at when the block begins; `x` spares a simulation the work, here and below.
  always @* begin
    length_after = 16'dx;
    if (begins_next)
      case (turn_after)
        3'd0:    length_after = {previous_lane_7, beat_data[7:0]};
        3'd1:    length_after = half_0;
        3'd2:    length_after = {beat_data[15:8],  beat_data[23:16]};
        3'd3:    length_after = half_2;
        3'd4:    length_after = {beat_data[31:24], beat_data[39:32]};
        3'd5:    length_after = half_4;
        3'd6:    length_after = {beat_data[47:40], beat_data[55:48]};
        default: length_after = half_6;
      endcase
  end

  wire        first        = header_ends;
  wire [2:0]  turn_here    = first ? {!from_lane_6, 2'b11} : turn_after;
  wire [15:0] length_here  = !first ? length_after : from_lane_6 ? half_2 : half_6;
  wire        short_here   = first ? short_first : short_next;
  wire [3:0]  end_here     = {1'b0, turn_here} + {1'b0, length_here[2:0]};

  // The first byte behind a finished packet: lane end_lane + 1, or behind a header without blocks lane 2 or 6.
  wire [8:0]  lanes_and_next = {1'b0, payload_lanes};
  wire        behind_block   = lanes_and_next[{1'b0, end_lane} + 4'd1];
  wire        behind_header  = payload_lanes[from_lane_6 ? 2 : 6];

  always @(posedge clk) begin
    if (rst) begin
      in_packet  <= 1'b0;
      walking    <= 1'b0;
      finished   <= 1'b0;
      open       <= 1'b0;
      more       <= 1'b0;
      extra_data <= 1'b0;
    end else begin
      if (header_ends) begin
        in_packet   <= 1'b1;
        finished    <= !has_blocks;
        extra_data  <= !has_blocks && behind_header;
      end else if (ended || dropped)
        in_packet   <= 1'b0;
      else if (block_ends && !more) begin
        finished    <= 1'b1;
        extra_data  <= behind_block;
      end else if (in_packet && finished && beat_fresh && !beat_first && payload_lanes[0])
        extra_data  <= 1'b1;

      if (starts)
        walking <= 1'b1;
      else if (ended || dropped || (block_ends && !more))
        walking <= 1'b0;

      if (block_begins)
        open <= 1'b1;
      else if (header_ends || block_ends)
        open <= 1'b0;

      if (header_ends) begin
        blocks_left <= count_here;
        first_read  <= begins_first;
        more        <= !begins_first || count_here != 16'd1;
      end else if (begins_next) begin
        blocks_left <= blocks_left - 16'd1;
        more        <= blocks_left != {14'd0, first_read, !first_read};
      end
    end

    if (block_begins) begin
      turn       <= turn_here;
      length     <= length_here;
      end_lane   <= end_here[2:0];
      turn_after <= turn_here + 3'd2 + length_here[2:0];
      two_words  <= end_here[2:0] > turn_here;
      beats_left <= length_here[15:3];
      carry      <= end_here[3];
      block_last <= last_from[turn_here];
      same_beat  <= short_here;
    end else if (splits)
      same_beat  <= 1'b1;
    else if (walks && open) begin
      same_beat  <= 1'b0;
      if (!block_last) begin
        beats_left <= beats_left - 13'd1;
        block_last <= beats_left == {11'd0, !carry, carry};
      end
    end
  end

  // ---- the open block's first byte, for its length check: behind the length, or at lane 0 of the next beat

  reg        type_late;

  assign message_type_here = type_late ? beat_data[7:0] : message_type;

  reg  [7:0] type_behind_turn;

  always @* begin
    type_behind_turn = 8'dx;
    if (block_begins)
      case (turn_here)
        3'd0:    type_behind_turn = beat_data[15:8];
        3'd1:    type_behind_turn = beat_data[23:16];
        3'd2:    type_behind_turn = beat_data[31:24];
        3'd3:    type_behind_turn = beat_data[39:32];
        3'd4:    type_behind_turn = beat_data[47:40];
        3'd5:    type_behind_turn = beat_data[55:48];
        default: type_behind_turn = beat_data[63:56];
      endcase
  end

  always @(posedge clk)
    if (block_begins) begin
      type_late    <= turn_here == 3'd7;
      message_type <= type_behind_turn;
    end else if (walks && open && type_late) begin
      type_late    <= 1'b0;
      message_type <= message_type_here;
    end

  // ---- frame's end: judged one clock later, when the last beat's effect is in the registers

  always @(posedge clk)
    if (rst) begin
      packet_begins <= 1'b0;
      ended         <= 1'b0;
      truncated     <= 1'b0;
    end else begin
      packet_begins <= header_ends;
      ended         <= beat_ends;
      if (ended && in_packet)
        truncated   <= !finished;
    end

  assign idle = !packet_begins && !ended;

endmodule
`default_nettype wire
