// SPDX-License-Identifier: MIT
// The NIC between the wires and host memory, under the native core. One block calls the core, at the rising edge and in a
// fixed order: reports, DMA writes, DMA reads, register answers, transmitted beats, then the tick if it is due.
// This block owns the clock count. When nothing is in flight it skips to just before the next due clock, in steps of
// whole nanoseconds (10GbE: 5 clocks = 32 ns) so that the NIC's time can follow exactly.
// A run: go rises, and done when it is over; go falls, everything goes back to reset, and done falls.
`include "layout.vh"
`timescale 1ps / 1ps
`default_nettype none
module testbench #(
  parameter CLOCK_PS = 6400           // of the NIC's clock, even: 10GbE 6400, 25GbE 2560
) (
`ifdef TICKLOOP_CLOCK_PULSE
  input  wire tick,                   // each change is a clock
`elsif VERILATOR
  input  wire clk,
`endif
  input  wire go,
  output reg  done
);

  localparam RESET_CLOCKS = 4;
  localparam FIRST_TICK = 8;
  localparam REPORT_FIRST = `TL_FRAME_LOG_SEQUENCE;
  localparam REPORT_BITS = 8 * (`TL_FRAME_LOG_RESERVED - REPORT_FIRST);

  // The clock period as the NIC takes it, PERIOD_NS + PERIOD_NUM / PERIOD_DEN ns in lowest terms: PERIOD_DEN clocks are
  // the fewest that last whole nanoseconds.
  localparam PERIOD_NS = CLOCK_PS / 1000;
  localparam PERIOD_PART = common_divisor(1000, CLOCK_PS % 1000);
  localparam PERIOD_NUM = CLOCK_PS % 1000 / PERIOD_PART;
  localparam PERIOD_DEN = 1000 / PERIOD_PART;
  localparam [31:0] SKIP_CLOCKS = PERIOD_DEN;
  localparam [31:0] SKIP_NS = CLOCK_PS * PERIOD_DEN / 1000;

  function integer common_divisor(input integer larger, input integer smaller);  // the greatest (Euclid)
    integer a, b, rest;
    begin
      a = larger;
      b = smaller;
      while (b != 0) begin
        rest = a % b;
        a = b;
        b = rest;
      end
      common_divisor = a;
    end
  endfunction

`ifdef VERILATOR
  import "DPI-C" function longint unsigned tl_tick(
      input longint unsigned clock, input int unsigned idle, output longint unsigned tdata_a,
      output longint unsigned tdata_b, output int unsigned control, output int unsigned address,
      output int unsigned data);
  import "DPI-C" function longint unsigned tl_write(
      input longint unsigned clock, input longint unsigned address, input longint unsigned strobe,
      input bit [511:0] line);
  import "DPI-C" function longint unsigned tl_read(input longint unsigned clock, input longint unsigned address);
  import "DPI-C" function void tl_read_data(output bit [511:0] line);
  import "DPI-C" function longint unsigned tl_register_done(
      input longint unsigned clock, input int unsigned data, input int unsigned response);
  import "DPI-C" function longint unsigned tl_transmit(
      input longint unsigned clock, input longint unsigned tdata, input int unsigned tkeep, input int unsigned tlast);
  import "DPI-C" function void tl_report(input longint unsigned clock, input bit [REPORT_BITS-1:0] report);
  import "DPI-C" function void tl_valid(input longint unsigned clock, input longint unsigned sequence_number);
  import "DPI-C" function longint unsigned tl_rest(input longint unsigned next);
  import "DPI-C" function void tl_skip(input longint unsigned clocks);
`ifdef TICKLOOP_CLOCK_PULSE
  // The clock rises and falls in one evaluation of the model, which costs half as much as two: it falls with what its
  // rising edge changes. So nothing ever sees it high, and a run with waves has the port's own clock instead.
  reg  fallen;
  wire clk = tick ^ fallen;
  initial fallen = 1'b0;
  always @(posedge clk) fallen <= tick;
