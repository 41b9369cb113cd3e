// SPDX-License-Identifier: MIT
// The rules of own_parser's ports (docs/own-parser.md), watched in simulation: one that is broken is told by its number,
// with line and time, and ends the simulation. Nothing is left of it in synthesis.
`default_nettype none

module parser_rules #(
  parameter LINE_B   = 0,
  parameter PATIENCE = 1024               // clocks without anything done while something is due
) (
  input  wire         clk,
  input  wire         rst,
  input  wire         s_axis_tvalid,
  input  wire         s_axis_tready,
  input  wire         s_axis_tlast,
  input  wire         first,              // the beat is a frame's first
  input  wire         m_valid,
  input  wire         m_ready,
  input  wire         packets,            // what m_kind says that is offered
  input  wire         messages,
  input  wire         ends,
  input  wire [6:0]   m_bytes,
  input  wire         m_last,
  input  wire         m_decoded,
  input  wire [749:0] m_stable            // ... and all that this gives a meaning
);

`ifndef SYNTHESIS
  reg  [3:0]   begun;                     // frames that were begun and have no END
  reg  [3:0]   whole;                     // ... whose last beat was taken
  reg          packet;                    // the frame that comes out has had its PACKET
  reg          partial;                   // ... and the first bytes of a message without its last ones
  reg          waited;                    // m_valid one clock ago, and nobody took it
  reg  [749:0] waited_for;
  reg  [10:0]  still;                     // clocks

  wire         beat_taken  = s_axis_tvalid && s_axis_tready;
  wire         taken       = m_valid && m_ready;
  wire [3:0]   begun_now   = begun + {3'd0, beat_taken && first};
  wire [3:0]   whole_now   = whole + {3'd0, beat_taken && s_axis_tlast};

  task broken (input integer rule, input [8*64-1:0] what);
    begin
      $display("own_parser, line %s, %0d ps: rule %0d: %0s", LINE_B != 0 ? "B" : "A", $time, rule, what);
      $finish;
    end
  endtask

  always @(posedge clk)
    if (rst !== 1'b0) begin               // x before the first reset
      begun  <= 4'd0;
      whole  <= 4'd0;
      packet <= 1'b0;
      partial <= 1'b0;
      waited <= 1'b0;
      still  <= 11'd0;
    end else begin
      begun      <= begun_now - {3'd0, taken && ends};
      whole      <= whole_now - {3'd0, taken && ends};
      packet     <= !(taken && ends) && (packet || (taken && packets));
      partial     <= taken ? messages && !m_last : partial;
      waited     <= m_valid && !m_ready;
      waited_for <= m_stable;
      still      <= beat_taken || m_valid || !(s_axis_tvalid || whole != 4'd0) ? 11'd0 : still + 11'd1;

      if ((^{m_valid, s_axis_tready}) === 1'bx)
        broken(1, "m_valid or s_axis_tready is x");
      if (m_valid && ((^{packets, messages, ends}) === 1'bx || (messages && (^{m_bytes, m_last, m_decoded}) === 1'bx)))
        broken(1, "m_kind, m_bytes, m_last or m_decoded is x");
      if (m_valid && !packets && !messages && !ends)
        broken(1, "m_kind is 3");
      if (waited && (!m_valid || m_stable != waited_for))
        broken(2, "m_valid or what it offers changed before m_ready");
      if (taken && begun_now == 4'd0)
        broken(3, "something is given without a frame");
      if (taken && ends && begun_now != 4'd0 && whole_now == 4'd0)
        broken(3, "END before the frame's last beat was taken");
      if (taken && packets && packet)
        broken(3, "a second PACKET in one frame");
      if (taken && messages && !packet)
        broken(3, "MESSAGE before its frame's PACKET");
      if (taken && messages && (m_bytes > 7'd64 || (!m_last && m_bytes != 7'd64)))
        broken(4, "m_bytes is not 64, and m_last is not set");
      if (taken && messages && partial && m_bytes == 7'd0)
        broken(4, "m_bytes is 0 within a message");
      if (still == PATIENCE)
        broken(5, "hangs: neither a beat taken nor anything given");
    end
`else
  wire unused = &{1'b0, LINE_B != 0, PATIENCE != 0, clk, rst, s_axis_tvalid, s_axis_tready, s_axis_tlast, first,
                  m_valid, m_ready, packets, messages, ends, m_bytes, m_last, m_decoded, m_stable};
`endif

endmodule
`default_nettype wire
