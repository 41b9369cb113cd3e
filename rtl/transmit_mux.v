// SPDX-License-Identifier: MIT
// The transmit port, shared frame by frame: orders go first, and pass as if this were not here; a frame of the host
// begins in a clock without an order, and an order that comes then waits for its end.
`default_nettype none

module transmit_mux (
  input  wire        clk,
  input  wire        rst,

  input  wire [63:0] order_tdata,
  input  wire [7:0]  order_tkeep,
  input  wire        order_tvalid,    // stays 1 from the first beat to the last
  output wire        order_tready,
  input  wire        order_tlast,

  input  wire [63:0] frame_tdata,
  input  wire [7:0]  frame_tkeep,
  input  wire        frame_tvalid,    // stays 1 from the first beat to the last
  output wire        frame_tready,
  input  wire        frame_tlast,

  output wire [63:0] tx_tdata,
  output wire [7:0]  tx_tkeep,
  output wire        tx_tvalid,
  input  wire        tx_tready,
  output wire        tx_tlast
);

  reg frame_turn;

  always @(posedge clk) begin
    if (rst)
      frame_turn <= 1'b0;
    else if (frame_turn)
      frame_turn <= !(frame_tvalid && tx_tready && frame_tlast);
    else
      frame_turn <= frame_tvalid && !order_tvalid;
  end

  assign tx_tdata     = frame_turn ? frame_tdata : order_tdata;
  assign tx_tkeep     = frame_turn ? frame_tkeep : order_tkeep;
  assign tx_tvalid    = frame_turn ? frame_tvalid : order_tvalid;
  assign tx_tlast     = frame_turn ? frame_tlast : order_tlast;
  assign order_tready = !frame_turn && tx_tready;
  assign frame_tready = frame_turn && tx_tready;

endmodule
`default_nettype wire
