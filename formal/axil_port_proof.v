// SPDX-License-Identifier: MIT
// AXI4-Lite (IHI 0022, A3.2 and B1): answers wait for ready and do not change, one answer a write once address and data
// have come, one a read; one strobe each to the register map; and no access ever waits for more than the answer before it.
`default_nettype none

module axil_port_proof (
  input wire        clk,
  input wire        rst,
  input wire [11:0] awaddr,
  input wire        awvalid,
  input wire [31:0] wdata,
  input wire [3:0]  wstrb,
  input wire        wvalid,
  input wire        bready,
  input wire [11:0] araddr,
  input wire        arvalid,
  input wire        rready,
  input wire        write_wait,
  input wire        write_accepted,
  input wire [31:0] read_data,
  input wire        read_accepted
);

  wire        awready;
  wire        wready;
  wire [1:0]  bresp;
  wire        bvalid;
  wire        arready;
  wire [31:0] rdata;
  wire [1:0]  rresp;
  wire        rvalid;
  wire        write;
  wire [11:0] write_address;
  wire [31:0] write_data;
  wire        write_whole;
  wire        read;
  wire [11:0] read_address;
  wire        idle;

  axil_port u_axil_port (
    .clk            (clk),
    .rst            (rst),
    .s_axil_awaddr  (awaddr),
    .s_axil_awvalid (awvalid),
    .s_axil_awready (awready),
    .s_axil_wdata   (wdata),
    .s_axil_wstrb   (wstrb),
    .s_axil_wvalid  (wvalid),
    .s_axil_wready  (wready),
    .s_axil_bresp   (bresp),
    .s_axil_bvalid  (bvalid),
    .s_axil_bready  (bready),
    .s_axil_araddr  (araddr),
    .s_axil_arvalid (arvalid),
    .s_axil_arready (arready),
    .s_axil_rdata   (rdata),
    .s_axil_rresp   (rresp),
    .s_axil_rvalid  (rvalid),
    .s_axil_rready  (rready),
    .write          (write),
    .write_address  (write_address),
    .write_data     (write_data),
    .write_whole    (write_whole),
    .write_wait     (write_wait),
    .write_accepted (write_accepted),
    .read           (read),
    .read_address   (read_address),
    .read_data      (read_data),
    .read_accepted  (read_accepted),
    .idle           (idle)
  );

  localparam WAIT_LIMIT = 3;

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire       \u_axil_port.aw_held ;
  (* hierconn *) wire       \u_axil_port.w_held ;
  (* hierconn *) wire       \u_axil_port.ar_held ;
  (* hierconn *) wire       \u_axil_port.read_sampled ;
  (* hierconn *) wire [1:0] \u_axil_port.write_clocks ;
  // verilog_lint: waive-end signal-name-style

  reg        started = 1'b0;
  reg [2:0]  addresses;               // taken, their write not done
  reg [2:0]  data;
  reg [2:0]  reads;                   // taken, their answer not
  reg [2:0]  write_answers;           // writes done, their answer not taken
  reg        sampled;                 // the register map was asked
  reg [11:0] address_taken;
  reg [31:0] data_taken;
  reg [11:0] read_taken;
  reg [2:0]  write_clocks;            // that a whole write has waited, with nothing before it
  reg [2:0]  read_clocks;
  reg        old_bvalid;
  reg        old_rvalid;
  reg [1:0]  old_bresp;
  reg [33:0] old_read;
  reg        old_rst;

  always @(posedge clk) begin
    started    <= 1'b1;
    old_rst    <= rst;
    old_bvalid <= bvalid && !bready;
    old_bresp  <= bresp;
    old_rvalid <= rvalid && !rready;
    old_read   <= {rresp, rdata};
    if (!started)
      assume (rst);
    if (awvalid && awready)
      address_taken <= awaddr;
    if (wvalid && wready)
      data_taken <= wdata;
    if (arvalid && arready)
      read_taken <= araddr;
    write_clocks <= rst || write || addresses == 3'd0 || data == 3'd0 || bvalid || write_wait ? 3'd0
                    : write_clocks + 3'd1;
    read_clocks  <= rst || rvalid || reads == 3'd0 ? 3'd0 : read_clocks + 3'd1;
    if (rst) begin
      addresses     <= 3'd0;
      data          <= 3'd0;
      reads         <= 3'd0;
      write_answers <= 3'd0;
      sampled       <= 1'b0;
    end else begin
      addresses     <= addresses + {2'd0, awvalid && awready} - {2'd0, write};
      data          <= data + {2'd0, wvalid && wready} - {2'd0, write};
      reads         <= reads + {2'd0, arvalid && arready} - {2'd0, rvalid && rready};
      write_answers <= write_answers + {2'd0, write} - {2'd0, bvalid && bready};
      sampled       <= (sampled || read) && !(rvalid && rready);
    end

    if (started && !rst) begin
      // A3.2.1: once valid, valid and payload stay until ready.
      if (old_bvalid && !old_rst)
        assert (bvalid && bresp == old_bresp);
      if (old_rvalid && !old_rst)
        assert (rvalid && {rresp, rdata} == old_read);
      // A3.3.1: an answer comes after all of its request, and each request has one.
      assert (addresses <= 3'd1 && data <= 3'd1 && reads <= 3'd2);
      assert (!write || (addresses == 3'd1 && data == 3'd1));
      assert (!read || (reads == 3'd1 && !sampled));
      assert (bvalid == (write_answers != 3'd0) && write_answers <= 3'd1);
      assert (!rvalid || (reads != 3'd0 && sampled));
      // The registers see the address and data that were taken.
      if (write)
        assert (write_address == address_taken && write_data == data_taken);
      if (read)
        assert (read_address == read_taken);
      // Nothing waits for ever: a port is ready again once its access is done, and that is WAIT_LIMIT clocks after the
      // request and the answer before it at the latest, when the register map does not wait.
      assert (awready || addresses != 3'd0);
      assert (wready || data != 3'd0);
      assert (arready || reads != 3'd0);
      assert (write_clocks <= WAIT_LIMIT && read_clocks <= WAIT_LIMIT);
      if (idle)
        assert (!bvalid && !rvalid && addresses == 3'd0 && data == 3'd0 && reads == 3'd0);
      // What holds in every reachable state, for the induction.
      assert (addresses == {2'd0, \u_axil_port.aw_held } && data == {2'd0, \u_axil_port.w_held });
      assert (reads == {2'd0, \u_axil_port.ar_held } + {2'd0, rvalid});
      assert (sampled == (\u_axil_port.read_sampled || rvalid));
      assert (!\u_axil_port.read_sampled || (\u_axil_port.ar_held && !rvalid));
      assert (!\u_axil_port.aw_held || write_address == address_taken);
      assert (!\u_axil_port.w_held || write_data == data_taken);
      assert (!\u_axil_port.ar_held || read_address == read_taken);
      assert (write_clocks <= {1'b0, \u_axil_port.write_clocks });
      assert (read_clocks <= (rvalid ? 3'd2 : {2'd0, \u_axil_port.read_sampled }));
    end
  end

endmodule
`default_nettype wire
