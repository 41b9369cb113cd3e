// SPDX-License-Identifier: MIT
// FIFO of ring lines in inferred memory (read without a clock: LUT RAM). A word pushed into the empty FIFO goes
// straight into the output register and is there in the next clock; one word a clock goes in and out. Pushing while
// `full` is the caller's error: it looks first.
`default_nettype none

module line_fifo #(
  parameter WIDTH = 489,
  parameter LOG2  = 6                 // log2 of the words held, the output register not counted
) (
  input  wire             clk,
  input  wire             rst,
  input  wire             flush,      // forget everything

  input  wire             push,
  input  wire [WIDTH-1:0] in_data,
  output reg              full,

  output reg              out_valid,
  output reg  [WIDTH-1:0] out_data,
  input  wire             out_ready,

  output wire             idle        // nothing held
);

  reg [WIDTH-1:0] memory [0:(1 << LOG2) - 1];

  // One bit more than an address: equal pointers are empty, pointers a whole memory apart are full.
  reg [LOG2:0] write_pointer;
  reg [LOG2:0] write_next;            // write_pointer + 1
  reg [LOG2:0] read_pointer;

  wire empty  = write_pointer == read_pointer;
  wire free   = !out_valid || out_ready;
  wire load   = free && !empty;
  wire bypass = free && empty && push;

  wire advance = push && !bypass;

  assign idle = empty && !out_valid;

  always @(posedge clk) begin
    if (push && !full)
      memory[write_pointer[LOG2-1:0]] <= in_data;
    if (free && (!empty || push))
      out_data <= empty ? in_data : memory[read_pointer[LOG2-1:0]];
  end

  always @(posedge clk) begin
    if (rst || flush) begin
      write_pointer <= {LOG2 + 1{1'b0}};
      write_next    <= {{LOG2{1'b0}}, 1'b1};
      full          <= 1'b0;
      read_pointer  <= {LOG2 + 1{1'b0}};
      out_valid     <= 1'b0;
    end else begin
      if (advance) begin
        write_pointer <= write_next;
        write_next    <= write_next + 1'b1;
      end
      full <= !load && (advance ? write_next == {~read_pointer[LOG2], read_pointer[LOG2-1:0]} : full);
      if (load)
        read_pointer <= read_pointer + 1'b1;
      if (free)
        out_valid <= load || bypass;
    end
  end

endmodule
`default_nettype wire
