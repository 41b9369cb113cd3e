// SPDX-License-Identifier: MIT
// How a block's announced length compares with its ITCH 5.0 type, while the block is still arriving. The type is known
// from the block's second beat on, too late only for blocks of at most 8 bytes, which are short for any type. All types
// are letters, whose upper bits are 01: what is asked of the table is a function of the lower 6, a single LUT deep.
`include "layout.vh"
`default_nettype none

module itch_length (
  input  wire [7:0]  message_type,
  input  wire [15:0] length,

  output wire        known,
  output wire        long_enough,         // a known type with all its bytes
  output wire        exact,
  output wire        continued            // of a long enough message: a continuation line holds some of its fields
);

  wire [15:0]  type_length;
  wire         letter_known;
  wire [255:0] body;
  wire [447:0] continuation;

  itch_fields u_itch_fields (
    .valid        (1'b1),
    .message_type ({2'b01, message_type[5:0]}),
    .message      ({`TL_ITCH_BITS{1'b0}}),
    .length       (type_length),
    .decoded      (letter_known),
    .body         (body),
    .continuation (continuation)
  );

  // No type has more than 63 bytes.
  wire above = length[15:6] != 10'd0;

  assign known       = letter_known && message_type[7:6] == 2'b01;
  assign long_enough = known && (above || length[5:0] >= type_length[5:0]);
  assign exact       = !above && length[5:0] == type_length[5:0];

  assign continued   = body[7:0] != 8'd0; // rx_record.continuations

  wire unused = &{1'b0, type_length[15:6], body[255:8], continuation};

endmodule
`default_nettype wire
