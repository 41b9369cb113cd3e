// SPDX-License-Identifier: MIT
// RX ring of descriptors: a line is written only to where a descriptor points whose buffer was found inside a window
// (descriptor_fetch, cut here), marks lie in the ring, and nothing is written while the ring is not granted or its grant
// is being worked out. One address is watched, any one, inside the windows or not. Windows and set-up stand still.
`default_nettype none

module rx_descriptors_proof (
  input wire         clk,
  input wire         rst,
  input wire         enable,
  input wire         start,
  input wire [30:0]  epoch,
  input wire         granted,
  input wire         settled,
  input wire [31:0]  tail,
  input wire         line_valid,
  input wire         line_first,
  input wire         line_event,
  input wire         line_lost,
  input wire         line_begins,
  input wire [7:0]   line_index,
  input wire [479:0] line_data,
  input wire         write_ready,
  input wire         read_ready,
  input wire         answer_valid,
  input wire [511:0] answer_data,
  input wire         answer_error
);

  (* anyconst *) reg [57:0] base_line;
  (* anyconst *) reg [4:0]  log2;

  wire [15:0]  slot_mask = ~(16'hFFFF << log2);
  wire [16:0]  slots     = 17'd1 << log2;
  wire [31:0]  head;
  wire         line_ready;
  wire         write_valid;
  wire [57:0]  write_line;
  wire [511:0] write_data;
  wire [63:0]  write_strobe;
  wire         read_valid;
  wire [57:0]  read_line;
  wire         event_line;
  wire         event_event;
  wire         event_ring_full;
  wire         event_not_ready;
  wire         event_too_large;
  wire         event_refused;
  wire         dropped;
  wire [63:0]  dropped_sequence;
  wire         waits;
  wire         in_flight;
  wire         idle;

  rx_descriptors u_rx (
    .clk              (clk),
    .rst              (rst),
    .enable           (enable),
    .start            (start),
    .base_line        (base_line),
    .slots            (slots),
    .slot_mask        (slot_mask),
    .epoch            (epoch),
    .granted          (granted),
    .settled          (settled),
    .window_first     (59'd0),
    .window_end       (59'd0),
    .window2_first    (59'd0),
    .window2_end      (59'd0),
    .head             (head),
    .tail             (tail),
    .line_valid       (line_valid),
    .line_ready       (line_ready),
    .line_first       (line_first),
    .line_event       (line_event),
    .line_lost        (line_lost),
    .line_begins      (line_begins),
    .line_index       (line_index),
    .line_data        (line_data),
    .write_valid      (write_valid),
    .write_ready      (write_ready),
    .write_line       (write_line),
    .write_data       (write_data),
    .write_strobe     (write_strobe),
    .read_valid       (read_valid),
    .read_ready       (read_ready),
    .read_line        (read_line),
    .answer_valid     (answer_valid),
    .answer_data      (answer_data),
    .answer_error     (answer_error),
    .event_line       (event_line),
    .event_event      (event_event),
    .event_ring_full  (event_ring_full),
    .event_not_ready  (event_not_ready),
    .event_too_large  (event_too_large),
    .event_refused    (event_refused),
    .dropped          (dropped),
    .dropped_sequence (dropped_sequence),
    .waits            (waits),
    .in_flight        (in_flight),
    .idle             (idle)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire [3:0]  \u_rx.step ;
  (* hierconn *) wire        \u_rx.marking ;
  (* hierconn *) wire        \u_rx.store_valid ;
  (* hierconn *) wire        \u_rx.store_granted ;
  (* hierconn *) wire [57:0] \u_rx.store_line ;
  (* hierconn *) wire        \u_rx.first_held ;
  (* hierconn *) wire        \u_rx.first_granted ;
  (* hierconn *) wire [57:0] \u_rx.first_line ;
  (* hierconn *) wire [57:0] \u_rx.head_line ;
  (* hierconn *) wire [57:0] \u_rx.mark_line ;
  (* hierconn *) wire [15:0] \u_rx.mark_slot ;
  // verilog_lint: waive-end signal-name-style

  localparam [3:0] FETCH  = 4'd0;     // of rx_descriptors: all that was fetched is forgotten
  localparam [3:0] SELECT = 4'd2;     // which continuation descriptors to mark
  localparam [3:0] COMMIT = 4'd3;     // they are marked

  (* anyconst *) reg [57:0] watched;
  (* anyconst *) reg        allowed;   // it is, in the windows

  reg         started = 1'b0;
  wire [57:0] mark    = write_line - base_line;
  wire [57:0] of_head = \u_rx.head_line - base_line;
  wire [57:0] of_mark = \u_rx.mark_line - base_line;

  always @(posedge clk)
    started <= 1'b1;

  always @* begin
    assume (log2 >= 5'd4 && log2 <= 5'd16);
    // What descriptor_fetch says of a buffer is so.
    assume (!(\u_rx.store_valid && \u_rx.store_granted && \u_rx.store_line == watched) || allowed);
    if (!started)
      assume (rst);
    if (started) begin
      if (write_valid) begin
        assert (settled && granted);
        if (\u_rx.marking )
          assert (mark <= {44'd0, slot_mask[15:2]});
        else
          assert (write_line != watched || allowed);
      end
      // What holds in every reachable state, for the induction.
      assert (\u_rx.step == FETCH || allowed
              || !(\u_rx.first_held && \u_rx.first_granted && \u_rx.first_line == watched));
      assert (of_head <= {44'd0, slot_mask[15:2]});
      assert (\u_rx.step != COMMIT || of_mark <= {44'd0, slot_mask[15:2]});
      assert (\u_rx.step != SELECT && \u_rx.step != COMMIT || \u_rx.mark_slot <= slot_mask);
    end
  end

endmodule
`default_nettype wire
