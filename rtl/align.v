// SPDX-License-Identifier: MIT
// Moves the open block's bytes to lane 0 and keeps them as ten 8-byte words: the first 24 bytes (a record's raw part,
// words 0 to 2), then 56 bytes (a continuation line, words 3 to 9) that are used again and again for a longer block.
//
// A block's data begin behind lane `turn`, so word n is the rest of one beat and the first turn + 1 lanes of the next.
// In a block's last beat the word after it is written as well: one clock later the whole block stands here.
`default_nettype none

module align (
  input  wire         clk,

  input  wire [63:0]  beat_data,
  input  wire [63:8]  previous_data,      // the beat before; the first data lane is 1
  input  wire [7:0]   payload_lanes,
  input  wire         block_begins,       // from moldudp64_parser
  input  wire         block_ends,
  input  wire         word_ends,
  input  wire         word_begins,
  input  wire [2:0]   turn,
  input  wire         streams,            // the block arrives raw: words 3 to 9 go out as lines and are used again
  output wire         line_full,          // the word that ends in this beat is a line's last

  // one clock later
  output reg          line_ready,         // pulse: words 3 to 9 are complete and the block goes on
  output reg  [7:0]   lines,              // so far in this block; until its end is one clock old
  output reg  [6:0]   last_word,          // the block's last byte lies in this word of words 3 to 9
  output reg  [639:0] words
);

  // ---- the word that ends in this beat, and the one that begins in it

  reg [63:0] ending;
  reg [63:0] beginning;

  always @* begin
    ending    = 64'dx;                    // not looked at: spares a simulation the work
    beginning = 64'dx;
    if (word_ends)
      case (turn)
        3'd0:    ending = {beat_data[7:0],  previous_data[63:8]};
        3'd1:    ending = {beat_data[15:0], previous_data[63:16]};
        3'd2:    ending = {beat_data[23:0], previous_data[63:24]};
        3'd3:    ending = {beat_data[31:0], previous_data[63:32]};
        3'd4:    ending = {beat_data[39:0], previous_data[63:40]};
        3'd5:    ending = {beat_data[47:0], previous_data[63:48]};
        3'd6:    ending = {beat_data[55:0], previous_data[63:56]};
        default: ending = beat_data;
      endcase
    if (word_begins)
      case (turn)
        3'd0:    beginning = {8'd0,  beat_data[63:8]};
        3'd1:    beginning = {16'd0, beat_data[63:16]};
        3'd2:    beginning = {24'd0, beat_data[63:24]};
        3'd3:    beginning = {32'd0, beat_data[63:32]};
        3'd4:    beginning = {40'd0, beat_data[63:40]};
        3'd5:    beginning = {48'd0, beat_data[63:48]};
        3'd6:    beginning = {56'd0, beat_data[63:56]};
        default: beginning = 64'd0;
      endcase
  end

  // ---- where they go: one-hot, around words 3 to 9 for a block that goes out in lines; any other stops behind word 9

  reg  [9:0] place;
  wire [9:0] place_next      = {place[8:3], place[2] || (place[9] && streams), place[1:0], 1'b0};
  wire [9:0] beginning_place = word_ends ? place_next : place;
  wire       fills           = word_ends && line_full && payload_lanes[turn];
  reg  [7:0] count;
  integer    i;

  assign line_full = place[9] && streams;

  always @(posedge clk) begin
    if (block_begins)
      place <= 10'd1;
    else if (word_ends)
      place <= place_next;

    if (word_ends || word_begins)
      for (i = 0; i < 10; i = i + 1)
        if (word_ends && place[i])
          words[64 * i +: 64] <= ending;
        else if (word_begins && beginning_place[i])
          words[64 * i +: 64] <= beginning;

    if (block_ends)
      last_word <= word_begins ? beginning_place[9:3] : place[9:3];
  end

  // ---- lines that go out while the block goes on

  always @(posedge clk) begin
    line_ready <= fills && !block_ends;
    if (block_begins)
      count <= 8'd0;
    else if (fills)
      count <= count + 8'd1;
    lines <= count;
  end

endmodule
`default_nettype wire
