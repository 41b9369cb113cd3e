// SPDX-License-Identifier: MIT
// RX ring of lines: no write lies outside the ring or is issued while the ring is not granted; none touches a slot that
// is published and not given back; and what is published is whole: every continuation line of a record is written
// before it. The host gives back what was published to it, at any time and in any portion.
`include "layout.vh"
`default_nettype none

module rx_ring_slots_proof (
  input wire         clk,
  input wire         rst,
  input wire         enable,
  input wire         start,
  input wire         descriptor,
  input wire [57:0]  base_line,
  input wire [4:0]   log2,
  input wire [30:0]  epoch,
  input wire         tell_lost,
  input wire         granted,
  input wire         settled,
  input wire [58:0]  window_first,
  input wire [58:0]  window_end,
  input wire [58:0]  window2_first,
  input wire [58:0]  window2_end,
  input wire [31:0]  tail,
  input wire         line_valid,
  input wire         line_first,
  input wire         line_event,
  input wire [479:0] line_data,
  input wire         line_abort,
  input wire         line_write_ready,
  input wire         descriptor_write_ready,
  input wire         read_ready,
  input wire         answer_valid,
  input wire [511:0] answer_data,
  input wire         answer_error,
  input wire         gives
);

  wire [31:0]  head;
  wire         line_write_valid;
  wire [57:0]  line_write_line;
  wire [511:0] line_write_data;
  wire         descriptor_write_valid;
  wire [57:0]  descriptor_write_line;
  wire [511:0] descriptor_write_data;
  wire [63:0]  descriptor_write_strobe;
  wire         read_valid;
  wire [57:0]  read_line;
  wire         event_line;
  wire         event_event;
  wire         event_queue_full;
  wire         event_queue_too_large;
  wire         event_ring_full;
  wire         event_too_large;
  wire         event_not_ready;
  wire         event_refused;
  wire         in_flight;
  wire         idle;

  rx_ring #(.FIFO_LOG2 (2)) u_rx_ring (
    .clk                     (clk),
    .rst                     (rst),
    .enable                  (enable),
    .start                   (start),
    .descriptor              (descriptor),
    .base_line               (base_line),
    .log2                    (log2),
    .epoch                   (epoch),
    .tell_lost               (tell_lost),
    .granted                 (granted),
    .settled                 (settled),
    .window_first            (window_first),
    .window_end              (window_end),
    .window2_first           (window2_first),
    .window2_end             (window2_end),
    .head                    (head),
    .tail                    (tail),
    .line_valid              (line_valid),
    .line_first              (line_first),
    .line_event              (line_event),
    .line_data               (line_data),
    .line_abort              (line_abort),
    .line_write_valid        (line_write_valid),
    .line_write_ready        (line_write_ready),
    .line_write_line         (line_write_line),
    .line_write_data         (line_write_data),
    .descriptor_write_valid  (descriptor_write_valid),
    .descriptor_write_ready  (descriptor_write_ready),
    .descriptor_write_line   (descriptor_write_line),
    .descriptor_write_data   (descriptor_write_data),
    .descriptor_write_strobe (descriptor_write_strobe),
    .read_valid              (read_valid),
    .read_ready              (read_ready),
    .read_line               (read_line),
    .answer_valid            (answer_valid),
    .answer_data             (answer_data),
    .answer_error            (answer_error),
    .event_line              (event_line),
    .event_event             (event_event),
    .event_queue_full        (event_queue_full),
    .event_queue_too_large   (event_queue_too_large),
    .event_ring_full         (event_ring_full),
    .event_too_large         (event_too_large),
    .event_not_ready         (event_not_ready),
    .event_refused           (event_refused),
    .in_flight               (in_flight),
    .idle                    (idle)
  );

  localparam [4:0] LOG2          = 5'd2;  // 4 slots, for the solver's sake
  localparam       CONTINUATIONS = 8 * `TL_RX_RECORD_CONTINUATIONS;

  reg  [3:0]  clocks = 4'd0;
  reg  [2:0]  message_lines;              // continuation lines of the message at the input
  reg  [31:0] given_back;
  reg  [31:0] published;                  // slots that the host has been told of, absolute
  reg  [3:0]  written;                    // continuation lines of the next record, by number

  wire        wrote       = line_write_valid && line_write_ready;
  wire [57:0] slot        = line_write_line - base_line;
  wire        publishes   = line_write_data[511];
  wire [7:0]  record_has  = line_write_data[CONTINUATIONS +: 8];
  wire [31:0] from_tail   = {30'd0, slot[1:0] - given_back[1:0]};
  wire [31:0] in_use      = published - given_back;
  wire [1:0]  at_head     = slot[1:0] - published[1:0];

  always @(posedge clk) begin
    if (clocks != 4'd15)
      clocks <= clocks + 4'd1;
    if (line_abort || (line_valid && line_first) || clocks < 4'd4)
      message_lines <= 3'd0;
    else if (line_valid && message_lines != 3'd7)
      message_lines <= message_lines + 3'd1;

    // Set-up: off, started, on and granted for good.
    assume (rst == (clocks == 4'd0));
    assume (start == (clocks == 4'd3));
    assume (enable == (clocks > 4'd3));
    assume (settled && granted && !descriptor && log2 == LOG2 && base_line == 58'd64 && !tell_lost);
    assume (!line_valid || clocks > 4'd3);
    assume (!(line_valid && line_abort));
    assume (!line_event || (line_first && message_lines == 3'd0));
    assume (!(line_valid && line_first) || line_data[CONTINUATIONS +: 8] == {5'd0, message_lines});
    assume (message_lines < 3'd5);
    // The host: gives back in order, and no more than there is.
    assume (tail == given_back + {31'd0, gives && in_use != 32'd0});
    given_back <= clocks < 4'd4 ? 32'd0 : tail;

    if (clocks < 4'd4) begin
      published <= 32'd0;
      written   <= 4'd0;
    end else if (wrote) begin
      if (publishes) begin
        published <= published + {24'd0, record_has} + 32'd1;
        written   <= 4'd0;
      end else
        written[at_head] <= 1'b1;
    end

    if (clocks > 4'd3 && wrote) begin
      assert (slot < 58'd4);                                            // inside the ring
      assert (from_tail >= in_use);                                     // not a slot in use
      if (publishes) begin
        assert (at_head == 2'd0);
        assert (in_use + {24'd0, record_has} < 32'd4);                  // the whole message has room
        assert (record_has < 8'd1 || written[1]);
        assert (record_has < 8'd2 || written[2]);
        assert (record_has < 8'd3 || written[3]);
      end
    end
    if (clocks > 4'd3)
      assert (head == published || head - published < 32'd4);
  end

endmodule
`default_nettype wire
