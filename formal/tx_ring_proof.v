// SPDX-License-Identifier: MIT
// TX ring, of slots and of descriptors: a slot is read inside the ring, or where a descriptor points whose buffer was
// found inside a window (descriptor_fetch, cut here); a descriptor's mark is written inside the ring; and nothing is
// issued while the ring is not granted or its grant is being worked out. Set-up stands still while the ring is on.
`default_nettype none

module tx_ring_proof (
  input wire         clk,
  input wire         rst,
  input wire         enable,
  input wire         start,
  input wire         descriptor,
  input wire [30:0]  epoch,
  input wire         granted,
  input wire         settled,
  input wire [31:0]  tail,
  input wire         slot_read_ready,
  input wire         slot_answer,
  input wire         descriptor_read_ready,
  input wire         descriptor_answer,
  input wire [511:0] answer_data,
  input wire         answer_error,
  input wire         write_ready,
  input wire         order_ready,
  input wire         frame_done
);

  (* anyconst *) reg [57:0] base_line;
  (* anyconst *) reg [4:0]  log2;

  wire [31:0]  head;
  wire         slot_read_valid;
  wire [57:0]  slot_read_line;
  wire         descriptor_read_valid;
  wire [57:0]  descriptor_read_line;
  wire         write_valid;
  wire [57:0]  write_line;
  wire [511:0] write_data;
  wire [63:0]  write_strobe;
  wire         order_valid;
  wire [447:0] order_message;
  wire [5:0]   order_length;
  wire [7:0]   order_type;
  wire         frame_valid;
  wire [57:0]  frame_line;
  wire [10:0]  frame_length;
  wire         event_skipped;
  wire         event_refused;
  wire         event_not_published;
  wire         event_not_ready;
  wire         event_bad_slot;
  wire         event_dma_error;
  wire         in_flight;
  wire         idle;

  tx_ring u_tx_ring (
    .clk                   (clk),
    .rst                   (rst),
    .enable                (enable),
    .start                 (start),
    .descriptor            (descriptor),
    .base_line             (base_line),
    .log2                  (log2),
    .epoch                 (epoch),
    .granted               (granted),
    .settled               (settled),
    .window_first          (59'd0),
    .window_end            (59'd0),
    .window2_first         (59'd0),
    .window2_end           (59'd0),
    .head                  (head),
    .tail                  (tail),
    .slot_read_valid       (slot_read_valid),
    .slot_read_ready       (slot_read_ready),
    .slot_read_line        (slot_read_line),
    .slot_answer           (slot_answer),
    .descriptor_read_valid (descriptor_read_valid),
    .descriptor_read_ready (descriptor_read_ready),
    .descriptor_read_line  (descriptor_read_line),
    .descriptor_answer     (descriptor_answer),
    .answer_data           (answer_data),
    .answer_error          (answer_error),
    .write_valid           (write_valid),
    .write_ready           (write_ready),
    .write_line            (write_line),
    .write_data            (write_data),
    .write_strobe          (write_strobe),
    .order_valid           (order_valid),
    .order_ready           (order_ready),
    .order_message         (order_message),
    .order_length          (order_length),
    .order_type            (order_type),
    .frame_valid           (frame_valid),
    .frame_done            (frame_done),
    .frame_line            (frame_line),
    .frame_length          (frame_length),
    .event_skipped         (event_skipped),
    .event_refused         (event_refused),
    .event_not_published   (event_not_published),
    .event_not_ready       (event_not_ready),
    .event_bad_slot        (event_bad_slot),
    .event_dma_error       (event_dma_error),
    .in_flight             (in_flight),
    .idle                  (idle)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire [2:0]  \u_tx_ring.step ;
  (* hierconn *) wire        \u_tx_ring.mode ;
  (* hierconn *) wire [15:0] \u_tx_ring.slot_mask ;
  (* hierconn *) wire [57:0] \u_tx_ring.slot_line ;
  (* hierconn *) wire [57:0] \u_tx_ring.descriptor_line ;
  (* hierconn *) wire        \u_tx_ring.store_valid ;
  (* hierconn *) wire        \u_tx_ring.store_granted ;
  (* hierconn *) wire [57:0] \u_tx_ring.store_line ;
  // verilog_lint: waive-end signal-name-style

  localparam [2:0] NEXT = 3'd0;       // of tx_ring: addresses follow the head

  reg         started = 1'b0;
  wire [15:0] slot_mask   = ~(16'hFFFF << log2);
  wire [57:0] slot_read   = slot_read_line - base_line;
  wire [57:0] marked      = write_line - base_line;
  wire [15:0] slot        = head[15:0] & slot_mask;

  always @(posedge clk)
    started <= 1'b1;

  always @* begin
    assume (log2 >= 5'd4 && log2 <= 5'd16);
    if (!started)
      assume (rst);
    if (started) begin
      if (slot_read_valid) begin
        assert (settled && granted);
        assert (\u_tx_ring.mode ? \u_tx_ring.store_valid && \u_tx_ring.store_granted
                                  && slot_read_line == \u_tx_ring.store_line
                                : slot_read <= {42'd0, slot_mask});
      end
      if (write_valid) begin
        assert (settled && granted);
        assert (marked <= {44'd0, slot_mask[15:2]});
      end
      // What holds in every reachable state, for the induction.
      assert (\u_tx_ring.slot_mask == slot_mask);
      assert (\u_tx_ring.step == NEXT || \u_tx_ring.slot_line == base_line + {42'd0, slot});
      assert (\u_tx_ring.step == NEXT || \u_tx_ring.descriptor_line == base_line + {44'd0, slot[15:2]});
    end
  end

endmodule
`default_nettype wire
