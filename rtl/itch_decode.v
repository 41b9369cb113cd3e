// SPDX-License-Identifier: MIT
// A complete block as a record (the ring's first line) and, where one is due, its last continuation line. Combinational
// from registers of align: a message is decoded two clocks after its last byte's beat.
`include "layout.vh"
`default_nettype none

module itch_decode #(
  parameter LINE_B = 0                    // the receive port: 0 A, 1 B
) (
  input  wire         valid,              // a complete message; the outputs rest while it is 0
  input  wire [639:0] words,              // words 0 to 2 and 3 to 9 (align)
  input  wire [6:0]   last_word,          // of words 3 to 9
  input  wire [7:0]   lines,              // continuation lines that have gone out
  input  wire [15:0]  length,
  input  wire [7:0]   message_type,       // 0 for a message without bytes
  input  wire [4:0]   first_bytes,        // of its bytes in words 0 to 2: 0 to 24
  input  wire         decoded,            // a known type with all its bytes
  input  wire         exact,
  input  wire         raw_tail,           // more bytes than words 0 to 2 hold
  input  wire [63:0]  sequence_number,
  input  wire [47:0]  frame_time,

  output reg  [479:0] record,             // record bytes 0 to 59
  output reg  [479:0] continuation        // line bytes 0 to 59: the last before the record, where there is one
);

  localparam [31:0] STATUS_RAW  = `TL_STATUS_RAW;
  localparam [31:0] STATUS_LINE = LINE_B != 0 ? `TL_STATUS_LINE_B : 32'd0;
  localparam        RAW_OFFSET  = `TL_RX_RECORD_BODY + 3;  // the raw bytes begin at the next multiple of 4

  // ---- fields by type

  wire         empty = first_bytes == 5'd0;
  wire [15:0]  unused_length;
  wire         letter_known;
  wire [255:0] fields_body;
  wire [447:0] fields_continuation;

  itch_fields u_itch_fields (
    .valid        (valid),
    .message_type ({2'b01, message_type[5:0]}),     // all types are letters
    .message      (words[`TL_ITCH_BITS-1:0]),
    .length       (unused_length),
    .decoded      (letter_known),
    .body         (fields_body),
    .continuation (fields_continuation)
  );

  // ---- raw bytes, zeros beyond the message

  wire [2:0]  last_byte = length[2:0] - 3'd1;
  reg  [191:0] raw_first;
  reg  [447:0] raw_last;
  reg          beyond;
  integer      i;
  integer      k;

  always @* begin
    raw_first = 192'd0;
    raw_last  = 448'd0;
    beyond    = 1'b0;
    if (valid && !decoded) begin
      for (i = 0; i < 24; i = i + 1)
        if (first_bytes > i[4:0])
          raw_first[8 * i +: 8] = words[8 * i +: 8];
      for (k = 0; k < 7; k = k + 1) begin
        for (i = 0; i < 8; i = i + 1)
          if (!beyond && (!last_word[k] || i[2:0] <= last_byte))
            raw_last[64 * k + 8 * i +: 8] = words[192 + 64 * k + 8 * i +: 8];
        beyond = beyond || last_word[k];
      end
    end
  end

  // ---- record

  wire       known  = letter_known && message_type[7:6] == 2'b01;
  wire [7:0] status = (empty    ? `TL_MESSAGE_STATUS_ZERO_LENGTH
                       : !known ? `TL_MESSAGE_STATUS_UNKNOWN_TYPE
                       : !decoded ? `TL_MESSAGE_STATUS_TOO_SHORT
                       : exact ? `TL_MESSAGE_STATUS_OK : `TL_MESSAGE_STATUS_TOO_LONG)
                      | (decoded ? 8'd0 : STATUS_RAW[7:0]) | STATUS_LINE[7:0];

  always @* begin
    record       = 480'd0;
    continuation = 480'd0;
    if (valid) begin
      record[8 * `TL_RX_RECORD_SEQUENCE        +: 64] = sequence_number;
      record[8 * `TL_RX_RECORD_HW_TIMESTAMP_NS +: 48] = frame_time;
      record[8 * `TL_RX_RECORD_LENGTH          +: 16] = length;
      record[8 * `TL_RX_RECORD_TYPE            +: 8]  = message_type;
      record[8 * `TL_RX_RECORD_STATUS          +: 8]  = status;
      if (decoded) begin
        record[8 * `TL_RX_RECORD_STOCK_LOCATE    +: 16] = {words[15:8], words[23:16]};
        record[8 * `TL_RX_RECORD_TRACKING_NUMBER +: 16] = {words[31:24], words[39:32]};
        record[8 * `TL_RX_RECORD_TIMESTAMP       +: 48] = {words[47:40], words[55:48], words[63:56], words[71:64],
                                                           words[79:72], words[87:80]};
      end

      if (decoded) begin
        record[8 * `TL_RX_RECORD_CONTINUATIONS +: 256] = fields_body;
        continuation[447:0] = fields_continuation;
      end else begin
        record[8 * `TL_RX_RECORD_CONTINUATIONS +: 8] = lines + {7'd0, raw_tail};
        record[8 * RAW_OFFSET +: 192] = raw_first;
        continuation[447:0] = raw_last;
      end
    end
  end

  wire unused = &{1'b0, unused_length};

endmodule
`default_nettype wire
