// SPDX-License-Identifier: MIT
// AXI4-Lite slave protocol, no register in it: one write and one read under way at a time, address and data of a
// write in any order. A write stands before the register map for at least 3 clocks, for as long as `write_wait` is 1,
// and takes effect in the clock its strobe is 1. A read is sampled in its first clock and answered in its second.
`default_nettype none

module axil_port (
  input  wire         clk,
  input  wire         rst,

  input  wire [11:0]  s_axil_awaddr,
  input  wire         s_axil_awvalid,
  output wire         s_axil_awready,
  input  wire [31:0]  s_axil_wdata,
  input  wire [3:0]   s_axil_wstrb,
  input  wire         s_axil_wvalid,
  output wire         s_axil_wready,
  output reg  [1:0]   s_axil_bresp,
  output reg          s_axil_bvalid,
  input  wire         s_axil_bready,
  input  wire [11:0]  s_axil_araddr,
  input  wire         s_axil_arvalid,
  output wire         s_axil_arready,
  output reg  [31:0]  s_axil_rdata,
  output reg  [1:0]   s_axil_rresp,
  output reg          s_axil_rvalid,
  input  wire         s_axil_rready,

  // To the register map
  output wire         write,
  output reg  [11:0]  write_address,
  output reg  [31:0]  write_data,
  output reg          write_whole,    // all four byte strobes
  input  wire         write_wait,
  input  wire         write_accepted, // registered: of the address and data one clock before
  output wire         read,           // the clock in which the value is sampled
  output reg  [11:0]  read_address,
  input  wire [31:0]  read_data,      // one clock later
  input  wire         read_accepted,

  output wire         idle
);

  localparam [1:0] OKAY   = 2'b00;
  localparam [1:0] SLVERR = 2'b10;

  reg       aw_held;
  reg       w_held;
  reg       ar_held;
  reg       read_sampled;
  reg [1:0] write_clocks;             // that the write under way has stood before the register map

  wire write_held = aw_held && w_held && !s_axil_bvalid;
  wire answer     = ar_held && read_sampled;

  assign s_axil_awready = !aw_held;
  assign s_axil_wready  = !w_held;
  assign s_axil_arready = !ar_held;

  assign write = write_held && write_clocks[1] && !write_wait;
  assign read  = ar_held && !read_sampled && !s_axil_rvalid;
  assign idle  = !aw_held && !w_held && !ar_held && !s_axil_bvalid && !s_axil_rvalid;

  always @(posedge clk) begin
    if (rst) begin
      aw_held       <= 1'b0;
      w_held        <= 1'b0;
      write_clocks  <= 2'd0;
      s_axil_bvalid <= 1'b0;
    end else begin
      if (s_axil_awvalid && s_axil_awready)
        aw_held <= 1'b1;
      else if (write)
        aw_held <= 1'b0;
      if (s_axil_wvalid && s_axil_wready)
        w_held <= 1'b1;
      else if (write)
        w_held <= 1'b0;
      if (write || !write_held)
        write_clocks <= 2'd0;
      else if (!write_clocks[1])
        write_clocks <= write_clocks + 2'd1;
      if (write)
        s_axil_bvalid <= 1'b1;
      else if (s_axil_bready)
        s_axil_bvalid <= 1'b0;
    end
    if (s_axil_awvalid && s_axil_awready)
      write_address <= s_axil_awaddr;
    if (s_axil_wvalid && s_axil_wready) begin
      write_data  <= s_axil_wdata;
      write_whole <= &s_axil_wstrb;
    end
    if (write)
      s_axil_bresp <= write_accepted ? OKAY : SLVERR;
  end

  always @(posedge clk) begin
    if (rst) begin
      ar_held       <= 1'b0;
      read_sampled  <= 1'b0;
      s_axil_rvalid <= 1'b0;
    end else begin
      if (s_axil_arvalid && s_axil_arready)
        ar_held <= 1'b1;
      else if (answer)
        ar_held <= 1'b0;
      read_sampled <= read;
      if (answer)
        s_axil_rvalid <= 1'b1;
      else if (s_axil_rready)
        s_axil_rvalid <= 1'b0;
    end
    if (s_axil_arvalid && s_axil_arready)
      read_address <= s_axil_araddr;
    if (answer) begin
      s_axil_rdata <= read_accepted ? read_data : 32'd0;
      s_axil_rresp <= read_accepted ? OKAY : SLVERR;
    end
  end

endmodule
`default_nettype wire
