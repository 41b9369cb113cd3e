// SPDX-License-Identifier: MIT
// AXI4 write channels of the host port (IHI 0022, A3.2.1 and A3.3.1): AW and W stay until taken, as many W beats as
// addresses and never more than one apart, at most 255 writes unanswered, no answer waits. Every request that a source
// hands over, from any of the four, leaves once, whole and in its source's order, and counts as in flight until it is
// answered: one of them is followed, any one. Sources do as they please; the host answers only what it has been given.
`default_nettype none

module dma_write_mux_proof (
  input wire         clk,
  input wire         rst,
  input wire         line_write_valid,
  input wire [57:0]  line_write_line,
  input wire [511:0] line_write_data,
  input wire         descriptor_write_valid,
  input wire [57:0]  descriptor_write_line,
  input wire [511:0] descriptor_write_data,
  input wire [63:0]  descriptor_write_strobe,
  input wire         tx_write_valid,
  input wire [57:0]  tx_write_line,
  input wire [511:0] tx_write_data,
  input wire [63:0]  tx_write_strobe,
  input wire         raw_write_valid,
  input wire [57:0]  raw_write_line,
  input wire [511:0] raw_write_data,
  input wire         awready,
  input wire         wready,
  input wire [1:0]   bresp,
  input wire         bvalid,
  input wire         follow           // the request that the source hands over is followed, if none is
);

  wire         line_write_ready;
  wire         descriptor_write_ready;
  wire         tx_write_ready;
  wire         raw_write_ready;
  wire         rx_in_flight;
  wire         tx_in_flight;
  wire         raw_in_flight;
  wire         event_error;
  wire [63:0]  awaddr;
  wire         awvalid;
  wire [511:0] wdata;
  wire [63:0]  wstrb;
  wire         wvalid;
  wire         bready;

  dma_write_mux u_mux (
    .clk                     (clk),
    .rst                     (rst),
    .line_write_valid        (line_write_valid),
    .line_write_ready        (line_write_ready),
    .line_write_line         (line_write_line),
    .line_write_data         (line_write_data),
    .descriptor_write_valid  (descriptor_write_valid),
    .descriptor_write_ready  (descriptor_write_ready),
    .descriptor_write_line   (descriptor_write_line),
    .descriptor_write_data   (descriptor_write_data),
    .descriptor_write_strobe (descriptor_write_strobe),
    .tx_write_valid          (tx_write_valid),
    .tx_write_ready          (tx_write_ready),
    .tx_write_line           (tx_write_line),
    .tx_write_data           (tx_write_data),
    .tx_write_strobe         (tx_write_strobe),
    .raw_write_valid         (raw_write_valid),
    .raw_write_ready         (raw_write_ready),
    .raw_write_line          (raw_write_line),
    .raw_write_data          (raw_write_data),
    .rx_in_flight            (rx_in_flight),
    .tx_in_flight            (tx_in_flight),
    .raw_in_flight           (raw_in_flight),
    .event_error             (event_error),
    .m_axi_awaddr            (awaddr),
    .m_axi_awvalid           (awvalid),
    .m_axi_awready           (awready),
    .m_axi_wdata             (wdata),
    .m_axi_wstrb             (wstrb),
    .m_axi_wvalid            (wvalid),
    .m_axi_wready            (wready),
    .m_axi_bresp             (bresp),
    .m_axi_bvalid            (bvalid),
    .m_axi_bready            (bready)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire         \u_mux.free ;
  (* hierconn *) wire         \u_mux.descriptor_valid ;
  (* hierconn *) wire         \u_mux.descriptor_ready ;
  (* hierconn *) wire         \u_mux.tx_valid ;
  (* hierconn *) wire         \u_mux.tx_ready ;
  (* hierconn *) wire         \u_mux.raw_valid ;
  (* hierconn *) wire         \u_mux.raw_ready ;
  (* hierconn *) wire [7:0]   \u_mux.issued ;
  (* hierconn *) wire [7:0]   \u_mux.answered ;
  (* hierconn *) wire [7:0]   \u_mux.outstanding ;
  (* hierconn *) wire         \u_mux.most_outstanding ;
  (* hierconn *) wire [7:0]   \u_mux.rx_last ;
  (* hierconn *) wire [7:0]   \u_mux.tx_last ;
  (* hierconn *) wire [7:0]   \u_mux.raw_last ;
  (* hierconn *) wire         \u_mux.rx_issued ;
  (* hierconn *) wire         \u_mux.tx_issued ;
  (* hierconn *) wire         \u_mux.raw_issued ;
  (* hierconn *) wire [633:0] \u_mux.u_descriptor_skid.out_data ;
  (* hierconn *) wire [633:0] \u_mux.u_descriptor_skid.skid_data ;
  (* hierconn *) wire         \u_mux.u_descriptor_skid.skid_valid ;
  (* hierconn *) wire [633:0] \u_mux.u_tx_skid.out_data ;
  (* hierconn *) wire [633:0] \u_mux.u_tx_skid.skid_data ;
  (* hierconn *) wire         \u_mux.u_tx_skid.skid_valid ;
  (* hierconn *) wire [569:0] \u_mux.u_raw_skid.out_data ;
  (* hierconn *) wire [569:0] \u_mux.u_raw_skid.skid_data ;
  (* hierconn *) wire         \u_mux.u_raw_skid.skid_valid ;
  // verilog_lint: waive-end signal-name-style

  localparam [63:0] WHOLE = {64{1'b1}};

  // ---- The source whose request is followed: what it hands over, what its register stage holds

  (* anyconst *) reg [1:0] source;        // in the order of the ports

  // Of a request's 634 bits the ends of each field are compared: no bit is treated unlike its neighbours.
  function [11:0] ends_of (input [633:0] word);
    ends_of = {word[633:632], word[571:570], word[569:568], word[513:512], word[511:510], word[1:0]};
  endfunction

  reg          handed;
  reg  [633:0] request;                   // strobe, line, data
  reg          stage_valid;
  reg          second_valid;
  reg  [633:0] stage;
  reg  [633:0] second;
  reg          chosen;                    // it goes into the AXI registers
  reg          in_flight;
  reg          issued_flag;
  reg  [7:0]   last;

  always @*
    case (source)
      2'd0: begin
        handed       = line_write_valid && line_write_ready;
        request      = {WHOLE, line_write_line, line_write_data};
        stage_valid  = line_write_valid;
        second_valid = 1'b0;
        stage        = request;
        second       = request;
        chosen       = handed;
      end
      2'd1: begin
        handed       = descriptor_write_valid && descriptor_write_ready;
        request      = {descriptor_write_strobe, descriptor_write_line, descriptor_write_data};
        stage_valid  = \u_mux.descriptor_valid ;
        second_valid = \u_mux.u_descriptor_skid.skid_valid ;
        stage        = \u_mux.u_descriptor_skid.out_data ;
        second       = \u_mux.u_descriptor_skid.skid_data ;
        chosen       = stage_valid && \u_mux.descriptor_ready ;
      end
      2'd2: begin
        handed       = tx_write_valid && tx_write_ready;
        request      = {tx_write_strobe, tx_write_line, tx_write_data};
        stage_valid  = \u_mux.tx_valid ;
        second_valid = \u_mux.u_tx_skid.skid_valid ;
        stage        = \u_mux.u_tx_skid.out_data ;
        second       = \u_mux.u_tx_skid.skid_data ;
        chosen       = stage_valid && \u_mux.tx_ready ;
      end
      default: begin
        handed       = raw_write_valid && raw_write_ready;
        request      = {WHOLE, raw_write_line, raw_write_data};
        stage_valid  = \u_mux.raw_valid ;
        second_valid = \u_mux.u_raw_skid.skid_valid ;
        stage        = {WHOLE, \u_mux.u_raw_skid.out_data };
        second       = {WHOLE, \u_mux.u_raw_skid.skid_data };
        chosen       = stage_valid && \u_mux.raw_ready ;
      end
    endcase

  always @*
    case (source)
      2'd2:    {in_flight, issued_flag, last} = {tx_in_flight, \u_mux.tx_issued , \u_mux.tx_last };
      2'd3:    {in_flight, issued_flag, last} = {raw_in_flight, \u_mux.raw_issued , \u_mux.raw_last };
      default: {in_flight, issued_flag, last} = {rx_in_flight, \u_mux.rx_issued , \u_mux.rx_last };
    endcase

  // ---- The request that is followed: in the register stage, on AW and W, unanswered

  reg          started = 1'b0;
  reg  [8:0]   addresses;                 // taken by the host and not answered
  reg  [8:0]   beats;
  reg  [1:0]   held;                      // of the source: handed over, not on AW yet
  reg          stays;                     // it is among them
  reg          ahead;                     // ... behind another
  reg          on_aw;
  reg          on_w;
  reg          unanswered;
  reg  [7:0]   preceding;                // writes whose answers come before its own
  reg  [11:0]  followed;
  reg          aw_waits;
  reg  [63:0]  old_awaddr;
  reg          w_waits;
  reg  [575:0] old_w;

  wire [11:0]  on_port  = ends_of({wstrb, awaddr[63:6], wdata});
  wire         aw_taken = awvalid && awready;
  wire         w_taken  = wvalid && wready;
  wire         answer   = bvalid && bready;
  wire         starts   = follow && handed && !stays && !unanswered;
  wire         issues   = chosen && (stays ? !ahead : starts && held == 2'd0 && source == 2'd0);
  wire [7:0]   reach    = last - \u_mux.answered ;
  wire [7:0]   rx_reach = \u_mux.rx_last - \u_mux.answered ;
  wire [7:0]   tx_reach = \u_mux.tx_last - \u_mux.answered ;
  wire [7:0]   raw_reach = \u_mux.raw_last - \u_mux.answered ;

  always @(posedge clk) begin
    started    <= 1'b1;
    aw_waits   <= awvalid && !awready && !rst;
    old_awaddr <= awaddr;
    w_waits    <= wvalid && !wready && !rst;
    old_w      <= {wstrb, wdata};
    if (rst) begin
      addresses  <= 9'd0;
      beats      <= 9'd0;
      held       <= 2'd0;
      stays      <= 1'b0;
      on_aw      <= 1'b0;
      on_w       <= 1'b0;
      unanswered <= 1'b0;
    end else begin
      addresses <= addresses + {8'd0, aw_taken} - {8'd0, answer};
      beats     <= beats + {8'd0, w_taken} - {8'd0, answer};
      held      <= held + {1'b0, handed} - {1'b0, chosen};
      if (starts) begin
        followed <= ends_of(request);
        stays    <= !issues;
        ahead    <= held != {1'b0, chosen};
      end else if (stays && chosen) begin
        stays <= ahead;
        ahead <= 1'b0;
      end
      on_aw <= issues || (on_aw && !awready);
      on_w  <= issues || (on_w && !wready);
      if (issues) begin
        unanswered <= 1'b1;
        preceding     <= \u_mux.outstanding - {7'd0, answer};
      end else if (unanswered && answer) begin
        unanswered <= preceding != 8'd0;
        preceding  <= preceding - 8'd1;
      end
    end

    if (!started)
      assume (rst);
    // A3.3.1: the host answers a write once it has its address and its data.
    assume (!bvalid || !started || (addresses != 9'd0 && beats != 9'd0));

    if (started) begin
      if (aw_waits)
        assert (awvalid && awaddr == old_awaddr);
      if (w_waits)
        assert (wvalid && {wstrb, wdata} == old_w);
      assert (awaddr[5:0] == 6'd0);
      assert (addresses <= 9'd255 && beats <= 9'd255);
      assert (addresses + {8'd0, awvalid} == beats + {8'd0, wvalid});
      assert (!bvalid || bready);
      assert (event_error == (answer && bresp[1]));

      assert (held == {1'b0, source != 2'd0 && stage_valid} + {1'b0, second_valid});
      if (stays) begin
        assert (held > {1'b0, ahead} && ends_of(ahead ? second : stage) == followed);
        assert (in_flight);
      end
      if (on_aw)
        assert (awvalid && on_port[7:4] == followed[7:4]);
      if (on_w)
        assert (wvalid && {on_port[11:8], on_port[3:0]} == {followed[11:8], followed[3:0]});
      if (unanswered)
        assert (in_flight);

      // What holds in every reachable state, for the induction.
      assert (\u_mux.outstanding == \u_mux.issued - \u_mux.answered );
      assert ({1'b0, \u_mux.outstanding } == addresses + {8'd0, awvalid});
      assert (\u_mux.most_outstanding == (\u_mux.outstanding == 8'hFF));
      assert (source == 2'd0 ? !stays : !second_valid || stage_valid);
      assert (!stays || !unanswered);
      assert (!(on_aw || on_w) || (unanswered && preceding == \u_mux.outstanding - 8'd1));
      if (unanswered)
        assert (preceding < \u_mux.outstanding && issued_flag && reach >= preceding);
      // In flight only while something of the source is unanswered.
      assert (!\u_mux.rx_issued || rx_reach < \u_mux.outstanding );
      assert (!\u_mux.tx_issued || tx_reach < \u_mux.outstanding );
      assert (!\u_mux.raw_issued || raw_reach < \u_mux.outstanding );
    end
  end

endmodule
`default_nettype wire
