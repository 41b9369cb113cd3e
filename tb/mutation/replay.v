// SPDX-License-Identifier: MIT
// Plays beats of both lines into the receive side and prints everything that leaves it, a line each: what a mutant of
// one of its modules is told from the sound module by. Small queues, so that few frames fill them.
//
// +beats=FILE: $readmemh words {line, last, bad FCS, keep 8, data 64}; +mode=N: bits verified, hold, filter, prototype;
// +mutant=N: the mutation that is switched on, 0 none.
`include "layout.vh"
`default_nettype none

module replay (
  input wire clk
);

  localparam [31:0] GROUP_ADDRESS = {8'd233, 8'd54, 8'd12, 8'd111};
  localparam [15:0] GROUP_PORT    = 16'd26477;
  localparam        BEATS_MAX     = 65536;
  localparam        GAP           = 3;          // idle beats between frames: preamble, FCS and gap
  localparam        SETTLE        = 1200;       // clocks: filter fill, and after the last beat every wait

  reg          rst = 1'b1;
  reg  [47:0]  time_ns = 48'd0;
  reg  [3:0]   mode = 4'd0;
  reg  [15:0]  mutant = 16'd0;
  reg  [74:0]  beats [0:BEATS_MAX-1];
  reg  [8*256-1:0] name;
  reg          enable = 1'b0;
  reg          fill = 1'b0;
  reg          update = 1'b0;
  reg  [15:0]  locate = 16'd0;
  reg  [31:0]  lfsr = 32'hACE1_2468;
  integer      at [0:1];
  integer      gap [0:1];
  integer      clocks = 0;
  integer      quiet = 0;
  integer      total;
  integer      i;

  reg  [74:0]  a = 75'd0;
  reg  [74:0]  b = 75'd0;
  reg          a_valid = 1'b0;
  reg          b_valid = 1'b0;

  wire         line_valid;
  wire         line_first;
  wire         line_event;
  wire [479:0] line_data;
  wire         line_abort;
  wire         report_valid;
  wire         report_line;
  wire [7:0]   report_reason;
  wire [7:0]   report_kind;
  wire [7:0]   report_flags;
  wire [63:0]  report_gap_from;
  wire [79:0]  report_session;
  wire [63:0]  report_sequence;
  wire [15:0]  report_count;
  wire [47:0]  report_timestamp;
  wire         decoded_a;
  wire         decoded_b;
  wire         filter_busy;
  wire [32*`TL_STATISTICS_WORDS-1:0] statistics;
  wire [63:0]  next_expected;
  wire         next_expected_valid;
  wire         overflow;
  wire         idle;

  receive u_receive (
    .clk                  (clk),
    .rst                  (rst),
    .time_ns              (time_ns),
    .enable               (enable),
    .verified             (mode[0]),
    .prototype            (mode[3]),
    .group_address        (GROUP_ADDRESS),
    .group_port           (GROUP_PORT),
    .hold                 (mode[1] ? 32'd700 : 32'd0),
    .event_enable         (3'b111),
    .filter_enable        (mode[2]),
    .filter_fill          (fill),
    .filter_fill_value    (1'b1),
    .filter_update        (update),
    .filter_update_locate (locate),
    .filter_update_pass   (1'b0),
    .filter_busy          (filter_busy),
    .rx_a_tdata           (a[63:0]),
    .rx_a_tkeep           (a[71:64]),
    .rx_a_tvalid          (a_valid),
    .rx_a_tlast           (a[73]),
    .rx_a_tuser           (a[72]),
    .rx_b_tdata           (b[63:0]),
    .rx_b_tkeep           (b[71:64]),
    .rx_b_tvalid          (b_valid),
    .rx_b_tlast           (b[73]),
    .rx_b_tuser           (b[72]),
    .line_valid           (line_valid),
    .line_first           (line_first),
    .line_event           (line_event),
    .line_data            (line_data),
    .line_abort           (line_abort),
    .report_valid         (report_valid),
    .report_line          (report_line),
    .report_reason        (report_reason),
    .report_kind          (report_kind),
    .report_flags         (report_flags),
    .report_gap_from      (report_gap_from),
    .report_session       (report_session),
    .report_sequence      (report_sequence),
    .report_count         (report_count),
    .report_timestamp     (report_timestamp),
    .decoded_a            (decoded_a),
    .decoded_b            (decoded_b),
    .statistics           (statistics),
    .next_expected        (next_expected),
    .next_expected_valid  (next_expected_valid),
    .overflow             (overflow),
    .idle                 (idle),
    .mutant               (mutant)
  );

  // A line's next beat, or none: between frames the gap, inside them idle beats now and then.
  task advance(input integer line, output reg valid, output reg [74:0] beat);
    begin
      valid = 1'b0;
      beat  = 75'd0;
      while (at[line] < total && beats[at[line]][74] != line)
        at[line] = at[line] + 1;
      if (gap[line] > 0)
        gap[line] = gap[line] - 1;
      else if (at[line] < total) begin
        valid    = 1'b1;
        beat     = beats[at[line]];
        at[line] = at[line] + 1;
        if (beat[73])
          gap[line] = GAP + (lfsr[3:0] == 4'd0 ? lfsr[11:4] : 0);
        else if (lfsr[15:12] == 4'd0)
          gap[line] = lfsr[17:16];
      end
    end
  endtask

  reg         next_a_valid;
  reg         next_b_valid;
  reg  [74:0] next_a;
  reg  [74:0] next_b;

  initial begin
    for (i = 0; i < BEATS_MAX; i = i + 1)
      beats[i] = 75'd0;                         // keep 0: behind the last beat
    if (!$value$plusargs("beats=%s", name) || !$value$plusargs("mode=%d", mode)) begin
      $display("replay: +beats and +mode are needed");
      $finish;
    end
    i = $value$plusargs("mutant=%d", mutant);
    $readmemh(name, beats);
    total = 0;
    while (total < BEATS_MAX && beats[total][71:64] != 8'd0)
      total = total + 1;
    at[0]  = 0;
    at[1]  = 0;
    gap[0] = 0;
    gap[1] = 0;
  end

  // Values change at the falling edge and are looked at before the rising one.
  always @(negedge clk) begin
    clocks  <= clocks + 1;
    // Now and then a jump, so that every bit of the time moves.
    time_ns <= time_ns + (lfsr[9:0] == 10'd0 && clocks > 12000 ? {16'd0, lfsr} << lfsr[13:10] : 48'd6);
    lfsr    <= {lfsr[30:0], lfsr[31] ^ lfsr[21] ^ lfsr[1] ^ lfsr[0]};
    rst     <= clocks < 4;
    fill    <= clocks == 8;
    update  <= clocks > 3000 && clocks < 9000 && clocks % 4 == 0;  // behind the fill's 2048 clocks
    locate  <= lfsr[31:16];
    enable  <= clocks > 2100;
    if (clocks > 2200) begin
      advance(0, next_a_valid, next_a);
      advance(1, next_b_valid, next_b);
      a       <= next_a;
      a_valid <= next_a_valid;
      b       <= next_b;
      b_valid <= next_b_valid;
      quiet   <= next_a_valid || next_b_valid || !idle ? 0 : quiet + 1;
    end
    if (line_valid)
      $display("line %b %b %h", line_first, line_event, line_data);
    if (line_abort)
      $display("abort");
    if (report_valid)
      $display("report %b %h %h %h %h %h %h %h %h", report_line, report_reason, report_kind, report_flags,
               report_gap_from, report_session, report_sequence, report_count, report_timestamp);
    if (overflow)
      $display("overflow");
    if (quiet == SETTLE) begin
      $display("end %h %b %h", statistics, next_expected_valid, next_expected);
      $finish;
    end
    if (clocks == 150000) begin
      $display("never at rest");
      $finish;
    end
  end

  wire unused = &{1'b0, decoded_a, decoded_b, filter_busy};

endmodule
`default_nettype wire
