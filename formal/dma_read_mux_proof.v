// SPDX-License-Identifier: MIT
// AXI4 read channels of the host port (IHI 0022, A3.2.1): AR stays until taken, at most 16 reads are unanswered, no
// answer waits, and none goes to a source that did not ask: the answers go, in the order of the addresses, to those who
// asked. Every read that a source hands over leaves once, with its address and in its source's order: one of them is
// followed, any one. Sources do as they please; the host answers only what it has been asked.
`default_nettype none

module dma_read_mux_proof (
  input wire         clk,
  input wire         rst,
  input wire         slot_read_valid,
  input wire [57:0]  slot_read_line,
  input wire         tx_read_valid,
  input wire [57:0]  tx_read_line,
  input wire         rx_read_valid,
  input wire [57:0]  rx_read_line,
  input wire         frame_read_valid,
  input wire [57:0]  frame_read_line,
  input wire         arready,
  input wire [511:0] rdata,
  input wire [1:0]   rresp,
  input wire         rvalid,
  input wire         follow           // the read that the source hands over is followed, if none is
);

  wire         slot_read_ready;
  wire         slot_answer;
  wire         tx_read_ready;
  wire         tx_answer;
  wire         rx_read_ready;
  wire         rx_answer;
  wire         frame_read_ready;
  wire         frame_answer;
  wire [511:0] answer_data;
  wire         answer_error;
  wire [63:0]  araddr;
  wire         arvalid;
  wire         rready;

  dma_read_mux u_mux (
    .clk              (clk),
    .rst              (rst),
    .slot_read_valid  (slot_read_valid),
    .slot_read_ready  (slot_read_ready),
    .slot_read_line   (slot_read_line),
    .slot_answer      (slot_answer),
    .tx_read_valid    (tx_read_valid),
    .tx_read_ready    (tx_read_ready),
    .tx_read_line     (tx_read_line),
    .tx_answer        (tx_answer),
    .rx_read_valid    (rx_read_valid),
    .rx_read_ready    (rx_read_ready),
    .rx_read_line     (rx_read_line),
    .rx_answer        (rx_answer),
    .frame_read_valid (frame_read_valid),
    .frame_read_ready (frame_read_ready),
    .frame_read_line  (frame_read_line),
    .frame_answer     (frame_answer),
    .answer_data      (answer_data),
    .answer_error     (answer_error),
    .m_axi_araddr     (araddr),
    .m_axi_arvalid    (arvalid),
    .m_axi_arready    (arready),
    .m_axi_rdata      (rdata),
    .m_axi_rresp      (rresp),
    .m_axi_rvalid     (rvalid),
    .m_axi_rready     (rready)
  );

  // Read inside the module
  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire        \u_mux.issue ;
  (* hierconn *) wire        \u_mux.full ;
  (* hierconn *) wire [4:0]  \u_mux.issued ;
  (* hierconn *) wire [4:0]  \u_mux.answered ;
  (* hierconn *) wire        \u_mux.tx_valid ;
  (* hierconn *) wire        \u_mux.tx_ready ;
  (* hierconn *) wire        \u_mux.rx_valid ;
  (* hierconn *) wire        \u_mux.rx_ready ;
  (* hierconn *) wire        \u_mux.frame_valid ;
  (* hierconn *) wire        \u_mux.frame_ready ;
  (* hierconn *) wire [57:0] \u_mux.u_tx_skid.out_data ;
  (* hierconn *) wire [57:0] \u_mux.u_tx_skid.skid_data ;
  (* hierconn *) wire        \u_mux.u_tx_skid.skid_valid ;
  (* hierconn *) wire [57:0] \u_mux.u_rx_skid.out_data ;
  (* hierconn *) wire [57:0] \u_mux.u_rx_skid.skid_data ;
  (* hierconn *) wire        \u_mux.u_rx_skid.skid_valid ;
  (* hierconn *) wire [57:0] \u_mux.u_frame_skid.out_data ;
  (* hierconn *) wire [57:0] \u_mux.u_frame_skid.skid_data ;
  (* hierconn *) wire        \u_mux.u_frame_skid.skid_valid ;
  // verilog_lint: waive-end signal-name-style

  // verilog_lint: waive-start signal-name-style
  (* hierconn *) wire [3:0]  \u_mux.source[0] ;
  (* hierconn *) wire [3:0]  \u_mux.source[1] ;
  (* hierconn *) wire [3:0]  \u_mux.source[2] ;
  (* hierconn *) wire [3:0]  \u_mux.source[3] ;
  (* hierconn *) wire [3:0]  \u_mux.source[4] ;
  (* hierconn *) wire [3:0]  \u_mux.source[5] ;
  (* hierconn *) wire [3:0]  \u_mux.source[6] ;
  (* hierconn *) wire [3:0]  \u_mux.source[7] ;
  (* hierconn *) wire [3:0]  \u_mux.source[8] ;
  (* hierconn *) wire [3:0]  \u_mux.source[9] ;
  (* hierconn *) wire [3:0]  \u_mux.source[10] ;
  (* hierconn *) wire [3:0]  \u_mux.source[11] ;
  (* hierconn *) wire [3:0]  \u_mux.source[12] ;
  (* hierconn *) wire [3:0]  \u_mux.source[13] ;
  (* hierconn *) wire [3:0]  \u_mux.source[14] ;
  (* hierconn *) wire [3:0]  \u_mux.source[15] ;
  // verilog_lint: waive-end signal-name-style

  // ---- The source whose read is followed: what it hands over, what its register stage holds

  (* anyconst *) reg [1:0] source;        // in the order of the ports

  reg         handed;
  reg  [57:0] line;
  reg         stage_valid;
  reg         second_valid;
  reg  [57:0] stage;
  reg  [57:0] second;
  reg         chosen;                     // it goes into the AXI register

  always @*
    case (source)
      2'd0: begin
        handed       = slot_read_valid && slot_read_ready;
        line         = slot_read_line;
        stage_valid  = slot_read_valid;
        second_valid = 1'b0;
        stage        = slot_read_line;
        second       = slot_read_line;
        chosen       = handed;
      end
      2'd1: begin
        handed       = tx_read_valid && tx_read_ready;
        line         = tx_read_line;
        stage_valid  = \u_mux.tx_valid ;
        second_valid = \u_mux.u_tx_skid.skid_valid ;
        stage        = \u_mux.u_tx_skid.out_data ;
        second       = \u_mux.u_tx_skid.skid_data ;
        chosen       = stage_valid && \u_mux.tx_ready ;
      end
      2'd2: begin
        handed       = rx_read_valid && rx_read_ready;
        line         = rx_read_line;
        stage_valid  = \u_mux.rx_valid ;
        second_valid = \u_mux.u_rx_skid.skid_valid ;
        stage        = \u_mux.u_rx_skid.out_data ;
        second       = \u_mux.u_rx_skid.skid_data ;
        chosen       = stage_valid && \u_mux.rx_ready ;
      end
      default: begin
        handed       = frame_read_valid && frame_read_ready;
        line         = frame_read_line;
        stage_valid  = \u_mux.frame_valid ;
        second_valid = \u_mux.u_frame_skid.skid_valid ;
        stage        = \u_mux.u_frame_skid.out_data ;
        second       = \u_mux.u_frame_skid.skid_data ;
        chosen       = stage_valid && \u_mux.frame_ready ;
      end
    endcase

  // ---- The read that is followed: in the register stage, on AR. And who asked, of all that are unanswered

  reg         started = 1'b0;
  reg  [5:0]  asked;                      // reads that the host has taken and not answered
  reg  [1:0]  held;                       // of the source: handed over, not on AR yet
  reg         stays;                      // it is among them
  reg         ahead;                      // ... behind another
  reg         on_ar;
  reg  [57:0] followed;
  reg         ar_waits;
  reg  [63:0] old_araddr;
  reg         unanswered;                 // the read that came from the source
  reg  [4:0]  preceding;                 // reads whose answers come before its own

  wire        ar_taken = arvalid && arready;
  wire        answer   = rvalid && rready;
  wire        starts   = follow && handed && !stays && !on_ar && !unanswered;
  wire        issues   = chosen && (stays ? !ahead : starts && source == 2'd0);
  wire [4:0]  outstanding = \u_mux.issued - \u_mux.answered ;
  wire [3:0]  answers  = {frame_answer, rx_answer, tx_answer, slot_answer};
  wire [3:0]  asker    = 4'd1 << source;
  wire [63:0] notes    = {\u_mux.source[15] , \u_mux.source[14] , \u_mux.source[13] , \u_mux.source[12] ,
                          \u_mux.source[11] , \u_mux.source[10] , \u_mux.source[9] , \u_mux.source[8] ,
                          \u_mux.source[7] , \u_mux.source[6] , \u_mux.source[5] , \u_mux.source[4] ,
                          \u_mux.source[3] , \u_mux.source[2] , \u_mux.source[1] , \u_mux.source[0] };
  wire [3:0]  position = \u_mux.answered [3:0] + preceding[3:0];


  always @(posedge clk) begin
    started    <= 1'b1;
    ar_waits   <= arvalid && !arready && !rst;
    old_araddr <= araddr;
    if (rst) begin
      asked      <= 6'd0;
      held       <= 2'd0;
      stays      <= 1'b0;
      on_ar      <= 1'b0;
      unanswered <= 1'b0;
    end else begin
      asked <= asked + {5'd0, ar_taken} - {5'd0, answer};
      held  <= held + {1'b0, handed} - {1'b0, chosen};
      if (starts) begin
        followed <= line;
        stays    <= !issues;
        ahead    <= held != {1'b0, chosen};
      end else if (stays && chosen) begin
        stays <= ahead;
        ahead <= 1'b0;
      end
      on_ar <= issues || (on_ar && !arready);
      if (issues) begin
        unanswered <= 1'b1;
        preceding  <= outstanding - {4'd0, answer};
      end else if (unanswered && answer) begin
        unanswered <= preceding != 5'd0;
        preceding  <= preceding - 5'd1;
      end
    end

    if (!started)
      assume (rst);
    assume (!rvalid || !started || asked != 6'd0);

    if (started) begin
      if (ar_waits)
        assert (arvalid && araddr == old_araddr);
      assert (araddr[5:0] == 6'd0);
      assert (asked <= 6'd16);
      assert (!rvalid || rready);
      assert (answer_data == rdata && answer_error == rresp[1]);
      assert (answer || answers == 4'd0);

      assert (held == {1'b0, source != 2'd0 && stage_valid} + {1'b0, second_valid});
      if (stays)
        assert (held > {1'b0, ahead} && (ahead ? second : stage) == followed);
      if (on_ar)
        assert (arvalid && araddr == {followed, 6'd0});
      // Its answer is its source's, and nobody else's.
      if (unanswered && answer && preceding == 5'd0)
        assert (answers == asker);

      // What holds in every reachable state, for the induction.
      assert (outstanding <= 5'd16 && {1'b0, outstanding} == asked + {5'd0, arvalid});
      assert (outstanding <= 5'd15 || \u_mux.full );
      assert (source == 2'd0 ? !stays : !second_valid || stage_valid);
      assert (!on_ar || (unanswered && preceding == outstanding - 5'd1));
      assert (!stays || (!on_ar && !unanswered));
      assert (!unanswered || (preceding < outstanding && notes[4 * position +: 4] == asker));
    end
  end

endmodule
`default_nettype wire
