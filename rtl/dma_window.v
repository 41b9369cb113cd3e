// SPDX-License-Identifier: MIT
// Combinational: whether [address, address + length) lies inside the granted host memory [base, base + size). The
// LAST bytes are compared, relative to the base, so no sum needs a 65th bit and none can wrap: a range that runs
// over the top of the address space is never inside, and neither is anything in a window of size 0.
`default_nettype none

module dma_window (
  input  wire [63:0] base,
  input  wire [63:0] size,
  input  wire [63:0] address,
  input  wire [63:0] length,          // at least 1
  output wire        inside_window
);

  wire [63:0] last = address + (length - 64'd1);

  assign inside_window = address >= base && last >= address && last - base < size;

endmodule
`default_nettype wire
