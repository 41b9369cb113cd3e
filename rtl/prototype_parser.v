// SPDX-License-Identifier: MIT
// The seed prototype's packet: session (8 bytes), length (4, big-endian), then one message of `length` bytes with
// little-endian integers: type 1, stock locate 2, price 4, shares 4. The record goes out two clocks after the beat with
// the message's last byte, but not before `dropped` is known, 4 clocks after the beat in which the payload begins.
`include "layout.vh"
`default_nettype none

module prototype_parser #(
  parameter LINE_B = 0                    // the receive port: 0 A, 1 B
) (
  input  wire         clk,
  input  wire         rst,

  // the beat in hand
  input  wire         beat_fresh,
  input  wire         beat_first,
  input  wire         beat_ends,
  input  wire [7:0]   beat_lanes,
  input  wire [63:0]  beat_data,
  input  wire         beat_in_payload,    // its first lane, from the second beat behind payload_begins on
  input  wire         payload_begins,     // in this beat, at lane 6 or 2
  input  wire         payload_at_lane_6,
  input  wire [15:0]  udp_length,         // one clock after payload_begins
  input  wire         dropped,
  input  wire [63:0]  frame_start,        // of the frame in hand: {others, time}

  // packet header; stays until 7 clocks after the frame's end at least
  output reg          packet_begins,      // pulse: one clock before `dropped` is known, or later
  output reg  [63:0]  packet_start,       // its frame_start
  output reg  [63:0]  session,

  output wire         message_valid,      // pulse
  output reg  [479:0] record,             // bytes 0 to 59 of rx_record; 0 without a message

  // from 2 clocks after the frame's end, if the frame is good
  output wire         truncated,
  output wire         extra_data,
  output wire         idle
);

  localparam [31:0] STATUS_RAW    = `TL_STATUS_RAW;
  localparam [31:0] STATUS_LINE   = LINE_B != 0 ? `TL_STATUS_LINE_B : 32'd0;
  localparam [31:0] MESSAGE_BYTES = `TL_PROTOTYPE_PAYLOAD_BYTES;
  localparam [31:0] PACKET_HEADER = `TL_PROTOTYPE_HEADER_BYTES;
  localparam [15:0] HEADERS       = 16'd8 + PACKET_HEADER[15:0];     // UDP's too
  localparam        SHARES_OFFSET = 48;                       // of a record, as in ITCH's Add Order
  localparam        PRICE_OFFSET  = 52;
  localparam        RAW_OFFSET    = `TL_RX_RECORD_BODY + 3;

  // ---- packet header: it ends at lane 5 one beat after the one it begins in, or at lane 1 two beats after

  reg  [2:0]  step;                       // beats since payload_begins, 4 at most; 0 outside
  reg         from_lane_6;
  reg  [31:0] length;

  wire        in_packet    = beat_fresh && !beat_first;
  wire        header_ends  = in_packet && (from_lane_6 ? step == 3'd2 && beat_lanes[1]
                                                       : step == 3'd1 && beat_lanes[5]);
  wire [31:0] length_here  = from_lane_6 ? {length[31:16], beat_data[7:0], beat_data[15:8]}
                                         : {beat_data[23:16], beat_data[31:24], beat_data[39:32], beat_data[47:40]};

  always @(posedge clk) begin
    if (rst)
      step <= 3'd0;
    else if (payload_begins)
      step <= 3'd1;
    else if (beat_fresh)
      step <= beat_first || step == 3'd0 ? 3'd0 : step[2] ? 3'd4 : step + 3'd1;

    if (payload_begins) begin
      from_lane_6   <= payload_at_lane_6;
      session[47:0] <= beat_data[63:16];
      if (payload_at_lane_6)
        session[15:0] <= beat_data[63:48];
    end else if (in_packet && step == 3'd1) begin
      if (from_lane_6) begin
        session[63:16] <= beat_data[47:0];
        length[31:16]  <= {beat_data[55:48], beat_data[63:56]};
      end else
        session[63:48] <= beat_data[15:0];
    end
    if (header_ends)
      length <= length_here;
  end

  // ---- the message's first bytes

  reg [87:0]  message;

  always @(posedge clk)
    if (in_packet)
      case ({from_lane_6, step})
        {1'b0, 3'd1}: message[15:0]  <= beat_data[63:48];
        {1'b0, 3'd2}: message[79:16] <= beat_data;
        {1'b0, 3'd3}: message[87:80] <= beat_data[7:0];
        {1'b1, 3'd2}: message[47:0]  <= beat_data[63:16];
        {1'b1, 3'd3}: message[87:48] <= beat_data[39:0];
        default: ;
      endcase

  // ---- its end. With the beat in which the packet header ends as beat 0, the message's last byte (the header's, if it
  //      has none) lies in beat end_beat + end_carry, lane end_lane.

  reg         pending;
  reg         counting;                   // the frame has not ended
  reg         header_ended;               // one clock ago
  reg  [7:0]  header_lanes;               // of beat 0
  reg  [1:0]  age;                        // clocks since payload_begins; at 3, the last, `dropped` meets the record
  reg         too_big;
  reg  [12:0] end_beat;                   // counts down
  reg         end_carry;
  reg  [2:0]  end_lane;
  reg         arrived;                    // it is there
  reg         done;
  reg  [15:0] room;                       // for the message in the UDP payload
  reg         fits;
  reg         exceeds;
  reg         header_due;                 // it ended before its time

  wire [3:0]  end_sum   = {1'b0, length_here[2:0]} + (from_lane_6 ? 4'd1 : 4'd5);
  wire        next_beat = counting && beat_fresh && beat_in_payload;
  wire        arrives   = (header_ended && end_beat == 13'd0 && !end_carry && header_lanes[end_lane])
                          || (next_beat && end_beat == {12'd0, !end_carry} && beat_lanes[end_lane]);
  wire        completes = pending && age == 2'd3 && !too_big && (arrived || arrives);

  always @(posedge clk) begin
    if (rst) begin
      packet_begins <= 1'b0;
      header_due    <= 1'b0;
      pending       <= 1'b0;
      counting      <= 1'b0;
      done          <= 1'b0;
      age           <= 2'd0;
    end else begin
      packet_begins <= (header_ends || header_due) && age[1];
      header_due    <= (header_ends || header_due) && !age[1];
      done          <= completes;
      if (header_ends)
        pending <= 1'b1;
      else if (completes)
        pending <= 1'b0;
      if (beat_ends)
        counting <= 1'b0;
      else if (header_ends)
        counting <= 1'b1;
      if (payload_begins)
        age <= 2'd1;
      else if (age != 2'd0 && age != 2'd3)
        age <= age + 2'd1;
    end

    header_ended <= header_ends;
    if (header_ends) begin
      too_big      <= length_here[31:16] != 16'd0;
      header_lanes <= beat_lanes;
      end_beat     <= length_here[15:3];
      end_carry    <= end_sum[3];
      end_lane     <= end_sum[2:0];
      arrived      <= 1'b0;
      packet_start <= frame_start;
    end else begin
      arrived      <= arrived || arrives;
      if (next_beat)
        end_beat   <= end_beat - 13'd1;
    end

    room    <= udp_length - HEADERS;
    fits    <= !too_big && length[15:0] <= room;
    exceeds <= length[15:0] < room;
  end

  assign message_valid = done && fits && !dropped;
  assign truncated     = !fits;
  assign extra_data    = fits && exceeds;
  assign idle          = !header_due && !packet_begins && !done && !(pending && age != 2'd3);

  // ---- record

  wire       decoded = length[15:0] >= MESSAGE_BYTES[15:0];
  wire [7:0] status  = (length[15:0] == 16'd0                ? `TL_MESSAGE_STATUS_ZERO_LENGTH
                        : !decoded                           ? `TL_MESSAGE_STATUS_TOO_SHORT
                        : length[15:0] > MESSAGE_BYTES[15:0] ? `TL_MESSAGE_STATUS_TOO_LONG : `TL_MESSAGE_STATUS_OK)
                       | (decoded ? 8'd0 : STATUS_RAW[7:0]) | STATUS_LINE[7:0];
  integer    i;

  always @* begin
    record = 480'd0;
    if (message_valid) begin
      record[8 * `TL_RX_RECORD_HW_TIMESTAMP_NS +: 48] = packet_start[47:0];
      record[8 * `TL_RX_RECORD_LENGTH          +: 16] = length[15:0];
      record[8 * `TL_RX_RECORD_TYPE            +: 8]  = length[15:0] == 16'd0 ? 8'd0 : message[7:0];
      record[8 * `TL_RX_RECORD_STATUS          +: 8]  = status;
      if (decoded) begin
        record[8 * `TL_RX_RECORD_STOCK_LOCATE +: 16] = message[23:8];
        record[8 * PRICE_OFFSET               +: 32] = message[55:24];
        record[8 * SHARES_OFFSET              +: 32] = message[87:56];
      end else
        for (i = 0; i < 10; i = i + 1)
          if (length[3:0] > i[3:0])
            record[8 * (RAW_OFFSET + i) +: 8] = message[8 * i +: 8];
    end
  end

endmodule
`default_nettype wire