`endif
`else
  // Skipped time passes at the end of the clock period, so that simulated time stays on the clock grid.
  reg clk;
  initial clk = 1'b0;
  always begin
    #(CLOCK_PS / 2) clk = 1'b1;
    #(CLOCK_PS / 2) clk = 1'b0;
    if (skip != 64'd0) #(skip * CLOCK_PS) skip = 64'd0;
  end
  reg [4095:0] wave_file;
  initial if ($value$plusargs("waves=%s", wave_file)) begin
    $dumpfile(wave_file);
    $dumpvars(0, testbench);
  end
`endif

  reg         rst;
  reg  [63:0] clock;          // of the edge that is being computed
  reg  [63:0] next;           // clock of the next tick
  reg  [63:0] skip, steps, step_ns;
  reg         skip_enabled;
  reg         driving;
  // outputs of a tick
  reg  [63:0] tick_tdata_a, tick_tdata_b;
  reg  [31:0] tick_control, tick_address, tick_data;

  reg  [63:0] rx_a_tdata, rx_b_tdata;
  reg  [7:0]  rx_a_tkeep, rx_b_tkeep;
  reg         rx_a_tvalid, rx_a_tlast, rx_a_tuser;
  reg         rx_b_tvalid, rx_b_tlast, rx_b_tuser;
  wire [63:0] tx_tdata;
  wire [7:0]  tx_tkeep;
  wire        tx_tvalid, tx_tlast;

  reg         register_start, register_write;
  reg  [11:0] register_address;
  reg  [31:0] register_data;
  wire        register_busy, register_done;
  wire [31:0] register_answer;
  wire [1:0]  register_response;
  wire [11:0] axil_awaddr, axil_araddr;
  wire [31:0] axil_wdata, axil_rdata;
  wire [1:0]  axil_bresp, axil_rresp;
  wire        axil_awvalid, axil_awready, axil_wvalid, axil_wready, axil_bvalid, axil_bready;
  wire        axil_arvalid, axil_arready, axil_rvalid, axil_rready;

  // host memory port: a host takes address and data independently
  wire [63:0]  axi_awaddr, axi_araddr;
  wire [511:0] axi_wdata;
  wire [63:0]  axi_wstrb;
  wire         axi_awvalid, axi_wvalid, axi_bready, axi_arvalid, axi_rready;
  reg          held_aw, held_w;
  reg  [63:0]  held_address;
  reg  [511:0] held_line;
  reg  [63:0]  held_strobe;
  reg  [3:0]   answers;         // writes whose answer the NIC has not taken
  wire         axi_bvalid = answers != 4'd0;
  wire         axi_awready = !held_aw && !answers[3];
  wire         axi_wready = !held_w && !answers[3];
  wire         have_aw = held_aw || (axi_awvalid && axi_awready);
  wire         have_w = held_w || (axi_wvalid && axi_wready);
  reg  [511:0] read_line;
  reg  [511:0] read_queue [0:3];
  reg  [2:0]   read_count;      // lines waiting for the NIC
  reg  [1:0]   read_first;
  reg  [2:0]   read_open;       // reads taken, not yet answered to the NIC
  wire         axi_arready = read_open != 3'd4;
  wire         read_taken = axi_rready && (read_count != 3'd0);
  wire [1:0]   read_last = read_first + read_count[1:0];

  reg          time_step_valid;
  reg  [47:0]  time_step_ns;
  wire         report_valid, report_line, receive_idle, host_idle;
  wire         idle = receive_idle && host_idle;
  wire [7:0]   report_reason, report_kind, report_flags;
  wire [63:0]  report_gap_from, report_sequence;
  wire [79:0]  report_session;
  wire [15:0]  report_count;
  wire [47:0]  report_timestamp;

  axi_lite_master registers (
    .clk(clk), .rst(rst), .start(register_start), .write(register_write), .address(register_address),
    .data(register_data), .busy(register_busy), .done(register_done), .answer(register_answer),
    .response(register_response),
    .m_axil_awaddr(axil_awaddr), .m_axil_awvalid(axil_awvalid), .m_axil_awready(axil_awready),
    .m_axil_wdata(axil_wdata), .m_axil_wvalid(axil_wvalid), .m_axil_wready(axil_wready),
    .m_axil_bresp(axil_bresp), .m_axil_bvalid(axil_bvalid), .m_axil_bready(axil_bready),
    .m_axil_araddr(axil_araddr), .m_axil_arvalid(axil_arvalid), .m_axil_arready(axil_arready),
    .m_axil_rdata(axil_rdata), .m_axil_rresp(axil_rresp), .m_axil_rvalid(axil_rvalid), .m_axil_rready(axil_rready)
  );

  smartnic #(
    .PERIOD_NS(PERIOD_NS), .PERIOD_NUM(PERIOD_NUM), .PERIOD_DEN(PERIOD_DEN)
  ) nic (
    .clk(clk), .rst(rst),
    .rx_a_tdata(rx_a_tdata), .rx_a_tkeep(rx_a_tkeep), .rx_a_tvalid(rx_a_tvalid), .rx_a_tlast(rx_a_tlast),
    .rx_a_tuser(rx_a_tuser),
    .rx_b_tdata(rx_b_tdata), .rx_b_tkeep(rx_b_tkeep), .rx_b_tvalid(rx_b_tvalid), .rx_b_tlast(rx_b_tlast),
    .rx_b_tuser(rx_b_tuser),
    .tx_tdata(tx_tdata), .tx_tkeep(tx_tkeep), .tx_tvalid(tx_tvalid), .tx_tready(1'b1), .tx_tlast(tx_tlast),
    .s_axil_awaddr(axil_awaddr), .s_axil_awvalid(axil_awvalid), .s_axil_awready(axil_awready),
    .s_axil_wdata(axil_wdata), .s_axil_wstrb(4'hF), .s_axil_wvalid(axil_wvalid), .s_axil_wready(axil_wready),
    .s_axil_bresp(axil_bresp), .s_axil_bvalid(axil_bvalid), .s_axil_bready(axil_bready),
    .s_axil_araddr(axil_araddr), .s_axil_arvalid(axil_arvalid), .s_axil_arready(axil_arready),
    .s_axil_rdata(axil_rdata), .s_axil_rresp(axil_rresp), .s_axil_rvalid(axil_rvalid), .s_axil_rready(axil_rready),
    .m_axi_awaddr(axi_awaddr), .m_axi_awlen(), .m_axi_awsize(), .m_axi_awburst(),
    .m_axi_awvalid(axi_awvalid), .m_axi_awready(axi_awready),
    .m_axi_wdata(axi_wdata), .m_axi_wstrb(axi_wstrb), .m_axi_wlast(),
    .m_axi_wvalid(axi_wvalid), .m_axi_wready(axi_wready),
    .m_axi_bresp(2'b00), .m_axi_bvalid(axi_bvalid), .m_axi_bready(axi_bready),
    .m_axi_araddr(axi_araddr), .m_axi_arlen(), .m_axi_arsize(), .m_axi_arburst(),
    .m_axi_arvalid(axi_arvalid), .m_axi_arready(axi_arready),
    .m_axi_rdata(read_queue[read_first]), .m_axi_rresp(2'b00), .m_axi_rlast(1'b1),
    .m_axi_rvalid(read_count != 3'd0), .m_axi_rready(axi_rready),
    .time_step_valid(time_step_valid), .time_step_ns(time_step_ns), .time_ns(),
    .report_valid(report_valid), .report_line(report_line), .report_reason(report_reason), .report_kind(report_kind),
    .report_flags(report_flags), .report_gap_from(report_gap_from), .report_session(report_session),
    .report_sequence(report_sequence), .report_count(report_count), .report_timestamp(report_timestamp),
    .receive_idle(receive_idle), .host_idle(host_idle)
  );

  // The bytes of frame_log from its sequence number on.
  reg  [REPORT_BITS-1:0] report;
  always @* begin
    report = {REPORT_BITS{1'b0}};
    if (report_valid) begin          // spares the work in all other clocks
      report[8 * (`TL_FRAME_LOG_SEQUENCE - REPORT_FIRST) +: 64] = report_sequence;
      report[8 * (`TL_FRAME_LOG_GAP_FROM - REPORT_FIRST) +: 64] = report_gap_from;
      report[8 * (`TL_FRAME_LOG_HW_TIMESTAMP_NS - REPORT_FIRST) +: 48] = report_timestamp;
      report[8 * (`TL_FRAME_LOG_SESSION - REPORT_FIRST) +: 80] = report_session;
      report[8 * (`TL_FRAME_LOG_COUNT - REPORT_FIRST) +: 16] = report_count;
      report[8 * (`TL_FRAME_LOG_REASON - REPORT_FIRST) +: 8] = report_reason;
      report[8 * (`TL_FRAME_LOG_KIND - REPORT_FIRST) +: 8] = report_kind;
      report[8 * (`TL_FRAME_LOG_FLAGS - REPORT_FIRST) +: 8] = report_flags;
      report[8 * (`TL_FRAME_LOG_LINE - REPORT_FIRST) +: 1] = report_line;
    end
  end
  // Between filter and ring: where latencies are cut, seen without a port of the NIC.
  wire message_valid = nic.line_valid && nic.line_first && !nic.line_event;
  wire [31:0] idle_word = {31'd0, idle};

  // Nothing driven, nothing under way between the NIC and this testbench.
  wire quiet = idle && !rx_a_tvalid && !rx_b_tvalid && !register_start && !register_busy && !register_done
               && !held_aw && !held_w && !axi_bvalid && read_open == 3'd0;

  // Before the first run as after each: the reset of the next one.
  initial begin
    done = 1'b1;
    skip = 64'd0;
  end

  // Core calls use blocking assignments to variables of this block alone; everything the NIC sees is non-blocking.
  always @(posedge clk) if (go !== 1'b1) begin
    done <= 1'b0;
    rst <= 1'b1;
    clock <= 64'd0;
    next = FIRST_TICK;
    skip = 64'd0;
    skip_enabled = !$test$plusargs("no_skip");
    tick_tdata_a = 64'd0;
    tick_tdata_b = 64'd0;
    tick_control = 32'd0;
    tick_address = 32'd0;
    tick_data = 32'd0;
    rx_a_tdata <= 64'd0;
    rx_a_tkeep <= 8'd0;
    rx_a_tvalid <= 1'b0;
    rx_a_tlast <= 1'b0;
    rx_a_tuser <= 1'b0;
    rx_b_tdata <= 64'd0;
    rx_b_tkeep <= 8'd0;
    rx_b_tvalid <= 1'b0;
    rx_b_tlast <= 1'b0;
    rx_b_tuser <= 1'b0;
    register_start <= 1'b0;
    register_write <= 1'b0;
    register_address <= 12'd0;
    register_data <= 32'd0;
    held_aw <= 1'b0;
    held_w <= 1'b0;
    held_address <= 64'd0;
    held_line <= 512'd0;
    held_strobe <= 64'd0;
    answers <= 4'd0;
    read_line = 512'd0;
    read_count <= 3'd0;
    read_first <= 2'd0;
    read_open <= 3'd0;
    time_step_valid <= 1'b0;
    time_step_ns <= 48'd0;
  end else if (!done) begin
    rst <= clock < RESET_CLOCKS;
    skip = 64'd0;
    driving = 1'b0;
    rx_a_tvalid <= 1'b0;
    rx_b_tvalid <= 1'b0;
    register_start <= 1'b0;
    time_step_valid <= 1'b0;

    if (!rst) begin
`ifdef VERILATOR
      if (report_valid) tl_report(clock, report);
      if (message_valid) tl_valid(clock, nic.line_data[63:0]);
`else
      if (report_valid) $tl_report(clock, report);
      if (message_valid) $tl_valid(clock, nic.line_data[63:0]);
`endif
      if (have_aw && have_w) begin
`ifdef VERILATOR
        next = tl_write(clock, held_aw ? held_address : axi_awaddr, held_w ? held_strobe : axi_wstrb,
                        held_w ? held_line : axi_wdata);
`else
        $tl_write(clock, held_aw ? held_address : axi_awaddr, held_w ? held_strobe : axi_wstrb,
                  held_w ? held_line : axi_wdata, next);
`endif
        held_aw <= 1'b0;
        held_w <= 1'b0;
      end else begin
        if (axi_awvalid && axi_awready) begin
          held_aw <= 1'b1;
          held_address <= axi_awaddr;
        end
        if (axi_wvalid && axi_wready) begin
          held_w <= 1'b1;
          held_line <= axi_wdata;
          held_strobe <= axi_wstrb;
        end
      end
`ifdef VERILATOR
      if (axi_arvalid && axi_arready) next = tl_read(clock, axi_araddr);
      if (register_done) next = tl_register_done(clock, register_answer, {30'd0, register_response});
      if (tx_tvalid) next = tl_transmit(clock, tx_tdata, {24'd0, tx_tkeep}, {31'd0, tx_tlast});
      if (clock >= next) begin
        next = tl_tick(clock, idle_word, tick_tdata_a, tick_tdata_b, tick_control, tick_address, tick_data);
        if (tick_control[`TL_TICK_READ_DATA]) tl_read_data(read_line);
