// SPDX-License-Identifier: MIT
// Nanosecond counter of a clock whose period is no whole number of nanoseconds. After k clocks it reads exactly
// floor(k x (PERIOD_NS + PERIOD_NUM / PERIOD_DEN)): the fraction is kept as a numerator over PERIOD_DEN, so it never
// drifts.
//   10GbE 156.25   MHz, 6.4  ns: 6, 2, 5      25GbE 390.625 MHz, 2.56 ns: 2, 14, 25
`default_nettype none

module timestamp #(
  parameter PERIOD_NS  = 6,           // whole nanoseconds of a clock period
  parameter PERIOD_NUM = 2,           // and the rest, PERIOD_NUM / PERIOD_DEN
  parameter PERIOD_DEN = 5            // at most 128
) (
  input  wire        clk,
  input  wire        rst,

  // Step port: adds whole nanoseconds in the clock it is valid, on top of that clock's own
  input  wire        step_valid,
  input  wire [47:0] step_ns,

  output reg  [47:0] time_ns
);

  generate
    if (PERIOD_NUM >= PERIOD_DEN || PERIOD_DEN > 128) begin : g_check
      timestamp_fraction_out_of_range illegal_parameter ();
    end
  endgenerate

  localparam [31:0] NS  = PERIOD_NS;
  localparam [31:0] NUM = PERIOD_NUM;
  localparam [31:0] DEN = PERIOD_DEN;

  reg  [7:0] fraction;                // numerator, always below DEN
  wire [7:0] fraction_sum = fraction + NUM[7:0];
  wire       carry        = fraction_sum >= DEN[7:0];

  always @(posedge clk) begin
    if (rst) begin
      time_ns  <= 48'd0;
      fraction <= 8'd0;
    end else begin
      time_ns  <= time_ns + {16'd0, NS} + {47'd0, carry} + (step_valid ? step_ns : 48'd0);
      fraction <= carry ? fraction_sum - DEN[7:0] : fraction_sum;
    end
  end

endmodule
`default_nettype wire
