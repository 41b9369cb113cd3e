// SPDX-License-Identifier: MIT
// The whole 64-byte lines inside a window [base, base + size) of bytes, as line numbers: the first one, and the one
// behind the last. They follow base and size after 3 clocks. A window that would run over the top of the address
// space ends there.
`default_nettype none

module window_lines (
  input  wire        clk,
  input  wire [63:0] base,
  input  wire [63:0] size,
  output reg  [58:0] first,
  output reg  [58:0] beyond
);

  // The 65-bit sum in two halves, a clock each.
  reg [32:0] low;
  reg [32:0] high;
  reg        line_begun;              // the window begins inside a line, which is then not its own

  always @(posedge clk) begin
    low        <= {1'b0, base[31:0]} + {1'b0, size[31:0]};
    high       <= {1'b0, base[63:32]} + {1'b0, size[63:32]} + {32'd0, low[32]};
    beyond     <= high[32] ? {1'b1, 58'd0} : {1'b0, high[31:0], low[31:6]};
    line_begun <= base[5:0] != 6'd0;
    first      <= {1'b0, base[63:6]} + {58'd0, line_begun};
  end

  wire unused = &{1'b0, low[5:0]};

endmodule
`default_nettype wire
