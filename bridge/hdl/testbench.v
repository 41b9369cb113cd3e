// SPDX-License-Identifier: MIT
// The NIC between the wire and host memory, under the native core. One block calls the core, at the rising edge and in a
// fixed order: reports, DMA writes, DMA reads, register answers, transmitted beats, then the tick if it is due.
// This block owns the clock count. When nothing is in flight it skips to just before the next due clock, in steps of
// 5 clocks = 32 ns so that the NIC's nanosecond counter can follow exactly.
`timescale 1ps / 1ps
`default_nettype none
module testbench (
`ifdef VERILATOR
  input  wire clk,
`endif
  input  wire go,
  output reg  done
);

  localparam SKIP_CLOCKS = 5;
  localparam SKIP_NS = 32;
  localparam RESET_CLOCKS = 4;
  localparam FIRST_TICK = 8;

`ifdef VERILATOR
  import "DPI-C" function longint unsigned tl_tick(
      input longint unsigned clock, input int unsigned idle, output longint unsigned tdata, output int unsigned control,
      output int unsigned address, output int unsigned data);
  import "DPI-C" function longint unsigned tl_write(
      input longint unsigned clock, input longint unsigned address, input bit [511:0] line);
  import "DPI-C" function longint unsigned tl_read(input longint unsigned clock, input longint unsigned address);
  import "DPI-C" function void tl_read_data(output bit [511:0] line);
  import "DPI-C" function longint unsigned tl_register_done(
      input longint unsigned clock, input int unsigned data, input int unsigned response);
  import "DPI-C" function void tl_transmit(
      input longint unsigned clock, input longint unsigned tdata, input int unsigned tkeep, input int unsigned tlast);
  import "DPI-C" function void tl_report(input longint unsigned clock, input bit [319:0] report);
  import "DPI-C" function void tl_skip(input longint unsigned clocks);
`else
  // Skipped time passes at the end of the clock period, so that simulated time stays on the clock grid.
  reg clk;
  initial clk = 1'b0;
  always begin
    #3200 clk = 1'b1;
    #3200 clk = 1'b0;
    if (skip != 64'd0) #(skip * 6400) skip = 64'd0;
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
  reg  [63:0] skip;
  reg         skip_enabled;
  reg         driving;
  // outputs of a tick
  reg  [63:0] tick_tdata;
  reg  [31:0] tick_control, tick_address, tick_data;

  reg  [63:0] rx_tdata;
  reg  [7:0]  rx_tkeep;
  reg         rx_tvalid, rx_tlast, rx_tuser;
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
  wire         axi_awvalid, axi_wvalid, axi_bready, axi_arvalid, axi_rready;
  reg          held_aw, held_w;
  reg  [63:0]  held_address;
  reg  [511:0] held_line;
  wire         axi_awready = !held_aw;
  wire         axi_wready = !held_w;
  wire         have_aw = held_aw || axi_awvalid;
  wire         have_w = held_w || axi_wvalid;
  reg          axi_bvalid;
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
  wire         report_valid, idle;
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

  smartnic nic (
    .clk(clk), .rst(rst),
    .rx_a_tdata(rx_tdata), .rx_a_tkeep(rx_tkeep), .rx_a_tvalid(rx_tvalid), .rx_a_tlast(rx_tlast), .rx_a_tuser(rx_tuser),
    .tx_tdata(tx_tdata), .tx_tkeep(tx_tkeep), .tx_tvalid(tx_tvalid), .tx_tready(1'b1), .tx_tlast(tx_tlast),
    .s_axil_awaddr(axil_awaddr), .s_axil_awvalid(axil_awvalid), .s_axil_awready(axil_awready),
    .s_axil_wdata(axil_wdata), .s_axil_wstrb(4'hF), .s_axil_wvalid(axil_wvalid), .s_axil_wready(axil_wready),
    .s_axil_bresp(axil_bresp), .s_axil_bvalid(axil_bvalid), .s_axil_bready(axil_bready),
    .s_axil_araddr(axil_araddr), .s_axil_arvalid(axil_arvalid), .s_axil_arready(axil_arready),
    .s_axil_rdata(axil_rdata), .s_axil_rresp(axil_rresp), .s_axil_rvalid(axil_rvalid), .s_axil_rready(axil_rready),
    .m_axi_awaddr(axi_awaddr), .m_axi_awlen(), .m_axi_awsize(), .m_axi_awburst(),
    .m_axi_awvalid(axi_awvalid), .m_axi_awready(axi_awready),
    .m_axi_wdata(axi_wdata), .m_axi_wstrb(), .m_axi_wlast(), .m_axi_wvalid(axi_wvalid), .m_axi_wready(axi_wready),
    .m_axi_bresp(2'b00), .m_axi_bvalid(axi_bvalid), .m_axi_bready(axi_bready),
    .m_axi_araddr(axi_araddr), .m_axi_arlen(), .m_axi_arsize(), .m_axi_arburst(),
    .m_axi_arvalid(axi_arvalid), .m_axi_arready(axi_arready),
    .m_axi_rdata(read_queue[read_first]), .m_axi_rresp(2'b00), .m_axi_rlast(1'b1),
    .m_axi_rvalid(read_count != 3'd0), .m_axi_rready(axi_rready),
    .time_step_valid(time_step_valid), .time_step_ns(time_step_ns), .time_ns(),
    .report_valid(report_valid), .report_reason(report_reason), .report_kind(report_kind),
    .report_flags(report_flags), .report_gap_from(report_gap_from), .report_session(report_session),
    .report_sequence(report_sequence), .report_count(report_count), .report_timestamp(report_timestamp),
    .idle(idle)
  );

  // The bytes of frame_log from its sequence number on.
  wire [319:0] report = {8'd0, report_flags, report_kind, report_reason, report_count, report_session,
                         16'd0, report_timestamp, report_gap_from, report_sequence};
  wire [31:0] idle_word = {31'd0, idle};

  initial begin
    rst = 1'b1;
    done = 1'b0;
    clock = 64'd0;
    next = FIRST_TICK;
    skip = 64'd0;
    skip_enabled = !$test$plusargs("no_skip");
    driving = 1'b0;
    tick_tdata = 64'd0;
    tick_control = 32'd0;
    tick_address = 32'd0;
    tick_data = 32'd0;
    rx_tdata = 64'd0;
    rx_tkeep = 8'd0;
    rx_tvalid = 1'b0;
    rx_tlast = 1'b0;
    rx_tuser = 1'b0;
    register_start = 1'b0;
    register_write = 1'b0;
    register_address = 12'd0;
    register_data = 32'd0;
    held_aw = 1'b0;
    held_w = 1'b0;
    held_address = 64'd0;
    held_line = 512'd0;
    axi_bvalid = 1'b0;
    read_line = 512'd0;
    read_count = 3'd0;
    read_first = 2'd0;
    read_open = 3'd0;
    time_step_valid = 1'b0;
    time_step_ns = 48'd0;
  end

  // Core calls use blocking assignments to variables of this block alone; everything the NIC sees is non-blocking.
  always @(posedge clk) if (go && !done) begin
    rst <= clock < RESET_CLOCKS;
    skip = 64'd0;
    driving = 1'b0;
    rx_tvalid <= 1'b0;
    register_start <= 1'b0;
    axi_bvalid <= 1'b0;
    time_step_valid <= 1'b0;

    if (!rst) begin
`ifdef VERILATOR
      if (report_valid) tl_report(clock, report);
`else
      if (report_valid) $tl_report(clock, report);
`endif
      if (have_aw && have_w) begin
`ifdef VERILATOR
        next = tl_write(clock, held_aw ? held_address : axi_awaddr, held_w ? held_line : axi_wdata);
`else
        $tl_write(clock, held_aw ? held_address : axi_awaddr, held_w ? held_line : axi_wdata, next);
`endif
        held_aw <= 1'b0;
        held_w <= 1'b0;
        axi_bvalid <= 1'b1;
      end else begin
        if (axi_awvalid && axi_awready) begin
          held_aw <= 1'b1;
          held_address <= axi_awaddr;
        end
        if (axi_wvalid && axi_wready) begin
          held_w <= 1'b1;
          held_line <= axi_wdata;
        end
      end
`ifdef VERILATOR
      if (axi_arvalid && axi_arready) next = tl_read(clock, axi_araddr);
      if (register_done) next = tl_register_done(clock, register_answer, {30'd0, register_response});
      if (tx_tvalid) tl_transmit(clock, tx_tdata, {24'd0, tx_tkeep}, {31'd0, tx_tlast});
      if (clock >= next) begin
        next = tl_tick(clock, idle_word, tick_tdata, tick_control, tick_address, tick_data);
        if (tick_control[13]) tl_read_data(read_line);
`else
      if (axi_arvalid && axi_arready) $tl_read(clock, axi_araddr, next);
      if (register_done) $tl_register_done(clock, register_answer, register_response, next);
      if (tx_tvalid) $tl_transmit(clock, tx_tdata, tx_tkeep, tx_tlast);
      if (clock >= next) begin
        $tl_tick(clock, idle_word, tick_tdata, tick_control, tick_address, tick_data, next);
        if (tick_control[13]) $tl_read_data(read_line);
`endif
        driving = |tick_control;
        if (tick_control[8]) begin
          rx_tvalid <= 1'b1;
          rx_tdata <= tick_tdata;
          rx_tkeep <= tick_control[7:0];
          rx_tlast <= tick_control[9];
          rx_tuser <= tick_control[10];
        end
        if (tick_control[11]) begin
          register_start <= 1'b1;
          register_write <= tick_control[12];
          register_address <= tick_address[11:0];
          register_data <= tick_data;
        end
        if (tick_control[13]) read_queue[read_last] <= read_line;
        if (tick_control[14]) done <= 1'b1;
      end
      read_count <= read_count + {2'd0, driving && tick_control[13]} - {2'd0, read_taken};
      read_open <= read_open + {2'd0, axi_arvalid && axi_arready} - {2'd0, read_taken};
      if (read_taken) read_first <= read_first + 2'd1;

      if (skip_enabled && idle && !driving && !rx_tvalid && !register_start && !register_busy && !register_done
          && !axi_bvalid && read_open == 3'd0 && !time_step_valid && next > clock + SKIP_CLOCKS) begin
        skip = (next - clock - 64'd1) / SKIP_CLOCKS * SKIP_CLOCKS;
        time_step_valid <= 1'b1;
        time_step_ns <= skip[47:0] / SKIP_CLOCKS * SKIP_NS;
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
