// SPDX-License-Identifier: MIT
// Messages from own_parser as itch_decode and the entry stream want them: ten 8-byte words, of which words 3 to 9 are a
// continuation line that goes out while a long message goes on. A message of up to 64 bytes, which any of ITCH is, takes
// one clock; a longer one a clock for each 8 bytes.
`default_nettype none

module message_words (
  input  wire         clk,
  input  wire         rst,

  // a message or its next 64 bytes
  input  wire         taken,
  input  wire [511:0] data,
  input  wire [6:0]   bytes,
  input  wire         last,
  input  wire         ends,               // the frame does: a message that is not complete never will be
  input  wire         known,              // of message_type: longer ones than the type keep their first bytes only
  output wire         walks,              // take nothing now

  output reg          done,               // pulse: a message is complete
  output reg          line_ready,         // pulse: words 3 to 9 are complete and the message goes on
  output reg  [7:0]   lines,              // so far in this message
  output reg  [6:0]   last_word,          // the message's last byte lies in this word of words 3 to 9
  output reg  [639:0] words,
  output reg  [15:0]  length,
  output reg  [7:0]   message_type        // 0 for a message without bytes
);

  reg          partial;                   // a message has begun and is not complete
  reg  [511:0] rest;
  reg  [3:0]   words_left;
  reg          rest_last;
  reg  [9:0]   place;                     // one-hot: where the next word goes; nowhere behind a known type's

  wire         whole    = !partial && last;
  wire [3:0]   in_words = bytes[6:3] + {3'd0, bytes[2:0] != 3'd0};
  wire         finishes = rest_last && words_left == 4'd1;
  wire         fills    = place[9] && !known;
  integer      i;

  assign walks = words_left != 4'd0;

  always @(posedge clk)
    if (rst) begin
      partial    <= 1'b0;
      words_left <= 4'd0;
      done       <= 1'b0;
      line_ready <= 1'b0;
    end else begin
      done       <= (taken && whole) || (walks && finishes);
      line_ready <= walks && fills && !finishes;
      if (taken)
        partial <= !last;
      else if (ends)
        partial <= 1'b0;
      if (taken && !whole)
        words_left <= in_words;
      else if (walks)
        words_left <= words_left - 4'd1;
    end

  always @(posedge clk)
    if (taken) begin
      rest      <= data;
      rest_last <= last;
      length    <= (partial ? length : 16'd0) + {9'd0, bytes};
      if (!partial) begin
        message_type <= bytes == 7'd0 ? 8'd0 : data[7:0];
        lines        <= 8'd0;
        place        <= 10'd1;
      end
      if (whole) begin
        words[511:0] <= data;
        last_word    <= in_words < 4'd4 ? 7'd0 : 7'd1 << (in_words - 4'd4);
      end
    end else if (walks) begin
      rest      <= {64'd0, rest[511:64]};
      place     <= {place[8:3], place[2] || fills, place[1:0], 1'b0};
      last_word <= place[9:3];
      for (i = 0; i < 10; i = i + 1)
        if (place[i])
          words[64 * i +: 64] <= rest[63:0];
      if (fills && !finishes)
        lines <= lines + 8'd1;
    end

endmodule
`default_nettype wire
