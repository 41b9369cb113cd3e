// SPDX-License-Identifier: MIT
// MoldUDP64: captures the packet header and walks the message blocks, one beat a clock whatever their alignment. In one
// clock at most one block ends, and the next one's length is read; a block that ends in the very beat that holds its
// length (0 to 5 bytes) takes another clock of that beat.
//
// A block is known by two lanes: `turn`, that of its length's low byte (its data begin behind it), and `end_lane`, that of
// its last byte. With turn + length = 8 n + end_lane it ends n beats after the one that holds lane `turn`.
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

  // packet header; stays until 6 clocks after the frame's end at least
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
  output reg  [7:0]  message_type,        // first byte of the open block, from its second beat on
  input  wire        line_full,           // the word that this beat completes fills a line: no other word in the same clock

  // at the frame's end
  output reg         truncated,
  output reg         abandoned,           // pulse: a block was open
  output reg         extra_data,
  output wire        idle
);

  // ---- packet header. It begins at lane 6 or lane 2; `step` counts the beats since.

  reg  [1:0] step;
  reg        from_lane_6;

  wire [15:0] half_0 = {beat_data[7:0],   beat_data[15:8]};
  wire [15:0] half_2 = {beat_data[23:16], beat_data[31:24]};
  wire [15:0] half_4 = {beat_data[39:32], beat_data[47:40]};
  wire [15:0] half_6 = {beat_data[55:48], beat_data[63:56]};

  wire        header_ends = beat_fresh && !beat_first
                            && (from_lane_6 ? step == 2'd3 && payload_lanes[1] : step == 2'd2 && payload_lanes[5]);
  wire [15:0] count_here  = from_lane_6 ? half_0 : half_4;
  wire        heartbeat   = count_here == 16'h0000;
  wire        session_end = count_here == 16'hFFFF;
  wire        starts      = header_ends && !heartbeat && !session_end;

  always @(posedge clk) begin
    if (rst)
      step <= 2'd0;
    else if (beat_fresh) begin
      if (beat_first || header_ends)
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
      kind  <= heartbeat ? `TL_FRAME_KIND_HEARTBEAT : session_end ? `TL_FRAME_KIND_END_OF_SESSION : `TL_FRAME_KIND_DATA;
    end
  end

  // ---- for each lane, were it the next block's `turn`: that block ends in the same beat. Computed as the beat comes into
  //      hand, because it decides in the same clock whether the beat leaves.

  reg  [7:0] short_from;
  reg  [7:0] short_from_next;
  integer    i;

  always @* begin
    short_from_next[0] = beat_data[63:56] == 8'd0 && load_data[7:0] <= 8'd7;
    for (i = 1; i < 8; i = i + 1)
      short_from_next[i] = load_data[8 * i - 8 +: 8] == 8'd0 && load_data[8 * i +: 8] <= 8'd7 - i[7:0];
  end

  always @(posedge clk)
    if (load)
      short_from <= short_from_next;

  // ---- the walk

  reg         in_packet;                  // from the header's last beat to the frame's end
  reg         finished;                   // all announced blocks are complete
  reg         open;                       // a block's length has been read and its end not yet seen
  reg         same_beat;                  // ... in the beat in hand
  reg  [2:0]  end_lane;                   // of the open block
  reg         block_last;                 // it ends in the beat in hand
  reg         boundary_turn;              // not open: the next block's turn in the coming beat
  reg  [15:0] blocks_left;                // lengths not read yet
  reg         more;                       // there are some
  reg  [12:0] beats_left;                 // to the open block's last byte: beats_left + carry
  reg         carry;
  reg         ended;

  // The stream's verdict on a packet (old, new, gap) takes two clocks; only a block of at most 8 bytes can be that early.
  wire        wait_stream = packet_begins && open && block_last;

  wire        walks       = beat_valid && in_packet && !finished && !beat_first && !dropped && !wait_stream;
  wire        block_data  = walks && open;
  wire        two_words   = !same_beat && end_lane > turn;    // if it is the block's last beat
  wire        splits      = block_data && block_last && two_words && line_full;

  assign word_ends   = block_data && !same_beat;
  assign word_begins = block_data && block_last && (same_beat || two_words) && !splits;
  assign block_ends  = block_data && block_last && payload_lanes[end_lane] && !splits;

  wire [3:0]  turn_next   = starts ? {1'b0, !from_lane_6, 2'b11} : open ? {1'b0, end_lane} + 4'd2
                                                                          : {3'd0, boundary_turn};
  wire        boundary    = starts || block_ends || (walks && !open);
  wire        complete    = !turn_next[3] && payload_lanes[turn_next[2:0]];

  assign block_begins = boundary && (starts || more) && complete;

  wire        short_next  = short_from[turn_next[2:0]];

  assign hold = (block_begins && short_next) || splits || (beat_valid && wait_stream);

  reg  [15:0] length_next;

  always @*
    case (turn_next[2:0])
      3'd0:    length_next = {previous_lane_7, beat_data[7:0]};
      3'd1:    length_next = half_0;
      3'd2:    length_next = {beat_data[15:8],  beat_data[23:16]};
      3'd3:    length_next = half_2;
      3'd4:    length_next = {beat_data[31:24], beat_data[39:32]};
      3'd5:    length_next = half_4;
      3'd6:    length_next = {beat_data[47:40], beat_data[55:48]};
      default: length_next = half_6;
    endcase

  wire [3:0]  end_next    = {1'b0, turn_next[2:0]} + {1'b0, length_next[2:0]};
  wire        last_next   = short_next || length_next[15:3] == {12'd0, !end_next[3]};
  wire [15:0] blocks_here = starts ? count_here : blocks_left;

  // The first byte behind a finished packet: lane end_lane + 1, or behind a header without blocks lane 2 or 6.
  wire [8:0]  lanes_and_next = {1'b0, payload_lanes};
  wire        behind_block   = lanes_and_next[{1'b0, end_lane} + 4'd1];
  wire        behind_header  = from_lane_6 ? payload_lanes[2] : payload_lanes[6];

  always @(posedge clk) begin
    if (rst) begin
      in_packet  <= 1'b0;
      finished   <= 1'b0;
      open       <= 1'b0;
      more       <= 1'b0;
      extra_data <= 1'b0;
    end else begin
      if (header_ends) begin
        in_packet   <= 1'b1;
        finished    <= !starts;
        open        <= 1'b0;
        extra_data  <= !starts && behind_header;
        more        <= starts;
        blocks_left <= count_here;
      end else if (ended || dropped)
        in_packet <= 1'b0;

      if (block_ends) begin
        open          <= 1'b0;
        boundary_turn <= turn_next[0];
        if (!more) begin
          finished   <= 1'b1;
          extra_data <= behind_block;
        end
      end
      if (in_packet && finished && beat_fresh && !beat_first && payload_lanes[0])
        extra_data <= 1'b1;

      if (block_begins) begin
        open        <= 1'b1;
        blocks_left <= blocks_here - 16'd1;
        more        <= blocks_here != 16'd1;
      end
    end

    if (block_begins) begin
      turn       <= turn_next[2:0];
      length     <= length_next;
      end_lane   <= end_next[2:0];
      beats_left <= length_next[15:3];
      carry      <= end_next[3];
      block_last <= last_next;
      same_beat  <= short_next;
    end else if (splits)
      same_beat  <= 1'b1;
    else if (block_data) begin
      same_beat  <= 1'b0;
      if (!block_last) begin
        beats_left <= beats_left - 13'd1;
        block_last <= beats_left == {11'd0, !carry, carry};
      end
    end
  end

  // ---- the open block's first byte, for its length check: behind the length, or at lane 0 of the next beat

  reg        type_late;
  reg  [7:0] type_next;

  always @*
    case (turn_next[2:0])
      3'd0:    type_next = beat_data[15:8];
      3'd1:    type_next = beat_data[23:16];
      3'd2:    type_next = beat_data[31:24];
      3'd3:    type_next = beat_data[39:32];
      3'd4:    type_next = beat_data[47:40];
      3'd5:    type_next = beat_data[55:48];
      default: type_next = beat_data[63:56];
    endcase

  always @(posedge clk)
    if (block_begins) begin
      type_late    <= turn_next[2:0] == 3'd7;
      message_type <= type_next;
    end else if (block_data && type_late) begin
      type_late    <= 1'b0;
      message_type <= beat_data[7:0];
    end

  // ---- frame's end: judged one clock later, when the last beat's effect is in the registers

  always @(posedge clk)
    if (rst) begin
      packet_begins <= 1'b0;
      ended         <= 1'b0;
      truncated     <= 1'b0;
      abandoned     <= 1'b0;
    end else begin
      packet_begins <= header_ends;
      ended         <= beat_ends;
      abandoned     <= ended && in_packet && !finished && open;
      if (ended && in_packet)
        truncated   <= !finished;
    end

  assign idle = !packet_begins && !ended && !abandoned;

endmodule
`default_nettype wire
