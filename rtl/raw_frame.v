// SPDX-License-Identifier: MIT
// Exception path of one receive port: keeps a copy of each frame that is addressed to this host (its MAC address or
// broadcast) until the receive side has said what it is. A frame that is not the market-data group's, as its headers
// say, is offered to the raw ring; every other one is forgotten.
//
// It observes the port as the receive side does: every frame that starts while `receiving` gets exactly one verdict,
// in order. Verdicts are matched by number, so frames that are not kept cost nothing here. A frame that finds no room
// is dropped and counted; one with a bad FCS or longer than MAX_FRAME_BYTES is no frame.
`include "layout.vh"
`default_nettype none

module raw_frame #(
  parameter STORE_LOG2 = 11           // log2 of the beats of 8 bytes kept: at least one frame of MAX_FRAME_BYTES
) (
  input  wire        clk,
  input  wire        rst,
  input  wire        receiving,       // the receive side takes frames that start now
  input  wire        enable,          // 0: nothing is kept
  input  wire [47:0] mac,             // of this host, first octet in the highest bits

  // Receive port, observed
  input  wire [63:0] s_axis_tdata,
  input  wire [7:0]  s_axis_tkeep,
  input  wire        s_axis_tvalid,
  input  wire        s_axis_tlast,
  input  wire        s_axis_tuser,    // with tlast: FCS was bad

  // What became of each frame, in order
  input  wire        verdict_valid,
  input  wire [7:0]  verdict_reason,
  input  wire [47:0] verdict_time,    // NIC time of the first byte

  // To the raw ring: the oldest frame, its beats one by one
  output wire        frame_valid,
  output wire [15:0] frame_length,
  output wire [7:0]  frame_lines,     // continuation lines it takes
  output wire [7:0]  frame_reason,
  output wire [47:0] frame_time,
  output reg  [63:0] frame_beat,      // bytes behind the end are 0
  input  wire        frame_next,      // the next beat
  input  wire        frame_release,   // done with this frame

  output reg         event_dropped,   // a frame found no room
  output wire        idle
);

  localparam [31:0] MAX_FRAME_BYTES = `TL_MAX_FRAME_BYTES;
  localparam [2:0]  LINE_BEATS      = 3'd7;     // `TL_CONTINUATION_BYTES / 8

  // ---- Receive port

  reg         in_frame;
  reg         keeping;                // the frame on the port is kept
  reg         lost;                   // it found no room
  reg  [15:0] number;                 // of frames started, modulo 2^16
  reg  [15:0] frame_number;           // of the frame on the port
  reg  [11:0] beats;                  // of it so far
  reg  [2:0]  line_beats;             // beats in its last line, 1 to 7
  reg  [7:0]  lines;
  reg  [STORE_LOG2:0] write_pointer;  // one bit more than an address: a whole store apart is full
  reg  [STORE_LOG2:0] frame_pointer;  // where the frame on the port begins
  reg  [STORE_LOG2:0] read_pointer;

  wire        first = s_axis_tvalid && !in_frame;
  wire [47:0] destination = {s_axis_tdata[7:0], s_axis_tdata[15:8], s_axis_tdata[23:16],
                             s_axis_tdata[31:24], s_axis_tdata[39:32], s_axis_tdata[47:40]};
  wire        ours  = destination == mac || destination == 48'hFFFF_FFFF_FFFF;
  wire        keep  = first ? receiving && enable && ours : keeping && enable;
  wire        full  = write_pointer == {~read_pointer[STORE_LOG2], read_pointer[STORE_LOG2-1:0]};
  wire        loses = full || (!first && lost);
  wire [11:0] beat_number = first ? 12'd1 : beats + 12'd1;
  wire        too_long    = beat_number > MAX_FRAME_BYTES[14:3];

  reg  [3:0]  last_bytes;
  reg  [63:0] beat_mask;
  integer     i;

  always @* begin
    last_bytes = 4'd0;
    for (i = 0; i < 8; i = i + 1) begin
      last_bytes = last_bytes + {3'd0, s_axis_tkeep[i] || !s_axis_tlast};
      beat_mask[8 * i +: 8] = {8{s_axis_tkeep[i] || !s_axis_tlast}};
    end
  end

  reg  [63:0] store [0:(1 << STORE_LOG2) - 1];
  wire [STORE_LOG2:0] read_next;      // where the read pointer stands in the next clock

  always @(posedge clk) begin
    if (!full)
      store[write_pointer[STORE_LOG2-1:0]] <= s_axis_tdata & beat_mask;
    frame_beat <= store[read_next[STORE_LOG2-1:0]];
  end

  // ---- Frames kept, at most 16: from judge to push without verdict, from pop to judge with one

  reg  [4:0]  push_pointer;
  reg  [4:0]  judge_pointer;
  reg  [4:0]  pop_pointer;
  reg  [15:0] kept_number [0:15];
  reg  [15:0] kept_length [0:15];
  reg  [7:0]  kept_lines  [0:15];
  reg  [STORE_LOG2:0] kept_end [0:15];
  reg         kept_raw    [0:15];
  reg  [7:0]  kept_reason [0:15];
  reg  [47:0] kept_time   [0:15];
  reg  [15:0] verdict_number;

  wire        frames_full = push_pointer == {~pop_pointer[4], pop_pointer[3:0]};
  wire        ends     = s_axis_tvalid && s_axis_tlast && keep;
  wire        no_frame = s_axis_tuser || too_long;
  wire        pushes   = ends && !loses && !no_frame && !frames_full;
  wire        judges   = verdict_valid && judge_pointer != push_pointer
                         && kept_number[judge_pointer[3:0]] == verdict_number;
  wire        is_raw   = verdict_reason >= `TL_DROP_REASON_VLAN_DEPTH && verdict_reason <= `TL_DROP_REASON_OTHER_PORT;
  wire        judged   = pop_pointer != judge_pointer;
  wire        skips    = judged && !kept_raw[pop_pointer[3:0]];
  wire        pops     = skips || frame_release;

  wire [15:0] length_now = {1'b0, beat_number - 12'd1, 3'd0} + {12'd0, last_bytes};
  wire [2:0]  line_beats_next = first || line_beats == LINE_BEATS ? 3'd1 : line_beats + 3'd1;
  wire [7:0]  lines_next = first ? 8'd1 : line_beats == LINE_BEATS ? lines + 8'd1 : lines;

  always @(posedge clk) begin
    if (rst) begin
      in_frame       <= 1'b0;
      keeping        <= 1'b0;
      number         <= 16'd0;
      verdict_number <= 16'd0;
      event_dropped  <= 1'b0;
    end else begin
      event_dropped <= ends && !no_frame && (loses || frames_full);
      if (s_axis_tvalid) begin
        in_frame <= !s_axis_tlast;
        keeping  <= keep;
      end else begin
        keeping <= keeping && enable;
      end
      if (first && receiving)
        number <= number + 16'd1;
      if (verdict_valid)
        verdict_number <= verdict_number + 16'd1;
    end
    if (s_axis_tvalid) begin
      lost       <= loses;
      beats      <= too_long ? beats : beat_number;
      line_beats <= line_beats_next;
      lines      <= lines_next;
      if (first)
        frame_number <= number;
    end
  end

  always @(posedge clk) begin
    if (rst || !enable) begin
      write_pointer <= {STORE_LOG2 + 1{1'b0}};
      frame_pointer <= {STORE_LOG2 + 1{1'b0}};
      read_pointer  <= {STORE_LOG2 + 1{1'b0}};
      push_pointer  <= 5'd0;
      judge_pointer <= 5'd0;
      pop_pointer   <= 5'd0;
    end else begin
      if (s_axis_tvalid && keep) begin
        if (pushes)
          frame_pointer <= write_pointer + 1'b1;
        if (s_axis_tlast && !pushes)
          write_pointer <= frame_pointer;
        else if (!loses && !too_long)
          write_pointer <= write_pointer + 1'b1;
      end
      if (pushes)
        push_pointer <= push_pointer + 5'd1;
      if (judges)
        judge_pointer <= judge_pointer + 5'd1;
      if (pops)
        pop_pointer <= pop_pointer + 5'd1;
      read_pointer <= read_next;
    end
    if (pushes) begin
      kept_number[push_pointer[3:0]] <= first ? number : frame_number;
      kept_length[push_pointer[3:0]] <= length_now;
      kept_lines[push_pointer[3:0]]  <= lines_next;
      kept_end[push_pointer[3:0]]    <= write_pointer + 1'b1;
    end
    if (judges) begin
      kept_raw[judge_pointer[3:0]]    <= is_raw;
      kept_reason[judge_pointer[3:0]] <= verdict_reason;
      kept_time[judge_pointer[3:0]]   <= verdict_time;
    end
  end

  assign frame_valid  = judged && kept_raw[pop_pointer[3:0]] && enable;
  assign frame_length = kept_length[pop_pointer[3:0]];
  assign frame_lines  = kept_lines[pop_pointer[3:0]];
  assign frame_reason = kept_reason[pop_pointer[3:0]];
  assign frame_time   = kept_time[pop_pointer[3:0]];
  assign read_next    = pops ? kept_end[pop_pointer[3:0]] : read_pointer + {{STORE_LOG2{1'b0}}, frame_next};
  assign idle         = !judged && !event_dropped;

endmodule
`default_nettype wire
