// SPDX-License-Identifier: MIT
// Start times of the frames that have begun and not yet been reported. Frames of a single beat can follow each other
// every clock and a report comes 6 clocks after its frame's end, so at most 8 are under way.
`default_nettype none

module frame_times (
  input  wire        clk,
  input  wire        rst,
  input  wire        begins,
  input  wire [47:0] begin_time,
  input  wire        done,
  output reg  [47:0] latest,              // of the frame that began last
  output wire [47:0] oldest               // of the frame to be reported next
);

  reg [47:0] times [0:7];
  reg [2:0]  write_index;
  reg [2:0]  read_index;

  assign oldest = times[read_index];

  always @(posedge clk) begin
    if (begins) begin
      times[write_index] <= begin_time;
      latest             <= begin_time;
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
