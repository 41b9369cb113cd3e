// SPDX-License-Identifier: MIT
// Register stage of a valid/ready stream, one word a clock: `in_ready` is a register, so no path runs through from the
// taker back to the giver. Two words deep: the one that was on its way when the taker stopped has a place.
`default_nettype none

module skid_buffer #(
  parameter WIDTH = 8
) (
  input  wire             clk,
  input  wire             rst,
  input  wire             flush,      // forget everything

  input  wire             in_valid,
  output wire             in_ready,
  input  wire [WIDTH-1:0] in_data,

  output reg              out_valid,
  input  wire             out_ready,
  output reg  [WIDTH-1:0] out_data
);

  reg             skid_valid;
  reg [WIDTH-1:0] skid_data;

  assign in_ready = !skid_valid;

  always @(posedge clk) begin
    if (rst || flush) begin
      out_valid  <= 1'b0;
      skid_valid <= 1'b0;
    end else if (!out_valid || out_ready) begin
      out_valid  <= skid_valid || in_valid;
      skid_valid <= 1'b0;
    end else if (in_valid) begin
      skid_valid <= 1'b1;
    end
    if ((skid_valid || in_valid) && (!out_valid || out_ready))
      out_data <= skid_valid ? skid_data : in_data;
    if (in_valid && !skid_valid)
      skid_data <= in_data;
  end

endmodule
`default_nettype wire