`else
      if (axi_arvalid && axi_arready) $tl_read(clock, axi_araddr, next);
      if (register_done) $tl_register_done(clock, register_answer, register_response, next);
      if (tx_tvalid) $tl_transmit(clock, tx_tdata, tx_tkeep, tx_tlast, next);
      if (clock >= next) begin
        $tl_tick(clock, idle_word, tick_tdata_a, tick_tdata_b, tick_control, tick_address, tick_data, next);
        if (tick_control[`TL_TICK_READ_DATA]) $tl_read_data(read_line);
`endif
        driving = |tick_control;
        if (tick_control[`TL_TICK_A_TVALID]) begin
          rx_a_tvalid <= 1'b1;
          rx_a_tdata <= tick_tdata_a;
          rx_a_tkeep <= tick_control[`TL_TICK_A_TKEEP +: 8];
          rx_a_tlast <= tick_control[`TL_TICK_A_TLAST];
          rx_a_tuser <= tick_control[`TL_TICK_A_TUSER];
        end
        if (tick_control[`TL_TICK_B_TVALID]) begin
          rx_b_tvalid <= 1'b1;
          rx_b_tdata <= tick_tdata_b;
          rx_b_tkeep <= tick_control[`TL_TICK_B_TKEEP +: 8];
          rx_b_tlast <= tick_control[`TL_TICK_B_TLAST];
          rx_b_tuser <= tick_control[`TL_TICK_B_TUSER];
        end
        if (tick_control[`TL_TICK_REGISTER]) begin
          register_start <= 1'b1;
          register_write <= tick_control[`TL_TICK_REGISTER_WRITE];
          register_address <= tick_address[11:0];
          register_data <= tick_data;
        end
        if (tick_control[`TL_TICK_READ_DATA]) read_queue[read_last] <= read_line;
        if (tick_control[`TL_TICK_FINISHED]) done <= 1'b1;
      end
      answers <= answers + {3'd0, have_aw && have_w} - {3'd0, axi_bvalid && axi_bready};
      read_count <= read_count + {2'd0, driving && tick_control[`TL_TICK_READ_DATA]} - {2'd0, read_taken};
      read_open <= read_open + {2'd0, axi_arvalid && axi_arready} - {2'd0, read_taken};
      if (read_taken) read_first <= read_first + 2'd1;

      if (skip_enabled && quiet && !driving) begin
`ifdef VERILATOR
        next = tl_rest(next);
`else
        $tl_rest(next);
`endif
      end
      if (skip_enabled && quiet && !driving && next > clock + {32'd0, SKIP_CLOCKS}) begin
        steps = (next - clock - 64'd1) / {32'd0, SKIP_CLOCKS};
        skip = steps * {32'd0, SKIP_CLOCKS};
        step_ns = steps * {32'd0, SKIP_NS};
        time_step_valid <= 1'b1;
        time_step_ns <= step_ns[47:0];
`ifdef VERILATOR
        tl_skip(skip);
`else
        $tl_skip(skip);
`endif
      end
    end
    clock <= clock + 64'd1 + skip;
  end

endmodule
`default_nettype wire
