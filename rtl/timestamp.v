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
  reg        carry;                   // with NUM it is DEN or more: this clock adds another nanosecond
  wire [7:0] fraction_next = carry ? fraction + NUM[7:0] - DEN[7:0] : fraction + NUM[7:0];

  always @(posedge clk)
    if (rst) begin
      fraction <= 8'd0;
      carry    <= 1'b0;
    end else begin
      fraction <= fraction_next;
      carry    <= fraction_next >= DEN[7:0] - NUM[7:0];
    end

  // Three numbers as two, one LUT a bit; then one addition, its upper thirds for both carries.
  wire [47:0] clock_ns = carry ? {16'd0, NS} + 48'd1 : {16'd0, NS};
  wire [47:0] step     = step_ns & {48{step_valid}};
  wire [47:0] partial  = time_ns ^ clock_ns ^ step;
  wire [47:0] carries  = (time_ns & clock_ns) | (time_ns & step) | (clock_ns & step);
  wire [16:0] low      = {1'b0, partial[15:0]} + {1'b0, carries[14:0], 1'b0};
  wire [16:0] middle   = {1'b0, partial[31:16]} + {1'b0, carries[30:15]};
  wire [17:0] middle_1 = {1'b0, partial[31:16], 1'b1} + {1'b0, carries[30:15], 1'b1};
  wire [15:0] high     = partial[47:32] + carries[46:31];
  wire [16:0] high_1   = {partial[47:32], 1'b1} + {carries[46:31], 1'b1};
  wire        over     = low[16] ? middle_1[17] : middle[16];

  always @(posedge clk)
    if (rst)
      time_ns <= 48'd0;
    else
      time_ns <= {over ? high_1[16:1] : high, low[16] ? middle_1[16:1] : middle[15:0], low[15:0]};

  wire unused = &{1'b0, carries[47], middle_1[0], high_1[0]};

endmodule
`default_nettype wire
