// SPDX-License-Identifier: MIT
// Takes entries from a line's queue and keeps the one that may not go on yet, so that `x_ready` is a register: what the
// arbiter decides in a clock does not reach into the queue in that clock. An entry that may go on is not delayed.
`include "entry.vh"
`default_nettype none

module entry_skid (
  input  wire         clk,
  input  wire         rst,

  input  wire         x_valid,
  input  wire [1:0]   x_kind,
  input  wire [479:0] x_data,
  output wire         x_ready,

  // the entry, of one of four kinds at most
  output wire         is_header,          // never kept: taken at once
  output wire         is_line,
  output wire         is_record,
  output wire         is_end,
  output wire [479:0] data,
  input  wire         taken
);

  reg         kept_line;
  reg         kept_record;
  reg         kept_end;
  reg         kept;
  reg [479:0] kept_data;

  assign x_ready   = !kept;
  assign is_header = !kept && x_valid && x_kind == `TL_ENTRY_HEADER;
  assign is_line   = kept ? kept_line   : x_valid && x_kind == `TL_ENTRY_LINE;
  assign is_record = kept ? kept_record : x_valid && x_kind == `TL_ENTRY_RECORD;
  assign is_end    = kept ? kept_end    : x_valid && x_kind == `TL_ENTRY_END;
  assign data      = kept ? kept_data : x_data;

  always @(posedge clk) begin
    kept <= (kept || (x_valid && !is_header)) && !taken && !rst;
    if (!kept && x_valid) begin
      kept_line   <= is_line;
      kept_record <= is_record;
      kept_end    <= is_end;
      kept_data   <= x_data;
    end
  end

endmodule
`default_nettype wire
