// SPDX-License-Identifier: MIT
// Takes entries from a line's queue and keeps the one that may not go on yet, so that `x_ready` is a register: what the
// arbiter decides in a clock does not reach into the queue in that clock. An entry that may go on is not delayed.
`default_nettype none

module entry_skid (
  input  wire         clk,
  input  wire         rst,

  input  wire         x_valid,
  input  wire [1:0]   x_kind,
  input  wire [479:0] x_data,
  output wire         x_ready,

  output wire         valid,
  output wire [1:0]   kind,
  output wire [479:0] data,
  input  wire         taken
);

  reg         kept;
  reg [1:0]   kept_kind;
  reg [479:0] kept_data;

  always @(posedge clk) begin
    kept <= valid && !taken && !rst;
    if (!kept) begin
      kept_kind <= x_kind;
      kept_data <= x_data;
    end
  end

  assign x_ready = !kept;
  assign valid   = kept || x_valid;
  assign kind    = kept ? kept_kind : x_kind;
  assign data    = kept ? kept_data : x_data;

endmodule
`default_nettype wire
