// SPDX-License-Identifier: MIT
// ITCH 5.0: fields of the messages about orders and their trades, where docs/layout.md has them in a record. Of all other
// types, and of those that are short, the parser gives the bytes alone, and the NIC does the rest.
`default_nettype none

module order_fields (
  input  wire [7:0]   bug,
  input  wire [351:0] message,            // byte k at bits 8k+7:8k
  input  wire [6:0]   bytes,              // 0: none, or not whole
  output reg          decoded,
  output reg  [479:0] fields,
  output reg  [447:0] continuation
);

  // ITCH is big-endian, a record little-endian.
  function [31:0] swap_4 (input [31:0] x);
    swap_4 = {x[7:0], x[15:8], x[23:16], x[31:24]};
  endfunction

  function [63:0] swap_8 (input [63:0] x);
    swap_8 = {swap_4(x[31:0]), swap_4(x[63:32])};
  endfunction

  localparam CONTINUATIONS = 8 * 28, CODE = 8 * 29, ORDER = 8 * 32, SECOND = 8 * 40, SHARES = 8 * 48, PRICE = 8 * 52,
             ATTRIBUTION = 8 * 56;

  wire [7:0]  message_type = message[7:0];
  wire [6:0]  length       = message_type == "A" || message_type == "C" ? 7'd36
                             : message_type == "F" ? 7'd40
                             : message_type == "E" ? 7'd31
                             : message_type == "X" ? 7'd23
                             : message_type == "D" ? 7'd19
                             : message_type == "U" ? 7'd35
                             : message_type == "P" ? 7'd44 : 7'd127;

  always @* begin
    // 13: however short it is
    decoded      = bytes != 7'd0 && (bytes >= length || (bug == 8'd13 && length != 7'd127));
    fields       = 480'd0;
    continuation = 448'd0;
    fields[8 * 14 +: 16] = {message[15:8], message[23:16]};                      // stock locate
    fields[8 * 16 +: 48] = {message[47:40], message[55:48], message[63:56], message[71:64], message[79:72],
                            message[87:80]};                                     // time of day
    fields[8 * 22 +: 16] = {message[31:24], message[39:32]};                     // tracking number
    fields[ORDER +: 64]  = swap_8(message[8 * 11 +: 64]);
    case (message_type)
      "A", "F", "P": begin
        fields[CODE +: 8]    = message[8 * 19 +: 8];                             // side
        fields[SHARES +: 32] = swap_4(message[8 * 20 +: 32]);
        fields[SECOND +: 64] = message[8 * 24 +: 64];                            // stock
        fields[PRICE +: 32]  = swap_4(message[8 * 32 +: 32]);
        if (message_type == "F")
          fields[ATTRIBUTION +: 32] = message[8 * 36 +: 32];
        if (message_type == "P") begin
          fields[CONTINUATIONS +: 8] = 8'd1;
          continuation[63:0]         = swap_8(message[8 * 36 +: 64]);            // match number
        end
      end
      "E", "C": begin
        fields[SHARES +: 32] = swap_4(message[8 * 19 +: 32]);
        fields[SECOND +: 64] = swap_8(message[8 * 23 +: 64]);                    // match number
        if (message_type == "C") begin
          fields[CODE +: 8]   = message[8 * 31 +: 8];                            // printable
          fields[PRICE +: 32] = swap_4(message[8 * 32 +: 32]);
        end
      end
      "X": fields[SHARES +: 32] = swap_4(message[8 * 19 +: 32]);
      "U": begin
        fields[SECOND +: 64] = swap_8(message[8 * 19 +: 64]);                    // new order
        fields[SHARES +: 32] = swap_4(message[8 * 27 +: 32]);
        fields[PRICE +: 32]  = bug == 8'd12 ? message[8 * 31 +: 32]              // 12: its price as it came, big-endian
                               : swap_4(message[8 * 31 +: 32]);
      end
      default: ;
    endcase
  end

endmodule
`default_nettype wire
