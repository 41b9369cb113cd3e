// SPDX-License-Identifier: MIT
// AXI4-Stream of the transmit port (IHI 0051, 2.2): a beat stands until it is taken; a frame's beats are not mixed with
// another's; the port neither makes up nor loses beats. Sources keep the rules themselves.
`default_nettype none

module transmit_proof (
  input wire        clk,
  input wire        rst,
  input wire [63:0] order_tdata,
  input wire [7:0]  order_tkeep,
  input wire        order_tvalid,
  input wire        order_tlast,
  input wire [63:0] frame_tdata,
  input wire [7:0]  frame_tkeep,
  input wire        frame_tvalid,
  input wire        frame_tlast,
  input wire        tx_tready
);

  wire        order_tready;
  wire        frame_tready;
  wire [63:0] tx_tdata;
  wire [7:0]  tx_tkeep;
  wire        tx_tvalid;
  wire        tx_tlast;

  transmit_mux u_transmit_mux (
    .clk          (clk),
    .rst          (rst),
    .order_tdata  (order_tdata),
    .order_tkeep  (order_tkeep),
    .order_tvalid (order_tvalid),
    .order_tready (order_tready),
    .order_tlast  (order_tlast),
    .frame_tdata  (frame_tdata),
    .frame_tkeep  (frame_tkeep),
    .frame_tvalid (frame_tvalid),
    .frame_tready (frame_tready),
    .frame_tlast  (frame_tlast),
    .tx_tdata     (tx_tdata),
    .tx_tkeep     (tx_tkeep),
    .tx_tvalid    (tx_tvalid),
    .tx_tready    (tx_tready),
    .tx_tlast     (tx_tlast)
  );

  reg         started = 1'b0;
  reg         old_rst;
  reg         waits;
  reg  [72:0] old_beat;
  reg         in_frame;                   // of whose last beat the end has not come
  reg         of_host;
  reg         order_waits;
  reg  [72:0] old_order;
  reg         frame_waits;
  reg  [72:0] old_frame;
  reg         order_inside;
  reg         frame_inside;

  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire \u_transmit_mux.frame_turn ;  // whose turn it is, read inside the module
  // verilog_lint: waive-end signal-name-style

  wire        taken       = tx_tvalid && tx_tready;
  wire        order_taken = order_tvalid && order_tready;
  wire        frame_taken = frame_tvalid && frame_tready;
  wire [72:0] beat        = {tx_tlast, tx_tkeep, tx_tdata};
  wire [72:0] order_beat  = {order_tlast, order_tkeep, order_tdata};
  wire [72:0] frame_beat  = {frame_tlast, frame_tkeep, frame_tdata};

  always @(posedge clk) begin
    started     <= 1'b1;
    old_rst     <= rst;
    waits       <= tx_tvalid && !tx_tready && !rst;
    old_beat    <= beat;
    order_waits <= order_tvalid && !order_tready && !rst;
    old_order   <= order_beat;
    frame_waits <= frame_tvalid && !frame_tready && !rst;
    old_frame   <= frame_beat;
    if (rst) begin
      in_frame     <= 1'b0;
      order_inside <= 1'b0;
      frame_inside <= 1'b0;
    end else begin
      if (taken) begin
        in_frame <= !tx_tlast;
        of_host  <= frame_taken;
      end
      if (order_taken)
        order_inside <= !order_tlast;
      if (frame_taken)
        frame_inside <= !frame_tlast;
    end

    if (!started)
      assume (rst);
    assume (!order_waits || (order_tvalid && order_beat == old_order));
    assume (!frame_waits || (frame_tvalid && frame_beat == old_frame));
    assume (!order_inside || order_tvalid);
    assume (!frame_inside || frame_tvalid);

    if (started && !rst && !old_rst) begin
      assert (!waits || (tx_tvalid && beat == old_beat));
      assert (taken == (order_taken || frame_taken) && !(order_taken && frame_taken));
      assert (!order_taken || beat == order_beat);
      assert (!frame_taken || beat == frame_beat);
      assert (!(taken && in_frame) || of_host == frame_taken);
    end

    // What holds in every reachable state, for the induction: a source inside a frame has the turn.
    if (started && !rst) begin
      assert (!order_inside || !\u_transmit_mux.frame_turn );
      assert (!frame_inside || \u_transmit_mux.frame_turn );
      assert (in_frame == (order_inside || frame_inside));
      assert (!in_frame || of_host == frame_inside);
      assert (!\u_transmit_mux.frame_turn || frame_tvalid);
    end
  end

endmodule
`default_nettype wire
