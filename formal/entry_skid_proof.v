// SPDX-License-Identifier: MIT
// An entry of a line's queue is at the front from the clock it is given until it is taken, once, with the same data and
// as the same kind; a HEADER for its one clock only. Nothing is at the front that was not given.
`include "entry.vh"
`default_nettype none

module entry_skid_proof (
  input wire         clk,
  input wire         rst,
  input wire         x_valid,
  input wire [1:0]   x_kind,
  input wire [479:0] x_data,
  input wire         taken
);

  wire         x_ready;
  wire         is_header;
  wire         is_line;
  wire         is_record;
  wire         is_end;
  wire [479:0] data;

  entry_skid u_entry_skid (
    .clk       (clk),
    .rst       (rst),
    .x_valid   (x_valid),
    .x_kind    (x_kind),
    .x_data    (x_data),
    .x_ready   (x_ready),
    .is_header (is_header),
    .is_line   (is_line),
    .is_record (is_record),
    .is_end    (is_end),
    .data      (data),
    .taken     (taken)
  );

  reg          started = 1'b0;
  reg          stays;                 // an entry was given and not taken
  reg  [1:0]   kind;
  reg  [479:0] entry;

  wire         given    = x_valid && x_ready;
  wire [1:0]   at_front = stays ? kind : x_kind;
  wire         present  = stays || given;

  always @(posedge clk) begin
    started <= 1'b1;
    stays   <= present && at_front != `TL_ENTRY_HEADER && !taken && !rst;
    if (!stays) begin
      kind  <= x_kind;
      entry <= x_data;
    end
    if (!started)
      assume (rst);
    else begin
      assert (x_ready == !stays);
      assert (!stays || kind != `TL_ENTRY_HEADER);
      assert (is_header == (present && at_front == `TL_ENTRY_HEADER));
      assert (is_line == (present && at_front == `TL_ENTRY_LINE));
      assert (is_record == (present && at_front == `TL_ENTRY_RECORD));
      assert (is_end == (present && at_front == `TL_ENTRY_END));
      assert (!present || data == (stays ? entry : x_data));
    end
  end

endmodule
`default_nettype wire
