// SPDX-License-Identifier: MIT
// Starts of the frames that have begun and not yet ended in the entry stream: {others, time}. Frames of a single beat
// can follow each other every clock and a frame's END comes 7 clocks after its last beat, so at most 8 are under way.
`default_nettype none

module frame_times (
  input  wire        clk,
  input  wire        rst,
  input  wire        begins,
  input  wire [63:0] start,
  input  wire        done,
  output reg  [63:0] latest,              // of the frame that began last
  output wire [63:0] oldest               // of the frame that ends next
);

  reg [63:0] times [0:7];
  reg [2:0]  write_index;
  reg [2:0]  read_index;

  assign oldest = times[read_index];

  always @(posedge clk) begin
    if (begins) begin
      times[write_index] <= start;
      latest             <= start;
    end
    if (rst) begin
      write_index <= 3'd0;
      read_index  <= 3'd0;
    end else begin
      write_index <= write_index + {2'd0, begins};
      read_index  <= read_index + {2'd0, done};
    end
  end

endmodule
`default_nettype wire
