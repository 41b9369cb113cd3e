// SPDX-License-Identifier: MIT
// Any stream of entries that a receive line and its queue can bring to the arbiter, in one session: frames that started,
// HEADER or not, messages with their numbers, END with any verdict; an entry stays until it is taken. What happens is the
// solver's choice. At most two frames are under way, with at most MESSAGES messages each.
`include "layout.vh"
`include "entry.vh"
`default_nettype none

module entry_line #(
  parameter MESSAGES = 3
) (
  input  wire         clk,
  input  wire         rst,

  // choices
  input  wire         start,
  input  wire         present,            // an entry comes to the queue's output
  input  wire         body,               // of a frame whose header came: a message, not its end
  input  wire         continued,          // ... a continuation line
  input  wire         headed,             // a new frame: its header, not only its end
  input  wire [63:0]  sequence_number,
  input  wire [1:0]   count,
  input  wire         ends_session,       // of a frame without messages
  input  wire         bad,
  input  wire [15:0]  locate,

  input  wire [15:0]  others_started,
  input  wire [47:0]  time_ns,
  output wire         starts,
  output reg          valid,
  output reg  [1:0]   kind,
  output reg  [479:0] data,
  input  wire         ready,

  output wire         owes,               // an entry will come: a frame that started has not ended

  // the oldest frame that has ended and is not reported
  input  wire         reported,           // it is
  output wire         ended,
  output wire         ended_headed,
  output wire         ended_good,
  output wire [63:0]  ended_sequence,
  output wire [1:0]   ended_messages
);

  reg  [1:0]  frames;                     // started, END not presented
  reg  [15:0] others_first;
  reg  [15:0] others_second;
  reg         in_frame;
  reg  [63:0] first_number;
  reg  [63:0] number;                     // of the next message
  reg  [1:0]  left;
  reg  [67:0] ends_seen [0:3];            // good, headed, messages, first number
  reg  [1:0]  ends_in;
  reg  [1:0]  ends_out;

  wire        free    = !valid || ready;
  wire        comes   = free && present && frames != 2'd0;
  wire        message = in_frame && body && left != 2'd0;
  wire        header  = !in_frame && headed;
  wire        ends    = comes && !message && !header;

  assign starts = start && frames != 2'd2 && !rst;
  assign owes   = frames != 2'd0;
  assign ended  = ends_in != ends_out;
  assign {ended_good, ended_headed, ended_messages, ended_sequence} = ends_seen[ends_out];

  always @(posedge clk)
    if (rst) begin
      valid    <= 1'b0;
      frames   <= 2'd0;
      in_frame <= 1'b0;
      ends_in  <= 2'd0;
      ends_out <= 2'd0;
    end else begin
      ends_in  <= ends_in + {1'b0, ends};
      ends_out <= ends_out + {1'b0, reported};
      if (free)
        valid <= comes;
      frames <= frames + {1'b0, starts} - {1'b0, ends};
      if (comes && header)
        in_frame <= 1'b1;
      else if (ends)
        in_frame <= 1'b0;
    end

  always @(posedge clk) begin
    if (ends)
      ends_seen[ends_in] <= {in_frame && !bad, in_frame, number[1:0] - first_number[1:0], first_number};

    // The frames' `others`: a queue of two.
    if (ends)
      others_first <= frames == 2'd2 ? others_second : others_started;
    else if (starts && frames == 2'd0)
      others_first <= others_started;
    if (starts)
      others_second <= others_started;

    if (comes && header) begin
      first_number <= sequence_number;
      number       <= sequence_number;
      left   <= count > MESSAGES ? MESSAGES : count;
    end else if (comes && message && !continued) begin
      number <= number + 64'd1;
      left   <= left - 2'd1;
    end

    if (comes) begin
      data <= 480'd0;
      if (header) begin
        kind <= `TL_ENTRY_HEADER;
        data[`TL_HEADER_SEQUENCE +: 64] <= sequence_number;
        data[`TL_HEADER_COUNT +: 16]    <= {14'd0, count > MESSAGES ? MESSAGES : count};
        data[`TL_HEADER_KIND +: 8]      <= count != 2'd0 ? `TL_FRAME_KIND_DATA
                                           : ends_session ? `TL_FRAME_KIND_END_OF_SESSION : `TL_FRAME_KIND_HEARTBEAT;
        data[`TL_HEADER_OTHERS +: 16]   <= others_first;
        data[`TL_HEADER_TIME +: 48]     <= time_ns;
      end else if (message) begin
        kind <= continued ? `TL_ENTRY_LINE : `TL_ENTRY_RECORD;
        data[8 * `TL_RX_RECORD_SEQUENCE +: 64]     <= number;
        data[8 * `TL_RX_RECORD_STOCK_LOCATE +: 16] <= locate;
      end else begin
        kind <= `TL_ENTRY_END;
        data[`TL_END_REASON +: 8]   <= bad || !in_frame ? `TL_DROP_REASON_BAD_FCS : `TL_DROP_REASON_ACCEPT;
        data[`TL_END_OTHERS +: 16]  <= others_first;
        data[`TL_END_TIME +: 48]    <= time_ns;
        data[`TL_END_HEADER_SEEN]   <= in_frame;
      end
    end
  end

endmodule
`default_nettype wire
