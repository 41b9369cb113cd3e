// SPDX-License-Identifier: MIT
// Lines of the RX and raw rings: a write lies in the ring, whatever its base and size, and none is issued while the ring
// is not granted, is off or its grant is being worked out. So all of them lie in a window: a ring is granted whole
// (ring_grants). Set-up stands still while the ring is on.
`default_nettype none

module ring_lines_proof (
  input wire         clk,
  input wire         rst,
  input wire         enable,
  input wire         start,
  input wire [30:0]  epoch,
  input wire         granted,
  input wire         settled,
  input wire         line_valid,
  input wire         line_first,
  input wire         line_event,
  input wire         line_lost,
  input wire         line_begins,
  input wire [7:0]   line_index,
  input wire [479:0] line_data,
  input wire         write_ready
);

  localparam [4:0] LOG2_MIN = 5'd4;
  localparam [4:0] LOG2_MAX = 5'd16;

  (* anyconst *) reg [57:0] base_line;
  (* anyconst *) reg [4:0]  log2;

  wire [15:0]  slot_mask = ~(16'hFFFF << log2);
  wire [31:0]  head;
  wire         line_ready;
  wire         write_valid;
  wire [57:0]  write_line;
  wire [511:0] write_data;
  wire         event_line;
  wire         event_event;
  wire         event_refused;
  wire [8:0]   dropped_lines;

  ring_lines u_ring_lines (
    .clk           (clk),
    .rst           (rst),
    .enable        (enable),
    .start         (start),
    .base_line     (base_line),
    .slot_mask     (slot_mask),
    .epoch         (epoch),
    .granted       (granted),
    .settled       (settled),
    .head          (head),
    .line_valid    (line_valid),
    .line_ready    (line_ready),
    .line_first    (line_first),
    .line_event    (line_event),
    .line_lost     (line_lost),
    .line_begins   (line_begins),
    .line_index    (line_index),
    .line_data     (line_data),
    .write_valid   (write_valid),
    .write_ready   (write_ready),
    .write_line    (write_line),
    .write_data    (write_data),
    .event_line    (event_line),
    .event_event   (event_event),
    .event_refused (event_refused),
    .dropped_lines (dropped_lines)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire [15:0] \u_ring_lines.head_slot ;
  (* hierconn *) wire [15:0] \u_ring_lines.second_slot ;
  (* hierconn *) wire [15:0] \u_ring_lines.next_slot ;
  (* hierconn *) wire        \u_ring_lines.torn ;
  (* hierconn *) wire [41:0] \u_ring_lines.upper_carried ;
  // verilog_lint: waive-end signal-name-style

  reg         started = 1'b0;
  reg         inside_message;             // its first line to come was taken, its last one not

  wire        taken = line_valid && enable && settled && line_ready;
  wire [57:0] slot  = write_line - base_line;

  always @(posedge clk) begin
    started <= 1'b1;
    if (rst)
      inside_message <= 1'b0;
    else if (taken)
      inside_message <= !line_first;
  end

  always @* begin
    assume (log2 >= LOG2_MIN && log2 <= LOG2_MAX);
    if (!started)
      assume (rst);
    // Who offers lines says where a message begins.
    assume (!line_valid || inside_message || line_begins);
    if (started) begin
      if (write_valid) begin
        assert (enable && settled && granted);
        assert (slot <= {42'd0, slot_mask});
      end
      // What holds in every reachable state, for the induction.
      assert (\u_ring_lines.head_slot <= slot_mask && \u_ring_lines.second_slot <= slot_mask);
      assert (!inside_message || \u_ring_lines.torn || \u_ring_lines.next_slot <= slot_mask);
      assert (\u_ring_lines.upper_carried == base_line[57:16] + 42'd1);
    end
  end

endmodule
`default_nettype wire
