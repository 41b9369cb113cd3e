// SPDX-License-Identifier: MIT
// The register stage loses no word, makes none up and keeps their order, whatever its giver and taker do; a word at its
// output stays until it is taken. One word is followed, any one: what is before it leaves before it, then it leaves.
`default_nettype none

module skid_buffer_proof (
  input wire       clk,
  input wire       rst,
  input wire       flush,
  input wire       in_valid,
  input wire [7:0] in_data,
  input wire       out_ready,
  input wire       follow             // the word that comes in is followed, if none is
);

  wire       in_ready;
  wire       out_valid;
  wire [7:0] out_data;

  skid_buffer #(
    .WIDTH (8)
  ) u_skid_buffer (
    .clk       (clk),
    .rst       (rst),
    .flush     (flush),
    .in_valid  (in_valid),
    .in_ready  (in_ready),
    .in_data   (in_data),
    .out_valid (out_valid),
    .out_ready (out_ready),
    .out_data  (out_data)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire [7:0] \u_skid_buffer.skid_data ;
  // verilog_lint: waive-end signal-name-style

  reg        started = 1'b0;
  reg  [1:0] held;                    // words that came in and have not left
  reg        follows;
  reg        ahead;                   // one word is before the one that is followed
  reg  [7:0] followed;
  reg        waits;
  reg  [7:0] waiting;

  wire       enters = in_valid && in_ready;
  wire       leaves = out_valid && out_ready;

  always @(posedge clk) begin
    started <= 1'b1;
    waits   <= out_valid && !out_ready && !rst && !flush;
    waiting <= out_data;
    if (!started)
      assume (rst);
    if (rst || flush) begin
      held    <= 2'd0;
      follows <= 1'b0;
    end else begin
      held <= held + {1'b0, enters} - {1'b0, leaves};
      if (!follows) begin
        follows  <= enters && follow;
        ahead    <= held != {1'b0, leaves};
        followed <= in_data;
      end else if (leaves) begin
        follows <= ahead;
        ahead   <= 1'b0;
      end
    end

    if (started) begin
      assert (out_valid == (held != 2'd0) && in_ready == !held[1] && held != 2'd3);
      assert (!follows || held > {1'b0, ahead});
      if (follows)
        assert ((ahead ? \u_skid_buffer.skid_data : out_data) == followed);
      if (waits)
        assert (out_valid && out_data == waiting);
    end
  end

endmodule
`default_nettype wire
