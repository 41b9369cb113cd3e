// SPDX-License-Identifier: MIT
// Whether each ring lies wholly inside one of the granted windows. A ring is granted whole or not at all, so a slot's
// address needs no check of its own. Worked out one ring after the other whenever the set-up changes; `settled` is 0
// until the answers hold (14 clocks) and all DMA from before is answered, and no DMA is issued meanwhile. The register
// port takes no further write until then: so the host knows when the NIC is done with a window it took away.
`default_nettype none

module ring_grants (
  input  wire        clk,
  input  wire        rst,

  input  wire        changed,             // a window, base or size changes at the end of this clock
  input  wire        in_flight,           // DMA is not answered yet
  input  wire [63:0] window_base,
  input  wire [63:0] window_size,
  input  wire [63:0] window2_base,
  input  wire [63:0] window2_size,
  input  wire [57:0] rx_line,             // base / 64
  input  wire [4:0]  rx_log2,
  input  wire [57:0] tx_line,
  input  wire [4:0]  tx_log2,
  input  wire [57:0] raw_line,
  input  wire [4:0]  raw_log2,

  // The windows as line numbers, for checks of single addresses (dma_window)
  output wire [58:0] window_first,
  output wire [58:0] window_end,
  output wire [58:0] window2_first,
  output wire [58:0] window2_end,

  output reg         rx_lines_granted,        // as a ring of 64-byte lines
  output reg         rx_descriptors_granted,  // as a ring of 16-byte descriptors
  output reg         tx_lines_granted,
  output reg         tx_descriptors_granted,
  output reg         raw_granted,
  output reg         settled
);

  window_lines u_window (
    .clk    (clk),
    .base   (window_base),
    .size   (window_size),
    .first  (window_first),
    .beyond (window_end)
  );

  window_lines u_window2 (
    .clk    (clk),
    .base   (window2_base),
    .size   (window2_size),
    .first  (window2_first),
    .beyond (window2_end)
  );

  // ---- Steps after a change: 0 to 3 the windows follow, from 4 on a question a clock, each answered 3 clocks later

  localparam [3:0] LAST = 4'd13;

  reg [3:0] step;
  reg       quiet;

  always @(posedge clk) begin
    quiet <= !in_flight;
    if (rst || changed) begin
      step    <= 4'd0;
      settled <= 1'b0;
    end else begin
      if (step != LAST)
        step <= step + 4'd1;
      else if (quiet)
        settled <= 1'b1;
    end
  end

  // A line holds four descriptors: two powers of two less.
  wire [4:0]  rx_descriptors_log2 = rx_log2 - 5'd2;
  wire [4:0]  tx_descriptors_log2 = tx_log2 - 5'd2;

  reg  [57:0] question_line;
  reg  [4:0]  question_log2;
  wire [16:0] question_lines = 17'd1 << question_log2;
  wire        granted;

  always @(posedge clk) begin
    case (step)
      4'd4:    {question_line, question_log2} <= {rx_line, rx_log2};
      4'd5:    {question_line, question_log2} <= {rx_line, rx_descriptors_log2};
      4'd6:    {question_line, question_log2} <= {tx_line, tx_log2};
      4'd7:    {question_line, question_log2} <= {tx_line, tx_descriptors_log2};
      default: {question_line, question_log2} <= {raw_line, raw_log2};
    endcase
  end

  dma_window u_dma_window (
    .clk           (clk),
    .window_first  (window_first),
    .window_end    (window_end),
    .window2_first (window2_first),
    .window2_end   (window2_end),
    .line          (question_line),
    .lines         (question_lines),
    .granted       (granted)
  );

  always @(posedge clk) begin
    case (step)
      4'd7:    rx_lines_granted       <= granted;
      4'd8:    rx_descriptors_granted <= granted;
      4'd9:    tx_lines_granted       <= granted;
      4'd10:   tx_descriptors_granted <= granted;
      4'd11:   raw_granted            <= granted;
      default: ;
    endcase
  end

endmodule
`default_nettype wire
