// SPDX-License-Identifier: MIT
// Lines in ring order, one a clock: continuation lines first, the record that completes the message last. A message
// that ends with a continuation line leaves its record for the next clock; if that clock has a record of its own, that
// one waits in turn. One waiting record is enough: before a message of two lines ends, two clocks pass without any end.
`default_nettype none

module line_output (
  input  wire         clk,
  input  wire         rst,

  input  wire         continuation_only,  // words is a continuation line of a message that goes on
  input  wire [447:0] words,
  input  wire         message_valid,
  input  wire         message_continued,  // continuation, then record
  input  wire [479:0] record,
  input  wire [479:0] continuation,

  output reg          line_valid,
  output reg          line_first,
  output reg  [479:0] line_data,
  output wire         idle
);

  reg         waiting;
  reg [479:0] waiting_record;

  always @* begin
    line_valid = 1'b1;
    line_first = 1'b0;
    line_data  = {32'd0, words};
    if (waiting) begin
      line_first = 1'b1;
      line_data  = waiting_record;
    end else if (message_valid) begin
      line_first = !message_continued;
      line_data  = message_continued ? continuation : record;
    end else if (!continuation_only) begin
      line_valid = 1'b0;
      line_data  = 480'd0;
    end
  end

  always @(posedge clk)
    if (rst)
      waiting <= 1'b0;
    else begin
      waiting <= message_valid && (message_continued || waiting);
      if (message_valid && (message_continued || waiting))
        waiting_record <= record;
    end

  assign idle = !waiting;

endmodule
`default_nettype wire
