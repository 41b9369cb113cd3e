// SPDX-License-Identifier: MIT
// Subscription filter: one bit for each of the 65,536 stock locates, read while a line passes the arbiter's register,
// so it costs no clock. A message is judged at its record; continuation lines went before it and are then taken back
// with line_abort. Lines that are no messages pass, and messages with stock locate 0 (of no stock, or not decoded).
//
// The bits are unknown after reset: fill first, then enable.
`include "layout.vh"
`default_nettype none

module filter (
  input  wire        clk,
  input  wire        rst,
  input  wire        enable,

  // set-up, while not busy
  input  wire        fill,                // pulse: every bit becomes fill_value
  input  wire        fill_value,
  input  wire        update,              // pulse: one bit becomes update_pass
  input  wire [15:0] update_locate,
  input  wire        update_pass,
  output wire        busy,

  // lines; the locate one clock ahead of its line
  input  wire [15:0] next_locate,
  input  wire        next_general,        // it is 0
  input  wire        line_valid,
  input  wire        line_first,
  input  wire        line_event,
  input  wire        line_abort,

  output wire        passed_valid,        // the line goes on
  output wire        passed_abort,        // forget the continuation lines
  output wire        message_passed,
  output wire        message_filtered
);

  localparam [10:0] LAST_WORD = 11'd2047;

  reg [31:0] bits [0:2047];               // locate's bit: word locate / 32, bit locate % 32

  // ---- set-up

  reg        filling;
  reg        fill_bit;
  reg [10:0] fill_word;
  reg        update_read;                 // the word is being read
  reg        update_write;
  reg [15:0] locate;
  reg        pass;
  reg [31:0] read_word;
  reg [31:0] write_word;

  always @* begin
    write_word = filling ? {32{fill_bit}} : read_word;
    if (update_write)
      write_word[locate[4:0]] = pass;
  end

  always @(posedge clk) begin
    if (filling || update_write)
      bits[filling ? fill_word : locate[15:5]] <= write_word;
    read_word <= bits[locate[15:5]];
    if (fill)
      fill_bit <= fill_value;
    if (update) begin
      locate <= update_locate;
      pass   <= update_pass;
    end
  end

  always @(posedge clk)
    if (rst) begin
      filling      <= 1'b0;
      fill_word    <= 11'd0;
      update_read  <= 1'b0;
      update_write <= 1'b0;
    end else begin
      filling      <= fill || (filling && fill_word != LAST_WORD);
      fill_word    <= filling ? fill_word + 11'd1 : 11'd0;
      update_read  <= update;
      update_write <= update_read;
    end

  assign busy = fill || filling || update || update_read || update_write;

  // ---- lines

  reg [31:0] line_word;
  reg [4:0]  line_bit;
  reg        always_passes;

  always @(posedge clk) begin
    line_word     <= bits[next_locate[15:5]];
    line_bit      <= next_locate[4:0];
    always_passes <= !enable || next_general;
  end

  wire passes = always_passes || line_event || line_word[line_bit];

  assign passed_valid     = line_valid && (passes || !line_first);
  assign passed_abort     = line_abort || (line_valid && line_first && !passes);
  assign message_passed   = line_valid && line_first && !line_event && passes;
  assign message_filtered = line_valid && line_first && !passes;

endmodule
`default_nettype wire
